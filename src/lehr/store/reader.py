"""Readers that feed networks: whole chunks in a permuted order, shuffled in a buffer.

A random gather of single samples is hundreds of times slower than reading the chunks in which they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.store.store import Store
from lehr.study import Columns

__all__ = ["SequentialReader", "ShuffledReader"]

BUFFER_BYTES = 2**26
"""Signals that are shuffled together in a stream, unless `MOST_BUFFER_CHUNKS` are less or one chunk is more."""

MOST_BUFFER_CHUNKS = 32
"""More make the shuffle no better."""


def buffer_chunks(store: Store) -> int:
    """Return the number of chunks whose samples a stream shuffles together."""
    chunk_bytes = store.rows_per_chunk * store.sample_bytes
    return max(1, min(MOST_BUFFER_CHUNKS, BUFFER_BYTES // chunk_bytes))


class _Buffer:
    """Memory for some chunks of a store; rows of the chunks that are not wanted are read too, and passed over."""

    def __init__(self, store: Store, wanted: NDArray[np.bool_], chunks: int) -> None:
        self._store = store
        self._wanted = wanted
        self.chunks = chunks
        self.values = np.empty((chunks * store.rows_per_chunk, *store.sample_shape), store.source.array.dtype)

    def fill(self, chunks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Read chunks; return the wanted rows of the store and where in `values` they are."""
        per_chunk = self._store.rows_per_chunk
        ranges = [(chunk * per_chunk, min((chunk + 1) * per_chunk, self._store.samples)) for chunk in chunks.tolist()]
        blocks = [self.values[i * per_chunk : i * per_chunk + stop - start] for i, (start, stop) in enumerate(ranges)]
        self._store.read_into(ranges, blocks)
        rows = [start + np.flatnonzero(self._wanted[start:stop]) for start, stop in ranges]
        places = [kept - start + i * per_chunk for i, (kept, (start, _)) in enumerate(zip(rows, ranges, strict=True))]
        return np.concatenate(rows), np.concatenate(places)


class _Stream:
    """Shuffled rows of some chunks, without end.

    Parameters
    ----------
    store, wanted
        The signals, and which rows are wanted.
    chunks : ndarray of int
        Chunks of this stream, each with a wanted row.
    order : numpy.random.Generator
        Where the order comes from.
    """

    def __init__(
        self,
        store: Store,
        wanted: NDArray[np.bool_],
        chunks: NDArray[np.int64],
        order: np.random.Generator,
    ) -> None:
        self._buffer = _Buffer(store, wanted, buffer_chunks(store))
        self._chunks = chunks
        self._order = order
        self._position = 0
        self._rows = self._places = np.empty(0, np.int64)

    def take(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Fill the two arrays: numbers of rows, shape (n,), and their large array, shape (n, *sample_shape)."""
        done = 0
        while done < rows.size:
            if not self._rows.size:
                self._refill()
            count = min(rows.size - done, self._rows.size)
            rows[done : done + count] = self._rows[:count]
            # mode="clip" because with "raise" NumPy would gather into memory of its own first
            np.take(self._buffer.values, self._places[:count], axis=0, out=values[done : done + count], mode="clip")
            self._rows, self._places = self._rows[count:], self._places[count:]
            done += count

    def _refill(self) -> None:
        following = self._chunks[self._position : self._position + self._buffer.chunks]
        self._position = (self._position + following.size) % self._chunks.size
        rows, places = self._buffer.fill(following)
        shuffled = self._order.permutation(rows.size)
        self._rows, self._places = rows[shuffled], places[shuffled]


class ShuffledReader:
    """Batches for training, another order in each epoch.

    In each epoch the chunks are permuted and dealt to `streams`; a stream reads its chunks a few at a time, shuffles
    their samples and gives an equal share of each batch. Rank r owns the streams r, r + size, ...: ranks read disjoint
    chunks, and a batch holds the same samples whatever the number of ranks. A stream that runs out before the epoch
    ends starts again, one with more samples than it needs leaves some out; over the epochs this evens out.

    Parameters
    ----------
    store : Store
        The samples.
    wanted : ndarray of bool, shape (samples,)
        Which of them are read, see `Store.usable`.
    names : sequence of str
        What is read of each: the large array, or small ones.
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
        Wanted samples over all ranks.
    steps : int
        Batches in an epoch, the same on all ranks.

    Raises
    ------
    LehrError
        If the numbers do not divide, or there are too few samples for a batch or chunks for the streams.
    """

    def __init__(
        self,
        store: Store,
        wanted: NDArray[np.bool_],
        names: Sequence[str],
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
        self._wanted = wanted
        self._names = names
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
                f"{store.path}: {self.samples} samples in {self._chunks.size} chunks are too few "
                f"for batches of {batch_size} from {streams} streams",
                "Make training.batch_size, training.streams or storage.rows_per_chunk smaller.",
            )

    def epoch(self, number: int) -> Iterator[Columns]:
        """Yield this rank's share of each batch of an epoch: batch_size / size samples, as they are stored."""
        dealt = self._generator(number).permutation(self._chunks)
        streams = [
            _Stream(self._store, self._wanted, dealt[s :: self._streams], self._generator(number, s)) for s in self._own
        ]
        size = self._share * len(streams)
        for _ in range(self.steps):
            rows = np.empty(size, np.int64)
            values = np.empty((size, *self._store.sample_shape), self._store.source.array.dtype)
            for position, stream in enumerate(streams):
                share = slice(position * self._share, (position + 1) * self._share)
                stream.take(rows[share], values[share])
            yield _named(self._store, self._names, rows, values)

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))


class SequentialReader:
    """Every wanted sample once, in order; of the batches, rank r takes the r-th and each `size`-th after it.

    A batch holds the same samples whatever the number of ranks.

    Parameters
    ----------
    store, wanted, names, rank, size
        As for `ShuffledReader`.
    batch_size : int
        Samples in a batch; the last of all may be smaller.

    Attributes
    ----------
    samples : int
        Samples that this rank reads.
    """

    def __init__(
        self,
        store: Store,
        wanted: NDArray[np.bool_],
        names: Sequence[str],
        *,
        batch_size: int,
        rank: int = 0,
        size: int = 1,
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._names = names
        rows = np.flatnonzero(wanted)
        self._batches = [rows[i : i + batch_size] for i in range(rank * batch_size, rows.size, size * batch_size)]
        self._chunks = max(1, batch_size // store.rows_per_chunk)
        self.samples = sum(batch.size for batch in self._batches)

    def __iter__(self) -> Iterator[Columns]:
        """Yield batches as they are stored, and `row`, the numbers of their samples."""
        store, buffer = self._store, _Buffer(self._store, self._wanted, self._chunks)
        for rows in self._batches:
            values, done = np.empty((rows.size, *store.sample_shape), store.source.array.dtype), 0
            chunks = np.unique(rows // store.rows_per_chunk)
            for first in range(0, chunks.size, buffer.chunks):
                found, places = buffer.fill(chunks[first : first + buffer.chunks])
                own = places[(found >= rows[0]) & (found <= rows[-1])]  # the first and the last chunk hold others too
                np.take(buffer.values, own, axis=0, out=values[done : done + own.size], mode="clip")
                done += own.size
            yield {"row": rows, **_named(store, self._names, rows, values)}


def _named(store: Store, names: Sequence[str], rows: NDArray[np.int64], values: NDArray[Any]) -> Columns:
    """Return what is asked for of some rows, whose large array has been read."""
    return {name: values if name == store.source.array.name else store.column(name)[rows] for name in names}
