r"""The Kohlrausch-Williams-Watts function as a sum of exponentials.

The TNM model relaxes as :math:`\exp(-u^\beta)` in reduced time :math:`u` (Eq. 1 of the paper). Written as
:math:`\sum_i w_i \exp(-\lambda_i u)`, the memory integral becomes one linear equation for each mode, and a scan costs
O(N) instead of O(N^2). Rates are geometric, so that the kernel gets most of its exponentials by squaring.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gamma

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError

__all__ = ["BETA_RANGE", "KWWKernel"]

BETA_RANGE = (0.1, 1.0)
"""Range of beta in which the exponential sum was checked."""


@dataclass(frozen=True, eq=False)
class KWWKernel:
    r"""Exponential sum :math:`\exp(-u^\beta) \approx \sum_i w_i \exp(-\lambda_i u)`.

    Attributes
    ----------
    beta : float
        Non-exponentiality, in [0.1, 1].
    rates : ndarray, shape (terms,)
        Rates in units of 1/tau, ascending; ``rates[i] = rates[0] * 2**(i / chains)``.
    weights : ndarray, shape (terms,)
        Weights, of either sign; they sum to 1 within `max_error`.
    chains : int
        Rates in each octave.
    max_error : float
        Largest absolute error over all u >= 0, found on a grid finer than that of the fit.
    """

    beta: float
    rates: NDArray[np.float64]
    weights: NDArray[np.float64]
    chains: int
    max_error: float

    @property
    def mean_time(self) -> float:
        """Mean relaxation time in units of tau, Gamma(1 + 1/beta)."""
        return gamma(1.0 + 1.0 / self.beta)

    def __call__(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate the sum at reduced times `u`."""
        return np.asarray(np.exp(-np.multiply.outer(u, self.rates)) @ self.weights)

    @staticmethod
    @lru_cache(maxsize=256)
    def fit(beta: float) -> KWWKernel:
        """Fit the exponential sum for one beta by regularised least squares.

        Raises
        ------
        LehrError
            If `beta` is outside [0.1, 1].
        """
        low, high = BETA_RANGE
        if not low <= beta <= high:
            raise LehrError(f"beta = {beta} is out of range", f"beta must lie in [{low}, {high}].")
        if beta == 1.0:
            return KWWKernel(beta, np.ones(1), np.ones(1), 1, 0.0)
        # The spectrum narrows towards beta = 1 and needs a finer grid there.
        chains = 1 if beta <= 0.4 else 2 if beta <= 0.62 else 4
        # u from where the function leaves 1 by 1e-7 to where 1e-7 of it is left
        first, last = 1e-7 ** (1.0 / beta), 16.0 ** (1.0 / beta)
        octaves = np.log2(3.0 / first) - np.log2(0.05 / last)
        terms = int(np.ceil(octaves * chains)) + 1
        rates = 0.05 / last * 2.0 ** (np.arange(terms) / chains)

        u = np.geomspace(first / 8.0, last * 8.0, 4 * terms)
        ridge = 1e-9 * np.sqrt(u.size)  # keeps the weights of neighbouring rates from cancelling each other
        matrix = np.vstack([np.exp(-np.outer(u, rates)), np.full(terms, 10.0), ridge * np.eye(terms)])
        target = np.concatenate([np.exp(-(u**beta)), [10.0], np.zeros(terms)])
        q, r = np.linalg.qr(matrix)  # the ridge makes it regular; several times faster than lstsq
        weights = np.linalg.solve(r, q.T @ target)

        check = np.concatenate([[0.0], np.geomspace(first / 150.0, last * 150.0, 2001)])
        error = np.exp(-np.outer(check, rates)) @ weights - np.exp(-(check**beta))
        return KWWKernel(beta, rates, weights, chains, float(np.abs(error).max()))
