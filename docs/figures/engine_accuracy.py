"""Make docs/images/engine_accuracy.png: `python docs/figures/engine_accuracy.py`. Half a minute; --quick: seconds.

Left: error of CpN and cost of the engine against its tolerance, for random glasses of the whole state space with
CpN,max <= 6. The error is the difference from a tolerance of 1e-7.

Right: error of the direct method (Eq. 4 of the paper) against the size of its temperature jump, for one cycle of
As2Se3. The errors of the engine for that cycle stand beside it.
"""

from __future__ import annotations

import argparse
import time
from math import log
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

import lehr
from lehr.glass.tnm import GAS_CONSTANT

OUTPUT = Path(__file__).parent.parent / "images" / "engine_accuracy.png"
BLUE, VERMILION, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"  # Okabe and Ito
TOLERANCES = np.array([1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5])
CONVERGED = 1e-7
JUMPS = np.array([2.0, 1.0, 0.5, 0.2, 0.1, 0.05])


def random_parameters(count: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    delta_h, tg = rng.uniform(2e5, 12e5, count), rng.uniform(227.43, 1064.11, count)
    ln_a = log(100.0) - delta_h / (GAS_CONSTANT * tg)
    return np.stack([ln_a, delta_h, rng.uniform(0.2, 1.0, count), rng.uniform(0.2, 1.0, count)], axis=1)


def engine(glasses: int, rounds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the largest error, the 99.9 % quantile and the cost in ms, one for each tolerance."""
    errors: list[list[np.ndarray]] = [[] for _ in TOLERANCES]
    used = []
    for row in random_parameters(glasses):
        converged = lehr.simulate_batch(row, dtype="float64", tolerance=CONVERGED)[0]
        if converged.max() > 6:
            continue
        used.append(row)
        for kept, tolerance in zip(errors, TOLERANCES, strict=True):
            cpn = lehr.simulate_batch(row, dtype="float64", tolerance=tolerance)[0]
            kept.append(np.abs(cpn - converged).ravel().astype(np.float32))
    largest = np.array([max(error.max() for error in kept) for kept in errors])
    quantile = np.array([np.quantile(np.concatenate(kept), 0.999) for kept in errors])
    batches = [np.array(used[i : i + 20]) for i in range(0, len(used), 20)]
    shortest = np.full((TOLERANCES.size, len(batches)), np.inf)
    for _ in range(rounds):  # the shortest counts: other work on the machine only adds
        for i, tolerance in enumerate(TOLERANCES):
            for j, batch in enumerate(batches):
                start = time.perf_counter()
                lehr.simulate_batch(batch, tolerance=tolerance)
                shortest[i, j] = min(shortest[i, j], time.perf_counter() - start)
    cost = 1e3 * shortest.sum(axis=1) / len(used)
    return largest, quantile, cost


def direct(jumps: np.ndarray) -> tuple[np.ndarray, dict[float, float]]:
    """Return the largest errors of the direct method for all jumps, and of the engine for some tolerances."""
    glass, high, low = lehr.material("As2Se3").parameters, 530.0, 330.0
    program = lehr.ThermalProgram.chr_cycles([10.0], 10.0)

    def scan(temperature: np.ndarray, tolerance: float) -> np.ndarray:
        return lehr.simulate(*glass.as_tuple(), program=program, temperature=temperature, tolerance=tolerance).cpn[0]

    # the window is the program, so that its ends must be those of the direct method
    grid = np.linspace(low, high, 8001)
    converged = scan(grid, CONVERGED)
    errors = []
    for jump in jumps:
        temperature, cpn, _ = lehr.simulate_direct(glass, 10.0, 10.0, high=high, low=low, step=jump)
        # middles of jumps are points of the grid: no interpolation
        at = np.rint((temperature - low) / (grid[1] - grid[0])).astype(int)
        errors.append(np.abs(cpn - converged[at]).max())
    return np.array(errors), {t: np.abs(scan(grid, t) - converged).max() for t in (1e-3, 1e-4, 1e-5)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few glasses and coarse jumps: does it run")
    parser.add_argument("--to", type=Path, default=OUTPUT, metavar="FILE", help="the figure (default: %(default)s)")
    options = parser.parse_args()
    jumps = JUMPS[:3] if options.quick else JUMPS
    largest, quantile, cost = engine(10, 1) if options.quick else engine(200, 8)
    errors, beside = direct(jumps)
    for row in zip(TOLERANCES, largest, quantile, cost, strict=True):
        print("tolerance {:.0e}: largest error {:.2e}, 99.9 % quantile {:.2e}, {:.3f} ms".format(*row))
    print("direct method: " + ", ".join(f"{j} K {e:.2e}" for j, e in zip(jumps, errors, strict=True)))
    print("engine for the same cycle: " + ", ".join(f"{t:.0e} {e:.2e}" for t, e in beside.items()))

    plt.rcParams.update({"font.size": 9, "axes.titlesize": 9, "axes.titlelocation": "left", "legend.frameon": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
    lines = left.loglog(TOLERANCES, largest, "o-", color=VERMILION, label="largest error")
    lines += left.loglog(TOLERANCES, quantile, "s-", color=BLUE, label="99.9 % of points")
    lines += left.loglog(TOLERANCES, TOLERANCES, ":", color=BLACK, linewidth=1, label="error = tolerance")
    left.set(xlabel="tolerance", ylabel="error of $C_p^N$", title="Engine, random glasses with $C_{p,max}^N$ ≤ 6")
    twin = left.twinx()
    lines += twin.semilogx(TOLERANCES, cost, "^--", color=GREEN, label="cost (right axis)")
    twin.set_ylabel("ms per sample of six scans", color=GREEN)
    twin.tick_params(axis="y", colors=GREEN)
    twin.set_ylim(0, 1.6 * cost.max())
    left.legend(handles=lines, loc="upper left")
    left.set_ylim(top=1.0)

    right.loglog(jumps, errors, "o-", color=VERMILION, label="direct method")
    right.loglog(jumps, errors[-1] * jumps / jumps[-1], ":", color=BLACK, linewidth=1, label="first order")
    for tolerance, error in beside.items():
        right.axhline(error, color=BLUE, linewidth=1)
        right.annotate(f"engine, tolerance {10}$^{{{round(np.log10(tolerance))}}}$", (jumps[-1], error),
                       (0, 2), textcoords="offset points", color=BLUE)  # fmt: skip
    right.set(
        xlabel="temperature jump (K)", ylabel="largest error of $C_p^N$", title="As$_2$Se$_3$, one cycle at 10 K/min"
    )
    right.set_xticks(jumps, [f"{jump:g}" for jump in jumps])
    right.minorticks_off()
    right.legend(loc="upper left")
    for axes in (left, right):
        axes.grid(color="#e4e4e4", linewidth=0.6)
        axes.set_axisbelow(True)
    figure.savefig(options.to, dpi=200, metadata={"Software": None})


if __name__ == "__main__":
    main()
