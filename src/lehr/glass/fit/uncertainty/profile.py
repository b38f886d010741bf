"""Profile intervals: how far a quantity can go before the best fit with it is significantly worse.

They need no parabola, as standard errors do: on a ridge they are as long and as asymmetric as it is.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lehr.glass.fit.least_squares.fixed import FixedQuantity
from lehr.glass.fit.uncertainty.minimum import Minimum
from lehr.glass.quantities import QUANTITY_NAMES
from lehr.glass.tnm import GAS_CONSTANT, LN_REFERENCE_TIME
from lehr.glass.tnm.coordinates import LOWER, UPPER

__all__ = ["profile_intervals"]

_END_DEVIATIONS = 0.01  # standard deviations, to which the end of an interval is found
_MOST_TRIALS = 15  # fits for an end
_MOST_GROWTH = 3.0  # of a step outwards, times the last one
_MOST_EVALUATIONS = 30  # of the scans and their derivatives, for a trial


def profile_intervals(result: Minimum, levels: tuple[float, ...]) -> dict[str, dict[float, tuple[float, float]]]:
    """Return profile intervals of the five quantities.

    An end is where the sum of squares, made smallest by all other parameters, has grown by the quantile of chi-square
    with one degree of freedom, in units of the variance that the standard errors rest on.

    Parameters
    ----------
    result : Minimum
        The fit.
    levels : tuple of float
        Probabilities, ascending.

    Returns
    -------
    dict
        (low, high) by name and probability. x and beta end with their range; other quantities are infinite where the
        scans set no end within the range of a glass.
    """
    quantiles = [NormalDist().inv_cdf((1.0 + level) / 2.0) for level in levels]
    found = {}
    for name in QUANTITY_NAMES:
        profile = _Profile(result, name)
        ends = zip(profile.ends(-1.0, quantiles), profile.ends(1.0, quantiles), strict=True)
        found[name] = dict(zip(levels, ends, strict=True))
    return found


class _Profile:
    """How much worse the best fit is at other values of one quantity.

    Parameters
    ----------
    result : Minimum
        The fit.
    name : str
        One of `QUANTITY_NAMES`.
    """

    def __init__(self, result: Minimum, name: str) -> None:
        self._objective, self._name, self._best = result.objective, name, result.point
        model, index = result.objective.model, QUANTITY_NAMES.index(name)
        self._reference = model.coordinates.reference
        self._value, self._error = float(result.values[index]), result.standard_errors[name]
        # where the others go with this one, by the covariance
        by_theta = model.coordinates.derivatives(result.point[:4])[index]
        along = np.concatenate([result.theta_covariance @ by_theta, result.covariance[len(QUANTITY_NAMES) :, index]])
        self._direction = along / result.covariance[index, index]
        self._limits = self._range(result)
        self._unit = result.misfit_unit / 2.0  # a cost is half the sum of squares
        self._least = self._solve(self._value, self._best)[0]

    def ends(self, sign: float, quantiles: list[float]) -> list[float]:
        """Return the ends on one side by ascending quantiles of the normal distribution."""
        limit = self._limits[int(sign > 0)]
        nothing = limit if self._name in ("x", "beta") else sign * np.inf
        value, distance, point, direction = self._value, 0.0, self._best, self._direction
        found: list[float] = []
        for quantile in quantiles:
            # distances grow nearly in proportion: value and distance of what is known on both sides of the end
            outside: tuple[float, float] | None = None
            step, end = (quantile - distance) * self._error, nothing
            for _ in range(_MOST_TRIALS):
                if abs(distance - quantile) < _END_DEVIATIONS:
                    end = value
                    break
                if outside is not None:
                    gap, rise = abs(outside[0] - value), outside[1] - distance
                    step = float(np.clip((quantile - distance) / rise, 0.1, 0.9)) * gap
                elif distance > 0:
                    step = min(step, abs(limit - value))
                if value == limit:
                    break
                trial = float(np.clip(value + sign * step, *self._limits))
                gone, there = self._solve_at(trial, point + direction * (trial - value))
                if gone > quantile + _END_DEVIATIONS:
                    outside = (trial, gone)
                    continue
                slope = (gone - distance) / abs(trial - value)
                direction = (there - point) / (trial - value)
                step = float(np.clip((quantile - gone) / max(slope, 1e-300), 0.0, _MOST_GROWTH * step))
                value, distance, point = trial, gone, there
            found.append(float(end))
        return found

    def _solve_at(self, value: float, guess: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return by how many standard deviations the best fit with a value is worse, and where it is."""
        cost, point = self._solve(value, guess)
        return float(np.sqrt(max((cost - self._least) / self._unit, 0.0))), point

    def _solve(self, value: float, guess: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        fixed = FixedQuantity(self._name, value, self._reference)
        solution = self._objective.solve(guess, _MOST_EVALUATIONS, fixed)
        if solution is None:
            return np.inf, guess
        return float(solution.cost), fixed.point(solution.x)

    def _range(self, result: Minimum) -> tuple[float, float]:
        """Return the values between which the quantity is that of a glass."""
        if self._name in ("x", "beta"):
            column = QUANTITY_NAMES.index(self._name)
            lower, upper = result.objective.bounds()
            return float(lower[column]), float(upper[column])
        if self._name == "glass_transition":
            scans = result.fitted_scans.scans
            return float(min(s.temperature[0] for s in scans)), float(max(s.temperature[-1] for s in scans))
        steepness = np.exp([LOWER[0], UPPER[0]])
        if self._name == "delta_h":
            low, high = GAS_CONSTANT * self._reference * steepness
            return float(low), float(high)
        return float(LOWER[1] - steepness[1]), LN_REFERENCE_TIME
