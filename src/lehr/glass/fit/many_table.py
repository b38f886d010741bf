"""Tables of `lehr fit-many`: which sets there are, and what was found of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from glob import glob
from pathlib import Path

from lehr.errors import LehrError
from lehr.files import write_text
from lehr.glass.fit.many import ScanSet, SetFit
from lehr.glass.quantities import QUANTITY_NAMES

__all__ = ["COLUMNS", "RESULTS", "read_results", "read_sets", "result_row", "write_results"]

COLUMNS = ("name", "files", "cooling_rates", "heating_rate", "program")
"""Of a table of sets; `name` and `files` are required."""

RESULTS = (
    "name", "status",
    *(column for name in QUANTITY_NAMES for column in (name, f"{name}_error")),
    "noise", "correlation_time", "points", "seconds", "notes", "error", "files", "digest",
)  # fmt: skip
"""Columns of a table of results: units as in fit.json, `_error` are standard errors."""

_THEN = "docs/how-to/fit-many.md shows a table."
_WILD = re.compile(r"[*?\[]")
_SHOWN = 40  # characters of a cell that a message repeats


def read_sets(path: Path) -> list[ScanSet]:
    """Read a table of sets of scans: CSV with commas, semicolons or tabs, and a line of headings.

    Paths are relative to the folder of the table. A row that cannot be understood is a set with its error.

    Raises
    ------
    LehrError
        If the file cannot be read, headings are missing or unknown, or a name stands there twice.
    """
    rows = _rows(path)
    unknown = [name for name in (rows[0] if rows else {}) if name not in COLUMNS]
    if unknown:
        near = get_close_matches(unknown[0], COLUMNS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise LehrError(f"{path}: unknown column '{unknown[0][:_SHOWN]}'", f"{hint}It takes {', '.join(COLUMNS)}.")
    for name in COLUMNS[:2]:
        if rows and name not in rows[0]:
            raise LehrError(f"{path}: the column '{name}' is missing", _THEN)
    if not rows:
        raise LehrError(f"{path}: no rows", _THEN)
    names = [row["name"] for row in rows]
    again = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if again is not None:
        raise LehrError(f"{path}: the name '{again[:_SHOWN]}' stands there twice", "Give each set a name of its own.")
    return [_set(row, path.parent) for row in rows]


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table by their headings, without empty ones."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LehrError(f"{path}: cannot read the table: {error.strerror}", "Check the path.") from None
    except UnicodeDecodeError:
        raise LehrError(f"{path}: not text in UTF-8", "Save the table as CSV in UTF-8.") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise LehrError(f"{path}: not a table: {error}", _THEN) from None
    headings, found = (lines[0] if lines else []), []
    for number, line in enumerate(lines[1:], 2):
        if not any(line):
            continue
        if len(line) > len(headings) and any(line[len(headings) :]):
            raise LehrError(
                f"{path}: row {number} has {len(line)} cells, but there are {len(headings)} headings",
                "Put cells that hold the delimiter in quotes.",
            )
        cells = line + [""] * (len(headings) - len(line))
        found.append({name: cell for name, cell in zip(headings, cells, strict=False) if name})
    return found


def _set(row: Mapping[str, str], folder: Path) -> ScanSet:
    files: tuple[Path, ...] = ()
    try:
        files = _files(row["files"], folder)
        rates = tuple(
            _number(word, "cooling_rates") for word in re.split(r"[;\s]+", row.get("cooling_rates", "")) if word
        )
        heating = _number(row["heating_rate"], "heating_rate") if row.get("heating_rate") else None
        program = folder / row["program"] if row.get("program") else None
    except LehrError as error:
        return ScanSet(row["name"], files, error=" ".join(str(error).split()))
    return ScanSet(row["name"], files, rates, heating, program)


def _number(word: str, column: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise LehrError(f"{column}: '{word[:_SHOWN]}' is not a rate", "Rates are in K/min, with a decimal point.")
    return value


def _files(cell: str, folder: Path) -> tuple[Path, ...]:
    """Return the files of a cell: divided by semicolons, or else by spaces; patterns in the order of their names."""
    if ";" in cell:
        words = [word.strip() for word in cell.split(";") if word.strip()]
    else:
        words = [cell] if (folder / cell).is_file() else cell.split()
    found: list[Path] = []
    for word in words:
        if not _WILD.search(word) or (folder / word).exists():
            found.append(folder / word)
            continue
        there = sorted(glob(str(folder / word)), key=_natural)  # noqa: PTH207, a pattern may be absolute
        if not there:
            raise LehrError(f"no file is called {word[:_SHOWN]}", "Check the pattern.")
        found += map(Path, there)
    if not found:
        raise LehrError("no files are given", _THEN)
    return tuple(found)


def _natural(path: str) -> list[tuple[int, str]]:
    """Sort scan2 before scan10."""
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in re.split(r"(\d+)", path) if word]


def result_row(found: SetFit) -> dict[str, str]:
    """Return the row of a table of results for a fit."""
    row = dict.fromkeys(RESULTS, "")
    row |= {"name": found.name, "status": found.status, "error": found.error, "digest": found.digest}
    row["files"] = ";".join(map(str, found.files))
    record = found.record
    if record is None:
        return row
    for name in QUANTITY_NAMES:
        row[name], error = f"{record.values[name]:.10g}", record.standard_errors[name]
        row[f"{name}_error"] = "" if error is None else f"{error:.6g}"
    for name in ("noise", "correlation_time", "points", "seconds"):
        row[name] = f"{getattr(record, name):.6g}"
    of_scans = [f"scan {number}: {note}" for number, scan in enumerate(record.scans, 1) for note in scan.notes]
    row["notes"] = " | ".join([*(f"{note.status}: {note.detail}" for note in record.notes), *of_scans])
    return row


def read_results(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table of results by their names; none if it is not there.

    Raises
    ------
    LehrError
        If the file is something else, which is not to be overwritten.
    """
    if not path.exists():
        return {}
    then = "Give another file with --out, or remove it."
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            if tuple(table.fieldnames or ()) != RESULTS:
                raise LehrError(f"{path}: not a table of results of this version of lehr", then)
            return {row["name"]: row for row in table}
    except (OSError, UnicodeDecodeError, csv.Error):
        raise LehrError(f"{path}: cannot be read as a table of results", then) from None


def write_results(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write a table of results atomically.

    Raises
    ------
    LehrError
        If it cannot be written.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, RESULTS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    try:
        write_text(path, text.getvalue())
    except OSError as error:
        raise LehrError(f"{path}: cannot write: {error.strerror}", "Check the path.") from None
