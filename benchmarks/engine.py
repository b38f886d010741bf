"""Speed and accuracy of the TNM engine: `python benchmarks/engine.py [--quick] [--json FILE]`.

A sample is one glass under the six cycles of the default program, on the default grid of 18501 temperatures every
0.1 K. Glasses are drawn from the whole state space of the paper, on and off its grid. Everything runs on one core,
but for the line that says otherwise.

Times are wall times. The glasses are timed in batches of 50, all batches in turn, three times over; of each batch the
shortest time counts, because other work on the machine can only add to it. `ms_per_sample_all_passes` is the mean
with nothing left out. The load average is printed before and after.

Errors are differences from the engine itself at a tolerance of 1e-6, in float64. What both runs leave out does not
show: ramps start and end where 1e-5 of CpN is left, and the exponential sum is right to 6e-7. The tests compare the
engine with independent methods.
"""

# ruff: noqa: E402

from __future__ import annotations

import os

# Before NumPy is loaded: the peak of one core is that of BLAS with one thread.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial
from math import log
from pathlib import Path

import numpy as np
from table import Results

import lehr
from lehr.glass.tnm import GAS_CONSTANT, default_temperature

SEED = 20250107
GRID_SAMPLES = 13_752_261
TOLERANCE, CONVERGED = 1e-4, 1e-6
TOLERANCES = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
HIGHEST_USUAL_PEAK = 6.0  # the paper leaves out higher ones
BATCH = 50
PASSES = 3
RATES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
TEMPERATURE = default_temperature()
LOW, HIGH = float(TEMPERATURE[0]), float(TEMPERATURE[-1])

# Floating-point operations of modes.c for each mode in a sweep, counted in the source: a division, a product and a sum
# are one each; 4 of them are the two weighted sums. Nothing else is counted: no exponentials, no output, no step
# control, no modes in quasi-equilibrium, no padding of blocks.
FLOPS = {"tiny": 39 + 4, "slow": 57 + 4, "fast": 28 + 4}
# The engine does not report these. A copy with counters gave them, on average over 400 glasses of this benchmark at
# a tolerance of 1e-4: modes of each range in a sweep, and sweeps (tries and corrections) for each node of a history.
MODES_PER_SWEEP = {"tiny": 15.6, "slow": 12.2, "fast": 9.3}
SWEEPS_PER_NODE = 1.34


def random_parameters(count: int, seed: int = SEED) -> np.ndarray:
    """Rows of ln A, dh, x, beta anywhere in the state space; Tg is where tau = 100 s."""
    rng = np.random.default_rng(seed)
    delta_h, tg = rng.uniform(2e5, 12e5, count), rng.uniform(227.43, 1064.11, count)
    ln_a = log(100.0) - delta_h / (GAS_CONSTANT * tg)
    return np.stack([ln_a, delta_h, rng.uniform(0.2, 1.0, count), rng.uniform(0.2, 1.0, count)], axis=1)


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


# --- speed -----------------------------------------------------------------------------------------------------------


def batch_seconds(
    parameters: np.ndarray, simulate: Callable[..., object] = lehr.simulate_batch, **options: object
) -> np.ndarray:
    """Return times of all batches, shape (passes, batches)."""
    batches = [parameters[i : i + BATCH] for i in range(0, len(parameters), BATCH)]
    # pass after pass, so that no kernel of a beta is still in the cache from the pass before
    runs = [partial(simulate, batch, **options) for batch in batches]
    return np.array([[seconds(run) for run in runs] for _ in range(PASSES)])


def ms_per_sample(
    parameters: np.ndarray, simulate: Callable[..., object] = lehr.simulate_batch, **options: object
) -> float:
    return 1e3 * batch_seconds(parameters, simulate, **options).min(axis=0).sum() / len(parameters)


def speed(results: Results, parameters: np.ndarray) -> float:
    cpu = time.process_time()
    times = batch_seconds(parameters)
    cpu = time.process_time() - cpu
    mean = 1e3 * times.min(axis=0).sum() / len(parameters)
    results.add("ms_per_sample", mean, "ms", 0.6)
    results.add("ms_per_sample_all_passes", 1e3 * times.sum() / times.shape[0] / len(parameters), "ms")
    results.add("cpu_ms_per_sample_all_passes", 1e3 * cpu / times.shape[0] / len(parameters), "ms")
    # each glass by a call of its own: that call is in the times
    single = [[seconds(lambda row=row: lehr.simulate_batch(row)) for row in parameters] for _ in range(2)]
    single = 1e3 * np.min(single, axis=0)
    results.add("ms_per_sample_median", np.median(single), "ms")
    results.add("ms_per_sample_q99", np.quantile(single, 0.99), "ms")
    results.add("core_hours_full_grid", mean * GRID_SAMPLES / 3.6e6, "h")
    two = 1e3 * batch_seconds(parameters, threads=2).min(axis=0).sum() / len(parameters)
    results.add("two_thread_speedup", mean / two, "1")
    return mean


def sensitivities(results: Results, parameters: np.ndarray) -> None:
    """Signals with their derivatives against what central differences need: a simulation and eight more."""
    for name, temperature in (("", TEMPERATURE), ("_1_K", TEMPERATURE[::10])):
        plain = ms_per_sample(parameters, dtype="float64", temperature=temperature)
        derived = ms_per_sample(parameters, lehr.simulate_sensitivities_batch, temperature=temperature)
        results.add(f"sensitivities{name}_ms_per_sample", derived, "ms", 9 * plain)
        results.add(f"sensitivities{name}_in_simulations", derived / plain, "1")


def numpy_direct(glass: lehr.TNMParameters, cooling_rate: float, heating_rate: float, jump: float) -> np.ndarray:
    """Eq. 4 as one would write it in NumPy: the sum over the past is vectorised, the march is not."""
    count = round((HIGH - LOW) / jump)
    change = np.repeat([-jump, jump], count)
    hold = np.repeat([60.0 * jump / cooling_rate, 60.0 * jump / heating_rate], count)
    temperature = HIGH + np.cumsum(change)
    reduced, fictive, before = np.zeros(2 * count), np.empty(2 * count), HIGH
    for n in range(2 * count):
        mixed = glass.x / temperature[n] + (1.0 - glass.x) / before
        reduced[: n + 1] += hold[n] * np.exp(-glass.ln_A - glass.delta_h / GAS_CONSTANT * mixed)
        before = HIGH + np.sum(change[: n + 1] * (1.0 - np.exp(-(reduced[: n + 1] ** glass.beta))))
        fictive[n] = before
    return fictive


def ratios(results: Results, ms: float, quick: bool) -> None:
    glass = lehr.material("As2Se3").parameters
    fine, coarse = (1.0 if quick else 0.1), 1.0
    scale = (fine / 0.1) ** 2
    elapsed = seconds(lambda: lehr.simulate_direct(glass, 10.0, 10.0, high=HIGH, low=LOW, step=fine))
    direct = 6e3 * elapsed * scale
    results.add("direct_ms_per_sample", direct, "ms")
    results.add("ratio_to_direct", direct / ms, "1", 2e4)
    plain = 6e3 * seconds(lambda: numpy_direct(glass, 10.0, 10.0, coarse)) * (coarse / 0.1) ** 2
    results.add("numpy_direct_ms_per_sample", plain, "ms")
    results.add("ratio_to_numpy_direct", plain / ms, "1")
    scaled = f", which is scaled by {scale:.0f} to 0.1 K" if quick else ""
    print(
        f"  direct methods: one cycle of a glass times six; compiled at jumps of {fine} K{scaled};"
        f" NumPy at jumps of {coarse} K, scaled by {(coarse / 0.1) ** 2:.0f}"
    )


def peak_flops() -> tuple[float, float]:
    """Return flop/s of one core in a matrix product, and in a*x + b of NumPy on vectors that stay in the cache."""
    a = np.random.default_rng(0).random((768, 768))
    product = 2 * 768**3 / min(seconds(lambda: a @ a) for _ in range(12))
    x, y = np.ones(1024), np.empty(1024)

    def chain() -> None:
        for _ in range(1000):
            np.multiply(x, 1.5, out=y)
            np.add(y, 0.5, out=y)

    return product, 2 * 1024 * 1000 / min(seconds(chain) for _ in range(12))


def roofline(results: Results, parameters: np.ndarray) -> None:
    """Useful flop/s of the engine against what the core can do; the number of flops is an estimate."""
    cycles = [lehr.Cycle((lehr.Ramp(LOW, rate), lehr.Ramp(HIGH, 10.0)), start=HIGH) for rate in RATES]
    glasses = [lehr.TNMParameters(*row) for row in parameters.tolist()]
    nodes = sum(lehr.simulate_history(glass, cycle).time.size for glass in glasses for cycle in cycles) / len(glasses)
    sweep = sum(FLOPS[kind] * MODES_PER_SWEEP[kind] for kind in FLOPS)
    flops = nodes * SWEEPS_PER_NODE * sweep
    ms = ms_per_sample(parameters)
    product, stream = peak_flops()
    results.add("nodes_per_sample", nodes, "1")
    results.add("flops_per_sample_estimate", flops, "flop")
    results.add("useful_gflops_estimate", flops / ms / 1e6, "Gflop/s")
    results.add("peak_gflops_dgemm", product / 1e9, "Gflop/s")
    results.add("peak_gflops_a_x_plus_b", stream / 1e9, "Gflop/s")
    results.add("share_of_dgemm_peak_estimate", flops / ms * 1e3 / product, "1")
    modes = sum(MODES_PER_SWEEP.values())
    print(
        f"  estimate: {nodes:.0f} nodes (counted) x {SWEEPS_PER_NODE} sweeps x {modes:.0f} modes"
        f" x {sweep / modes:.0f} flop; output and step control do no useful flops, but take time"
    )


# --- accuracy --------------------------------------------------------------------------------------------------------


class Errors:
    """Errors of CpN at many points, as counts on a logarithmic scale of 100 bins in each decade."""

    def __init__(self) -> None:
        self.edges = np.concatenate([[0.0], np.geomspace(1e-12, 1e3, 1501)])
        self.counts = np.zeros(1501, dtype=np.int64)
        self.largest: list[float] = []

    def add(self, error: np.ndarray) -> None:
        self.counts += np.histogram(np.minimum(error, 999.0), self.edges)[0]
        self.largest.append(float(error.max()))

    def quantile(self, share: float) -> float:
        """Upper edge of the bin in which the quantile lies."""
        return float(self.edges[1:][np.searchsorted(np.cumsum(self.counts), share * self.counts.sum())])


def one(row: np.ndarray, tolerance: float) -> np.ndarray:
    return lehr.simulate_batch(row, dtype="float64", tolerance=tolerance)[0][0]


def fine_peak(row: np.ndarray, rate: float, near: float, tolerance: float) -> tuple[float, float]:
    """Height and position (K) of the peak of one cycle.

    The sharpest are a few mK wide: a grid of 1 mK finds them, one of 10 uK around that measures them.
    """
    program = lehr.ThermalProgram((lehr.Cycle((lehr.Ramp(LOW, rate), lehr.Ramp(HIGH, 10.0)), start=HIGH),))
    height = 0.0
    for step, points in ((1e-3, 500), (1e-5, 500)):
        grid = near + step * np.arange(-points, points + 1)
        cpn, _ = lehr.simulate_batch(row, program=program, temperature=grid, dtype="float64", tolerance=tolerance)
        height, near = float(cpn.max()), float(grid[cpn[0, 0].argmax()])
    return height, near


def accuracy(results: Results, parameters: np.ndarray) -> None:
    everywhere, transition, smooth, heights, positions = Errors(), Errors(), [], [], []
    sharp = []
    for row in parameters:
        converged = one(row, CONVERGED)
        if converged.max() <= HIGHEST_USUAL_PEAK:
            error = np.abs(one(row, TOLERANCE) - converged)
            everywhere.add(error)
            transition.add(error[(np.abs(converged) > 1e-3) & (np.abs(converged - 1.0) > 1e-3)])
            smooth.append(row)
            continue
        sharp.append(row)
        height = position = 0.0
        for rate, cpn in zip(RATES, converged, strict=True):
            near = float(TEMPERATURE[cpn.argmax()])
            (peak, at), (expected, expected_at) = (fine_peak(row, rate, near, t) for t in (TOLERANCE, CONVERGED))
            height = max(height, abs(peak / expected - 1.0))
            position = max(position, abs(at - expected_at))
        heights.append(height)
        positions.append(position)
    results.add("samples_with_peaks_up_to_6", len(smooth), "1")
    results.add("worst_error", max(everywhere.largest), "1", 5e-4)
    results.add("error_q999", everywhere.quantile(0.999), "1", 1e-4)
    results.add("error_q999_in_transitions", transition.quantile(0.999), "1", 1e-4)
    results.add("samples_with_peaks_above_6", len(sharp), "1")
    if sharp:
        results.add("peak_height_worst_relative_error", max(heights), "1", 1e-3)
        results.add("peak_position_worst_error", max(positions), "K", 0.02)
    for title, rows, values, unit in (
        ("largest errors, CpN,max <= 6", smooth, everywhere.largest, ""),
        ("largest relative errors of the peak height, CpN,max > 6", sharp, heights, ""),
        ("largest errors of the peak position, CpN,max > 6", sharp, positions, " K"),
    ):
        print(f"  {title} (ln A, dh, x, beta):")
        for i in np.argsort(values)[::-1][:3]:
            print(f"    {values[i]:.2e}{unit} at ({', '.join(f'{value:.10g}' for value in rows[i])})")


def ablation(results: Results, parameters: np.ndarray) -> None:
    """Cost and error at several tolerances, for the same glasses."""
    errors = {tolerance: Errors() for tolerance in TOLERANCES}
    for row in parameters:
        converged = one(row, CONVERGED)
        if converged.max() > HIGHEST_USUAL_PEAK:
            continue
        for tolerance in TOLERANCES:
            errors[tolerance].add(np.abs(one(row, tolerance) - converged))
    for tolerance in TOLERANCES:
        name = f"tolerance_{tolerance:.0e}".replace("e-0", "e-")
        results.add(f"{name}_ms_per_sample", ms_per_sample(parameters, tolerance=tolerance), "ms")
        results.add(f"{name}_error_q999", errors[tolerance].quantile(0.999), "1")
        results.add(f"{name}_worst_error", max(errors[tolerance].largest), "1")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Measure speed and accuracy of the TNM engine on one core.",
        epilog="'asked' is the bound that the project set, 'ratio' the value in units of it. See benchmarks/README.md.",
    )
    parser.add_argument("--quick", action="store_true", help="fewer samples and coarser direct methods: under 50 s")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write a list of {name, value, unit, baseline, ratio} to FILE"
    )
    options = parser.parse_args()
    timed, compared, ablated = (100, 200, 20) if options.quick else (2000, 5000, 500)
    results, start = Results(), time.perf_counter()
    print(f"lehr {lehr.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    print(f"{os.cpu_count()} cores, load average {' '.join(f'{load:.2f}' for load in os.getloadavg())}")
    print(f"{timed} timed and {compared} compared glasses, seed {SEED}, tolerance {TOLERANCE:g}")
    results.head()
    load = os.getloadavg()[0]
    parameters = random_parameters(max(timed, compared))
    lehr.simulate_batch(parameters[:20])
    ms = speed(results, parameters[:timed])
    sensitivities(results, parameters[: min(timed, 400)])
    ratios(results, ms, options.quick)
    roofline(results, parameters[: min(timed, 100)])
    accuracy(results, parameters[:compared])
    ablation(results, parameters[:ablated])
    results.add("load_average_before", load, "1")
    results.add("load_average_after", os.getloadavg()[0], "1")
    print(f"{time.perf_counter() - start:.0f} s")
    results.write(options.json)


if __name__ == "__main__":
    main()
