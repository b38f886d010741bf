"""Where a fit starts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.estimator import estimate
from lehr.glass.scans import Scans
from lehr.glass.tnm import (
    GAS_CONSTANT,
    LN_REFERENCE_TIME,
    Status,
    ThermalProgram,
    ln_pre_exponential,
    simulate_batch,
)
from lehr.glass.tnm.coordinates import LOWER, UPPER, Coordinates

__all__ = ["cooling_rates", "initial_estimate", "likely_starts", "random_starts"]

_TRIED_X = (0.25, 0.45, 0.65, 0.85)
_TRIED_BETA = (0.25, 0.4, 0.55, 0.7, 0.85)
_TRIED_STEEPNESS = (0.4, 0.63, 1.0, 1.6, 2.5)  # times that of the width, where the cooling rates do not say what dh is
_TRANSITION_WIDTH = 7.0  # of a transition in units of R Tm^2/dh, roughly
_LEAST_LN_RATE_SPREAD = 0.4  # standard deviation of ln q from which on the cooling rates say what dh is
_COMPARED_POINTS = 400  # temperatures at which trials are compared with the scans
_MOVES = 2  # of a trial glass along the temperature, until its Tf' is the measured one


def initial_estimate(scans: Scans, count: int = 3) -> NDArray[np.float64]:
    """Return likely glasses, the likeliest first, shape (count, 4): those of `likely_starts`."""
    return np.array(list(islice(likely_starts(scans), count)))


def likely_starts(scans: Scans) -> Iterator[NDArray[np.float64]]:
    """Yield likely glasses, the likeliest first, each of shape (4,).

    The first is that of the estimator, if it knows such a program. The others are found without, and only when they are
    asked for: the activation energy from how Tf' depends on the cooling rate, -d ln q/d(1/Tf') = dh/R, or, if the rates
    do not differ, from the width of the transition, by trial. So are x and beta; ln A comes from Tf' itself.
    """
    try:
        first = [np.array(estimate(scans).mean.as_tuple())]
    except LehrError:  # holds, rates beyond what it has learnt, or a part of a transition
        first = []
    yield from first
    coordinates = Coordinates(scans.middle)
    axes = np.meshgrid(_TRIED_X, _TRIED_BETA, np.log(_steepness(scans)))
    x, beta, log_steepness = (axis.ravel() for axis in axes)
    theta = np.stack([log_steepness, np.full_like(x, LN_REFERENCE_TIME), x, beta], axis=-1)
    yield from coordinates.parameters(_screen(scans, coordinates, theta))


def random_starts(scans: Scans, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return glasses whose transition lies where that of the scans does, otherwise drawn at random, shape (count, 4).

    This is what a fit has to start from if nothing else is known: the glass transition within the scans, dh within a
    factor of five around what their width says, x and beta from 0.2 to 1.
    """
    low, high = scans.transition
    glass_transition = rng.uniform(low, high, count)
    factor = 5.0 ** rng.uniform(-1.0, 1.0, count)
    delta_h = factor * _TRANSITION_WIDTH * GAS_CONSTANT * scans.middle**2 / (high - low)
    ln_a = ln_pre_exponential(delta_h, glass_transition)
    return np.stack([ln_a, delta_h, *rng.uniform(0.2, 1.0, (2, count))], axis=-1)


def _steepness(scans: Scans) -> NDArray[np.float64]:
    """Return values of dh/(R Tm) to try."""
    (low, high), limits, reference = scans.transition, scans.limiting_fictive_temperatures, scans.middle
    by_width = _TRANSITION_WIDTH * reference / max(high - low, 1e-3 * reference) * np.array(_TRIED_STEEPNESS)
    rates = np.log(cooling_rates(scans.program))
    simple = np.isfinite(rates) & (limits > low) & (limits < high)
    if simple.sum() >= 2 and rates[simple].std() > _LEAST_LN_RATE_SPREAD:
        slope = np.polyfit(rates[simple], 1.0 / limits[simple], 1)[0]
        by_rates = -1.0 / (slope * reference)
        if by_width[0] < by_rates < by_width[-1]:
            return np.array([by_rates])
    return by_width


def cooling_rates(program: ThermalProgram) -> NDArray[np.float64]:
    """Return the rate in K/min of each cycle that only cools, or cools and heats, and NaN for the others."""
    cycles = zip(program.cycles, program.cooling_rates, strict=True)
    simple = {1: -1.0, 2: 1.0}  # segments, and the sign of the rate of the scan, which is the last of them
    return np.array([rate if simple.get(len(c.segments), 0.0) * c.scan_rate > 0 else np.nan for c, rate in cycles])


def _screen(scans: Scans, coordinates: Coordinates, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move trials to the measured Tf' and return them, the best first."""
    parts, limits = scans.near_transition.scans, scans.limiting_fictive_temperatures
    low, high = (edge(scan.temperature[end] for scan in parts) for edge, end in ((min, 0), (max, -1)))
    grid = np.linspace(low, high, _COMPARED_POINTS)
    measured = np.array([np.interp(grid, s.temperature, s.cpn, np.nan, np.nan) for s in parts])
    found = np.empty((len(theta), len(limits)))
    for _ in range(_MOVES + 1):
        cpn, status = simulate_batch(
            coordinates.parameters(theta),
            program=scans.kelvin_program,
            temperature=grid,
            dtype="float64",
            tolerance=1e-3,
            limiting_fictive_temperature=found,
        )
        misfit = np.nanmean((cpn - measured) ** 2, axis=(1, 2))
        misfit[status > Status.WINDOW] = np.inf
        tried = theta.copy()
        missing = np.nan_to_num(limits - found).mean(axis=1)
        theta[:, 1] += np.clip(np.exp(theta[:, 0]) * missing / coordinates.reference, -20.0, 20.0)
        theta = np.clip(theta, LOWER, UPPER)
    return tried[np.argsort(misfit)]
