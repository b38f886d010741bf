"""The loss of the paper, and the optimizer that a config asks for."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from lehr.config import TrainingConfig
from lehr.errors import LehrError
from lehr.glass.config.run import LossWeights
from lehr.glass.networks import PARAMETERS

__all__ = ["WeightedSquaredError", "build_optimizer"]


@keras.saving.register_keras_serializable(package="lehr")
class WeightedSquaredError(keras.losses.Loss):
    """Mean over the four parameters of w_k (true - predicted)^2, normalised (Eq. 9 to 11 of the paper).

    Parameters
    ----------
    weights : sequence of float
        w_k in the order ln A, delta_h, x, beta.
    """

    def __init__(self, weights: Any, **options: Any) -> None:
        super().__init__(**{"name": "weighted_squared_error", **options})
        self.weights = [float(weight) for weight in weights]

    @classmethod
    def from_section(cls, weights: LossWeights) -> WeightedSquaredError:
        """Return the loss that a config asks for."""
        return cls(getattr(weights, name) for name in PARAMETERS)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample, shape (batch,), for two arrays of shape (batch, 4)."""
        weights = ops.convert_to_tensor(self.weights, dtype=y_pred.dtype)
        return ops.mean(weights * ops.square(y_true - y_pred), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return what it takes to make this loss again."""
        return {**super().get_config(), "weights": self.weights}


def build_optimizer(training: TrainingConfig) -> keras.optimizers.Optimizer:
    """Return the Keras optimizer that a config names; `learning_rate` may be a schedule, as Keras writes one.

    Raises
    ------
    LehrError
        If Keras has no such optimizer or it does not take these options.
    """
    name, options = training.optimizer, dict(training.optimizer_options)
    for key, value in options.items():
        if isinstance(value, str) and _is_number(value):
            raise LehrError(
                f"training.optimizer_options.{key}: {value!r} is text, not a number",
                f"YAML takes 1e-3 for text; write {float(value)!r}.",
            )
    rate = options.get("learning_rate")
    if isinstance(rate, (int, float)):
        if not rate > 0:
            raise LehrError(f"training.optimizer_options.learning_rate: {rate} is not positive")
        options["learning_rate"] = float(rate)  # Keras refuses an int
    try:
        kind = type(keras.optimizers.get(name))
    except (KeyError, ValueError):
        raise LehrError(
            f"training.optimizer: Keras has no optimizer '{name}'",
            "It has sgd, adam, adamw, nadam, rmsprop and others: https://keras.io/api/optimizers/",
        ) from None
    try:
        if isinstance(rate, dict):
            options["learning_rate"] = keras.optimizers.schedules.deserialize(rate)
        return kind(**options)
    except (KeyError, TypeError, ValueError) as error:
        reason = str(error).strip() or type(error).__name__
        raise LehrError(
            f"training.optimizer_options: the optimizer '{name}' does not take {training.optimizer_options}: {reason}",
            "Its arguments: https://keras.io/api/optimizers/",
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
