"""The set network of the estimator, as it is trained. `lehr.glass.estimator.network` is the same function in NumPy."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from lehr.glass.estimator.constants import CONDITIONS, FEATURES, LAYERS, LOG_PRECISION_RANGE, OUTPUTS

__all__ = ["build_estimator", "estimator_weights", "negative_log_likelihood"]

Tensor = Any  # whatever the Keras backend computes with


def build_estimator(width: int, head: int) -> keras.Model:
    """Build the network, a function of a set: scans in any order and number.

    Parameters
    ----------
    width : int
        Neurons of each layer that sees one scan.
    head : int
        Neurons of each layer that sees all scans.
    """
    scans = keras.Input((None, FEATURES), name="scans")
    common = keras.Input((CONDITIONS,), name="conditions")

    def dense(name: str, **options: Any) -> keras.layers.Dense:
        return keras.layers.Dense(head if name.startswith("head") else width, name=name, **options)

    mean = keras.layers.GlobalAveragePooling1D
    spread = SpreadOver()([common, scans])
    first = ops.silu(dense("scan_1")(keras.layers.Concatenate()([scans, spread])))
    second = first + ops.silu(dense("scan_2")(first))
    context = dense("context", use_bias=False)(mean()(second))
    third = second + ops.silu(dense("scan_3")(second) + ops.expand_dims(context, 1))
    fourth = third + ops.silu(dense("scan_4")(third))
    pooled = keras.layers.Concatenate()([mean()(second), mean()(fourth), common])
    hidden = ops.silu(dense("head_1")(pooled))
    last = keras.layers.Dense(OUTPUTS, kernel_initializer=keras.initializers.VarianceScaling(0.1), name="output")
    return keras.Model([scans, common], last(hidden + ops.silu(dense("head_2")(hidden))))


@keras.saving.register_keras_serializable(package="lehr")
class SpreadOver(keras.layers.Layer):
    """Give each scan the conditions of its sample: (n, conditions) and (n, cycles, ...) to (n, cycles, conditions)."""

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Repeat the conditions."""
        common, scans = inputs
        return ops.expand_dims(common, 1) + 0.0 * scans[..., :1]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int | None, int]:
        """Return the shape of the repeated conditions."""
        common, scans = input_shape
        return scans[0], scans[1], common[1]


def estimator_weights(network: keras.Model) -> dict[str, NDArray[np.float32]]:
    """Return the weights as the NumPy function takes them."""
    weights = {}
    for name in LAYERS:
        layer = network.get_layer(name)
        for variable in layer.weights:
            weights[f"{name}/{variable.name}"] = np.asarray(variable, np.float32)
    return weights


def negative_log_likelihood(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Minus the logarithm of the normal density that the outputs describe, without its constant, shape (batch,).

    Precision U^T U of the errors r, U = diag(exp d) (1 + N), N strictly upper triangular: no matrix is inverted.
    """
    error = y_true - y_pred[:, :4]
    log_scale = ops.clip(y_pred[:, 4:8], *LOG_PRECISION_RANGE)
    n = y_pred[:, 8:]
    e0, e1, e2, e3 = (error[:, i] for i in range(4))
    mixed = ops.stack(
        [e0 + n[:, 0] * e1 + n[:, 1] * e2 + n[:, 2] * e3, e1 + n[:, 3] * e2 + n[:, 4] * e3, e2 + n[:, 5] * e3, e3],
        axis=1,
    )
    return ops.sum(0.5 * ops.square(ops.exp(log_scale) * mixed) - log_scale, axis=1)
