"""``lehr fit-many``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from lehr.cli.arguments import add_scan_reading, scan_options
from lehr.cli.fit_options import add_known, add_model, add_nuisances, known_glass, nuisance_changes

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "fit the scans of many glasses, named in a table"
DETAILS = (
    "A set that fails is a row with its error. What the table of results has already is fitted again only if its files "
    "or options have changed. Exit code 1: a set has failed. See docs/how-to/fit-many.md."
)
EXAMPLE = "lehr fit-many glasses.csv --out fits.csv --lag --cores 2"

_WRITE_SECONDS = 5.0  # between two tables of what is done so far


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "table", type=Path, metavar="TABLE", help="CSV: name, files, cooling_rates, heating_rate or program"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the table of results, CSV")
    parser.add_argument("--cores", type=int, metavar="N", help="processes (default: all cores)")
    add_nuisances(parser)
    add_known(parser)
    add_model(parser)
    add_scan_reading(parser)


def run(options: argparse.Namespace) -> int:
    """Fit what is missing of the table of results, and write it, also after Ctrl-C."""
    from lehr.glass.fit import FitStatus
    from lehr.glass.fit.many import FAILED, FitOptions, fit_many
    from lehr.glass.fit.many_table import read_results, read_sets, result_row, write_results

    reading, changes = scan_options(options), nuisance_changes(options)
    others: dict[str, Any] = {"model": options.model, **({"loss": "soft_l1"} if options.robust else {})}
    if known := known_glass(options):
        others["known"] = known
    common = FitOptions(reading, None, changes, others)
    sets = read_sets(options.table)
    before = read_results(options.out)
    done = {s.name: before[s.name] for s in sets if s.name in before and before[s.name]["digest"] == common.digest(s)}
    todo = [each for each in sets if each.name not in done]
    if done:
        print(f"{len(done)} of {len(sets)} sets are already in {options.out}", file=sys.stderr)

    def write() -> None:
        write_results(options.out, [done[each.name] for each in sets if each.name in done])

    write()  # a path that cannot be written is known before the first fit
    written = time.monotonic()
    try:
        for found in fit_many(todo, cores=options.cores, progress=True, reading=reading, nuisance=changes, **others):
            done[found.name] = result_row(found)
            if time.monotonic() - written > _WRITE_SECONDS:
                write()
                written = time.monotonic()
    finally:
        write()
    counts = Counter(row["status"] for row in done.values())
    order = [*(status.name.lower() for status in FitStatus), FAILED]
    print(f"{len(sets)} sets: " + ", ".join(f"{counts[name]} {name}" for name in order if counts[name]))
    print(f"wrote {options.out}")
    return 1 if counts[FAILED] else 0
