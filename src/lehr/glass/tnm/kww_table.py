"""Make ``kww.npz``, the table of exponential sums: ``python -m lehr.glass.tnm.kww_table``.

It is made once and shipped. Least squares at run time would give other bits on another number of threads or another
processor, and cost more than a simulation.

In each range of beta the rates are fixed: powers of 2^(1/chains), so that the rate 1 of beta = 1 is among them. The
weights are a linear function of exp(-u^beta) then, hence smooth in beta: 16 Chebyshev nodes interpolate them to better
than the fit itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RANGES = ((0.1, 0.13, 1), (0.13, 0.2, 1), (0.2, 0.3, 1), (0.3, 0.44, 1), (0.44, 0.7, 2), (0.7, 1.0, 3))
"""First and last beta, rates in each octave. The spectrum narrows towards beta = 1 and needs a finer grid there."""

NODES = 16
_TARGET = 1e-7  # the function is followed from where it has left 1 by this to where this is left of it
_RIDGE = 1e-9  # keeps the weights of neighbouring rates from cancelling each other


def chebyshev(first: float, last: float) -> NDArray[np.float64]:
    """Return the Chebyshev nodes of a range, shape (NODES,)."""
    angle = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
    return np.asarray((first + last) / 2 + (last - first) / 2 * np.cos(angle))


def _fit(first: float, last: float, chains: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rates of a range, and the weights at its nodes, shape (NODES, terms)."""
    slowest = min(np.log2(0.05) - np.log2(-np.log(_TARGET)) / beta for beta in (first, last))
    fastest = max(np.log2(3.0) - np.log2(_TARGET) / beta for beta in (first, last))
    rates = 2.0 ** (np.arange(np.floor(slowest * chains), np.ceil(fastest * chains) + 1) / chains)
    u = np.exp(np.linspace(-np.log(rates[-1]) - 4, -np.log(rates[0]) + 4, 4 * rates.size))
    total = np.full(rates.size, 10.0)  # weights sum to 1
    ridge = _RIDGE * np.sqrt(u.size) * np.eye(rates.size)
    nodes = chebyshev(first, last)
    target = np.exp(-(u[:, None] ** nodes))
    right = np.vstack([target, np.full((1, NODES), 10.0), np.zeros((rates.size, NODES))])
    weights = np.linalg.lstsq(np.vstack([np.exp(-np.outer(u, rates)), total, ridge]), right, rcond=None)[0]
    return rates, weights.T


def make() -> dict[str, NDArray[np.float64]]:
    """Return the arrays of the table: ``rates_i`` (terms,) and ``weights_i`` (NODES, terms) of each range i."""
    table = {}
    for i, (first, last, chains) in enumerate(RANGES):
        table[f"rates_{i}"], table[f"weights_{i}"] = _fit(first, last, chains)
    return table


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("kww.npz"), **make())
