"""White noise on a smooth curve, and the step to which one was rounded."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["NORMAL_MEDIAN", "rounding_of", "smooth_noise_of", "white_noise_of"]

_EQUAL_KELVIN = 1e-9  # of two temperatures that are equal but for the last digits of floating-point numbers
_EQUAL_SHARE = 0.1  # of neighbours that are equal, from which temperatures count as rounded

NORMAL_MEDIAN = 0.6745
"""Median of the absolute value of a normal deviate, in standard deviations."""

_NORMAL_QUARTER = 0.3186  # the quantile 1/4 of the same
_FEWEST_BLOCKS = 24  # that the longest block would go into a curve: longer ones see little but the transition
_ABOVE_WHITE = 1.5  # of what white noise leaves of a mean: less is not smooth noise


def smooth_noise_of(temperature: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """Return about the standard deviation of smooth noise on a curve most of which consists of straight lines.

    Second differences of means over blocks of more and more points show noise that is smooth over a block. Their lower
    quartile is taken, so that what is not straight may be up to a half of the curve.

    Parameters
    ----------
    temperature, curve : ndarray, shape (points,)
        K, ascending, and a signal without spikes.

    Returns
    -------
    float
        0 where there is no more than white noise.
    """
    if curve.size < 4 * _FEWEST_BLOCKS:
        return 0.0
    even = np.linspace(temperature[0], temperature[-1], curve.size)
    curve = np.interp(even, temperature, curve)
    white = white_noise_of(curve, 4)
    sums = np.concatenate([[0.0], np.cumsum(curve)])
    largest, block = 0.0, 2
    while curve.size // block >= _FEWEST_BLOCKS:
        means = (sums[block:] - sums[:-block]) / block
        second = means[2 * block :] - 2.0 * means[block:-block] + means[: -2 * block]
        quarter = float(np.quantile(np.abs(second), 0.25)) / (_NORMAL_QUARTER * sqrt(6.0))
        if quarter > _ABOVE_WHITE * white / sqrt(block):
            largest = max(largest, quarter)
        block = int(1.5 * block)
    return largest


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
