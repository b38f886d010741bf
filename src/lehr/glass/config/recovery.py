"""Measured enthalpy recovery as a user writes it. docs/how-to/fit.md has an example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from lehr.config.load import load_yaml
from lehr.config.section import Positive, Section
from lehr.glass.config.program import CycleEntry, in_kelvin
from lehr.glass.scans.recovery import MeasuredRecovery
from lehr.glass.tnm import Cycle

__all__ = ["RecoveryFile", "load_recovery"]

Kelvin = Annotated[Positive, BeforeValidator(in_kelvin)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class RecoveryFile(Section):
    """What a glass that is held loses: times, and Tf or enthalpies.

    Attributes
    ----------
    before : CycleEntry
        What was done first, as a cycle of a program; its last ramp or jump leads to the hold.
    seconds, hours : tuple of float
        How long it was held: one of both.
    fictive_temperature, enthalpy : tuple of float
        Tf in K (or "85 degC"), or the enthalpy lost since the hold began, in any unit: one of both.
    step : float, optional
        Step of the heat capacity in the unit of the enthalpy a kelvin.
    error : float or tuple of float
        Standard error of each value, in its unit.
    """

    before: CycleEntry
    seconds: tuple[NotNegative, ...] | None = None
    hours: tuple[NotNegative, ...] | None = None
    fictive_temperature: tuple[Kelvin, ...] | None = None
    enthalpy: tuple[float, ...] | None = None
    step: Positive | None = None
    error: Positive | tuple[Positive, ...]

    @model_validator(mode="after")
    def _one_of_each(self) -> RecoveryFile:
        if (self.seconds is None) == (self.hours is None):
            raise ValueError("give one of seconds and hours")
        if (self.fictive_temperature is None) == (self.enthalpy is None):
            raise ValueError("give one of fictive_temperature and enthalpy")
        if (self.enthalpy is None) != (self.step is None):
            raise ValueError("an enthalpy needs the step of the heat capacity, a fictive temperature needs none")
        return self

    def build(self, source: str) -> MeasuredRecovery:
        """Return the data.

        Raises
        ------
        LehrError
            If they do not fit together.
        """
        seconds = self.seconds if self.seconds is not None else [3600.0 * hours for hours in self.hours or ()]
        values = np.array(self.fictive_temperature if self.enthalpy is None else self.enthalpy, dtype=float)
        errors = self.error if isinstance(self.error, tuple) else [self.error] * values.size
        before = Cycle(tuple(entry.build() for entry in self.before.segments), self.before.start)
        return MeasuredRecovery(before, np.array(seconds), values, np.array(errors), self.step, source)


def load_recovery(path: str | Path) -> MeasuredRecovery:
    """Read measured recovery from a YAML file.

    Raises
    ------
    LehrError
        If the file is missing or wrong.
    """
    return load_yaml(path, RecoveryFile, "docs/how-to/fit.md shows one.").build(str(path))
