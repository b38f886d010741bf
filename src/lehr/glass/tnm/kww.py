r"""The Kohlrausch-Williams-Watts function as a sum of exponentials.

The TNM model relaxes as :math:`\exp(-u^\beta)` in reduced time :math:`u` (Eq. 1 of the paper). Written as
:math:`\sum_i w_i \exp(-\lambda_i u)`, the memory integral becomes one linear equation for each mode, and a scan costs
O(N) instead of O(N^2). Rates are geometric, so that the kernel gets most of its exponentials by squaring.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import gamma

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.tnm.kww_table import NODES, RANGES, chebyshev

__all__ = ["BETA_RANGE", "MAX_ERROR", "KWWKernel"]

BETA_RANGE = (0.1, 1.0)
"""Range of beta that the table covers."""

MAX_ERROR = 5.5e-7
"""Largest absolute error of a sum over all u >= 0 and all beta; the tests measure it."""


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
        Weights, of either sign; they sum to 1 within `MAX_ERROR`.
    chains : int
        Rates in each octave.
    """

    beta: float
    rates: NDArray[np.float64]
    weights: NDArray[np.float64]
    chains: int

    @property
    def terms(self) -> int:
        """Number of exponentials."""
        return self.rates.size

    @property
    def mean_time(self) -> float:
        """Mean relaxation time in units of tau, Gamma(1 + 1/beta)."""
        return gamma(1.0 + 1.0 / self.beta)

    def __call__(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate the sum at reduced times `u`."""
        return np.asarray(np.exp(-np.multiply.outer(u, self.rates)) @ self.weights)

    @staticmethod
    def of(beta: float) -> KWWKernel:
        """Return the exponential sum for one beta, from the table by barycentric interpolation.

        Raises
        ------
        LehrError
            If `beta` is outside [0.1, 1].
        """
        _check(beta)
        if beta == 1.0:
            return KWWKernel(beta, np.ones(1), np.ones(1), 1)
        number, rates, weights, _ = _range_of(beta)
        return KWWKernel(beta, rates, _interpolate(beta, number, weights), RANGES[number][2])

    @staticmethod
    def with_derivative(beta: float) -> tuple[KWWKernel, KWWKernel]:
        """Return the exponential sum for one beta, and the sum of the same rates that is its derivative by beta.

        At beta = 1 the first is not the single exponential of `of`, but within 1e-9 of it: the derivative needs the
        rates beside it.

        Raises
        ------
        LehrError
            If `beta` is outside [0.1, 1].
        """
        _check(beta)
        number, rates, weights, slopes = _range_of(beta)
        sums = (_interpolate(beta, number, at_nodes) for at_nodes in (weights, slopes))
        kernel, by_beta = (KWWKernel(beta, rates, values, RANGES[number][2]) for values in sums)
        return kernel, by_beta


def _check(beta: float) -> None:
    if not BETA_RANGE[0] <= beta <= BETA_RANGE[1]:
        raise LehrError(f"beta = {beta} is out of range", f"beta must lie in {list(BETA_RANGE)}.")


def _range_of(beta: float) -> tuple[int, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the range that a beta lies in, the rates, and the weights and their slopes at the nodes."""
    number = next(i for i, (_, last, _) in enumerate(RANGES) if beta <= last)
    return number, *_table(number)


def _interpolate(beta: float, number: int, at_nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    nodes, signed = _nodes(number)
    distance = beta - nodes
    nearest = int(np.abs(distance).argmin())
    if abs(distance[nearest]) < 1e-14:
        return np.asarray(at_nodes[nearest])
    share = signed / distance
    # einsum adds in a fixed order; a product of BLAS would depend on the number of threads
    return np.asarray(np.einsum("i,ij->j", share / share.sum(), at_nodes))


@cache
def _nodes(number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the nodes of a range of beta and their barycentric weights."""
    first, last, _ = RANGES[number]
    order = np.arange(NODES)
    return chebyshev(first, last), (-1.0) ** order * np.sin((2 * order + 1) * np.pi / (2 * NODES))


@cache
def _table(number: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates of a range of beta, and the weights and their slopes at the nodes.

    The slopes are those of the polynomial through the weights: it is of degree 15, so that the nodes interpolate its
    derivative without a further error.
    """
    with files("lehr.glass.tnm").joinpath("kww.npz").open("rb") as file, np.load(file) as table:
        rates, weights = (np.ascontiguousarray(table[f"{name}_{number}"]) for name in ("rates", "weights"))
    nodes, signed = _nodes(number)
    differentiation = signed / signed[:, None] / (nodes[:, None] - nodes + np.eye(NODES))
    np.fill_diagonal(differentiation, 0.0)
    np.fill_diagonal(differentiation, -differentiation.sum(axis=1))
    return rates, weights, np.einsum("ij,jk->ik", differentiation, weights)
