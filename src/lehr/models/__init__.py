"""The estimators: signals in, TNM parameters out.

Importing this package is cheap; Keras is loaded when a network is built or read. Nothing here names a backend: the
layers use `keras.ops` alone, and a saved network loads under any.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lehr.models.scaling import PARAMETERS, TargetScaling

# Where the backend is TensorFlow: no greetings, but warnings and errors. It reads this when it is loaded.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

if TYPE_CHECKING:
    from lehr.models.mcnn import build_mcnn
    from lehr.models.network import Network, load_network, predict

__all__ = ["PARAMETERS", "Network", "TargetScaling", "build_mcnn", "load_network", "predict"]


def __getattr__(name: str) -> Any:
    if name == "build_mcnn":
        from lehr.models.mcnn import build_mcnn

        return build_mcnn
    if name in ("Network", "load_network", "predict"):
        from lehr.models import network

        return getattr(network, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
