"""Read files of measured scans."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lehr.errors import LehrError
from lehr.glass.scans.cpn_file import cpn_measurements, is_cpn_csv
from lehr.glass.scans.instruments import instrument_tables
from lehr.glass.scans.measured import MeasuredScan, ScanFile
from lehr.glass.scans.measurement import Measurement, measurements
from lehr.glass.scans.normalise import NormalisedScan
from lehr.glass.scans.options import ScanOptions
from lehr.glass.scans.sample import normalise_all
from lehr.glass.scans.table import NotAScanError, Table
from lehr.glass.scans.text import decode, text_tables

__all__ = ["Recording", "read_normalised", "read_recording", "read_scans"]

_LEFT_OUT = "left out:"  # how notes of tables that are not scans begin
_LARGEST_BYTES = 1 << 30  # of a file of scans


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file holds.

    Attributes
    ----------
    file : ScanFile
        The file.
    format : str
        What it was read as.
    measurements : list of Measurement
        In the order of the file.
    """

    file: ScanFile
    format: str
    measurements: list[Measurement]

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self.file.path

    def scans(self, options: ScanOptions | None = None) -> list[MeasuredScan]:
        """Return the heating scans, or those that the options take.

        Raises
        ------
        LehrError
            If there is none.
        """
        options = options or ScanOptions()
        found = [
            replace(
                scan,
                file=self.file,
                temperature=scan.temperature + options.shift,
                notes=scan.notes + _shifted(options.shift),
            )
            for measured in self.measurements
            for scan in measured.scans(options.heating_rate, options.direction)
        ]
        if not found:
            notes = (note for measured in self.measurements for note in measured.notes)
            left_out = [f"A table was {note}." for note in dict.fromkeys(notes) if note.startswith(_LEFT_OUT)]
            raise LehrError(
                f"{self.path}: no {options.direction} segment: the temperature nowhere "
                f"{'rises' if options.direction == 'heating' else 'falls'} over enough points",
                " ".join([*left_out[:1], "Export the heating scans; `lehr read FILE --segments` shows what is there."]),
            )
        if options.take is None:
            return found
        if max(options.take) > len(found):
            raise LehrError(
                f"{self.path}: no {options.direction} segment {max(options.take)}",
                f"The file has {len(found)}, numbered from 1.",
            )
        return [found[number - 1] for number in options.take]


def _shifted(shift: float) -> tuple[str, ...]:
    """Say what was added to all temperatures."""
    return (f"temperatures shifted by {shift:+g} K, as said",) if shift else ()


def read_recording(path: str | Path, options: ScanOptions | None = None) -> Recording:
    """Read a file, whatever its format: that is found from the content.

    Parameters
    ----------
    path : str or Path
        Text of any layout (CSV, exports of instruments), Excel, NETZSCH NGB or TRIOS JSON; see docs/how-to/read.md.
    options : ScanOptions, optional
        What the file does not say itself.

    Raises
    ------
    LehrError
        If the file cannot be read or understood; the message names file and line.
    ModuleNotFoundError
        If a package that the format needs is not installed.
    """
    path, options = Path(path), options or ScanOptions()
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise LehrError(f"{path}: larger than 1 GiB", "Export the scans alone.")
        content = path.read_bytes()
    except OSError as error:
        raise LehrError(f"{path}: cannot read the file: {error.strerror}", "Check the path.") from None
    file = ScanFile(path, hashlib.sha256(content).hexdigest())
    if is_cpn_csv(content):
        return Recording(file, "CpN by lehr read --csv", cpn_measurements(content, str(path)))
    understood = instrument_tables(content, path)
    if understood is None:
        text, encoding = decode(content, str(path))
        layout, tables = text_tables(text, str(path))
        understood = f"text in {encoding}, {layout}", tables
    form, tables = understood
    return Recording(file, form, _measured(tables, options))


def _measured(tables: Sequence[Table], options: ScanOptions) -> list[Measurement]:
    """Return the measurements of all tables; those that are not scans are left out, and named in the notes."""
    found: list[Measurement] = []
    refused: list[tuple[Table, NotAScanError]] = []
    for table in tables:
        try:
            found += measurements(table, options)
        except NotAScanError as error:
            refused.append((table, error))
    if not found:
        raise max(refused, key=lambda pair: len(pair[0].rows))[1]
    notes = tuple(
        f"{_LEFT_OUT} {table.place}: {error.what.removeprefix(f'{table.source}: ')}" for table, error in refused
    )
    return [replace(measured, notes=(*measured.notes, *notes)) for measured in found]


def read_scans(paths: Iterable[str | Path], *, options: ScanOptions | None = None) -> list[MeasuredScan]:
    """Read the heating scans of files, in their order.

    Parameters
    ----------
    paths : iterable of str or Path
        Files; each may hold several scans.
    options : ScanOptions, optional
        What the files do not say themselves, the same for all.

    Raises
    ------
    LehrError
        If a file cannot be read or understood, or holds no heating scan.
    """
    return [scan for path in paths for scan in read_recording(path, options).scans(options)]


def read_normalised(paths: Iterable[str | Path], *, options: ScanOptions | None = None) -> list[NormalisedScan]:
    """Read the heating scans of files and normalise them: `read_scans`, then `normalise_all`.

    Raises
    ------
    LehrError
        As these two.
    """
    options = options or ScanOptions()
    return normalise_all(read_scans(paths, options=options), options)
