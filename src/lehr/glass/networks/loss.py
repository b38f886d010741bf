"""The loss of the paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from lehr.config.section import Section
from lehr.glass.quantities import PARAMETERS

__all__ = ["WeightedSquaredError"]


@keras.saving.register_keras_serializable(package="lehr")
class WeightedSquaredError(keras.losses.Loss):
    """Mean over the four parameters of w_k (true - predicted)^2, normalised (Eq. 9 to 11 of the paper).

    Parameters
    ----------
    weights : iterable of float
        w_k in the order ln A, delta_h, x, beta.
    """

    def __init__(self, weights: Iterable[float], **options: Any) -> None:
        super().__init__(**{"name": "weighted_squared_error", **options})
        self.weights = [float(weight) for weight in weights]

    @classmethod
    def from_section(cls, weights: Section) -> WeightedSquaredError:
        """Return the loss that a config asks for, of its section `LossWeights`."""
        return cls(getattr(weights, quantity.name) for quantity in PARAMETERS)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample, shape (batch,), for two arrays of shape (batch, 4)."""
        weights = ops.convert_to_tensor(self.weights, dtype=y_pred.dtype)
        return ops.mean(weights * ops.square(y_true - y_pred), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return what it takes to make this loss again."""
        return {**super().get_config(), "weights": self.weights}
