"""Every script of benchmarks/ and docs/figures runs with --quick, and writes what it says it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from conftest import ROOT, run

SCRIPTS = sorted(
    path
    for folder in ("benchmarks", "docs/figures", "docs/examples")
    for path in (ROOT / folder).glob("*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)
TIMEOUT_S = 150
"""Three times the 50 s that --quick may take on two idle cores."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "script", [s for s in SCRIPTS if s.parent.name != "examples"], ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_script_runs_quickly(script: Path, tmp_path: Path) -> None:
    text, words = script.read_text(encoding="utf-8"), ["--quick"]
    for option, name in (("--json", "numbers.json"), ("--to", "figure.png")):
        if f'"{option}"' in text or (option == "--json" and "options_of(" in text):
            words += [option, str(tmp_path / name)]
    done = run(sys.executable, script, *words, timeout=TIMEOUT_S, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {Path(word).name for word in words[2::2]}
    assert all(path.stat().st_size > 0 for path in tmp_path.iterdir())
    if script.parent.name == "benchmarks":
        rows = json.loads((tmp_path / "numbers.json").read_text())
        assert len({row["name"] for row in rows}) == len(rows) > 1
        for row in rows:
            assert list(row) == ["name", "value", "unit", "baseline", "ratio"]
            assert (row["baseline"] is None) == (row["ratio"] is None)
            assert row["ratio"] is None or row["ratio"] == pytest.approx(row["value"] / row["baseline"])


@pytest.mark.slow
def test_example_draws_the_nearest_glass(tiny_path: Path, tmp_path: Path) -> None:
    store, figure = tiny_path.parent / "results/signals.zarr/C", tmp_path / "nearest.png"
    done = run(sys.executable, ROOT / "docs/examples/open_store.py", store, "--plot", figure)
    assert done.returncode == 0, done.stderr
    assert figure.stat().st_size > 0
