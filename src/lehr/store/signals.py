"""Reading a finished subset."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.store.layout import NOT_COMPUTED, PARAMETER_UNITS, open_group

__all__ = ["SignalStore"]


class SignalStore:
    """The signals of one subset.

    Small arrays are read when first asked for; signals only in the ranges that `read` is asked for.

    Attributes
    ----------
    path : Path
        The group on disk.
    subset : str
        Its name.
    samples, cycles, points : int
        Shape of the signals.
    rows_per_chunk : int
        Samples that are stored, and best read, together.
    config_digest : str
        Digest of the signals config that made it.
    """

    def __init__(self, path: Path, subset: str) -> None:
        self._group = open_group(path, subset)
        self.path = path / subset
        self.subset = subset
        cpn: Any = self._group["cpn"]
        self.samples, self.cycles, self.points = cpn.shape
        self.rows_per_chunk: int = cpn.chunks[0]
        about: Any = self._group.attrs["lehr"]
        self.config_digest: str = about["digest"]

    @classmethod
    def open(cls, path: str | Path, subset: str) -> SignalStore:
        """Open a complete subset.

        Raises
        ------
        LehrError
            If it is missing, damaged or not complete.
        """
        store = cls(Path(path), subset)
        missing = int(np.count_nonzero(store.status == NOT_COMPUTED))
        if missing:
            raise LehrError(
                f"{store.path}: {missing} of {store.samples} samples were not computed yet",
                f"Finish it with `lehr dataset generate CONFIG --subset {subset}`.",
            )
        return store

    def _array(self, name: str) -> NDArray[Any]:
        try:
            array: Any = self._group[name]
            return np.asarray(array[:])
        except (KeyError, ValueError, OSError, RuntimeError) as error:
            raise LehrError(f"{self.path / name}: damaged ({error})", "Delete the folder and make it again.") from None

    @cached_property
    def temperature(self) -> NDArray[np.float64]:
        """Temperatures in K, shape (points,)."""
        return self._array("temperature")

    @cached_property
    def parameters(self) -> NDArray[np.float64]:
        """Columns ln_A, delta_h (J/mol), x, beta, shape (samples, 4)."""
        return np.stack([self._array(name) for name in PARAMETER_UNITS], axis=1)

    @cached_property
    def cpn_max(self) -> NDArray[np.float32]:
        """Largest CpN of each sample, shape (samples,)."""
        return self._array("cpn_max")

    @cached_property
    def status(self) -> NDArray[np.int8]:
        """Outcome of each simulation, shape (samples,); 0 is good."""
        return self._array("status")

    @cached_property
    def _signals(self) -> Any:
        # tensorstore reads the same files several times faster than zarr inside shards
        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(self.path / "cpn")}}
        return tensorstore.open(spec, read=True).result()

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Read the signals of the samples start ... stop - 1, shape (stop - start, cycles, points).

        Raises
        ------
        LehrError
            If a chunk cannot be read.
        """
        return self.read_ranges([(start, stop)])[0]

    def read_ranges(self, ranges: list[tuple[int, int]]) -> list[NDArray[np.float32]]:
        """Read several ranges at once, each as `read` does; they are fetched concurrently."""
        try:
            pending = [self._signals[start:stop].read() for start, stop in ranges]
            return [np.asarray(future.result()) for future in pending]
        except ValueError as error:
            raise LehrError(
                f"{self.path / 'cpn'}: a chunk cannot be read ({str(error).splitlines()[0]})",
                "Delete the receipts of the damaged part and generate again.",
            ) from None
