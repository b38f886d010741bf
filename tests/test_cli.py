"""The command line as people meet it: help, output, errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TINY, run, write_config

Lehr = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = [
    ("simulate",),
    ("read",),
    ("config",),
    ("dataset",),
    ("dataset", "plan"),
    ("dataset", "init"),
    ("dataset", "generate"),
    ("dataset", "finalise"),
    ("dataset", "inspect"),
    ("dataset", "verify"),
    ("dataset", "export"),
    ("train",),
    ("model",),
    ("model", "summary"),
    ("evaluate",),
    ("robustness",),
    ("limits",),
    ("report",),
    ("doctor",),
]


@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
def test_help(lehr: Lehr, command: tuple[str, ...]) -> None:
    done = lehr(*command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: lehr")


def test_version(lehr: Lehr) -> None:
    assert lehr("--version").stdout.startswith("lehr 0.")


def test_simulate_prints_the_reference_peak_and_writes_csv(lehr: Lehr, tmp_path: Path) -> None:
    done = lehr("simulate", "--material", "As2Se3", "--temperature", 0, 400, 0.05, "--csv", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    table = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1)
    assert table.shape == (8001, 7)
    assert table[:, 1].max() == pytest.approx(2.6106, abs=3e-3)  # converged reference value, 0.5 K/min
    assert "472." in done.stdout


def test_simulate_draws(lehr: Lehr, tmp_path: Path) -> None:
    done = lehr("simulate", "--material", "a-Se", "--plot", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_model_summary_counts_and_draws(lehr: Lehr, tmp_path: Path) -> None:
    config = write_config(tmp_path / "tiny.yaml", TINY)
    done = lehr("model", "summary", config, "--plot", tmp_path / "out.svg")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line[:1].isalpha()}
    assert lines["original_convolution_1"][1:] == ["6", "×", "(46", "×", "4)", "600", "214,272"]
    assert lines["branches"][1] == "24"
    assert int(lines["total"][1].replace(",", "")) > 600
    assert (tmp_path / "out.svg").read_text().startswith("<?xml")

    done = lehr("model", "summary", config, "--plot", tmp_path / "out.docx")
    assert done.returncode == 2
    assert "Name a PNG, PDF or SVG file" in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("simulate", "--ln-a", "-79", "--delta-h", "3e5", "--x", "1.2", "--beta", "0.7"), "x = 1.2 is out of range"),
        (("simulate", "--ln-a", "-79"), "missing: --delta-h --x --beta"),
        (("simulate", "--material", "As2Se3", "--x", "0.5"), "exclude each other"),
        (("simulate", "--material", "cheese"), "no glass 'cheese'"),
        (("simulate", "--material", "As2Se3", "--temperature", "100", "50", "1"), "no ascending range"),
        (("simulate", "--material", "As2Se3", "--csv", "/nowhere/out.csv"), "cannot write"),
        (("simulate", "--material", "As2Se3", "--cooling-rates", "-1"), "rate -1"),
        (("simulate", "--material", "As2Se3", "--program", "none.yaml"), "none.yaml: cannot read the file"),
        (("simulate", "--material", "As2Se3", "--program", "p.yaml", "--heating-rate", "5"), "exclude each other"),
        (("dataset", "plan", "none.yaml"), "none.yaml: cannot read the file"),
        (("train", "workflow/config/demo.yaml", "--model", "X"), "no model 'X'"),
        (("dataset", "generate", "workflow/config/demo.yaml", "--subset", "LU"), "does not have the subset 'LU'"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(lehr: Lehr, words: tuple[str, ...], named: str) -> None:
    done = lehr(*words, cwd=ROOT)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_misspelt_key_through_the_command_line(lehr: Lehr, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", {**TINY, "trainning": {}})
    done = lehr("dataset", "generate", config, "--subset", "C")
    assert done.returncode == 2
    assert "trainning: no such key; did you mean 'training'?" in done.stderr
    assert not (tmp_path / "results").exists()


def test_plan_computes_nothing(lehr: Lehr, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", {})
    done = lehr("dataset", "plan", config)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    assert lines["C"][1] == "203401"
    assert lines["together"][1] == "1151485"  # 5 x 203,401 + 134,480
    assert not (tmp_path / "results").exists()


def test_import_is_light() -> None:
    heavy = ("pydantic", "zarr", "keras", "matplotlib", "xarray", "mpi4py")
    code = f"import sys, lehr; print([module for module in {heavy} if module in sys.modules])"
    assert run(sys.executable, "-c", code).stdout.strip() == "[]"
