"""What is measured on predictions of glasses, after section 3.1 of the paper: arrays in, arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.glass.tnm import LN_REFERENCE_TIME, glass_transition
from lehr.glass.tnm.kww import BETA_RANGE

__all__ = [
    "clamp",
    "edge_distance",
    "half_width",
    "signal_sse",
    "signed_errors",
    "squared_errors",
]

Array = NDArray[np.float64]

# What the engine takes, columns as in PARAMETERS. Where its own limits are open, these stand inside: tau = 100 s at a
# finite Tg, a positive activation energy, and an x whose peaks it can still follow.
_LOWEST = np.array([-np.inf, 1e3, 0.1, BETA_RANGE[0]])
_HIGHEST = np.array([LN_REFERENCE_TIME - 0.01, np.inf, 1.0, BETA_RANGE[1]])

_LEAST_OVERSHOOT = 1e-3  # of CpN above the liquid line; less may be tolerance and rounding of a signal without a peak


# --- errors of parameters --------------------------------------------------------------------------------------------


def signed_errors(true: ArrayLike, predicted: ArrayLike) -> Array:
    """Return predicted - true of each parameter and of Tg; its absolute value is Eq. 13 of the paper.

    Parameters
    ----------
    true, predicted : array_like, shape (n, 4)
        Columns ln_A, delta_h (J/mol), x, beta; `predicted` may be one row for all.

    Returns
    -------
    ndarray, shape (n, 5)
        Columns as in `QUANTITIES`; that of Tg in K, NaN where the prediction has no Tg.
    """
    true, predicted = np.broadcast_arrays(np.asarray(true, dtype=float), np.asarray(predicted, dtype=float))
    return np.column_stack([predicted - true, _tg(predicted) - _tg(true)])


def _tg(parameters: Array) -> Array:
    return glass_transition(parameters[:, 0], parameters[:, 1])


def squared_errors(true: ArrayLike, predicted: ArrayLike, width: ArrayLike) -> Array:
    """Return the squared errors of the normalised parameters; their sums are Eq. 14 of the paper.

    Parameters
    ----------
    true, predicted : array_like, shape (n, 4)
        In physical units.
    width : array_like, shape (4,)
        What becomes 1 in the normalisation of the training (Eq. 8), `TargetScaling.width`.

    Returns
    -------
    ndarray, shape (n, 4)
    """
    difference = np.subtract(predicted, true, dtype=float) / np.asarray(width, dtype=float)
    return np.asarray(difference**2)


def clamp(predicted: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Move predictions into the range that the engine takes.

    Parameters
    ----------
    predicted : array_like, shape (n, 4)
        Columns ln_A, delta_h (J/mol), x, beta.

    Returns
    -------
    clamped : ndarray, shape (n, 4)
        NaN stays NaN.
    moved : ndarray of bool, shape (n, 4)
        What was outside.
    """
    predicted = np.asarray(predicted, dtype=float)
    clamped = np.clip(predicted, _LOWEST, _HIGHEST)
    return clamped, (predicted < _LOWEST) | (predicted > _HIGHEST)


def edge_distance(parameters: ArrayLike, subset: ArrayLike, *, ln_a_follows: bool = True) -> Array:
    """Return how far samples lie from the edge of a subset: 0 on it, 0.5 in the middle of all parameters.

    Parameters
    ----------
    parameters : array_like, shape (n, 4)
        The samples.
    subset : array_like, shape (m, 4)
        All quartets of the subset.
    ln_a_follows : bool, optional
        Whether the range of ln A follows delta_h, as in the state space of the paper, where it is that of some Tg. ln A
        is then measured by (ln 100 - ln A) / delta_h, which is 1 / (R Tg).

    Returns
    -------
    ndarray, shape (n,)
        The smallest distance over the parameters, each as a share of its range. A parameter of one value does not
        count; NaN if none counts.
    """
    inner, outer = (_edge_coordinates(values, ln_a_follows) for values in (parameters, subset))
    low, high = outer.min(axis=0), outer.max(axis=0)
    counts = high - low > 1e-9 * np.abs(high)
    if not counts.any():
        return np.full(len(inner), np.nan)
    share = (inner - low)[:, counts] / (high - low)[counts]
    return np.asarray(np.minimum(share, 1.0 - share).min(axis=1).clip(0.0))  # -1e-16 is on the edge


def _edge_coordinates(parameters: ArrayLike, ln_a_follows: bool) -> Array:
    values = np.array(parameters, dtype=float)
    if ln_a_follows:
        values[:, 0] = (LN_REFERENCE_TIME - values[:, 0]) / values[:, 1]
    return values


# --- signals ---------------------------------------------------------------------------------------------------------


def signal_sse(true: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> Array:
    """Return the squared differences of signals (Eq. 15 of the paper): mean over the temperatures, sum over the scans.

    Parameters
    ----------
    true, other : ndarray, shape (n, cycles, points)
        CpN.

    Returns
    -------
    ndarray, shape (n,)
        NaN where a signal has one.
    """
    difference = true - other
    total = np.einsum("ijk,ijk->i", difference, difference, dtype=np.float64)
    return np.asarray(total / true.shape[2])


def half_width(cpn: NDArray[np.floating[Any]], temperature: Array) -> Array:
    """Return DT_hw of Fig. 8e of the paper, for the scan with the highest peak.

    It is the peak temperature less that of the first crossing of CpN = 1, the extrapolated line of the liquid; between
    two temperatures the crossing is found by linear interpolation.

    Parameters
    ----------
    cpn : ndarray, shape (n, cycles, points)
        Heating scans.
    temperature : ndarray, shape (points,)
        K.

    Returns
    -------
    ndarray, shape (n,)
        K; NaN where no scan rises above the liquid line.
    """
    each = np.arange(len(cpn))
    scan = cpn[each, cpn.max(axis=2).argmax(axis=1)].astype(float)
    peak, after = scan.argmax(axis=1), (scan > 1.0).argmax(axis=1)
    before = np.maximum(after - 1, 0)
    low, high = scan[each, before], scan[each, after]
    crosses = (scan[each, peak] > 1.0 + _LEAST_OVERSHOOT) & (after > 0)
    share = (1.0 - low) / np.where(crosses, high - low, 1.0)
    crossing = temperature[before] + share * (temperature[after] - temperature[before])
    return np.where(crosses, temperature[peak] - crossing, np.nan)
