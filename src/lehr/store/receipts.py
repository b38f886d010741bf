"""Receipts: what says that a part is on disk, and what was found out of its samples.

A receipt is written by a temporary file and a rename, after the signals. What has no valid receipt is computed again.
It holds a JSON record and the small arrays of its rows, because a file for each part and array would be ten times as
many files; `lehr.store.complete` gathers them into arrays of the store.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.files import file_checksum, write_bytes
from lehr.store.layout import about, open_group
from lehr.store.plan import Part
from lehr.study import Quantity, Source

__all__ = ["Receipt", "read_receipt", "receipt_path", "shard_path", "unfinished", "write_receipt"]


@dataclass(frozen=True)
class Receipt:
    """What is known of a finished part.

    Attributes
    ----------
    part, start, stop : int
        Its number and rows.
    digest : str
        Digest of what decides the content, see `lehr.store.layout.digest`.
    numerics : int
        Version of the numerics that computed it; in a store of format 2, a digest of the code.
    shard_bytes : int
        Size of its shard.
    checksum : str
        SHA-256 of its shard.
    status_counts : dict
        Number of samples of each status.
    seconds : float
        Time from parameters to disk.
    """

    part: int
    start: int
    stop: int
    digest: str
    numerics: int | str | None
    shard_bytes: int
    checksum: str
    status_counts: dict[str, int]
    seconds: float


def shard_path(group: Path, array: Quantity, part: Part) -> Path:
    """Return the file that holds the large array of a part."""
    return group.joinpath(array.name, "c", str(part.number), *("0" for _ in array.dims))


def receipt_path(group: Path, part: Part) -> Path:
    """Return the file of the receipt of a part."""
    return group / "receipts" / f"part-{part.number:06d}.npz"


def write_receipt(
    group: Path, source: Source, part: Part, stamp: dict[str, Any], results: dict[str, NDArray[Any]], seconds: float
) -> None:
    """Say that the signals of a part are on disk.

    Parameters
    ----------
    group : Path
        The subset.
    source : Source
        What it holds.
    part : Part
        What was written.
    stamp : dict
        Digest and numerics of the group, see `lehr.store.layout.about`.
    results : dict of ndarray
        The results of the source, each with a row for each sample.
    seconds : float
        Time from parameters to disk.
    """
    shard = shard_path(group, source.array, part)
    receipt = Receipt(
        part=part.number,
        start=part.start,
        stop=part.stop,
        **stamp,
        shard_bytes=shard.stat().st_size,
        checksum=file_checksum(shard),
        status_counts={str(key): count for key, count in sorted(Counter(results["status"].tolist()).items())},
        seconds=round(seconds, 3),
    )
    buffer = io.BytesIO()
    arrays = {quantity.name: results[quantity.name] for quantity in source.results}
    np.savez_compressed(buffer, receipt=np.array(json.dumps(asdict(receipt))), **arrays)
    write_bytes(receipt_path(group, part), buffer.getvalue())


def read_receipt(
    group: Path, source: Source, part: Part, stamp: dict[str, Any]
) -> tuple[Receipt, dict[str, NDArray[Any]]] | None:
    """Return the receipt of a part and its arrays; None if it is missing, damaged, stale, or its shard is not there."""
    try:
        with receipt_path(group, part).open("rb") as file, np.load(file, allow_pickle=False) as content:
            receipt = Receipt(**json.loads(str(content["receipt"])))
            results = {quantity.name: content[quantity.name] for quantity in source.results}
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        return None  # a damaged receipt counts as none
    wanted = {"start": part.start, "stop": part.stop, **stamp}
    if any(getattr(receipt, name) != value for name, value in wanted.items()):
        return None
    if any(len(array) != part.rows for array in results.values()):
        return None
    try:
        whole = shard_path(group, source.array, part).stat().st_size == receipt.shard_bytes
    except OSError:
        return None
    return (receipt, results) if whole else None


def unfinished(group: Path, source: Source, parts: Iterable[Part]) -> list[Part]:
    """Return those of the parts that have no valid receipt, in order."""
    stamp = about(open_group(group))["stamp"]
    return [part for part in parts if read_receipt(group, source, part, stamp) is None]
