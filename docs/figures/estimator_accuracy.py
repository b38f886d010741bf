"""Measure the shipped estimator on fresh glasses, scanned every 0.1 K: `python docs/figures/estimator_accuracy.py`."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

import lehr
from lehr.glass.config import StateSpaceConfig
from lehr.glass.estimator import estimate
from lehr.glass.estimator.windows import window_of
from lehr.glass.fit import Scans, cramer_rao
from lehr.glass.space import ScatteredSpace

Array = NDArray[np.float64]

STEP = 0.1  # K
CPN_MAX = 6.0
LAG = 2.0  # s
OFFSET, SLOPE = 0.01, 0.005  # of CpN, and of CpN in a width of the transition; standard deviations, each scan its own
SHIFT = 0.1  # K, of the temperatures of each scan; a standard deviation


def cycles(*rates: tuple[float, float]) -> lehr.ThermalProgram:
    return lehr.ThermalProgram(
        tuple(lehr.Cycle((lehr.Ramp("lowest", cooling), lehr.Ramp("highest", heating))) for cooling, heating in rates)
    )


SIX = lehr.ThermalProgram.chr_cycles()
ONE, TWO = cycles((10, 10)), cycles((0.5, 10), (20, 10))
LIKE, CHIP = cycles((1, 1), (5, 5), (20, 20)), cycles((600, 6e4), (6e3, 6e4), (6e4, 6e4))


@dataclass(frozen=True)
class Case:
    name: str
    program: lehr.ThermalProgram
    noise: float
    faults: bool = False  # of the instrument
    told: bool = False  # to the estimator


CASES = (
    Case("six cycles", SIX, 0.0),
    Case("six cycles", SIX, 0.01),
    Case("six cycles", SIX, 0.05),
    Case("one cycle, 10/10 K/min", ONE, 0.0),
    Case("one cycle, 10/10 K/min", ONE, 0.01),
    Case("two cycles, 0.5/10 and 20/10", TWO, 0.0),
    Case("two cycles, 0.5/10 and 20/10", TWO, 0.01),
    Case("three, heated as cooled, 1, 5, 20", LIKE, 0.01),
    Case("three, 600 to 60,000, heated at 60,000", CHIP, 0.01),
    Case("six, faults, not told", SIX, 0.01, faults=True),
    Case("six, faults, told", SIX, 0.01, faults=True, told=True),
)


def measure(case: Case, temperature: Array, cpn: Array, rng: np.random.Generator) -> Scans:
    """Add the faults of an instrument and noise; scans with faults reach little beyond the transition."""
    if not case.faults:
        return Scans.of(temperature, cpn + case.noise * rng.standard_normal(cpn.shape), case.program)
    window = window_of([(temperature, scan) for scan in cpn])
    near = np.abs(temperature - window.centre) < 2.5 * window.width
    temperatures, scans = [], []
    for scan, rate in zip(cpn, case.program.heating_rates, strict=True):
        decay = np.exp(-STEP / (LAG * rate / 60))
        late = lfilter([1 - decay], [1, -decay], scan)[near]
        baseline = OFFSET * rng.standard_normal() + SLOPE * rng.standard_normal() * (
            (temperature[near] - window.centre) / window.width
        )
        temperatures.append(temperature[near] + SHIFT * rng.standard_normal())
        scans.append(late + baseline + case.noise * rng.standard_normal(late.size))
    return Scans.of(temperatures, scans, case.program)


def run(case: Case, drawn: Array, glasses: int, bounds: int) -> None:
    rng, found, limits, seconds, refused = np.random.default_rng(0), [], [], [], 0
    for quartet in drawn:
        if len(found) + refused == glasses:
            break
        glass = lehr.TNMParameters(*quartet.tolist())
        # the same glasses in all cases: those of the paper's cycles
        if np.asarray(lehr.simulate(*glass.as_tuple()).cpn).max() > CPN_MAX:
            continue
        signals = lehr.simulate(*glass.as_tuple(), program=case.program)
        scans = measure(case, signals.temperature, np.asarray(signals.cpn, float), rng)
        started = time.process_time()
        try:
            said = estimate(scans, faults=case.told)
        except lehr.LehrError:
            refused += 1
            continue
        seconds.append(time.process_time() - started)
        if case.noise and not case.faults and len(limits) < bounds:
            limits.append(np.array(cramer_rao(glass, case.program, signals.temperature, case.noise)))
        true = np.array([*glass.as_tuple(), glass.glass_transition])
        mean = np.array([*said.mean.as_tuple(), said.mean.glass_transition])
        found.append(np.array([mean - true, said.standard_errors, true]))
    error, stated, true = np.moveaxis(np.array(found), 1, 0)
    size = np.abs(error)
    print(
        f"{case.name}, noise {case.noise}: {len(found)} glasses, {refused} refused, {1e3 * np.median(seconds):.1f} ms"
    )
    targets = np.column_stack([size[:, 2:4] < 5e-3, size[:, 1] < 0.01 * true[:, 1], size[:, 4] < 1])
    relative = np.column_stack([size[:, 2:4], 100 * size[:, 1] / true[:, 1], size[:, 4]])
    for name, values in {
        "within targets of x, beta, dh, Tg, %": 100 * targets.mean(axis=0),
        "median of x, beta, dh in %, Tg": np.median(relative, axis=0),
        "99 % quantile": np.quantile(relative, 0.99, axis=0),
        "in 68 % of ln A, dh, x, beta, Tg, %": 100 * np.mean(size < stated, axis=0),
        "in 95 %": 100 * np.mean(size < 1.96 * stated, axis=0),
    }.items():
        print(f"  {name}:", [float(f"{value:.3g}") for value in values])
    if limits:
        ratio = size[: len(limits)] / (0.6745 * np.array(limits))
        print("  median error over that of the bound:", np.median(ratio, axis=0).round(2).tolist(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four glasses, of all cases: does it run")
    parser.add_argument("--glasses", type=int, default=300)
    parser.add_argument("--bounds", type=int, default=100, help="of so many, the Cramer-Rao bound")
    parser.add_argument("--cases", type=int, default=len(CASES), help="the first so many")
    options = parser.parse_args()
    if options.quick:
        options.glasses, options.bounds = 4, 1
    space = ScatteredSpace(StateSpaceConfig().grid(), "random", 2 * options.glasses, 777)
    for case in CASES[: options.cases]:
        run(case, space.parameters(np.arange(2 * options.glasses)), options.glasses, options.bounds)


if __name__ == "__main__":
    main()
