"""Where the glass transition is in normalised heating scans."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["equal_area_temperature", "unsettled_points"]


def unsettled_points(cpn: NDArray[np.floating[Any]], settled: float) -> tuple[int, int] | None:
    """Return the first and the last point at which scans are neither glass nor liquid.

    Parameters
    ----------
    cpn : ndarray, shape (points,) or (cycles, points)
        Normalised heat capacity at ascending temperatures; a point is settled if it is in all cycles.
    settled : float
        CpN this close to 0 is glass, this close to 1 is liquid.

    Returns
    -------
    tuple of int, or None
        Of two points that may be the same; None if all of it is glass.
    """
    rows = np.atleast_2d(cpn)
    glass, liquid = ((np.abs(rows - level) < settled).all(axis=0) for level in (0.0, 1.0))
    if glass.all():
        return None
    not_glass = int(np.argmin(glass))
    not_liquid = liquid.size - 1 - int(np.argmin(liquid[::-1]))
    return min(not_glass, not_liquid), max(not_glass, not_liquid)


def equal_area_temperature(cpn: NDArray[np.floating[Any]], temperature: ArrayLike) -> NDArray[np.float64]:
    """Return where a step from 0 to 1 would have the same area as each scan: Tf' of the glass.

    Parameters
    ----------
    cpn : ndarray, shape (..., points)
        Scans that go from glass (0) to liquid (1).
    temperature : array_like, shape (points,)
        Temperatures in K.

    Returns
    -------
    ndarray, shape (...)
        Temperature in K: T[last] minus the integral of CpN over T.
    """
    kelvin = np.asarray(temperature, dtype=float)
    return np.asarray(kelvin[-1] - np.trapezoid(cpn.astype(float), kelvin, axis=-1))
