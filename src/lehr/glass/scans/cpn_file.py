"""Files of CpN as `lehr read --csv` writes them: a table for anyone, and above it what a fit must know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.measured import DrawnLines, MeasuredScan
from lehr.glass.scans.measurement import Measurement
from lehr.glass.scans.normalise import NormalisedScan
from lehr.glass.scans.options import Way
from lehr.glass.scans.segments import find_segments
from lehr.glass.scans.step import Step

__all__ = ["cpn_csv", "cpn_measurements", "is_cpn_csv"]

_MARK = "# lehr cpn "
_VERSION = 1
_THEN = "Write it again: lehr read FILE --csv."


@dataclass(frozen=True, eq=False, kw_only=True)
class _CpnMeasurement(Measurement):
    """A scan of such a file."""

    heating_rate: float | None
    lines: DrawnLines

    def scans(self, heating_rate: float | None = None, direction: Way = "heating") -> list[MeasuredScan]:
        """Return the scan, whatever its direction; `heating_rate` in K/min where the file does not know it."""
        rate = self.heating_rate or heating_rate
        scan = MeasuredScan(
            self.temperature, self.signal, "cpn", "1", None, rate, self.source, self.notes, lines=self.lines
        )
        return [scan]


def cpn_csv(scans: Sequence[NormalisedScan]) -> str:
    """Return the scans side by side, each with temperatures of its own, below one line of comment.

    The comment keeps heating rates, lines and steps, as JSON; numbers are written so that the same are read. With
    pandas: ``pandas.read_csv(path, comment="#")``.
    """
    said = [
        {
            "source": scan.measured.source,
            "heating_rate_K_per_min": scan.measured.heating_rate,
            "step": asdict(scan.step),
            "glass_K": [scan.glass.low, scan.glass.high],
            "liquid_K": [scan.liquid.low, scan.liquid.high],
            "drawn": scan.drawn,
            "notes": list(scan.notes),
        }
        for scan in scans
    ]
    header = ",".join(f"temperature_{i}_K,cpn_{i}" for i in range(1, len(scans) + 1))
    columns = [column.tolist() for scan in scans for column in (scan.temperature, scan.cpn)]
    rows = zip_longest(*(map(repr, column) for column in columns), fillvalue="")
    comment = _MARK + json.dumps({"version": _VERSION, "scans": said})
    return "\n".join([comment, header, *map(",".join, rows)]) + "\n"


def is_cpn_csv(content: bytes) -> bool:
    """Tell whether a file was written so."""
    return content.startswith(_MARK.encode())


def cpn_measurements(content: bytes, source: str) -> list[Measurement]:
    """Read such a file.

    Raises
    ------
    LehrError
        If it was changed by hand so that it is not understood.
    """
    try:
        comment, _, *rows = content.decode().splitlines()
        said = json.loads(comment.removeprefix(_MARK))
        version, scans = said["version"], said["scans"]
        cells = [row.split(",") for row in rows]
        table = np.array([[float(cell) if cell else np.nan for cell in row] for row in cells])
        if version == _VERSION and table.shape[1:] != (2 * len(scans),):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise LehrError(f"{source}: written by lehr read --csv, and changed since: not understood", _THEN) from None
    if version != _VERSION:
        raise LehrError(f"{source}: written by another version of lehr", _THEN)
    return [_measurement(scan, table[:, 2 * i : 2 * i + 2], source, i + 1) for i, scan in enumerate(scans)]


def _measurement(said: dict[str, Any], columns: NDArray[np.float64], source: str, number: int) -> Measurement:
    there = np.isfinite(columns).all(axis=1)
    temperature, cpn = columns[there].T
    if there.sum() < 2 or not (np.diff(temperature) > 0).all():
        raise LehrError(f"{source}: scan {number}: temperatures do not ascend, or are missing", _THEN)
    try:
        step = Step(**said["step"])
        glass, liquid = (tuple(map(float, said[name])) for name in ("glass_K", "liquid_K"))
        lines = DrawnLines(step, (glass[0], glass[1]), (liquid[0], liquid[1]), bool(said["drawn"]))
        rate = said["heating_rate_K_per_min"]
        rate = None if rate is None else float(rate)
        notes = tuple(map(str, said["notes"]))
    except (ValueError, KeyError, TypeError, IndexError):
        raise LehrError(f"{source}: what is said of scan {number} is not understood", _THEN) from None
    segments = find_segments(temperature, None)
    name = f"{source}, scan {number}"
    return _CpnMeasurement(temperature, cpn, None, "cpn", "1", name, segments, notes, heating_rate=rate, lines=lines)
