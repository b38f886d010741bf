"""Verification of a subset: whether it is what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lehr.errors import LehrError
from lehr.files import file_checksum
from lehr.store.complete import CHECKSUMS, read_manifest
from lehr.store.layout import samples_to_fill
from lehr.store.plan import PartPlan
from lehr.store.receipts import read_receipt, shard_path
from lehr.store.store import Store
from lehr.study import Source

__all__ = ["Fault", "verify"]


@dataclass(frozen=True)
class Fault:
    """Something that is wrong, and the part to compute again, if that helps."""

    what: str
    part: int | None = None


def verify(
    group: Path, source: Source, *, rows: int = 32, seed: int = 0, progress: Callable[[int], object] = lambda _: None
) -> list[Fault]:
    """Compare a complete subset with its checksums, receipts and manifest, and some samples with a new simulation.

    Parameters
    ----------
    group : Path
        The subset.
    source : Source
        What it should hold.
    rows : int, optional
        Samples, drawn at random, that are simulated again.
    seed : int, optional
        Seed of the draw.
    progress : callable, optional
        Called with the number of bytes read since the last call.

    Returns
    -------
    list of Fault
        Empty if all is well.

    Raises
    ------
    LehrError
        If there is no such subset or it is not complete.
    """
    store = Store(group, source)
    manifest = read_manifest(group)
    plan = PartPlan(store.samples, store.rows_per_part)
    sums = _sums(group)
    found = [*_list_of_checksums(group, manifest), *_files(store, sums, progress), *_receipts(store, plan, sums)]
    try:
        found += _counts(store, manifest)
        damaged = {fault.part for fault in found}
        return [*found, *_simulated_again(store, plan, damaged, rows, seed)]
    except LehrError as error:  # a small array or a shard that cannot be decoded
        return [*found, Fault(error.what)]


def _list_of_checksums(group: Path, manifest: dict[str, Any]) -> Iterator[Fault]:
    """Compare the list of checksums with its own in the manifest."""
    if file_checksum(group / CHECKSUMS) != manifest["checksum"]:
        yield Fault(f"{group / CHECKSUMS}: is not that of the manifest")


def _counts(store: Store, manifest: dict[str, Any]) -> Iterator[Fault]:
    counts = {str(key): count for key, count in sorted(Counter(store.status.tolist()).items())}
    if counts != manifest["status_counts"]:
        yield Fault(f"status counts {counts}, the manifest has {manifest['status_counts']}")


def _sums(group: Path) -> dict[str, str]:
    """Read the list of checksums."""
    try:
        lines = (group / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    except (OSError, ValueError) as error:
        raise LehrError(f"{group / CHECKSUMS}: cannot be read ({error})", "Run `lehr dataset finalise`.") from None


def _files(store: Store, sums: dict[str, str], progress: Callable[[int], object]) -> Iterator[Fault]:
    """Compare every file with its checksum."""
    for name, digest in sums.items():
        path = store.path / name
        part = int(name.split("/")[2]) if name.startswith(f"{store.source.array.name}/c/") else None
        try:
            same = file_checksum(path) == digest
            progress(path.stat().st_size)
        except OSError as error:
            yield Fault(f"{path}: {error.strerror}", part)
            continue
        if not same:
            yield Fault(f"{path}: its content has changed", part)


def _receipts(store: Store, plan: PartPlan, sums: dict[str, str]) -> Iterator[Fault]:
    """Compare the receipts with the list of checksums."""
    group, source = store.path, store.source
    for part in plan.parts():
        known = read_receipt(group, source, part, store.about["stamp"])
        if known is None:
            yield Fault(f"{group}: part {part.number} has no valid receipt", part.number)
        elif sums.get(shard_path(group, source.array, part).relative_to(group).as_posix()) != known[0].checksum:
            yield Fault(f"{group}: part {part.number} has another checksum in its receipt", part.number)


def _simulated_again(store: Store, plan: PartPlan, damaged: set[int | None], rows: int, seed: int) -> Iterator[Fault]:
    """Simulate some samples again."""
    source = store.source
    drawn = np.sort(np.random.default_rng(seed).choice(store.samples, min(rows, store.samples), replace=False))
    chosen = np.array([row for row in drawn.tolist() if row // plan.rows_per_part not in damaged], np.int64)
    if not chosen.size:
        return
    again = samples_to_fill(source, chosen.size)
    source.simulate(store.columns((quantity.name for quantity in source.parameters), chosen), again)
    stored = store.columns((quantity.name for quantity in source.results), chosen)
    stored[source.array.name] = np.concatenate(store.read_ranges([(row, row + 1) for row in chosen.tolist()]))
    for position, what in source.same(stored, again):
        row = int(chosen[position])
        yield Fault(f"{store.path}: sample {row} {what}", row // plan.rows_per_part)
