"""The heating scans of one glass and what was done to it, as the estimator and a fit take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.scans.cpn import CpnScan
from lehr.glass.scans.normalise import NormalisedScan
from lehr.glass.tnm import Cycle, Jump, Ramp, Signals, ThermalProgram, equal_area_temperature

__all__ = ["MAX_CYCLES", "Scans", "as_scans", "cooled_and_heated"]

MAX_CYCLES = 10
"""Scans of one glass, at most, of a fit and of what the estimator is trained with; nobody measures as many."""

_BEYOND_SCANS_KELVIN = 200.0  # how far a program that says "lowest" or "highest" goes beyond the scans
_MARGIN = 0.35  # of the width of the transition, kept on each side of it
_MARGIN_FOR_BASELINES = 1.0  # the same where the lines of glass and liquid are to be found too
_SAME_RATE = 0.05  # relative difference of two heating rates that is rounding or an uneven ramp


@dataclass(frozen=True, eq=False)
class Scans:
    """The heating scans of one glass and what was done to it.

    What is found of them, such as where the transition is, is found once and kept here.

    Attributes
    ----------
    scans : tuple of CpnScan
        One for each cycle of the program, in its order; each has temperatures of its own.
    program : ThermalProgram
        Where it says "lowest" or "highest", the glass was so cold that it was frozen, or so hot that it was in
        equilibrium; say temperatures in K if it was not.
    """

    scans: tuple[CpnScan, ...]
    program: ThermalProgram

    def __post_init__(self) -> None:
        if len(self.scans) != len(self.program.cycles):
            raise LehrError(
                f"{len(self.scans)} scans, but the program has {len(self.program.cycles)} cycles",
                "Give one scan for each cycle, in the order of the program.",
            )
        if len(self.scans) > MAX_CYCLES:
            raise LehrError(f"{len(self.scans)} scans are too many", f"A fit takes up to {MAX_CYCLES}.")

    @classmethod
    def of(
        cls,
        temperature: NDArray[np.floating[Any]] | Sequence[ArrayLike],
        cpn: NDArray[np.floating[Any]] | Sequence[ArrayLike],
        program: ThermalProgram | None = None,
    ) -> Scans:
        """Check scans.

        Parameters
        ----------
        temperature : ndarray, shape (points,), or a sequence of them
            K; one for all scans or one for each.
        cpn : ndarray, shape (cycles, points), or a sequence of shape (points,)
            Normalised heat capacity; NaN where a point is missing.
        program : ThermalProgram, optional
            Default: the six cycles of Table 1 of the paper.

        Raises
        ------
        LehrError
            If a scan is not one, or their number is not that of the cycles.
        """
        rows = list(np.atleast_2d(cpn)) if isinstance(cpn, np.ndarray) else list(cpn)
        axes: list[ArrayLike] = list(temperature) if np.ndim(temperature[0]) else [np.asarray(temperature)] * len(rows)
        if len(axes) != len(rows):
            raise LehrError(f"{len(rows)} scans, but {len(axes)} temperatures", "Give one for all, or one for each.")
        pairs = enumerate(zip(axes, rows, strict=True), 1)
        scans = tuple(CpnScan.of(axis, row, f"scan {number}") for number, (axis, row) in pairs)
        return cls(scans, program or ThermalProgram.chr_cycles())

    @classmethod
    def from_signals(cls, signals: Signals) -> Scans:
        """Return what a simulation has given, as if it had been measured."""
        return cls.of(signals.temperature, signals.cpn, signals.program)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of the white noise, the root of the mean square over the scans."""
        return float(np.sqrt(np.mean([scan.noise**2 for scan in self.scans])))

    @cached_property
    def kelvin_program(self) -> ThermalProgram:
        """The program with temperatures in K for "lowest" and "highest"."""
        low = min(float(scan.temperature[0]) for scan in self.scans)
        high = max(float(scan.temperature[-1]) for scan in self.scans)
        ends = {"lowest": max(low - _BEYOND_SCANS_KELVIN, low / 2), "highest": high + _BEYOND_SCANS_KELVIN}

        def kelvin(end: float | str) -> float:
            return ends[end] if isinstance(end, str) else end

        cycles = []
        for cycle in self.program.cycles:
            segments = tuple(
                replace(segment, to=kelvin(segment.to)) if isinstance(segment, Ramp | Jump) else segment
                for segment in cycle.segments
            )
            cycles.append(Cycle(segments, kelvin(cycle.start)))
        return ThermalProgram(tuple(cycles))

    @cached_property
    def transition(self) -> tuple[float, float]:
        """The temperatures in K between which any scan is neither glass nor liquid.

        Raises
        ------
        LehrError
            If a scan is all glass.
        """
        found = [scan.transition() for scan in self.scans]
        seen = [ends for ends in found if ends is not None]
        if len(seen) < len(found):
            raise LehrError(
                f"scan {found.index(None) + 1} shows no glass transition: CpN stays at 0, or the scan ends before it",
                "Give scans from below to above the transition; CpN is 0 in the glass and 1 in the liquid.",
            )
        return min(low for low, _ in seen), max(high for _, high in seen)

    @cached_property
    def near_transition(self) -> Scans:
        """The part that says something about the glass: the transition and a margin."""
        return self._cut(_MARGIN)

    @cached_property
    def with_baselines(self) -> Scans:
        """The part that says something about the lines of glass and liquid too: the transition and a wide margin."""
        return self._cut(_MARGIN_FOR_BASELINES)

    @cached_property
    def limiting_fictive_temperatures(self) -> NDArray[np.float64]:
        """Tf' in K of each scan, from the area of its transition, shape (cycles,)."""
        parts = self.near_transition.scans
        return np.array([equal_area_temperature(scan.cpn, scan.temperature) for scan in parts])

    @cached_property
    def middle(self) -> float:
        """A temperature in K inside the transition."""
        return float(np.clip(np.median(self.limiting_fictive_temperatures), *self.transition))

    def _cut(self, margin: float) -> Scans:
        """Return the transition and a margin on each side, in widths of the transition.

        The program keeps the temperatures that "lowest" and "highest" stand for in the whole scans.
        """
        low, high = self.transition
        beyond = margin * (high - low)
        return Scans(tuple(scan.between(low - beyond, high + beyond) for scan in self.scans), self.kelvin_program)


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
    found = Scans(tuple(_checked(scan, f"scan {number}") for number, scan in enumerate(scans, 1)), program)
    for number, (scan, rate) in enumerate(zip(scans, program.scan_rates, strict=True), 1):
        said = scan.measured.heating_rate if isinstance(scan, NormalisedScan) else None
        if said is not None and abs(said / rate - 1.0) > _SAME_RATE:
            raise LehrError(
                f"scan {number} was heated at {said:.4g} K/min by its own times, but the program says {rate:g}",
                "Correct the heating rate, or the order of the scans.",
            )
    return found


def _checked(scan: Any, name: str) -> CpnScan:
    """Return a scan that a fit can take; a normalised one stays what it is, with its notes, if no point is missing."""
    if isinstance(scan, NormalisedScan):
        checked = CpnScan.of(scan.temperature, scan.cpn, name, step=scan.step)
        return scan if scan.cpn.size == checked.cpn.size else checked
    if len(scan) != 2:
        raise LehrError("a scan is not a pair of temperature and CpN", "Give [(temperature, cpn), ...].")
    return CpnScan.of(scan[0], scan[1], name)


def cooled_and_heated(
    scans: Sequence[NormalisedScan], cooling_rates: Sequence[float], heating_rate: float | None
) -> ThermalProgram:
    """Return the program of scans that were cooled at constant rates and heated again, or measured on cooling.

    Parameters
    ----------
    scans : sequence of NormalisedScan
        In the order of the rates.
    cooling_rates : sequence of float
        K/min, one for each scan; of scans that are all on cooling none: what they say themselves.
    heating_rate : float or None
        K/min; None: what the scans say themselves.

    Raises
    ------
    LehrError
        If the numbers differ, or a heating rate is not known.
    """
    own = [scan.measured.heating_rate for scan in scans]
    if all(rate is not None and rate < 0 for rate in own) and scans:
        rates = cooling_rates or [-rate for rate in own if rate is not None]
        if len(rates) == len(scans):
            return ThermalProgram.cooling_scans(rates)
    if len(cooling_rates) != len(scans):
        raise LehrError(
            f"{len(scans)} scans, but {len(cooling_rates)} cooling rates",
            "Give one for each scan, in their order; `lehr read` shows the scans of a file, --take chooses.",
        )
    cycles = []
    for number, (scan, rate) in enumerate(zip(scans, cooling_rates, strict=True), 1):
        heated = scan.measured.heating_rate if heating_rate is None else heating_rate
        if heated is None or not np.isfinite(heated):
            raise LehrError(f"scan {number}: its heating rate is not known", "Give --heating-rate in K/min.")
        cycles.append(Cycle((Ramp("lowest", float(rate)), Ramp("highest", float(heated)))))
    return ThermalProgram(tuple(cycles))
