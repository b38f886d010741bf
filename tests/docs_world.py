"""All that the docs speak of, small: scans of instruments, configs, stores, networks and their evaluation."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, TINY

import lehr
from lehr.cli import main

RATES = (0.5, 1, 2, 5, 10, 20)  # K/min


def fill(folder: Path, measure: str) -> None:
    """Fill a folder with it.

    Parameters
    ----------
    folder : Path
        The folder.
    measure : str
        Python that writes six files of scans, scan1.csv to scan6.csv, where it runs.
    """
    shutil.copytree(ROOT / "workflow/config", folder / "workflow/config")
    small = {
        **TINY,
        "training": {**TINY["training"], "epochs": 1},
        "models": [{"name": "C", "subset": "C"}, {"name": "G", "subset": "G"}],
        "subsets": ["LU", "C", "G"],
        "evaluation": {
            "limits": {"samples": 2, "noise": [0, 0.01], "starts": 1},
            "robustness": {"samples": 4, "white_noise": [0.01], "thermal_lag": [1], "baseline_slope": [0.002]},
        },
    }
    for name, path in (
        ("my", "my.yaml"),
        ("demo", "workflow/config/demo.yaml"),
        ("paper", "workflow/config/paper.yaml"),
    ):
        content = {**small, "name": name, "output": f"results/{name}"}
        (folder / path).write_text(yaml.safe_dump(content))
    (folder / "results/my").mkdir(parents=True)
    for name in ("demo", "paper", "a"):
        (folder / "results" / name).symlink_to("my")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(measure, {})
        write_export(Path("export.txt"))
        shutil.copy("scan1.csv", "scan.csv")
        Path("bare.txt").write_text(Path("scan1.csv").read_text().partition("\n")[2].replace(",", " "))
        for subset in small["subsets"]:
            assert main(["dataset", "generate", "my.yaml", "--subset", subset]) == 0
        for model in ("C", "G"):
            assert main(["train", "my.yaml", "--model", model, "--ranks", "1"]) == 0
        assert main(["evaluate", "my.yaml"]) == 0
        scans = [f"scan{number}.csv" for number in range(1, 7)]
        assert main(["fit", *scans, "--cooling-rates", *map(str, RATES), "--json", "fit.json"]) == 0


def write_export(path: Path) -> None:
    """Write an export of an instrument: six scans of a glass in one table, and beside it the program that was run."""
    celsius = np.arange(-20.0, 200.0, 0.5)
    glass = lehr.TNMParameters(np.log(100.0) - 320e3 / 8.314462618 / 358.0, 320e3, 0.55, 0.65)
    cpn = lehr.simulate(*glass.as_tuple(), temperature=celsius + 273.15).cpn
    rows, time = [], 0.0
    for scan, rate in zip(cpn, RATES, strict=True):
        down = np.linspace(celsius[-1], celsius[0], 100)
        rows.append((time + (celsius[-1] - down) / rate, down, 2.0 - 0.002 * down))
        time = rows[-1][0][-1] + 0.05
        rows.append((time + (celsius - celsius[0]) / 10.0, celsius, -2.0 - 0.002 * celsius - 0.5 * scan))
        time = rows[-1][0][-1] + 0.05
    table = np.concatenate([np.column_stack([*row, row[2]]) for row in rows])
    np.savetxt(path, table, "%.5f", "\t", header="time\tTs\theat flow\tcell 2\nmin\tdegC\tmW\t", comments="")
    cycle = "{segments: [{ramp: {to: lowest, rate: %g}}, {ramp: {to: highest, rate: 10}}]}"
    cycles = "\n".join("  - " + cycle % rate for rate in RATES)
    path.with_name("program.yaml").write_text(f"cycles:\n{cycles}\n")
