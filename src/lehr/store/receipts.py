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
from lehr.store.layout import RESULTS, about, open_group
from lehr.store.plan import Part

__all__ = ["Receipt", "read_receipt", "receipt_path", "shard_path", "unfinished", "write_receipt"]


@dataclass(frozen=True)
class Receipt:
    """What is known of a finished part.

    Attributes
    ----------
    part, start, stop : int
        Its number and rows.
    digest : str
        Digest of the signals config.
    numerics : str or None
        Digest of the code that computed it.
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
    numerics: str | None
    shard_bytes: int
    checksum: str
    status_counts: dict[str, int]
    seconds: float


def shard_path(group: Path, part: Part) -> Path:
    """Return the file that holds the signals of a part."""
    return group / "cpn" / "c" / str(part.number) / "0" / "0"


def receipt_path(group: Path, part: Part) -> Path:
    """Return the file of the receipt of a part."""
    return group / "receipts" / f"part-{part.number:06d}.npz"


def write_receipt(
    group: Path, part: Part, made: dict[str, Any], results: dict[str, NDArray[Any]], seconds: float
) -> None:
    """Say that the signals of a part are on disk.

    Parameters
    ----------
    group : Path
        The subset.
    part : Part
        What was written.
    made : dict
        What lehr has written into the attributes of the group.
    results : dict of ndarray
        The arrays of `RESULTS`, each with a row for each sample.
    seconds : float
        Time from parameters to disk.
    """
    shard = shard_path(group, part)
    receipt = Receipt(
        part=part.number,
        start=part.start,
        stop=part.stop,
        digest=made["digest"],
        numerics=made["code"]["numerics"],
        shard_bytes=shard.stat().st_size,
        checksum=file_checksum(shard),
        status_counts={str(key): count for key, count in sorted(Counter(results["status"].tolist()).items())},
        seconds=round(seconds, 3),
    )
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, receipt=np.array(json.dumps(asdict(receipt))), **{name: results[name] for name in RESULTS}
    )
    write_bytes(receipt_path(group, part), buffer.getvalue())


def read_receipt(group: Path, part: Part, made: dict[str, Any]) -> tuple[Receipt, dict[str, NDArray[Any]]] | None:
    """Return the receipt of a part and its arrays; None if it is missing, damaged, stale, or its shard is not there."""
    try:
        with receipt_path(group, part).open("rb") as file, np.load(file, allow_pickle=False) as content:
            receipt = Receipt(**json.loads(str(content["receipt"])))
            results = {name: content[name] for name in RESULTS}
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        return None  # a damaged receipt is no receipt
    wanted = {"start": part.start, "stop": part.stop, "digest": made["digest"], "numerics": made["code"]["numerics"]}
    if any(getattr(receipt, name) != value for name, value in wanted.items()):
        return None
    if any(len(array) != part.rows for array in results.values()):
        return None
    try:
        whole = shard_path(group, part).stat().st_size == receipt.shard_bytes
    except OSError:
        return None
    return (receipt, results) if whole else None


def unfinished(group: Path, parts: Iterable[Part]) -> list[Part]:
    """Return those of the parts that have no valid receipt, in order."""
    made = about(open_group(group))
    return [part for part in parts if read_receipt(group, part, made) is None]
