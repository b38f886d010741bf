"""CpN from a heat flow or a heat capacity: the lines of the glass and of the liquid, found robustly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.cpn import CpnScan
from lehr.glass.scans.line_ranges import LOWEST_CPN, SIGNIFICANT, Range, find_ranges
from lehr.glass.scans.measured import MeasuredScan
from lehr.glass.scans.noise import white_noise_of
from lehr.glass.scans.step import DivideAt, Step, fictive_temperatures
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["Line", "NormalisedScan", "normalise"]

_HIGHEST_CPN = 100.0  # of a peak; more is a wrong step from glass to liquid
_SHORTEST_WIDTHS = 0.2  # length of a line that was found, in widths of the transition
_FAR_LENGTHS = 1.2  # distance of a line from the transition, in its lengths, that is worth a note
_DEPARTED_CPN = 0.05  # distance from 0 in the glass, and from 1 in the liquid, that is worth a note
_FEWEST_POINTS = 9  # of a line
_LOOK = (
    "Look at it (lehr read FILE --plot look.png), and give the ranges of the lines in degC: --glass LOW HIGH "
    "--liquid LOW HIGH."
)


@dataclass(frozen=True)
class Line:
    """A straight line and the range of temperature on which it was fitted.

    Attributes
    ----------
    low, high : float
        K.
    middle : float
        Its value at the middle of the range, in the unit of the signal.
    slope : float
        Unit of the signal per K.
    """

    low: float
    high: float
    middle: float
    slope: float

    def __call__(self, temperature: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the line at temperatures in K."""
        return self.middle + self.slope * (temperature - 0.5 * (self.low + self.high))


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

    @property
    def half_height(self) -> float:
        """Temperature in K at which CpN first reaches a half, between the lines."""
        inside = self.temperature >= self.glass.high
        temperature, cpn = self.temperature[inside], self.cpn[inside]
        smooth = np.convolve(cpn, np.ones(3) / 3, mode="same") if cpn.size > 3 else cpn
        return float(temperature[int(np.argmax(smooth >= 0.5))])


def normalise(
    scan: MeasuredScan,
    *,
    glass: Range | None = None,
    liquid: Range | None = None,
    endotherm: Literal["up", "down"] | None = None,
    divide_at: DivideAt = "fictive",
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
    divide_at : {"fictive", "temperature"}
        Where the step from glass to liquid is taken that Cp - glass is divided by; see `Step`.

    Raises
    ------
    LehrError
        If no step is found that stands out of the noise, a range holds too few points, or the step vanishes between
        a temperature and its fictive temperature.
    """
    if scan.kind == "cpn":
        return _as_it_is(scan)
    scale = float(np.ptp(np.quantile(scan.signal, [0.01, 0.99]))) or float(np.ptp(scan.signal))
    if not scale > 1e-12 * float(np.abs(scan.signal).max()):
        raise LehrError(f"{scan.source}: the signal is constant", "Check the column: --columns signal=...")
    offset = float(np.median(scan.signal))
    curve = (scan.signal - offset) / scale
    notes = list(scan.notes)
    if scan.kind == "cp":
        endotherm = endotherm or "up"
    noise = white_noise_of(curve)
    curve, spikes = _without_spikes(curve, noise)
    by_hand = glass is not None and liquid is not None
    if glass is None or liquid is None:
        glass, liquid = _found(scan, curve, glass, liquid, {"up": 1, "down": -1}.get(endotherm or ""))
    if not glass[1] <= liquid[0]:
        raise LehrError(
            f"{scan.source}: the range of the glass, {_celsius(*glass)}, must lie below that of the liquid, "
            f"{_celsius(*liquid)}",
            "Give both: --glass LOW HIGH --liquid LOW HIGH, in degC.",
        )
    lines = [_robust_line(scan, curve, ends, noise) for ends in (glass, liquid)]
    middle = np.array([0.5 * (glass[1] + liquid[0])])
    step = float((lines[1](middle) - lines[0](middle))[0])
    found: Literal["up", "down"] = "up" if step > 0 else "down"
    if endotherm and found != endotherm:
        raise LehrError(
            f"{scan.source}: with endothermic effects {endotherm} the step from glass to liquid has the wrong sign",
            "Check --endotherm, or give the ranges: --glass LOW HIGH --liquid LOW HIGH, in degC.",
        )
    _check_transition(scan, curve, lines[0], lines[1], np.inf if by_hand else noise / abs(step))
    if spikes:
        notes.append(f"points that stand out alone, left out of the lines: {spikes}")
    notes += _warnings(scan, curve, lines[0], lines[1], noise)
    shown = (scan.temperature >= glass[0]) & (scan.temperature <= liquid[1])
    temperature = scan.temperature[shown]
    excess = ((scan.signal[shown] - offset) / scale - lines[0](temperature)) / step
    relative = Step(float(middle[0]), (lines[1].slope - lines[0].slope) / step, divide_at)
    cpn, balance = _cpn(scan, temperature, excess, relative)
    below, above = (Line(line.low, line.high, offset + scale * line.middle, scale * line.slope) for line in lines)
    return NormalisedScan(temperature, cpn, scan, below, above, found, tuple(notes), step=relative, balance=balance)


def _cpn(
    scan: MeasuredScan, temperature: NDArray[np.float64], excess: NDArray[np.float64], step: Step
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return CpN from Cp - glass over the step at the reference of `step`, and Tf if the step is taken there."""
    if step.at == "temperature":
        return np.asarray(excess / step.relative(temperature)), None
    fictive = fictive_temperatures(temperature, excess, step)
    if not np.isfinite(fictive).all():
        last = temperature[np.flatnonzero(~np.isfinite(fictive))[-1]]
        raise LehrError(
            f"{scan.source}: the step from glass to liquid vanishes between {last - ZERO_CELSIUS:.1f} degC and its "
            "fictive temperature: the lines of glass and liquid meet",
            _LOOK,
        )
    return np.asarray(excess / step.relative(fictive)), fictive


def _found(
    scan: MeasuredScan, curve: NDArray[np.float64], glass: Range | None, liquid: Range | None, sign: int | None
) -> tuple[Range, Range]:
    """Return the ranges of both lines, where one or none is given."""
    ranges = find_ranges(scan.temperature, curve, glass=glass, liquid=liquid, sign=sign)
    if ranges is None:
        raise LehrError(
            f"{scan.source}: no glass transition was found: no step between two straight stretches stands out", _LOOK
        )
    width = ranges[1][0] - ranges[0][1]
    for name, given, (low, high) in (("glass", glass, ranges[0]), ("liquid", liquid, ranges[1])):
        if given is None and high - low < _SHORTEST_WIDTHS * width:
            raise LehrError(
                f"{scan.source}: too little of the {name} is in the scan: its line would rest on {_celsius(low, high)}"
                f", the transition goes over {_celsius(ranges[0][1], ranges[1][0])}",
                f"Measure over a wider range; if the line is there: --{name} LOW HIGH, in degC.",
            )
    return ranges


def _as_it_is(scan: MeasuredScan) -> NormalisedScan:
    """Return a scan that is CpN already; say if it does not go from 0 to 1."""
    t, notes = scan.temperature, list(scan.notes)
    few = max(3, t.size // 50)
    for end, expected in ((slice(None, few), 0.0), (slice(-few, None), 1.0)):
        value = float(np.median(scan.signal[end]))
        if abs(value - expected) > _DEPARTED_CPN:
            notes.append(f"CpN is {value:.3g} instead of {expected:g} at {t[end][0] - ZERO_CELSIUS:.1f} degC")
    zero, one = Line(t[0], t[0], 0.0, 0.0), Line(t[-1], t[-1], 1.0, 0.0)
    return NormalisedScan(t, scan.signal, scan, zero, one, "up", tuple(notes), drawn=False)


def _celsius(low: float, high: float) -> str:
    return f"{low - ZERO_CELSIUS:.1f} to {high - ZERO_CELSIUS:.1f} degC"


def _without_spikes(curve: NDArray[np.float64], noise: float) -> tuple[NDArray[np.float64], int]:
    """Replace points that stand out of a level stretch alone by the mean of their neighbours; return their number."""
    around = np.stack([curve[:-4], curve[1:-3], curve[3:-1], curve[4:]])
    level = 0.5 * (around[1] + around[2])
    away = np.abs(curve[2:-2] - level)
    alone = np.flatnonzero((away > 10 * noise) & (away > 3 * np.ptp(around, axis=0)))
    mended = curve.copy()
    mended[alone + 2] = level[alone]
    return mended, alone.size


def _robust_line(scan: MeasuredScan, curve: NDArray[np.float64], ends: Range, noise: float) -> Line:
    """Fit a line on a range, with a loss that outliers do not pull far."""
    from scipy.optimize import least_squares

    inside = (scan.temperature >= ends[0]) & (scan.temperature <= ends[1])
    if inside.sum() < _FEWEST_POINTS:
        raise LehrError(
            f"{scan.source}: {inside.sum()} points in the range {_celsius(*ends)} are too few for a line",
            f"The scan goes over {_celsius(scan.temperature[0], scan.temperature[-1])}.",
        )
    x = scan.temperature[inside] - 0.5 * (ends[0] + ends[1])
    y = curve[inside]
    slope = float((x - x.mean()) @ y / ((x - x.mean()) @ (x - x.mean())))
    start = (float(y.mean()) - slope * float(x.mean()), slope)
    fit = least_squares(
        lambda p: p[0] + p[1] * x - y, start, jac=lambda _: np.column_stack([np.ones_like(x), x]), loss="soft_l1",
        f_scale=max(2 * noise, 1e-9), x_scale=(1.0, 1.0 / (ends[1] - ends[0])),
    )  # fmt: skip
    return Line(*ends, float(fit.x[0]), float(fit.x[1]))


def _check_transition(scan: MeasuredScan, curve: NDArray[np.float64], glass: Line, liquid: Line, noise: float) -> None:
    """Refuse two lines that meet, or between which the curve does what no glass does; `noise` is in CpN."""
    t = scan.temperature[(scan.temperature >= glass.low) & (scan.temperature <= liquid.high)]
    distance = liquid(t) - glass(t)
    if not (distance * distance[0] > 0).all():
        raise LehrError(f"{scan.source}: the lines on {_celsius(glass.low, glass.high)} and "
                        f"{_celsius(liquid.low, liquid.high)} meet within the scan", _LOOK)  # fmt: skip
    inside = (scan.temperature > glass.high) & (scan.temperature < liquid.low)
    t = scan.temperature[inside]
    cpn = (curve[inside] - glass(t)) / (liquid(t) - glass(t))
    if cpn.size and not (LOWEST_CPN - SIGNIFICANT * noise <= cpn.min() and cpn.max() <= _HIGHEST_CPN):
        raise LehrError(
            f"{scan.source}: between the lines on {_celsius(glass.low, glass.high)} and "
            f"{_celsius(liquid.low, liquid.high)} CpN would go from {cpn.min():.3g} to {cpn.max():.3g}: no glass does",
            _LOOK,
        )


def _warnings(scan: MeasuredScan, curve: NDArray[np.float64], glass: Line, liquid: Line, noise: float) -> list[str]:
    """Say what a reader should know of the lines."""
    notes = []
    middle = np.array([0.5 * (glass.high + liquid.low)])
    step = float((liquid(middle) - glass(middle))[0])
    for name, line in (("glass", glass), ("liquid", liquid)):
        length = line.high - line.low
        away = abs(0.5 * (line.low + line.high) - middle[0])
        if away > _FAR_LENGTHS * length:
            notes.append(
                f"the line of the {name} rests on {length:.3g} K, {away:.3g} K from the middle of the transition: "
                "CpN depends on it"
            )
    beyond = scan.temperature > liquid.high
    if beyond.sum() >= _FEWEST_POINTS:
        t = scan.temperature[beyond]
        off = (curve[beyond] - liquid(t)) / step
        at = int(np.argmax(np.abs(off) > _DEPARTED_CPN + 5 * noise / abs(step)))
        if abs(off[at]) > _DEPARTED_CPN:
            effect = "exothermic (crystallisation?)" if off[at] < 0 else "endothermic (melting, or a curved line?)"
            notes.append(f"left out above {liquid.high - ZERO_CELSIUS:.1f} degC: the curve departs there, {effect}")
    return notes
