"""Residuals that repeat each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIGNIFICANT_DEVIATIONS", "correlation_time"]

SIGNIFICANT_DEVIATIONS = 5.0
"""Standard deviations that chance does not explain."""


def correlation_time(residuals: tuple[NDArray[np.float64], ...]) -> float:
    """Return by how much neighbouring residuals repeat each other: 1 + 2 times the sum of their autocorrelation.

    A mean of n of them is as uncertain as one of n divided by this. It is 1 if they are not correlated significantly.
    """
    count = sum(scan.size for scan in residuals)
    products = np.zeros(max(min(scan.size for scan in residuals) // 4, 1) + 1)
    for scan in residuals:
        spectrum = np.fft.rfft(scan, 2 * scan.size)
        products += np.fft.irfft(np.abs(spectrum) ** 2)[: products.size]
    share = products[1:] / products[0] if products[0] > 0 else np.zeros(products.size - 1)
    if share[0] * np.sqrt(count) < SIGNIFICANT_DEVIATIONS:
        return 1.0
    quiet = share < 2.0 / np.sqrt(count)
    end = int(np.argmax(quiet)) if quiet.any() else share.size
    return float(1.0 + 2.0 * share[:end].sum())
