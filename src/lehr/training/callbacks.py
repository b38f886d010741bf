"""What happens beside the gradient steps: common weights, dropout, validation, the stop at NaN, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.study import Columns, Task
from lehr.training.checkpoints import Checkpoints, TrainingState
from lehr.training.history import Row, best
from lehr.training.horovod import HorovodRanks

__all__ = ["Broadcast", "CheckpointWriter", "DivergenceStop", "DropoutSeeds", "Validation"]


class Broadcast(keras.callbacks.Callback):
    """Start all ranks from the same weights and optimizer state."""

    def __init__(self, ranks: HorovodRanks) -> None:
        super().__init__()
        self._ranks = ranks

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Do it before the first batch: a gradient of other weights would be averaged in."""
        del logs
        self._ranks.broadcast_weights(self.model)


class Validation(keras.callbacks.Callback):
    """Measure every epoch over the samples of all ranks, and keep the best weights.

    Parameters
    ----------
    ranks : HorovodRanks
        The ranks.
    batches : iterable of dict
        Validation samples of this rank.
    task : Task
        What is learned from them.

    Sums and counts are added up over the ranks, so that the means are exact however the samples are dealt. It replaces
    the training loss and MAE in the logs, which are those of one rank, by those of all, and adds `val_loss`, `val_mae`
    (encoded targets) and `val_mae_NAME` for each target (in its unit).

    Attributes
    ----------
    smallest : float
        Smallest value of what the task monitors.
    best_weights : list of ndarray
        The weights that it was reached with.
    """

    def __init__(self, ranks: HorovodRanks, batches: Iterable[Columns], task: Task) -> None:
        super().__init__()
        self._ranks = ranks
        self._batches = batches
        self._task = task
        self._loss = task.loss()
        self.smallest = math.inf
        self.best_weights: list[NDArray[Any]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate."""
        logs = {} if logs is None else logs
        names = [quantity.name for quantity in self._task.targets]
        loss, absolute, by_target, count, size = 0.0, 0.0, np.zeros(len(names)), 0, 0
        for columns in self._batches:
            inputs, targets = self._task.encode_inputs(columns), self._task.encode_targets(columns)
            own = len(inputs)
            size = max(size, own)
            # a short last batch is filled up: another shape would cost seconds of tracing
            filled = np.pad(inputs, ((0, size - own), *[(0, 0)] * (inputs.ndim - 1)))
            outputs = self.model.predict_on_batch(filled)[:own]
            loss += own * float(self._loss(targets, outputs))
            absolute += own * float(np.abs(outputs.astype(np.float64) - targets).mean())
            answers, true = self._task.decode(outputs), self._task.decode(targets)
            by_target += [own * np.abs(answers[name] - true[name]).mean() for name in names]
            count += own
        # the number of steps is the same on all ranks, so the mean of their means is the mean over all samples
        total = self._ranks.sum([loss, absolute, *by_target, count, logs["loss"], logs["mae"]])
        logs["loss"], logs["mae"] = (total[-2:] / self._ranks.size).tolist()
        means = (total[:-3] / total[-3]).tolist()
        logs |= dict(zip(["val_loss", "val_mae", *(f"val_mae_{name}" for name in names)], means, strict=True))
        if logs[self._task.monitor] < self.smallest:
            self.smallest = logs[self._task.monitor]
            self.best_weights = self.model.get_weights()


class DropoutSeeds(keras.callbacks.Callback):
    """Begin each epoch with states of dropout that only the seed, the rank and the epoch decide.

    Ranks draw different dropout, and a training that goes on from a checkpoint draws what it would have drawn.
    """

    def __init__(self, ranks: HorovodRanks, seed: int) -> None:
        super().__init__()
        self._rank = ranks.rank
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


class DivergenceStop(keras.callbacks.Callback):
    """Stop a training that diverges.

    Parameters
    ----------
    checkpoints : Checkpoints
        Where the last good state lies.
    rows : list of dict
        The history, to which each good epoch is added.
    monitor : str
        What the validation is judged by.
    """

    def __init__(self, checkpoints: Checkpoints, rows: list[Row], monitor: str) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._rows = rows
        self._monitor = monitor
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
        self._check((logs or {}).get(self._monitor, 0.0), self._monitor, f"at the end of epoch {epoch + 1}")

    def _check(self, value: float, name: str, where: str) -> None:
        if math.isfinite(value):
            return
        what = f"the {name} became {value} {where}"
        calmer = "Lower training.optimizer_options.learning_rate, or set clipnorm: 1.0 beside it"
        if not self._rows:
            raise LehrError(f"{what}; no epoch was finished before, nothing was written", f"{calmer}.")
        last, smallest = len(self._rows), best(self._rows, self._monitor)
        raise LehrError(
            f"{what}; the last good checkpoint is {self._checkpoints.path(last)} (best so far: epoch "
            f"{smallest['epoch']}, {self._monitor} {smallest[self._monitor]:.4g})",
            f"The same command goes on from it, but will meet the same batches; with `epochs: {last}` it writes the "
            f"best network so far into the run folder. {calmer}: that starts anew.",
        )


class CheckpointWriter(keras.callbacks.Callback):
    """Write a checkpoint after each epoch; for rank 0.

    Parameters
    ----------
    checkpoints : Checkpoints
        Where they go.
    validation : Validation
        What has the best weights.
    state : TrainingState
        What this start goes on from; the history is added to by the logger.
    ranks : int
        Ranks of this start.
    began : float
        When it began, by `time.perf_counter`.
    """

    def __init__(
        self, checkpoints: Checkpoints, validation: Validation, state: TrainingState, ranks: int, began: float
    ) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._validation = validation
        self._rows = state.rows
        before = len(state.rows)
        self._start: dict[str, Any] = {"epochs_before": before, "epochs_done": 0, "ranks": ranks, "seconds": 0.0}
        self._starts = [*state.starts, self._start]
        self._began = began

    @property
    def state(self) -> TrainingState:
        """What was reached."""
        return TrainingState(self._rows, self._starts, self._validation.best_weights)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write it."""
        del logs
        self._start["epochs_done"] += 1
        self._start["seconds"] = round(time.perf_counter() - self._began, 1)
        try:
            self._checkpoints.save(self.model, self.state)
        except OSError as error:
            raise LehrError(
                f"{self._checkpoints.path(epoch + 1)}: the checkpoint cannot be written: {error.strerror or error}",
                "Make room; the same command goes on from the checkpoint before.",
            ) from None
