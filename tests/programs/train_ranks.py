"""Two Horovod ranks: what each one's weights are after training with the adapter and without it.

horovodrun -np 2 --gloo python train_ranks.py CONFIG FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lehr.studies import load_run
from lehr.training import callbacks, train
from lehr.training.horovod import HorovodRanks, start

config = load_run(sys.argv[1])
folder = Path(sys.argv[2])
ranks = start(2)


def own_data(ranks: HorovodRanks) -> tuple[Any, Any]:
    """Data that no other rank sees."""
    random = np.random.default_rng(ranks.rank)
    return random.uniform(0, 1, (8, 6)).astype(np.float32), random.uniform(0, 1, (8, 4)).astype(np.float32)


def trained(ranks: HorovodRanks, *, averaged: bool) -> tuple[Any, Any]:
    """Weights and optimizer state after a few steps from common ones, and states of dropout, as flat arrays."""
    keras.utils.set_random_seed(ranks.rank)
    layers = [keras.layers.Dense(16, activation="tanh"), keras.layers.Dropout(0.2), keras.layers.Dense(4)]
    network = keras.Sequential([keras.Input((6,)), *layers])
    optimizer = keras.optimizers.Adam(0.01)
    network.compile(ranks.optimizer(optimizer) if averaged else optimizer, "mse", jit_compile=False)
    ranks.broadcast_weights(network)
    inputs, targets = own_data(ranks)
    for _ in range(5):
        network.train_on_batch(inputs, targets)
    return flat([*network.weights, *network.optimizer.variables]), flat([layers[1].seed_generator.state])


def flat(variables: Any) -> Any:
    """One array of many variables."""
    return np.concatenate([np.ravel(np.asarray(variable, np.float64)) for variable in variables])


class Recording(callbacks.Validation):
    """Keeps what this rank has after each epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate and write."""
        super().on_epoch_end(epoch, logs)
        np.save(
            folder / f"epoch-{epoch}-{ranks.rank}.npy", flat([*self.model.weights, *self.model.optimizer.variables])
        )


for averaged in (True, False):
    weights, seeds = trained(ranks, averaged=averaged)
    np.save(folder / f"averaged-{averaged}-{ranks.rank}.npy", weights)
    np.save(folder / f"dropout-{averaged}-{ranks.rank}.npy", seeds)
callbacks.Validation = Recording  # type: ignore[misc]
train(config, "C")
