"""``lehr read``: what was understood of measured scans, before anything is fitted to them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lehr.cli.arguments import add_scan_reading, scan_options
from lehr.cli.output import keep_inputs, write_figure, write_file
from lehr.errors import LehrError
from lehr.glass.quantities import HEATING_RATE
from lehr.glass.tnm import ZERO_CELSIUS

if TYPE_CHECKING:
    from lehr.glass.scans import MeasuredScan, NormalisedScan, Recording
    from lehr.glass.scans.report import Row

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "read measured scans, show what was understood, and normalise them"
DETAILS = "See docs/how-to/read.md."
EXAMPLE = "lehr read scan.csv --columns temperature=1 signal=3 --plot scans.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="text, CSV, Excel, NETZSCH or TRIOS JSON")
    add_scan_reading(parser)
    parser.add_argument("--segments", action="store_true", help="list heating, cooling and holds, and stop there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw scans, lines and CpN (PNG, PDF or SVG)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write temperature and CpN of each scan, for lehr fit")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write Tf', onset, midpoint, step, ... as CSV")


def run(options: argparse.Namespace) -> int:
    """Print what was understood, write what was asked for."""
    from lehr.glass.scans import NormalisedScan, normalise_each, read_recording
    from lehr.glass.scans.report import characteristics_csv, characteristics_text, scans_text
    from lehr.glass.scans.sample import with_common_lines

    keep_inputs([options.plot, options.csv, options.table], [*options.files, options.layout])
    chosen = scan_options(options)
    recordings = [read_recording(path, chosen) for path in options.files]
    if options.segments:
        for recording in recordings:
            _print_segments(recording, chosen.shift)
        return 0
    found = [recording.scans(chosen) for recording in recordings]
    scans = [scan for part in found for scan in part]
    results = normalise_each(scans, chosen)
    comparison = ""
    if chosen.common:
        own, results = results, with_common_lines(scans, chosen, results)
        comparison = _compared(own, results)
    rows: list[Row] = []
    for recording, part in zip(recordings, found, strict=True):
        print(f"{recording.path}: {recording.format}; {len(part)} {chosen.direction} scan{'s' * (len(part) > 1)}")
        here: list[Row] = []
        notes: dict[str, list[int]] = {}
        for number, scan in zip(chosen.take or range(1, len(part) + 1), part, strict=True):
            result = results[len(rows) + len(here)]
            if isinstance(result, NormalisedScan):
                here.append((number, scan, result))
            else:
                here.append((number, scan, None))
                notes.setdefault(f"NOT NORMALISED: {result}", []).append(number)
            for note in result.notes if isinstance(result, NormalisedScan) else scan.notes:
                notes.setdefault(note, []).append(number)
        print("\n".join(filter(None, [scans_text(here), characteristics_text(here)])))
        _print_notes(notes, len(part))
        rows += here
    if comparison:
        print(comparison)
    done = [result for result in results if isinstance(result, NormalisedScan)]
    if options.plot:
        _plot(options.plot, scans, done)
    if options.csv and done:
        from lehr.glass.scans.cpn_file import cpn_csv

        write_file(options.csv, cpn_csv(done))
    if options.table:
        write_file(options.table, characteristics_csv(rows))
    return 1 if len(done) < len(results) else 0


def _compared(own: Sequence[NormalisedScan | LehrError], common: Sequence[NormalisedScan | LehrError]) -> str:
    """Return what common lines change."""
    from lehr.glass.scans import NormalisedScan
    from lehr.glass.scans.report import comparison_text

    return comparison_text(
        (number, first, second)
        for number, (first, second) in enumerate(zip(own, common, strict=True), 1)
        if isinstance(first, NormalisedScan) and isinstance(second, NormalisedScan)
    )


def _print_segments(recording: Recording, shift: float) -> None:
    celsius = shift - ZERO_CELSIUS
    print(f"{recording.path}: {recording.format}")
    for measured in recording.measurements:
        print(f"{measured.source}: {measured.temperature.size} points, {measured.kind} {measured.unit}".rstrip())
        for segment in measured.segments:
            rate = (
                ""
                if segment.rate is None or segment.kind == "hold"
                else f"{segment.rate:12.5g} {HEATING_RATE.shown_unit}"
            )
            ends = f"{segment.first + celsius:9.2f} to {segment.last + celsius:9.2f} degC"
            print(f"  {segment.kind:8}{ends}{segment.stop - segment.start:9d} points{rate}")


def _print_notes(notes: dict[str, list[int]], count: int) -> None:
    for note, numbers in notes.items():
        which = "" if len(numbers) == count else f"scan {', '.join(map(str, numbers))}: "
        print(f"  {which}{note}".replace("\n  ", "\n    "))


def _plot(path: Path, scans: Sequence[MeasuredScan], done: Sequence[NormalisedScan]) -> None:
    from lehr.glass.scans.plot import raw_scans, scan_lines

    write_figure(path, scan_lines(done) if done else raw_scans(scans))
