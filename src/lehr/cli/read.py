"""``lehr read``: what was understood of measured scans, before anything is fitted to them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from lehr.cli.arguments import add_scan_reading, scan_options
from lehr.errors import LehrError
from lehr.files import write_text
from lehr.glass.tnm import ZERO_CELSIUS

if TYPE_CHECKING:
    from lehr.glass.scans import MeasuredScan, NormalisedScan, Recording

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
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write temperature and CpN of each scan")


def run(options: argparse.Namespace) -> int:
    """Print what was understood, write what was asked for."""
    from lehr.glass.scans import normalise_as, read_recording

    chosen = scan_options(options)
    recordings = [read_recording(path, chosen) for path in options.files]
    if options.segments:
        for recording in recordings:
            _print_segments(recording)
        return 0
    scans: list[MeasuredScan] = []
    done: list[NormalisedScan] = []
    failed = 0
    for recording in recordings:
        found = recording.scans(chosen)
        print(f"{recording.path}: {recording.format}; {len(found)} heating scan{'s' * (len(found) > 1)}")
        _print_header()
        notes: dict[str, list[int]] = {}
        for number, scan in zip(chosen.take or range(1, len(found) + 1), found, strict=True):
            result: NormalisedScan | None = None
            try:
                result = normalise_as(scan, chosen)
                done.append(result)
            except LehrError as error:
                failed += 1
                notes.setdefault(f"NOT NORMALISED: {error}", []).append(number)
            _print_scan(number, scan, result)
            for note in result.notes if result else scan.notes:
                notes.setdefault(note, []).append(number)
        _print_notes(notes, len(found))
        scans += found
    if options.plot:
        _plot(options.plot, scans, done)
        print(f"wrote {options.plot}")
    if options.csv and done:
        _write_csv(options.csv, done)
        print(f"wrote {options.csv}")
    return 1 if failed else 0


def _print_segments(recording: Recording) -> None:
    print(f"{recording.path}: {recording.format}")
    for measured in recording.measurements:
        print(f"{measured.source}: {measured.temperature.size} points, {measured.kind} {measured.unit}".rstrip())
        for segment in measured.segments:
            rate = "" if segment.rate is None or segment.kind == "hold" else f"{segment.rate:12.5g} K/min"
            ends = f"{segment.first - ZERO_CELSIUS:9.2f} to {segment.last - ZERO_CELSIUS:9.2f} degC"
            print(f"  {segment.kind:8}{ends}{segment.stop - segment.start:9d} points{rate}")


def _print_header() -> None:
    print(f"{'scan':>4} {'points':>7} {'degC':>17} {'K/min':>9} {'signal':>15} {'endo':>5} {'glass line':>17} "
          f"{'liquid line':>17} {'half at':>8} {'CpN,max':>8} {'noise':>8}")  # fmt: skip


def _print_scan(number: int, scan: MeasuredScan, result: NormalisedScan | None) -> None:
    rate = "?" if scan.heating_rate is None else f"{scan.heating_rate:.5g}"
    line = f"{number:4d} {scan.temperature.size:7d} {_ends(scan.temperature[0], scan.temperature[-1])} {rate:>9} "
    line += f"{f'{scan.kind} {scan.unit}'.rstrip():>15} "
    if result:
        lines = [_ends(each.low, each.high) if each.high > each.low else f"{'-':>17}"
                 for each in (result.glass, result.liquid)]  # fmt: skip
        line += f"{result.endotherm:>5} {lines[0]} {lines[1]} {result.half_height - ZERO_CELSIUS:8.2f} "
        line += f"{result.cpn.max():8.3f} {result.noise:8.2g}"
    print(line.rstrip())


def _ends(low: float, high: float) -> str:
    return f"{low - ZERO_CELSIUS:8.1f} {high - ZERO_CELSIUS:8.1f}"


def _print_notes(notes: dict[str, list[int]], count: int) -> None:
    for note, numbers in notes.items():
        which = "" if len(numbers) == count else f"scan {', '.join(map(str, numbers))}: "
        print(f"  {which}{note}".replace("\n  ", "\n    "))


def _plot(path: Path, scans: Sequence[MeasuredScan], done: Sequence[NormalisedScan]) -> None:
    from lehr.figures.style import save
    from lehr.glass.scans.plot import raw_scans, scan_lines

    save(scan_lines(done) if done else raw_scans(scans), path)


def _write_csv(path: Path, scans: Sequence[NormalisedScan]) -> None:
    """Write the scans side by side; each has temperatures of its own."""
    header = ",".join(f"temperature_{i}_K,cpn_{i}" for i in range(1, len(scans) + 1))
    columns = [column for scan in scans for column in (scan.temperature, scan.cpn)]
    rows = zip_longest(*([f"{value:.7g}" for value in column] for column in columns), fillvalue="")
    try:
        write_text(path, "\n".join([header, *map(",".join, rows)]) + "\n")
    except OSError as error:
        raise LehrError(f"{path}: cannot write: {error.strerror}", "Check the path.") from None
