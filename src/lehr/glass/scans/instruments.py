"""Tables out of files that are not text: Excel, and the formats for which a package of the field has a reader.

lehr parses none of them itself. The packages are optional: `pip install "lehr[excel]"` and `"lehr[instruments]"`.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from lehr.errors import LehrError
from lehr.glass.scans.table import MISSING, Table, headings
from lehr.glass.scans.units import parse_heading

__all__ = ["instrument_tables"]

_FEWEST_ROWS = 5
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADING_ROWS = 4


def instrument_tables(content: bytes, path: Path) -> tuple[str, list[Table]] | None:
    """Read a file that is not text.

    Returns
    -------
    str
        The format.
    list of Table
        In the order of the file. None, and no format, if the content is none of these formats.

    Raises
    ------
    LehrError
        If the file is damaged, or is an Excel file of before 2007.
    ModuleNotFoundError
        If the package that reads it is not installed.
    """
    if content.startswith(_OLD_OFFICE):
        raise LehrError(f"{path}: an Excel file of before 2007", "Save it as .xlsx or CSV.")
    if content.startswith(b"PK\x03\x04"):
        names = _members(content, path)
        if any(name.startswith("xl/") for name in names):
            return "Excel", _guarded(_excel, path)
        if any(name.startswith("Streams/") for name in names):
            return "NETZSCH NGB, by pyngb", _guarded(_netzsch, path)
        raise LehrError(f"{path}: a ZIP archive, neither Excel nor NETZSCH", "Unpack it first.")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return "TA Instruments TRIOS JSON, by tadatakit", _guarded(_trios, path)
    return None


def _members(content: bytes, path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise LehrError(f"{path}: damaged, this ZIP archive cannot be read", "Copy it from its source again.") from None


def _guarded(read: Callable[[Path], list[Table]], path: Path) -> list[Table]:
    """Call a reader of another package; what it raises for a damaged file has no common class."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tables = read(path)
    except (LehrError, ModuleNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001
        said = f"{type(error).__name__}: {str(error)[:200]}"
        raise LehrError(f"{path}: cannot be read: {said}", "Export the scans as text or CSV.") from None
    if not tables:
        raise LehrError(f"{path}: no table of numbers was found", "A scan is a table of temperature and signal.")
    return tables


def _excel(path: Path) -> list[Table]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
    several = len(book.sheetnames) > 1
    return [
        table for sheet in book for table in _sheet(sheet, f"{path}, sheet {sheet.title}" if several else str(path))
    ]


def _sheet(sheet: Any, source: str) -> Iterator[Table]:
    """Find the tables of a sheet: columns of numbers below headings."""
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    rows = [[_cell(value) for value in row] for row in cells]
    counts = [sum(isinstance(value, float) and np.isfinite(value) for value in row) for row in rows]
    first = 0
    while first < len(rows):
        # a row that lost a number to some text is a damaged row of the table, not the end of it
        stop = first
        while stop < len(rows) and counts[stop] >= (2 if stop == first else 1):
            stop += 1
        if stop - first >= _FEWEST_ROWS:
            nearest = cells[max(0, first - _HEADING_ROWS) : first][::-1]
            above = [["" if value is None else str(value) for value in row] for row in nearest]
            yield _cut(rows, list(range(first, stop)), above, source)
        first = max(stop, first + 1)


def _cell(value: Any) -> float | str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    text = "" if value is None else str(value).strip()
    return np.nan if text.lower() in MISSING else text


def _cut(rows: list[list[float | str]], numbers: list[int], above: list[list[str]], source: str) -> Table:
    width = max(len(rows[i]) for i in numbers)
    filled = [
        column
        for column in range(width)
        if any(column < len(rows[i]) and rows[i][column] == rows[i][column] for i in numbers)
    ]
    values = np.full((len(numbers), len(filled)), np.nan)
    for k, number in enumerate(numbers):
        for j, column in enumerate(filled):
            value = rows[number][column] if column < len(rows[number]) else np.nan
            if isinstance(value, str):
                raise LehrError(
                    f"{source}, row {number + 1}: '{value[:40]}' is not a number", "Repair or remove the row."
                )
            values[k, j] = value
    picked = [[line[column] if column < len(line) else "" for column in filled] for line in above]
    return Table(source, headings(picked, len(filled)), values, np.array(numbers) + 1)


def _netzsch(path: Path) -> list[Table]:
    import pyngb

    table = pyngb.read_ngb(path)
    with suppress(KeyError, ValueError):  # without calibration in the file the signal stays in µV
        table = pyngb.apply_dsc_calibration(table)
    names = [name for name in table.column_names if name in ("time", "sample_temperature", "dsc_signal")]
    if "dsc_signal" not in names:
        raise LehrError(f"{path}: no DSC signal is in this file", f"It has: {', '.join(table.column_names)}.")
    units = [str(pyngb.get_column_units(table, name) or "") for name in names]
    said = ["heat flow" if name == "dsc_signal" else name for name in names]
    values = np.column_stack([table.column(name).to_numpy().astype(float) for name in names])
    return [_named(said, units, values, path)]


def _trios(path: Path) -> list[Table]:
    from tadatakit.classes import Experiment

    frame = Experiment.from_json(str(path)).get_dataframe().select_dtypes("number")
    parts = [str(name).rpartition(" / ") for name in frame.columns]
    return [_named([name or unit for name, _, unit in parts], [unit if name else "" for name, _, unit in parts],
                   frame.to_numpy(dtype=float), path)]  # fmt: skip


def _named(names: list[str], units: list[str], values: np.ndarray[Any, Any], path: Path) -> Table:
    found = [parse_heading(name, unit) for name, unit in zip(names, units, strict=True)]
    return Table(str(path), found, values, np.arange(1, len(values) + 1))
