"""CpN from a heat flow or a heat capacity: the lines of the glass and of the liquid, found robustly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.characteristics import Characteristics, characteristics_of
from lehr.glass.scans.cpn import CpnScan
from lehr.glass.scans.line_checks import (
    DEPARTED_CPN,
    LOOK,
    celsius,
    check_fictive,
    check_transition,
    step_at,
    warnings_of,
)
from lehr.glass.scans.line_ranges import Range, find_ranges
from lehr.glass.scans.lines import FEWEST_POINTS, Line, Stretch, robust_line, without_spikes
from lehr.glass.scans.measured import MeasuredScan
from lehr.glass.scans.noise import smooth_noise_of, white_noise_of
from lehr.glass.scans.step import DivideAt, Step, fictive_temperatures
from lehr.glass.scans.transient import end_of_transient
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["Line", "NormalisedScan", "normalise"]

_SHORTEST_WIDTHS = 0.2  # length of a line that was found, in widths of the transition
_LEFT_OF_NOISE = 0.3  # of the squares of noise on a line, at least, by a cubic; next to nothing of a bend
_LEAST_STEP = 0.25  # at the end of the line of the liquid, over that in the middle of the transition
_SHORTEST_KELVIN = 2.0  # of a line, also where it was given by hand


_SECONDS_PER_MINUTE = 60.0
# of a heat flow over the heating rate
_HEAT_CAPACITIES = {"W/g": "J/g/K", "mW/mg": "J/g/K", "mW/g": "mJ/g/K", "W": "J/K", "mW": "mJ/K", "uW": "uJ/K"}


@dataclass(frozen=True, eq=False)
class NormalisedScan(CpnScan):
    """A scan with CpN, from the lower end of the line of the glass to the upper end of that of the liquid.

    Attributes
    ----------
    temperature, cpn : ndarray, shape (points,)
        K, and (Cp - glass)(T)/(liquid - glass) at Tf or at T, as `step` says.
    step : Step
        From glass to liquid, by the two lines.
    measured : MeasuredScan
        As measured.
    glass, liquid : Line
        In the unit of the signal; 0 and 1 for a scan that is CpN already.
    endotherm : {"up", "down"}
        Direction of endothermic effects in the signal.
    notes : tuple of str
        What a reader should know; those of the scan come first.
    drawn : bool
        CpN comes from lines that were drawn here: they have errors.
    """

    measured: MeasuredScan
    glass: Line
    liquid: Line
    endotherm: Literal["up", "down"]
    notes: tuple[str, ...]
    drawn: bool = True

    @cached_property
    def characteristics(self) -> Characteristics:
        """Tf', onset, midpoint, inflection, step and peak, as standards define them."""
        if not self.drawn or self.measured.kind == "cpn":
            return characteristics_of(self, (self.glass.high, self.liquid.low))
        factor, unit = _heat_capacity(self.measured)
        distance = factor * np.abs(self.liquid(self.temperature) - self.glass(self.temperature))
        return characteristics_of(self, (self.glass.high, self.liquid.low), distance, unit)

    def with_notes(self, *notes: str) -> NormalisedScan:
        """Return the same scan with more to be known of it."""
        return replace(self, notes=(*self.notes, *notes))


def _heat_capacity(scan: MeasuredScan) -> tuple[float, str]:
    """Return what makes a heat capacity of the signal, and its unit; the signal itself where that is not known."""
    if scan.kind == "heat_flow" and scan.heating_rate and scan.unit in _HEAT_CAPACITIES:
        return _SECONDS_PER_MINUTE / scan.heating_rate, _HEAT_CAPACITIES[scan.unit]
    return 1.0, scan.unit


def normalise(
    scan: MeasuredScan,
    *,
    glass: Range | None = None,
    liquid: Range | None = None,
    endotherm: Literal["up", "down"] | None = None,
    divide_at: DivideAt | None = None,
) -> NormalisedScan:
    """Find the lines of the glass and of the liquid, and scale the scan between them.

    The lines are fitted with a robust loss where the curve is straight on both sides of the transition
    (`lehr.glass.scans.line_ranges`), so that neither the transient at the start of a scan nor a crystallisation above
    the transition enters. The sign of the step between them is the direction of endothermic effects, for a liquid has
    the larger heat capacity.

    Parameters
    ----------
    scan : MeasuredScan
        As read.
    glass, liquid : tuple of float, optional
        Ranges in K to fit the lines on, instead of those found.
    endotherm : {"up", "down"}, optional
        Direction of endothermic effects, if it is known.
    divide_at : {"fictive", "temperature"}, optional
        Where the step from glass to liquid is taken that Cp - glass is divided by; see `Step`. Default: fictive, or
        what a file of CpN says.

    Raises
    ------
    LehrError
        If no step is found that stands out of the noise, a range holds too few points, or the step vanishes between
        a temperature and its fictive temperature.
    """
    if scan.kind == "cpn":
        return _as_it_is(scan, divide_at)
    divide_at = divide_at or "fictive"
    scale = float(np.ptp(np.quantile(scan.signal, [0.01, 0.99]))) or float(np.ptp(scan.signal))
    if not scale > 1e-12 * float(np.abs(scan.signal).max()):
        raise LehrError(f"{scan.source}: the signal is constant", "Check the column: --columns signal=...")
    offset = float(np.median(scan.signal))
    curve = (scan.signal - offset) / scale
    notes = list(scan.notes)
    if scan.kind == "cp":
        endotherm = endotherm or "up"
    noise = white_noise_of(curve)
    curve, spikes = without_spikes(curve, noise)
    given, by_hand = glass is not None, glass is not None and liquid is not None
    if glass is None or liquid is None:
        glass, liquid = _found(scan, curve, glass, liquid, {"up": 1, "down": -1}.get(endotherm or ""))
    if not glass[1] <= liquid[0]:
        raise LehrError(
            f"{scan.source}: the range of the glass, {celsius(*glass)}, must lie below that of the liquid, "
            f"{celsius(*liquid)}",
            "Give both: --glass LOW HIGH --liquid LOW HIGH, in degC.",
        )
    below, above = (_line(scan, curve, *each, noise) for each in (("glass", glass), ("liquid", liquid)))
    middle = 0.5 * (glass[1] + liquid[0])
    step = step_at(below, above, middle)
    if step == 0.0:
        raise LehrError(f"{scan.source}: no step between the lines of the glass and of the liquid", LOOK)
    found: Literal["up", "down"] = "up" if step > 0 else "down"
    if endotherm and found != endotherm:
        raise LehrError(
            f"{scan.source}: with endothermic effects {endotherm} the step from glass to liquid has the wrong sign",
            "Check --endotherm, or give the ranges: --glass LOW HIGH --liquid LOW HIGH, in degC.",
        )
    settled = _start_of_line(scan, curve, below, above, noise)
    if settled:
        within = ", within the range of the glass that was given" if given else ""
        notes.append(f"left out below {settled - ZERO_CELSIUS:.1f} degC: the signal settles after the start{within}")
        below = _line(scan, curve, "glass", (settled, glass[1]), noise)
    last = _end_of_line(below, above, middle)
    if last:
        notes.append(f"left out above {last - ZERO_CELSIUS:.1f} degC: the lines of glass and liquid meet beyond")
        above = _line(scan, curve, "liquid", (liquid[0], last), noise)
    step = step_at(below, above, middle)
    check_transition(scan, curve, below, above, divide_at, np.inf if by_hand else noise / abs(step))
    if spikes:
        notes.append(f"points that stand out alone, left out of the lines: {spikes}")
    below, above = _with_curvature(scan, curve, below, above, step)
    notes += warnings_of(scan, curve, below, above, noise)
    shown = (scan.temperature >= below.low) & (scan.temperature <= above.high)
    temperature = scan.temperature[shown]
    relative = Step(middle, (above.slope - below.slope) / step, divide_at)
    mended, excess = ((signal[shown] - below(temperature)) / step for signal in (curve, (scan.signal - offset) / scale))
    fictive, cpn = _cpn(scan, temperature, mended, excess, relative)
    notes += check_fictive(scan, float(fictive[0]), below, above, by_hand=by_hand)
    below, above = (
        replace(line, middle=offset + scale * line.middle, slope=scale * line.slope) for line in (below, above)
    )
    return NormalisedScan(temperature, cpn, scan, below, above, found, tuple(notes), step=relative, balance=fictive)


def _start_of_line(
    scan: MeasuredScan, curve: NDArray[np.float64], glass: Line, liquid: Line, noise: float
) -> float | None:
    """Return where the signal has settled after the start, in K, if it does so within the line of the glass."""
    step = step_at(glass, liquid, 0.5 * (glass.high + liquid.low))
    inside = (scan.temperature >= glass.low) & (scan.temperature <= glass.high)
    beside = _stretch(scan, curve, liquid, step)
    return end_of_transient(scan.temperature[inside], curve[inside] / step, noise / abs(step), beside)


def _end_of_line(glass: Line, liquid: Line, middle: float) -> float | None:
    """Return where the line of the liquid must end, in K, because it meets that of the glass beyond."""
    fall = (glass.slope - liquid.slope) / step_at(glass, liquid, middle)
    if fall <= 0.0:
        return None
    last = middle + (1.0 - _LEAST_STEP) / fall
    return last if liquid.low + _SHORTEST_KELVIN < last < liquid.high else None


def _with_curvature(
    scan: MeasuredScan, curve: NDArray[np.float64], glass: Line, liquid: Line, step: float
) -> tuple[Line, Line]:
    """Return the lines with their curvatures in steps; each says something of the noise on the other."""
    own, other = (_stretch(scan, curve, line, step) for line in (glass, liquid))
    return glass.curved(*own.curvature(other)), liquid.curved(*other.curvature(own))


def _cpn(
    scan: MeasuredScan,
    temperature: NDArray[np.float64],
    mended: NDArray[np.float64],
    excess: NDArray[np.float64],
    step: Step,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Tf and CpN from Cp - glass over the step at the reference of `step`, without spikes and with them."""
    fictive = fictive_temperatures(temperature, mended, step)
    if step.at == "temperature":
        return fictive, np.asarray(excess / step.relative(temperature))
    if not np.isfinite(fictive).all():
        last = temperature[np.flatnonzero(~np.isfinite(fictive))[-1]]
        raise LehrError(
            f"{scan.source}: the step from glass to liquid vanishes between {last - ZERO_CELSIUS:.1f} degC and its "
            "fictive temperature: the lines of glass and liquid meet",
            LOOK,
        )
    return fictive, np.asarray(excess / step.relative(fictive))


def _found(
    scan: MeasuredScan, curve: NDArray[np.float64], glass: Range | None, liquid: Range | None, sign: int | None
) -> tuple[Range, Range]:
    """Return the ranges of both lines, where one or none is given, on which smooth noise of the instrument may lie."""
    errors = []
    smooth = smooth_noise_of(scan.temperature, curve)
    for smooth_noise in (smooth, 0.0) if smooth else (0.0,):
        ranges = find_ranges(scan.temperature, curve, glass=glass, liquid=liquid, sign=sign, smooth_noise=smooth_noise)
        error = _why_not(scan, ranges, glass, liquid)
        found = [ends for ends, given in zip(ranges or (), (glass, liquid), strict=False) if given is None]
        if ranges and error is None and (smooth_noise == 0.0 or _are_noisy(scan, curve, found)):
            return ranges
        if error:
            errors.append(error)
    raise errors[0]


def _are_noisy(scan: MeasuredScan, curve: NDArray[np.float64], ranges: Sequence[Range]) -> bool:
    """Tell whether noise lies on lines, rather than a bend: a cubic does not take most of it away."""
    for low, high in ranges:
        inside = (scan.temperature >= low) & (scan.temperature <= high)
        line, cubic = (Stretch(scan.temperature[inside], curve[inside]).rest(degree) for degree in (1, 3))
        if cubic < _LEFT_OF_NOISE * line:
            return False
    return True


def _why_not(
    scan: MeasuredScan, ranges: tuple[Range, Range] | None, glass: Range | None, liquid: Range | None
) -> LehrError | None:
    """Return what is wrong with ranges that were found; `glass` and `liquid` were given."""
    if ranges is None:
        return LehrError(
            f"{scan.source}: no glass transition was found: no step between two straight stretches stands out", LOOK
        )
    width = ranges[1][0] - ranges[0][1]
    if width < 0.0:
        return LehrError(
            f"{scan.source}: no line of the {'liquid above' if glass else 'glass below'} the range that was given, "
            f"{celsius(*(glass or ranges[1]))}",
            "Give both: --glass LOW HIGH --liquid LOW HIGH, in degC.",
        )
    for name, given, (low, high) in (("glass", glass, ranges[0]), ("liquid", liquid, ranges[1])):
        if given is None and high - low < _SHORTEST_WIDTHS * width:
            return LehrError(
                f"{scan.source}: too little of the {name} is in the scan: its line would rest on {celsius(low, high)}"
                f", the transition goes over {celsius(ranges[0][1], ranges[1][0])}",
                f"Measure over a wider range; if the line is there: --{name} LOW HIGH, in degC.",
            )
    return None


def _as_it_is(scan: MeasuredScan, divide_at: DivideAt | None) -> NormalisedScan:
    """Return a scan that is CpN already; say if it does not go from 0 to 1."""
    t, notes = scan.temperature, list(scan.notes)
    if scan.lines:
        if divide_at and divide_at != scan.lines.step.at:
            raise LehrError(
                f"{scan.source}: its CpN was written with --divide-at {scan.lines.step.at}",
                f"Leave --divide-at {divide_at} out, or write the file again with it from the measurement.",
            )
        zero, one = Line(*scan.lines.glass, 0.0, 0.0), Line(*scan.lines.liquid, 1.0, 0.0)
        return NormalisedScan(
            t, scan.signal, scan, zero, one, "up", scan.notes, drawn=scan.lines.drawn, step=scan.lines.step
        )
    few = max(3, t.size // 50)
    for end, expected in ((slice(None, few), 0.0), (slice(-few, None), 1.0)):
        value = float(np.median(scan.signal[end]))
        if abs(value - expected) > DEPARTED_CPN:
            notes.append(f"CpN is {value:.3g} instead of {expected:g} at {t[end][0] - ZERO_CELSIUS:.1f} degC")
    zero, one = Line(t[0], t[0], 0.0, 0.0), Line(t[-1], t[-1], 1.0, 0.0)
    return NormalisedScan(t, scan.signal, scan, zero, one, "up", tuple(notes), drawn=False)


def _line(scan: MeasuredScan, curve: NDArray[np.float64], name: str, ends: Range, noise: float) -> Line:
    """Fit a line on a range, or refuse the range."""
    inside = (scan.temperature >= ends[0]) & (scan.temperature <= ends[1])
    goes_over = f"The scan goes over {celsius(scan.temperature[0], scan.temperature[-1])}."
    if inside.sum() < FEWEST_POINTS:
        raise LehrError(
            f"{scan.source}: {inside.sum()} points in the range {celsius(*ends)} are too few for a line", goes_over
        )
    t = scan.temperature[inside]
    if t[-1] - t[0] < _SHORTEST_KELVIN:
        raise LehrError(
            f"{scan.source}: the line of the {name} would rest on {t[-1] - t[0]:.2g} K, {celsius(*ends)}: less than "
            f"{_SHORTEST_KELVIN:g} K say nothing of its slope",
            f"Give a longer range: --{name} LOW HIGH, in degC. {goes_over}",
        )
    return robust_line(t, curve[inside], ends, noise)


def _stretch(scan: MeasuredScan, curve: NDArray[np.float64], line: Line, step: float) -> Stretch:
    """Return the stretch of a line, in steps from glass to liquid."""
    inside = (scan.temperature >= line.low) & (scan.temperature <= line.high)
    return Stretch(scan.temperature[inside], curve[inside] / step)
