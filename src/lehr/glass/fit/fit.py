"""Least squares: the glass whose scans are nearest to the measured ones."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.fit.least_squares.known import Known
from lehr.glass.fit.least_squares.model import ScanModel
from lehr.glass.fit.least_squares.nuisance import Nuisance
from lehr.glass.fit.least_squares.objective import Objective
from lehr.glass.fit.least_squares.solver import Solution
from lehr.glass.fit.least_squares.starts import likely_starts
from lehr.glass.fit.result import FitResult
from lehr.glass.fit.uncertainty.correlation import correlation_time
from lehr.glass.fit.uncertainty.pattern import pattern_of
from lehr.glass.scans import Scans
from lehr.glass.scans.noise import NORMAL_MEDIAN
from lehr.glass.tnm import DEFAULT_TOLERANCE, GAS_CONSTANT, MODELS, TNMParameters
from lehr.glass.tnm.coordinates import LOWER, UPPER, Coordinates

__all__ = ["fit_scans"]

_NOISE_FLOOR_CPN = DEFAULT_TOLERANCE  # the engine is not more accurate
_GOOD_FIT_DEVIATIONS = 4.0  # a root mean square of the residuals this near to the noise, in its own scatter, ends a fit
_NOISE_CHANGE = 0.05  # relative, up to which a fit with something known beforehand is not repeated with the new noise
_NOISE_ROUNDS = 3  # of fits with the noise that the last one has shown
_MOST_STARTS = 8
_MOST_EVALUATIONS = 60  # of the scans and their derivatives, from one start
_MORE_EVALUATIONS = 100  # from the best point, where that is not a minimum yet
_FIRST_LAG_SECONDS = 1.0  # where a thermal lag starts
_START_INSIDE = 0.01  # distance of x and beta from their bounds: steps beside one are short, on one there are none


def fit_scans(
    scans: Scans,
    *,
    starts: ArrayLike | None = None,
    nuisance: Nuisance | None = None,
    known: Known | None = None,
    noise: float | None = None,
    loss: str = "linear",
    tolerance: float = DEFAULT_TOLERANCE,
    model: str = "tnm",
) -> FitResult:
    """Fit the four parameters, and what the instrument did, to heating scans.

    Parameters
    ----------
    scans : Scans
        What was measured; the part around the transition is fitted.
    starts : array_like, shape (4,) or (n, 4), optional
        ln_A, delta_h (J/mol), x, beta to start from, one after the other until a fit is as good as the noise. Default:
        up to eight of `likely_starts`.
    nuisance : Nuisance, optional
        What the instrument may have done, and what may be wrong. Default: nothing.
    known : Known, optional
        What is known of the glass from elsewhere: values that are fixed, priors, ranges.
    noise : float, optional
        Standard deviation of each CpN, if it is known; default: from the residuals.
    loss : str, optional
        linear, or soft_l1 for scans with spikes.
    tolerance : float, optional
        Error of CpN that the engine keeps.
    model : str, optional
        Of the relaxation time: tnm, adam-gibbs, or map (Mauro-Allan-Potuzak). All are fitted and told in terms of ln_A,
        delta_h and x of the TNM glass that touches the glass at T = Tf in the middle of the transitions (of MAP, x is
        that of the glass of fixed structure); so are starts, and what is known. Default starts of the others: the fit
        of TNM.

    Returns
    -------
    FitResult

    Raises
    ------
    LehrError
        If an argument is out of range, or the engine finds a signal near none of the starts.
    """
    started = time.perf_counter()
    if noise is not None and not noise > 0:
        raise LehrError(f"noise = {noise} is out of range", "It is the standard deviation of CpN and must be positive.")
    if model not in MODELS:
        raise LehrError(f"model '{model}' is not offered", f"Take one of {', '.join(MODELS)}.")
    if starts is None and model != TNMParameters.model:
        first = fit_scans(scans, nuisance=nuisance, known=known, noise=noise, loss=loss, tolerance=tolerance)
        starts = first.parameters.as_tuple()
    nuisance = nuisance or Nuisance()
    part = scans.near_transition if nuisance.baseline == "none" else scans.with_baselines
    coordinates = Coordinates(scans.middle, MODELS[model])
    prediction = ScanModel(part, coordinates, nuisance, tolerance)
    # what moves temperatures and programs costs many simulations and does not tell one minimum from another
    likely = ScanModel(part, coordinates, nuisance.without_what_is_said(), tolerance)
    first_noise = noise or max(likely.white_noise, _NOISE_FLOOR_CPN)
    simple = Objective(likely, first_noise, loss, known)
    solution, tried = _best(simple, (_point(simple, row) for row in _rows(scans, starts)))
    objective = Objective(prediction, first_noise, loss, known)
    if likely.size < prediction.size:
        start = np.concatenate([solution.x, np.zeros(prediction.size - likely.size)])
        solution = objective.solve(start, _MORE_EVALUATIONS) or solution
    prediction.evaluations += likely.evaluations
    sigma = noise or _noise(objective, solution)
    for _ in range(_NOISE_ROUNDS):
        weight = max(sigma, _NOISE_FLOOR_CPN) * _repetition(objective, solution)
        if not objective.known or abs(weight / objective.noise - 1.0) < _NOISE_CHANGE:
            break
        objective = Objective(prediction, weight, loss, known)
        solution = objective.solve(solution.x, _MORE_EVALUATIONS) or solution
        sigma = noise or _noise(objective, solution)
    return FitResult.of(scans, objective, solution, sigma, noise, tried, time.perf_counter() - started)


def _rows(scans: Scans, starts: ArrayLike | None) -> Iterable[NDArray[np.float64]]:
    if starts is None:
        return islice(likely_starts(scans), _MOST_STARTS)
    rows: NDArray[np.float64] = np.atleast_2d(np.asarray(starts, dtype=float))
    if rows.ndim != 2 or rows.shape[1] != 4 or not np.isfinite(rows).all() or not (rows[:, 1] > 0).all():
        raise LehrError("the starts are not glasses", "Give (n, 4): ln_A, delta_h (J/mol, positive), x, beta.")
    return rows


def _point(objective: Objective, row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the parameters of the model where a fit starts."""
    model = objective.model
    rest = [_FIRST_LAG_SECONDS if name == "thermal_lag" else 0.0 for name in model.names]
    values = {name: value for name, (value, _) in objective.known_glass.values.items()}
    theta = model.coordinates.theta(row)
    if "delta_h" in values:
        theta[0] = np.log(values["delta_h"] / (GAS_CONSTANT * model.coordinates.reference))
    theta[2:] = values.get("x", theta[2]), values.get("beta", theta[3])
    theta[2:] = np.clip(theta[2:], LOWER[2:] + _START_INSIDE, UPPER[2:] - _START_INSIDE)
    return np.concatenate([theta, rest])


def _best(objective: Objective, points: Iterable[NDArray[np.float64]]) -> tuple[Solution, int]:
    """Return the best minimum, and how many starts were tried."""
    best: Solution | None = None
    tried = 0
    # the root mean square of n residuals scatters by 1/sqrt(2 n); a noise that was read from the scans by as much
    good = 1.0 + _GOOD_FIT_DEVIATIONS / np.sqrt(2.0 * objective.model.data.size)
    for point in points:
        found = objective.solve(point, _MOST_EVALUATIONS)
        tried += 1
        if found is not None and (best is None or found.cost < best.cost):
            best = found
        if best is not None and (np.sqrt(np.mean(best.fun**2)) < good or _follows(objective, best)):
            break
    if best is not None and best.status == 0:
        best = objective.solve(best.x, _MORE_EVALUATIONS) or best
    if best is None:
        raise LehrError(
            "the engine finds no signals near any start of the fit",
            "Check that the scans are CpN against K, and the rates.",
        )
    return best, tried


def _follows(objective: Objective, solution: Solution) -> bool:
    """Say whether the residuals in the transition are as small as those beside it: noise, though not white."""
    model = objective.model
    if solution.status == 0 or objective.loss != "linear":
        return False
    residuals = model.split(solution.fun[: model.data.size] * objective.noise)
    found = pattern_of(tuple(residuals), model.split(model.glass_alone(solution.x)), model.white_noise, model.size - 4)
    return found.quiet is not None and found.systematic <= model.tolerance


def _noise(objective: Objective, solution: Solution) -> float:
    """Return the standard deviation of the noise that the residuals show."""
    count = objective.model.data.size
    residuals = solution.fun[:count] * objective.noise
    if objective.loss != "linear":
        return float(np.median(np.abs(residuals)) / NORMAL_MEDIAN)
    free = max(count - objective.model.size + objective.known, 1)
    return float(np.sqrt(np.sum(residuals**2) / free))


def _repetition(objective: Objective, solution: Solution) -> float:
    """Return what the noise counts for beside what is known beforehand, where residuals repeat each other."""
    if not objective.known or objective.loss != "linear":
        return 1.0
    residuals = objective.model.split(solution.fun[: objective.model.data.size])
    return float(np.sqrt(correlation_time(tuple(residuals))))
