r"""Coordinates in which a fit is well conditioned.

A DSC scan says well when the glass relaxes and over how many kelvin, so ln A and dh, which are the intercept and the
slope far from it, are correlated at -0.9999. At a reference temperature Tm inside the transition

.. math:: \theta = (\ln [\Delta h / (R T_m)], \ln A + \Delta h / (R T_m), x, \beta)

are nearly independent: the steepness and the logarithm of the relaxation time in s at Tm.

Theta is that for other models too: of the TNM glass that touches the glass at T = Tf = Tm. So bounds, starts and what a
fit says in terms of dh and x are the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.glass.tnm.kww import BETA_RANGE
from lehr.glass.tnm.parameters import GAS_CONSTANT, LN_REFERENCE_TIME, RelaxationModel, TNMParameters

__all__ = ["LOWER", "UPPER", "Coordinates"]

LOWER = np.array([np.log(5.0), -40.0, 0.05, BETA_RANGE[0]])
UPPER = np.array([np.log(2000.0), 40.0, 1.0, BETA_RANGE[1]])
"""Bounds of theta: fragile and strong beyond any glass, a transition that any scan has passed, x and beta possible."""


@dataclass(frozen=True)
class Coordinates:
    """Theta at a reference temperature.

    Attributes
    ----------
    reference : float, or ndarray of shape (...)
        Tm in K, inside the transition; one for all glasses, or one for each (which `theta` takes).
    model : type
        `TNMParameters`, `AdamGibbsParameters` or `MAPParameters`: what `glass` returns.
    """

    reference: Any
    model: type[RelaxationModel] = TNMParameters

    def theta(self, parameters: ArrayLike) -> NDArray[np.float64]:
        """Return theta of parameters of TNM, shape (..., 4)."""
        ln_a, delta_h, x, beta = np.moveaxis(np.asarray(parameters, dtype=float), -1, 0)
        steepness = delta_h / (GAS_CONSTANT * self.reference)
        return np.stack([np.log(steepness), ln_a + steepness, x, beta], axis=-1)

    def parameters(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Return ln_A, delta_h (J/mol), x and beta of theta, shape (..., 4): those of TNM."""
        return TNMParameters.touching(np.asarray(theta, dtype=float), self.reference)

    def tnm(self, theta: ArrayLike) -> TNMParameters:
        """Return the TNM glass of theta, shape (4,)."""
        return TNMParameters(*self.parameters(theta).tolist())

    def glass_parameters(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Return the parameters of the glasses of theta in the model, shape (..., parameters)."""
        return self.model.touching(np.asarray(theta, dtype=float), self.reference)

    def glass(self, theta: ArrayLike) -> RelaxationModel:
        """Return the glass of theta, shape (4,), in the model."""
        return self.model(*self.glass_parameters(theta).tolist())

    def glass_derivatives(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Return the derivatives of the parameters of the model by theta, shape (parameters, 4)."""
        if self.model is TNMParameters:
            return self.derivatives(theta)[:4]
        # complex steps: exact to rounding, as nothing is subtracted
        points = np.asarray(theta, dtype=float) + 1e-30j * np.eye(4)
        return np.asarray(self.model.touching(points, self.reference).imag.T / 1e-30)

    def derivatives(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Return the derivatives of the quantities of TNM, shape (5, 4).

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
        """Return the five quantities of TNM of theta, shape (5,)."""
        glass = self.tnm(theta)
        return np.array([*glass.as_tuple(), glass.glass_transition])
