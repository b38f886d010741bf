"""``lehr report``."""

from __future__ import annotations

import argparse
import sys

from lehr.cli.arguments import add_paths
from lehr.errors import LehrError

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "write one HTML page about trained models, or about fits"
DETAILS = (
    "Its figures (PNG, PDF) and tables (CSV, Markdown) lie beside it. What is missing is said there and here; only "
    "if there is nothing to show, the exit code is 2."
)
EXAMPLE = "lehr report workflow/config/demo.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_paths(parser, ", or what lehr fit --json wrote")
    parser.add_argument(
        "--to", metavar="FILE", help="where to write (default: report.html in the output folder of the first run)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the report, and print its path and what is not in it."""
    from lehr.glass.fit.output.record import is_fit

    fits = [path for path in options.path if is_fit(path)]
    if fits:
        from lehr.glass.fit.output.page import write_fit_report

        if len(fits) < len(options.path):
            raise LehrError("fits and runs do not go into one report", "Write one for the fits, and one for the runs.")
        print(f"report: {write_fit_report(fits, options.to)}")
        return 0
    from lehr.report import write_report
    from lehr.studies import load_run

    path, problems = write_report(options.path, load_run, options.to)
    for problem in problems:
        print(f"lehr: missing in the report: {problem}", file=sys.stderr)
    print(f"report: {path}")
    return 0
