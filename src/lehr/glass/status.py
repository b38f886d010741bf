"""Outcome of a simulation."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Status"]


class Status(IntEnum):
    """Outcome of a simulation; the values are those of the compiled kernel."""

    OK = 0
    WINDOW = 1
    STEPS = 2
    PARAMETER = 3
    MEMORY = 4

    @property
    def message(self) -> str:
        """What happened, in words."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.OK: "the signal is complete",
    Status.WINDOW: "the temperature window does not hold the whole transition from glass (CpN = 0) to liquid (CpN = 1)",
    Status.STEPS: "the step control did not find a step small enough",
    Status.PARAMETER: "a parameter is not finite or out of range",
    Status.MEMORY: "out of memory",
}
