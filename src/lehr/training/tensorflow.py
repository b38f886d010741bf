"""What only TensorFlow can do: its threads, its devices, its input pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import keras
import tensorflow as tf
from numpy.typing import NDArray

from lehr.study import Columns, Task
from lehr.training.horovod import HorovodRanks

__all__ = ["PREFETCHED_BATCHES", "PrefetchedBatches", "TensorBoard", "use_share_of_machine"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
PREFETCHED_BATCHES = 4
"""Batches that wait for the network, at most."""


class EpochReader(Protocol):
    """What reads the samples of an epoch; `lehr.store.ShuffledReader` does."""

    def epoch(self, number: int) -> Iterator[Columns]:
        """Yield the batches of an epoch."""


def use_share_of_machine(ranks: HorovodRanks) -> int:
    """Give this rank its share of the cores and one of the GPUs of its machine.

    Threads are left alone where the user has set them in the environment. It must come before anything is computed.

    Returns
    -------
    int
        Cores for this rank.
    """
    cores = max(1, len(os.sched_getaffinity(0)) // ranks.local_size)
    if not any(name in os.environ for name in _THREAD_VARIABLES):
        try:
            tf.config.threading.set_intra_op_parallelism_threads(cores)
            tf.config.threading.set_inter_op_parallelism_threads(cores)
        except RuntimeError:
            pass  # TensorFlow runs already in this process, with the threads it has
    gpus = tf.config.list_physical_devices("GPU")
    if gpus and ranks.local_size > 1:
        tf.config.set_visible_devices(gpus[ranks.local_rank % len(gpus)], "GPU")
    return cores


class PrefetchedBatches:
    """Batches for `keras.Model.fit`, read ahead while the network computes.

    Parameters
    ----------
    reader : EpochReader
        Where the samples come from.
    task : Task
        What the network makes of them.
    network : keras.Model
        The network.
    epochs : range
        Numbers of the epochs to give, one after the other.

    Attributes
    ----------
    dataset : tf.data.Dataset
        Batches of encoded inputs and targets.
    error : Exception or None
        What went wrong in reading. TensorFlow passes on only its text.
    """

    def __init__(self, reader: EpochReader, task: Task, network: keras.Model, epochs: range) -> None:
        self._reader = reader
        self._task = task
        self._epochs = epochs
        self.error: Exception | None = None
        signature = tuple(tf.TensorSpec(side.shape, side.dtype) for side in (network.inputs[0], network.outputs[0]))
        dataset: Any = tf.data.Dataset.from_generator(self._batches, output_signature=signature)
        self.dataset = dataset.prefetch(PREFETCHED_BATCHES)

    def _batches(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        try:
            for number in self._epochs:
                for columns in self._reader.epoch(number):
                    yield self._task.encode_inputs(columns), self._task.encode_targets(columns)
        except Exception as error:
            self.error = error
            raise


class TensorBoard(keras.callbacks.Callback):
    """Write each epoch for TensorBoard: what is in the logs, and the learning rate.

    The callback of Keras opens its files before the first batch and offers it each batch; this one touches nothing
    before an epoch is done. A training that goes on adds a file to the folder.

    Parameters
    ----------
    folder : Path
        Where the event files go.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._writer: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the scalars of the epoch."""
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self._folder))
        with self._writer.as_default(step=epoch + 1):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)
            tf.summary.scalar("learning_rate", float(self.model.optimizer.learning_rate))
        self._writer.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Close the file."""
        del logs
        if self._writer is not None:
            self._writer.close()
