"""Tables out of text files: any delimiter, decimal points or commas, headings and prose around them.

This reads CSV as well as the text exports of instruments, such as those of Mettler STARe with many curves in one file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from lehr.errors import LehrError
from lehr.glass.scans.blocks import FEWEST_ROWS, Cell, Fields, Line, blocks, clock_seconds, tables_of
from lehr.glass.scans.pyris import with_pyris_units
from lehr.glass.scans.table import MISSING, Table
from lehr.glass.scans.units import Direction, direction
from lehr.glass.scans.universal_analysis import UniversalAnalysis

__all__ = ["decode", "text_tables"]

_PROBED_LINES = 200  # from which the delimiter is found
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Delimiter (None: white space) and decimal sign, the likelier first.
_DIALECTS = (
    *[(delimiter, decimal) for delimiter in ('","', ";", "\t") for decimal in ".,"],
    (",", "."),
    (None, "."),
    (None, ","),
)
_AS_GOOD = 0.9  # share of the rows that the best one divides, with which a likelier one is as good
_NAMES = {'","': "commas and quotes", ";": "semicolons", "\t": "tabs", ",": "commas", None: "white space"}
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")  # \x1a ends files of old programs
_CURVE_NAME = re.compile(  # Mettler STARe
    r"\s*(Curve Name|Kurvenname|Nom de (la )?courbe|Nombre de (la )?curva|Nome (della )?curva):\s*", re.IGNORECASE
)
_PLAIN = re.compile(r"[-+0-9.eE,; \t|]*[0-9.]")
_MARKUP = re.compile(r"\[\]\](\d+)\[\$")  # Mettler STARe, around the number of a segment
_NO_NUMBER = re.compile(r"[-+]?\d\.#[a-z]+\d*", re.IGNORECASE)  # such as -1.#IND00, of programs for Windows
_MANGLED = re.compile(r"\d\s*[;\t]|[;\t]\s*[-+]?\d|\d,\d|\d\s+[-+]?[\d.]")  # of numbers that are not divided yet
_EXO = re.compile(r"\s*#EXO\s*:?[\s,;]*([+-]?1)\s*", re.IGNORECASE)  # NETZSCH Proteus: 1 is exo up
_EXOTHERM = re.compile(r"\s*Exotherm\s+(Up|Down)\s*", re.IGNORECASE)  # TA Universal Analysis
_HEAD_LINES = 500  # among which the direction of the signal is looked for


def decode(content: bytes, source: str) -> tuple[str, str]:
    """Return the text of a file and the name of its encoding.

    Raises
    ------
    LehrError
        If this is not text.
    """
    encodings = [encoding for bom, encoding in _BOMS if content.startswith(bom)]
    if not encodings and b"\0" in content[:64]:
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    for encoding in encodings or ["utf-8", "latin-1"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text):
            return text, encoding.removesuffix("-sig").upper()
    raise LehrError(
        f"{source}: this is neither text nor a format that lehr knows",
        "Export the scans from the software of the instrument as text, CSV or Excel.",
    )


def text_tables(text: str, source: str) -> tuple[str, list[Table]]:
    """Find the tables of numbers in a text.

    Returns
    -------
    str
        How the columns and decimals are written.
    list of Table
        In the order of the file.

    Raises
    ------
    LehrError
        If there is none.
    """
    lines = text.replace("\N{MINUS SIGN}", "-").splitlines()
    analysis = UniversalAnalysis.of(lines)
    markers: list[int] = []
    endotherm = _endotherm(lines[:_HEAD_LINES])
    if analysis:
        lines, markers = analysis.without_markers([""] * analysis.start + lines[analysis.start :])
    dialect = _dialect(lines)
    if dialect is None:
        raise LehrError(
            f"{source}: {'no table of numbers was found' if text.strip() else 'the file is empty'}",
            "A scan is a table of at least two columns, temperature and signal. Thousands must not be separated.",
        )
    delimiter, decimal = dialect
    found = blocks(_lines(lines, delimiter, decimal))
    known = analysis.headings if analysis else ()
    tables = list(tables_of(found, source, "line", gaps=False, split=_TextFields(delimiter), known=known))
    if analysis:
        tables = [part for table in tables for part in analysis.divided(table, markers)]
    if not tables:
        raise LehrError(
            f"{source}: fewer than {FEWEST_ROWS} rows of numbers", "Give a table of temperature and signal."
        )
    sign = "point" if decimal == "." else "comma"
    layout = f"columns separated by {_NAMES[delimiter]}, decimal {sign}"
    head = lines[: min(int(tables[0].rows[0]), _HEAD_LINES)]
    return layout, [replace(with_pyris_units(table, head), endotherm=endotherm) for table in tables]


def _endotherm(lines: Sequence[str]) -> Direction | None:
    """Return the direction of endothermic effects that a line of its own says."""
    for line in (each.replace('"', "") for each in lines):
        if found := _EXO.fullmatch(line):
            return "up" if found.group(1).startswith("-") else "down"
        if found := _EXOTHERM.fullmatch(line):
            return direction(f"exo {found.group(1)}")
    return None


def _dialect(lines: Sequence[str]) -> tuple[str | None, str] | None:
    with_digits = [line for line in lines if any("0" <= letter <= "9" for letter in line[:200])]
    probed = with_digits[:: max(1, len(with_digits) // _PROBED_LINES)]
    scores = [
        sum(
            _plain_numbers(line, mark, decimal) is not None or _is_row(_split(line, mark), decimal)
            for line in probed
            if mark is None or mark in line
        )
        for mark, decimal in _DIALECTS
    ]
    if not any(scores):
        return None
    # a line of prose with two numbers in it counts for white space
    return next(each for each, score in zip(_DIALECTS, scores, strict=True) if score >= _AS_GOOD * max(scores))


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    if len(delimiter) == 1 and '"' in line:
        fields = next(csv.reader([line], delimiter=delimiter), [])
    else:
        fields = line.split(delimiter)
    return [part.strip(" \t\"'") for part in fields]


def _cell(text: str, decimal: str) -> float | str:
    """Return a number, NaN for a missing one, the text for anything else."""
    written = text
    if decimal == ",":  # what has a point is not a number of this file, but it may be a clock time
        written = "" if "." in text else text.replace(",", ".")
    try:
        value = float(written)
    except ValueError:
        seconds = clock_seconds(text)
        if seconds is not None:
            return seconds
        return np.nan if text.lower() in MISSING or _NO_NUMBER.fullmatch(text) else text
    if isfinite(value):
        return text if "_" in text else value
    return np.nan if text.lower() in MISSING else text


def _is_row(fields: list[str], decimal: str) -> bool:
    """Tell whether a line is a row of numbers, beside which texts may stand."""
    if len(fields) < 2:
        return False
    cells = [_cell(text, decimal) for text in fields]
    texts = [cell for cell in cells if isinstance(cell, str)]
    if sum(isinstance(cell, float) and cell == cell for cell in cells) < 2:
        return False
    return not any(_MANGLED.search(cell) for cell in texts)


def _plain_numbers(line: str, delimiter: str | None, decimal: str) -> list[Cell] | None:
    """Return the numbers of a line of two or more and nothing else, None for any other line: what most lines are."""
    if decimal != "." or not _PLAIN.fullmatch(line):
        return None
    try:
        numbers = [float(part) for part in line.split(delimiter)]
    except ValueError:
        return None
    return [*numbers] if len(numbers) > 1 and isfinite(sum(numbers)) else None


def _lines(lines: Sequence[str], delimiter: str | None, decimal: str) -> Iterator[Line]:
    name, naming = "", False
    for number, line in enumerate(lines, 1):
        if not naming and (numbers := _plain_numbers(line, delimiter, decimal)):
            yield Line(number, numbers, name=name, plain=True)
            continue
        fields = _split(line, delimiter)
        cells = [_cell(text, decimal) for text in fields]
        if len(cells) < 2:  # a number alone is not a row
            cells = [text for text in fields if text]
        if naming and line.strip():
            name, naming = _MARKUP.sub(r"[\1] ", line.replace("\xaf", " ")).strip(), False
            cells = [name]
        clock: frozenset[int] = frozenset()
        if ":" in line:
            naming = naming or _CURVE_NAME.fullmatch(line) is not None
            clock = frozenset(i for i, text in enumerate(fields) if ":" in text and clock_seconds(text) is not None)
        texts = any(isinstance(cell, str) for cell in cells)  # a row of numbers alone is never a heading
        yield Line(number, cells, line if texts else "", clock, name)


class _TextFields(Fields):
    """Splits a heading as the table is split, or in another way that gives as many fields."""

    def __init__(self, delimiter: str | None) -> None:
        self.delimiter = delimiter

    def __call__(self, lines: Sequence[Line], columns: int) -> list[list[str]]:
        """Return the fields of lines."""
        above = [line.text for line in lines]
        rows = [self._fields(text, columns) for text in above]
        if self.delimiter is None and len(above) > 1 and "[" in above[0] and len(rows[0]) != columns:
            rows[0] = _aligned(above[0], above[1], columns)
        return rows

    def _fields(self, line: str, columns: int) -> list[str]:
        if self.delimiter and len(fields := _split(line, self.delimiter)) == columns:
            return fields
        text = line.strip().lstrip("#%").strip() if self.delimiter is None else line
        for pattern in (r"\s{2,}|\t", r"\s+", r"\s*,\s*", r"\s*;\s*"):
            fields = re.split(pattern, text)
            if len(fields) == columns:
                return [part.strip(" \t\"'") for part in fields]
        return fields


def _aligned(units: str, names: str, columns: int) -> list[str]:
    """Give each unit to the name that ends nearest to it: not every column of a line of units has one."""
    ends = [match.end() for match in re.finditer(r"\S+", names)]
    fields = [""] * columns
    if len(ends) == columns:
        for match in re.finditer(r"\S+", units):
            fields[min(range(columns), key=lambda i: abs(ends[i] - match.end()))] = match.group()
    return fields
