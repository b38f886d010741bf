"""Train one model of a config."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lehr.config import Run
from lehr.errors import LehrError
from lehr.files import locked
from lehr.store import SequentialReader, ShuffledReader, open_subset
from lehr.training.history import best, last_epoch
from lehr.training.horovod import HorovodRanks, start
from lehr.training.samples import Samples

if TYPE_CHECKING:
    import keras

    from lehr.training.checkpoints import TrainingState

__all__ = ["train"]


def train(run: Run, model: str, *, ranks: int | None = None, restart: bool = False) -> None:
    """Train a model and write its run folder, `run.run_path(model)`. Call it on all ranks.

    A training that was interrupted goes on from its last checkpoint.

    Parameters
    ----------
    run : Run
        The run.
    model : str
        Name of one of its models.
    ranks : int, optional
        Number of Horovod ranks that must have been started; ``run.ranks.train`` if not given.
    restart : bool
        Remove the checkpoints of this training and begin anew.

    Raises
    ------
    LehrError
        If another number of ranks was started, the config asks for what Keras does not have, the samples are missing
        or of another config, no checkpoint can be used, or the training diverges. The files of the run folder stay as
        they were then.
    """
    began = time.perf_counter()
    started = start(run.ranks.train if ranks is None else ranks)
    with started.together():
        _Training(run, model, started, began).run_to_the_end(restart=restart)


class _Training:
    """The training of a model on a rank, from its last checkpoint to its run folder.

    Parameters
    ----------
    run : Run
        The run.
    model : str
        Name of the model.
    ranks : HorovodRanks
        The ranks.
    began : float
        When the training was started, by `time.perf_counter`.
    """

    def __init__(self, run: Run, model: str, ranks: HorovodRanks, began: float) -> None:
        from lehr.training.tensorflow import use_share_of_machine

        use_share_of_machine(ranks)  # before anything makes TensorFlow compute

        import keras

        from lehr.training.checkpoints import Checkpoints
        from lehr.training.optimizer import build_optimizer
        from lehr.training.precision import in_precision

        self._run = run
        self._model = model
        self._ranks = ranks
        self._began = began
        self._task = run.task(model)
        self._split = run.split_of(model).build()
        optimizer = ranks.optimizer(build_optimizer(run.training))
        # Ranks draw different weights; those of rank 0 then go to all.
        seed = np.random.SeedSequence(run.training.seed, spawn_key=(ranks.rank,)).generate_state(1)[0]
        keras.utils.set_random_seed(int(seed))
        self._network = in_precision(self._task.build(), run.training.precision)
        self._store = open_subset(run, run.model(model).subset)
        self._samples = Samples.of(self._store, self._split, self._task)
        # Horovod's operations cannot be compiled by XLA, which Keras would turn on by itself on a GPU.
        self._network.compile(optimizer, self._task.loss(), metrics=["mae"], jit_compile=False)
        self._checkpoints = Checkpoints(run, model)

    def run_to_the_end(self, *, restart: bool) -> None:
        """Go on from the last checkpoint, and write the run folder."""
        from lehr.training.checkpoints import TrainingState

        first = self._ranks.rank == 0
        # A job that outlived the Snakemake that submitted it may be at work: this one has less to do then, or nothing.
        with self._lock() if first else nullcontext():
            if restart and first:
                self._checkpoints.clear()
                shutil.rmtree(self._tensorboard, ignore_errors=True)
            if self._ranks.broadcast_object(first and not restart and self._is_trained()):
                return
            state = self._resume() if first else TrainingState([], [], [])
            rows, starts = self._ranks.broadcast_object((state.rows, state.starts))
            state = TrainingState(rows, starts, state.best_weights)
            unfinished = self._last_epoch(rows) is None
            if unfinished:
                state = self._fit(state)
            elif first:
                self._say(f"nothing left to train, {self._reached(rows)}")
            if first:
                self._write(state, trained=unfinished)

    def _is_trained(self) -> bool:
        """Tell whether an older version has trained the network to the end, whose checkpoints are not read any more."""
        from lehr.training.record import trained_before_format

        rows = trained_before_format(self._run, self._model)
        if rows is None or self._last_epoch(rows) is None:
            return False
        self._say(f"nothing left to train, {self._reached(rows)}, by an older version of lehr")
        return True

    def _lock(self) -> AbstractContextManager[None]:
        """Keep a second training of the model from writing among the checkpoints of the first."""
        return locked(self._folder / ".lock", lambda who: self._say(f"waiting for {who}, which trains it"))

    @property
    def _folder(self) -> Path:
        return self._run.run_path(self._model)

    @property
    def _tensorboard(self) -> Path:
        return self._folder / "tensorboard" / self._checkpoints.name

    def _say(self, line: str) -> None:
        sys.stderr.write(f"{self._model}: {line}\n")
        sys.stderr.flush()

    def _last_epoch(self, rows: list[dict[str, float]]) -> int | None:
        return last_epoch(rows, self._run.training, self._task.monitor)

    def _reached(self, rows: list[dict[str, float]]) -> str:
        monitor = self._task.monitor
        smallest = best(rows, monitor)
        return f"epoch {len(rows)} (best: epoch {smallest['epoch']}, {monitor} {smallest[monitor]:.4g})"

    def _resume(self) -> TrainingState:
        """Load the last checkpoint, and say what is done."""
        from lehr.training.checkpoints import TrainingState

        state, refused = self._checkpoints.load(self._network)
        for reason in refused:
            self._say(f"passed over the checkpoint {reason}")
        if state is None:
            other = self._checkpoints.others()
            if other is not None:
                self._say(other)
            return TrainingState([], [], [])
        done, end = len(state.rows), self._last_epoch(state.rows)
        if end is not None and end < done:
            raise LehrError(
                f"{self._checkpoints.path(done)}: has done {done} epochs, the config ends the training after {end}",
                "Set training.epochs and training.early_stopping back, or begin anew with --restart, which removes the "
                "checkpoints.",
            )
        if end is None:
            self._say(f"going on after {self._reached(state.rows)}, from {self._checkpoints.path(done)}")
        return state

    def _fit(self, state: TrainingState) -> TrainingState:
        """Train from a state to the end; return what was reached."""
        from lehr.training import callbacks
        from lehr.training.history_logger import HistoryLogger
        from lehr.training.tensorflow import PrefetchedBatches, TensorBoard

        training, task, ranks, rows = self._run.training, self._task, self._ranks, state.rows
        names = [quantity.name for quantity in (*task.inputs, *task.targets)]
        shared: dict[str, Any] = {"batch_size": training.batch_size, "rank": ranks.rank, "size": ranks.size}
        usable = partial(self._store.usable, self._split)
        reader = ShuffledReader(
            self._store, usable("train"), names, seed=training.seed, streams=training.streams, **shared
        )
        held_out = SequentialReader(self._store, usable("validation"), names, **shared)
        validation = callbacks.Validation(ranks, self._kept(held_out), task)
        if rows:
            validation.smallest, validation.best_weights = best(rows, task.monitor)[task.monitor], state.best_weights
        writer = callbacks.CheckpointWriter(self._checkpoints, validation, state, ranks.size, self._began)
        all_callbacks: list[keras.callbacks.Callback] = [
            callbacks.Broadcast(ranks),
            callbacks.DropoutSeeds(ranks, training.seed),
            validation,
            callbacks.DivergenceStop(self._checkpoints, rows, task.monitor),
            HistoryLogger(ranks, self._model, task, training, reader.steps, rows),
        ]
        if ranks.rank == 0:
            all_callbacks += [writer, TensorBoard(self._tensorboard)]
        first = len(rows)
        batches = PrefetchedBatches(reader, task, self._network, range(first, training.epochs))
        try:
            self._network.fit(
                batches.dataset,
                initial_epoch=first,
                epochs=training.epochs,
                steps_per_epoch=reader.steps,
                shuffle=False,  # the reader has shuffled
                verbose=0,
                callbacks=all_callbacks,
            )
        except Exception as error:
            if isinstance(batches.error, LehrError):
                raise batches.error from error
            raise
        return writer.state

    def _kept(self, reader: SequentialReader) -> Any:
        """Return the validation samples in memory if they are few: they lie in nearly all chunks of the store."""
        from lehr.training.memory import KEPT_BYTES, Memory

        training, size = self._run.training, self._ranks.size
        few = reader.samples * self._store.sample_bytes <= KEPT_BYTES
        if self._ranks.rank == 0:
            kept, batch, streams = reader.samples if few else 0, training.batch_size // size, training.streams // size
            self._say(str(Memory.of(self._store, batch=batch, streams=streams, kept=kept)))
        return list(reader) if few else reader

    def _write(self, state: TrainingState, *, trained: bool) -> None:
        """Write the run folder.

        What is there is left alone if nothing was trained: a new model.keras would put an evaluation out of date.
        """
        from lehr.training.record import is_written, write_run

        name = self._checkpoints.name
        if trained or not is_written(self._run, self._model, name, len(state.rows)):
            write_run(self._run, self._model, self._store, self._samples, state, name)
