"""Make docs/images/fit_calibration.png and print what the intervals of a fit hold: `python docs/figures/fit.py`.

A thousand glasses of the state space of the paper with CpN,max up to 6, scanned after its six cycles with noise of
0.01 in CpN; and six scans of each glass of the table of materials. A minute.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from pathlib import Path
from statistics import NormalDist

import numpy as np

import lehr
from lehr.figures.style import GREY, line_styles, new_panels, save
from lehr.glass.config import StateSpaceConfig
from lehr.glass.fit import FitStatus, Scans, fit_scans
from lehr.glass.quantities import QUANTITY_NAMES
from lehr.glass.space import ScatteredSpace
from lehr.glass.tnm import GAS_CONSTANT

OUTPUT = Path(__file__).parent.parent / "images" / "fit_calibration.png"
NAMES = dict(zip(QUANTITY_NAMES, ("ln A", "Δh", "x", "β", "Tg"), strict=True))
NOISE, CPN_MAX, SEED = 0.01, 6.0, 8
BELOW, ABOVE, POINTS = 80.0, 20.0, 1000  # R Tg^2/dh below and above Tg


def scanned(glass: lehr.TNMParameters) -> tuple[np.ndarray, np.ndarray, lehr.Status]:
    """Return temperatures scaled to the transition, CpN after the six cycles, and the status of the engine."""
    unit = GAS_CONSTANT * glass.glass_transition**2 / glass.delta_h
    below = BELOW * max(1.0, 0.2 / glass.x)  # a glass of low x relaxes far below Tg
    low = max(glass.glass_transition - below * unit, 0.05 * glass.glass_transition)
    temperature = np.linspace(low, glass.glass_transition + ABOVE * unit, POINTS)
    cpn, status = lehr.simulate_batch([glass.as_tuple()], temperature=temperature, dtype="float64")
    return temperature, cpn[0], lehr.Status(int(status[0]))


def fitted(glass: lehr.TNMParameters, temperature: np.ndarray, cpn: np.ndarray, rng: np.random.Generator):
    """Return a fit of scans with noise, and its errors in standard errors."""
    result = fit_scans(Scans.of(temperature, cpn + NOISE * rng.standard_normal(cpn.shape)))
    true = np.array([*glass.as_tuple(), glass.glass_transition])
    errors = np.array([result.standard_errors[name] for name in QUANTITY_NAMES])
    return result, (result.values[: len(QUANTITY_NAMES)] - true) / errors


def calibration(count: int) -> np.ndarray:
    """Return errors in standard errors, shape (glasses, 5)."""
    rng, found, statuses = np.random.default_rng(SEED), [], []
    for row in ScatteredSpace(StateSpaceConfig().grid(), "random", 3 * count, SEED).parameters(np.arange(3 * count)):
        glass = lehr.TNMParameters(*row.tolist())
        temperature, cpn, status = scanned(glass)
        if status != lehr.Status.OK or cpn.max() > CPN_MAX:
            continue
        result, pulls = fitted(glass, temperature, cpn, rng)
        found.append(pulls)
        statuses.append(result.status)
        if len(found) == count:
            break
    print(f"{len(found)} glasses: " + ", ".join(f"{s.name} {statuses.count(s)}" for s in FitStatus if s in statuses))
    return np.array(found)


def materials() -> None:
    rng = np.random.default_rng(SEED)
    print("material: error and standard error of ln A, dh (kJ/mol), x, beta, Tg (K); status, s")
    for name, row in lehr.load_materials().items():
        temperature, cpn, status = scanned(row.parameters)
        assert status == lehr.Status.OK
        result, pulls = fitted(row.parameters, temperature, cpn, rng)
        errors = [result.standard_errors[q] * (1e-3 if q == "delta_h" else 1.0) for q in QUANTITY_NAMES]
        cells = [f"{pull * error:+.2g} ± {error:.2g}" for pull, error in zip(pulls, errors, strict=True)]
        print(f"| {name} | {cpn.max():.1f} | {' | '.join(cells)} | {result.status.name.lower()} {result.seconds:.2g} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="20 glasses: does it run")
    parser.add_argument("--to", type=Path, default=OUTPUT, metavar="FILE", help="the figure (default: %(default)s)")
    options = parser.parse_args()
    size = np.abs(calibration(20 if options.quick else 1000))
    for level in (0.68, 0.95):
        inside = 100 * np.mean(size < NormalDist().inv_cdf((1 + level) / 2), axis=0)
        print(f"in the {100 * level:.0f} % interval: " + ", ".join(map("{} {:.1f}".format, NAMES.values(), inside)))
    materials()

    left, right = new_panels(1, 2, 6.5, 2.9)
    said = np.linspace(0.0, 1.0, 201)[1:-1]
    limits = np.array([NormalDist().inv_cdf((1 + level) / 2) for level in said])
    for (name, style), column in zip(line_styles(list(NAMES.values())).items(), size.T, strict=True):
        share = np.mean(column[:, None] < limits, axis=0)
        left.plot(100 * said, 100 * share, color=style.colour, label=name)
        right.plot(100 * said, 100 * (share - said), color=style.colour)
    left.plot([0, 100], [0, 100], ":", color=GREY)
    left.set(xlabel="probability of the interval (%)", ylabel="glasses whose truth it holds (%)")
    # what so many glasses scatter by, by chance
    chance = 196 * np.sqrt(said * (1 - said) / len(size))
    right.fill_between(100 * said, -chance, chance, color=GREY, alpha=0.2, linewidth=0)
    right.axhline(0, color=GREY, linewidth=0.8)
    right.set(xlabel="probability of the interval (%)", ylabel="difference (points)", ylim=(-6, 6))
    left.legend()
    save(left, options.to)


if __name__ == "__main__":
    main()
