"""Modulated DSC: whether a temperature oscillates about its ramp, and averages over whole periods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["modulation_period", "over_whole_periods"]

_PARTS = (1, 2, 4, 8, 16)  # of the measurement, each looked at by itself: a ramp is only a part of a program
_FEWEST_PERIODS = 5  # in a part
_POINTS_A_PERIOD = 6  # at least
_PURITY = 0.6  # share of the power of the rate, without its drift, that lies at one frequency and its harmonics
_LEAST_SWING = 0.1  # amplitude of the rate, relative to its mean; less does not disturb a scan
_LARGEST_KELVIN = 5.0  # amplitude of a modulation, and its share of all temperatures; more are cycles of a program
_LARGEST_SHARE = 0.1
_SAME_PERIOD = 0.1  # relative difference of the periods in two parts
_COVERED = 0.15  # share of the time that has to be modulated


def modulation_period(temperature: NDArray[np.float64], time: NDArray[np.float64]) -> float | None:
    """Return the period of a modulated temperature in s, None if it is not modulated.

    Parameters
    ----------
    temperature : ndarray, shape (points,)
        K.
    time : ndarray, shape (points,)
        s, not descending.
    """
    span = float(time[-1] - time[0])
    count = temperature.size
    if span <= 0 or count < _FEWEST_PERIODS * _POINTS_A_PERIOD:
        return None
    steps = np.linspace(time[0], time[-1], count)
    clock, first = np.unique(time, return_index=True)
    even = np.interp(steps, clock, temperature[first])
    step = span / (count - 1)
    rate = np.diff(even) / step
    largest = min(_LARGEST_KELVIN, _LARGEST_SHARE * float(np.ptp(even)))  # K
    for parts in _PARTS:
        length = rate.size // parts
        if length < _FEWEST_PERIODS * _POINTS_A_PERIOD:
            return None
        starts = range(0, rate.size - length + 1, max(1, length // 2))
        pieces = np.stack([rate[at : at + length] for at in starts])
        drift = np.linalg.qr(np.vander(np.linspace(-1, 1, length), 3))[0]
        swings = pieces - (pieces @ drift) @ drift.T
        amplitudes = np.sqrt(2 * np.mean(swings**2, axis=1))
        strong = amplitudes >= _LEAST_SWING * np.abs(pieces.mean(axis=1))
        found = [_period(swing) if moved else None for swing, moved in zip(swings, strong.tolist(), strict=True)]
        periods = np.array(
            [
                period
                for period, amplitude in zip(found, amplitudes.tolist(), strict=True)
                if period and period * amplitude * step / (2 * np.pi) < largest
            ]
        )
        if periods.size and periods.size >= _COVERED * len(found):
            middle = float(np.median(periods))
            if (np.abs(periods / middle - 1) < _SAME_PERIOD).sum() >= max(1, 0.8 * periods.size):
                return middle * step
    return None


def _period(swing: NDArray[np.float64]) -> float | None:
    """Return the period of a heating rate without its drift in points, None if it does not oscillate."""
    window = np.hanning(swing.size)
    padded = 8 * swing.size
    power = np.abs(np.fft.rfft(swing * window, padded)) ** 2
    total = float(power.sum())
    low, high = 8 * _FEWEST_PERIODS, padded // _POINTS_A_PERIOD
    if total <= 0 or high <= low:
        return None
    at = low + int(np.argmax(power[low:high]))
    share = sum(float(power[max(0, n * at - 20) : n * at + 21].sum()) for n in (1, 2, 3)) / total
    if share < _PURITY or at == low:
        return None
    left, here, right = np.log(power[at - 1 : at + 2] + 1e-300)
    bend = left - 2 * here + right
    return padded / (at + (0.5 * (left - right) / bend if bend < 0 else 0.0))


def over_whole_periods(curve: NDArray[np.float64], time: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Return the mean of a curve over a period about each time; NaN within half a period of the ends.

    Parameters
    ----------
    curve, time : ndarray, shape (points,)
        The curve, and s, not descending.
    period : float
        s.
    """
    area = np.concatenate([[0.0], np.cumsum(0.5 * (curve[1:] + curve[:-1]) * np.diff(time))])
    clock, last = np.unique(time[::-1], return_index=True)
    area = area[::-1][last]
    low, high = time - period / 2, time + period / 2
    mean = (np.interp(high, clock, area) - np.interp(low, clock, area)) / period
    mean[(low < time[0]) | (high > time[-1])] = np.nan
    return mean
