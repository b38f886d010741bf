"""Fits of glasses of the whole state space: `python benchmarks/fit.py [--quick] [--json FILE] [--baseline DIR]`.

Glasses with CpN,max up to 6 are drawn over the state space of the paper and scanned after its six cycles, at 1500
temperatures that are scaled to the width of the transition. They are read by the network alone, by the network and
least squares (`lehr.glass.fit.fit_scans`), and in the two ways of today, without the network:

- `lm_multistart`: Levenberg-Marquardt (MINPACK, with the engine's derivatives) from random glasses whose transition
  lies where that of the scans does, until the residuals are those of the noise, 20 at most;
- `library`: the simulation-comparative method. The nearest of a library of simulated glasses, moved to the measured
  temperatures by the symmetry of the model, is refined by the same least squares.

A fit has success if its sum of squares is not above that of the true glass by more than one standard deviation makes.
Ratios to the Cramer-Rao bound are of medians: 1 is what a normal estimate at the bound has. Baselines are the targets.
All this is measured on one core; the load average is printed before and after. Then follow what fits cost beside an
earlier build, a thousand sets of files on two cores, and the first fit of a process (fit_speed.py).
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import platform
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import fit_speed
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from table import Results, options_of

import lehr
from lehr.glass.config import StateSpaceConfig
from lehr.glass.estimator import estimate
from lehr.glass.estimator.windows import window_of
from lehr.glass.fit import FitResult, Nuisance, Scans, cramer_rao, fit_scans, random_starts
from lehr.glass.fit.least_squares.model import PredictionError, ScanModel
from lehr.glass.fit.least_squares.objective import Objective
from lehr.glass.fit.uncertainty.information import compress, covariance_root, propagate
from lehr.glass.instrument import baseline_slope, temperature_offset, thermal_lag, white_noise
from lehr.glass.quantities import QUANTITIES, QUANTITY_NAMES
from lehr.glass.space import ScatteredSpace
from lehr.glass.tnm import GAS_CONSTANT, equal_area_temperature
from lehr.glass.tnm.coordinates import Coordinates

SEED, LIBRARY_SEED = 2025, 1
PROGRAM = lehr.ThermalProgram.chr_cycles()
UNITS = [quantity.unit for quantity in QUANTITIES]
CPN_MAX = 6.0
BELOW, ABOVE, POINTS = 80.0, 20.0, 1500  # R Tg^2/dh below and above Tg: the widest transitions, at beta = 0.2, fit in
NOISE, LAG, SLOPE, OFFSET = 0.01, 2.0, 0.01, 1.0  # CpN, s, CpN in 100 K, K
NUISANCE = Nuisance("line", thermal_lag=True, temperature_offset=OFFSET)
MOST_STARTS, CHANCE = 20, 4.0
NARROW_BETA = 0.4
NORMAL_MEDIAN = 0.6745  # median absolute error of a normal estimate, in standard deviations


@dataclass(frozen=True, eq=False)
class Drawn:
    """A glass, what it is known by, and its scans without noise."""

    glass: lehr.TNMParameters
    true: NDArray[np.float64]
    temperature: NDArray[np.float64]
    cpn: NDArray[np.float64]

    def scans(self, number: int, noise: float, instrument: bool = False) -> Scans:
        cpn = self.cpn[None]
        if instrument:
            cpn = thermal_lag(cpn, LAG, temperature=self.temperature, heating_rate=PROGRAM.heating_rates)
            cpn = baseline_slope(cpn, SLOPE, temperature=self.temperature)
            cpn = temperature_offset(cpn, OFFSET, temperature=self.temperature)
        cpn = white_noise(cpn, noise, seed=SEED, rows=[number])[0]
        return Scans.of(self.temperature, cpn, PROGRAM)


def draw(count: int, seed: int) -> tuple[list[Drawn], int]:
    """Return glasses, and how many of those drawn the engine refused or did not hold in the window."""
    found, refused = [], 0
    for row in ScatteredSpace(StateSpaceConfig().grid(), "random", 3 * count, seed).parameters(np.arange(3 * count)):
        glass = lehr.TNMParameters(*row.tolist())
        unit = GAS_CONSTANT * glass.glass_transition**2 / glass.delta_h
        low = max(glass.glass_transition - BELOW * unit, 0.05 * glass.glass_transition)
        temperature = np.linspace(low, glass.glass_transition + ABOVE * unit, POINTS)
        cpn, status = lehr.simulate_batch(row, program=PROGRAM, temperature=temperature, dtype="float64")
        if status[0] != lehr.Status.OK:
            refused += 1
        elif cpn.max() <= CPN_MAX:
            found.append(Drawn(glass, np.array([*row, glass.glass_transition]), temperature, cpn[0]))
        if len(found) == count:
            break
    return found, refused


def quantities(glass: lehr.TNMParameters) -> NDArray[np.float64]:
    return np.array([*glass.as_tuple(), glass.glass_transition])


def success(objective: Objective, point: NDArray[np.float64], true: NDArray[np.float64]) -> bool:
    """Say whether a point is as near to the scans as the truth is."""
    best, truth = (np.sum(objective.residuals(at) ** 2) for at in (point, true))
    return bool(best <= truth + (NOISE / objective.noise) ** 2)


def of_fit(found: FitResult, drawn: Drawn, instrument: bool = False) -> bool:
    model = found.objective.model
    theta = model.coordinates.theta(drawn.glass.as_tuple())
    if not instrument:
        return success(found.objective, found.point, theta)
    return success(found.objective, found.point, np.concatenate([theta, true_nuisance(model, drawn)]))


def true_nuisance(model: ScanModel, drawn: Drawn) -> NDArray[np.float64]:
    """Return the parameters of what `Drawn.scans` does, as the model has them."""
    kelvin = drawn.temperature
    lagged = thermal_lag(drawn.cpn[None], LAG, temperature=kelvin, heating_rate=PROGRAM.heating_rates)
    centre = equal_area_temperature(lagged, kelvin).mean() + OFFSET
    level = SLOPE / 100.0 * (model.coordinates.reference - centre)
    values = {"offset": level, "slope": SLOPE / 100.0, "thermal_lag": LAG, "temperature_offset": OFFSET}
    keys = [name if name in values else name.split("_")[1] for name in model.names]
    return np.array([values[key] for key in keys])


def lm_multistart(scans: Scans, rng: np.random.Generator) -> tuple[Objective, NDArray[np.float64] | None, int]:
    """Return the best point of several starts, and how many were tried."""
    model = ScanModel(scans.near_transition, Coordinates(scans.middle))
    objective, best, tried = Objective(model, scans.noise), None, 0
    good = 1.0 + CHANCE / np.sqrt(2.0 * model.data.size)
    for start in random_starts(scans, MOST_STARTS, rng):
        tried += 1
        theta = model.coordinates.theta(start)
        try:
            found = least_squares(objective.residuals, theta, objective.jacobian, method="lm", max_nfev=60)
        except PredictionError:
            continue
        if best is None or found.cost < best.cost:
            best = found
        if np.sqrt(np.mean(best.fun**2)) < good:
            break
    return objective, None if best is None else best.x, tried


class Library:
    """Simulated glasses in the common window of their transitions.

    Parameters
    ----------
    size : int
        How many.
    """

    def __init__(self, size: int) -> None:
        self.glasses = draw(size, LIBRARY_SEED)[0]
        seen = [self._look(Scans.of(each.temperature, each.cpn, PROGRAM)) for each in self.glasses]
        self.shapes = np.stack([shape for shape, _ in seen])
        self.centres = np.array([centre for _, centre in seen])

    @staticmethod
    def _look(scans: Scans) -> tuple[NDArray[np.float64], float]:
        """Return what is compared: CpN at the bins of the window, and its relative width; and its centre in K."""
        window = window_of([(scan.temperature, scan.cpn) for scan in scans.scans])
        # the mean square of CpN and the width in its centre weigh alike
        curves = window.scans.ravel() / np.sqrt(window.scans.size)
        return np.append(curves, np.log(window.width / window.centre)), window.centre

    def best(self, scans: Scans) -> NDArray[np.float64]:
        """Return the nearest glass at the temperatures of the scans: T, dh and A scale alike."""
        shape, centre = self._look(scans)
        nearest = int(np.argmin(((self.shapes - shape) ** 2).sum(axis=1)))
        scale = centre / self.centres[nearest]
        ln_a, delta_h, x, beta = self.glasses[nearest].glass.as_tuple()
        return np.array([ln_a + np.log(scale), delta_h * scale, x, beta])


def relative(errors: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.abs(errors[:, :4] / true[:, :4])


def add_medians(results: Results, name: str, errors: NDArray[np.float64], bounds: NDArray[np.float64]) -> float:
    """Add the median error of each quantity, and the ratio to the bound; return the largest ratio."""
    ratios = np.nanmedian(np.abs(errors) / bounds, axis=0) / NORMAL_MEDIAN
    for quantity, unit, median, ratio in zip(
        QUANTITY_NAMES, UNITS, np.nanmedian(np.abs(errors), axis=0), ratios, strict=True
    ):
        results.add(f"{name}_median_{quantity}", median, unit)
        results.add(f"{name}_{quantity}_over_crlb", ratio, "crlb")
    return float(ratios.max())


def shares_of_network(results: Results, name: str, errors: NDArray[np.float64], true: NDArray[np.float64]) -> None:
    size = np.abs(errors)
    results.add(f"{name}_x_within_0.005", np.mean(size[:, 2] < 0.005), "1", 0.99)
    results.add(f"{name}_beta_within_0.005", np.mean(size[:, 3] < 0.005), "1", 0.99)
    results.add(f"{name}_dh_within_1_percent", np.mean(size[:, 1] < 0.01 * true[:, 1]), "1", 0.99)
    results.add(f"{name}_tg_within_1_K", np.mean(size[:, 4] < 1.0), "1", 0.99)


def read(drawn: list[Drawn], noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[float, ...]]]:
    """Return errors of the network and of fits, shape (glasses, 5), and success, seconds and starts of each fit."""
    network, fitted = np.full((2, len(drawn), 5), np.nan)
    how = []
    for number, each in enumerate(drawn):
        scans = each.scans(number, noise)
        with suppress(lehr.LehrError):  # a failure stays NaN, and counts as one
            network[number] = quantities(estimate(scans).mean) - each.true
        started = time.perf_counter()
        try:
            found = fit_scans(scans)
        except lehr.LehrError:
            how.append((0.0, time.perf_counter() - started, 0.0))
            continue
        seconds = time.perf_counter() - started
        fitted[number] = quantities(found.parameters) - each.true
        how.append((float(of_fit(found, each)), seconds, found.starts))
    return network, fitted, how


def without_noise(results: Results, drawn: list[Drawn], true: NDArray[np.float64]) -> None:
    network, fitted, _ = read(drawn, 0.0)
    shares_of_network(results, "network", network, true)
    for quantity, unit, column in zip(QUANTITY_NAMES, UNITS, np.abs(network).T, strict=True):
        results.add(f"network_median_{quantity}", np.nanmedian(column), unit)
    share = np.mean((relative(fitted, true) < 1e-3).all(axis=1))
    results.add("refined_within_1e-3", share, "1", 0.999)
    results.add("refined_median_relative_error", np.nanmedian(relative(fitted, true).max(axis=1)), "1", 1e-3)


def with_noise(results: Results, drawn: list[Drawn], true: NDArray[np.float64], library_size: int) -> None:
    bounds = np.array([cramer_rao(each.glass, PROGRAM, each.temperature, NOISE) for each in drawn])
    network, fitted, how = read(drawn, NOISE)
    shares_of_network(results, "noisy_network", network, true)
    results.add("network_median_over_crlb", add_medians(results, "noisy_network", network, bounds), "crlb", 5.0)
    add_medians(results, "refined", fitted, bounds)
    succeeded, seconds, _ = np.array(how).T
    ratio = np.nanmedian(np.abs(fitted) / bounds) / NORMAL_MEDIAN
    results.add("median_over_crlb", ratio, "crlb", 1.2)
    results.add("success_rate", succeeded.mean(), "1", 0.995)
    results.add("fit_s", np.median(seconds), "s", 1.0)
    results.add("fit_s_99_percent", np.quantile(seconds, 0.99), "s")

    rng, won, took, starts = np.random.default_rng(SEED), [], [], []
    for number, each in enumerate(drawn):
        scans, started = each.scans(number, NOISE), time.perf_counter()
        objective, point, tried = lm_multistart(scans, rng)
        took.append(time.perf_counter() - started)
        starts.append(tried)
        theta = objective.model.coordinates.theta(each.glass.as_tuple())
        won.append(point is not None and success(objective, point, theta))
    results.add("lm_multistart_success_rate", np.mean(won), "1", succeeded.mean())
    results.add("lm_multistart_s", np.median(took), "s", np.median(seconds))
    results.add("lm_multistart_starts", np.mean(starts), "1")

    started = time.perf_counter()
    library = Library(library_size)
    results.add("library_size", len(library.glasses), "glasses")
    results.add("library_made_s", time.perf_counter() - started, "s")
    won, took, matched = [], [], []
    for number, each in enumerate(drawn):
        scans, started = each.scans(number, NOISE), time.perf_counter()
        start = library.best(scans)
        try:
            won.append(of_fit(fit_scans(scans, starts=start), each))
        except lehr.LehrError:
            won.append(False)
        took.append(time.perf_counter() - started)
        matched.append(np.abs(quantities(lehr.TNMParameters(*start.tolist())) - each.true) / bounds[number])
    results.add("library_match_over_crlb", np.median(matched) / NORMAL_MEDIAN, "crlb")
    results.add("library_success_rate", np.mean(won), "1", succeeded.mean())
    results.add("library_s", np.median(took), "s", np.median(seconds))


def with_instrument(results: Results, drawn: list[Drawn]) -> None:
    """Noise, lag, slope and offset of the thermometer; the same are fitted with the glass."""
    pulls, ratios, won, took = [], [], [], []
    for number, each in enumerate(drawn):
        scans, started = each.scans(number, NOISE, instrument=True), time.perf_counter()
        try:
            found = fit_scans(scans, nuisance=NUISANCE)
        except lehr.LehrError:
            won.append(False)
            continue
        took.append(time.perf_counter() - started)
        won.append(of_fit(found, each, instrument=True))
        error = quantities(found.parameters) - each.true
        pulls.append(error / np.array([found.standard_errors[name] for name in QUANTITY_NAMES]))
        ratios.append(np.abs(error) / instrument_bound(found, each))
    for quantity, bias, ratio in zip(
        QUANTITY_NAMES, np.median(pulls, axis=0), np.median(ratios, axis=0) / NORMAL_MEDIAN, strict=True
    ):
        results.add(f"instrument_bias_{quantity}", abs(bias), "std. error", 1.0)
        results.add(f"instrument_{quantity}_over_crlb", ratio, "crlb")
    results.add("instrument_success_rate", np.mean(won), "1")
    results.add("instrument_fit_s", np.median(took), "s")
    results.add("instrument_glasses", len(drawn), "glasses")


def instrument_bound(found: FitResult, drawn: Drawn) -> NDArray[np.float64]:
    """Return the bound of the five quantities when the instrument has to be found too, at the true values."""
    model = found.objective.model
    theta = model.coordinates.theta(drawn.glass.as_tuple())
    point = np.concatenate([theta, true_nuisance(model, drawn)])
    root = covariance_root(compress(Objective(model, NOISE).jacobian(point)))
    return np.sqrt(np.diag(propagate(model.coordinates.derivatives(theta), root[:4])))


def speed(results: Results, drawn: list[Drawn], folder: Path | None, quick: bool) -> None:
    """Fits as users run them; those of white noise beside the baseline, of which a hundred glasses are enough."""
    chosen = drawn[:100]
    with tempfile.TemporaryDirectory() as scratch:
        scans = Path(scratch) / "scans.npz"
        cpn = [[scan.cpn for scan in each.scans(number, NOISE).scans] for number, each in enumerate(chosen)]
        np.savez(scans, temperature=[each.temperature for each in chosen], cpn=cpn)
        fit_speed.beside_baseline(results, scans, folder, quick)
        fit_speed.first_fit(results, scans)
    known = [material.parameters for material in lehr.load_materials().values()]
    narrow = [glass for glass in known if glass.beta > NARROW_BETA]  # their lines are in a scan of 100 K
    fit_speed.many(results, narrow, NOISE, quick)


def add_baseline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--baseline", type=Path, metavar="DIR", help="build the commit of the baseline there, once, and compare with it"
    )


def main() -> None:
    options = options_of(__doc__, "fewer glasses and a smaller library", add_baseline)
    started, quick = time.perf_counter(), options.quick
    print(f"{platform.machine()}, {os.cpu_count()} cores, NumPy {np.__version__}")
    results = Results()
    results.head()
    results.add("load_average_before", os.getloadavg()[0], "1")
    drawn, refused = draw(16 if quick else 500, SEED)
    true = np.array([each.true for each in drawn])
    results.add("glasses", len(drawn), "glasses")
    results.add("refused_by_engine_or_window", refused, "glasses")
    without_noise(results, drawn, true)
    with_noise(results, drawn, true, 100 if quick else 3000)
    with_instrument(results, drawn[: 4 if quick else 100])
    speed(results, drawn, options.baseline, quick)
    results.add("load_average_after", os.getloadavg()[0], "1")
    print(f"{time.perf_counter() - started:.0f} s")
    results.write(options.json)


if __name__ == "__main__":
    main()
