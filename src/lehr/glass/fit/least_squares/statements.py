"""What a thermal program says of a glass, and how wrong each statement may be: rates, holds, their temperatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp
from typing import Literal

from lehr.glass.tnm import ZERO_CELSIUS, Cycle, Hold, Jump, Ramp, ThermalProgram
from lehr.glass.tnm.program import Segment

__all__ = ["Statement", "shifted", "stated_otherwise", "statements"]

Kind = Literal["rate", "hold_temperature", "hold_time"]


@dataclass(frozen=True)
class Statement:
    """One thing that a program says: the same rate, hold time or hold temperature is one, wherever it stands.

    A furnace that is wrong about a rate is so each time. The recorded scan itself is none: its rate stands in its file.

    Attributes
    ----------
    kind : {"rate", "hold_temperature", "hold_time"}
        Of a ramp before the recorded scan, or of a hold.
    value : float
        As it was said: K/min, K, s.
    places : tuple of (int, int)
        Cycle and segment that it stands in; of a temperature the ramp or jump that leads to the hold.
    """

    kind: Kind
    value: float
    places: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        cycles = sorted({cycle + 1 for cycle, _ in self.places})
        which = f"scan{'s' * (len(cycles) > 1)} {', '.join(map(str, cycles))}"
        if self.kind == "rate":
            return f"the rate of {self.value:g} K/min before {which}"
        if self.kind == "hold_time":
            return f"the hold of {self.value:g} s ({self.value / 3600.0:.3g} h) before {which}"
        return f"the temperature of the hold at {self.value:.1f} K ({self.value - ZERO_CELSIUS:.1f} °C) before {which}"

    @property
    def cycles(self) -> frozenset[int]:
        """Numbers of the cycles that it matters for."""
        return frozenset(cycle for cycle, _ in self.places)


def statements(program: ThermalProgram) -> tuple[Statement, ...]:
    """Return what a program says, in its order."""
    places: dict[tuple[Kind, float], list[tuple[int, int]]] = {}
    for number, cycle in enumerate(program.cycles):
        before = cycle.segments[:-1]
        for i, segment in enumerate(before):
            if isinstance(segment, Ramp):
                places.setdefault(("rate", segment.rate), []).append((number, i))
            if isinstance(segment, Hold):
                places.setdefault(("hold_time", segment.seconds), []).append((number, i))
                lead = before[i - 1] if i else None
                if isinstance(lead, Ramp | Jump) and not isinstance(lead.to, str):
                    places.setdefault(("hold_temperature", float(lead.to)), []).append((number, i - 1))
    return tuple(Statement(kind, value, tuple(found)) for (kind, value), found in places.items())


def stated_otherwise(program: ThermalProgram, changes: Mapping[Statement, float]) -> ThermalProgram:
    """Return a program that says otherwise: temperatures moved by K, rates and times by a factor exp(change)."""
    at = {
        (place, statement.kind): change for statement, change in changes.items() if change for place in statement.places
    }
    if not at:
        return program

    def changed(place: tuple[int, int], segment: Segment) -> Segment:
        if isinstance(segment, Hold):
            return Hold(segment.seconds * exp(at.get((place, "hold_time"), 0.0)))
        if not isinstance(segment.to, str) and (place, "hold_temperature") in at:
            segment = replace(segment, to=segment.to + at[place, "hold_temperature"])
        if isinstance(segment, Ramp) and (place, "rate") in at:
            segment = replace(segment, rate=segment.rate * exp(at[place, "rate"]))
        return segment

    return ThermalProgram(
        tuple(
            Cycle(tuple(changed((n, i), segment) for i, segment in enumerate(cycle.segments)), cycle.start)
            for n, cycle in enumerate(program.cycles)
        )
    )


def shifted(cycle: Cycle, kelvin: float) -> Cycle:
    """Return a cycle with all its temperatures, which are in K, moved by so many."""
    if not kelvin:
        return cycle

    def moved(segment: Segment) -> Segment:
        if isinstance(segment, Hold) or isinstance(segment.to, str):
            return segment
        return replace(segment, to=segment.to + kelvin)

    start = cycle.start if isinstance(cycle.start, str) else cycle.start + kelvin
    return Cycle(tuple(moved(segment) for segment in cycle.segments), start)
