"""Readers that feed networks: whole chunks in a permuted order, shuffled in a buffer.

A random gather of single samples is hundreds of times slower than reading the chunks in which they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.statespace import SPLITS, Split
from lehr.store.signals import SignalStore

__all__ = ["SequentialReader", "ShuffledReader"]

_BUFFER_CHUNKS = 32  # chunks whose samples are shuffled together in a stream

Batch = tuple[NDArray[np.float32], NDArray[np.float64]]


def _usable(store: SignalStore, split: Split, name: str) -> NDArray[np.bool_]:
    """Tell which samples belong to a split and have a good simulation."""
    return np.asarray((split.assign(store.parameters) == SPLITS.index(name)) & (store.status == 0))


def _read_rows(
    store: SignalStore, chunks: NDArray[np.int64], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Read chunks and keep the wanted rows: row numbers, and signals of shape (rows, points, cycles)."""
    ranges = [
        (int(chunk) * store.rows_per_chunk, min(int(chunk + 1) * store.rows_per_chunk, store.samples))
        for chunk in chunks
    ]
    rows = [np.arange(*limits)[wanted[slice(*limits)]] for limits in ranges]
    needed = [limits for limits, kept in zip(ranges, rows, strict=True) if kept.size]
    kept_rows = [kept for kept in rows if kept.size]
    blocks = [
        block[kept - start]
        for block, kept, (start, _) in zip(store.read_ranges(needed), kept_rows, needed, strict=True)
    ]
    if not blocks:
        return np.empty(0, np.int64), np.empty((0, store.points, store.cycles), np.float32)
    return np.concatenate(kept_rows), np.concatenate(blocks).swapaxes(1, 2)


class ShuffledReader:
    """Batches for training, another order in each epoch.

    In each epoch the chunks are permuted and dealt to `streams`; a stream reads its chunks a few at a time, shuffles
    their samples and gives an equal share of each batch. Rank r owns the streams r, r + size, ...: ranks read disjoint
    chunks, and a batch holds the same samples whatever the number of ranks. A stream that runs out before the epoch
    ends starts again, one with more samples than it needs leaves some out; over the epochs this evens out.

    Parameters
    ----------
    store : SignalStore
        The signals.
    split : Split
        How samples are split.
    name : str
        "train", "validation" or "test".
    batch_size : int
        Samples in a batch over all ranks.
    seed : int
        Seed of all orders.
    rank, size : int
        This process and the number of processes.
    streams : int
        Number of streams; `size` must divide it, and it must divide `batch_size`.

    Attributes
    ----------
    samples : int
        Samples of the split over all ranks.
    steps : int
        Batches in an epoch, the same on all ranks.

    Raises
    ------
    LehrError
        If the numbers do not divide, or there are too few samples for a batch or chunks for the streams.
    """

    def __init__(
        self,
        store: SignalStore,
        split: Split,
        name: str,
        *,
        batch_size: int,
        seed: int,
        rank: int = 0,
        size: int = 1,
        streams: int = 8,
    ) -> None:
        if streams % size or batch_size % streams:
            raise LehrError(
                f"{size} ranks, {streams} streams and batches of {batch_size} do not divide",
                "The number of ranks must divide training.streams, and that training.batch_size.",
            )
        self._store = store
        self._wanted = _usable(store, split, name)
        self._share = batch_size // streams
        self._streams = streams
        self._own = range(rank, streams, size)
        self._seed = seed
        self.samples = int(np.count_nonzero(self._wanted))
        self.steps = self.samples // batch_size
        starts = np.arange(0, store.samples, store.rows_per_chunk)
        self._chunks = np.flatnonzero(np.add.reduceat(self._wanted, starts, dtype=np.int64))
        if self.steps == 0 or self._chunks.size < streams:
            raise LehrError(
                f"{store.path}: {self.samples} samples to {name} in {self._chunks.size} chunks are too few "
                f"for batches of {batch_size} from {streams} streams",
                "Make training.batch_size, training.streams or signals.storage.rows_per_chunk smaller.",
            )

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield this rank's share of each batch of an epoch.

        Yields
        ------
        signals : ndarray of float32, shape (batch_size / size, points, cycles)
        parameters : ndarray, shape (batch_size / size, 4)
        """
        order = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(number,)))
        dealt = order.permutation(self._chunks)
        streams = [self._stream(dealt[s :: self._streams], number, s) for s in self._own]
        for _ in range(self.steps):
            shares = [next(stream) for stream in streams]
            rows = np.concatenate([share[0] for share in shares])
            yield np.concatenate([share[1] for share in shares]), self._store.parameters[rows]

    def _stream(
        self, chunks: NDArray[np.int64], epoch: int, stream: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield `share` shuffled samples at a time, without end."""
        order = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(epoch, stream)))
        rows = np.empty(0, np.int64)
        signals = np.empty((0, self._store.points, self._store.cycles), np.float32)
        position = 0
        while True:
            while rows.size < self._share:
                more_rows, more = _read_rows(self._store, chunks[position : position + _BUFFER_CHUNKS], self._wanted)
                position = position + _BUFFER_CHUNKS if position + _BUFFER_CHUNKS < chunks.size else 0
                shuffled = order.permutation(more_rows.size)
                rows = np.concatenate([rows, more_rows[shuffled]])
                signals = np.concatenate([signals, more[shuffled]])
            yield rows[: self._share], signals[: self._share]
            rows, signals = rows[self._share :], signals[self._share :]


class SequentialReader:
    """Every sample of a split once, in order; ranks take disjoint chunks.

    Parameters
    ----------
    store, split, name, rank, size
        As for `ShuffledReader`.
    batch_size : int
        Samples that are given at a time; the last batch may be smaller.

    Attributes
    ----------
    samples : int
        Samples that this rank reads.
    """

    def __init__(
        self, store: SignalStore, split: Split, name: str, *, batch_size: int, rank: int = 0, size: int = 1
    ) -> None:
        self._store = store
        self._batch_size = batch_size
        chunk_of = np.arange(store.samples) // store.rows_per_chunk
        self._wanted = _usable(store, split, name) & (chunk_of % size == rank)
        self._chunks = np.unique(chunk_of[self._wanted])
        self.samples = int(np.count_nonzero(self._wanted))

    def __iter__(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]]:
        """Yield row numbers (n,), signals (n, points, cycles) and parameters (n, 4)."""
        at_once = max(1, self._batch_size // self._store.rows_per_chunk)
        rows = np.empty(0, np.int64)
        signals = np.empty((0, self._store.points, self._store.cycles), np.float32)
        for first in range(0, self._chunks.size, at_once):
            more_rows, more = _read_rows(self._store, self._chunks[first : first + at_once], self._wanted)
            rows, signals = np.concatenate([rows, more_rows]), np.concatenate([signals, more])
            while rows.size >= self._batch_size:
                now, rows = rows[: self._batch_size], rows[self._batch_size :]
                batch, signals = signals[: self._batch_size], signals[self._batch_size :]
                yield now, batch, self._store.parameters[now]
        if rows.size:
            yield rows, signals, self._store.parameters[rows]
