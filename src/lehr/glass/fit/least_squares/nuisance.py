"""What an instrument did to scans, fitted together with the glass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lehr.errors import LehrError
from lehr.glass.scans import NormalisedScan

__all__ = ["Nuisance", "likely_nuisance"]

_TERMS = {
    "none": (),
    "offset": ("baseline_offset",),
    "line": ("baseline_offset", "baseline_slope"),
    "lines": ("glass_offset", "glass_slope", "liquid_offset", "liquid_slope"),
}
"""Parameters of a baseline."""


@dataclass(frozen=True)
class Nuisance:
    """What an instrument does to a scan; what is switched on is fitted together with the glass.

    Attributes
    ----------
    baseline : str
        "none", "offset" (a constant added to CpN), "line" (a constant and a slope), or "lines": what CpN errs by if the
        lines of the glass and of the liquid were drawn wrongly, a(T) (1 - CpN) + b(T) CpN, each with an offset and a
        slope.
    per_scan : bool
        Each scan has a baseline of its own.
    thermal_lag : bool
        A first-order lag of the sensor, a time in s.
    temperature_offset : float
        Uncertainty of the temperature calibration in K, one standard deviation; 0 trusts it. A shift of the temperature
        can hardly be told from another glass, so it has to be known from elsewhere how large it may be. No fit goes
        beyond five standard deviations.
    """

    baseline: str = "none"
    per_scan: bool = True
    thermal_lag: bool = False
    temperature_offset: float = 0.0

    def __post_init__(self) -> None:
        if self.baseline not in _TERMS:
            raise LehrError(f"baseline '{self.baseline}' is not offered", f"Take one of {', '.join(_TERMS)}.")
        if not (np.isfinite(self.temperature_offset) and self.temperature_offset >= 0):
            raise LehrError(
                f"temperature_offset = {self.temperature_offset} is out of range",
                "It is the standard deviation of the calibration in K; 0 trusts the temperatures.",
            )

    def names(self, cycles: int) -> tuple[str, ...]:
        """Return the names of the additional parameters for a number of scans."""
        terms = _TERMS[self.baseline]
        baseline = [f"{term}_{i + 1}" for i in range(cycles) for term in terms] if self.per_scan else list(terms)
        lag = ["thermal_lag"] if self.thermal_lag else []
        offset = ["temperature_offset"] if self.temperature_offset else []
        return (*baseline, *lag, *offset)


def likely_nuisance(scans: Any) -> Nuisance:
    """Return what is to be fitted with the glass by default: both lines of each normalised scan.

    A line that is 0.01 off shifts x by more than the standard errors that noise alone gives it.
    """
    several = scans if isinstance(scans, Sequence) else ()
    drawn = any(isinstance(scan, NormalisedScan) and scan.measured.kind != "cpn" for scan in several)
    return Nuisance("lines" if drawn else "none")
