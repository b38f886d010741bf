"""Mean errors over pairs of parameters: surfaces as in Fig. 10 and 11 of the paper, and heat maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from mpl_toolkits.mplot3d.axes3d import Axes3D
from numpy.typing import NDArray

from lehr.figures.style import COLOURS, figure_of, figure_style, new_axes, new_axes_3d, plain_ticks

__all__ = ["MeanMap", "heat_map", "mean_map", "surface"]

_MOST_VALUES = 60  # of a grid; more are the values of scattered points, and are put into bins
_BINS = 24

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeanMap:
    """Means of a quantity over two parameters.

    Attributes
    ----------
    first : ndarray, shape (m,)
        Values of the first parameter, ascending.
    second : ndarray, shape (m, n)
        Values of the second at each of them, ascending. ln A has other values at each delta_h.
    mean : ndarray, shape (m, n)
        Mean over the samples there; NaN where there is none.
    count : ndarray of int, shape (m, n)
        Samples there.
    """

    first: Floats
    second: Floats
    mean: Floats
    count: NDArray[np.int64]


def mean_map(first: Floats, second: Floats, quantity: Floats) -> MeanMap:
    """Return the mean of a quantity over two parameters: on the values of a grid, or in bins of scattered points.

    Parameters
    ----------
    first, second, quantity : ndarray, shape (n,)
        Two parameters and the quantity of each sample; samples where it is not finite are left out.
    """
    known = np.isfinite(quantity)
    first, second, quantity = first[known], second[known], quantity[known]
    columns, i = _levels(first)
    values = _rounded(second)
    own = [np.unique(values[i == column]) for column in range(columns.size)]
    if np.unique(values).size > _MOST_VALUES and len({each.size for each in own}) == 1:
        at = np.array(own)
        j = np.empty(values.size, np.int64)
        for column, each in enumerate(own):
            j[i == column] = np.searchsorted(each, values[i == column])
    else:
        rows, j = _levels(second)
        at = np.broadcast_to(rows, (columns.size, rows.size))
    flat = i * at.shape[1] + j
    count = np.bincount(flat, minlength=at.size).reshape(at.shape)
    total = np.bincount(flat, weights=quantity, minlength=at.size).reshape(at.shape)
    return MeanMap(columns, at, np.where(count > 0, total / np.maximum(count, 1), np.nan), count)


def _rounded(values: Floats) -> Floats:
    """Take away what floating-point arithmetic makes of equal values."""
    scale = float(np.max(np.abs(values), initial=0.0)) or 1.0
    return np.asarray(np.round(values / scale, 9) * scale)


def _levels(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distinct values, or the middles of bins where there are too many, and which of them each value is."""
    distinct, which = np.unique(_rounded(values), return_inverse=True)
    if distinct.size <= _MOST_VALUES:
        return distinct, which
    ends = np.linspace(distinct[0], distinct[-1], _BINS + 1)
    which = np.clip(np.searchsorted(ends, values, side="right") - 1, 0, _BINS - 1)
    return (ends[:-1] + ends[1:]) / 2, which


def _ends(middles: Floats) -> Floats:
    """Return where cells with these middles, shape (..., n), begin and end, shape (..., n + 1)."""
    if middles.shape[-1] == 1:
        return np.concatenate([middles - 0.5, middles + 0.5], axis=-1)
    between = (middles[..., 1:] + middles[..., :-1]) / 2
    first, last = 2 * middles[..., :1] - between[..., :1], 2 * middles[..., -1:] - between[..., -1:]
    return np.concatenate([first, between, last], axis=-1)


@figure_style
def heat_map(
    means: MeanMap, *, labels: tuple[str, str], value_label: str = "", title: str = "", axes: Axes | None = None
) -> Axes:
    """Draw means over two parameters as coloured cells, on a logarithmic scale; cells without samples stay white.

    Parameters
    ----------
    means : MeanMap
        The means; those that are not positive have no colour either.
    labels : (str, str)
        Names and units of the two parameters.
    value_label, title : str, optional
        What the colour bar and the figure are called.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes()
    left, right = _ends(means.first)[:-1], _ends(means.first)[1:]
    ends = _ends(means.second)
    seen = (means.count > 0) & (means.mean > 0)
    i, j = np.nonzero(seen)
    corners = [(left[i], ends[i, j]), (right[i], ends[i, j]), (right[i], ends[i, j + 1]), (left[i], ends[i, j + 1])]
    cells = PolyCollection(
        np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1),
        array=means.mean[seen],
        cmap=COLOURS,
        norm=LogNorm(),
        edgecolors="face",
        linewidths=0.3,
        rasterized=True,
    )
    axes.add_collection(cells)
    axes.set(xlim=(left[0], right[-1]), ylim=(ends.min(), ends.max()), title=title)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.grid(visible=False)
    if seen.any():
        bar = figure_of(axes).colorbar(cells, ax=axes, label=value_label, pad=0.02, aspect=24)
        bar.outline.set_linewidth(0.5)
        plain_ticks(bar.ax.yaxis, minor=(1.0, 0.4))
        bar.ax.tick_params(which="both", labelsize=6.5)
    return axes


@figure_style
def surface(
    means: MeanMap, *, labels: tuple[str, str], value_label: str = "", title: str = "", axes: Axes3D | None = None
) -> Axes3D:
    """Draw means over two parameters as a surface above them, after Fig. 10 and 11 of the paper.

    Parameters
    ----------
    means : MeanMap
        The means.
    labels : (str, str)
        Names and units of the two parameters.
    value_label, title : str, optional
        What the vertical axis and the figure are called.
    axes : Axes3D, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes_3d()
    first = np.broadcast_to(means.first[:, None], means.second.shape)
    if min(means.mean.shape) > 1:
        axes.plot_surface(
            first, means.second, means.mean, cmap=COLOURS, rstride=1, cstride=1, edgecolor="#00000040", linewidth=0.2
        )
    else:  # a single value of a parameter spans no surface
        axes.plot(first.ravel(), means.second.ravel(), means.mean.ravel(), "o-", markersize=2.5)
    axes.set(xlabel=labels[0], ylabel=labels[1], zlabel=value_label)
    axes.set_title(title, y=0.97)
    axes.view_init(elev=28, azim=-125)
    axes.set_box_aspect((1, 1, 0.75), zoom=0.98)
    axes.tick_params(labelsize=6, pad=-2)
    axes.zaxis.set_major_formatter("{x:g}")
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.labelpad = -4
        axis.pane.set_facecolor("#f7f7f7")
    return axes
