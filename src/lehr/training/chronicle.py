"""The history of a training as it grows: its rows, its progress, its checkpoints, its end."""

from __future__ import annotations

import sys
import time
from typing import Any

import keras
from tqdm import tqdm

from lehr.config import TrainingConfig
from lehr.errors import LehrError
from lehr.training.callbacks import Validation
from lehr.training.checkpoints import Checkpoints, State
from lehr.training.history import Row, best, last_epoch
from lehr.training.horovod import World

__all__ = ["Chronicle", "Keeper"]


class Chronicle(keras.callbacks.Callback):
    """Time the epochs, keep the history, show progress on rank 0, and end the training when its time has come.

    Parameters
    ----------
    world : World
        The ranks.
    label : str
        What the lines begin with.
    training : TrainingConfig
        How long it goes on.
    steps : int
        Batches of an epoch.
    rows : list of dict
        The lines of history.csv so far; those of new epochs are added.
    """

    def __init__(self, world: World, label: str, training: TrainingConfig, steps: int, rows: list[Row]) -> None:
        super().__init__()
        self._label = label
        self._training = training
        self._samples = steps * training.batch_size
        self._rows = rows
        self._before = len(rows)
        self._speaks = world.rank == 0
        self._started = self._epoch_started = self._trained = 0.0
        self._bar: tqdm[Any] | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock; show a bar where a person watches."""
        del logs
        self._started = time.perf_counter()
        if self._speaks and sys.stderr.isatty():
            self._bar = tqdm(
                total=self._training.epochs * self._samples,
                initial=self._before * self._samples,  # so that its rate is that of this start
                desc=f"train {self._label}",
                unit="sample",
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock of the epoch."""
        del epoch, logs
        self._epoch_started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar; the last batch of an epoch ends its training time."""
        del logs
        self._trained = time.perf_counter() - self._epoch_started
        if self._bar is not None:
            self._bar.update(self._training.batch_size)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep and print the line of the epoch."""
        logs = {} if logs is None else logs
        now = time.perf_counter()
        logs["samples_per_second"] = round(self._samples / self._trained, 1)
        seconds = {"seconds": round(now - self._epoch_started, 3)}
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}, **seconds}
        self._rows.append(row)
        end = last_epoch(self._rows, self._training)
        if end is not None:
            self.model.stop_training = True
        if not self._speaks:
            return
        epochs = self._training.epochs
        left = (now - self._started) / (epoch + 1 - self._before) * ((end or epochs) - epoch - 1)
        line = (
            f"{self._label}: epoch {epoch + 1:{len(str(epochs))}}/{epochs}  loss {row['loss']:.3e}  "
            f"val MAE {row['val_mae']:.3e} (x {row['val_mae_x']:.4f}, beta {row['val_mae_beta']:.4f})  "
            f"{row['samples_per_second']:.0f} samples/s  {tqdm.format_interval(left)} left"
        )
        if end is not None and end < epochs:
            line += f"; stopped, no better since epoch {best(self._rows)['epoch']:.0f}"
        tqdm.write(line, file=sys.stderr)
        sys.stderr.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Take the bar away."""
        del logs
        if self._bar is not None:
            self._bar.close()


class Keeper(keras.callbacks.Callback):
    """Write a checkpoint after each epoch; for rank 0.

    Parameters
    ----------
    checkpoints : Checkpoints
        Where they go.
    validation : Validation
        What has the best weights.
    rows : list of dict
        The history, which the chronicle adds to.
    starts : list of dict
        What is known of the starts before; this one is added.
    ranks : int
        Ranks of this start.
    began : float
        When it began, by `time.perf_counter`.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        validation: Validation,
        rows: list[Row],
        starts: list[dict[str, Any]],
        ranks: int,
        began: float,
    ) -> None:
        super().__init__()
        self._checkpoints = checkpoints
        self._validation = validation
        self._rows = rows
        self._start: dict[str, Any] = {"epochs_before": len(rows), "epochs_done": 0, "ranks": ranks, "seconds": 0.0}
        self._starts = [*starts, self._start]
        self._began = began

    @property
    def state(self) -> State:
        """What was reached."""
        return State(self._rows, self._starts, self._validation.best_weights)

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
