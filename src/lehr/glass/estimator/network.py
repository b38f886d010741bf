"""The network of the estimator in NumPy: its weights, a function of a set of scans, and what its outputs say.

Keras trains the same function, `lehr.glass.estimator.layers`; a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.glass.estimator.constants import LOG_PRECISION_RANGE

__all__ = ["forward", "inverse_root", "load_weights", "posterior", "read_weights"]

Values = NDArray[np.float32]


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


def posterior(
    weights: Mapping[str, NDArray[np.float32]], scans: NDArray[np.float32], conditions: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means, shape (n, 4), and roots C of the covariances C C^T of the answers, shape (n, 4, 4)."""
    # far from the transition all scans are much alike: what tells them apart has to be as large there as elsewhere
    alike = (scans - weights["scans/shift"]) / weights["scans/scale"]
    outputs = forward(weights, alike, conditions).astype(np.float64)
    scale = weights["answers/scale"].astype(np.float64)
    mean = outputs[:, :4] * scale + weights["answers/shift"]
    return mean, scale[:, None] * inverse_root(outputs)


def inverse_root(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return C = U^-1, shape (n, 4, 4), for the factor U = diag(exp d) (1 + N) of the precision."""
    upper = np.tile(np.eye(4), (len(outputs), 1, 1))
    upper[:, *np.triu_indices(4, 1)] = outputs[:, 8:]
    return np.asarray(np.linalg.inv(np.exp(np.clip(outputs[:, 4:8], *LOG_PRECISION_RANGE))[:, :, None] * upper))


@cache
def load_weights() -> dict[str, NDArray[np.float32]]:
    """Return the weights that come with lehr, in float32."""
    with resources.as_file(resources.files("lehr.glass.estimator") / "estimator.npz") as path:
        return read_weights(path)[0]


def read_weights(path: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Return weights and their record."""
    with np.load(path) as content:
        weights = {name: content[name].astype(np.float32) for name in content.files if name != "record"}
        return weights, json.loads(str(content["record"]))
