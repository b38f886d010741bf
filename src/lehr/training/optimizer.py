"""The optimizer that a config asks for."""

from __future__ import annotations

import keras

from lehr.config import TrainingConfig
from lehr.errors import LehrError

__all__ = ["build_optimizer"]


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
