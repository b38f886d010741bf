"""What is simulated: everything that decides the content of a store of glasses."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from lehr.config.run import StorageConfig
from lehr.config.section import Section
from lehr.errors import LehrError
from lehr.glass.config.program import AnyProgram, ProgramConfig
from lehr.glass.config.space import AXIS_FORMS, StateSpaceConfig, whole_steps
from lehr.glass.tnm import DEFAULT_TOLERANCE, ZERO_CELSIUS

__all__ = ["SignalsConfig", "TemperatureConfig"]


class TemperatureConfig(Section):
    """Temperatures of a signal."""

    start: float = Field(-250.0, gt=-ZERO_CELSIUS, description="degC")
    stop: float = Field(1600.0, description="degC")
    step: float = Field(0.1, gt=0, description="K; must divide the range")

    @model_validator(mode="after")
    def _divides(self) -> TemperatureConfig:
        if not self.stop > self.start:
            raise ValueError("stop must be greater than start")
        whole_steps(self.start, self.stop, self.step)
        return self

    @property
    def points(self) -> int:
        """Number of temperatures."""
        return whole_steps(self.start, self.stop, self.step) + 1

    def kelvin(self) -> NDArray[np.float64]:
        """Temperatures in K, shape (points,)."""
        return np.linspace(self.start, self.stop, self.points) + ZERO_CELSIUS


class SignalsConfig(Section):
    """Everything that decides the content of the signal store."""

    undecisive: ClassVar[frozenset[str]] = frozenset({"storage"})

    state_space: StateSpaceConfig = Field(StateSpaceConfig(), description=f"parameter quartets; {AXIS_FORMS}")
    program: AnyProgram = Field(
        ProgramConfig(), description="constant heating rates, or {cycles: [...]} as docs/how-to/programs.md writes it"
    )
    temperature: TemperatureConfig = Field(TemperatureConfig(), description="temperatures of a signal")
    tolerance: float = Field(
        DEFAULT_TOLERANCE, gt=0, le=0.01, description="error of CpN that 99.9 % of the points stay below"
    )
    storage: StorageConfig = Field(StorageConfig(), description="layout on disk")

    @field_validator("program", mode="before")
    @classmethod
    def _one_program(cls, program: Any) -> Any:
        if isinstance(program, dict) and "cycles" in program and {"cooling_rates", "heating_rate"} & program.keys():
            raise ValueError("a program is {cooling_rates, heating_rate} or {cycles: [...]}")
        return program

    @model_validator(mode="after")
    def _heats(self) -> SignalsConfig:
        window = self.temperature.kelvin()[[0, -1]].tolist()
        program = self.program.build()
        try:
            program.compiled(*window)
        except LehrError as error:
            raise ValueError(f"program: {error.what}. {error.then}") from None
        # networks and tables of a data set are about heating scans
        cooled = next((number for number, rate in enumerate(program.scan_rates, 1) if rate < 0), None)
        if cooled is not None:
            raise ValueError(f"program: the recorded scan of cycle {cooled} cools. A data set has heating scans.")
        return self
