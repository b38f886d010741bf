r"""Coordinates in which a fit is well conditioned.

A DSC scan says well when the glass relaxes and over how many kelvin, so ln A and dh, which are the intercept and the
slope far from it, are correlated at -0.9999. At a reference temperature Tm inside the transition

.. math:: \theta = (\ln [\Delta h / (R T_m)], \ln A + \Delta h / (R T_m), x, \beta)

are nearly independent: the steepness and the logarithm of the relaxation time in s at Tm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.glass.tnm import GAS_CONSTANT, LN_REFERENCE_TIME, TNMParameters
from lehr.glass.tnm.kww import BETA_RANGE

__all__ = ["LOWER", "PARAMETERS", "QUANTITIES", "UPPER", "Coordinates", "Held"]

PARAMETERS = ("ln_A", "delta_h", "x", "beta")
"""The columns of every parameter array."""

QUANTITIES = (*PARAMETERS, "glass_transition")
"""The parameters and the temperature in K where tau = 100 s, which is known better than ln A and dh are."""

LOWER = np.array([np.log(5.0), -40.0, 0.05, BETA_RANGE[0]])
UPPER = np.array([np.log(2000.0), 40.0, 1.0, BETA_RANGE[1]])
"""Bounds of theta: fragile and strong beyond any glass, a transition that any scan has passed, x and beta possible."""


@dataclass(frozen=True)
class Coordinates:
    """Theta at a reference temperature.

    Attributes
    ----------
    reference : float
        Tm in K, inside the transition.
    """

    reference: float

    def theta(self, parameters: ArrayLike) -> NDArray[np.float64]:
        """Return theta of parameters, shape (..., 4)."""
        ln_a, delta_h, x, beta = np.moveaxis(np.asarray(parameters, dtype=float), -1, 0)
        steepness = delta_h / (GAS_CONSTANT * self.reference)
        return np.stack([np.log(steepness), ln_a + steepness, x, beta], axis=-1)

    def parameters(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Return ln_A, delta_h (J/mol), x and beta of theta, shape (..., 4)."""
        log_steepness, ln_tau, x, beta = np.moveaxis(np.asarray(theta, dtype=float), -1, 0)
        steepness = np.exp(log_steepness)
        return np.stack([ln_tau - steepness, steepness * GAS_CONSTANT * self.reference, x, beta], axis=-1)

    def glass(self, theta: ArrayLike) -> TNMParameters:
        """Return the glass of theta, shape (4,)."""
        return TNMParameters(*self.parameters(theta).tolist())

    def derivatives(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Return the derivatives of the quantities, shape (5, 4).

        That of Tg is written without the cancellation that comes from those of ln A and dh.
        """
        log_steepness, ln_tau, _, _ = np.asarray(theta, dtype=float)
        steepness = np.exp(log_steepness)
        # Tg = Tm steepness / (steepness + ln 100 - ln tau(Tm))
        rest = LN_REFERENCE_TIME - ln_tau
        slope = self.reference * steepness / (steepness + rest) ** 2
        return np.array(
            [
                [-steepness, 1.0, 0.0, 0.0],
                [steepness * GAS_CONSTANT * self.reference, 0.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 0.0],
                [0.0, 0.0, 0.0, 1.0],
                [slope * rest, slope, 0.0, 0.0],
            ]
        )

    def values(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Return the five quantities of theta, shape (5,)."""
        glass = self.glass(theta)
        return np.array([*glass.as_tuple(), glass.glass_transition])


@dataclass(frozen=True)
class Held:
    """One quantity held at a value, while the other coordinates of a point are free.

    Attributes
    ----------
    quantity : str
        One of `QUANTITIES`.
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
