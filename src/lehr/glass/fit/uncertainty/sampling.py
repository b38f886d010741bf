"""Samples of what is known of a glass after a fit, by Markov chain Monte Carlo with emcee."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.fit.uncertainty.minimum import Minimum
from lehr.glass.quantities import QUANTITIES
from lehr.glass.tnm import LN_REFERENCE_TIME

__all__ = ["draw_samples"]

_BURN_IN_SHARE = 0.25  # of the steps, in which the walkers spread; left out
_START_DEVIATIONS = 0.3  # standard deviations about the best point within which they start
_FEWEST_WALKERS = 16  # emcee wants two for each parameter, at least


def draw_samples(result: Minimum, steps: int, seed: int) -> NDArray[np.float64]:
    """Return samples of the values of a fit, shape (samples, names).

    The prior is flat in the coordinates of the fit within their bounds, but for what is known of the thermometer.

    Raises
    ------
    LehrError
        If emcee is missing, or there are too few steps.
    """
    if steps < 10:
        raise LehrError(f"{steps} steps are too few", "Some hundreds make an interval.")
    try:
        import emcee
    except ImportError:
        raise LehrError("sampling needs emcee, which is not installed", "pip install 'lehr[mcmc]'") from None
    objective, best = result.objective, result.point
    coordinates, size = objective.model.coordinates, best.size
    lower, upper = objective.bounds()
    unit = result.misfit_unit

    def log_probability(point: NDArray[np.float64]) -> float:
        if not ((point >= lower) & (point <= upper)).all():
            return -np.inf
        if not coordinates.parameters(point[:4])[0] < LN_REFERENCE_TIME:
            return -np.inf
        return -objective.misfit(point, unit) / 2.0

    rng = np.random.default_rng(seed)
    walkers = max(_FEWEST_WALKERS, 2 * size + 2)
    spread = np.sqrt([*np.diag(result.theta_covariance), *np.diag(result.covariance)[len(QUANTITIES) :]])
    begin = best + _START_DEVIATIONS * spread * rng.standard_normal((walkers, size))
    inside = 1e-6 * np.minimum(upper - lower, 1.0)
    sampler = emcee.EnsembleSampler(walkers, size, log_probability)
    sampler.random_state = np.random.RandomState(seed).get_state()  # emcee knows no other
    sampler.run_mcmc(np.clip(begin, lower + inside, upper - inside), steps)
    points = sampler.get_chain(discard=int(_BURN_IN_SHARE * steps), flat=True)
    return np.array([[*coordinates.values(point[:4]), *point[4:]] for point in points])
