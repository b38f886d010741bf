"""Thermal programs: what the furnace does to the glass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.tnm import _tnm
from lehr.glass.tnm.parameters import ZERO_CELSIUS

__all__ = ["SECONDS_PER_MINUTE", "Cycle", "Hold", "Jump", "Ramp", "ThermalProgram", "default_temperature"]

SECONDS_PER_MINUTE = 60.0

End = float | Literal["lowest", "highest"]
"""A temperature in K, or an end of the temperature window of the signals."""


def _positive(value: float, what: str) -> float:
    if not (isfinite(value) and value > 0):
        raise LehrError(f"{what} is out of range", "It must be a positive number.")
    return float(value)


@dataclass(frozen=True)
class Ramp:
    """Change the temperature at a constant rate.

    Attributes
    ----------
    to : float or "lowest" or "highest"
        Temperature at the end in K, or an end of the temperature window.
    rate : float
        K/min, positive for cooling too.
    """

    to: End
    rate: float

    def __post_init__(self) -> None:
        _positive(self.rate, f"rate {self.rate} K/min")


@dataclass(frozen=True)
class Hold:
    """Keep the temperature: annealing, physical ageing.

    Attributes
    ----------
    seconds : float
        Duration in s.
    """

    seconds: float

    def __post_init__(self) -> None:
        _positive(self.seconds, f"a hold of {self.seconds} s")


@dataclass(frozen=True)
class Jump:
    """Change the temperature at once.

    Attributes
    ----------
    to : float or "lowest" or "highest"
        Temperature after the jump in K, or an end of the temperature window.
    """

    to: End


Segment = Ramp | Hold | Jump


def _order(end: End) -> float:
    """Return a number that is in the order of the temperatures, whatever the window is."""
    return {"lowest": -inf, "highest": inf}[end] if isinstance(end, str) else end


@dataclass(frozen=True)
class Cycle:
    """Segments one after the other; the last is a ramp, and only it is recorded as a signal.

    Attributes
    ----------
    segments : tuple of Ramp, Hold and Jump
        What happens.
    start : float or "lowest" or "highest"
        The glass starts in equilibrium at this temperature in K, or at an end of the temperature window.
    """

    segments: tuple[Segment, ...]
    start: End = "highest"

    def __post_init__(self) -> None:
        if not self.segments:
            raise LehrError("a cycle needs at least one segment")

    @property
    def scan_rate(self) -> float:
        """Rate of the last segment in K/min: positive if it heats, negative if it cools, NaN if it does neither."""
        last = self.segments[-1]
        before = next((s.to for s in reversed(self.segments[:-1]) if not isinstance(s, Hold)), self.start)
        if not isinstance(last, Ramp) or before == last.to:
            return nan
        heats = _order(last.to) > _order(before)
        return last.rate if heats else -last.rate

    def rows(self, low: float, high: float) -> tuple[float, list[tuple[int, float, float]]]:
        """Return the start (K) and rows of kind, target (K), amount (K/s or s), as the compiled kernel takes them.

        Raises
        ------
        LehrError
            If a temperature is not positive.
        """
        ends = {"lowest": low, "highest": high}

        def kelvin(end: End) -> float:
            value = ends[end] if isinstance(end, str) else end
            return _positive(value, f"a temperature of {value} K")

        rows: list[tuple[int, float, float]] = []
        for segment in self.segments:
            if isinstance(segment, Ramp):
                rows.append((0, kelvin(segment.to), segment.rate / SECONDS_PER_MINUTE))
            elif isinstance(segment, Hold):
                rows.append((1, 0.0, segment.seconds))
            else:
                rows.append((2, kelvin(segment.to), 0.0))
        return kelvin(self.start), rows


@dataclass(frozen=True)
class ThermalProgram:
    """Cycles, each from equilibrium; a signal has one scan for each.

    Attributes
    ----------
    cycles : tuple of Cycle
        The cycles; each must end with a ramp, which is recorded: CpN = dTf/dT, on cooling too.
    """

    cycles: tuple[Cycle, ...]

    def __post_init__(self) -> None:
        if not self.cycles:
            raise LehrError("a thermal program needs at least one cycle")
        for cycle in self.cycles:
            if not isinstance(cycle.segments[-1], Ramp):
                raise LehrError("the last segment of a cycle must be a heating or cooling ramp: it is the signal")

    @classmethod
    def cooling_scans(cls, rates: Sequence[float]) -> ThermalProgram:
        """Scan on cooling, from the liquid at the highest temperature of the window to the lowest.

        Parameters
        ----------
        rates : sequence of float
            K/min, positive, a cycle each.
        """
        return cls(tuple(Cycle((Ramp("lowest", float(rate)),)) for rate in rates))

    @classmethod
    def chr_cycles(
        cls,
        cooling_rates: Sequence[float] = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0),
        heating_rate: float = 10.0,
    ) -> ThermalProgram:
        """Constant-heating-rate cycles through the whole window; the defaults are Table 1 of the paper.

        Parameters
        ----------
        cooling_rates : sequence of float, optional
            K/min, a cycle each.
        heating_rate : float, optional
            K/min.
        """
        return cls(
            tuple(Cycle((Ramp("lowest", float(rate)), Ramp("highest", float(heating_rate)))) for rate in cooling_rates)
        )

    @property
    def cooling_rates(self) -> tuple[float, ...]:
        """Rate of the first segment of each cycle in K/min; NaN where that is not a ramp."""
        return tuple(c.segments[0].rate if isinstance(c.segments[0], Ramp) else nan for c in self.cycles)

    @property
    def heating_rates(self) -> tuple[float, ...]:
        """Rate of the recorded scan of each cycle in K/min; NaN where it cools."""
        return tuple(rate if rate > 0 else nan for rate in self.scan_rates)

    @property
    def scan_rates(self) -> tuple[float, ...]:
        """Rate of the recorded scan of each cycle in K/min, negative where it cools."""
        return tuple(cycle.scan_rate for cycle in self.cycles)

    def compiled(self, low: float, high: float) -> _tnm.Programs:
        """Return the program as the compiled kernel takes it, for a temperature window in K.

        Raises
        ------
        LehrError
            If a recorded segment neither heats nor cools.
        """
        return compile_cycles(self.cycles, low, high, recorded=True)


def compile_cycles(cycles: Sequence[Cycle], low: float, high: float, *, recorded: bool) -> _tnm.Programs:
    """Return cycles as the compiled kernel takes them; `recorded` demands that each ends with a scan."""
    parts = [cycle.rows(low, high) for cycle in cycles]
    for start, rows in parts:
        before = next((target for kind, target, _ in reversed(rows[:-1]) if kind != 1), start)
        if recorded and rows[-1][1] == before:
            raise LehrError(
                f"the recorded scan goes from {before:g} K to {rows[-1][1]:g} K",
                "The last segment must heat or cool the glass.",
            )
    starts = np.array([start for start, _ in parts])
    counts = np.array([len(rows) for _, rows in parts], dtype=np.int64)
    return _tnm.Programs(starts, counts, np.array([row for _, rows in parts for row in rows], dtype=float))


def default_temperature() -> NDArray[np.float64]:
    """Temperatures of the paper in K: -250 to 1600 degC every 0.1 K, 18501 points."""
    return ZERO_CELSIUS - 250.0 + 0.1 * np.arange(18501)
