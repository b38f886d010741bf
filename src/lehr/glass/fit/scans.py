"""Measured heating scans, as a fit takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.tnm import Cycle, Jump, Ramp, Signals, ThermalProgram

__all__ = ["MAX_CYCLES", "Scan", "Scans"]

MAX_CYCLES = 10
"""More scans of one glass than anybody measures; a longer list is most likely not what it should be."""

_MIN_POINTS = 10  # of a scan: fewer say nothing about the shape of a peak
_BEYOND = 200.0  # K; how far a program that says "lowest" or "highest" goes beyond the scans
_SETTLED = 0.02  # CpN this close to 0 is glass, this close to 1 is liquid
_SURE = 7.0  # standard deviations of the smoothed scan that no point of many is away by chance
_MARGIN = 0.35  # of the width of the transition, kept on each side
_WIDE = 1.0  # the same where baselines are to be found


@dataclass(frozen=True, eq=False)
class Scan:
    """One heating scan.

    Attributes
    ----------
    temperature : ndarray, shape (points,)
        K, ascending.
    cpn : ndarray, shape (points,)
        Normalised heat capacity, finite: missing points have been left out.
    """

    temperature: NDArray[np.float64]
    cpn: NDArray[np.float64]

    @classmethod
    def of(cls, temperature: ArrayLike, cpn: ArrayLike, name: str = "the scan") -> Scan:
        """Check a scan and leave out its missing points (NaN).

        Raises
        ------
        LehrError
            If the two do not have the same length, too few points are left, or temperatures do not ascend.
        """
        t, y = np.asarray(temperature, dtype=float), np.asarray(cpn, dtype=float)
        if t.ndim != 1 or t.shape != y.shape:
            raise LehrError(f"{name}: temperatures have the shape {t.shape}, CpN {y.shape}", "Give a CpN for each.")
        there = np.isfinite(t) & np.isfinite(y)
        t, y = t[there], y[there]
        if t.size < _MIN_POINTS:
            raise LehrError(f"{name}: {t.size} points are left", f"A scan needs {_MIN_POINTS} with a number in both.")
        if not (np.diff(t) > 0).all():
            raise LehrError(f"{name}: temperatures do not ascend", "Give the heating scan alone, sorted.")
        if not t[0] > 0:
            raise LehrError(f"{name}: a temperature of {t[0]:g} K", "Temperatures are in K.")
        return cls(t, y)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of what changes from point to point, from second differences."""
        second = np.diff(self.cpn, 2)
        return float(np.median(np.abs(second)) / (0.6745 * np.sqrt(6.0)))

    def transition(self) -> tuple[float, float] | None:
        """Return the temperatures in K between which the scan is neither glass nor liquid; None if it is all glass."""
        points = int(np.clip((_SURE * self.noise / _SETTLED) ** 2, 1, max(self.cpn.size // 20, 1)))
        # reflected, not repeated: the mean at an end is one of as many points as elsewhere
        smooth = np.convolve(np.pad(self.cpn, points, mode="reflect"), np.ones(points) / points, "same")[points:-points]
        limit = max(_SETTLED, _SURE * self.noise / np.sqrt(points))
        glass, liquid = np.abs(smooth) < limit, np.abs(smooth - 1.0) < limit
        if glass.all():
            return None
        first = int(np.argmin(glass))  # the first that is not glass
        last = liquid.size - 1 - int(np.argmin(liquid[::-1]))  # the last that is not liquid
        low, high = sorted((first, last))
        # it goes on between the points: a step between two of them has a width too
        return float(self.temperature[max(low - 1, 0)]), float(self.temperature[min(high + 1, liquid.size - 1)])

    def window(self, low: float, high: float) -> Scan:
        """Return the part between two temperatures in K."""
        kept = (self.temperature >= low) & (self.temperature <= high)
        return Scan(self.temperature[kept], self.cpn[kept])


@dataclass(frozen=True, eq=False)
class Scans:
    """The heating scans of one glass and what was done to it.

    Attributes
    ----------
    scans : tuple of Scan
        One for each cycle of the program, in its order; each has temperatures of its own.
    program : ThermalProgram
        Where it says "lowest" or "highest", the glass was so cold that it was frozen, or so hot that it was in
        equilibrium; say temperatures in K if it was not.
    """

    scans: tuple[Scan, ...]
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
        scans = tuple(Scan.of(axis, row, f"scan {number}") for number, (axis, row) in pairs)
        return cls(scans, program or ThermalProgram.chr_cycles())

    @classmethod
    def from_signals(cls, signals: Signals) -> Scans:
        """Return what a simulation has given, as if it had been measured."""
        return cls.of(signals.temperature, signals.cpn, signals.program)

    @property
    def points(self) -> int:
        """Number of points of all scans."""
        return sum(scan.cpn.size for scan in self.scans)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of the white noise, the root of the mean square over the scans."""
        return float(np.sqrt(np.mean([scan.noise**2 for scan in self.scans])))

    def resolved(self) -> ThermalProgram:
        """Return the program with temperatures in K for "lowest" and "highest"."""
        low = min(float(scan.temperature[0]) for scan in self.scans)
        high = max(float(scan.temperature[-1]) for scan in self.scans)
        ends = {"lowest": max(low - _BEYOND, low / 2), "highest": high + _BEYOND}

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
        """The temperatures in K between which any scan is neither glass nor liquid."""
        found = [scan.transition() for scan in self.scans]
        seen = [ends for ends in found if ends is not None]
        if len(seen) < len(found):
            raise LehrError(
                f"scan {found.index(None) + 1} shows no glass transition: CpN stays at 0, or the scan ends before it",
                "Give scans from below to above the transition; CpN is 0 in the glass and 1 in the liquid.",
            )
        return min(low for low, _ in seen), max(high for _, high in seen)

    def window(self, *, wide: bool = False) -> Scans:
        """Return the part of the scans that says something: the transition and a margin, for baselines a wide one.

        The program keeps the temperatures that "lowest" and "highest" stand for in the whole scans.
        """
        low, high = self.transition
        margin = (_WIDE if wide else _MARGIN) * (high - low)
        parts = [scan.window(low - margin, high + margin) for scan in self.scans]
        kept = [part if part.cpn.size >= _MIN_POINTS else scan for part, scan in zip(parts, self.scans, strict=True)]
        return Scans(tuple(kept), self.resolved())
