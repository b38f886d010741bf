"""Networks side by side: how they were trained, on other subsets, with worse signals, with another split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lehr.figures.style import COLOURS, DASHED, GREY, LineStyle, figure_style, label_decades, name_lines, new_axes

__all__ = ["ErrorByLevel", "TrainingCurve", "compared_splits", "error_by_level", "training_curve", "transfer_matrix"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainingCurve:
    """A quantity after each epoch; `best` is the epoch of the network that was kept."""

    epoch: Floats
    value: Floats
    best: int | None = None


@dataclass(frozen=True, eq=False)
class ErrorByLevel:
    """Errors at the levels of a distortion, both of shape (n,)."""

    level: Floats
    error: Floats


@figure_style
def training_curve(
    histories: Mapping[str, TrainingCurve], styles: Mapping[str, LineStyle], *, label: str, axes: Axes | None = None
) -> Axes:
    """Draw a quantity after each epoch for all models, on a logarithmic axis; a marker at the one that was kept."""
    axes = axes or new_axes()
    for name, history in histories.items():
        style = styles[name]
        axes.plot(history.epoch, history.value, color=style.colour, label=name)
        if history.best is not None:
            at = history.epoch == history.best
            axes.plot(history.epoch[at], history.value[at], style.marker, color=style.colour, markersize=5)
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    label_decades(axes)
    name_lines(axes)
    return axes


@figure_style
def transfer_matrix(
    errors: Floats,
    trained: Sequence[str],
    tested: Sequence[str],
    written: Callable[[float], str],
    *,
    own: Sequence[str] = (),
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw the errors of each network on the test split of each subset.

    Parameters
    ----------
    errors : ndarray, shape (networks, subsets)
        NaN where it was not tested.
    trained, tested : sequence of str
        Names of the networks and of the subsets.
    written : callable
        Makes a short text of an error.
    own : sequence of str, optional
        For each network the subset that it was trained on, which gets a frame.
    title : str, optional
        Title.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes(3.5, 0.9 + 0.3 * len(trained))
    positive = errors[np.isfinite(errors) & (errors > 0)]
    norm = LogNorm(positive.min(), max(positive.max(), 1.01 * positive.min())) if positive.size else None
    axes.pcolormesh(errors, cmap=COLOURS, norm=norm, edgecolors="white", linewidth=1.0)
    for (i, j), error in np.ndenumerate(errors):
        known = bool(np.isfinite(error))
        light = known and norm is not None and float(norm(float(error))) > 0.5
        colour = GREY if not known else "black" if light else "white"
        text = written(float(error)) if known else "–"
        axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=7, color=colour)
    for i, subset in enumerate(own):
        if subset in tested:
            corner = (tested.index(subset) + 0.04, i + 0.05)
            axes.add_patch(Rectangle(corner, 0.92, 0.9, fill=False, edgecolor="#D55E00", linewidth=1.5))
    axes.set_xticks(np.arange(len(tested)) + 0.5, tested)
    axes.set_yticks(np.arange(len(trained)) + 0.5, trained)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.set(xlabel="tested on", ylabel="network", title=title)
    return axes


@figure_style
def error_by_level(
    networks: Mapping[str, ErrorByLevel],
    styles: Mapping[str, LineStyle],
    *,
    label: str,
    error_label: str,
    bound: ErrorByLevel | None = None,
    fits: ErrorByLevel | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw the error of networks against the level of a distortion; the levels stand side by side, not to scale.

    Parameters
    ----------
    networks : mapping of ErrorByLevel
        By model.
    styles : mapping of LineStyle
        By model.
    label, error_label : str
        Names and units of the level and of the error.
    bound : ErrorByLevel, optional
        The expected error of an unbiased estimate at the Cramér-Rao bound.
    fits : ErrorByLevel, optional
        The error of curve fits on the same samples.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes()
    curves = [*networks.values(), *(curve for curve in (bound, fits) if curve is not None)]
    levels = np.unique(np.concatenate([curve.level for curve in curves]))

    def at(curve: ErrorByLevel) -> Floats:
        return np.searchsorted(levels, curve.level).astype(float)

    for name, curve in networks.items():
        style = styles[name]
        axes.plot(at(curve), curve.error, color=style.colour, marker=style.marker, markersize=3.5, label=name)
    if bound is not None:
        axes.plot(at(bound), bound.error, color="black", linestyle=DASHED, linewidth=1.2, label="Cramér–Rao bound")
    if fits is not None:
        axes.plot(at(fits), fits.error, "k*", markersize=7, markerfacecolor="white", label="Levenberg–Marquardt")
    label_decades(axes)
    axes.set_xticks(np.arange(levels.size), [f"{level:g}" for level in levels])
    axes.margins(x=0.08)
    axes.set(xlabel=label, ylabel=error_label)
    name_lines(axes, fontsize=7)
    return axes


@figure_style
def compared_splits(
    shares: Mapping[str, Mapping[str, float]], *, labels: Mapping[str, str], axes: Axes | None = None
) -> Axes:
    """Draw errors of networks of one subset that were tested on splits of different kinds.

    Parameters
    ----------
    shares : mapping
        By network, by quantity: its error as a share of that of the trivial predictor on the same samples.
    labels : mapping of str
        What the quantities are called.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes(3.5, 2.2)
    places = np.arange(len(labels))
    table = np.array([[share[quantity] for quantity in labels] for share in shares.values()])
    axes.hlines(places, table.min(axis=0), table.max(axis=0), color=GREY, linewidth=1.0, zorder=1)
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
    for (name, row), colour, marker in zip(zip(shares, table, strict=True), colours, "osD^", strict=False):
        axes.plot(row, places, marker, color=colour, markersize=5, label=name)
    axes.axvline(1.0, color=GREY, linestyle=DASHED, linewidth=0.9)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(places, list(labels.values()))
    axes.invert_yaxis()
    axes.set(xlabel="mean error, as a share of that of the training mean")
    axes.legend(loc="best", fontsize=7)
    return axes
