"""Completing a subset: gather what the parts found out, draw the splits, describe it, list its checksums."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.files import file_checksum, read_json, write_json, write_text
from lehr.split import SPLITS, Split
from lehr.store.card import card
from lehr.store.layout import (
    TEMPORARY,
    about,
    check_identity,
    consolidate,
    open_group,
    split_array,
    write,
    write_coordinates,
)
from lehr.store.plan import PartPlan
from lehr.store.receipts import Receipt, read_receipt, shard_path
from lehr.study import Columns, Quantity, Source

__all__ = ["CHECKSUMS", "MANIFEST", "finalise", "read_manifest"]

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
CARD = "README.md"
_WITHOUT_CHECKSUM = {MANIFEST, CHECKSUMS, ".lock"}  # the first two come after the checksums, the third is empty


def finalise(group_path: Path, source: Source, plan: PartPlan, split: Split) -> dict[str, Any]:
    """Complete a subset of which all parts have receipts, and return its manifest.

    It may be repeated, with another split for instance; it computes no signal.

    Parameters
    ----------
    group_path : Path
        The subset.
    source : Source
        What it holds.
    plan : PartPlan
        Its parts.
    split : Split
        Shares and seed of the splits that are stored.

    Raises
    ------
    LehrError
        If the group is of another config, which is left as it is, or a part has no valid receipt.
    """
    group = open_group(group_path, mode="r+")
    made = about(group)
    check_identity(group_path, made, source, to_write=False)
    (group_path / MANIFEST).unlink(missing_ok=True)
    receipts, results = _gather(group_path, source, plan, made)
    subset = source.subset(made["subset"])
    if made["numerics"] == source.numerics:  # other code might number the samples in another way
        write_coordinates(group, source, subset)
    parameters = {quantity.name: np.asarray(group[quantity.name][:]) for quantity in source.parameters}  # type: ignore[index]
    splits = {
        split_array(source, by).name: replace(split, by=by).assign(keys) for by, keys in source.keys(parameters).items()
    }
    counts: Counter[str] = Counter()
    for receipt in receipts:
        counts.update(receipt.status_counts)
    good = results["status"] == 0
    summary = {
        "subset": made["subset"],
        "samples": plan.rows,
        "parts": len(plan),
        "digest": made["digest"],
        "status_counts": dict(sorted(counts.items())),
        "split": {"train": split.train, "validation": split.validation, "seed": split.seed},
        "splits": {name: _describe_split(source.array, values, good, results) for name, values in splits.items()},
    }
    flags: dict[str, Any] = {"flag_values": list(range(len(SPLITS))), "flag_meanings": " ".join(SPLITS)}
    for name, values in splits.items():
        write(group, name, values)
        group[name].attrs.update({**flags, **summary["split"], "train_moments": summary["splits"][name]["moments"]})
    for name, values in results.items():
        write(group, name, values)
    consolidate(group_path)
    signal_bytes = sum(receipt.shard_bytes for receipt in receipts)
    write_text(group_path / CARD, card(made, source, results, summary, signal_bytes))
    sums = {shard_path(group_path, source.array, plan.part(receipt.part)): receipt.checksum for receipt in receipts}
    listed = _write_checksums(group_path, sums)
    manifest = {
        **summary,
        "signal_bytes": signal_bytes,
        "checksum": hashlib.sha256(listed.encode()).hexdigest(),
        "core_seconds": round(sum(receipt.seconds for receipt in receipts), 1),
    }
    write_json(group_path / MANIFEST, manifest)
    return manifest


def _gather(group_path: Path, source: Source, plan: PartPlan, made: dict[str, Any]) -> tuple[list[Receipt], Columns]:
    """Read all receipts."""
    receipts: list[Receipt] = []
    rows: dict[str, list[NDArray[Any]]] = {quantity.name: [] for quantity in source.results}
    missing = []
    for part in plan.parts():
        found = read_receipt(group_path, source, part, made["stamp"])
        if found is None:
            missing.append(part.number)
            continue
        receipts.append(found[0])
        for name, array in found[1].items():
            rows[name].append(array)
    if missing:
        listed = ", ".join(map(str, missing[:10])) + (" ..." if len(missing) > 10 else "")
        raise LehrError(
            f"{group_path}: {len(missing)} of {len(plan)} parts are missing ({listed})",
            f"Run `lehr dataset generate CONFIG --subset {made['subset']}`; it computes only these.",
        )
    return receipts, {name: np.concatenate(arrays) for name, arrays in rows.items()}


def _describe_split(
    array: Quantity, values: NDArray[np.int8], good: NDArray[np.bool_], results: Columns
) -> dict[str, Any]:
    """Count the good samples of each split; mean and standard deviation of the large array of the training split."""
    name = array.name
    train = good & (values == SPLITS.index("train"))
    described: dict[str, Any] = {
        "samples": {name: int(np.count_nonzero(good & (values == i))) for i, name in enumerate(SPLITS)},
        "moments": None,
    }
    if train.any() and f"{name}_mean_square" in results:
        mean = results[f"{name}_mean"][train].mean(axis=0, dtype=np.float64)
        square = results[f"{name}_mean_square"][train].mean(axis=0, dtype=np.float64)
        described["moments"] = {
            f"{name}_mean": [round(float(value), 7) for value in mean],
            f"{name}_standard_deviation": [round(float(value), 7) for value in np.sqrt(square - mean**2)],
        }
    return described


def _write_checksums(group_path: Path, known: dict[Path, str]) -> str:
    """Write the checksums of all files as `sha256sum -c` reads them; those of the shards are known."""
    files = [
        path
        for path in group_path.rglob("*")
        if path.is_file()
        and path.name not in _WITHOUT_CHECKSUM
        and path.parent.name != "receipts"
        and not any(path.match(pattern) for pattern in TEMPORARY)
    ]
    lines = [
        f"{known.get(path) or file_checksum(path)}  {path.relative_to(group_path).as_posix()}\n"
        for path in sorted(files)
    ]
    text = "".join(lines)
    write_text(group_path / CHECKSUMS, text)
    return text


def read_manifest(group_path: Path) -> dict[str, Any]:
    """Read the manifest of a subset; raises `LehrError` if it is missing or damaged."""
    return read_json(group_path / MANIFEST, f"Run `lehr dataset generate CONFIG --subset {group_path.name}` first.")
