"""Receipts say that a part is on disk; a manifest says that a subset is complete.

Both are written by a temporary file and a rename, after the data. What has no valid receipt is computed again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.store.files import read_json, write_json
from lehr.store.plan import Part, PartPlan

__all__ = ["checksum", "finalise", "read_manifest", "unfinished", "write_receipt"]


def checksum(parameters: NDArray[np.float64], cpn: NDArray[np.float32], status: NDArray[np.int8]) -> str:
    """BLAKE2b over the values of a part, whatever the codec: 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for array in (parameters, cpn, status):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _path(folder: Path, subset: str, part: Part) -> Path:
    return folder / subset / f"part-{part.number:06d}.json"


def write_receipt(
    folder: Path,
    subset: str,
    part: Part,
    config_digest: str,
    version: str,
    parameters: NDArray[np.float64],
    cpn: NDArray[np.float32],
    status: NDArray[np.int8],
    seconds: float,
) -> None:
    """Say that a part was written.

    Parameters
    ----------
    folder : Path
        Folder of all receipts.
    subset : str
        The subset.
    part : Part
        What was written.
    config_digest, version : str
        Digest of the signals config and version of lehr that made it.
    parameters, cpn, status : ndarray
        What was written; for the checksum, the moments and the counts.
    seconds : float
        Time that the simulation took.
    """
    finite = cpn[np.isfinite(cpn)].astype(np.float64)
    write_json(
        _path(folder, subset, part),
        {
            "subset": subset,
            "part": part.number,
            "start": part.start,
            "stop": part.stop,
            "digest": config_digest,
            "version": version,
            "checksum": checksum(parameters, cpn, status),
            "status_counts": {str(key): count for key, count in sorted(Counter(status.tolist()).items())},
            "cpn": {"count": finite.size, "sum": float(finite.sum()), "sum_of_squares": float(finite @ finite)},
            "seconds": round(seconds, 3),
        },
    )


def _valid(folder: Path, subset: str, part: Part, config_digest: str) -> dict[str, Any] | None:
    """Return the receipt of a part, or None if it is missing, damaged or of another config."""
    path = _path(folder, subset, part)
    if not path.exists():
        return None
    try:
        receipt = read_json(path, "")
    except LehrError:
        return None  # a damaged receipt is no receipt
    wanted = {"subset": subset, "start": part.start, "stop": part.stop, "digest": config_digest}
    return receipt if all(receipt.get(key) == value for key, value in wanted.items()) else None


def unfinished(folder: Path, subset: str, plan: PartPlan, config_digest: str) -> list[Part]:
    """Return the parts without a valid receipt, in order."""
    return [part for part in plan.parts() if _valid(folder, subset, part, config_digest) is None]


def finalise(folder: Path, subset: str, plan: PartPlan, config_digest: str, manifest: Path) -> dict[str, Any]:
    """Write the manifest of a complete subset and return it.

    Raises
    ------
    LehrError
        If a part has no valid receipt.
    """
    found = {part.number: _valid(folder, subset, part, config_digest) for part in plan.parts()}
    receipts = [receipt for receipt in found.values() if receipt is not None]
    if len(receipts) < len(plan):
        missing = [str(number) for number, receipt in found.items() if receipt is None]
        raise LehrError(
            f"subset {subset}: {len(missing)} of {len(plan)} parts are missing ({', '.join(missing[:10])} ...)",
            f"Run `lehr dataset generate CONFIG --subset {subset}` again; it computes only these.",
        )
    counts: Counter[str] = Counter()
    seconds = 0.0
    everything = hashlib.blake2b(digest_size=16)
    for receipt in receipts:
        counts.update(receipt["status_counts"])
        seconds += receipt["seconds"]
        everything.update(bytes.fromhex(receipt["checksum"]))
    content = {
        "subset": subset,
        "samples": plan.rows,
        "parts": len(plan),
        "digest": config_digest,
        "checksum": everything.hexdigest(),
        "status_counts": dict(sorted(counts.items())),
        "core_seconds": round(seconds, 3),
    }
    write_json(manifest, content)
    return content


def read_manifest(manifest: Path) -> dict[str, Any]:
    """Read the manifest of a subset; raises `LehrError` if it is missing or damaged."""
    return read_json(manifest, "Run `lehr dataset generate CONFIG` first.")
