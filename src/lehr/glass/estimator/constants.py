"""What the shipped weights were trained with; to change any of it means to train the estimator anew."""

from __future__ import annotations

__all__ = [
    "ABOVE_WIDTHS",
    "BELOW_WIDTHS",
    "BINS",
    "CONDITIONS",
    "FEATURES",
    "LAYERS",
    "LOG_PRECISION_RANGE",
    "NOISE_FLOOR_CPN",
    "OUTPUTS",
    "REFERENCE_WIDTHS",
]

BINS = 96
"""Averages of CpN that a scan is resampled to."""

BELOW_WIDTHS, ABOVE_WIDTHS = 0.95, 0.75
"""The window of the bins, in widths of the transition below and above its centre."""

REFERENCE_WIDTHS = 0.5
"""Where ln tau is known best, in widths above the centre: on the main rise, which most scans have in the upper half."""

FEATURES = BINS + 2
"""Of a scan: averages of CpN, and the logarithms of its cooling and heating rates over the reference."""

CONDITIONS = 4
"""Of all scans of a glass: relative width, noise, whether instruments have faults, and the number of scans."""

NOISE_FLOOR_CPN = 1e-4
"""Of averages of CpN: what the engine and resampling leave."""

LAYERS = ("scan_1", "scan_2", "scan_3", "context", "scan_4", "head_1", "head_2", "output")
"""Dense layers; each has a kernel and a bias, `context` a kernel alone."""

OUTPUTS = 14
"""Mean, logarithms of the diagonal, and off-diagonal of the factor of the precision: 4 + 4 + 6."""

LOG_PRECISION_RANGE = (-3.0, 7.8)
"""Ends of the logarithms of the diagonal: a ceiling of 20 and a floor of 4e-4 standard deviations of a target."""
