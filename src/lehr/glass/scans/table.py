"""Tables of numbers with headings: what every format is brought to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.units import Heading, parse_heading, tidy_unit

__all__ = ["MISSING", "Table", "headings"]

MISSING = frozenset({"", "-", "--", "nan", "n/a", "na", "#n/a", "null", "none"})
"""How files write that there is not a number, in lower case."""


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
        NaN where a number is missing.
    rows : ndarray of int, shape (rows,)
        Numbers of the lines or rows of the file, from 1.
    """

    source: str
    headings: list[Heading]
    values: NDArray[np.float64]
    rows: NDArray[np.int64]


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
    if len(fitting) > 1 and all(_is_unit(field) for field in fitting[0]):
        units = fitting.pop(0)
    return [parse_heading(name, unit) for name, unit in zip(fitting[0], units, strict=True)]


def _is_unit(field: str) -> bool:
    text = field.strip().strip("\"'#")
    return bool(re.fullmatch(r"\[.*\]|\(.*\)", text)) or tidy_unit(text) is not None or text == "%"
