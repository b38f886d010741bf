"""What a saved network says, and its weights after one step, under the backend that KERAS_BACKEND names.

python one_step.py FOLDER, with network.keras and signals.npy in FOLDER; writes BACKEND.npz.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

import lehr.glass.networks.mcnn  # noqa: F401 -- registers the layers with Keras

folder = Path(sys.argv[1])
signals = np.load(folder / "signals.npy")
network = keras.saving.load_model(folder / "network.keras")
outputs = network.predict_on_batch(signals)
# a step of length 1: the weights change by the gradient
network.compile(keras.optimizers.SGD(1.0), "mse")
network.train_on_batch(signals, np.full((len(signals), 4), 0.5, np.float32))
names = [variable.path for variable in network.weights]
np.savez(
    folder / f"{keras.backend.backend()}.npz", outputs=outputs, **dict(zip(names, network.get_weights(), strict=True))
)
