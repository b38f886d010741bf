"""Thermal programs as a user writes them. docs/programs.md has examples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lehr.physics import Cycle, Hold, Jump, Ramp, ThermalProgram

Positive = Annotated[float, Field(gt=0)]
End = Positive | Literal["lowest", "highest"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RampEntry(_Section):
    """A ramp: K, or an end of the temperature window, and K/min."""

    to: End
    rate: Positive


class HoldEntry(_Section):
    """A hold: one of the four."""

    seconds: Positive | None = None
    hours: Positive | None = None
    days: Positive | None = None
    years: Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> HoldEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of seconds, hours, days or years")
        return self

    def total(self) -> float:
        """Duration in s."""
        seconds = {"seconds": 1.0, "hours": 3600.0, "days": 86400.0, "years": 365.25 * 86400.0}
        return float(sum((getattr(self, name) or 0.0) * factor for name, factor in seconds.items()))


class JumpEntry(_Section):
    """A jump to a temperature in K, or to an end of the temperature window."""

    to: End


class SegmentEntry(_Section):
    """One of ramp, hold and jump."""

    ramp: RampEntry | None = None
    hold: HoldEntry | None = None
    jump: JumpEntry | None = None

    @model_validator(mode="after")
    def _one(self) -> SegmentEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError("a segment is one of ramp, hold or jump")
        return self

    def build(self) -> Ramp | Hold | Jump:
        """Return the segment."""
        if self.ramp:
            return Ramp(self.ramp.to, self.ramp.rate)
        if self.hold:
            return Hold(self.hold.total())
        if self.jump:
            return Jump(self.jump.to)
        raise TypeError("a validated segment has a kind")


class CycleEntry(_Section):
    """Segments one after the other, from equilibrium at `start`."""

    start: End = "highest"
    segments: tuple[SegmentEntry, ...] = Field(min_length=1)


class ProgramFile(_Section):
    """A thermal program."""

    cycles: tuple[CycleEntry, ...] = Field(min_length=1)

    def build(self) -> ThermalProgram:
        """Return the program."""
        return ThermalProgram(
            tuple(Cycle(tuple(entry.build() for entry in cycle.segments), cycle.start) for cycle in self.cycles)
        )
