"""What happens beside the gradient steps: common weights, dropout, validation over all ranks, the guard against NaN."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.networks import PARAMETERS, TargetScaling
from lehr.training.checkpoints import Checkpoints
from lehr.training.history import Row, best
from lehr.training.horovod import World

__all__ = ["Broadcast", "Dropout", "Guard", "Validation"]

Batches = Iterable[tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float64]]]


class Broadcast(keras.callbacks.Callback):
    """Start all ranks from the same weights and optimizer state."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Do it before the first batch: a gradient of other weights would be averaged in."""
        del logs
        self._world.broadcast(self.model)


class Validation(keras.callbacks.Callback):
    """Measure every epoch over the samples of all ranks, and keep the best weights.

    Parameters
    ----------
    world : World
        The ranks.
    batches : iterable
        Validation samples of this rank: row numbers, signals and parameters.
    scaling : TargetScaling
        Normalisation of the targets.
    loss_weights : sequence of float
        Weights of the four squared errors.

    Sums and counts are added up over the ranks, so that the means are exact however the samples are dealt. It replaces
    the training loss and MAE in the logs, which are those of one rank, by those of all, and adds `val_loss`, `val_mae`
    (normalised parameters) and `val_mae_NAME` for each parameter (its own unit).

    Attributes
    ----------
    best_mae : float
        Smallest `val_mae`.
    best_weights : list of ndarray
        The weights that it was reached with.
    """

    def __init__(self, world: World, batches: Batches, scaling: TargetScaling, loss_weights: Sequence[float]) -> None:
        super().__init__()
        self._world = world
        self._batches = batches
        self._scaling = scaling
        self._loss_weights = np.array(loss_weights)
        self.best_mae = math.inf
        self.best_weights: list[NDArray[Any]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate."""
        logs = {} if logs is None else logs
        absolute, square, count, size = np.zeros(4), np.zeros(4), 0, 0
        for _, transposed, parameters in self._batches:
            signals = transposed.swapaxes(1, 2)
            size = max(size, len(signals))
            # a short last batch is filled up: another shape would cost seconds of tracing
            filled = np.pad(signals, ((0, size - len(signals)), (0, 0), (0, 0)))
            outputs = self.model.predict_on_batch(filled)[: len(signals)]
            difference = outputs.astype(np.float64) - self._scaling.normalise(parameters)
            absolute += np.abs(difference).sum(axis=0)
            square += np.square(difference).sum(axis=0)
            count += len(signals)
        # the number of steps is the same on all ranks, so the mean of their means is the mean over all samples
        own = [logs["loss"], logs["mae"]]
        total = self._world.sum([*absolute, *square, count, *own])
        absolute, square, count = total[:4] / total[8], total[4:8] / total[8], total[8]
        logs["loss"], logs["mae"] = (total[9:] / self._world.size).tolist()
        logs["val_loss"] = float(np.mean(self._loss_weights * square))
        logs["val_mae"] = float(np.mean(absolute))
        for name, value in zip(PARAMETERS, (absolute * self._scaling.width).tolist(), strict=True):
            logs[f"val_mae_{name}"] = value
        if logs["val_mae"] < self.best_mae:
            self.best_mae = logs["val_mae"]
            self.best_weights = self.model.get_weights()


class Dropout(keras.callbacks.Callback):
    """Begin each epoch with states of dropout that only the seed, the rank and the epoch decide.

    Ranks draw different dropout, and a training that goes on from a checkpoint draws what it would have drawn.
    """

    def __init__(self, world: World, seed: int) -> None:
        super().__init__()
        self._rank = world.rank
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set the state of each `keras.random.SeedGenerator` of the network."""
        del logs
        weights = {id(variable) for variable in self.model.weights}
        states = [variable for variable in self.model.variables if id(variable) not in weights]
        for number, state in enumerate(states):
            # three numbers in the key: the readers draw their orders from keys of one and two
            sequence = np.random.SeedSequence(self._seed, spawn_key=(self._rank, epoch, number))
            state.assign(sequence.generate_state(2))


class Guard(keras.callbacks.Callback):
    """Stop a training that diverges.

    Parameters
    ----------
    checkpoints : Checkpoints
        Where the last good state lies.
    rows : list of dict
        The history, to which each good epoch is added.
    """

    def __init__(self, checkpoints: Checkpoints, rows: Sequence[Row]) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._rows = rows
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remember the epoch."""
        del logs
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the loss; it is the mean over the epoch so far, and stays NaN once it is.

        Raises
        ------
        LehrError
            If it is not finite.
        """
        self._check((logs or {}).get("loss", 0.0), "loss", f"in epoch {self._epoch}, batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the validation: it shows weights that the last batch spoilt. Raises as for a batch."""
        self._check((logs or {}).get("val_mae", 0.0), "val_mae", f"at the end of epoch {epoch + 1}")

    def _check(self, value: float, name: str, where: str) -> None:
        if math.isfinite(value):
            return
        what = f"the {name} became {value} {where}"
        calmer = "Lower training.optimizer_options.learning_rate, or set clipnorm: 1.0 beside it"
        if not self._rows:
            raise LehrError(f"{what}; no epoch was finished before, nothing was written", f"{calmer}.")
        last, smallest = len(self._rows), best(self._rows)
        raise LehrError(
            f"{what}; the last good checkpoint is {self._checkpoints.path(last)} (best so far: epoch "
            f"{smallest['epoch']}, val_mae {smallest['val_mae']:.4g})",
            f"The same command goes on from it, but will meet the same batches; with `epochs: {last}` it writes the "
            f"best network so far into the run folder. {calmer}: that starts anew.",
        )
