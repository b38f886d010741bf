"""Which samples a network learns from, is chosen on and is tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLITS", "Split"]

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Train, validation and test shares, drawn by a hash of what decides a sample.

    A sample is in the same split in every data set that has it, so growing a grid moves no sample.

    Attributes
    ----------
    train, validation : float
        Shares; the rest is the test split.
    seed : int
        Another seed draws another split.
    by : str
        What is drawn: a name of `lehr.study.Source.split_keys`. Of glasses, "sample" draws each quartet, "cell" each
        (ln_A, delta_h) with all its x and beta. By sample, the neighbours of a test sample of a dense grid are mostly
        in the training split: the test measures interpolation between them.
    """

    train: float = 0.70
    validation: float = 0.15
    seed: int = 0
    by: str = "sample"

    def assign(self, keys: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return the index into `SPLITS` of each sample.

        Parameters
        ----------
        keys : ndarray of int, shape (n, k)
            What is hashed, see `lehr.study.Source.keys`.

        Returns
        -------
        ndarray of int8, shape (n,)
        """
        state = np.full(len(keys), self.seed, dtype=np.uint64)
        for column in keys.astype(np.uint64).T:
            state = _mix(state ^ column)
        uniform = (state >> np.uint64(11)).astype(float) / 2.0**53
        return np.digitize(uniform, [self.train, self.train + self.validation]).astype(np.int8)


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One round of the SplitMix64 generator, a bijection that spreads every bit (Steele, Lea and Flood, 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
