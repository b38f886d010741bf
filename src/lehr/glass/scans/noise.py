"""White noise on a smooth curve."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["NORMAL_MEDIAN", "white_noise_of"]

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
