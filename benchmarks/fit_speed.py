"""How fast fits are, for benchmarks/fit.py: beside an earlier build, many sets of files, and the first of a process."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from table import Results

import lehr
from lehr.glass.fit import ScanSet, fit_many
from lehr.glass.tnm import efold_width

BASELINE = "c53e3ba"
"""The commit whose fits were as fast as they have to stay on white noise."""

MANY, MANY_CORES, MANY_SECONDS = 1000, 2, 60.0  # sets of six scans
FIRST_FIT_SECONDS = 0.5  # of processor time, after `import lehr`
BELOW, ABOVE, POINTS = 30.0, 20.0, 400  # R Tg^2/dh below and above Tg, and temperatures of a file
PASSES = 3  # of both builds by turns; the shortest of each glass counts
ROOT = Path(__file__).parent.parent

# what both builds run: read scans, fit each glass, print the processor time of each
FIT_ALL = """
import sys, time
import numpy as np
import lehr
with np.load(sys.argv[1]) as content:
    glasses = [list(zip([kelvin] * len(cpn), cpn)) for kelvin, cpn in zip(content["temperature"], content["cpn"])]
program = lehr.ThermalProgram.chr_cycles()
for scans in glasses[:1] * int(sys.argv[2]) + glasses:
    started = time.process_time()
    lehr.fit(scans, program)
    print(time.process_time() - started)
"""


def fit_elsewhere(python_path: Path | None, scans: Path, warm: bool) -> list[float]:
    """Return the processor times of fits in a new process, with the lehr of a folder or the one that runs here."""
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    if python_path:
        environment["PYTHONPATH"] = str(python_path)
    done = subprocess.run(
        [sys.executable, "-c", FIT_ALL, str(scans), str(int(warm))],
        env=environment, cwd=scans.parent, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [float(line) for line in done.stdout.split()][int(warm) :]


def baseline_build(folder: Path, build: bool) -> Path | None:
    """Return a folder with the package of the commit `BASELINE`, built there once; None if it is not there.

    It has the Python and the packages of this environment.
    """
    site = folder.resolve() / BASELINE
    if not site.exists() and build:
        print(f"building {BASELINE} in {folder} ...", flush=True)
        with tempfile.TemporaryDirectory() as source:
            archive = subprocess.run(["git", "archive", BASELINE], cwd=ROOT, check=True, capture_output=True)
            subprocess.run(["tar", "-x", "-C", source], input=archive.stdout, check=True)
            made = Path(source) / "site"
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
            subprocess.run([*pip, "--target", str(made), source], check=True)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copytree(made, site.with_suffix(".part"), dirs_exist_ok=True)
            site.with_suffix(".part").rename(site)
    return site if site.exists() else None


def beside_baseline(results: Results, scans: Path, folder: Path | None, quick: bool) -> None:
    """Add how fast the baseline is over how fast this build is: 1.1 is a tenth faster."""
    site = None if folder is None else baseline_build(folder, build=not quick)
    if site is None:
        print(f"fit_speed_over_{BASELINE}: left out; --baseline DIR builds it, without --quick")
        return
    before, now = [], []
    for _ in range(PASSES):
        before.append(fit_elsewhere(site, scans, warm=True))
        now.append(fit_elsewhere(None, scans, warm=True))
    times = [np.min(each, axis=0).sum() for each in (before, now)]
    results.add(f"fit_speed_over_{BASELINE}", times[0] / times[1], "1", 0.9)


def first_fit(results: Results, scans: Path) -> None:
    seconds = min(fit_elsewhere(None, scans, warm=False)[0] for _ in range(PASSES))
    results.add("first_fit_cpu_s", seconds, "s", FIRST_FIT_SECONDS)


def write_sets(glasses: Sequence[lehr.TNMParameters], folder: Path, noise: float) -> list[ScanSet]:
    """Write six files of heat flow for each glass, as an instrument exports them, and return the sets."""
    program, found = lehr.ThermalProgram.chr_cycles(), []
    rng = np.random.default_rng(0)
    for number, glass in enumerate(glasses):
        unit = efold_width(glass.glass_transition, glass.delta_h)
        spacing = round((BELOW + ABOVE) * unit / POINTS, 2)  # of readings, as files have them
        kelvin = 0.15 + round(glass.glass_transition - BELOW * unit) + spacing * np.arange(POINTS)
        cpn = lehr.simulate_batch([glass.as_tuple()], program=program, temperature=kelvin, dtype="float64")[0][0]
        files = []
        for scan, row in enumerate(cpn, 1):
            files.append(folder / f"glass{number}_{scan}.csv")
            write_scan(files[-1], kelvin, row + noise * rng.standard_normal(row.size))
        found.append(ScanSet(f"glass {number}", tuple(files), program.cooling_rates))
    return found


def write_scan(path: Path, kelvin: NDArray[np.float64], cpn: NDArray[np.float64]) -> None:
    minutes = (kelvin - kelvin[0]) / 10.0
    flow = -(2.0 + 0.001 * (kelvin - kelvin[0]) + 0.5 * cpn)
    table = np.column_stack([minutes, kelvin - 273.15, flow])
    np.savetxt(path, table, "%.6g", ",", header="time (min),temperature (degC),heat flow (W/g)", comments="")


def many(results: Results, glasses: Sequence[lehr.TNMParameters], noise: float, quick: bool) -> None:
    """Add the time of a thousand sets, or that of fewer, times what is missing, without the start of the processes."""
    count = MANY // 20 if quick else MANY
    with tempfile.TemporaryDirectory() as folder:
        sets = write_sets(glasses, Path(folder), noise)
        seconds = []
        for number in ([MANY_CORES] if quick else []) + [count]:
            started = time.perf_counter()
            found = list(fit_many(list(islice(cycle(sets), number)), cores=MANY_CORES))
            seconds.append(time.perf_counter() - started)
    total = seconds[-1] if not quick else (seconds[1] - seconds[0]) * MANY / (count - MANY_CORES)
    results.add("fit_many_s", total, "s", MANY_SECONDS)
    results.add("fit_many_failed", sum(each.record is None for each in found) / count, "1")
    results.add("fit_many_fit_s", statistics.median(each.record.seconds for each in found if each.record), "s")
