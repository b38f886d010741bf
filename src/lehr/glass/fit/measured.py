"""From whatever holds scans to `Scans`, with the rates that files say themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lehr.errors import LehrError
from lehr.glass.fit.model import Nuisance
from lehr.glass.fit.scans import Scans
from lehr.glass.scans import NormalisedScan
from lehr.glass.tnm import Cycle, Ramp, Signals, ThermalProgram

__all__ = ["as_scans", "cooled_and_heated", "likely_nuisance"]

_SAME_RATE = 0.05  # relative difference of a heating rate that is no misunderstanding


def as_scans(scans: Any, program: ThermalProgram | None = None) -> Scans:
    """Return scans of one glass as a fit takes them.

    Parameters
    ----------
    scans : Scans, Signals, or sequence of NormalisedScan or of (temperature, cpn)
        K and CpN.
    program : ThermalProgram, optional
        What was done to the glass, a cycle for each scan. `Scans` and `Signals` have their own.

    Raises
    ------
    LehrError
        If the program is missing or does not fit, or a scan is not one.
    """
    if isinstance(scans, Scans | Signals):
        if program is not None:
            raise LehrError("these scans have a thermal program already", "Give scans or arrays with another one.")
        return scans if isinstance(scans, Scans) else Scans.from_signals(scans)
    if program is None:
        raise LehrError("what was done to the glass is missing", "Give program=ThermalProgram.chr_cycles(rates, rate).")
    if not isinstance(scans, Sequence) or not scans:
        raise LehrError("no scans to fit", "Give a list, a scan for each cycle of the program.")
    pairs = [(scan.temperature, scan.cpn) if isinstance(scan, NormalisedScan) else scan for scan in scans]
    if any(len(pair) != 2 for pair in pairs):
        raise LehrError("a scan is not a pair of temperature and CpN", "Give [(temperature, cpn), ...].")
    temperature, cpn = zip(*pairs, strict=True)
    found = Scans.of(list(temperature), list(cpn), program)
    for number, (scan, rate) in enumerate(zip(scans, program.heating_rates, strict=True), 1):
        said = scan.scan.heating_rate if isinstance(scan, NormalisedScan) else None
        if said is not None and abs(said / rate - 1.0) > _SAME_RATE:
            raise LehrError(
                f"scan {number} was heated at {said:.4g} K/min by its own times, but the program says {rate:g}",
                "Correct the heating rate, or the order of the scans.",
            )
    return found


def likely_nuisance(scans: Any) -> Nuisance:
    """Return what is to be fitted with the glass by default: both lines of each normalised scan.

    A line that is 0.01 off shifts x by more than the standard errors that noise alone gives it.
    """
    several = scans if isinstance(scans, Sequence) else ()
    drawn = any(isinstance(scan, NormalisedScan) and scan.scan.kind != "cpn" for scan in several)
    return Nuisance("lines" if drawn else "none")


def cooled_and_heated(
    scans: Sequence[NormalisedScan], cooling_rates: Sequence[float], heating_rate: float | None
) -> ThermalProgram:
    """Return the program of scans that were cooled at constant rates and heated again.

    Parameters
    ----------
    scans : sequence of NormalisedScan
        In the order of the rates.
    cooling_rates : sequence of float
        K/min, one for each scan.
    heating_rate : float or None
        K/min; None: what the scans say themselves.

    Raises
    ------
    LehrError
        If the numbers differ, or a heating rate is not known.
    """
    if len(cooling_rates) != len(scans):
        raise LehrError(
            f"{len(scans)} scans, but {len(cooling_rates)} cooling rates",
            "Give one for each scan, in their order; `lehr read` shows the scans of a file, --take chooses.",
        )
    cycles = []
    for number, (scan, rate) in enumerate(zip(scans, cooling_rates, strict=True), 1):
        heated = heating_rate or scan.scan.heating_rate
        if heated is None or not np.isfinite(heated):
            raise LehrError(f"scan {number}: its heating rate is not known", "Give --heating-rate in K/min.")
        cycles.append(Cycle((Ramp("lowest", float(rate)), Ramp("highest", float(heated)))))
    return ThermalProgram(tuple(cycles))
