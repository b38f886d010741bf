"""Reading a finished subset."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.store.layout import NOT_COMPUTED, PARAMETER_UNITS, about, open_group

__all__ = ["SignalStore"]


class SignalStore:
    """The signals of one subset.

    Small arrays are read when first asked for; signals only in the ranges that `read` is asked for.

    Attributes
    ----------
    path : Path
        The group on disk.
    group : zarr.Group
        The group.
    subset : str
        Its name.
    samples, cycles, points : int
        Shape of the signals.
    rows_per_chunk, rows_per_part : int
        Samples that are compressed, and best read, together; samples in a file.
    config_digest : str
        Digest of the signals config that made it.
    """

    def __init__(self, path: Path, subset: str) -> None:
        self.path = path / subset
        self.group = open_group(self.path)
        self.subset = subset
        cpn: Any = self.group["cpn"]
        self.samples, self.cycles, self.points = cpn.shape
        self.rows_per_chunk: int = cpn.chunks[0]
        self.rows_per_part: int = cpn.shards[0]
        self.config_digest: str = self.about["digest"]

    @property
    def about(self) -> dict[str, Any]:
        """What lehr has written into the attributes: format, digest, the full recipe, versions."""
        return about(self.group)

    @classmethod
    def open(cls, path: str | Path, subset: str) -> SignalStore:
        """Open a complete subset.

        Raises
        ------
        LehrError
            If it is missing, damaged or not complete.
        """
        store = cls(Path(path), subset)
        if (store.status == NOT_COMPUTED).any():
            raise LehrError(
                f"{store.path}: not complete yet",
                f"Go on with `lehr dataset generate CONFIG --subset {subset}`.",
            )
        return store

    def _array(self, name: str) -> NDArray[Any]:
        try:
            array: Any = self.group[name]
            return np.asarray(array[:])
        except (KeyError, ValueError, OSError, RuntimeError) as error:
            raise LehrError(
                f"{self.path / name}: damaged ({error})",
                "Run `lehr dataset finalise CONFIG` again, which writes it anew.",
            ) from None

    @cached_property
    def temperature(self) -> NDArray[np.float64]:
        """Temperatures in K, shape (points,)."""
        return self._array("temperature")

    @cached_property
    def cooling_rate(self) -> NDArray[np.float64]:
        """Rate of the first segment of each cycle in K/min, shape (cycles,)."""
        return self._array("cooling_rate")

    @cached_property
    def heating_rate(self) -> NDArray[np.float64]:
        """Rate of each recorded scan in K/min, shape (cycles,)."""
        return self._array("heating_rate")

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """Flat index in the state space, shape (samples,)."""
        return self._array("index")

    @cached_property
    def parameters(self) -> NDArray[np.float64]:
        """Columns ln_A, delta_h (J/mol), x, beta, shape (samples, 4)."""
        return np.stack([self._array(name) for name in PARAMETER_UNITS], axis=1)

    @cached_property
    def cpn_max(self) -> NDArray[np.float32]:
        """Largest CpN of each sample, shape (samples,)."""
        return self._array("cpn_max")

    @cached_property
    def fictive_temperature(self) -> NDArray[np.float32]:
        """Limiting fictive temperature Tf' before each scan in K, shape (samples, cycles)."""
        return self._array("fictive_temperature")

    @cached_property
    def split_by_sample(self) -> NDArray[np.int8]:
        """Index into `lehr.glass.space.SPLITS` of each sample, shape (samples,), drawn by a hash of all parameters."""
        return self._array("split_by_sample")

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
        blocks = [np.empty((stop - start, self.cycles, self.points), np.float32) for start, stop in ranges]
        self.read_into(ranges, blocks)
        return blocks

    def read_into(self, ranges: list[tuple[int, int]], blocks: list[NDArray[np.float32]]) -> None:
        """Read several ranges at once into arrays of their shape: memory that is used again need not be cleared."""
        try:
            pending = [
                tensorstore.array(block).write(self._signals[start:stop])
                for (start, stop), block in zip(ranges, blocks, strict=True)
            ]
            for future in pending:
                future.result()
        except ValueError as error:
            raise LehrError(
                f"{self.path / 'cpn'}: a chunk cannot be read ({str(error).splitlines()[0]})",
                f"`lehr dataset verify {self.path}` finds the damaged part and says how to compute it again.",
            ) from None
