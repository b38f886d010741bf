"""Tables out of text files: any delimiter, decimal points or commas, headings and prose around them.

This reads CSV as well as the text exports of instruments, such as those of Mettler STARe with many curves in one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from lehr.errors import LehrError
from lehr.glass.scans.table import MISSING, Table, headings

__all__ = ["decode", "text_tables"]

_FEWEST_ROWS = 5  # fewer rows of numbers are taken for prose
_PROBED = 1000  # lines from which the delimiter is found
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Delimiter (None: white space) and decimal sign, the likelier first.
_DIALECTS = (
    *[(delimiter, decimal) for delimiter in ('","', ";", "\t") for decimal in ".,"],
    (",", "."),
    (None, "."),
    (None, ","),
)
_NAMES = {'","': "commas and quotes", ";": "semicolons", "\t": "tabs", ",": "commas", None: "white space"}
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")  # \x1a ends files of old programs
_CURVE_NAME = re.compile(r"^\s*Curve Name:\s*$", re.IGNORECASE)  # Mettler STARe
_MARKUP = re.compile(r"\[\]\](\d+)\[\$")  # Mettler STARe, around the number of a segment


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


@dataclass
class _Block:
    """Rows of numbers below one another, with the lines above them, the nearest first."""

    above: list[str]
    name: str
    rows: list[list[float]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


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
        If there is none, or a row is damaged; the message names the line.
    """
    lines = text.replace("\N{MINUS SIGN}", "-").splitlines()
    dialect = _dialect(lines)
    if dialect is None:
        raise LehrError(
            f"{source}: {'no table of numbers was found' if text.strip() else 'the file is empty'}",
            "A scan is a table of at least two columns, temperature and signal. Thousands must not be separated.",
        )
    delimiter, decimal = dialect
    tables = [_table(block, delimiter, source) for block in _blocks(lines, delimiter, decimal, source)]
    if not tables:
        raise LehrError(
            f"{source}: fewer than {_FEWEST_ROWS} rows of numbers", "Give a table of temperature and signal."
        )
    sign = "point" if decimal == "." else "comma"
    return f"columns separated by {_NAMES[delimiter]}, decimal {sign}", tables


def _dialect(lines: list[str]) -> tuple[str | None, str] | None:
    with_digits = [line for line in lines if any("0" <= letter <= "9" for letter in line[:200])]
    probed = with_digits[:: max(1, len(with_digits) // _PROBED)]
    scores = [sum(_numbers(_split(line, delimiter), decimal) is not None for line in probed)
              for delimiter, decimal in _DIALECTS]  # fmt: skip
    best = int(np.argmax(scores))
    return _DIALECTS[best] if scores[best] else None


def _split(line: str, delimiter: str | None) -> list[str]:
    fields = line.split(delimiter)
    return [part.strip(" \t\"'") for part in fields] if delimiter else fields


def _number(text: str, decimal: str) -> float | None:
    """Return a number, NaN for a missing one, None for anything else."""
    if decimal == "," and text:
        if "." in text:
            return None
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return np.nan if text.lower() in MISSING else None
    if np.isfinite(value):
        return None if "_" in text else value
    return np.nan if text.lower() in MISSING else None


def _numbers(fields: list[str], decimal: str) -> list[float] | None:
    """Return the numbers of a row; None if a field is none, or there are not two."""
    if len(fields) < 2:
        return None
    values = []
    for text in fields:
        value = _number(text, decimal)
        if value is None:
            return None
        values.append(value)
    return values if sum(value == value for value in values) >= 2 else None


def _blocks(lines: list[str], delimiter: str | None, decimal: str, source: str) -> Iterator[_Block]:
    above: list[str] = []
    name, naming = "", False
    block: _Block | None = None
    after_row = False
    for number, line in enumerate(lines, 1):
        fields = _split(line, delimiter)
        values = _numbers(fields, decimal)
        if values is not None:
            if block and len(values) != len(block.rows[0]):
                if after_row and len(block.rows) >= _FEWEST_ROWS:
                    raise LehrError(
                        f"{source}, line {number}: {len(values)} columns, {len(block.rows[0])} above",
                        "Repair the line, or remove it.",
                    )
                if len(block.rows) >= _FEWEST_ROWS:
                    yield block
                block = None
            if block is None:
                block = _Block(above[::-1], name)
            block.rows.append(values)
            block.lines.append(number)
            after_row = True
            continue
        if block and after_row:
            _check_no_damaged_row(fields, decimal, block, f"{source}, line {number}")
        after_row = False
        if not line.strip():
            above = above if block is None else []
            continue
        if naming:
            name, naming = _MARKUP.sub(r"[\1] ", line.replace("\xaf", " ")).strip(), False
        elif _CURVE_NAME.match(line):
            naming = True
        if block:
            if len(block.rows) >= _FEWEST_ROWS:
                yield block
            block, above = None, []
        above = [*above[-3:], line]
    if block and len(block.rows) >= _FEWEST_ROWS:
        yield block


def _check_no_damaged_row(fields: list[str], decimal: str, block: _Block, where: str) -> None:
    """Refuse a row that looks like those above it but for a field."""
    if len(fields) != len(block.rows[0]):
        return
    values = [_number(text, decimal) for text in fields]
    bad = next((text for text, value in zip(fields, values, strict=True) if value is None), None)
    if bad is not None and any(value is not None and value == value for value in values):
        raise LehrError(f"{where}: '{bad[:40]}' is not a number", "Repair the line, or remove it.")
    if bad is None and len(block.rows) >= _FEWEST_ROWS and any(fields):
        raise LehrError(f"{where}: numbers are missing", "Repair the line, or remove it.")


def _table(block: _Block, delimiter: str | None, source: str) -> Table:
    columns = len(block.rows[0])
    rows = [_heading_fields(line, columns, delimiter) for line in block.above]
    if delimiter is None and len(block.above) > 1 and "[" in block.above[0] and len(rows[0]) != columns:
        rows[0] = _aligned(block.above[0], block.above[1], columns)
    return Table(
        f"{source}, {block.name}" if block.name else source,
        headings(rows, columns),
        np.array(block.rows),
        np.array(block.lines),
    )


def _heading_fields(line: str, columns: int, delimiter: str | None) -> list[str]:
    """Split a heading as the table is split, or in another way that gives as many fields."""
    text = line.strip().lstrip("#%").strip() if delimiter is None else line
    for pattern in (re.escape(delimiter) if delimiter else r"\s{2,}|\t", r"\s+", r"\s*,\s*", r"\s*;\s*"):
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
