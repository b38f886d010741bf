"""Modulated DSC: whether a temperature oscillates about its ramp, and averages over whole periods."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.noise import rounding_of, white_noise_of

__all__ = ["modulation_period", "over_whole_periods"]

_PARTS = (1, 2, 4, 8, 16)  # of the measurement, each looked at by itself: a ramp is only a part of a program
_FEWEST_PERIODS = 5  # in a part
_POINTS_A_PERIOD = 6  # at least
_SHORTEST_SECONDS = 10.0  # period; no furnace follows faster
_BAND = 3  # least width of the band of frequencies, highest over lowest: in a narrow one noise looks pure
_LEAST_NOISES = 3.0  # amplitude of the temperature in standard deviations of its noise
_LEAST_ROUNDINGS = 2.0  # amplitude of the temperature in steps to which it was rounded
_PURITY = 0.6  # share of the power of the rate, without its drift, that lies at one frequency and its harmonics
_LEAST_SWING = 0.1  # amplitude of the rate, relative to its mean; less does not disturb a scan
_LARGEST_KELVIN = 5.0  # amplitude of a modulation, and its share of all temperatures; more are cycles of a program
_LARGEST_SHARE = 0.1
_LASTING = 0.1  # power of the third of a part that swings least, relative to that which swings most
_SAME_PERIOD = 0.1  # relative difference of the periods in two parts
_COVERED = 0.25  # share of the time that has to be modulated


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
    least = max(_LEAST_ROUNDINGS * rounding_of(temperature), _LEAST_NOISES * white_noise_of(temperature))
    largest = min(_LARGEST_KELVIN, _LARGEST_SHARE * float(np.ptp(even)))  # K
    for parts in _PARTS:
        length = rate.size // parts
        if length < _FEWEST_PERIODS * _POINTS_A_PERIOD:
            return None
        starts = range(0, rate.size - length + 1, max(1, length // 2))
        pieces = np.stack([rate[at : at + length] for at in starts])
        drift = np.linalg.qr(np.vander(np.linspace(-1, 1, length), 3))[0]
        swings = pieces - (pieces @ drift) @ drift.T
        weakest = _LEAST_SWING * np.abs(pieces.mean(axis=1))
        strong = np.sqrt(2 * np.mean(swings**2, axis=1)) >= weakest
        found = [_period(swing, step) if moved else None for swing, moved in zip(swings, strong.tolist(), strict=True)]
        periods = np.array(
            [
                each[0]
                for each, weak in zip(found, weakest.tolist(), strict=True)
                if each and each[1] >= weak and least < each[0] * each[1] * step / (2 * np.pi) < largest
            ]
        )
        if periods.size and periods.size >= _COVERED * len(found):
            middle = float(np.median(periods))
            if (np.abs(periods / middle - 1) < _SAME_PERIOD).sum() >= max(1, 0.8 * periods.size):
                return middle * step
    return None


def _period(swing: NDArray[np.float64], step: float) -> tuple[float, float] | None:
    """Return period, in points, and amplitude of a heating rate without its drift; None if it does not oscillate.

    `step` is the time between points in s.
    """
    window = np.hanning(swing.size)
    padded = 8 * swing.size
    power = np.abs(np.fft.rfft(swing * window, padded)) ** 2
    low, high = 8 * _FEWEST_PERIODS, padded // max(_POINTS_A_PERIOD, ceil(_SHORTEST_SECONDS / step))
    total = float(power[: 2 * high].sum())  # what is faster is noise of the thermometer
    if total <= 0 or high < _BAND * low:
        return None
    at = low + int(np.argmax(power[low:high]))
    peaks = {i for n in (1, 2, 3) for i in range(max(0, n * at - 20), min(n * at + 21, 2 * high))}
    share = float(power[sorted(peaks)].sum()) / total
    lasting = [float(np.mean(part**2)) for part in np.array_split(swing, 3)]
    if share < _PURITY or at == low or min(lasting) < _LASTING * max(lasting):
        return None
    left, here, right = np.log(power[at - 1 : at + 2] + 1e-300)
    bend = left - 2 * here + right
    amplitude = float(np.sqrt(2 * np.mean(swing**2) * power[max(0, at - 20) : at + 21].sum() / power.sum()))
    return float(padded / (at + (0.5 * (left - right) / bend if bend < 0 else 0.0))), amplitude


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
