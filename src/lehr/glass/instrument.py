"""What an instrument does to heating scans: noise, thermal lag, a sloping baseline, a wrong thermometer.

Arrays in, arrays out. Signals have the shape (n, cycles, points) and keep their type; a level of zero gives them back
bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.tnm.program import SECONDS_PER_MINUTE
from lehr.glass.tnm.transition import equal_area_temperature

__all__ = ["baseline_slope", "first_order_lag", "temperature_offset", "thermal_lag", "white_noise"]

_BLOCK = 64  # points that are filtered at once

CpnArray = NDArray[Any]  # float32 or float64, and the same comes out


def white_noise(cpn: CpnArray, sigma: float, *, seed: int, rows: Sequence[int] | NDArray[np.int64]) -> CpnArray:
    """Add normal noise that is independent from point to point.

    Parameters
    ----------
    cpn : ndarray, shape (n, cycles, points)
        Signals.
    sigma : float
        Standard deviation in units of CpN.
    seed : int
        Seed of all noise.
    rows : sequence of int, shape (n,)
        Number of each sample. The noise of a sample depends on it and the seed alone, not on the samples beside it, and
        another level is the same noise, larger.

    Returns
    -------
    ndarray, shape (n, cycles, points)
    """
    _check(sigma, "the noise", "units of CpN")
    noisy = np.empty_like(cpn)
    for signals, row, out in zip(cpn, rows, noisy, strict=True):
        draws = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(row),)))
        out[...] = signals + sigma * draws.standard_normal(signals.shape)
    return noisy


def thermal_lag(cpn: CpnArray, tau: float, *, temperature: ArrayLike, heating_rate: ArrayLike) -> CpnArray:
    """Delay signals as a calorimeter with a time constant does.

    The measured signal y follows the true s by tau dy/dt + y = s, the equation of Tian (Höhne, Hemminger and
    Flammersheim, Differential Scanning Calorimetry, on the theory of heat-flux calorimeters). On a ramp of rate q this
    is L dy/dT + y = s with the lag L = q tau in K, see `first_order_lag`.

    The integral of s - y over T is L (y[last] - y[first]): a peak keeps its area, and a step moves by L.

    Parameters
    ----------
    cpn : ndarray, shape (n, cycles, points)
        Signals; each scan starts in the steady state of its first point.
    tau : float
        Time constant in s.
    temperature : array_like, shape (points,)
        Equidistant temperatures in K.
    heating_rate : array_like, shape (cycles,)
        Rate of each scan in K/min, negative where it cools.

    Returns
    -------
    ndarray, shape (n, cycles, points)
    """
    _check(tau, "the time constant", "s")
    lags = np.asarray(heating_rate, dtype=float) / SECONDS_PER_MINUTE * tau
    kelvin = np.asarray(temperature, dtype=float)
    step = (kelvin[-1] - kelvin[0]) / (kelvin.size - 1)
    delayed = np.empty_like(cpn)
    for cycle, lag in enumerate(lags.tolist()):
        onward = slice(None, None, 1 if lag >= 0 else -1)  # a scan on cooling begins at its highest temperature
        delayed[:, cycle, onward] = first_order_lag(cpn[:, cycle, onward], abs(lag), step)
    return delayed


def first_order_lag(signal: NDArray[Any], lag: float, spacing: float = 1.0) -> NDArray[np.float64]:
    """Return what follows a signal by L dy/dT + y = s.

    For a signal s that is linear between its points, h apart, the solution is

        y[k+1] = e y[k] + (p - e) s[k] + (1 - p) s[k+1],    a = h/L, e = exp(-a), p = (1 - e)/a.

    Parameters
    ----------
    signal : ndarray, shape (..., points)
        Signals at equidistant points; each starts in the steady state of its first point.
    lag, spacing : float
        L and h in one unit; an L of 0 gives the signal back bit by bit.

    Returns
    -------
    ndarray, shape (..., points)
    """
    values = signal.astype(float)
    if lag == 0:
        return np.asarray(values)
    a = spacing / lag
    p = -np.expm1(-a) / a
    driven = (1 - p) * values
    driven[..., 1:] += (p - np.exp(-a)) * values[..., :-1]
    driven[..., 0] = values[..., 0]
    return _decaying_sum(driven, float(np.exp(-a)))


def _decaying_sum(terms: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return y[k] = factor y[k-1] + terms[k] along the last axis.

    In blocks, each a product with a triangular matrix: as fast as a filter of SciPy, whose import takes longer than a
    fit.
    """
    points = terms.shape[-1]
    blocks = -(-points // _BLOCK)
    padded = np.zeros((*terms.shape[:-1], blocks * _BLOCK))
    padded[..., :points] = terms
    powers = factor ** np.arange(_BLOCK + 1.0)
    later = np.arange(_BLOCK) - np.arange(_BLOCK)[:, None]
    sums = padded.reshape(-1, _BLOCK) @ np.where(later >= 0, powers[np.abs(later)], 0.0)
    sums = sums.reshape(*terms.shape[:-1], blocks, _BLOCK)
    for block in range(1, blocks):
        sums[..., block, :] += sums[..., block - 1, -1:] * powers[1:]
    return np.asarray(sums.reshape(padded.shape)[..., :points])


def baseline_slope(cpn: CpnArray, slope: float, *, temperature: ArrayLike) -> CpnArray:
    """Add a straight line that is zero in the middle of the transition of each sample.

    The middle is the mean over the scans of `equal_area_temperature`. So all scans of a sample get the same line, and a
    level means the same for every glass. A line about the centre of the window would shift the transition of one glass
    up, that of another down, by amounts that depend on Tg.

    Parameters
    ----------
    cpn : ndarray, shape (n, cycles, points)
        Signals that go from glass (0) to liquid (1).
    slope : float
        CpN that the line rises over 100 K; of either sign.
    temperature : array_like, shape (points,)
        Temperatures in K.

    Returns
    -------
    ndarray, shape (n, cycles, points)
    """
    kelvin = np.asarray(temperature, dtype=float)
    middle = equal_area_temperature(cpn, kelvin).mean(axis=1)
    line = slope / 100.0 * (kelvin - middle[:, None])
    return np.asarray(cpn + line[:, None], dtype=cpn.dtype)


def temperature_offset(cpn: CpnArray, offset: float, *, temperature: ArrayLike) -> CpnArray:
    """Shift signals along the temperature axis: what is recorded if the thermometer reads too high by `offset` K.

    Between the points they are interpolated with cubic splines, which on the paper's grid is exact to the noise of the
    engine; peaks that a coarse grid hardly resolves are not as exact. Beyond the window the end values go on.

    Parameters
    ----------
    cpn : ndarray, shape (n, cycles, points)
        Signals.
    offset : float
        Error of the thermometer in K; of either sign.
    temperature : array_like, shape (points,)
        Temperatures in K.

    Returns
    -------
    ndarray, shape (n, cycles, points)
    """
    from scipy.interpolate import CubicSpline

    if offset == 0:
        return cpn.copy()
    kelvin = np.asarray(temperature, dtype=float)
    there = np.clip(kelvin - offset, kelvin[0], kelvin[-1])
    shifted = np.empty_like(cpn)
    for signals, out in zip(cpn, shifted, strict=True):  # one after the other: splines take four times the memory
        out[...] = CubicSpline(kelvin, signals, axis=-1)(there)
    return shifted


def _check(level: float, what: str, unit: str) -> None:
    if not 0 <= level < np.inf:
        raise LehrError(f"{what} of {level} {unit} is out of range", "It must not be negative.")
