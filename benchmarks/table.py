"""What the benchmarks print and write."""

from __future__ import annotations

import json
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
