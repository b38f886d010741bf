"""Tables of numbers with headings: what every format is brought to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.units import (
    CLOCK_UNIT,
    TEMPERATURE_UNITS,
    TIME_UNITS,
    Direction,
    Heading,
    is_unit,
    kind_of_unit,
    parse_heading,
    tidy_unit,
)

__all__ = ["MISSING", "NotAScanError", "Table", "headings"]

MISSING = frozenset({"", "-", "--", "---", "nan", "n/a", "na", "n.a.", "#n/a", "#nv", "null", "none"})
"""How files write that there is not a number, in lower case."""


class NotAScanError(LehrError):
    """A table that is not a scan, such as a few rows of results: a file that has scans beside it is read without it."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a file.

    Attributes
    ----------
    source : str
        The file, with the name of the curve or sheet if there is one.
    headings : list of Heading
        One for each column; without text where the file has none.
    values : ndarray, shape (rows, columns)
        NaN where a number is missing, and in columns of text.
    rows : ndarray of int, shape (rows,)
        Numbers of the lines or rows of the file, from 1.
    damage : LehrError or None
        What makes a row of the table unreadable; to be raised if the table is needed.
    endotherm : {"up", "down"} or None
        Direction of endothermic effects, if the file says it.
    notes : tuple of str
        What a reader should know of how the table came about.
    name : str
        Of the curve or sheet; empty if the file has one alone.
    """

    source: str
    headings: list[Heading]
    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    damage: LehrError | None = None
    endotherm: Direction | None = None
    notes: tuple[str, ...] = ()
    name: str = ""

    @property
    def place(self) -> str:
        """Name and lines within the file, to tell one of several tables."""
        lines = f"lines {self.rows[0]} to {self.rows[-1]}"
        return f"{self.name}, {lines}" if self.name else lines


def headings(lines: Sequence[Sequence[str]], columns: int) -> list[Heading]:
    """Take the headings from the lines above a table.

    Parameters
    ----------
    lines : sequence of sequence of str
        Fields of the lines, the nearest first; lines of another number of fields are not headings.
    columns : int
        Number of columns of the table.

    Returns
    -------
    list of Heading
        One for each column.
    """
    fitting = [list(line) for line in lines if len(line) == columns and any(field.strip() for field in line)]
    if not fitting:
        return [Heading("")] * columns
    units = [""] * columns
    if len(fitting) > 1 and _are_units(fitting[0]):
        units = fitting.pop(0)
    names = fitting.pop(0)
    said = [name.strip().lower() for name in names if name.strip()]
    if fitting and len(set(said)) < len(said):
        # names over two lines, such as "Program" above "Temperature" and "Sample" above "Temperature"
        names = [f"{above.strip()} {name.strip()}".strip() for above, name in zip(fitting[0], names, strict=True)]
    return [parse_heading(name, unit) for name, unit in zip(names, units, strict=True)]


def _are_units(fields: Sequence[str]) -> bool:
    """Tell whether a line is one of units: at least half of its fields are known units, and none is a quantity."""
    written = [field.strip().strip("\"'#").strip() for field in fields]
    written = [field for field in written if field]
    units = [field for field in written if _is_wanted_unit(field) or is_unit(field)]
    names = [field for field in written if field not in units and parse_heading(field).quantity]
    return any(map(_is_wanted_unit, units)) and 2 * len(units) >= len(written) and not names


def _is_wanted_unit(text: str) -> bool:
    if re.fullmatch(r"\[.*\]|\(.*\)", text) or text == "%":
        return True
    unit = tidy_unit(text) or ""
    return unit in TEMPERATURE_UNITS or unit in TIME_UNITS or unit == CLOCK_UNIT or kind_of_unit(unit) is not None
