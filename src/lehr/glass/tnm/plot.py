"""Heating scans: of a sample, and of a sample beside its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from lehr.figures.style import figure_style, new_axes, new_panels, sequence_colours
from lehr.glass.quantities import CELSIUS, COOLING_RATE, CPN
from lehr.glass.tnm import ZERO_CELSIUS
from lehr.glass.tnm.transition import unsettled_points

__all__ = ["compared_scans", "scans", "shown_range"]

_SETTLED_CPN = 0.01  # CpN this close to 0 is drawn as glass, this close to 1 as liquid


def shown_range(temperature: NDArray[np.float64], cpn: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return the range that a figure shows: where a sample is neither glass nor liquid, with a margin of 12 %.

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
    first, last = unsettled_points(cpn, _SETTLED_CPN) or (0, temperature.size - 1)
    low, high = float(temperature[first]), float(temperature[last])
    margin = 0.12 * (high - low) + 3.0 * float(temperature[1] - temperature[0])
    return max(low - margin, float(temperature[0])), min(high + margin, float(temperature[-1]))


@figure_style
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
    axes = axes or new_axes()
    low, high = shown_range(temperature, cpn)
    shown = (temperature >= low) & (temperature <= high)
    celsius = temperature[shown] - ZERO_CELSIUS
    distinct = _distinct(cooling_rates)
    for name, scan, colour in zip(_names(cooling_rates), cpn, sequence_colours(len(cpn)), strict=True):
        axes.plot(celsius, scan[shown], color=colour, label=name, linewidth=1.2)
    axes.set(xlim=(celsius[0], celsius[-1]), xlabel=CELSIUS.axis_label, ylabel=CPN.axis_label, title=title)
    axes.legend(
        title=f"cooled at\n({COOLING_RATE.shown_unit})" if distinct else "cycle",
        title_fontsize=7,
        loc="upper left",
        fontsize=7,
        labelspacing=0.25,
    )
    return axes


def _distinct(cooling_rates: Sequence[float]) -> bool:
    return bool(np.isfinite(cooling_rates).all()) and len(set(cooling_rates)) == len(cooling_rates)


def _names(cooling_rates: Sequence[float]) -> list[str]:
    if _distinct(cooling_rates):
        return [f"{rate:g}" for rate in cooling_rates]
    return [str(i + 1) for i in range(len(cooling_rates))]


@figure_style
def compared_scans(
    temperature: NDArray[np.float64],
    true: NDArray[np.floating[Any]],
    simulated: NDArray[np.floating[Any]],
    *,
    title: str = "",
) -> Axes:
    """Draw the heating scans of a sample, those simulated from its prediction, and below them the difference.

    Parameters
    ----------
    temperature : ndarray, shape (points,)
        K.
    true, simulated : ndarray, shape (cycles, points)
        Normalised heat capacity; the cycles have the colours of `scans`.
    title : str, optional
        Title.

    Returns
    -------
    Axes
        Those of the scans.
    """
    upper, lower = new_panels(2, 1, 3.5, 3.3, height_ratios=(3, 1), sharex=True)
    ends = np.array([shown_range(temperature, true), shown_range(temperature, simulated)])
    shown = (temperature >= ends[:, 0].min()) & (temperature <= ends[:, 1].max())
    celsius = temperature[shown] - ZERO_CELSIUS
    for one, other, colour in zip(true, simulated, sequence_colours(len(true)), strict=True):
        upper.plot(celsius, one[shown], color=colour, linewidth=1.6, alpha=0.85)
        upper.plot(celsius, other[shown], color="black", linewidth=0.7, linestyle=(0, (3, 1.5)))
        lower.plot(celsius, other[shown] - one[shown], color=colour, linewidth=0.9)
    upper.plot([], [], color=sequence_colours(3)[1], linewidth=1.6, label="true")
    upper.plot([], [], color="black", linewidth=0.7, linestyle=(0, (3, 1.5)), label="from the prediction")
    upper.set(xlim=(celsius[0], celsius[-1]), ylabel=CPN.axis_label)
    upper.set_title(title, fontsize=7)
    upper.legend(loc="upper left", fontsize=7)
    lower.set(xlabel=CELSIUS.axis_label, ylabel="difference")
    return upper
