"""Thermal programs as a user writes them. docs/how-to/programs.md has examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from lehr.config.load import load_yaml
from lehr.config.section import Positive, Section
from lehr.errors import LehrError
from lehr.glass.tnm import ZERO_CELSIUS, Cycle, Hold, Jump, Ramp, ThermalProgram

_DEGREES = "(?:deg ?|° ?)C|℃"
_TEMPERATURE = re.compile(rf"([-+]?[\d.]+(?:e[-+]?\d+)?) ?(?:(K)|({_DEGREES}))")
_RATE = re.compile(rf"([\d.]+(?:e[-+]?\d+)?) ?(?:K|{_DEGREES})/(s|min|h)")
_A_MINUTE = {"s": 60.0, "min": 1.0, "h": 1.0 / 60.0}


def in_kelvin(value: Any) -> Any:
    """Return K for "160 degC" or "433 K"; anything else as it is."""
    found = _TEMPERATURE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        if isinstance(value, str) and value not in ("lowest", "highest"):
            raise ValueError("a temperature is a number of K, or written as '160 degC', 'lowest' or 'highest'")
        return value
    # rounded, so that 20 degC is 293.15 K and not a last digit more
    return float(found.group(1)) if found.group(2) else round(float(found.group(1)) + ZERO_CELSIUS, 9)


def _kelvin_per_minute(value: Any) -> Any:
    """Return K/min for "1000 K/s"; anything else as it is."""
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(found.group(1)) * _A_MINUTE[found.group(2)] if found else value


_WrittenTemperature = Annotated[str, Field(pattern=f"^{_TEMPERATURE.pattern}$")]
_WrittenRate = Annotated[str, Field(pattern=f"^{_RATE.pattern}$")]

End = Annotated[
    Positive | Literal["lowest", "highest"],
    BeforeValidator(in_kelvin, json_schema_input_type=Positive | Literal["lowest", "highest"] | _WrittenTemperature),
]
Rate = Annotated[Positive, BeforeValidator(_kelvin_per_minute, json_schema_input_type=Positive | _WrittenRate)]


class RampEntry(Section):
    """A ramp: K, or an end of the temperature window, and K/min; other units are written behind the number."""

    to: End
    rate: Rate


class HoldEntry(Section):
    """A hold: one of the five."""

    seconds: Positive | None = None
    minutes: Positive | None = None
    hours: Positive | None = None
    days: Positive | None = None
    years: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> HoldEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of seconds, minutes, hours, days or years")
        return self

    @model_serializer
    def _normal_form(self) -> dict[str, float]:
        return {"seconds": self.total()}

    def total(self) -> float:
        """Duration in s."""
        seconds = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0, "years": 365.25 * 86400.0}
        return float(sum((getattr(self, name) or 0.0) * factor for name, factor in seconds.items()))


class JumpEntry(Section):
    """A jump to a temperature in K, or to an end of the temperature window."""

    to: End


class SegmentEntry(Section):
    """One of ramp, hold and jump."""

    ramp: RampEntry | None = None
    hold: HoldEntry | None = None
    jump: JumpEntry | None = None

    @model_validator(mode="after")
    def _one(self) -> SegmentEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError("a segment is one of ramp, hold or jump")
        return self

    @model_serializer(mode="wrap")
    def _normal_form(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {kind: entry for kind, entry in dump(self).items() if entry is not None}

    def build(self) -> Ramp | Hold | Jump:
        """Return the segment."""
        if self.ramp:
            return Ramp(self.ramp.to, self.ramp.rate)
        if self.hold:
            return Hold(self.hold.total())
        if self.jump:
            return Jump(self.jump.to)
        raise TypeError("a validated segment has a kind")


class CycleEntry(Section):
    """Segments one after the other, from equilibrium at `start`."""

    start: End = "highest"
    segments: tuple[SegmentEntry, ...] = Field(min_length=1)


class ProgramConfig(Section):
    """Constant-heating-rate cycles (Table 1 of the paper); each starts from equilibrium at the highest temperature."""

    cooling_rates: tuple[Positive, ...] = Field(
        (0.5, 1.0, 2.0, 5.0, 10.0, 20.0), min_length=1, description="K/min, a cycle each"
    )
    heating_rate: float = Field(10.0, gt=0, description="K/min")

    @property
    def cycle_count(self) -> int:
        """Number of cycles."""
        return len(self.cooling_rates)

    def build(self) -> ThermalProgram:
        """Return the program."""
        return ThermalProgram.chr_cycles(self.cooling_rates, self.heating_rate)


class ProgramFile(Section):
    """Any thermal program."""

    cycles: tuple[CycleEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _possible(self) -> ProgramFile:
        try:
            self.build()
        except LehrError as error:
            raise ValueError(error.what) from None
        return self

    @property
    def cycle_count(self) -> int:
        """Number of cycles."""
        return len(self.cycles)

    def build(self) -> ThermalProgram:
        """Return the program."""
        return ThermalProgram(
            tuple(Cycle(tuple(entry.build() for entry in cycle.segments), cycle.start) for cycle in self.cycles)
        )


def program_document(program: ThermalProgram) -> dict[str, Any]:
    """Return a program as `ProgramFile` reads it."""

    def entry(segment: Ramp | Hold | Jump) -> dict[str, Any]:
        if isinstance(segment, Ramp):
            return {"ramp": {"to": segment.to, "rate": segment.rate}}
        return {"hold": {"seconds": segment.seconds}} if isinstance(segment, Hold) else {"jump": {"to": segment.to}}

    cycles = [{"start": cycle.start, "segments": [entry(each) for each in cycle.segments]} for cycle in program.cycles]
    return {"cycles": cycles}


def _kind(program: Any) -> str:
    listed = "cycles" in program if isinstance(program, dict) else isinstance(program, ProgramFile)
    return "any" if listed else "chr"


AnyProgram = Annotated[Annotated[ProgramConfig, Tag("chr")] | Annotated[ProgramFile, Tag("any")], Discriminator(_kind)]
"""The one or the other, told apart before either is checked, so that an error is about what the user meant."""


def load_program(path: str | Path) -> ThermalProgram:
    """Read a thermal program from a file; see docs/how-to/programs.md.

    Raises
    ------
    LehrError
        If the file is missing or wrong, or the program is not possible.
    """
    return load_yaml(path, ProgramFile, "docs/how-to/programs.md shows how a program is written.").build()
