"""From the temperatures of a measurement to equidistant ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError

__all__ = ["resample"]

_MOST_POINTS = 1_000_000  # of a resampled scan; more is a step in another unit
_FINE_SPACINGS = 1.5  # spacings of the data in a step, from which on the data are averaged


def resample(
    temperature: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    step: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring a scan to equidistant temperatures.

    Where the data are finer than the new step, the values are means over each step, which lowers the noise, corrected
    for the curvature within it, so that a peak six steps wide keeps its height within 0.1 %. Where they are coarser,
    they are interpolated by a monotone cubic, which adds no peaks.

    Parameters
    ----------
    temperature, values : ndarray, shape (points,)
        K, ascending, and the signal.
    step : float, optional
        K; default: the median spacing of the data.
    low, high : float, optional
        Ends in K; default: those of the data.

    Returns
    -------
    temperature, values : ndarray
        Equidistant, from `low` on.

    Raises
    ------
    LehrError
        If the ends lie outside the data, or the step is not positive or far too small.
    """
    low = float(temperature[0]) if low is None else low
    high = float(temperature[-1]) if high is None else high
    spacing = float(np.median(np.diff(temperature)))
    step = spacing if step is None else step
    if not temperature[0] <= low < high <= temperature[-1]:
        raise LehrError(
            f"a range of {low:g} to {high:g} K is not within the scan, {temperature[0]:g} to {temperature[-1]:g} K"
        )
    if not (step > 0 and 1 <= (high - low) / step <= _MOST_POINTS):
        raise LehrError(f"a step of {step:g} K does not suit a range of {low:g} to {high:g} K")
    grid = low + step * np.arange(int((high - low) / step * (1 + 1e-12)) + 1)
    # by gaps, not by points: a single hole in fine data is bridged as coarse data are
    means = _means(temperature, values, grid, step)
    fine = _widest_gap(temperature, grid, step) * _FINE_SPACINGS <= step
    if fine.all():
        return grid, means
    from scipy.interpolate import PchipInterpolator

    with np.errstate(over="ignore"):  # of slopes next to zero, whose reciprocals it takes
        return grid, np.where(fine, means, PchipInterpolator(temperature, values)(grid))


def _means(
    temperature: NDArray[np.float64], values: NDArray[np.float64], grid: NDArray[np.float64], step: float
) -> NDArray[np.float64]:
    """Return point values from means over steps around the points: y = m - (second difference of m)/24."""
    widths = np.diff(temperature)
    integral = np.concatenate([[0.0], np.cumsum(0.5 * widths * (values[1:] + values[:-1]))])

    def up_to(at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral of the polygon through the data."""
        at = np.clip(at, temperature[0], temperature[-1])
        i = np.clip(np.searchsorted(temperature, at, side="right") - 1, 0, widths.size - 1)
        x = at - temperature[i]
        slope = (values[i + 1] - values[i]) / widths[i]
        return np.asarray(integral[i] + x * (values[i] + 0.5 * slope * x))

    edges = np.concatenate([grid - 0.5 * step, [grid[-1] + 0.5 * step]])
    inside = np.clip(edges, temperature[0], temperature[-1])
    means = np.diff(up_to(edges)) / np.diff(inside)
    corrected = means.copy()
    corrected[1:-1] -= (means[2:] - 2 * means[1:-1] + means[:-2]) / 24
    return np.asarray(corrected)


def _widest_gap(temperature: NDArray[np.float64], grid: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Return the widest gap between data around each point of the grid."""
    gaps = np.diff(temperature)
    first = np.clip(np.searchsorted(temperature, grid - 0.5 * step, side="right") - 1, 0, gaps.size - 1)
    stop = np.clip(np.searchsorted(temperature, grid + 0.5 * step, side="left"), 1, gaps.size)
    pairs = np.column_stack([first, np.maximum(stop, first + 1)]).ravel()
    return np.asarray(np.maximum.reduceat(np.append(gaps, 0.0), pairs)[::2])
