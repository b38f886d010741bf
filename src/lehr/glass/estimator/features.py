r"""What the network of the estimator is given, and what it answers, in numbers without units.

Temperatures are counted in widths W of the transition from its centre, rates in heating rates, so that both symmetries
of the model, those of rates and of temperatures, hold exactly. The answers are those of `Coordinates` at a reference
temperature Tm inside the window, shifted:

.. math:: \ln [\Delta h W / (R T_m^2)],\ \ln A + \Delta h / (R T_m) + \ln (q / W),\ x,\ \beta
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.glass.tnm.coordinates import Coordinates

__all__ = ["conditions_of", "features_of", "shifts", "targets_of"]

Array = NDArray[np.float64]


def features_of(scans: NDArray[np.floating[Any]], log_rates: Array) -> NDArray[np.float32]:
    """Return the features of scans, shape (n, cycles, FEATURES).

    Parameters
    ----------
    scans : ndarray, shape (n, cycles, BINS)
        Averages of CpN in the common window.
    log_rates : ndarray, shape (n, cycles, 2)
        Logarithms of cooling and heating rate over the reference, the geometric mean of the heating rates.
    """
    return np.asarray(np.concatenate([scans, log_rates / 3.0], axis=-1), np.float32)


def conditions_of(relative_width: ArrayLike, noise: ArrayLike, faults: ArrayLike, count: int) -> NDArray[np.float32]:
    """Return the conditions of samples, shape (n, CONDITIONS).

    Parameters
    ----------
    relative_width : array_like, shape (n,)
        W/Tm.
    noise : array_like, shape (n,)
        Standard deviation of the noise in the averages.
    faults : array_like, shape (n,)
        1 where lag, baseline and temperature may be somewhat wrong, otherwise 0.
    count : int
        Number of scans.
    """
    width, deviation, flag = (np.asarray(values, dtype=float) for values in (relative_width, noise, faults))
    columns = [np.log(width) + 2, (np.log(deviation) + 6) / 2, flag, np.full(width.shape, np.log(count) - 1)]
    return np.asarray(np.stack(columns, axis=-1), np.float32)


def shifts(reference: ArrayLike, width: ArrayLike, rate: ArrayLike) -> Array:
    """Return what the answers are above theta of `Coordinates`, shape (n, 4).

    Parameters
    ----------
    reference, width : array_like, shape (n,)
        Tm and W in K.
    rate : array_like, shape (n,)
        Reference rate in K/min.
    """
    middle, w, q = (np.asarray(values, dtype=float) for values in (reference, width, rate))
    zero = np.zeros_like(middle)
    return np.stack([np.log(w / middle), np.log(q / 60 / w), zero, zero], axis=-1)


def targets_of(parameters: Array, reference: Array, width: Array, rate: Array) -> Array:
    """Return the answers for known glasses, shape (n, 4)."""
    return np.asarray(Coordinates(reference).theta(parameters) + shifts(reference, width, rate))
