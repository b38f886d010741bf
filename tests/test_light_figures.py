"""Figures of simulated, measured and fitted scans need Matplotlib and nothing of the report or the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fitted import KELVIN, measured

BLOCKED = ("jinja2", "zarr", "numcodecs", "tensorstore", "pandas", "xarray", "keras", "tensorflow")

BLOCK = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked by a test", name=name)

sys.meta_path.insert(0, Blocked())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.fixture
def scan(tmp_path: Path) -> str:
    path = tmp_path / "scan.csv"
    time = (KELVIN - KELVIN[0]) / 10.0
    table = np.column_stack([time, KELVIN, 2.0 + 0.5 * measured()[4]])
    np.savetxt(path, table, delimiter=",", header="time (min),temperature (K),Cp (J/g/K)", comments="")
    return str(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "--material", "As2Se3", "--temperature", "50", "300", "0.5"],
        ["read", "SCAN"],
        ["fit", "SCAN", "--cooling-rates", "10", "--baseline", "none"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_figure_needs_matplotlib_alone(arguments: list[str], ending: str, scan: str, tmp_path: Path) -> None:
    figure = tmp_path / f"figure.{ending}"
    words = [scan if word == "SCAN" else word for word in arguments]
    code = f"{BLOCK}\nfrom lehr.cli import main\nsys.exit(main({[*words, '--plot', str(figure)]!r}))"
    done = run(code)
    assert done.returncode in ((0, 1) if arguments[0] == "fit" else (0,)), done.stderr
    assert figure.stat().st_size > 5000
    assert "Traceback" not in done.stderr


def test_the_block_blocks() -> None:
    done = run(f"{BLOCK}\nimport xarray")
    assert "blocked by a test" in done.stderr
