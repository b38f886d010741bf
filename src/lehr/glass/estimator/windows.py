r"""The common window of heating scans: where the glass relaxes, found and resampled such that both symmetries hold.

The model has two exact symmetries: rates scale with 1/A, and temperatures scale with dh and A. So what a network can
learn is what stays when temperatures are counted in widths of the transition, and rates in heating rates. The window is
found by integrals over the scans, not by single points: it moves smoothly with the data, and little with noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.estimator.constants import ABOVE_WIDTHS, BELOW_WIDTHS, BINS
from lehr.glass.scans.noise import white_noise_of

__all__ = [
    "BIN_WIDTHS",
    "COARSE_BINS",
    "Window",
    "bin_averages",
    "coarse_window",
    "fine_edges",
    "interpolate",
    "refine",
    "settle",
    "window_of",
]

Array = NDArray[np.float64]
Curve = tuple[Array, Array]
"""Temperature in K, ascending, and CpN, both of shape (points,)."""

COARSE_BINS = 232
"""Averages of the coarse window, in which the fine one is found."""

BIN_WIDTHS = (BELOW_WIDTHS + ABOVE_WIDTHS) / BINS
"""Width of a bin, in widths of the transition."""

_UNSETTLED_CPN = 0.05  # a mean CpN so far from glass and liquid belongs to the transition
_TRIED_DISTANCES = 2.0 ** (-np.arange(57) / 4)  # from the centre, in ranges of the scan
_COARSE_REACH = 2.0  # the coarse window reaches so many times as far from the centre as the transition
_SMOOTHED_BINS = 5  # over which CpN is averaged before it is weighed
_MOVES = 3  # of a window towards the transition; each brings most about ten times closer to their final place
_LEAST_LENGTH = 0.1  # of a distance from the centre, over which a mean of CpN says something
_HALF_WEIGHT = 0.1  # CpN (1 - CpN) at which a temperature has half the weight in the centre and the width


@dataclass(frozen=True, eq=False)
class Window:
    """Scans of one glass in their common window.

    Attributes
    ----------
    centre, width : float
        Of the transition, K: the mean and sqrt(12) standard deviations of the temperatures at which a scan is neither
        glass nor liquid.
    scans : ndarray, shape (cycles, BINS)
        Averages of CpN in bins of equal width.
    noise : float
        Standard deviation of the white noise in them.
    """

    centre: float
    width: float
    scans: Array
    noise: float


def window_of(curves: Sequence[Curve]) -> Window:
    """Find the common window of scans, and resample them in it.

    Raises
    ------
    LehrError
        If a scan does not go from glass (CpN = 0) to liquid (CpN = 1).
    """
    low, high = coarse_window(curves)
    edges = np.linspace(low, high, COARSE_BINS + 1)
    integrals = [_integral(*_extended(curve, low, high)) for curve in curves]
    step = (high - low) / COARSE_BINS
    centre, width = refine(np.stack([_averages(integral, edges) for integral in integrals])[None])

    def averages(edges: Array) -> Array:
        return np.stack([_averages(integral, edges[0]) for integral in integrals])[None]

    centre, width, fine = settle(averages, low + step * (centre + 0.5), step * width)
    middle, width_kelvin, scans = float(centre[0]), float(width[0]), np.asarray(fine[0], np.float64)
    edges = middle + width_kelvin * fine_edges()
    noise = np.sqrt(np.mean([_noise(curve, edges[0], edges[-1]) ** 2 for curve in curves]))
    return Window(middle, width_kelvin, scans, float(noise))


def fine_edges() -> Array:
    """Edges of the bins, in widths from the centre, shape (BINS + 1,)."""
    return np.linspace(-BELOW_WIDTHS, ABOVE_WIDTHS, BINS + 1)


def coarse_window(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return two temperatures in K, the transitions of all scans well between them.

    Wide on purpose, as the estimator was trained with it; `find_ranges` of scans looks for the straight lines instead.
    """
    lows, highs = zip(*(_coarse_ends(*curve, number) for number, curve in enumerate(curves, 1)), strict=True)
    return min(lows), max(highs)


def _coarse_ends(temperature: Array, cpn: Array, number: int) -> tuple[float, float]:
    """Return two temperatures in K, generously far from the transition of one scan on both sides.

    The step from 0 to 1 that fits a scan best is where the integral of CpN - 1/2 is smallest. From there outwards, the
    transition ends where means over as long an interval as the distance stay those of glass and of liquid.
    """
    steps = np.diff(temperature)
    area = np.concatenate([[0.0], np.cumsum(steps * (cpn[1:] + cpn[:-1]) / 2)])
    at = int(np.argmin(area - (temperature - temperature[0]) / 2))
    if at in (0, temperature.size - 1):
        raise LehrError(
            f"scan {number}: CpN does not go from 0 to 1",
            "A scan must show the whole transition from glass to liquid, and be normalised.",
        )
    centre, first, last = temperature[at], temperature[0], temperature[-1]
    reach = _TRIED_DISTANCES * (last - first)

    def unsettled(sign: float, value: float) -> float:
        far = [np.clip(centre + sign * factor * reach, first, last) for factor in (1.0, 1.5, 2.0)]
        settled = np.ones(reach.size, dtype=bool)
        for a, b in ((far[0], far[1]), (far[1], far[2])):
            length = np.abs(b - a)
            known = length > _LEAST_LENGTH * reach  # a few points at the end of a scan are noise
            mean = np.abs(np.interp(b, temperature, area) - np.interp(a, temperature, area)) / np.where(
                known, length, 1
            )
            settled &= ~known | (np.abs(mean - value) < _UNSETTLED_CPN)
        bad = np.flatnonzero(~settled)
        return float(reach[bad[0]] if bad.size else reach[-1])

    return (
        float(centre - _COARSE_REACH * unsettled(-1.0, 0.0)),
        float(centre + _COARSE_REACH * unsettled(1.0, 1.0)),
    )


def refine(coarse: NDArray[np.floating[Any]], inside: NDArray[np.bool_] | None = None) -> tuple[Array, Array]:
    """Return centre and width of transitions, in points from the first.

    Parameters
    ----------
    coarse : ndarray, shape (n, cycles, points)
        CpN at, or averaged about, equidistant temperatures.
    inside : ndarray of bool, shape (n, points), optional
        Which of them belong to the coarse window.
    """
    smooth = coarse.copy()
    half = _SMOOTHED_BINS // 2
    smooth[..., half:-half] = (
        sum(coarse[..., k : coarse.shape[-1] - 2 * half + k] for k in range(_SMOOTHED_BINS)) / _SMOOTHED_BINS
    )
    beyond = np.square(smooth * (1 - smooth)) ** 2  # so that an offset of 0.02 counts for next to nothing
    weight = (beyond / (beyond + _HALF_WEIGHT**4)).mean(axis=1, dtype=np.float64)
    if inside is not None:
        weight *= inside
    weight /= weight.sum(axis=-1, keepdims=True)
    at = np.arange(coarse.shape[-1])
    centre = weight @ at
    return centre, np.sqrt(12 * (weight * (at - centre[:, None]) ** 2).sum(axis=-1))


def settle(
    averages: Callable[[Array], NDArray[np.floating[Any]]], centre: Array, width: Array
) -> tuple[Array, Array, NDArray[np.floating[Any]]]:
    """Move windows until they are those that their own bins show: where they began is then forgotten.

    Parameters
    ----------
    averages : callable
        From edges, shape (n, BINS + 1), to averages of CpN between them, shape (n, cycles, BINS).
    centre, width : ndarray, shape (n,)
        Where to begin.

    Returns
    -------
    centre, width : ndarray, shape (n,)
    bins : ndarray, shape (n, cycles, BINS)
    """
    for _ in range(_MOVES):
        edges = centre[:, None] + width[:, None] * fine_edges()
        at, spread = refine(averages(edges))
        step = width * BIN_WIDTHS
        centre, width = edges[:, 0] + step * (at + 0.5), step * spread
    return centre, width, averages(centre[:, None] + width[:, None] * fine_edges())


def _extended(curve: Curve, low: float, high: float) -> Curve:
    """Let glass and liquid go on beyond both ends of a coarse window.

    As CpN = 0 and 1, not as the scan ends: one that ends in a tail, at 1.05 say, would be a transition without end.
    """
    temperature, cpn = curve
    far = 2 * (high - low)
    # two points near each end: the slope there is none of the long way beyond
    steps = np.array([2.0, 1.0])
    before = temperature[0] - steps * (temperature[1] - temperature[0])
    after = temperature[-1] + steps[::-1] * (temperature[-1] - temperature[-2])
    return (
        np.concatenate([[min(low, before[0]) - far], before, temperature, after, [max(high, after[-1]) + far]]),
        np.concatenate([[0.0] * 3, cpn, [1.0] * 3]),
    )


Integral = tuple[Array, Array, Array]
"""Temperature, CpN and the integral of CpN over T, shape (points,)."""


def _integral(temperature: Array, cpn: Array) -> Integral:
    """Integrate a curve by cubics."""
    steps, slope = np.diff(temperature), np.gradient(cpn, temperature)
    parts = steps * (cpn[1:] + cpn[:-1]) / 2 + steps**2 * (slope[:-1] - slope[1:]) / 12
    return temperature, cpn, np.concatenate([[0.0], np.cumsum(parts)])


def _averages(integral: Integral, edges: Array) -> Array:
    """Return averages of CpN between edges, shape (bins,)."""
    temperature, cpn, area = integral
    at = np.clip(np.searchsorted(temperature, edges) - 1, 0, temperature.size - 2)
    step = temperature[at + 1] - temperature[at]
    values = _hermite((edges - temperature[at]) / step, area[at], area[at + 1], step * cpn[at], step * cpn[at + 1])
    return np.asarray(np.diff(values) / np.diff(edges))


def _hermite(
    u: NDArray[Any], a: NDArray[Any], b: NDArray[Any], slope_a: NDArray[Any], slope_b: NDArray[Any]
) -> NDArray[Any]:
    """Cubic between a at u = 0 and b at u = 1, slopes in units of u."""
    rise = b - a
    return np.asarray(a + u * (slope_a + u * ((3 * rise - 2 * slope_a - slope_b) + u * (slope_a + slope_b - 2 * rise))))


def bin_averages(points: NDArray[np.float32]) -> Callable[[Array], NDArray[np.float32]]:
    """Return the averages of curves on equidistant points, as a function of edges; as `window_of` has them of one.

    Parameters
    ----------
    points : ndarray, shape (n, cycles, points)
        Curves.

    Returns
    -------
    callable
        Of edges, shape (n, edges), in points from the first: 0 is the first point, 1 the second. Beyond the first and
        the last a curve stays as it is there.
    """
    n, cycles, size = points.shape
    parts = (points[..., 1:] + points[..., :-1]) / 2
    slope = (points[..., 2:] - points[..., :-2]) / 24
    parts[..., 1:] += slope
    parts[..., :-1] -= slope
    parts[..., 0] += (points[..., 1] - points[..., 0]) / 12
    parts[..., -1] -= (points[..., -1] - points[..., -2]) / 12
    area = np.zeros_like(points)
    np.cumsum(parts, axis=-1, out=area[..., 1:])
    flat, integral = points.ravel(), area.ravel()
    first = size * np.arange(n * cycles).reshape(n, cycles, 1)

    def averages(edges: Array) -> NDArray[np.float32]:
        inside = np.clip(edges, 0, size - 1)
        at = np.minimum(inside.astype(np.int64), size - 2)
        u, beyond = ((inside - at).astype(np.float32)[:, None], (edges - inside).astype(np.float32)[:, None])
        where = at[:, None] + first
        a, b = flat.take(where), flat.take(where + 1)
        values = _hermite(u, integral.take(where), integral.take(where + 1), a, b)
        values += beyond * np.where(beyond < 0, a, b)
        return np.asarray(np.diff(values) / np.diff(edges)[:, None].astype(np.float32), np.float32)

    return averages


def _noise(curve: Curve, low: float, high: float) -> float:
    """Return the standard deviation of the noise in the bins of a scan, from fourth differences of its points."""
    inside = curve[1][(curve[0] >= low) & (curve[0] <= high)]
    return float(white_noise_of(inside, differences=4) / np.sqrt(max(inside.size / BINS, 1.0)))


def interpolate(temperature: Array, cpn: Array, at: Array) -> Array:
    """Interpolate a curve on equidistant temperatures by cubics; beyond its ends it stays as it is there."""
    position = np.clip((at - temperature[0]) / (temperature[1] - temperature[0]), 0.0, temperature.size - 1.0)
    k = np.clip(position.astype(np.int64), 0, temperature.size - 2)
    slope = np.gradient(cpn)
    return _hermite(position - k, cpn[k], cpn[k + 1], slope[k], slope[k + 1])
