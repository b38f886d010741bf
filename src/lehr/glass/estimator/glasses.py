"""Simulated glasses for the estimator: clean scans, drawn over temperatures that just hold their transition."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.estimator import windows
from lehr.glass.scans.scans import MAX_CYCLES
from lehr.glass.tnm import Cycle, Ramp, Status, ThermalProgram, efold_width, glass_transition, simulate_batch

__all__ = ["MARGIN", "POINTS", "REFERENCE_RATE", "Glasses", "simulate_glasses"]

Array = NDArray[np.float64]

POINTS = 288
"""Temperatures at which a scan is kept."""

MARGIN = 0.12
"""Of the coarse window, kept on each side of it: a measured window is not exactly that of the clean scans."""

REFERENCE_RATE = 10.0
"""Heating rate in K/min; the symmetry of rates makes one serve for all."""

_PAPER_LN_RATES = np.log(np.array(ThermalProgram.chr_cycles().cooling_rates) / REFERENCE_RATE)
_MAX_LN_RATE = np.log(1000.0)  # logarithm of the fastest cooling rate over the reference
_SIMULATED_POINTS = 4001  # temperatures of a scan before its window is known
_BELOW_EFOLDS, _ABOVE_EFOLDS = 130.0, 60.0  # from Tg, in e-folds of tau: frozen and liquid for any x and beta
_COLDEST, _HOTTEST = 0.025, 2.5  # times Tg, but not beyond: the lowest temperature, and the distance above Tg


@dataclass(frozen=True, eq=False)
class Glasses:
    """Clean scans of many glasses.

    Attributes
    ----------
    parameters : ndarray, shape (n, 4)
        ln_A, delta_h (J/mol), x, beta.
    low, high : ndarray, shape (n,)
        Temperatures in K of the first and the last of the `POINTS`.
    paper : ndarray of bool, shape (n,)
        Whether the scans are the six of the paper.
    first : ndarray of int, shape (n + 1,)
        Where the scans of each glass begin, and the end.
    scans : ndarray of float32, shape (scans, POINTS)
        CpN.
    rates : ndarray, shape (scans, 2)
        Logarithms of cooling and heating rate over `REFERENCE_RATE`.
    """

    parameters: Array
    low: Array
    high: Array
    paper: NDArray[np.bool_]
    first: NDArray[np.int64]
    scans: NDArray[np.float32]
    rates: Array

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of scans of each glass, shape (n,)."""
        return np.diff(self.first)


@dataclass(frozen=True, eq=False)
class _Glass:
    row: int
    paper: bool
    low: float
    high: float
    scans: NDArray[np.float32]
    rates: Array


def simulate_glasses(
    parameters: Array, seed: int, paper_share: float, cpn_max: float, threads: int, tolerance: float = 1e-4
) -> Glasses:
    """Simulate glasses with programs drawn at random.

    Parameters
    ----------
    parameters : ndarray, shape (n, 4)
        ln_A, delta_h, x, beta; row i gets the same program whatever the others are.
    seed : int
        Of the programs.
    paper_share : float
        Of the glasses, with the program of the paper.
    cpn_max : float
        Glasses with a higher peak are left out, as are those that the engine cannot do.
    threads : int
        The engine works outside the interpreter's lock.
    tolerance : float
        Of the engine.

    Raises
    ------
    LehrError
        If no glass is left.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(parameters))

    def work(rows: NDArray[np.int64]) -> list[_Glass]:
        made = []
        for row in rows.tolist():
            rng = np.random.default_rng(seeds[row])
            paper = bool(rng.random() < paper_share)
            made.append(_simulate(parameters[row], _draw_rates(rng, paper), row, paper, cpn_max, tolerance))
        return [glass for glass in made if glass is not None]

    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(work, np.array_split(np.arange(len(parameters)), threads * 8))
        glasses = [glass for part in parts for glass in part]
    if not glasses:
        raise LehrError("no glass can be learnt from", "Raise cpn_max, or choose another state_space.")
    return Glasses(
        parameters=parameters[[glass.row for glass in glasses]],
        low=np.array([glass.low for glass in glasses]),
        high=np.array([glass.high for glass in glasses]),
        paper=np.array([glass.paper for glass in glasses]),
        first=np.concatenate([[0], np.cumsum([len(glass.scans) for glass in glasses])]),
        scans=np.concatenate([glass.scans for glass in glasses]),
        rates=np.concatenate([glass.rates for glass in glasses]),
    )


def _draw_rates(rng: np.random.Generator, paper: bool) -> Array:
    """Return logarithms of cooling and heating rates over the reference, shape (cycles, 2)."""
    if paper:
        return np.stack([_PAPER_LN_RATES, np.zeros(len(_PAPER_LN_RATES))], axis=1)
    count = int(rng.integers(1, MAX_CYCLES + 1))
    middle, spread = rng.uniform(-3.0, 3.0), rng.uniform(0.3, 4.0)
    cooling = np.clip(middle + spread * rng.uniform(-1.0, 1.0, count), -_MAX_LN_RATE, _MAX_LN_RATE)
    heating = np.zeros(count)
    kind = rng.random()
    if kind < 0.2:
        heating = rng.uniform(-3.0, 3.0, count)
        if kind < 0.1:  # heated as fast as it was cooled, or a constant factor faster
            cooling = heating + rng.uniform(-2.0, 2.0)
    return np.stack([cooling, heating], axis=1)


def _simulate(
    parameters: Array, rates: Array, row: int, paper: bool, cpn_max: float, tolerance: float
) -> _Glass | None:
    ln_a, delta_h = parameters[:2]
    kelvin = float(glass_transition(ln_a, delta_h))
    efold = efold_width(kelvin, delta_h)
    cold = _COLDEST * kelvin
    temperature = np.linspace(
        max(kelvin - _BELOW_EFOLDS * efold, cold),
        kelvin + min(_ABOVE_EFOLDS * efold, _HOTTEST * kelvin),
        _SIMULATED_POINTS,
    )
    ramps = REFERENCE_RATE * np.exp(rates)
    program = ThermalProgram(
        tuple(Cycle((Ramp(cold, cooling), Ramp("highest", heating))) for cooling, heating in ramps.tolist())
    )
    cpn, status = simulate_batch(
        [parameters], program=program, temperature=temperature, tolerance=tolerance, dtype="float64"
    )
    if status[0] > Status.WINDOW or not cpn.max() <= cpn_max:
        return None
    try:
        low, high = windows.coarse_window([(temperature, scan) for scan in cpn[0]])
    except LehrError:
        return None
    margin = MARGIN * (high - low)
    low, high = low - margin, high + margin
    at = np.linspace(low, high, POINTS)
    scans = np.stack([windows.interpolate(temperature, scan, at) for scan in cpn[0]])
    return _Glass(row, paper, low, high, scans.astype(np.float32), rates)
