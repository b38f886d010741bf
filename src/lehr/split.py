"""Which samples a network learns from, is chosen on and is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SPLITS", "Split"]

SPLITS = ("train", "validation", "test")

# Columns ln_A, delta_h, x, beta as fixed-point numbers: the last bits of a float may differ between two ways to the
# same grid value.
_FIXED_POINT = np.array([1e6, 1e2, 1e9, 1e9])


@dataclass(frozen=True)
class Split:
    """Train, validation and test shares, drawn by a hash of the parameters.

    A quartet is in the same split in every state space that has it, so growing a grid moves no sample.

    Attributes
    ----------
    train, validation : float
        Shares; the rest is the test split.
    seed : int
        Another seed draws another split.
    by : "sample" or "cell"
        What is drawn: each quartet, or each (ln_A, delta_h) with all its x and beta. By sample, the neighbours of a
        test sample of a dense grid are mostly in the training split: the test measures interpolation between them.
    """

    train: float = 0.70
    validation: float = 0.15
    seed: int = 0
    by: Literal["sample", "cell"] = "sample"

    def assign(self, parameters: ArrayLike) -> NDArray[np.int8]:
        """Return the index into `SPLITS` of each quartet.

        Parameters
        ----------
        parameters : array_like, shape (n, 4)
            Columns ln_A, delta_h (J/mol), x, beta.

        Returns
        -------
        ndarray of int8, shape (n,)
        """
        rows = np.atleast_2d(np.asarray(parameters, dtype=float))
        hashed = slice(None) if self.by == "sample" else slice(2)
        fixed = np.rint(rows[:, hashed] * _FIXED_POINT[hashed]).astype(np.int64).astype(np.uint64)
        state = np.full(len(rows), self.seed, dtype=np.uint64)
        for column in fixed.T:
            state = _mix(state ^ column)
        uniform = (state >> np.uint64(11)).astype(float) / 2.0**53
        return np.digitize(uniform, [self.train, self.train + self.validation]).astype(np.int8)


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One round of the SplitMix64 generator, a bijection that spreads every bit (Steele, Lea and Flood, 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
