"""Writing: create the group of a subset, fill it part by part."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tensorstore
import zarr
from numpy.typing import NDArray

from lehr.config.run import StorageConfig
from lehr.errors import LehrError
from lehr.store.layout import TEMPORARY, about, check_identity, create_group, open_group
from lehr.store.plan import Part, PartPlan
from lehr.store.receipts import write_receipt
from lehr.study import Source

__all__ = ["PartWriter", "create", "exclusive_lock", "rows_per_part", "shared_lock"]


def create(path: Path, source: Source, subset: str, storage: StorageConfig) -> Path:
    """Create the group of a subset, or check that the one that is there holds what the source simulates.

    Parameters
    ----------
    path : Path
        The store.
    source : Source
        What it will hold.
    subset : str
        Name of a subset of the source.
    storage : StorageConfig
        Layout of a new group; one that is there keeps its own.

    Returns
    -------
    Path
        The group.

    Raises
    ------
    LehrError
        If a group of another config or version is there, or it cannot be written; nothing is touched then.
    """
    target = path / subset
    if not (target / "zarr.json").is_file():
        try:
            target.mkdir(parents=True, exist_ok=True)
            with exclusive_lock(target):
                _create(target, source, storage)
        except OSError as error:
            raise LehrError(
                f"{target}: cannot be created: {error.strerror or error}", "Look at the folder and at the disk."
            ) from None
    check_identity(target, about(open_group(target)), source)
    return target


def rows_per_part(group: Path, source: Source, storage: StorageConfig) -> int:
    """Return how many samples a part of a group has: one that is there keeps its layout."""
    if not (group / "zarr.json").is_file():
        return storage.rows_per_part
    array: Any = open_group(group)[source.array.name]
    return int(array.shards[0])


def _create(target: Path, source: Source, storage: StorageConfig) -> None:
    """Make the group beside its place and move it there, what says that it is whole last."""
    if (target / "zarr.json").is_file():
        return  # another process was faster
    if not (target.parent / "zarr.json").is_file():
        zarr.open_group(target.parent, mode="a")
    building = target / ".building"
    shutil.rmtree(building, ignore_errors=True)
    create_group(building, source, source.subset(target.name), storage.rows_per_part, storage.rows_per_chunk)
    for child in sorted(building.iterdir(), key=lambda child: child.name == "zarr.json"):
        shutil.rmtree(target / child.name, ignore_errors=True)  # of a creator that was killed
        child.rename(target / child.name)
    building.rmdir()


@contextmanager
def shared_lock(group: Path) -> Iterator[None]:
    """Hold a lock that several writers of a group may hold at the same time."""
    with _locked(group, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive_lock(group: Path) -> Iterator[None]:
    """Wait until no writer holds the lock of a group, keep others waiting, and sweep what killed writers left."""
    with _locked(group, fcntl.LOCK_EX):
        for pattern in TEMPORARY:
            for orphan in group.rglob(pattern):
                orphan.unlink(missing_ok=True)
        yield


@contextmanager
def _locked(group: Path, kind: int) -> Iterator[None]:
    with (group / ".lock").open("w") as lock:
        with suppress(OSError):  # the file system has no locks
            fcntl.flock(lock, kind)
        yield


class PartWriter:
    """Writes the samples of whole parts of one subset; several processes may each have one.

    Parameters
    ----------
    group : Path
        The subset.
    source : Source
        What it holds.
    plan : PartPlan
        Its parts.

    Raises
    ------
    LehrError
        If the group is missing, or its shards are not the parts of the plan.
    """

    def __init__(self, group: Path, source: Source, plan: PartPlan) -> None:
        opened = open_group(group)
        self._stamp = about(opened)["stamp"]
        array: Any = opened[source.array.name]
        if array.shards[0] != plan.rows_per_part or array.shape[0] != plan.rows:
            raise LehrError(
                f"{group}: shards of {array.shards[0]} samples, parts of {plan.rows_per_part}",
                "A part must be exactly one shard: two writers in one shard lose data.",
            )
        self._group = group
        self._source = source
        self._plan = plan
        # A rank has one core. tensorstore syncs a file before it renames it: a receipt never outlives its data. A part
        # has one writer, and a temporary name of its own, so that no lock is needed; some file systems have none.
        spec = {
            "driver": "zarr3",
            "kvstore": {"driver": "file", "path": str(group / source.array.name)},
            "context": {
                "data_copy_concurrency": {"limit": 1},
                "file_io_concurrency": {"limit": 1},
                "file_io_locking": {"mode": "none"},
            },
        }
        self._array: Any = tensorstore.open(spec, write=True).result()

    def write(self, part: Part, values: NDArray[Any]) -> None:
        """Write the large array of one part.

        Parameters
        ----------
        part : Part
            A part of the plan.
        values : ndarray, shape (rows, *sample_shape)
            Its samples, as they are stored.

        Raises
        ------
        LehrError
            If they cannot be written: the disk is full, or not writable.
        """
        if part != self._plan.part(part.number):
            raise ValueError(f"{part} is not in the plan")
        try:
            # The reference saves a copy. It is gone when the part is committed: this handle has no cache.
            self._array[part.start : part.stop].write(values, can_reference_source_data_indefinitely=True).result()
        except (ValueError, RuntimeError, OSError) as error:
            raise self._failure(part, error) from None

    def write_receipt(self, part: Part, results: dict[str, NDArray[Any]], seconds: float) -> None:
        """Say that a part is on disk; see `lehr.store.receipts.write_receipt`.

        Raises
        ------
        LehrError
            If it cannot be written.
        """
        try:
            write_receipt(self._group, self._source, part, self._stamp, results, seconds)
        except OSError as error:
            raise self._failure(part, error) from None

    def _failure(self, part: Part, error: Exception) -> LehrError:
        reason = str(error).partition(" [source locations=")[0]
        return LehrError(
            f"{self._group}: part {part.number} cannot be written ({reason})",
            "Make room, and run the same command again: it goes on with this part.",
        )
