"""The plane of activation energy and ln A: where samples lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from lehr.figures.style import GREY, LineStyle, figure_style, line_styles, new_axes
from lehr.glass.quantities import DELTA_H, GLASS_TRANSITION
from lehr.glass.space import CellSubset, ScatteredSpace, SpaceSubset, StateSpace
from lehr.glass.tnm import ln_pre_exponential

__all__ = ["subset_plane"]

_POINTS_SHOWN = 10_000  # a cloud of more points only gets blacker
_GLASS_TRANSITIONS = (200.0, 300.0, 400.0, 500.0, 700.0, 1000.0, 1500.0)


@figure_style
def subset_plane(
    space: StateSpace | ScatteredSpace,
    subsets: Sequence[SpaceSubset],
    *,
    styles: Mapping[str, LineStyle] | None = None,
    star: tuple[str, float, float] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw the (delta_h, ln A) plane with its cells or points, and those of subsets, as Fig. 2 of the paper.

    Parameters
    ----------
    space : StateSpace or ScatteredSpace
        The state space; many points are thinned out.
    subsets : sequence of SpaceSubset
        Subsets of the space; those without cells, of scattered points, have no mark of their own.
    styles : mapping of LineStyle, optional
        Colour of each subset; default: those of `line_styles`.
    star : tuple of str, float, float, optional
        Name, ln A and delta_h (J/mol) of a glass.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes(7.2, 4.8)
    grid = space if isinstance(space, StateSpace) else space.ends
    delta_h, ln_a, what = _dots(space)
    axes.plot(ln_a, DELTA_H.shown(delta_h), ".", color="#b0b0aa", markersize=1.9, markeredgewidth=0, rasterized=True)
    _constant_glass_transition(axes, grid)
    of_cells = [subset for subset in subsets if isinstance(subset, CellSubset)]
    styles = styles or line_styles([subset.name for subset in of_cells])
    for subset in of_cells:
        _mark(axes, subset, styles[subset.name].colour)
    if star is not None:
        name, at, energy = star
        axes.plot(at, DELTA_H.shown(energy), "*", color="black", markersize=11, label=name, markeredgecolor="white")
        axes.annotate(
            name,
            (at, DELTA_H.shown(energy)),
            xytext=(-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )
    axes.set(xlabel="ln (A / s)", ylabel=f"{DELTA_H.meaning} {DELTA_H.axis_label}")
    axes.margins(0.06)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_title(f"dots: {what}; lines: constant {GLASS_TRANSITION.symbol}", color=GREY, fontsize=8.5, loc="right")
    return axes


def _dots(space: StateSpace | ScatteredSpace) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Return delta_h (J/mol) and ln A of what the space consists of, and what that is."""
    if isinstance(space, StateSpace):
        cells = space.shape[0] * space.shape[1]
        shown = np.unique(np.linspace(0, cells - 1, min(cells, _POINTS_SHOWN)).astype(np.int64))
        return (*space.plane(shown), f"{cells} cells")
    points = space.parameters(np.arange(min(space.size, _POINTS_SHOWN)))
    first = f"the first {_POINTS_SHOWN} of " if space.size > _POINTS_SHOWN else ""
    return points[:, 1], points[:, 0], f"{first}{space.size} points"


def _constant_glass_transition(axes: Axes, grid: StateSpace) -> None:
    """Draw lines of constant Tg inside the plane, each with its temperature at the end."""
    energy = np.linspace(grid.delta_h.start, grid.delta_h.stop, 200)
    low, high = grid.limits_of_ln_a(energy)
    for tg in _GLASS_TRANSITIONS:
        line = ln_pre_exponential(energy, tg)
        inside = (low <= line) & (line <= high)
        if not inside.any():
            continue
        axes.plot(line[inside], DELTA_H.shown(energy[inside]), color="#c4c4c4", linewidth=0.7, zorder=1.5)
        axes.annotate(
            f"{tg:.0f} {GLASS_TRANSITION.shown_unit}",
            (line[inside][-1], DELTA_H.shown(energy[inside][-1])),
            xytext=(0, -4),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=8,
            color=GREY,
        )


def _mark(axes: Axes, subset: CellSubset, colour: str) -> None:
    """Draw the cells of a subset, and its name beside the middle one of its rows, on the outer side of the plane."""
    delta_h, ln_a = subset.space.plane(subset.cells)
    axes.plot(ln_a, DELTA_H.shown(delta_h), "o", color=colour, markersize=2.6, markeredgewidth=0, label=subset.name)
    rows = np.unique(delta_h)
    middle = rows[rows.size // 2]
    row = ln_a[delta_h == middle]
    low, high = (float(limit[0]) for limit in subset.space.limits_of_ln_a(np.array([middle])))
    left = row.mean() < low + 0.45 * (high - low)
    axes.annotate(
        subset.name,
        (row.min() if left else row.max(), DELTA_H.shown(middle)),
        xytext=(-6 if left else 6, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        color=colour,
        fontsize=10,
        fontweight="bold",
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )
