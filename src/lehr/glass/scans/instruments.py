"""Tables out of files that are not text: Excel, and the formats for which a package of the field has a reader.

lehr parses none of them itself. The packages are optional: `pip install "lehr[excel]"` and `"lehr[instruments]"`.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from lehr.errors import LehrError
from lehr.glass.scans.blocks import FEWEST_ROWS, Fields, Line, blocks, tables_of
from lehr.glass.scans.table import MISSING, Table
from lehr.glass.scans.units import parse_heading

__all__ = ["instrument_tables"]

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST_BYTES = 4 << 30  # of the unpacked members of an archive


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
            size = sum(member.file_size for member in archive.infolist())
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise LehrError(f"{path}: damaged, this ZIP archive cannot be read", "Copy it from its source again.") from None
    if size > _LARGEST_BYTES:
        raise LehrError(f"{path}: larger than 4 GiB when unpacked", "Export the scans alone.")
    return names


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
        table
        for sheet in book.worksheets
        for table in tables_of(
            blocks(_rows(sheet, f"sheet {sheet.title}" if several else "")), str(path), "row", gaps=True, split=Fields()
        )
    ]


def _rows(sheet: Any, name: str) -> list[Line]:
    """Return the rows of a sheet, of which only the columns that can be part of a table.

    A cell far away from the others makes neither rows nor columns: the cells are gathered one by one.
    """
    sheet.reset_dimensions()  # what the file says of its size may be wrong, or that of such a cell
    cells: dict[int, dict[int, Any]] = {}
    filled: Counter[int] = Counter()
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        if found := {column: value for column, value in enumerate(row) if value is not None}:
            cells[number] = found
            filled.update(found.keys())
    columns = sorted(column for column, count in filled.items() if count >= FEWEST_ROWS)
    lines: list[Line] = []
    for number, found in cells.items():
        if lines and number > lines[-1].number + 1:
            lines.append(Line(number - 1, []))
        values = [found.get(column) for column in columns]
        clock = frozenset(i for i, value in enumerate(values) if isinstance(value, time | timedelta | datetime))
        lines.append(Line(number, [_cell(value) for value in values], clock=clock, name=name))
    return lines


def _cell(value: Any) -> float | str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1)).total_seconds()
    if isinstance(value, time):
        return 3600.0 * value.hour + 60.0 * value.minute + value.second + 1e-6 * value.microsecond
    text = "" if value is None else str(value).strip()
    return np.nan if text.lower() in MISSING else text


def _netzsch(path: Path) -> list[Table]:
    import pyngb

    try:
        table = pyngb.read_ngb(path, run="corrected")
        note = "corrected by the correction run that the file holds"
    except ValueError as error:
        table = pyngb.read_ngb(path)
        none = "no embedded correction" in str(error)
        why = "the file holds no correction run" if none else "its correction run cannot be subtracted"
        note = f"the run as it was measured: {why}"
    if path.suffix.lower() == ".ngb-bs3":
        note = "by its name this file is a correction, of empty crucibles: it shows no sample"
    with suppress(KeyError, ValueError):  # without calibration in the file the signal stays in µV
        table = pyngb.apply_dsc_calibration(table)
    names = [name for name in table.column_names if name in ("time", "sample_temperature", "dsc_signal")]
    if "dsc_signal" not in names:
        raise LehrError(f"{path}: no DSC signal is in this file", f"It has: {', '.join(table.column_names)}.")
    units = [str(pyngb.get_column_units(table, name) or "").replace("unknown", "") for name in names]
    said = ["heat flow" if name == "dsc_signal" else name for name in names]
    values = np.column_stack([table.column(name).to_numpy().astype(float) for name in names])
    return [replace(_named(said, units, values, path), notes=(note,))]


def _trios(path: Path) -> list[Table]:
    from tadatakit.classes import Experiment

    frame = Experiment.from_json(str(path)).get_dataframe().select_dtypes("number")
    parts = [str(name).rpartition(" / ") for name in frame.columns]
    return [_named([name or unit for name, _, unit in parts], [unit if name else "" for name, _, unit in parts],
                   frame.to_numpy(dtype=float), path)]  # fmt: skip


def _named(names: list[str], units: list[str], values: np.ndarray[Any, Any], path: Path) -> Table:
    found = [parse_heading(name, unit) for name, unit in zip(names, units, strict=True)]
    return Table(str(path), found, values, np.arange(1, len(values) + 1))
