"""Temperatures and heights of a glass transition as standards define them."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.cpn import CpnScan
from lehr.glass.scans.lines import without_spikes
from lehr.glass.scans.resample import resample
from lehr.glass.scans.step import CONSTANT_STEP, fictive_temperatures

__all__ = ["Characteristics", "characteristics_of", "limiting_fictive_temperature"]

_MOST_POINTS = 4000  # of a scan that is looked at: more show nothing more
_LEAST_PEAK = 0.02  # CpN above the liquid that is a peak
_NOISE_OF_PEAK = 4.0  # standard deviations of a smoothed point that the same must exceed
_FEWEST_SMOOTHED = 5  # points in a window of a cubic


@dataclass(frozen=True)
class Characteristics:
    """Temperatures and heights of the glass transition of a heating scan.

    Attributes
    ----------
    fictive_temperature : float
        K; Tf', the limiting fictive temperature: the balance of enthalpies by areas between the curve and both lines
        (Moynihan et al., J. Am. Ceram. Soc. 59 (1976) 12; ASTM E1356 and ISO 11357-2 know it as the equal-areas
        method).
    onset : float
        K; extrapolated onset: the tangent at the inflection meets the line of the glass (ISO 11357-2, T_eig; ASTM
        E1356, T_f).
    midpoint : float
        K; half step: the curve crosses the line half way between those of glass and liquid (ISO 11357-2, T_1/2,g; ASTM
        E1356, T_m).
    inflection : float
        K; the steepest point of the rise (ASTM E1356, T_i).
    delta_cp : float
        Distance of the lines of glass and liquid at the midpoint, in `delta_cp_unit`: of a heat capacity where the
        signal is one, or is a heat flow at a known heating rate; else in the unit of the signal. NaN for a scan that is
        CpN already.
    delta_cp_unit : str
        Its unit.
    peak : float
        K; the highest point of CpN. NaN where it does not stand out above the liquid.
    peak_cpn : float
        CpN there.
    """

    fictive_temperature: float
    onset: float
    midpoint: float
    inflection: float
    delta_cp: float
    delta_cp_unit: str
    peak: float
    peak_cpn: float


def limiting_fictive_temperature(scan: CpnScan) -> float:
    """Return Tf' in K: Tf at the start of a scan, without what points that stand out alone add."""
    cpn, _ = without_spikes(scan.cpn, scan.noise)
    return float(fictive_temperatures(scan.temperature, cpn, CONSTANT_STEP)[0])


def characteristics_of(
    scan: CpnScan, ends: tuple[float, float], delta_cp: NDArray[np.float64] | None = None, unit: str = ""
) -> Characteristics:
    """Find the temperatures of a glass transition.

    Parameters
    ----------
    scan : CpnScan
        A heating scan.
    ends : tuple of float
        K, between which the transition lies.
    delta_cp : ndarray, shape (points,), optional
        Distance of the lines at the temperatures of the scan.
    unit : str
        Of that.
    """
    fictive = limiting_fictive_temperature(scan)
    cpn, _ = without_spikes(scan.cpn, scan.noise)
    low, high = max(ends[0], float(scan.temperature[0])), min(ends[1], float(scan.temperature[-1]))
    spacing = max(float(np.median(np.diff(scan.temperature))), (high - low) / _MOST_POINTS)
    # what a glass has above its line, in steps at the reference; CpN is that over the step at Tf or at T
    at = (
        scan.temperature
        if scan.step.at == "temperature"
        else fictive_temperatures(scan.temperature, cpn, CONSTANT_STEP)
    )
    excess = cpn * scan.step.relative(at)
    grid, above_glass = resample(scan.temperature, excess, step=spacing, low=low, high=high)
    _, peaked = resample(scan.temperature, cpn, step=spacing, low=low, high=high)
    share = above_glass / scan.step.relative(grid)
    rise = _rise(grid, share)
    if rise is None:
        return Characteristics(fictive, nan, nan, nan, nan, unit, nan, nan)
    window = max(rise[1] - rise[0], 0.0)
    smooth_share, _ = _smooth(grid, share, window)
    midpoint = _first_crossing(grid, smooth_share, 0.5)
    smooth_excess, steepness = _smooth(grid, above_glass, window)
    flank = (grid >= rise[0] - window) & (grid <= rise[1] + window)
    steepest = np.flatnonzero(flank)[int(np.argmax(steepness[flank]))]
    inflection = _summit(grid, steepness, steepest)[0]
    tangent = float(np.interp(inflection, grid, smooth_excess)), float(steepness[steepest])
    smooth_cpn, _ = _smooth(grid, peaked, 0.5 * window)
    peak = _summit(grid, smooth_cpn, int(np.argmax(smooth_cpn)))
    in_window = max(0.5 * window / spacing, 1.0)
    if peak[1] < 1.0 + max(_LEAST_PEAK, _NOISE_OF_PEAK * scan.noise / np.sqrt(in_window)):
        peak = nan, nan
    return Characteristics(
        fictive,
        inflection - tangent[0] / tangent[1],
        midpoint,
        inflection,
        nan if delta_cp is None else float(np.interp(midpoint, scan.temperature, delta_cp)),
        unit,
        *peak,
    )


def _rise(grid: NDArray[np.float64], share: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return where the curve first goes from a quarter to three quarters of the way, whatever the noise does."""
    upper = np.flatnonzero(_medians(share) >= 0.75)
    if not upper.size:
        return None
    lower = np.flatnonzero(_medians(share)[: upper[0]] <= 0.25)
    return (float(grid[lower[-1]]), float(grid[upper[0]])) if lower.size else None


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    width = 5
    padded = np.pad(values, width // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1))


def _smooth(
    grid: NDArray[np.float64], values: NDArray[np.float64], window: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values and slopes of cubics through the points of a window in K (Savitzky and Golay)."""
    from scipy.signal import savgol_filter

    spacing = float(grid[1] - grid[0])
    points = min(max(2 * int(0.5 * window / spacing) + 1, _FEWEST_SMOOTHED), (grid.size - 1) // 2 * 2 + 1)
    value, slope = (savgol_filter(values, points, 3, deriv=order, delta=spacing) for order in (0, 1))
    return value, slope


def _first_crossing(grid: NDArray[np.float64], values: NDArray[np.float64], level: float) -> float:
    above = int(np.argmax(values >= level))
    if above == 0:
        return float(grid[0]) if values[0] >= level else nan
    left, right = values[above - 1], values[above]
    return float(grid[above - 1] + (level - left) / (right - left) * (grid[above] - grid[above - 1]))


def _summit(grid: NDArray[np.float64], values: NDArray[np.float64], at: int) -> tuple[float, float]:
    """Return the top of the parabola through the highest point and its neighbours."""
    if not 0 < at < grid.size - 1:
        return float(grid[at]), float(values[at])
    left, middle, right = values[at - 1 : at + 2]
    curved = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / curved if curved < 0 else 0.0
    return float(grid[at] + shift * (grid[1] - grid[0])), float(middle - 0.25 * (left - right) * shift)
