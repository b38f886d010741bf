"""Reading a finished subset."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
from numpy.typing import NDArray

from lehr.config import Run
from lehr.errors import LehrError
from lehr.split import SPLITS, Split
from lehr.store.layout import NOT_COMPUTED, about, check_identity, open_group, sample_bytes, split_array
from lehr.study import Columns, Source

__all__ = ["Store", "open_subset"]


class Store:
    """The samples of one subset.

    Small arrays are read when first asked for; the large one only in the ranges that `read` is asked for.

    Parameters
    ----------
    path : Path
        The group of the subset on disk.
    source : Source
        What it holds.

    Attributes
    ----------
    path : Path
        The group on disk.
    source : Source
        What it holds.
    group : zarr.Group
        The group.
    about : dict
        What lehr has written into the attributes, see `lehr.store.layout.about`.
    subset : str
        Its name.
    samples : int
        Number of samples.
    sample_shape : tuple of int
        Shape of the large array of one sample.
    rows_per_chunk, rows_per_part : int
        Samples that are compressed, and best read, together; samples in a file.

    Raises
    ------
    LehrError
        If there is no such group, or it is damaged, of another study or of a format that is not read.
    """

    def __init__(self, path: Path, source: Source) -> None:
        self.path = path
        self.source = source
        self.group = open_group(path)
        self.about = about(self.group)
        self.subset: str = self.about["subset"]
        if self.about["study"] != source.study:
            raise LehrError(f"{path}: of the study {self.about['study']}, not {source.study}")
        try:
            array: Any = self.group[source.array.name]
        except KeyError:
            raise LehrError(
                f"{path / source.array.name}: the array is missing", "Delete the folder, and make the subset anew."
            ) from None
        self.samples: int = array.shape[0]
        self.sample_shape: tuple[int, ...] = tuple(array.shape[1:])
        self.rows_per_chunk: int = array.chunks[0]
        self.rows_per_part: int = array.shards[0]
        self._columns: Columns = {}

    @classmethod
    def open(cls, path: Path, source: Source) -> Store:
        """Open a complete subset.

        Raises
        ------
        LehrError
            If it is missing, damaged or not complete.
        """
        store = cls(path, source)
        if (store.status == NOT_COMPUTED).any():
            raise LehrError(
                f"{store.path}: not complete yet",
                f"Go on with `lehr dataset generate CONFIG --subset {store.subset}`.",
            )
        return store

    @property
    def sample_bytes(self) -> int:
        """Size of the large array of a sample in memory."""
        return sample_bytes(self.source)

    @property
    def digest(self) -> str:
        """Digest of what decides the content: it ties files to the store."""
        return str(self.about["digest"])

    def column(self, name: str) -> NDArray[Any]:
        """Return a small array, or a coordinate, by name."""
        if name not in self._columns:
            try:
                array: Any = self.group[name]
                self._columns[name] = np.asarray(array[:])
            except (KeyError, ValueError, OSError, RuntimeError) as error:
                raise LehrError(
                    f"{self.path / name}: damaged ({error})",
                    "Run `lehr dataset finalise CONFIG` again, which writes it anew.",
                ) from None
        return self._columns[name]

    def columns(self, names: Iterable[str], rows: Any = slice(None)) -> Columns:
        """Return some rows of small arrays, by name."""
        return {name: self.column(name)[rows] for name in names}

    @cached_property
    def parameters(self) -> NDArray[np.float64]:
        """What decides each sample, shape (samples, parameters of the source)."""
        return np.stack([self.column(quantity.name) for quantity in self.source.parameters], axis=1)

    @property
    def status(self) -> NDArray[np.int8]:
        """Outcome of each simulation, shape (samples,); 0 is good."""
        return self.column("status")

    def split(self, split: Split) -> NDArray[np.int8]:
        """Return the index into `lehr.split.SPLITS` of each sample, shape (samples,)."""
        split_array(self.source, split.by)
        keys = self.source.keys(self.columns(quantity.name for quantity in self.source.parameters))
        return split.assign(keys[split.by])

    def usable(self, split: Split, name: str) -> NDArray[np.bool_]:
        """Tell which samples belong to a split, by name, and have a good simulation, shape (samples,)."""
        return np.asarray((self.split(split) == SPLITS.index(name)) & (self.status == 0))

    @cached_property
    def _array(self) -> Any:
        # tensorstore reads the same files several times faster than zarr inside shards
        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(self.path / self.source.array.name)}}
        return tensorstore.open(spec, read=True).result()

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Read the large array of the samples start ... stop - 1, shape (stop - start, *sample_shape).

        Raises
        ------
        LehrError
            If a chunk cannot be read.
        """
        return self.read_ranges([(start, stop)])[0]

    def read_ranges(self, ranges: list[tuple[int, int]]) -> list[NDArray[Any]]:
        """Read several ranges at once, each as `read` does; they are fetched concurrently."""
        blocks = [np.empty((stop - start, *self.sample_shape), self.source.array.dtype) for start, stop in ranges]
        self.read_into(ranges, blocks)
        return blocks

    def read_into(self, ranges: list[tuple[int, int]], blocks: list[NDArray[Any]]) -> None:
        """Read several ranges at once into arrays of their shape: memory that is used again need not be cleared."""
        try:
            pending = [
                tensorstore.array(block).write(self._array[start:stop])
                for (start, stop), block in zip(ranges, blocks, strict=True)
            ]
            for future in pending:
                future.result()
        except ValueError as error:
            raise LehrError(
                f"{self.path / self.source.array.name}: a chunk cannot be read ({str(error).splitlines()[0]})",
                f"`lehr dataset verify {self.path}` finds the damaged part and says how to compute it again.",
            ) from None


def open_subset(run: Run, subset: str) -> Store:
    """Open a subset of a run: the one place that checks that it is complete and what the config asks for.

    Raises
    ------
    LehrError
        If the config has no such subset, or it is missing, damaged, not complete, or made with other values than the
        config has; these are named.
    """
    if subset not in run.subsets:
        raise LehrError(f"the config {run.name} has no subset '{subset}'", f"It has: {', '.join(run.subsets)}.")
    store = Store.open(run.group_path(subset), run.source())
    check_identity(store.path, store.about, store.source, to_write=False)
    return store
