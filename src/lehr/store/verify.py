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
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.tnm import simulate_batch
from lehr.store.complete import CHECKSUMS, read_manifest
from lehr.store.encoding import MAX_ERROR
from lehr.store.plan import PartPlan
from lehr.store.receipts import read_receipt, shard_path
from lehr.store.signals import SignalStore

__all__ = ["Finding", "verify"]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and the part to compute again, if that helps."""

    what: str
    part: int | None = None


def verify(
    group: Path, *, rows: int = 32, seed: int = 0, progress: Callable[[int], object] = lambda _: None
) -> list[Finding]:
    """Compare a complete subset with its checksums, receipts and manifest, and some samples with a new simulation.

    Parameters
    ----------
    group : Path
        The subset.
    rows : int, optional
        Samples, drawn at random, that are simulated again.
    seed : int, optional
        Seed of the draw.
    progress : callable, optional
        Called with the number of bytes read since the last call.

    Returns
    -------
    list of Finding
        Empty if all is well.

    Raises
    ------
    LehrError
        If there is no such subset or it is not complete.
    """
    store = SignalStore(group.parent, group.name)
    manifest = read_manifest(group)
    plan = PartPlan(store.samples, store.rows_per_part)
    sums = _sums(group)
    found = [*_seal(group, manifest), *_files(group, sums, progress), *_receipts(group, plan, store.about, sums)]
    try:
        found += _counts(store, manifest)
        damaged = {finding.part for finding in found}
        return [*found, *_simulated_again(store, plan, damaged, rows, seed)]
    except LehrError as error:  # a small array or a shard that cannot be decoded
        return [*found, Finding(error.what)]


def _seal(group: Path, manifest: dict[str, Any]) -> Iterator[Finding]:
    """Compare the list of checksums with its own in the manifest."""
    if file_checksum(group / CHECKSUMS) != manifest["checksum"]:
        yield Finding(f"{group / CHECKSUMS}: is not that of the manifest")


def _counts(store: SignalStore, manifest: dict[str, Any]) -> Iterator[Finding]:
    counts = {str(key): count for key, count in sorted(Counter(store.status.tolist()).items())}
    if counts != manifest["status_counts"]:
        yield Finding(f"status counts {counts}, the manifest has {manifest['status_counts']}")


def _sums(group: Path) -> dict[str, str]:
    """Read the list of checksums."""
    try:
        lines = (group / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    except (OSError, ValueError) as error:
        raise LehrError(f"{group / CHECKSUMS}: cannot be read ({error})", "Run `lehr dataset finalise`.") from None


def _files(group: Path, sums: dict[str, str], progress: Callable[[int], object]) -> Iterator[Finding]:
    """Compare every file with its checksum."""
    for name, digest in sums.items():
        path = group / name
        part = int(name.split("/")[2]) if name.startswith("cpn/c/") else None
        try:
            same = file_checksum(path) == digest
            progress(path.stat().st_size)
        except OSError as error:
            yield Finding(f"{path}: {error.strerror}", part)
            continue
        if not same:
            yield Finding(f"{path}: its content has changed", part)


def _receipts(group: Path, plan: PartPlan, made: dict[str, Any], sums: dict[str, str]) -> Iterator[Finding]:
    """Compare the receipts with the list of checksums."""
    for part in plan.parts():
        known = read_receipt(group, part, made)
        if known is None:
            yield Finding(f"{group}: part {part.number} has no valid receipt", part.number)
        elif sums.get(shard_path(group, part).relative_to(group).as_posix()) != known[0].checksum:
            yield Finding(f"{group}: part {part.number} has another checksum in its receipt", part.number)


def _simulated_again(
    store: SignalStore, plan: PartPlan, damaged: set[int | None], rows: int, seed: int
) -> Iterator[Finding]:
    """Simulate some samples again; the same code on another processor may differ in the last bits, hence the margin."""
    config = SignalsConfig.model_validate(store.about["signals"])
    chosen = np.random.default_rng(seed).choice(store.samples, min(rows, store.samples), replace=False)
    for row in sorted(int(row) for row in chosen):
        part = row // plan.rows_per_part
        if part in damaged:
            continue
        cpn, status = simulate_batch(
            store.parameters[row],
            program=config.program.build(),
            temperature=config.temperature.kelvin(),
            tolerance=config.tolerance,
        )
        stored = store.read(row, row + 1)
        error = float(np.nanmax(np.abs(stored - cpn), initial=0.0))
        if status[0] != store.status[row] or not np.array_equal(np.isnan(cpn), np.isnan(stored)):
            yield Finding(f"{store.path}: sample {row} has the status {store.status[row]}, now {status[0]}", part)
        elif error > MAX_ERROR + 1e-6 * max(1.0, float(store.cpn_max[row])):
            yield Finding(f"{store.path}: sample {row} differs by {error:.2g} from a new simulation", part)
