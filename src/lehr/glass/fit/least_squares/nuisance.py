"""What an instrument did to scans, and what may be wrong with what is known of them, fitted together with the glass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lehr.errors import LehrError
from lehr.glass.fit.least_squares.statements import Statement, statements
from lehr.glass.scans import NormalisedScan
from lehr.glass.tnm import ThermalProgram

__all__ = [
    "CURVATURE_KELVIN",
    "LINE_TERMS",
    "USUAL_CURVATURE",
    "USUAL_REPEATABILITY_KELVIN",
    "Nuisance",
    "Term",
    "likely_nuisance",
]

CURVATURE_KELVIN = 50.0
"""Distance from the reference temperature at which a curvature is what it says, in CpN."""

LINE_TERMS = {
    "none": (),
    "offset": ("baseline_offset",),
    "line": ("baseline_offset", "baseline_slope"),
    "lines": ("glass_offset", "glass_slope", "liquid_offset", "liquid_slope"),
}
"""Parameters of a baseline."""

USUAL_CURVATURE = 0.03
"""Of the baseline of an instrument, in CpN at a distance of 50 K, one standard deviation."""

USUAL_REPEATABILITY_KELVIN = 0.1
"""Of the temperatures of one scan against another, one standard deviation."""

_MEANINGS = {
    "curvature": ("curvature of the baseline", "CpN at 50 K"),
    "temperature_offset": ("calibration of the thermometer", "K"),
    "repeatability": ("thermometer from scan to scan", "K"),
    "rate_error": ("rates", "1"),
    "hold_temperature_error": ("temperatures of holds", "K"),
    "hold_time_error": ("times of holds", "1"),
}


@dataclass(frozen=True)
class Term:
    """One parameter beside those of the glass.

    Attributes
    ----------
    name : str
        What it is, with a number behind it if there are several of its kind.
    error : float or None
        Standard deviation about zero that is known beforehand; None: nothing is.
    scan : int or None
        The scan that it belongs to; None: all.
    statement : Statement or None
        What the program says and the parameter changes.
    """

    name: str
    error: float | None = None
    scan: int | None = None
    statement: Statement | None = None

    @property
    def kind(self) -> str:
        """The name without a number."""
        head, _, number = self.name.rpartition("_")
        return head if number.isdecimal() else self.name


@dataclass(frozen=True)
class Nuisance:
    """What an instrument does to a scan, and what may be wrong; what is switched on is fitted together with the glass.

    All uncertainties are one standard deviation, and 0 trusts. No fit goes beyond five of them.

    Attributes
    ----------
    baseline : str
        "none", "offset" (a constant added to CpN), "line" (a constant and a slope), or "lines": what CpN errs by if the
        lines of the glass and of the liquid were drawn wrongly, each with an offset and a slope.
    per_scan : bool
        Each scan has a baseline of its own.
    curvature : float
        Uncertainty of the straightness of the baseline of each scan: CpN at a distance of 50 K.
    thermal_lag : bool
        A first-order lag of the sensor, a time in s.
    temperature_offset : float
        Uncertainty of the calibration of the thermometer in K. A shift of all temperatures can hardly be told from
        another glass, so it has to be known from elsewhere how large it may be.
    repeatability : float
        Uncertainty of the temperatures of one scan against another in K; 0.1 is usual.
    rate_error : float
        Relative uncertainty of the rates before the recorded scan; equal rates are equally wrong.
    hold_temperature_error : float
        Uncertainty of the temperatures of holds in K, against those of the scans.
    hold_time_error : float
        Relative uncertainty of their times.
    """

    baseline: str = "none"
    per_scan: bool = True
    curvature: float = 0.0
    thermal_lag: bool = False
    temperature_offset: float = 0.0
    repeatability: float = 0.0
    rate_error: float = 0.0
    hold_temperature_error: float = 0.0
    hold_time_error: float = 0.0

    def __post_init__(self) -> None:
        if self.baseline not in LINE_TERMS:
            raise LehrError(f"baseline '{self.baseline}' is not offered", f"Take one of {', '.join(LINE_TERMS)}.")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _MEANINGS and not (np.isfinite(value) and value >= 0):
                what, unit = _MEANINGS[field.name]
                raise LehrError(
                    f"{field.name} = {value} is out of range",
                    f"It is one standard deviation ({what}, {unit}); 0 trusts it.",
                )

    def without_what_is_said(self) -> Nuisance:
        """Return the same with thermometers and programs trusted; its terms are the first of these."""
        return Nuisance(self.baseline, self.per_scan, self.curvature, self.thermal_lag)

    def terms(self, program: ThermalProgram) -> tuple[Term, ...]:
        """Return the additional parameters, those of the baseline first, scan by scan."""
        scans = range(len(program.cycles))
        lines = LINE_TERMS[self.baseline]
        found = [Term(f"{name}_{i + 1}", None, i) for i in scans for name in lines] if self.per_scan else []
        found += [] if self.per_scan else [Term(name) for name in lines]
        if self.curvature:
            found += [Term(f"curvature_{i + 1}", self.curvature, i) for i in scans]
        if self.thermal_lag:
            found.append(Term("thermal_lag"))
        if self.temperature_offset:
            found.append(Term("temperature_offset", self.temperature_offset))
        if self.repeatability:
            found += [Term(f"temperature_offset_{i + 1}", self.repeatability, i) for i in scans]
        errors = {
            "rate": self.rate_error,
            "hold_temperature": self.hold_temperature_error,
            "hold_time": self.hold_time_error,
        }
        for kind, error in errors.items():
            if error:
                said = [statement for statement in statements(program) if statement.kind == kind]
                found += [Term(f"{kind}_{i}", error, None, statement) for i, statement in enumerate(said, 1)]
        return tuple(found)


def likely_nuisance(scans: Any) -> Nuisance:
    """Return what is to be fitted with the glass by default: for measured curves, what every instrument does.

    These are errors of both lines of each scan, their curvature, and temperatures that differ by 0.1 K from scan to
    scan. A line that is 0.01 off shifts x by more than the standard errors that noise alone gives it; 0.1 K do so too.
    A lag is not among them: it moves all scans alike, as the calibration of the thermometer does, and a small one has
    hardly another effect, so that a fit of it would make Tg uncertain for nothing.
    """
    several = scans if isinstance(scans, Sequence) else ()
    drawn = any(isinstance(scan, NormalisedScan) and scan.drawn for scan in several)
    if not drawn:
        return Nuisance()
    return Nuisance("lines", curvature=USUAL_CURVATURE, repeatability=USUAL_REPEATABILITY_KELVIN)
