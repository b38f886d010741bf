"""``lehr read``: what was understood of measured scans, before anything is fitted to them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lehr.errors import LehrError
from lehr.files import write_text
from lehr.glass.tnm import ZERO_CELSIUS

if TYPE_CHECKING:
    from lehr.glass.scans import NormalisedScan, Recording, Scan
    from lehr.glass.scans.options import ScanOptions


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    about = "read measured scans, show what was understood, and normalise them"
    command = commands.add_parser("read", help=about, description=about.capitalize() + ". See docs/measured.md.")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="text, CSV, Excel, NETZSCH or TRIOS JSON")
    add_read_options(command)
    command.add_argument("--segments", action="store_true", help="list heating, cooling and holds, and stop there")
    command.add_argument("--plot", type=Path, metavar="FILE", help="draw scans, lines and CpN (PNG, PDF or SVG)")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write temperature and CpN of each scan")
    command.set_defaults(run=run)


def add_read_options(command: argparse.ArgumentParser) -> None:
    """Add what a command needs to read measured scans; `read_options` makes a `ScanOptions` of it."""
    group = command.add_argument_group("how the files are read")
    group.add_argument("--layout", type=Path, metavar="FILE", help="a YAML file that says all of this")
    group.add_argument(
        "--columns",
        nargs="+",
        default=[],
        metavar="NAME=COLUMN",
        help="columns of temperature, time and signal, by number from 1 or by heading",
    )
    group.add_argument(
        "--units", nargs="+", default=[], metavar="NAME=UNIT", help="units of temperature, time and signal"
    )
    group.add_argument(
        "--kind", choices=["cpn", "cp", "heat_flow"], help="what the signal is (default: by its heading)"
    )
    group.add_argument("--take", type=int, nargs="+", metavar="N", help="heating segments of each file (default: all)")
    group.add_argument("--endotherm", choices=["up", "down"], help="default: found from the step at the transition")
    for line in ("glass", "liquid"):
        group.add_argument(
            f"--{line}",
            type=float,
            nargs=2,
            metavar=("LOW", "HIGH"),
            help=f"range in degC of the line of the {line} (default: found)",
        )


def read_options(options: argparse.Namespace) -> ScanOptions:
    """Return what the command line, and the file that it names, say about the files of scans."""
    from lehr.glass.scans.options import load_scan_options

    given: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("kind", "take", "endotherm", "glass", "liquid")
        if getattr(options, name) is not None
    }
    for name in ("columns", "units"):
        if words := getattr(options, name):
            given[name] = _pairs(f"--{name}", words)
    return load_scan_options(options.layout, given)


def _pairs(option: str, words: Sequence[str]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise LehrError(f"{option} {word}: no pair", f"Write {option} temperature=1 signal=3, for example.")
        new: Any = int(value) if option == "--columns" and value.isdecimal() else value
        # a signal given twice is two signals
        pairs[name] = (*_several(pairs[name]), new) if name in pairs else new
    return pairs


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def run(options: argparse.Namespace) -> int:
    """Print what was understood, write what was asked for."""
    from lehr.glass.scans import normalise_as, read_recording

    chosen = read_options(options)
    recordings = [read_recording(path, chosen) for path in options.files]
    if options.segments:
        for recording in recordings:
            _print_segments(recording)
        return 0
    scans: list[Scan] = []
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


def _print_scan(number: int, scan: Scan, result: NormalisedScan | None) -> None:
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


def _plot(path: Path, scans: Sequence[Scan], done: Sequence[NormalisedScan]) -> None:
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
