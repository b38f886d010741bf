"""A straight line through a stretch of a measured curve, and how well the curve follows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_POINTS", "Line", "Stretch", "robust_line", "standard_error", "without_spikes"]

FEWEST_POINTS = 9
"""Of a line."""

_CURVATURE_KELVIN = 50.0  # from the middle of a line, where its curvature is told
_MOST_BINS = 400  # of a stretch: more say nothing more about what is smooth
_MOST_ROUNDS = 100  # of a robust line
_SETTLED_NOISE = 1e-4  # change of a robust line, in units of the noise, that ends its search
_LONGEST_LAG = 0.25  # of a stretch, over which its noise is looked at for being smooth


@dataclass(frozen=True)
class Line:
    """A straight line and the range of temperature on which it was fitted.

    Attributes
    ----------
    low, high : float
        K.
    middle : float
        Its value at the middle of the range, in the unit of the signal.
    slope : float
        Unit of the signal per K.
    curvature, curvature_error : float
        How far the curve would lie from the tangent 50 K from the middle of the range if it were a parabola there, in
        steps from glass to liquid (positive towards the liquid), and its standard error, smooth noise of the
        instrument included. NaN for a line that was not drawn.
    """

    low: float
    high: float
    middle: float
    slope: float
    curvature: float = nan
    curvature_error: float = nan

    def __call__(self, temperature: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the line at temperatures in K."""
        return self.middle + self.slope * (temperature - 0.5 * (self.low + self.high))

    def curved(self, curvature: float, error: float) -> Line:
        """Return the line with what was found of its curvature."""
        return replace(self, curvature=curvature, curvature_error=error)

    @property
    def bend(self) -> float:
        """How far the ends of the range lie from its middle by the curvature, in steps from glass to liquid."""
        return self.curvature * (0.5 * (self.high - self.low) / _CURVATURE_KELVIN) ** 2


class Stretch:
    """A stretch of a curve that should be straight, and the noise on it, which may be smooth.

    Parameters
    ----------
    temperature, curve : ndarray, shape (points,)
        K, and a signal without spikes.
    """

    def __init__(self, temperature: NDArray[np.float64], curve: NDArray[np.float64]) -> None:
        groups = np.arange(0, temperature.size, -(-temperature.size // _MOST_BINS))
        counts = np.diff(groups, append=temperature.size)
        self.temperature = np.add.reduceat(temperature, groups) / counts
        self.curve = np.add.reduceat(curve, groups) / counts
        self.half = 0.5 * float(self.temperature[-1] - self.temperature[0])
        self.x = (self.temperature - self.temperature[0]) / self.half - 1.0
        self._bases: dict[int, NDArray[np.float64]] = {}

    def amount_of(
        self, shape: NDArray[np.float64], degree: int
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return how much of a shape lies upon a polynomial, the residuals, and what each point adds to the amount."""
        basis = self._bases.get(degree)
        if basis is None:
            basis = self._bases[degree] = np.linalg.qr(self.x[:, np.newaxis] ** np.arange(degree + 1))[0]
        alone, curve = (each - basis @ (basis.T @ each) for each in (shape, self.curve))
        weights = alone / float(alone @ alone)
        amount = float(weights @ curve)
        return amount, curve - amount * alone, weights

    def rest(self, degree: int) -> float:
        """Return the sum of squares that a polynomial leaves."""
        return float(np.sum((self.curve - np.polyval(np.polyfit(self.x, self.curve, degree), self.x)) ** 2))

    @cached_property
    def residuals(self) -> NDArray[np.float64]:
        """What is left of a parabola."""
        return self.amount_of(self.x**2, 1)[1]

    def curvature(self, beside: Stretch) -> tuple[float, float]:
        """Return the distance from the tangent 50 K from the middle and its standard error, as the curve."""
        amount, rest, weights = self.amount_of(self.x**2, 1)
        scale = (_CURVATURE_KELVIN / self.half) ** 2
        return amount * scale, scale * standard_error(weights, (rest, beside.residuals), 3)


def standard_error(weights: NDArray[np.float64], residuals: tuple[NDArray[np.float64], ...], fitted: int) -> float:
    """Return that of a sum of points with weights, under noise with the autocovariance of residuals.

    Parameters
    ----------
    weights : ndarray, shape (points,)
        Of the points.
    residuals : tuple of ndarray
        Of stretches with the same noise.
    fitted : int
        Parameters that were fitted to each of them, which took their share of the noise away.

    References
    ----------
    Newey, West, Econometrica 55 (1987) 703.
    """
    freedom = sum(part.size for part in residuals) - fitted * len(residuals)
    lags = np.arange(int(_LONGEST_LAG * min(part.size for part in residuals)) + 1)
    covariance = np.sum([_products(part, lags.size) for part in residuals], axis=0) / freedom
    taper = (1.0 - lags / lags.size) * np.where(lags == 0, 1.0, 2.0)
    effect = _products(weights, lags.size)
    return float(np.sqrt(max(float(np.sum(taper * covariance * effect)), float(covariance[0] * effect[0]))))


def _products(values: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Return the sums of products of values some points apart."""
    spectrum = np.fft.rfft(values, 2 * values.size)
    return np.asarray(np.fft.irfft(spectrum * spectrum.conj())[:lags])


def robust_line(
    temperature: NDArray[np.float64], curve: NDArray[np.float64], ends: tuple[float, float], noise: float
) -> Line:
    """Fit a line to the points of a range, with a loss that outliers do not pull far."""
    x = (temperature - 0.5 * (ends[0] + ends[1])) / (ends[1] - ends[0])
    design = np.column_stack([np.ones_like(x), x])
    scale = max(2 * noise, 1e-9)
    # least squares again and again, with the weights of soft_l1 for the residuals of the last time
    found, weights = np.zeros(2), np.ones_like(x)
    for _ in range(_MOST_ROUNDS):
        before, weighted = found, design * weights[:, None]
        found = np.linalg.solve(design.T @ weighted, weighted.T @ curve)
        weights = 1.0 / np.sqrt(1.0 + ((curve - design @ found) / scale) ** 2)
        if np.abs(found - before).max() < _SETTLED_NOISE * scale:
            break
    return Line(*ends, float(found[0]), float(found[1] / (ends[1] - ends[0])))


def without_spikes(curve: NDArray[np.float64], noise: float) -> tuple[NDArray[np.float64], int]:
    """Replace points that stand out of a level stretch alone by the mean of their neighbours; return their number."""
    around = np.stack([curve[:-4], curve[1:-3], curve[3:-1], curve[4:]])
    level = 0.5 * (around[1] + around[2])
    away = np.abs(curve[2:-2] - level)
    alone = np.flatnonzero((away > 10 * noise) & (away > 3 * np.ptp(around, axis=0)))
    mended = curve.copy()
    mended[alone + 2] = level[alone]
    return mended, alone.size
