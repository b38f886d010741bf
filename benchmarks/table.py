"""What the benchmarks print and write."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path


class Results:
    """Rows of the table and of the JSON file."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def head(self) -> None:
        """Print the names of the columns."""
        print(f"{'':<36} {'value':>12} {'unit':<10} {'baseline':>10} {'ratio':>10}", flush=True)

    def add(self, name: str, value: float, unit: str, baseline: float | None = None) -> None:
        """Add and print a row; the ratio is the value in units of the baseline."""
        ratio = None if baseline is None else float(value) / baseline
        self.rows.append({"name": name, "value": float(value), "unit": unit, "baseline": baseline, "ratio": ratio})
        against = "" if baseline is None else f"{baseline:>10.4g} {ratio:>10.3g}"
        print(f"{name:<36} {value:>12.5g} {unit:<10} {against}", flush=True)

    def write(self, path: Path | None) -> None:
        """Write the rows as JSON, if a file is wanted."""
        if path:
            path.write_text(json.dumps(self.rows, indent=2) + "\n", encoding="utf-8")


def options_of(
    about: str, quick: str, more: Callable[[argparse.ArgumentParser], object] | None = None
) -> argparse.Namespace:
    """Read what every benchmark takes: --quick and --json; `about` is its docstring, `quick` what is less then.

    `more` adds what one of them takes beside.
    """
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{quick}: under 50 s")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write a list of {name, value, unit, baseline, ratio}"
    )
    if more:
        more(parser)
    return parser.parse_args()


def begin() -> Results:
    """Say what Keras runs on and how busy it is, and begin the table of a benchmark of networks."""
    import keras

    print(f"Keras {keras.__version__} with {keras.backend.backend()}, {platform.machine()}, {os.cpu_count()} cores")
    print(f"load average before: {' '.join(f'{load:.2f}' for load in os.getloadavg())}")
    results = Results()
    results.head()
    results.add("load_average_before", os.getloadavg()[0], "1")
    return results
