"""The figures of the report. Each function takes data and returns the axes that it has drawn on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from lehr.evaluation import percentiles
from lehr.physics import ZERO_CELSIUS
from lehr.report.style import GREY, LineStyle, house_style, new_axes, sequence_colours

__all__ = [
    "ErrorCurves",
    "History",
    "scans",
    "sorted_errors",
    "training_curve",
    "transition",
    "true_predicted",
]

_SETTLED = 0.01  # CpN this close to 0 is glass, this close to 1 is liquid
_POINTS_SHOWN = 3000  # a cloud of more points only gets blacker


@dataclass(frozen=True, eq=False)
class History:
    """A quantity after each epoch; `best` is the epoch of the network that was kept."""

    epoch: NDArray[np.float64]
    value: NDArray[np.float64]
    best: int | None = None


@dataclass(frozen=True, eq=False)
class ErrorCurves:
    """Absolute errors of a network and of the trivial predictor on the same samples, each of shape (n,)."""

    network: NDArray[np.float64]
    trivial: NDArray[np.float64]


def transition(temperature: NDArray[np.float64], cpn: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return the temperatures between which a sample is neither glass nor liquid, with a margin of 12 %.

    Parameters
    ----------
    temperature : ndarray, shape (points,)
        Ascending.
    cpn : ndarray, shape (cycles, points)
        Heating scans.

    Returns
    -------
    low, high : float
        In the unit of `temperature`, inside its range.
    """
    glass = (np.abs(cpn) < _SETTLED).all(axis=0)
    liquid = (np.abs(cpn - 1.0) < _SETTLED).all(axis=0)
    first = int(np.argmin(glass))  # the first that is not glass
    last = liquid.size - 1 - int(np.argmin(liquid[::-1]))  # the last that is not liquid
    low, high = sorted((float(temperature[first]), float(temperature[last])))
    margin = 0.12 * (high - low) + 3.0 * float(temperature[1] - temperature[0])
    return max(low - margin, float(temperature[0])), min(high + margin, float(temperature[-1]))


@house_style
def scans(
    temperature: NDArray[np.float64],
    cpn: NDArray[np.floating[Any]],
    cooling_rates: Sequence[float],
    *,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw the heating scans of one sample, zoomed on the transition.

    Parameters
    ----------
    temperature : ndarray, shape (points,)
        K.
    cpn : ndarray, shape (cycles, points)
        Normalised heat capacity.
    cooling_rates : sequence of float
        K/min, for the legend; cycles that they do not tell apart are numbered.
    title : str, optional
        Title.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes(4.0, 3.0)
    low, high = transition(temperature, cpn)
    shown = (temperature >= low) & (temperature <= high)
    celsius = temperature[shown] - ZERO_CELSIUS
    told_apart = bool(np.isfinite(cooling_rates).all()) and len(set(cooling_rates)) == len(cooling_rates)
    names = [f"{rate:g}" for rate in cooling_rates] if told_apart else [str(i + 1) for i in range(len(cooling_rates))]
    for name, scan, colour in zip(names, cpn, sequence_colours(len(names)), strict=True):
        axes.plot(celsius, scan[shown], color=colour, label=name, linewidth=1.3)
    axes.set(xlim=(celsius[0], celsius[-1]), xlabel="temperature (°C)", ylabel="$C_p^N$", title=title)
    axes.legend(
        title="cooled at\n(K/min)" if told_apart else "cycle",
        title_fontsize=8,
        loc="upper left",
        fontsize=8,
        labelspacing=0.25,
    )
    return axes


@house_style
def training_curve(
    histories: Mapping[str, History], styles: Mapping[str, LineStyle], *, label: str, axes: Axes | None = None
) -> Axes:
    """Draw a quantity after each epoch for all models, on a logarithmic axis; a dot marks the epoch that was kept."""
    axes = axes or new_axes()
    for name, history in histories.items():
        style = styles[name]
        axes.plot(history.epoch, history.value, color=style.colour, label=name)
        if history.best is not None:
            at = history.epoch == history.best
            axes.plot(history.epoch[at], history.value[at], style.marker, color=style.colour, markersize=6)
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _label_decades(axes, (1.0, 2.0, 5.0))
    axes.legend()
    return axes


def _label_decades(axes: Axes, subs: tuple[float, ...]) -> None:
    """Make the y axis logarithmic, labelled with plain numbers at these multiples of the powers of ten."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


@house_style
def sorted_errors(
    curves: Mapping[str, ErrorCurves],
    styles: Mapping[str, LineStyle],
    *,
    label: str,
    thresholds: Sequence[tuple[float, str]] = (),
    axes: Axes | None = None,
) -> Axes:
    """Draw absolute errors in ascending order against percent of samples (Fig. 9 of the paper).

    Parameters
    ----------
    curves : mapping of ErrorCurves
        By model.
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
    for name, errors in curves.items():
        colour = styles[name].colour
        percent, network = percentiles(errors.network)
        axes.plot(percent, network, color=colour, label=name)
        axes.plot(percent, percentiles(errors.trivial)[1], color=colour, linestyle=(0, (4, 2)), linewidth=1.0)
        lowest.append(float(network[percent.size // 100]))
    axes.plot([], [], color=GREY, linestyle=(0, (4, 2)), linewidth=1.0, label="training mean")
    _label_decades(axes, (1.0,))
    for value, text in thresholds:
        axes.axhline(value, color=GREY, linewidth=0.8, linestyle=":")
        axes.annotate(
            text,
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=GREY,
        )
    # the smallest errors are accidents, and would take half of a logarithmic axis
    axes.set_ylim(bottom=min((value for value in lowest if value > 0), default=None))
    axes.set(xlim=(0, 100), xlabel="percent of test samples", ylabel=label)
    axes.legend(loc="lower right")
    return axes


@house_style
def true_predicted(
    true: NDArray[np.float64],
    predicted: NDArray[np.float64],
    style: LineStyle,
    *,
    label: str,
    trivial: float | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw predictions against true values: a cloud of samples, and for each true value the median and 90 % of them.

    Parameters
    ----------
    true, predicted : ndarray, shape (n,)
        Values of one parameter. The true ones lie on the grid of the state space.
    style : LineStyle
        Of the model.
    label : str
        Name of the parameter.
    trivial : float, optional
        What the trivial predictor says.
    axes : Axes, optional
        Where to draw; default: a new figure.
    """
    axes = axes or new_axes(4.2, 3.9)
    values, which = np.unique(np.round(true, 9), return_inverse=True)
    pitch = float(np.min(np.diff(values))) if values.size > 1 else 1.0
    order = np.random.default_rng(0)
    shown = order.permutation(true.size)[:_POINTS_SHOWN]
    jitter = order.uniform(-0.35, 0.35, shown.size) * pitch  # grid values would hide behind each other
    axes.scatter(
        true[shown] + jitter, predicted[shown], s=3, color=style.colour, alpha=0.22, linewidth=0, rasterized=True
    )
    low, middle, high = np.array([np.percentile(predicted[which == i], (5, 50, 95)) for i in range(values.size)]).T
    axes.errorbar(
        values,
        middle,
        yerr=(middle - low, high - middle),
        fmt="o",
        color="black",
        markersize=3,
        elinewidth=0.9,
        label="median, 5 to 95 %",
    )
    ends = np.array([values[0] - pitch / 2, values[-1] + pitch / 2])
    axes.plot(ends, ends, color=GREY, linewidth=0.9, label="perfect")
    if trivial is not None:
        axes.axhline(trivial, color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), label="training mean")
    limits = (min(ends[0], float(np.percentile(predicted, 0.5))), max(ends[1], float(np.percentile(predicted, 99.5))))
    axes.set(xlim=ends, ylim=limits, xlabel=f"{label}, true", ylabel=f"{label}, predicted")
    axes.legend(loc="upper left", fontsize=8)
    return axes
