"""White noise on a smooth curve, and the step to which one was rounded."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["NORMAL_MEDIAN", "rounding_of", "white_noise_of"]

_EQUAL_KELVIN = 1e-9  # of two temperatures that are equal but for the last digits of floating-point numbers
_EQUAL_SHARE = 0.1  # of neighbours that are equal, from which temperatures count as rounded

NORMAL_MEDIAN = 0.6745
"""Median of the absolute value of a normal deviate, in standard deviations."""


def white_noise_of(curve: NDArray[np.float64], differences: int = 2) -> float:
    """Return the standard deviation of white noise on a smooth curve, from the median size of its differences.

    A share of outliers below a half does not move it.

    Parameters
    ----------
    curve : ndarray, shape (points,)
        At about equidistant points.
    differences : int
        How often neighbours are subtracted: two remove straight lines, four remove cubics too.

    Returns
    -------
    float
        0 for a curve of fewer points than twice the differences and one.
    """
    if curve.size < 2 * differences + 1:
        return 0.0
    # the coefficients of n differences are binomial, and their squares add up to the central one of 2 n
    median = np.median(np.abs(np.diff(curve, differences)))
    return float(median / (NORMAL_MEDIAN * sqrt(comb(2 * differences, differences))))


def rounding_of(temperature: NDArray[np.float64]) -> float:
    """Return the step of temperatures that were rounded so coarsely that neighbours are often equal, else 0.

    Its half is the largest error of a temperature.
    """
    steps = np.abs(np.diff(temperature))
    changes = steps[steps > _EQUAL_KELVIN]
    if changes.size == 0 or changes.size > (1 - _EQUAL_SHARE) * steps.size:
        return 0.0
    return float(np.quantile(changes, 0.1))
