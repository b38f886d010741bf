"""The history of a training as it grows: its rows, its progress, its end."""

from __future__ import annotations

import sys
import time
from typing import Any

import keras
from tqdm import tqdm

from lehr.config import TrainingConfig
from lehr.study import Task
from lehr.training.history import Row, best, last_epoch
from lehr.training.horovod import HorovodRanks

__all__ = ["HistoryLogger"]


class HistoryLogger(keras.callbacks.Callback):
    """Time the epochs, keep the history, show progress on rank 0, and end the training when its time has come.

    Parameters
    ----------
    ranks : HorovodRanks
        The ranks.
    label : str
        What the lines begin with.
    task : Task
        What is learned.
    training : TrainingConfig
        How long it goes on.
    steps : int
        Batches of an epoch.
    rows : list of dict
        The lines of history.csv so far; those of new epochs are added.
    """

    def __init__(
        self, ranks: HorovodRanks, label: str, task: Task, training: TrainingConfig, steps: int, rows: list[Row]
    ) -> None:
        super().__init__()
        self._label = label
        self._task = task
        self._training = training
        self._samples = steps * training.batch_size
        self._rows = rows
        self._before = len(rows)
        self._prints = ranks.rank == 0
        self._started = self._epoch_started = self._trained = 0.0
        self._bar: tqdm[Any] | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock; show a bar where a person watches."""
        del logs
        self._started = time.perf_counter()
        if self._prints and sys.stderr.isatty():
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
        end = last_epoch(self._rows, self._training, self._task.monitor)
        if end is not None:
            self.model.stop_training = True
        if not self._prints:
            return
        epochs = self._training.epochs
        left = (now - self._started) / (epoch + 1 - self._before) * ((end or epochs) - epoch - 1)
        line = (
            f"{self._label}: epoch {epoch + 1:{len(str(epochs))}}/{epochs}  loss {row['loss']:.3e}  "
            f"val MAE {row['val_mae']:.3e} ({self._errors(row)})  "
            f"{row['samples_per_second']:.0f} samples/s  {tqdm.format_interval(left)} left"
        )
        if end is not None and end < epochs:
            line += f"; stopped, no better since epoch {best(self._rows, self._task.monitor)['epoch']:.0f}"
        tqdm.write(line, file=sys.stderr)
        sys.stderr.flush()

    def _errors(self, row: Row) -> str:
        """Name the error of each target in the unit in which it is shown."""
        return ", ".join(
            f"{quantity.name} {row[f'val_mae_{quantity.name}'] * quantity.factor:.3g} {quantity.shown_unit}".rstrip()
            for quantity in self._task.targets
        )

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Take the bar away."""
        del logs
        if self._bar is not None:
            self._bar.close()
