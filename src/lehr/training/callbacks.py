"""What happens beside the gradient steps: validation over all ranks, the history, progress, the guard against NaN."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lehr.errors import LehrError
from lehr.models import PARAMETERS, TargetScaling
from lehr.training.horovod import World

__all__ = ["Broadcast", "Chronicle", "Guard", "Validation"]

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

    Sums and counts are added up over the ranks, so that the means are exact however the samples are dealt. It replaces
    the training loss and MAE in the logs, which are those of one rank, by those of all, and adds `val_loss`, `val_mae`
    (normalised parameters) and `val_mae_NAME` for each parameter (its own unit).

    Attributes
    ----------
    best_epoch : int
        Epoch with the smallest `val_mae`, from 1; 0 before the first.
    best_mae : float
        Its `val_mae`.
    best_weights : list of ndarray
        Its weights.
    """

    def __init__(self, world: World, batches: Batches, scaling: TargetScaling, loss_weights: Sequence[float]) -> None:
        super().__init__()
        self._world = world
        self._batches = batches
        self._scaling = scaling
        self._loss_weights = np.array(loss_weights)
        self.best_epoch = 0
        self.best_mae = math.inf
        self.best_weights: list[NDArray[Any]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate."""
        logs = {} if logs is None else logs
        absolute, square, count, size = np.zeros(4), np.zeros(4), 0, 0
        for _, signals, parameters in self._batches:
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
            self.best_epoch, self.best_mae = epoch + 1, logs["val_mae"]
            self.best_weights = self.model.get_weights()


class Guard(keras.callbacks.Callback):
    """Stop a training that diverges.

    Parameters
    ----------
    validation : Validation
        What knows the last good state.
    """

    def __init__(self, validation: Validation) -> None:
        super().__init__()
        self._validation = validation
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
        loss = (logs or {}).get("loss", 0.0)
        if math.isfinite(loss):
            return
        best = self._validation
        last = (
            f"the best state was the end of epoch {best.best_epoch} (validation MAE {best.best_mae:.4g})"
            if best.best_epoch
            else "no epoch was finished before"
        )
        raise LehrError(
            f"the loss became {loss} in epoch {self._epoch}, batch {batch + 1}; {last}; nothing was written",
            "Lower training.optimizer_options.learning_rate, or set clipnorm: 1.0 beside it.",
        )


class Chronicle(keras.callbacks.Callback):
    """Time the epochs, keep the history, and show progress on rank 0.

    Attributes
    ----------
    rows : list of dict
        The lines of history.csv.
    """

    def __init__(self, world: World, label: str, samples: int, epochs: int, steps: int) -> None:
        super().__init__()
        self._label = label
        self._samples = samples
        self._epochs = epochs
        self._steps = steps
        self._speaks = world.rank == 0
        self._started = self._epoch_started = self._trained = 0.0
        self._bar: tqdm[Any] | None = None
        self.rows: list[dict[str, float]] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock; show a bar of batches where a person watches."""
        del logs
        self._started = time.perf_counter()
        if self._speaks and sys.stderr.isatty():
            self._bar = tqdm(total=self._epochs * self._steps, desc=f"train {self._label}", unit="batch")

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock of the epoch."""
        del epoch, logs
        self._epoch_started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar; the last batch of an epoch ends its training time."""
        del logs
        self._trained = time.perf_counter() - self._epoch_started
        if self._bar is not None:
            self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep and print the line of the epoch."""
        now = time.perf_counter()
        row: dict[str, float] = {
            "epoch": epoch + 1,
            **{name: float(value) for name, value in (logs or {}).items()},
            "seconds": round(now - self._epoch_started, 3),
            "samples_per_second": round(self._samples / self._trained, 1),
        }
        self.rows.append(row)
        if not self._speaks:
            return
        left = (now - self._started) / (epoch + 1) * (self._epochs - epoch - 1)
        line = (
            f"{self._label}: epoch {epoch + 1:{len(str(self._epochs))}}/{self._epochs}  loss {row['loss']:.3e}  "
            f"val MAE {row['val_mae']:.3e} (x {row['val_mae_x']:.4f}, beta {row['val_mae_beta']:.4f})  "
            f"{row['samples_per_second']:.0f} samples/s  {tqdm.format_interval(left)} left"
        )
        tqdm.write(line, file=sys.stderr)
        sys.stderr.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Take the bar away."""
        del logs
        if self._bar is not None:
            self._bar.close()
