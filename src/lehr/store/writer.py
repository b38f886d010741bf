"""Writing: create the group of a subset, fill it part by part."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
import zarr
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.space import Subset
from lehr.provenance import code
from lehr.store.layout import TEMPORARY, about, create_group, differences, open_group
from lehr.store.plan import Part, PartPlan
from lehr.store.receipts import write_receipt

__all__ = ["PartWriter", "alone", "at_work", "create"]


def create(path: Path, subset: Subset, config: SignalsConfig) -> Path:
    """Create the group of a subset, or check that the one that is there is of this config and this code.

    Parameters
    ----------
    path : Path
        The store.
    subset : Subset
        What it will hold.
    config : SignalsConfig
        How it is made.

    Returns
    -------
    Path
        The group.

    Raises
    ------
    LehrError
        If a group of another config or version is there, or it cannot be written; nothing is touched then.
    """
    target = path / subset.name
    if not (target / "zarr.json").is_file():
        try:
            target.mkdir(parents=True, exist_ok=True)
            with alone(target):
                _create(path, subset, config)
        except OSError as error:
            raise LehrError(
                f"{target}: cannot be created: {error.strerror or error}", "Look at the folder and at the disk."
            ) from None
    made = about(open_group(target))
    if made["digest"] != config.digest():
        changes = differences(made["signals"], config.model_dump(mode="json"), "signals.")
        raise LehrError(
            f"{target}: made with another config ({'; '.join(changes) or 'by an older version of lehr'})",
            "Keep it and give this run another `output`, or delete the folder to make it anew.",
        )
    if made["code"]["numerics"] != code()["numerics"]:
        raise LehrError(
            f"{target}: made with another version of the code that computes signals "
            f"(lehr {made['code']['version']}, git {made['code']['git']})",
            "Finish it with that version, give this run another `output`, or delete the folder to make it anew.",
        )
    return target


def _create(path: Path, subset: Subset, config: SignalsConfig) -> None:
    """Make the group beside its place and move it there, what says that it is whole last."""
    target = path / subset.name
    if (target / "zarr.json").is_file():
        return  # another process was faster
    if not (path / "zarr.json").is_file():
        zarr.open_group(path, mode="a")
    building = target / ".building"
    shutil.rmtree(building, ignore_errors=True)
    create_group(building, subset, config)
    for child in sorted(building.iterdir(), key=lambda child: child.name == "zarr.json"):
        shutil.rmtree(target / child.name, ignore_errors=True)  # of a creator that was killed
        child.rename(target / child.name)
    building.rmdir()


@contextmanager
def at_work(group: Path) -> Iterator[None]:
    """Mark a group as being written; several may be at work."""
    with _locked(group, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(group: Path) -> Iterator[None]:
    """Wait until nobody is at work at a group, keep others waiting, and sweep what killed writers left."""
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
    """Writes the signals of whole parts of one subset; several processes may each have one.

    Parameters
    ----------
    group : Path
        The subset.
    plan : PartPlan
        Its parts.

    Raises
    ------
    LehrError
        If the group is missing, or its shards are not the parts of the plan.
    """

    def __init__(self, group: Path, plan: PartPlan) -> None:
        opened = open_group(group)
        self._about = about(opened)
        cpn: Any = opened["cpn"]
        if cpn.shards[0] != plan.rows_per_part or cpn.shape[0] != plan.rows:
            raise LehrError(
                f"{group}: shards of {cpn.shards[0]} samples, parts of {plan.rows_per_part}",
                "A part must be exactly one shard: two writers in one shard lose data.",
            )
        self._group = group
        self._plan = plan
        # A rank has one core. tensorstore syncs a file before it renames it: a receipt never outlives its data. A part
        # has one writer, and a temporary name of its own, so that no lock is needed; some file systems have none.
        spec = {
            "driver": "zarr3",
            "kvstore": {"driver": "file", "path": str(group / "cpn")},
            "context": {
                "data_copy_concurrency": {"limit": 1},
                "file_io_concurrency": {"limit": 1},
                "file_io_locking": {"mode": "none"},
            },
        }
        self._signals: Any = tensorstore.open(spec, write=True).result()

    def write(self, part: Part, cpn: NDArray[np.float32]) -> None:
        """Write the signals of one part.

        Parameters
        ----------
        part : Part
            A part of the plan.
        cpn : ndarray of float32, shape (rows, cycles, points)
            Its signals, rounded.

        Raises
        ------
        LehrError
            If they cannot be written: the disk is full, or not writable.
        """
        if part != self._plan.part(part.number):
            raise ValueError(f"{part} is not in the plan")
        try:
            # The reference saves a copy. It is gone when the part is committed: this handle has no cache.
            self._signals[part.start : part.stop].write(cpn, can_reference_source_data_indefinitely=True).result()
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
            write_receipt(self._group, part, self._about, results, seconds)
        except OSError as error:
            raise self._failure(part, error) from None

    def _failure(self, part: Part, error: Exception) -> LehrError:
        reason = str(error).partition(" [source locations=")[0]
        return LehrError(
            f"{self._group}: part {part.number} cannot be written ({reason})",
            "Make room, and run the same command again: it goes on with this part.",
        )
