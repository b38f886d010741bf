"""What the estimator sees of simulated glasses: batches with noise and the faults of instruments, drawn on the fly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.glass.estimator import windows
from lehr.glass.estimator.constants import NOISE_FLOOR_CPN, REFERENCE_WIDTHS
from lehr.glass.estimator.features import conditions_of, features_of, targets_of
from lehr.glass.estimator.glasses import MARGIN, POINTS, REFERENCE_RATE, Glasses
from lehr.glass.instrument import first_order_lag

__all__ = ["Acquisition", "Batch", "make_batch"]

Array = NDArray[np.float64]
Values = NDArray[np.float32]

_CLEAN_SHARE = 0.3  # of the samples, without noise
_LN_NOISE_RANGE = np.log(3e-4), np.log(0.06)  # logarithm of the standard deviation of CpN at a measured point
_LN_DENSITY_RANGE = np.log(0.1), np.log(20.0)  # logarithm of the measured points in the distance of two stored ones
_FAULTY_SHARE = 0.35  # of the samples, with the faults of an instrument
_MAX_LAG_WIDTHS = 0.06  # thermal lag, in widths of the transition
_BASELINE_CPN = (0.015, 0.01)  # of offset, and of slope per width: what all scans of a glass share, and each its own
_SHIFT_WIDTHS = 0.004  # error of temperature of each scan, in widths of the transition
_COARSE_WINDOW_WIDTHS = 1.9  # a coarse window is about so many widths of the transition


@dataclass(frozen=True, eq=False)
class Batch:
    """What the network is given and what it should answer.

    Attributes
    ----------
    scans : ndarray of float32, shape (n, cycles, FEATURES)
    conditions : ndarray of float32, shape (n, CONDITIONS)
    targets : ndarray, shape (n, 4)
    """

    scans: Values
    conditions: Values
    targets: Array


@dataclass(frozen=True)
class Acquisition:
    """How scans are recorded.

    Attributes
    ----------
    noise : float
        Standard deviation of each CpN.
    per_kelvin : float
        Points in a kelvin.
    """

    noise: float
    per_kelvin: float = 10.0


def make_batch(
    glasses: Glasses,
    rows: NDArray[np.integer[Any]],
    count: int,
    rng: np.random.Generator,
    acquisition: Acquisition | None = None,
) -> Batch:
    """Measure glasses.

    Parameters
    ----------
    glasses : Glasses
        Clean scans.
    rows : ndarray of int, shape (n,)
        Which glasses; they have `count` scans or more.
    count : int
        Number of scans of each, chosen at random.
    rng : Generator
        Of everything that is drawn.
    acquisition : Acquisition, optional
        How; default: with any noise, density of points and, some of them, faults of an instrument.
    """
    n = len(rows)
    chosen = _choose(glasses, rows, count, rng)
    points = glasses.scans[chosen]
    # the stored points are the coarse window and its margin; a measured coarse window may be somewhat smaller or larger
    cut = (
        MARGIN / (1 + 2 * MARGIN) * (1 + (rng.uniform(-1, 1, (2, n)) if acquisition is None else 0.0) * np.ones((2, n)))
    )
    first, last = cut[0] * (POINTS - 1), (1 - cut[1]) * (POINTS - 1)
    step = (glasses.high[rows] - glasses.low[rows]) / (POINTS - 1)
    faults = np.zeros(n)
    if acquisition is None:
        faults = (rng.random(n) < _FAULTY_SHARE).astype(float)
        faulty = np.flatnonzero(faults)
        if faulty.size:
            width = (last - first)[faulty] / _COARSE_WINDOW_WIDTHS
            points[faulty] = _distort(points[faulty], rng, np.sqrt(rng.random(faulty.size)), width)
        noise = np.where(rng.random(n) < _CLEAN_SHARE, 0.0, np.exp(rng.uniform(*_LN_NOISE_RANGE, n)))
        density = np.exp(rng.uniform(*_LN_DENSITY_RANGE, n))
    else:
        noise, density = np.full(n, acquisition.noise), step * acquisition.per_kelvin
    noisy = np.flatnonzero(noise)
    if noisy.size:
        points[noisy] += _white_noise(points[noisy].shape, noise[noisy], density[noisy], rng)

    at = np.arange(POINTS)
    centre, width = windows.refine(points, (at >= first[:, None]) & (at <= last[:, None]))
    centre, width, scans = windows.settle(windows.bin_averages(points), centre, width)
    in_a_bin = np.maximum(density * width * windows.BIN_WIDTHS, 1)
    # a noise that is measured is known to about a tenth
    seen = np.hypot(noise / np.sqrt(in_a_bin), NOISE_FLOOR_CPN) * np.exp(0.1 * rng.standard_normal(n) * (noise > 0))
    kelvin = step * width
    reference = glasses.low[rows] + step * centre + REFERENCE_WIDTHS * kelvin
    log_rates = glasses.rates[chosen]
    rate = log_rates[..., 1].mean(axis=1)
    return Batch(
        features_of(scans, log_rates - rate[:, None, None]),
        conditions_of(kelvin / reference, seen, faults, count),
        targets_of(glasses.parameters[rows], reference, kelvin, REFERENCE_RATE * np.exp(rate)),
    )


def _choose(
    glasses: Glasses, rows: NDArray[np.integer[Any]], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return scans of glasses, shape (n, count)."""
    available = glasses.counts[rows]
    number = np.arange(available.max())
    missing = 10 * (number >= available[:, None])  # last in the order
    order = np.argsort(rng.random((len(rows), number.size)) + missing, axis=1)
    return np.asarray(glasses.first[rows][:, None] + order[:, :count])


def _distort(points: Values, rng: np.random.Generator, amplitude: Array, width: Array) -> Values:
    """Add a thermal lag, a baseline and an error of temperature.

    Parameters
    ----------
    points : ndarray, shape (n, cycles, points)
        Scans.
    rng : Generator
        Of the faults.
    amplitude : ndarray, shape (n,)
        Their size, 0 to 1.
    width : ndarray, shape (n,)
        Of the transition, in points.
    """
    n, cycles, size = points.shape
    lags = np.maximum(amplitude * width * _MAX_LAG_WIDTHS * rng.random(n) ** 2, 1e-3)
    points = np.stack([first_order_lag(scans, lag) for scans, lag in zip(points, lags.tolist(), strict=True)])
    points = points.astype(np.float32)

    def error(shared: float, own: float) -> Array:
        drawn = shared * rng.standard_normal((n, 1, 1)) + own * rng.standard_normal((n, cycles, 1))
        return np.asarray(amplitude[:, None, None] * drawn)

    at = (np.arange(size) - size / 2) / width[:, None, None]
    shift = error(0.0, _SHIFT_WIDTHS) * width[:, None, None]
    distorted = points + error(*_BASELINE_CPN) + error(*_BASELINE_CPN) * at - shift * np.gradient(points, axis=-1)
    return np.asarray(distorted, np.float32)


def _white_noise(shape: tuple[int, ...], sigma: Array, density: Array, rng: np.random.Generator) -> Values:
    """Return noise at the stored points as measured ones have it: averaged, or interpolated where they are few."""
    white = rng.standard_normal(shape, dtype=np.float32)
    few = np.flatnonzero(density < 1)
    position = rng.random((few.size, 1)) + density[few, None] * np.arange(shape[-1])
    before = position.astype(np.int64)
    u = (position - before).astype(np.float32)[:, None]
    after = np.minimum(before + 1, shape[-1] - 1)
    a, b = (np.take_along_axis(white[few], at[:, None], axis=-1) for at in (before, after))
    white[few] = a + u * (b - a)
    return np.asarray(white * (sigma / np.sqrt(np.maximum(density, 1))).astype(np.float32)[:, None, None])
