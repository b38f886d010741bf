"""Training of the networks, data-parallel over Horovod ranks.

Importing this package is cheap; Keras and TensorFlow are loaded when a training starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lehr.training.driver import train

__all__ = ["train"]


def __getattr__(name: str) -> Any:
    if name == "train":
        from lehr.training.driver import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
