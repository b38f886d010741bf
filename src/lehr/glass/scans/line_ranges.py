"""Where the lines of glass and liquid lie: two straight stretches of a measured curve, a step apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from lehr.glass.scans.noise import white_noise_of

__all__ = ["LOWEST_CPN", "SIGNIFICANT", "Range", "find_ranges"]

Range = tuple[float, float]

LOWEST_CPN = -1.0
"""No glass goes so low: the exotherm of one that was cooled fast reaches some -0.3."""

SIGNIFICANT = 6.0
"""Standard deviations of noise that count."""

_MOST_BINS = 300  # that a view of the curve is divided into
_STOPS_AT_ONCE = 32  # bins at which a piece may end, whose prices are computed together
_FEWEST_BINS = 9  # of a line
_LEAST_CONTRAST = 2.5  # distance of two lines over what their slopes make of it; the flanks of a peak have about 1
_LEAST_CONTRAST_OF_FALL = 1.7  # the same where the step falls with temperature, as it does in glasses
_LEAST_CONTRAST_OF_CP = 1.4  # the same where that of the glass rises as a heat capacity does too: no peak
_SHORTEST_WIDTHS = 0.25  # length of a line, in widths of the transition
_STEEPEST_STEPS = 1.5  # steps from glass to liquid that a line rises along the transition: more is the flank of a peak
_STRAIGHT_STEPS = 0.003  # distance of a line from the curve beyond noise, in steps from glass to liquid
_VIEW_WIDTHS = 4.0  # that are looked at on each side of the transition, in its widths
_REACH_WIDTHS = 8.0  # in which a line is looked for on each side, in widths of the transition
_PASSED_STEPS = 0.3  # distance from a line of what lies between it and the transition, in steps: more is a peak
_LEFT_OUT_SHARE = 0.05  # of a line, at its far end
_BLOCKS = 6  # parts of a line whose means must lie on it


@dataclass(frozen=True)
class _Piece:
    """A straight piece of the curve from low to high in K, of so many bins: its value at `at`, and its slope."""

    low: float
    high: float
    bins: int
    at: float
    value: float
    slope: float

    def __call__(self, temperature: float) -> float:
        return self.value + self.slope * (temperature - self.at)


def find_ranges(
    temperature: NDArray[np.float64],
    curve: NDArray[np.float64],
    *,
    glass: Range | None = None,
    liquid: Range | None = None,
    sign: int | None = None,
    smooth_noise: float = 0.0,
) -> tuple[Range, Range] | None:
    """Find the ranges of the lines of the glass and of the liquid.

    The curve is divided into straight pieces. Among pairs of long pieces that are nearly parallel, those with the
    largest step between them are the two sides of the glass transition. On each side the line is then put where the
    curve is straight and an error of the line says least in the middle of the transition.

    Parameters
    ----------
    temperature, curve : ndarray, shape (points,)
        K, ascending, and the signal, of the order of 1.
    glass, liquid : tuple of float, optional
        Ranges in K that are known.
    sign : {1, -1}, optional
        Of the step from glass to liquid, if it is known.
    smooth_noise : float
        Standard deviation that a line may have at least; white noise is found.

    Returns
    -------
    tuple of two ranges, or None
        K; None if no step stands out.
    """
    sides = _sides(temperature, curve, glass, liquid, sign, smooth_noise)
    if sides is None:
        return None
    return (
        glass or _line_range(temperature, curve, *sides, smooth_noise, upwards=False),
        liquid or _line_range(temperature, curve, *sides, smooth_noise, upwards=True),
    )


def _sides(
    temperature: NDArray[np.float64],
    curve: NDArray[np.float64],
    glass: Range | None,
    liquid: Range | None,
    sign: int | None,
    smooth_noise: float,
) -> tuple[_Piece, _Piece] | None:
    """Return the straight pieces at both sides of the transition, zooming in until it fills enough of the view."""
    low, high = float(temperature[0]), float(temperature[-1])
    if glass:
        low = max(low, glass[0])
    if liquid:
        high = min(high, liquid[1])
    best: tuple[_Piece, _Piece] | None = None
    for _ in range(6):
        at, values, sigma = _binned(temperature, curve, low, high, smooth_noise)
        if at.size < 2 * _FEWEST_BINS:
            break
        pair = _best_pair(_pieces(at, values, sigma), at, values, sigma, sign)
        if pair is None:
            break
        best = pair
        below, above = pair
        gap = max(above.low - below.high, 2 * (at[1] - at[0]))
        view = max(low, below.high - _VIEW_WIDTHS * gap), min(high, above.low + _VIEW_WIDTHS * gap)
        if view[1] - view[0] > 0.7 * (high - low):
            break
        low, high = view
    return best


def _binned(
    temperature: NDArray[np.float64], curve: NDArray[np.float64], low: float, high: float, smooth_noise: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return means of temperature and medians of the curve over equal ranges, and their noise."""
    inside = (temperature >= low) & (temperature <= high)
    t, y = temperature[inside], curve[inside]
    if t.size < 3:
        return t, y, smooth_noise
    bins = min(_MOST_BINS, t.size)
    index = np.minimum((bins * (t - t[0]) / (t[-1] - t[0])).astype(int), bins - 1)
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    counts = np.diff(starts, append=t.size)
    at = np.add.reduceat(t, starts) / counts
    ordered = y[np.lexsort((y, index))]  # within each bin
    values = 0.5 * (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2])
    return at, values, max(white_noise_of(values), smooth_noise)


def _pieces(at: NDArray[np.float64], values: NDArray[np.float64], sigma: float) -> list[_Piece]:
    """Divide a curve into straight pieces: least squares, with a price for each piece (optimal partitioning)."""
    n = at.size
    floor = max(sigma, 0.002 * float(np.ptp(np.quantile(values, [0.05, 0.95]))), 1e-9)
    t = (at - at[0]) / (at[-1] - at[0])
    sums = [np.concatenate([[0.0], np.cumsum(term)]) for term in (np.ones(n), t, values, t * t, t * values, values**2)]
    price = 6.0 * log(n)
    cost, came_from = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
    cost[0] = 0.0
    for first in range(0, n, _STOPS_AT_ONCE):
        stops = slice(first + 1, min(first + _STOPS_AT_ONCE, n) + 1)
        # of the pieces from each start (column) to each of some stops (row)
        count, s_t, s_y, s_tt, s_ty, s_yy = (total[stops, None] - total[None, : stops.stop - 1] for total in sums)
        count = np.maximum(count, 1.0)
        spread = np.maximum(s_tt - s_t**2 / count, 1e-30)
        together = s_ty - s_t * s_y / count
        rest = np.maximum(s_yy - s_y**2 / count - np.where(count > 1, together**2 / spread, 0.0), 0.0)
        for stop, prices in zip(range(stops.start, stops.stop), rest / floor**2 + price, strict=True):
            total_cost = cost[:stop] + prices[:stop]
            came_from[stop] = total_cost.argmin()
            cost[stop] = total_cost[came_from[stop]]
    edges = [n]
    while edges[-1] > 0:
        edges.append(int(came_from[edges[-1]]))
    return [_piece(at, values, a, b) for a, b in zip(edges[:0:-1], edges[-2::-1], strict=True)]


def _piece(at: NDArray[np.float64], values: NDArray[np.float64], start: int, stop: int) -> _Piece:
    t, y = at[start:stop], values[start:stop]
    centred = t - t.mean()
    slope = float(centred @ y / (centred @ centred)) if t.size > 1 else 0.0
    return _Piece(float(t[0]), float(t[-1]), stop - start, float(t.mean()), float(y.mean()), slope)


def _step(below: _Piece, above: _Piece) -> float:
    """Return the distance of the two lines in the middle of the transition."""
    middle = 0.5 * (below.high + above.low)
    return above(middle) - below(middle)


def _best_pair(
    pieces: Sequence[_Piece], at: NDArray[np.float64], values: NDArray[np.float64], sigma: float, sign: int | None
) -> tuple[_Piece, _Piece] | None:
    """Return the two pieces with the largest step between them, and then the nearest with half of it."""
    long_ones = [piece for piece in pieces if piece.bins >= _FEWEST_BINS]
    pairs = {
        (i, i + 1 + k): abs(_step(below, above))
        for i, below in enumerate(long_ones)
        for k, above in enumerate(long_ones[i + 1 :])
        if (sign is None or _step(below, above) * sign > 0) and _are_sides(below, above, at, values, sigma)
    }
    if not pairs:
        return None

    def worth(pair: tuple[int, int]) -> float:
        below, above = long_ones[pair[0]], long_ones[pair[1]]
        gap = above.low - below.high
        return pairs[pair] * _shortness(below, above) / (1.0 + gap / float(np.ptp(at)))

    best = max(pairs, key=worth)
    inside = [
        pair
        for pair in pairs
        if best[0] <= pair[0]
        and pair[1] <= best[1]
        and pairs[pair] * _shortness(*(long_ones[i] for i in pair)) > 0.5 * pairs[best]
    ]
    nearest = min(inside or [best], key=lambda pair: long_ones[pair[1]].low - long_ones[pair[0]].high)
    return long_ones[nearest[0]], long_ones[nearest[1]]


def _shortness(below: _Piece, above: _Piece) -> float:
    """Return what the length of two lines is worth: 1 from half of the width of the transition on."""
    shorter = min(below.high - below.low, above.high - above.low)
    return min(1.0, 2.0 * shorter / (above.low - below.high))


def _are_sides(
    below: _Piece, above: _Piece, at: NDArray[np.float64], values: NDArray[np.float64], sigma: float
) -> bool:
    """Tell whether two pieces can be the lines of a glass and its liquid: long, nearly parallel, and a step apart."""
    step, gap = _step(below, above), above.low - below.high
    shorter = min(below.high - below.low, above.high - above.low)
    if shorter < _SHORTEST_WIDTHS * gap:
        return False
    # handbook values of polymers: their step falls by 1 % a kelvin
    as_cp = step * below.slope > max(step * above.slope, 0.0)
    falls = step * (above.slope - below.slope) < 0.0
    contrast = _LEAST_CONTRAST_OF_CP if as_cp else _LEAST_CONTRAST_OF_FALL if falls else _LEAST_CONTRAST
    if abs(step) < contrast * abs(above.slope - below.slope) * (gap + 0.5 * shorter) + SIGNIFICANT * sigma:
        return False
    if abs(step) * _STEEPEST_STEPS < max(abs(below.slope), abs(above.slope)) * gap:
        return False
    between = (at > below.high) & (at < above.low)
    cpn = (values[between] - below.value - below.slope * (at[between] - below.at)) / step
    return bool((cpn > LOWEST_CPN).all())


def _line_range(
    temperature: NDArray[np.float64],
    curve: NDArray[np.float64],
    below: _Piece,
    above: _Piece,
    smooth_noise: float,
    *,
    upwards: bool,
) -> Range:
    """Return the range on one side of the transition whose line says most of the middle of the transition.

    Of all ranges on which the curve is straight, it is the one with the least ratio of distance to length: errors of
    a line grow with that, those of noise as well as those of a curvature too small to be seen.
    """
    piece, gap = above if upwards else below, above.low - below.high
    sign = 1.0 if upwards else -1.0
    edge = piece.low if upwards else piece.high
    ends = sorted((edge, edge + sign * _REACH_WIDTHS * gap))
    at, values, sigma = _binned(temperature, curve, ends[0], ends[1], smooth_noise)
    distance = sign * (at - 0.5 * (below.high + above.low))
    order = np.argsort(distance)
    distance, values = distance[order], values[order]
    for share in (0.5, _SHORTEST_WIDTHS):
        for straight in (_STRAIGHT_STEPS, 2 * _STRAIGHT_STEPS, 4 * _STRAIGHT_STEPS):
            found = _steadiest(distance, values, sigma, abs(_step(below, above)), straight, share * gap)
            if found:
                near, far = at[order[list(found)]]
                # where the curve departs there, it began to do so a little before that was seen
                far -= _LEFT_OUT_SHARE * (far - near)
                return (float(near), float(far)) if upwards else (float(far), float(near))
    return piece.low, piece.high


def _steadiest(
    distance: NDArray[np.float64],
    values: NDArray[np.float64],
    sigma: float,
    step: float,
    straight: float,
    shortest: float,
) -> tuple[int, int] | None:
    """Return the first and last point of the straight range with the least ratio of distance to length."""
    most = max(distance.size - _FEWEST_BINS, 0)
    counts = np.unique(np.geomspace(_FEWEST_BINS, max(distance.size, _FEWEST_BINS), 24).astype(int))
    firsts, numbers = np.meshgrid(np.unique(np.linspace(0, most, 24).astype(int)), counts, indexing="ij")
    inside = firsts + numbers <= distance.size
    firsts, lasts = firsts[inside], (firsts + numbers)[inside] - 1
    lengths = distance[lasts] - distance[firsts]
    ratios = (distance[firsts] + distance[lasts]) / np.maximum(lengths, 1e-9)
    order = np.argsort(ratios, kind="stable")
    for first, last in zip(firsts[order].tolist(), lasts[order].tolist(), strict=True):
        long = distance[last] - distance[first] >= shortest
        if long and _is_line(distance, values, first, last + 1, sigma, step, straight):
            return first, last
    return None


def _is_line(
    distance: NDArray[np.float64],
    values: NDArray[np.float64],
    first: int,
    stop: int,
    sigma: float,
    step: float,
    straight: float,
) -> bool:
    """Tell whether the means of blocks lie on one line, as noise and tolerance allow, and no peak lies before it."""
    x, y = distance[first:stop], values[first:stop]
    centre, mean = x.mean(), y.mean()
    slope = (x - centre) @ y / ((x - centre) @ (x - centre))
    rest = values[:stop] - mean - slope * (distance[:stop] - centre)
    if (np.abs(rest[:first]) > _PASSED_STEPS * step).any():
        return False
    edges = np.linspace(0, x.size, min(_BLOCKS, x.size // 3) + 1).astype(int)
    means = np.abs(np.add.reduceat(rest[first:], edges[:-1])) / np.diff(edges)
    return bool((means < straight * step + 3.0 * sigma / np.sqrt(np.diff(edges))).all())
