"""Make docs/images/cannot_follow.png: a glass that is not TNM's, fitted by it: `python docs/figures/cannot_follow.py`.

The glass is a mixture of TNM glasses whose activation energies differ by half a percent: a spectrum of energies,
instead of one energy and a spectrum of times. It is aged over one to five decades of time, and fitted each time. A
minute.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lehr
from lehr import Cycle, Hold, Ramp, ThermalProgram
from lehr.figures.style import GREY, new_panels, save, sequence_colours
from lehr.glass.fit import FitResult
from lehr.glass.tnm import ln_pre_exponential

OUTPUT = Path(__file__).parent.parent / "images" / "cannot_follow.png"
GLASS_TRANSITION, DELTA_H, X, BETA = 380.0, 400e3, 0.5, 0.7
SPREAD = 0.005  # relative standard deviation of the activation energy
PARTS = 9  # glasses of the mixture: nodes of a Gauss-Hermite quadrature
HOURS = (0.1, 1.0, 10.0, 100.0, 1e3, 1e4)
BELOW = 12.0  # K below Tg, where it ages
NOISE, SEED = 0.003, 1
KELVIN = np.arange(GLASS_TRANSITION - 60.0, GLASS_TRANSITION + 40.0, 0.25)


def ageing(hours: tuple[float, ...]) -> ThermalProgram:
    down, end = Ramp(GLASS_TRANSITION - BELOW, 10.0), (Ramp("lowest", 10.0), Ramp("highest", 10.0))
    return ThermalProgram(tuple(Cycle((down, Hold(3600.0 * each), *end)) for each in hours))


def scans(spread: float) -> NDArray[np.float64]:
    """Return CpN of the aged mixture, shape (ageing times, temperatures)."""
    deviations, weights = np.polynomial.hermite_e.hermegauss(PARTS)
    ln_a = ln_pre_exponential(DELTA_H, GLASS_TRANSITION)
    glasses = [(ln_a, DELTA_H * (1.0 + spread * deviation), X, BETA) for deviation in deviations]
    cpn = lehr.simulate_batch(glasses, program=ageing(HOURS), temperature=KELVIN, dtype="float64")[0]
    mixed = np.tensordot(weights / weights.sum(), cpn, 1)
    return np.asarray(mixed + NOISE * np.random.default_rng(SEED).standard_normal(mixed.shape))


def fit(cpn: NDArray[np.float64], count: int) -> FitResult:
    """Fit the scans of the shortest ageing times."""
    return lehr.fit([(KELVIN, row) for row in cpn[:count]], ageing(HOURS[:count]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three ageing times: does it run")
    parser.add_argument("--to", type=Path, default=OUTPUT, metavar="FILE", help="the figure (default: %(default)s)")
    options = parser.parse_args()
    most = 3 if options.quick else len(HOURS)
    one, many = scans(0.0), scans(SPREAD)
    fits = [fit(many, count) for count in range(2, most + 1)]
    alone = fit(one, most)
    print("| ageing, h | status | residuals | x | β | Δh, kJ/mol |\n| --- | --- | --- | --- | --- | --- |")
    for label, found in [*((f"0.1 to {HOURS[i]:g}", each) for i, each in enumerate(fits, 1)), ("one energy", alone)]:
        size = np.sqrt(np.mean(np.concatenate(found.residuals) ** 2))
        errors = found.standard_errors
        cells = [
            f"{found.parameters.x:.3f} ± {errors['x']:.2g}",
            f"{found.parameters.beta:.3f} ± {errors['beta']:.2g}",
            f"{found.parameters.delta_h / 1e3:.0f} ± {errors['delta_h'] / 1e3:.2g}",
        ]
        print(f"| {label} | {found.status.name.lower()} | {size:.4f} | {' | '.join(cells)} |")

    left, right = new_panels(1, 2, 6.5, 2.9)
    worst = fits[-1]
    curves = np.split(worst.fitted, np.cumsum([scan.cpn.size for scan in worst.fitted_scans.scans])[:-1])
    for hours, colour, row, scan, curve in zip(
        HOURS, sequence_colours(len(HOURS)), many, worst.fitted_scans.scans, curves, strict=False
    ):
        left.plot(KELVIN[::4], row[::4], ".", markersize=2, color=colour, label=f"{hours:g} h")
        left.plot(scan.temperature, curve, color=colour, linewidth=0.8)
    left.set(xlabel="temperature (K)", ylabel="normalised heat capacity", xlim=(355, 405))
    left.legend()
    decades = [np.log10(HOURS[i] / HOURS[0]) for i in range(1, len(fits) + 1)]
    for name, marker in (("x", "o"), ("beta", "s")):
        values = [getattr(each.parameters, name) for each in fits]
        errors = [2.0 * each.standard_errors[name] for each in fits]
        label = {"x": "x", "beta": "β"}[name]
        right.errorbar(decades, values, errors, fmt=marker, markersize=3, linewidth=0.8, label=label)
    for true in (X, BETA):
        right.axhline(true, linestyle=":", color=GREY, linewidth=0.8)
    right.set(xlabel="decades of ageing time in the fit", ylabel="value of the fit (bars: 95 %)", ylim=(0.46, 0.8))
    right.legend(loc="upper right", ncols=2)
    save(left, options.to)


if __name__ == "__main__":
    main()
