"""What two lines of glass and liquid must do, and what a reader should know of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.line_ranges import LOWEST_CPN, SIGNIFICANT
from lehr.glass.scans.lines import FEWEST_POINTS, Line
from lehr.glass.scans.measured import MeasuredScan
from lehr.glass.scans.step import DivideAt
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["DEPARTED_CPN", "LOOK", "celsius", "check_fictive", "check_transition", "step_at", "warnings_of"]

DEPARTED_CPN = 0.05
"""Distance from 0 in the glass, and from 1 in the liquid, that is worth a note."""

LOOK = (
    "Look at it (lehr read FILE --plot look.png), and give the ranges of the lines in degC: --glass LOW HIGH "
    "--liquid LOW HIGH."
)
"""What to do where lines are wrong."""

_HIGHEST_CPN = 100.0  # of a peak; more is a wrong step from glass to liquid
_COLDEST_WIDTHS = 2.0  # below the line of the glass, in widths of the transition, of a fictive temperature
_FAR_LENGTHS = 1.2  # distance of a line from the transition, in its lengths, that is worth a note
_BEND_STEPS = 0.005  # distance of the ends of a curved line from its middle that is worth a note
_BEND_ERRORS = 4.0  # the same, in standard errors


def celsius(low: float, high: float) -> str:
    """Return a range in K as it is shown."""
    return f"{low - ZERO_CELSIUS:.1f} to {high - ZERO_CELSIUS:.1f} degC"


def step_at(glass: Line, liquid: Line, temperature: float) -> float:
    """Return the distance of the two lines at a temperature in K."""
    there = np.array([temperature])
    return float((liquid(there) - glass(there))[0])


def check_transition(
    scan: MeasuredScan, curve: NDArray[np.float64], glass: Line, liquid: Line, divide_at: DivideAt, noise: float
) -> None:
    """Refuse two lines that meet, or between which the curve does what no glass does; `noise` is in CpN."""
    lowest = glass.low if divide_at == "temperature" else glass.high  # no fictive temperature is that of the cold glass
    t = scan.temperature[(scan.temperature >= lowest) & (scan.temperature <= liquid.high)]
    distance = liquid(t) - glass(t)
    if not (distance * distance[0] > 0).all():
        raise LehrError(f"{scan.source}: the lines on {celsius(glass.low, glass.high)} and "
                        f"{celsius(liquid.low, liquid.high)} meet within the scan", LOOK)  # fmt: skip
    inside = (scan.temperature > glass.high) & (scan.temperature < liquid.low)
    t = scan.temperature[inside]
    cpn = (curve[inside] - glass(t)) / (liquid(t) - glass(t))
    if cpn.size and not (LOWEST_CPN - SIGNIFICANT * noise <= cpn.min() and cpn.max() <= _HIGHEST_CPN):
        raise LehrError(
            f"{scan.source}: between the lines on {celsius(glass.low, glass.high)} and "
            f"{celsius(liquid.low, liquid.high)} CpN would go from {cpn.min():.3g} to {cpn.max():.3g}: no glass does",
            LOOK,
        )


def check_fictive(scan: MeasuredScan, fictive: float, glass: Line, liquid: Line, *, by_hand: bool) -> list[str]:
    """Refuse lines whose areas give a fictive temperature that is none; say so where they were given by hand."""
    coldest = glass.high - _COLDEST_WIDTHS * (liquid.low - glass.high)
    if coldest <= fictive <= liquid.high or not np.isfinite(fictive):
        return []
    said = f"the areas between curve and lines would give Tf' = {fictive - ZERO_CELSIUS:.1f} degC"
    if not by_hand:
        raise LehrError(f"{scan.source}: {said}: no glass has that", LOOK)
    return [f"{said}: a line is wrong, or something other than the glass transition lies between them"]


def warnings_of(scan: MeasuredScan, curve: NDArray[np.float64], glass: Line, liquid: Line, noise: float) -> list[str]:
    """Say what a reader should know of the lines."""
    notes = []
    middle = 0.5 * (glass.high + liquid.low)
    step = step_at(glass, liquid, middle)
    for name, line in (("glass", glass), ("liquid", liquid)):
        length = line.high - line.low
        away = abs(0.5 * (line.low + line.high) - middle)
        if away > _FAR_LENGTHS * length:
            notes.append(
                f"the line of the {name} rests on {length:.3g} K, {away:.3g} K from the middle of the transition: "
                "CpN depends on it"
            )
        if abs(line.bend) > _BEND_STEPS and abs(line.curvature) > _BEND_ERRORS * line.curvature_error:
            notes.append(
                f"the line of the {name} is curved, or reaches into the transition: its ends lie {abs(line.bend):.2g} "
                f"of the step {'above' if line.bend > 0 else 'below'} its middle; CpN shifts by as much and more"
            )
    beyond = scan.temperature > liquid.high
    if beyond.sum() >= FEWEST_POINTS:
        t = scan.temperature[beyond]
        off = (curve[beyond] - liquid(t)) / step
        at = int(np.argmax(np.abs(off) > DEPARTED_CPN + 5 * noise / abs(step)))
        if abs(off[at]) > DEPARTED_CPN:
            effect = "exothermic (crystallisation?)" if off[at] < 0 else "endothermic (melting, or a curved line?)"
            notes.append(f"left out above {liquid.high - ZERO_CELSIUS:.1f} degC: the curve departs there, {effect}")
    return notes
