"""Metrics of section 3.1 of the paper: arrays in, numbers out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isnan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.models import PARAMETERS
from lehr.physics import GAS_CONSTANT, LN_REFERENCE_TIME

__all__ = [
    "QUANTITIES",
    "ErrorSummary",
    "absolute_errors",
    "fraction_below",
    "glass_transition",
    "percentiles",
    "summarise",
]

QUANTITIES: tuple[str, ...] = (*PARAMETERS, "glass_transition")
"""What errors are given for: the four parameters and the Tg that ln A and delta_h give together."""


@dataclass(frozen=True)
class ErrorSummary:
    """Mean, median and 90th percentile of an absolute error, in the unit of the quantity; NaN where there is none."""

    mae: float
    median: float
    p90: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the numbers by name, None for NaN, which JSON does not have."""
        return {name: None if isnan(value) else value for name, value in asdict(self).items()}


def glass_transition(parameters: ArrayLike) -> NDArray[np.float64]:
    """Return the temperature where the equilibrium relaxation time is 100 s: Tg = delta_h / (R (ln 100 - ln A)).

    Parameters
    ----------
    parameters : array_like, shape (n, 4)
        Columns ln_A, delta_h (J/mol), x, beta.

    Returns
    -------
    ndarray, shape (n,)
        Tg in K; NaN where tau never is 100 s (delta_h <= 0 or ln A >= ln 100), as a bad prediction may have it.
    """
    ln_a, delta_h = np.asarray(parameters, dtype=float).T[:2]
    exists = (delta_h > 0) & (ln_a < LN_REFERENCE_TIME)
    return np.where(exists, delta_h / (GAS_CONSTANT * np.where(exists, LN_REFERENCE_TIME - ln_a, 1.0)), np.nan)


def absolute_errors(true: ArrayLike, predicted: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Return |true - predicted| (Eq. 13 of the paper) of each parameter and of Tg.

    Parameters
    ----------
    true, predicted : array_like, shape (n, 4)
        Columns ln_A, delta_h (J/mol), x, beta; `predicted` may be one row for all.

    Returns
    -------
    dict of ndarray, shape (n,)
        By the names in `QUANTITIES`; the error of Tg in K, NaN where the prediction has no Tg.
    """
    true, predicted = np.broadcast_arrays(np.asarray(true, dtype=float), np.asarray(predicted, dtype=float))
    errors = dict(zip(PARAMETERS, np.abs(true - predicted).T, strict=True))
    return {**errors, "glass_transition": np.abs(glass_transition(true) - glass_transition(predicted))}


def summarise(error: ArrayLike) -> ErrorSummary:
    """Return mean, median and 90th percentile of an error, shape (n,); NaN entries are left out."""
    error = np.asarray(error, dtype=float)
    known = error[~np.isnan(error)]
    if known.size == 0:
        return ErrorSummary(np.nan, np.nan, np.nan)
    return ErrorSummary(float(known.mean()), *(float(p) for p in np.percentile(known, (50, 90))))


def fraction_below(error: ArrayLike, threshold: float) -> float:
    """Return the share of samples with an error below a threshold; NaN is not below."""
    error = np.asarray(error, dtype=float)
    return float(np.count_nonzero(error < threshold) / error.size)


def percentiles(error: ArrayLike, count: int = 501) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return percent of samples and the error that so many of them do not exceed: the sorted curve of Fig. 9.

    Parameters
    ----------
    error : array_like, shape (n,)
        Absolute errors; NaN entries are left out.
    count : int
        Points of the curve, evenly spaced in percent.

    Returns
    -------
    percent, value : ndarray, shape (count,)
    """
    error = np.asarray(error, dtype=float)
    percent = np.linspace(0.0, 100.0, count)
    return percent, np.percentile(error[~np.isnan(error)], percent)
