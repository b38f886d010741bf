"""Which scan would tell most: candidate programs ranked by the Fisher information they add."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.glass.fit.uncertainty.information import Bound, Information, fisher_information
from lehr.glass.tnm import ZERO_CELSIUS, Cycle, Hold, Ramp, ThermalProgram, TNMParameters, efold_width

__all__ = ["Proposal", "propose"]

_COOLING_RATES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # K/min, that are proposed
_ANNEALING_HOURS = (1.0, 10.0, 100.0)
_ANNEALING_WIDTHS = (0.5, 1.0, 2.0, 3.0)  # annealing temperatures below Tg, in widths R Tg^2/dh of the transition
_BELOW_WIDTHS, _ABOVE_WIDTHS = 40.0, 20.0  # ends of a scan from Tg: the widest transitions, at beta = 0.2, fit in
_SCAN_POINTS = 1500


@dataclass(frozen=True)
class Proposal:
    """A scan that could be measured.

    Attributes
    ----------
    name : str
        What to do.
    hours : float
        What it takes, without going back to where it starts.
    cycle : Cycle
        The same for the engine.
    bound : Bound
        What would then be known at best, from all scans.
    score : float
        The smaller the better.
    """

    name: str
    hours: float
    cycle: Cycle
    bound: Bound
    score: float


def propose(
    glass: TNMParameters, program: ThermalProgram, noise: float = 0.01, *, quantity: str = "all"
) -> tuple[Bound, list[Proposal]]:
    """Rank scans after another cooling rate or an annealing.

    Parameters
    ----------
    glass : TNMParameters
        What is known of the glass.
    program : ThermalProgram
        What has been measured.
    noise : float
        Standard deviation of each CpN.
    quantity : str
        One of the fields of `Bound`, or "all": the volume of the error ellipsoid (D-optimal).

    Returns
    -------
    Bound
        What is known at best now.
    list of Proposal
        The best first.
    """
    unit = efold_width(glass.glass_transition, glass.delta_h)
    low = max(glass.glass_transition - _BELOW_WIDTHS * unit, 0.2 * glass.glass_transition)
    grid = np.linspace(low, glass.glass_transition + _ABOVE_WIDTHS * unit, _SCAN_POINTS)

    def of(some: ThermalProgram) -> Information:
        return fisher_information(glass, some, grid, noise)

    now, found = of(program), []
    for name, cycle in _candidates(glass, unit, program.heating_rates[-1]):
        both = now + of(ThermalProgram((cycle,)))
        score = both.log_volume if quantity == "all" else getattr(both.bound, quantity)
        found.append(Proposal(name, _hours(cycle, grid), cycle, both.bound, score))
    return now.bound, sorted(found, key=lambda proposal: proposal.score)


def _candidates(glass: TNMParameters, unit: float, heating_rate: float) -> Iterator[tuple[str, Cycle]]:
    up = Ramp("highest", heating_rate)
    for rate in _COOLING_RATES:
        yield f"cool at {rate:g} K/min", Cycle((Ramp("lowest", rate), up))
    for hours in _ANNEALING_HOURS:
        for below in _ANNEALING_WIDTHS:
            kelvin = glass.glass_transition - below * unit
            segments = (Ramp(kelvin, 10.0), Hold(3600.0 * hours), Ramp("lowest", 10.0), up)
            celsius = f"{kelvin:.1f} K ({kelvin - ZERO_CELSIUS:.1f} degC)"
            yield f"anneal {hours:g} h at {celsius}, cooled at 10 K/min", Cycle(segments)


def _hours(cycle: Cycle, grid: NDArray[np.float64]) -> float:
    ends = {"lowest": float(grid[0]), "highest": float(grid[-1])}
    at, seconds = ends["highest"], 0.0
    for segment in cycle.segments:
        if isinstance(segment, Hold):
            seconds += segment.seconds
        elif isinstance(segment, Ramp):
            to = ends[segment.to] if isinstance(segment.to, str) else segment.to
            seconds, at = seconds + 60.0 * abs(to - at) / segment.rate, to
    return seconds / 3600.0
