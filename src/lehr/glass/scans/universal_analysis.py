"""The text of TA Universal Analysis: names of columns one a line, and rows that mark the ends of segments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.table import Table
from lehr.glass.scans.units import Heading, parse_heading

__all__ = ["UniversalAnalysis"]

_START = "startofdata"
_SIGNAL = re.compile(r"\s*Sig(\d+)\s+(\S.*)")
_MARKER = re.compile(r"\s*\"?-[1-9](?:[.,]0*)?(?:[eE][+-]?0+)?\"?\s*(?:[\t,;].*|\s.*)?")


def _first(line: str) -> float | None:
    try:
        return float(re.split(r"[\s,;]", line.strip(), maxsplit=1)[0])
    except ValueError:
        return None


def _apart(lines: Sequence[str], at: int, others: NDArray[np.int64]) -> bool:
    """Tell whether the first number of a line is far from those of the next other lines."""
    here = _first(lines[at])
    after = int(np.searchsorted(others, at))
    near = [value for i in others[max(0, after - 1) : after + 1] if (value := _first(lines[i])) is not None]
    if here is None or len(near) < 2:
        return True  # the first or the last of all
    return min(abs(here - value) for value in near) > 3 * abs(near[0] - near[1]) + 1.0


@dataclass(frozen=True)
class UniversalAnalysis:
    """What the head of such a text says.

    Attributes
    ----------
    start : int
        Index of the first line of data.
    headings : list of Heading
        In the order of the columns.
    """

    start: int
    headings: list[Heading]

    @classmethod
    def of(cls, lines: Sequence[str]) -> UniversalAnalysis | None:
        """Return what the head says, None if this is not such a text."""
        start = next((i for i, line in enumerate(lines) if line.strip().lower() == _START), None)
        if start is None:
            return None
        found = [match for match in map(_SIGNAL.fullmatch, lines[:start]) if match]
        named = {int(match.group(1)): parse_heading(match.group(2)) for match in found}
        return cls(start + 1, [named[number] for number in sorted(named)])

    def without_markers(self, lines: Sequence[str]) -> tuple[list[str], list[int]]:
        """Return the lines of data, in which those that mark the end of a segment are empty, and the indices of these.

        A marker has a negative whole number, -1 to -9, in the first column, which is that of the time. If another
        quantity stands there, such a number is a marker where it stands apart from those above and below.
        """
        markers = [i for i, line in enumerate(lines) if _MARKER.fullmatch(line)]
        if not self.headings or self.headings[0].quantity != "time":
            others = np.setdiff1d(np.arange(len(lines)), markers)
            markers = [i for i in markers if _apart(lines, i, others)]
        kept = list(lines)
        for i in markers:
            kept[i] = ""
        return kept, markers

    def divided(self, table: Table, markers: Sequence[int]) -> list[Table]:
        """Return the parts of a table between markers, divided where the time starts anew."""
        at = np.searchsorted(table.rows, np.asarray(markers, dtype=int) + 1)
        inside = np.unique(at[(at > 0) & (at < len(table.rows))])
        time = next((i for i, heading in enumerate(table.headings) if heading.quantity == "time"), 0)
        back = (int(i) for i in inside if table.values[i, time] < table.values[i - 1, time])
        return [
            replace(table, values=table.values[a:b], rows=table.rows[a:b])
            for a, b in pairwise([0, *back, len(table.rows)])
        ]
