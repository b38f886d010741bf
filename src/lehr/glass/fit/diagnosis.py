"""What a reader of a fit has to be told: where the scans do not follow the model, and what they cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lehr.glass.fit.least_squares.starts import cooling_rates
from lehr.glass.fit.uncertainty.correlation import SIGNIFICANT_DEVIATIONS
from lehr.glass.fit.uncertainty.minimum import Minimum
from lehr.glass.fit.uncertainty.pattern import pattern_of
from lehr.glass.fit.uncertainty.reliance import USUAL_ERRORS, reliances
from lehr.glass.quantities import COOLING_RATE, DELTA_H, GLASS_TRANSITION, LN_A, QUANTITIES
from lehr.glass.scans import Scans
from lehr.glass.tnm import ZERO_CELSIUS, Hold, Jump, Ramp

__all__ = ["FitStatus", "Note", "diagnose"]

_MISFIT_CPN = 0.01  # residuals beyond noise, of a peak of 3 or less: more is another model, less a fault of the scans
_USUAL_PEAK_CPN = 3.0  # from which on residuals count by their share of the peak
_SPIKE_DEVIATIONS = 6.0  # of white noise, that a point alone is away
_NOISE_SCATTER = 1.7  # relative standard deviation of the noise of a scan, times the root of the number of its points
_ILL_DETERMINED = {"delta_h": 0.02, "x": 0.02, "beta": 0.02}  # standard errors, that of delta_h relative
_TIED_CORRELATION = 0.9  # of x and beta, from which on their best known combination is said
_RATE_ERROR = 0.4  # difference of ln q between the program and what Tf' says, from which on the rate looks wrong
_MOST_RATE_ERROR = 7.0  # a thousandfold, from which on no other rate explains a scan
_RISE_KELVIN = 0.5  # of Tf' with the time of ageing, that areas of scans do not err by
_RELIES = 1.0  # standard errors that a usual error of the program makes, from which on it is said
_KNOWN_TG_KELVIN = 1.0  # standard error of Tg, up to which it counts as determined
_UNSETTLED_CPN = 0.03  # distance from glass or liquid at an end of a scan that holds a part of the transition only
_FEWEST_ON_PEAK = 2  # points above half of its height
_ON_BOUND = 1e-3  # distance of a coordinate of the fit from the end of its range that counts as none


class FitStatus(Enum):
    """Outcome of a fit, from the best to the worst; the values are what it means."""

    DETERMINED = "the scans determine all four parameters"
    ONE_RATE = f"all scans were cooled alike: that their shape gives {DELTA_H.label} and x at all rests on the model"
    CORRELATED = "the residuals show a pattern; the standard errors are enlarged for that"
    AT_BOUND = "a parameter is at the end of its range"
    ILL_DETERMINED = "the scans do not determine all four parameters"
    PARTIAL = "the scans do not hold the whole transition"
    MISFIT = "the model does not follow the scans"
    NOT_CONVERGED = "the fit did not find a minimum"


_ORDER = {status: number for number, status in enumerate(FitStatus)}


@dataclass(frozen=True)
class Note:
    """One thing that a reader has to be told.

    Attributes
    ----------
    status : FitStatus
        Its kind.
    detail : str
        Which scan, which parameter, how much, and what may help.
    """

    status: FitStatus
    detail: str

    def __str__(self) -> str:
        return f"{self.status.value}: {self.detail}"


def diagnose(result: Minimum) -> tuple[Note, ...]:
    """Return what is to be said about a fit, the worst first."""
    found = [
        *_convergence(result),
        *_ends(result),
        *_pattern(result),
        *_ill_determined(result),
        *_coarse(result),
        *_bounds(result),
        *_rates(result),
        *_program(result),
    ]
    return tuple(sorted(found, key=lambda note: -_ORDER[note.status]))


def _convergence(result: Minimum) -> list[Note]:
    if result.converged:
        return []
    return [Note(FitStatus.NOT_CONVERGED, f"it stopped after {result.evaluations} simulations; give other starts")]


def _ends(result: Minimum) -> list[Note]:
    found = []
    # a baseline that has been fitted is not a part of a transition
    curves = list(zip(result.glass_alone, result.fitted_scans.scans, result.scans.scans, strict=True))
    for end, settled, verb in ((0, 0.0, "starts"), (-1, 1.0, "ends")):
        away = {
            number: float(cpn[end])
            for number, (cpn, part, whole) in enumerate(curves, 1)
            if part.temperature[end] == whole.temperature[end] and abs(cpn[end] - settled) > _UNSETTLED_CPN
        }
        if away:
            worst = max(away, key=lambda number: abs(away[number] - settled))
            which = f"scan{'s' * (len(away) > 1)} {', '.join(map(str, away))}"
            at = _celsius(curves[worst - 1][2].temperature[end])
            detail = f"{which}: scan {worst} {verb} at {at} where CpN of the fit is {away[worst]:.2f}, not {settled:g}"
            found.append(Note(FitStatus.PARTIAL, f"{detail}; measure a wider range"))
    return found


def _pattern(result: Minimum) -> list[Note]:
    model = result.objective.model
    white = model.white_noise
    alone = result.glass_alone
    found = pattern_of(result.residuals, alone, white, model.size - 4)
    chance = 1.0 + SIGNIFICANT_DEVIATIONS * _NOISE_SCATTER / np.sqrt(result.fitted.size)
    seen = result.correlation_time > 1.0 or result.noise > chance * white + model.tolerance
    if not seen and not found.systematic > model.tolerance:
        return []
    width = max(int(result.correlation_time), 3)
    number, place, size = _largest(result.residuals, width)
    at = _celsius(result.fitted_scans.scans[number].temperature[place])
    where = f"it misses most in scan {number + 1} at {at}, by {size:+.3f}"
    if found.systematic <= _MISFIT_CPN * max(1.0, float(max(cpn.max() for cpn in alone)) / _USUAL_PEAK_CPN):
        factor = f"by a factor of {np.sqrt(result.correlation_time):.2g}"
        spikes = sum(
            int((np.abs(scan) > _SPIKE_DEVIATIONS * max(white, model.tolerance)).sum()) for scan in result.residuals
        )
        if result.correlation_time == 1.0 and spikes:
            cause = f"{spikes} points stand out alone; with --robust they count for little"
        elif found.systematic:
            cause = "a baseline, a thermal lag or other rates may explain it"
        else:
            cause = "the residuals in glass and liquid are as large: noise of the instrument, not of the model"
        return [Note(FitStatus.CORRELATED, f"{factor}; {where}; {cause}")]
    hints = "; ".join(suspicious_rates(result.scans)) or (
        "check the order and the rates of the scans, the baselines, and whether something else happens, such as "
        "crystallisation or a second glass"
    )
    beside = "" if found.quiet is None else f", {found.quiet:.3f} where it is quietest"
    how_much = f"root mean square {found.there:.3f} in the {found.place}{beside}"
    return [Note(FitStatus.MISFIT, f"{where} ({how_much}); {hints}")]


def suspicious_rates(scans: Scans) -> list[str]:
    """Return what Tf' of the scans says about their cooling rates and ageing; nothing if it follows them."""
    return [*_suspicious_ageing(scans), *_suspicious_cooling(scans)]


def _suspicious_ageing(scans: Scans) -> list[str]:
    """Return which scans of a glass that was held at one temperature have a Tf' that rises with the time."""
    groups: dict[float, list[tuple[float, float, int]]] = {}
    for number, (cycle, limit) in enumerate(
        zip(scans.kelvin_program.cycles, scans.limiting_fictive_temperatures.tolist(), strict=True), 1
    ):
        for lead, hold in zip(cycle.segments, cycle.segments[1:], strict=False):
            if isinstance(hold, Hold) and isinstance(lead, Ramp | Jump) and isinstance(lead.to, float):
                groups.setdefault(round(lead.to, 1), []).append((hold.seconds, limit, number))
    found = []
    for kelvin, aged in groups.items():
        in_time = sorted(aged)
        for (seconds, limit, number), (longer, later, other) in pairwise(in_time):
            if longer > seconds and later > limit + _RISE_KELVIN:
                found.append(
                    f"Tf' of scan {other}, held for {longer:g} s at {_celsius(kelvin)}, is {later - limit:.1f} K above "
                    f"that of scan {number}, held for {seconds:g} s: it cannot rise, the scans may be in another order"
                )
    return found


def _suspicious_cooling(scans: Scans) -> list[str]:
    log_rates, limits = np.log(cooling_rates(scans.program)), scans.limiting_fictive_temperatures
    simple = np.flatnonzero(np.isfinite(log_rates))
    first, second = np.triu_indices(simple.size, 1)
    steps = log_rates[simple][second] - log_rates[simple][first]
    if simple.size < 3 or not (steps != 0).any():
        return []
    slopes = (limits[simple][second] - limits[simple][first])[steps != 0] / steps[steps != 0]
    slope = float(np.median(slopes))
    if not slope > 0:
        return ["Tf' does not rise with the cooling rate, as it must: the scans may be in another order"]
    middle = np.median(limits[simple] - slope * log_rates[simple])
    away = (limits[simple] - middle) / slope - log_rates[simple]
    return [
        f"scan {i + 1} looks as if it was cooled at {np.exp(log_rate + off):.2g} {COOLING_RATE.unit}, not "
        f"{np.exp(log_rate):.3g}"
        for i, log_rate, off in zip(simple.tolist(), log_rates[simple].tolist(), away.tolist(), strict=True)
        if _RATE_ERROR < abs(off) < _MOST_RATE_ERROR
    ]


def _largest(residuals: tuple[NDArray[np.float64], ...], width: int) -> tuple[int, int, float]:
    """Return scan, point and size of the largest residual after smoothing over `width` points."""
    smooth = [np.convolve(scan, np.ones(width) / width, "same") for scan in residuals]
    number = int(np.argmax([np.abs(scan).max() for scan in smooth]))
    place = int(np.abs(smooth[number]).argmax())
    return number, place, float(smooth[number][place])


def _ill_determined(result: Minimum) -> list[Note]:
    errors = dict(result.standard_errors)
    errors["delta_h"] /= result.parameters.delta_h
    found = []
    if errors["delta_h"] > _ILL_DETERMINED["delta_h"]:
        tg = result.names.index("glass_transition")
        known = " is determined" if errors["glass_transition"] < _KNOWN_TG_KELVIN else ", which is not known either"
        found.append(
            Note(
                FitStatus.ILL_DETERMINED,
                f"{DELTA_H.label} is known to {100 * errors['delta_h']:.2g} % only, and {LN_A.label} with it "
                f"(correlation {result.correlation[0, 1]:.5f}); {GLASS_TRANSITION.label} = {result.values[tg]:.2f} +- "
                f"{errors['glass_transition']:.2g} {GLASS_TRANSITION.unit}{known}; scans after other cooling "
                "rates would tell (lehr design)",
            )
        )
    loose = [name for name in ("x", "beta") if errors[name] > _ILL_DETERMINED[name]]
    if loose:
        tie, slope, spread = _combination(result)
        combination = (
            f"; correlation {tie:.3f}, x {slope:+.2f} beta is known to {spread:.2g}"
            if abs(tie) > _TIED_CORRELATION
            else ""
        )
        known = " and ".join(f"{name} to {errors[name]:.2g}" for name in loose)
        found.append(
            Note(
                FitStatus.ILL_DETERMINED,
                f"{known} only{combination}; slower cooling or annealing makes the peak that tells (lehr design)",
            )
        )
    return found


def _coarse(result: Minimum) -> list[Note]:
    """Say where a peak lies between two points of its scan: all that is told of it rests on one of them."""
    for number, cpn in enumerate(result.glass_alone, 1):
        if cpn.max() > _USUAL_PEAK_CPN and np.count_nonzero(cpn > 0.5 * cpn.max()) < _FEWEST_ON_PEAK:
            detail = f"yet the peak of scan {number}, {cpn.max():.2g} high, lies between two points: measure more"
            return [Note(FitStatus.DETERMINED, detail)]
    return []


def _combination(result: Minimum) -> tuple[float, float, float]:
    """Return the correlation of x and beta, and the slope and the standard error of what is known best of them."""
    block = result.covariance[2:4, 2:4]
    slope = -block[0, 1] / block[1, 1]
    square = max(float(block[0, 0] + slope * block[0, 1]), 0.0)  # rounding, where both are one
    return float(result.correlation[2, 3]), float(slope), square**0.5


def _bounds(result: Minimum) -> list[Note]:
    names = (DELTA_H.label, GLASS_TRANSITION.label, "x", "beta")
    lower, upper = (ends[:4] for ends in result.objective.bounds())
    distance = np.minimum(result.point[:4] - lower, upper - result.point[:4])
    on = [name for name, away in zip(names, distance, strict=True) if away < _ON_BOUND]
    if not on:
        return []
    values = ", ".join(f"{name} = {getattr(result.parameters, name):.3g}" for name in on if name in ("x", "beta"))
    return [Note(FitStatus.AT_BOUND, values or f"{' and '.join(on)} left the range of a glass")]


def _program(result: Minimum) -> list[Note]:
    """Say which statement of the program the result rests on most."""
    most = reliances(result)[:1]
    if not most or most[0].errors < _RELIES:
        return []
    kind = most[0].statement.kind
    wrong = f"{USUAL_ERRORS[kind]:g} K warmer" if kind == "hold_temperature" else f"{100 * USUAL_ERRORS[kind]:g} % more"
    label = next(quantity.label for quantity in QUANTITIES if quantity.name == most[0].quantity)
    option = {"rate": "--rate-error", "hold_temperature": "--hold-temperature-error", "hold_time": "--hold-time-error"}
    detail = (
        f"they rest most on {most[0].statement}: if it was {wrong} than said, {label} is {most[0].errors:.2g} standard "
        f"errors off ({option[kind]} says how well it is known)"
    )
    return [Note(FitStatus.DETERMINED, detail)]


def _rates(result: Minimum) -> list[Note]:
    if len(set(result.scans.program.cycles)) > 1 or result.objective.known_glass.recoveries:
        return []
    detail = "a wrong baseline or a lag goes into them unseen; scans after other cooling rates would tell (lehr design)"
    return [Note(FitStatus.ONE_RATE, detail)]


def _celsius(kelvin: float) -> str:
    return f"{kelvin:.1f} K ({kelvin - ZERO_CELSIUS:.1f} °C)"
