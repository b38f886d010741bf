"""Heating, cooling and holding, found from what the temperature does."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.measured import Segment
from lehr.glass.scans.noise import rounding_of, white_noise_of

__all__ = ["find_segments"]

_SLOW_SHARE = 0.25  # of the rate of a ramp, below which the temperature is held or goes from one ramp to the next
_TURN_SHARE = 0.02  # a turn goes back by so much of the range of temperatures; less is a wiggle
_LEAST_TURN_KELVIN = 0.5  # less is a hold that drifts
_TURN_KELVIN = 3.0  # a turn that goes back so far is one, however wide the range of temperatures


def find_segments(temperature: NDArray[np.float64], time: NDArray[np.float64] | None = None) -> list[Segment]:
    """Divide a measurement where the temperature turns round, and where it stands still.

    Parameters
    ----------
    temperature : ndarray, shape (points,)
        K.
    time : ndarray, shape (points,), optional
        s, not descending. Without it the points count as equidistant in time and no segment has a rate; a temperature
        that ascends throughout is one heating segment then.

    Returns
    -------
    list of Segment
        In their order.
    """
    if time is None and (np.diff(temperature) > 0).all():
        return [Segment(0, temperature.size, "heating", float(temperature[0]), float(temperature[-1]), None)]
    clock = np.arange(temperature.size, dtype=float) if time is None else time
    span = float(np.ptp(temperature))
    noise = white_noise_of(temperature)
    turn = max(min(_TURN_SHARE * span, _TURN_KELVIN), 8 * noise, _LEAST_TURN_KELVIN)
    segments: list[Segment] = []
    for start, stop in _legs(temperature, turn):
        for first, last in _ramps(temperature[start:stop], clock[start:stop], noise, turn):
            segments.append(_segment(start + first, start + last, temperature, time))
    return _with_holds(segments, temperature, time)


def _legs(temperature: NDArray[np.float64], turn: float) -> list[tuple[int, int]]:
    """Return ranges between turning points; the temperature turns when it has come back by `turn`."""
    turns, low, high, direction = [0], 0, 0, 0
    values = temperature.tolist()
    for i, value in enumerate(values):
        if direction >= 0 and value > values[high]:
            high = i
        if direction <= 0 and value < values[low]:
            low = i
        if direction >= 0 and value < values[high] - turn:
            turns.append(high)
            direction, low = -1, i
        elif direction <= 0 and value > values[low] + turn:
            turns.append(low)
            direction, high = 1, i
    turns.append(len(values) - 1)
    return [(a, b + 1) for a, b in pairwise(turns) if b > a]


def _ramps(
    temperature: NDArray[np.float64], clock: NDArray[np.float64], noise: float, turn: float, coarser: int | None = None
) -> list[tuple[int, int]]:
    """Return ranges of a leg in which the temperature does change; `coarser` is the step of points of a first try."""
    count = temperature.size
    change = abs(temperature[-1] - temperature[0])
    if change < turn:
        return []
    # so many points that noise, or rounding, changes a slope by a tenth at most
    noise = max(noise, rounding_of(temperature) / 2)
    step = min(max(1, ceil(14 * noise * count / change)), max(1, count // 20))
    if coarser is not None and step > coarser / 2:
        return [(0, count)]
    rise = np.abs(temperature[step:] - temperature[:-step])
    slope = rise / np.maximum(clock[step:] - clock[:-step], 1e-300)
    order = np.argsort(slope)
    middle = np.searchsorted(np.cumsum(rise[order]), rise.sum() / 2)  # half of the way is slower than this
    fast = np.flatnonzero(slope > _SLOW_SHARE * slope[order[min(middle, order.size - 1)]])
    gaps = np.flatnonzero(np.diff(fast) > 2 * step + 1)
    starts = fast[np.concatenate([[0], gaps + 1])]
    stops = fast[np.concatenate([gaps, [fast.size - 1]])] + step + 1
    least = max(turn, 0.05 * change)
    found = [
        (int(a), int(b))
        for a, b in zip(starts, stops, strict=True)
        if abs(temperature[b - 1] - temperature[a]) >= least
    ]
    if step == 1:
        return found
    # beside a long hold the step is too coarse for a fast ramp: look again at the ramp alone
    return [
        (a + first, a + last)
        for a, b in found
        for first, last in _ramps(temperature[a:b], clock[a:b], noise, turn, coarser=step)
    ]


def _segment(
    start: int, stop: int, temperature: NDArray[np.float64], time: NDArray[np.float64] | None, hold: bool = False
) -> Segment:
    first, last = float(temperature[start]), float(temperature[stop - 1])
    kind = "hold" if hold else "heating" if last > first else "cooling"
    rate = None
    if time is not None:
        t = time[start:stop] - time[start:stop].mean()
        square = float(t @ t)
        rate = 60.0 * float(t @ temperature[start:stop]) / square if square > 0 else None
    return Segment(start, stop, kind, first, last, rate)


def _with_holds(
    ramps: list[Segment], temperature: NDArray[np.float64], time: NDArray[np.float64] | None
) -> list[Segment]:
    """Put what lies between ramps in between, if it is more than the change from the one to the other."""
    edges = [0, *(edge for ramp in ramps for edge in (ramp.start, ramp.stop)), temperature.size]
    least = max(5, temperature.size // 200)
    holds = [
        _segment(a, b, temperature, time, hold=True)
        for a, b in zip(edges[::2], edges[1::2], strict=True)
        if b - a >= least
    ]
    return sorted([*ramps, *holds], key=lambda segment: segment.start)
