"""A quantity that is fixed at a value, while a fit varies the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.glass.tnm import GAS_CONSTANT, LN_REFERENCE_TIME

__all__ = ["FixedQuantity"]


@dataclass(frozen=True)
class FixedQuantity:
    """One quantity fixed at a value, while the other coordinates of a point are free.

    Attributes
    ----------
    quantity : str
        Name of one of `lehr.glass.quantities.QUANTITIES`.
    value : float
        In its unit.
    reference : float
        Tm in K of the coordinates.
    """

    quantity: str
    value: float
    reference: float

    @property
    def column(self) -> int:
        """The coordinate that follows from the others."""
        return {"delta_h": 0, "x": 2, "beta": 3}.get(self.quantity, 1)

    def free(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Leave out the coordinate that follows from the others."""
        return np.delete(point, self.column)

    def point(self, free: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the whole point."""
        return np.insert(free, self.column, self._dependent(np.exp(free[0]))[0])

    def derivatives(self, free: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives of the whole point by the free coordinates, shape (free + 1, free)."""
        rows = np.insert(np.eye(free.size), self.column, 0.0, axis=0)
        rows[self.column, 0] = self._dependent(np.exp(free[0]))[1]
        return rows

    def _dependent(self, steepness: float) -> tuple[float, float]:
        """Return the coordinate, and its derivative by the logarithm of the steepness where that is free."""
        if self.quantity == "ln_A":
            return self.value + steepness, steepness
        if self.quantity == "glass_transition":
            change = steepness * (1.0 - self.reference / self.value)
            return LN_REFERENCE_TIME + change, change
        if self.quantity == "delta_h":
            return float(np.log(self.value / (GAS_CONSTANT * self.reference))), 0.0
        return self.value, 0.0
