"""The network of the estimator in NumPy: a function of a set of scans, in a few matrix products.

Keras trains the same function, `lehr.glass.estimator.layers`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAYERS", "OUTPUTS", "forward"]

Values = NDArray[np.float32]

LAYERS = ("scan_1", "scan_2", "scan_3", "context", "scan_4", "head_1", "head_2", "output")
"""Dense layers; each has a kernel and a bias, `context` a kernel alone."""

OUTPUTS = 14
"""Mean, logarithms of the diagonal, and off-diagonal of the factor of the precision: 4 + 4 + 6."""


def forward(weights: Mapping[str, NDArray[Any]], scans: Values, conditions: Values) -> Values:
    """Apply the network.

    Parameters
    ----------
    weights : mapping of str to ndarray
        `NAME/kernel` and `NAME/bias` of `LAYERS`.
    scans : ndarray of float32, shape (n, cycles, features)
        Features of each scan.
    conditions : ndarray of float32, shape (n, conditions)
        What all scans of a sample have in common.

    Returns
    -------
    ndarray of float32, shape (n, OUTPUTS)
    """

    def dense(name: str, values: Values) -> Values:
        product: Values = values @ weights[f"{name}/kernel"]
        return product + weights[f"{name}/bias"] if f"{name}/bias" in weights else product

    common = np.broadcast_to(conditions[:, None], (*scans.shape[:2], conditions.shape[1]))
    first = _silu(dense("scan_1", np.concatenate([scans, common], axis=-1)))
    second = first + _silu(dense("scan_2", first))
    # what each scan says in the light of all
    context = dense("context", second.mean(axis=1))
    third = second + _silu(dense("scan_3", second) + context[:, None])
    fourth = third + _silu(dense("scan_4", third))
    pooled = np.concatenate([second.mean(axis=1), fourth.mean(axis=1), conditions], axis=-1)
    hidden = _silu(dense("head_1", pooled))
    return dense("output", hidden + _silu(dense("head_2", hidden)))


def _silu(values: Values) -> Values:
    with np.errstate(over="ignore"):  # exp(-x) of a very negative x is inf, and x / inf is 0
        return values / (1 + np.exp(-values))
