"""The four targets: their order, and the min-max normalisation the networks are trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["TargetScaling"]

# Table 3 of the paper: the limits of the whole state space with a reserve of a factor 1.2. The reserve of ln A goes
# outwards at both ends, as that of the other three does (the table's 630 / 1.2 would lie inside the range).
_LOWER = (-630.0 * 1.2, 2e5 / 1.2, 0.2 / 1.2, 0.2 / 1.2)
_UPPER = (-18.0 / 1.2, 12e5 * 1.2, 1.0 * 1.2, 1.0 * 1.2)


@dataclass(frozen=True)
class TargetScaling:
    """Min-max normalisation ``y_n = (y - lower) / (upper - lower)`` (Eq. 8 of the paper).

    Attributes
    ----------
    lower, upper : tuple of float
        Limits of ln A, delta_h (J/mol), x and beta that become 0 and 1.
    """

    lower: tuple[float, float, float, float] = _LOWER
    upper: tuple[float, float, float, float] = _UPPER

    @property
    def width(self) -> NDArray[np.float64]:
        """Upper minus lower limit, shape (4,): a normalised error times this is an error in physical units."""
        return np.subtract(self.upper, self.lower)

    def normalise(self, parameters: ArrayLike) -> NDArray[np.float32]:
        """Return normalised targets.

        Parameters
        ----------
        parameters : array_like, shape (..., 4)
            ln A, delta_h (J/mol), x, beta.

        Returns
        -------
        ndarray of float32, shape (..., 4)
        """
        return ((np.asarray(parameters, np.float64) - self.lower) / self.width).astype(np.float32)

    def denormalise(self, outputs: ArrayLike) -> NDArray[np.float64]:
        """Return ln A, delta_h (J/mol), x, beta of network outputs, both of shape (..., 4)."""
        return np.asarray(outputs, np.float64) * self.width + self.lower
