"""Errors of the samples: sorted, against a property of the sample, and true against predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from lehr.figures.style import DASHED, GREY, LineStyle, figure_style, label_decades, name_lines, new_axes

__all__ = [
    "ErrorCurves",
    "RunningQuantiles",
    "beyond_range",
    "error_against",
    "errors_against",
    "percentiles",
    "running",
    "sorted_errors",
    "true_predicted",
]

_POINTS_SHOWN = 3000  # a cloud of more points only gets blacker
_CURVE_POINTS = 201  # points of a sorted curve
_MOST_VALUES = 25  # true values that are shown one by one; of more, ranges are

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ErrorCurves:
    """Errors of a network, shape (n,), and those of the trivial predictor on the same samples where it has any."""

    network: Floats
    trivial: Floats | None = None


@dataclass(frozen=True, eq=False)
class RunningQuantiles:
    """Quantiles along an axis: where each of its ranges lies, and the low, middle and high quantile, shape (bins,)."""

    at: Floats
    low: Floats
    median: Floats
    high: Floats


@figure_style
def sorted_errors(
    curves: Mapping[str, ErrorCurves],
    styles: Mapping[str, LineStyle],
    *,
    label: str,
    thresholds: Sequence[tuple[float, str]] = (),
    axes: Axes | None = None,
) -> Axes:
    """Draw errors in ascending order against percent of samples (Fig. 9 of the paper).

    Parameters
    ----------
    curves : mapping of ErrorCurves
        By model, or by whatever `styles` has.
    styles : mapping of LineStyle
        By model.
    label : str
        Name and unit of the error.
    thresholds : sequence of (float, str), optional
        Errors to mark, and what to call them.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes()
    lowest = [0.8 * value for value, _ in thresholds]
    for place, (name, errors) in enumerate(curves.items()):
        style = styles[name]
        percent, network = percentiles(errors.network, _CURVE_POINTS)
        every = (0.05 + 0.12 * place / len(curves), 0.12)  # no marker hides that of another curve
        axes.plot(percent, network, color=style.colour, marker=style.marker, markersize=3, markevery=every, label=name)
        if errors.trivial is not None:
            guess = percentiles(errors.trivial, _CURVE_POINTS)[1]
            axes.plot(percent, guess, color=style.colour, linestyle=DASHED, linewidth=0.9)
        lowest.append(float(network[percent.size // 100]))
    if any(errors.trivial is not None for errors in curves.values()):
        axes.plot([], [], color=GREY, linestyle=DASHED, linewidth=0.9, label="training mean")
    label_decades(axes)
    for value, text in thresholds:
        axes.axhline(value, color=GREY, linewidth=0.8, linestyle=":")
        axes.annotate(
            text,
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=GREY,
        )
    # the smallest errors are accidents, and would take half of a logarithmic axis
    axes.set_ylim(bottom=min((value for value in lowest if value > 0), default=None))
    axes.set(xlim=(0, 100), xlabel="percent of test samples", ylabel=label)
    name_lines(axes, loc="lower right")
    return axes


def running(
    at: Floats, error: Floats, bins: int = 20, quantiles: Sequence[float] = (0.1, 0.5, 0.9)
) -> RunningQuantiles:
    """Return quantiles of an error in ranges of an axis, each with about as many samples.

    Parameters
    ----------
    at, error : ndarray, shape (n,)
        Where a sample lies on the axis, and its error; samples in which either is not finite are left out.
    bins : int
        Most ranges. An axis with fewer values has a range for each; of these, those with hardly a sample are left out.
    quantiles : sequence of 3 floats
        Low, middle, high.
    """
    known = np.isfinite(at) & np.isfinite(error)
    at, error = at[known], error[known]
    if at.size == 0:
        return RunningQuantiles(*(np.empty(0) for _ in range(4)))
    values, which, counts = np.unique(np.round(at, 9), return_inverse=True, return_counts=True)
    if values.size > bins:
        ends = np.unique(np.quantile(at, np.linspace(0, 1, bins + 1)))
        which = np.clip(np.searchsorted(ends, at, side="right") - 1, 0, ends.size - 2)
        counts = np.bincount(which)
    shown = np.flatnonzero(counts >= 0.1 * at.size / bins)
    rows = [(np.median(at[which == i]), *np.quantile(error[which == i], quantiles)) for i in shown]
    return RunningQuantiles(*np.array(rows, dtype=float).T)


@figure_style
def error_against(
    at: Floats, error: Floats, style: LineStyle, *, label: str, error_label: str, axes: Axes | None = None
) -> Axes:
    """Draw the error of each sample against a property of it: a thin cloud, its median and the middle 80 %.

    Parameters
    ----------
    at, error : ndarray, shape (n,)
        The property and the error.
    style : LineStyle
        Of the model.
    label, error_label : str
        Names and units.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes()
    shown = np.random.default_rng(0).permutation(at.size)[:_POINTS_SHOWN]
    cloud = error[shown] > 0
    axes.scatter(
        at[shown][cloud], error[shown][cloud], s=1.5, color=style.colour, alpha=0.18, linewidth=0, rasterized=True
    )
    curve = running(at, error)
    axes.fill_between(curve.at, curve.low, curve.high, color=style.colour, alpha=0.25, linewidth=0)
    axes.plot(curve.at, curve.median, color="black", linewidth=1.2)
    label_decades(axes)
    if curve.at.size:
        bottom, top = np.nanquantile(error[error > 0], (0.005, 0.9995)) if (error > 0).any() else (0.1, 1.0)
        axes.set_ylim(bottom, max(top, 1.1 * bottom))
    axes.set(xlabel=label, ylabel=error_label)
    return axes


@figure_style
def errors_against(
    samples: Mapping[str, tuple[Floats, Floats]],
    styles: Mapping[str, LineStyle],
    *,
    label: str,
    error_label: str,
    axes: Axes | None = None,
) -> Axes:
    """Draw the running median of the error of all models against a property of the samples.

    Parameters
    ----------
    samples : mapping of (ndarray, ndarray)
        By model: the property and the error of each sample, both of shape (n,).
    styles : mapping of LineStyle
        By model.
    label, error_label : str
        Names and units.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes()
    for name, (at, error) in samples.items():
        curve = running(at, error, bins=12)
        style = styles[name]
        axes.plot(curve.at, curve.median, color=style.colour, marker=style.marker, markersize=3.5, label=name)
    label_decades(axes)
    axes.set(xlabel=label, ylabel=error_label)
    name_lines(axes)
    return axes


@figure_style
def true_predicted(
    true: Floats,
    predicted: Floats,
    style: LineStyle,
    *,
    label: str,
    trivial: float | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw predictions against true values: a cloud of samples, and the median and 90 % of them along the true value.

    Parameters
    ----------
    true, predicted : ndarray, shape (n,)
        Values of one parameter; samples without a prediction are left out.
    style : LineStyle
        Of the model.
    label : str
        Name of the parameter.
    trivial : float, optional
        What the trivial predictor says.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes(3.5, 3.2)
    known = np.isfinite(predicted)
    true, predicted = true[known], predicted[known]
    values = np.unique(np.round(true, 9))
    few = values.size <= _MOST_VALUES
    pitch = float(np.min(np.diff(values))) if few and values.size > 1 else 0.0
    order = np.random.default_rng(0)
    shown = order.permutation(true.size)[:_POINTS_SHOWN]
    jitter = order.uniform(-0.35, 0.35, shown.size) * pitch  # grid values would hide behind each other
    axes.scatter(
        true[shown] + jitter, predicted[shown], s=3, color=style.colour, alpha=0.22, linewidth=0, rasterized=True
    )
    if few:
        parts = [predicted[np.abs(true - value) <= 1e-9] for value in values]
        curve = RunningQuantiles(values, *np.array([np.percentile(part, (5, 50, 95)) for part in parts]).T)
    else:
        curve = running(true, predicted, quantiles=(0.05, 0.5, 0.95))
    axes.errorbar(
        curve.at,
        curve.median,
        yerr=(curve.median - curve.low, curve.high - curve.median),
        fmt="o",
        color="black",
        markersize=2.5,
        elinewidth=0.8,
        label="median, 5 to 95 %",
    )
    ends = np.array([values[0] - pitch / 2, values[-1] + pitch / 2])
    axes.plot(ends, ends, color=GREY, linewidth=0.9, label="perfect")
    if trivial is not None:
        axes.axhline(trivial, color=GREY, linewidth=0.9, linestyle=DASHED, label="training mean")
    limits = (min(ends[0], float(np.percentile(predicted, 0.5))), max(ends[1], float(np.percentile(predicted, 99.5))))
    if ends[0] < ends[1]:
        axes.set(xlim=ends, ylim=limits)
    axes.set(xlabel=f"{label}, true", ylabel=f"{label}, predicted")
    axes.legend(loc="upper left", fontsize=7)
    return axes


@figure_style
def beyond_range(
    tested: Mapping[str, tuple[Floats, Floats]],
    trained: tuple[float, float],
    styles: Mapping[str, LineStyle],
    *,
    label: str,
    error_label: str,
    axes: Axes | None = None,
) -> Axes:
    """Draw the error of one network along an axis of the state space, inside and outside the range it has learned.

    Parameters
    ----------
    tested : mapping of (ndarray, ndarray)
        By the subset that it was tested on: true values on the axis and absolute errors, both of shape (n,).
    trained : (float, float)
        The range of the training samples, shaded.
    styles : mapping of LineStyle
        By subset.
    label, error_label : str
        Names and units.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes()
    axes.axvspan(*trained, color="#e2e2dc", linewidth=0, label="trained on")
    for name, (at, error) in tested.items():
        curve = running(at, error, bins=8)
        style = styles[name]
        axes.fill_between(curve.at, curve.low, curve.high, color=style.colour, alpha=0.18, linewidth=0)
        axes.plot(curve.at, curve.median, color=style.colour, marker=style.marker, markersize=3, label=name)
    label_decades(axes)
    axes.set(xlabel=label, ylabel=error_label)
    axes.legend(ncols=2, fontsize=7)
    return axes


def percentiles(error: ArrayLike, count: int = 501) -> tuple[Floats, Floats]:
    """Return percent of samples and the absolute error that so many of them do not exceed: the sorted curve of Fig. 9.

    Parameters
    ----------
    error : array_like, shape (n,)
        Signed or absolute errors; NaN entries are left out.
    count : int
        Points of the curve, evenly spaced in percent.

    Returns
    -------
    percent, value : ndarray, shape (count,)
    """
    absolute = np.abs(np.asarray(error, dtype=float))
    percent = np.linspace(0.0, 100.0, count)
    return percent, np.percentile(absolute[~np.isnan(absolute)], percent)
