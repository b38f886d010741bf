"""Thermal programs: what the furnace does to the glass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError

__all__ = ["ThermalProgram", "default_temperature"]

_SECONDS_PER_MINUTE = 60.0
_ZERO_CELSIUS = 273.15


@dataclass(frozen=True)
class ThermalProgram:
    """Cycles of cooling and heating; only the heating scans are recorded.

    Each cycle starts from equilibrium at the highest temperature of the signal, cools to the lowest and heats back.

    Attributes
    ----------
    cooling_rates : tuple of float
        Cooling rate of each cycle, K/min, positive.
    heating_rates : tuple of float
        Heating rate of each cycle, K/min, positive.
    """

    cooling_rates: tuple[float, ...]
    heating_rates: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.cooling_rates:
            raise LehrError("a thermal program needs at least one cycle")
        if len(self.cooling_rates) != len(self.heating_rates):
            raise LehrError("a thermal program needs as many heating rates as cooling rates")
        for rate in (*self.cooling_rates, *self.heating_rates):
            if not (isfinite(rate) and rate > 0):
                raise LehrError(f"rate {rate} K/min is out of range", "Rates are positive, for cooling too.")

    @classmethod
    def chr_cycles(
        cls,
        cooling_rates: Sequence[float] = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0),
        heating_rate: float = 10.0,
    ) -> ThermalProgram:
        """Constant-heating-rate cycles; the defaults are Table 1 of the paper. Rates in K/min."""
        return cls(tuple(map(float, cooling_rates)), (float(heating_rate),) * len(cooling_rates))

    @property
    def cycles(self) -> int:
        """Number of cycles."""
        return len(self.cooling_rates)

    def kernel_cycles(self, low: float, high: float) -> NDArray[np.float64]:
        """Rows of cooling rate, heating rate (K/s), high and low temperature (K), as the compiled kernel takes them."""
        rates = np.array([self.cooling_rates, self.heating_rates]).T / _SECONDS_PER_MINUTE
        ends = np.broadcast_to([high, low], rates.shape)
        return np.ascontiguousarray(np.hstack([rates, ends]))


def default_temperature() -> NDArray[np.float64]:
    """Temperatures of the paper in K: -250 to 1600 degC every 0.1 K, 18501 points."""
    return _ZERO_CELSIUS - 250.0 + 0.1 * np.arange(18501)
