"""How much memory samples take in a rank, at most."""

from __future__ import annotations

from dataclasses import dataclass

from lehr.store import Store
from lehr.store.reader import buffer_chunks
from lehr.training.tensorflow import PREFETCHED_BATCHES

__all__ = ["Memory"]

_BATCHES_IN_WORK = 3  # one that the reader fills, its copy as a tensor, and one that the network learns from


@dataclass(frozen=True)
class Memory:
    """Bytes of samples in one rank, at most.

    Attributes
    ----------
    shuffling : int
        Buffers of its streams.
    batches : int
        Batches that are read ahead, and those in work.
    validation : int
        Validation samples that are kept, or the buffer and batches to read them.
    """

    shuffling: int
    batches: int
    validation: int

    @classmethod
    def of(cls, store: Store, *, batch: int, streams: int, kept: int) -> Memory:
        """Work it out.

        Parameters
        ----------
        store : Store
            The samples.
        batch, streams : int
            Samples of a batch and sample streams of this rank.
        kept : int
            Validation samples that this rank keeps in memory; 0 if it reads them in each epoch.
        """
        sample = store.sample_bytes
        chunk = store.rows_per_chunk * sample
        read = max(1, batch // store.rows_per_chunk) * chunk + 2 * batch * sample
        return cls(
            shuffling=streams * buffer_chunks(store) * chunk,
            batches=(PREFETCHED_BATCHES + _BATCHES_IN_WORK) * batch * sample,
            validation=kept * sample if kept else read,
        )

    def __str__(self) -> str:
        sizes = (self.shuffling + self.batches + self.validation, self.shuffling, self.batches, self.validation)
        total, shuffling, batches, validation = (f"{size / 2**20:,.1f} MiB" for size in sizes)
        return (
            f"samples take at most {total} in each rank: {shuffling} to shuffle, {batches} of batches, "
            f"{validation} to validate"
        )
