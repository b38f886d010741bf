"""Residuals that repeat each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIGNIFICANT_DEVIATIONS", "correlation_time", "undone_by_fit"]

SIGNIFICANT_DEVIATIONS = 5.0
"""Standard deviations that chance does not explain."""

_ROUNDS = 5  # of a search for the noise whose residuals repeat each other as they do
_LONGEST_SHARE = 0.125  # of a scan, over which noise repeats itself at most: more is a baseline
_FASTEST_GROWTH = 2.0  # of that in a round


def correlation_time(residuals: tuple[NDArray[np.float64], ...]) -> float:
    """Return by how much neighbouring residuals repeat each other: 1 + 2 times the sum of their autocorrelation.

    A mean of n of them is as uncertain as one of n divided by this. It is 1 if they are not correlated significantly.
    """
    count = sum(scan.size for scan in residuals)
    products = np.zeros(_lags(residuals) + 1)
    for scan in residuals:
        spectrum = np.fft.rfft(scan, 2 * scan.size)
        products += np.fft.irfft(np.abs(spectrum) ** 2)[: products.size]
    return _time(products, count)


def undone_by_fit(
    residuals: tuple[NDArray[np.float64], ...], influence: list[NDArray[np.float64]], time: float
) -> tuple[float, float]:
    """Return the correlation time of the noise, and its variance, before the fit took its share.

    A fit with lines and a curvature for each scan follows the slow part of a noise that has a memory: what it leaves is
    smaller, and repeats itself less. Noise of an exponential autocorrelation is sought whose residuals would do so as
    the residuals do: with the influence matrix H of the fit, the covariance of residuals is (1 - H) S (1 - H).

    Parameters
    ----------
    residuals : tuple of ndarray
        Of each scan.
    influence : list of ndarray, shape (points, parameters)
        Of each scan, A with H = A A^T.
    time : float
        `correlation_time` of the residuals.
    """
    lags, count = _lags(residuals), sum(scan.size for scan in residuals)
    square = sum(float(scan @ scan) for scan in residuals)
    spectra = [np.fft.rfft(part, 2 * len(part), axis=0) for part in influence]
    longest = max(_LONGEST_SHARE * min(scan.size for scan in residuals), time)
    sought = time
    for _ in range(_ROUNDS):
        left = _products_left((sought - 1.0) / (sought + 1.0), influence, spectra, lags)
        seen = _time(left, count)
        sought = float(np.clip(sought * min(time / seen, _FASTEST_GROWTH), time, longest))
    return sought, square / float(left[0])


def _products_left(
    memory: float, influence: list[NDArray[np.float64]], spectra: list[NDArray[np.complex128]], lags: int
) -> NDArray[np.float64]:
    """Return the expected sums of products of residuals 0, 1, ... apart, for noise of variance 1.

    `memory` is the correlation of neighbours.
    """
    blurred = []
    for part, spectrum in zip(influence, spectra, strict=True):
        apart = np.minimum(np.arange(2 * len(part)), 2 * len(part) - np.arange(2 * len(part)))
        kernel = np.fft.rfft(memory**apart).real
        blurred.append(np.fft.irfft(kernel[:, None] * spectrum, axis=0)[: len(part)])
    both = sum(part.T @ other for part, other in zip(influence, blurred, strict=True))
    found = np.zeros(lags + 1)
    for part, spectrum, other in zip(influence, spectra, blurred, strict=True):
        crossed = np.fft.rfft(other, 2 * len(part), axis=0)
        power = np.sum(spectrum.conj() * (spectrum @ both - 2.0 * crossed), axis=1).real
        own = np.maximum(len(part) - np.arange(lags + 1), 0.0) * memory ** np.arange(lags + 1)
        found += own + np.fft.irfft(power, 2 * len(part))[: lags + 1]
    return found


def _lags(residuals: tuple[NDArray[np.float64], ...]) -> int:
    return max(min(scan.size for scan in residuals) // 4, 1)


def _time(products: NDArray[np.float64], count: int) -> float:
    """Return 1 + 2 times the sum of the autocorrelation until it is lost in chance."""
    share = products[1:] / products[0] if products[0] > 0 else np.zeros(products.size - 1)
    if share[0] * np.sqrt(count) < SIGNIFICANT_DEVIATIONS:
        return 1.0
    quiet = share < 2.0 / np.sqrt(count)
    end = int(np.argmax(quiet)) if quiet.any() else share.size
    return float(1.0 + 2.0 * share[:end].sum())
