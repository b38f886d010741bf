"""The networks of the paper: signals in, TNM parameters out.

Importing this package is cheap; Keras is loaded with the module that builds a network. Nothing here names a backend:
the layers use `keras.ops` alone, and a saved network loads under any.
"""

from __future__ import annotations

import os

from lehr.glass.networks.scaling import TargetScaling

# Where the backend is TensorFlow: no greetings, but warnings and errors. It reads this when it is loaded.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

__all__ = ["TargetScaling"]
