"""``lehr doctor``."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "print what is needed to debug an installation"
DETAILS = "Exit code 1: something that is installed is broken."
EXAMPLE = "lehr doctor --deep"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("--store", type=Path, metavar="DIR", help="folder for results, to judge its disk (default: .)")
    parser.add_argument("--deep", action="store_true", help="also start two Horovod ranks (about 15 s)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Print the report; 1 if something that is installed is broken."""
    import json
    from dataclasses import asdict

    from lehr.doctor import broken, collect, format_text

    sections = collect(store=options.store, deep=options.deep)
    if options.json:
        rows = {title: [asdict(row) for row in rows] for title, rows in sections.items()}
        print(json.dumps({"works": not broken(sections), "sections": rows}, indent=2))
    else:
        print(format_text(sections))
    return 1 if broken(sections) else 0
