"""A heating scan as normalised heat capacity."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.scans.noise import white_noise_of
from lehr.glass.scans.step import CONSTANT_STEP, Step, fictive_temperatures
from lehr.glass.tnm.transition import unsettled_points

__all__ = ["FEWEST_POINTS", "CpnScan"]

FEWEST_POINTS = 10
"""Of a scan of CpN: fewer say nothing about the shape of a peak."""

_SETTLED_CPN = 0.02  # CpN this close to 0 is glass, this close to 1 is liquid, where noise does not hide it
_NOISE_LIMIT = 7.0  # standard deviations of a smoothed point: noise alone moves none so far, however many there are


@dataclass(frozen=True, eq=False)
class CpnScan:
    """One heating scan.

    Attributes
    ----------
    temperature : ndarray, shape (points,)
        K, ascending.
    cpn : ndarray, shape (points,)
        Normalised heat capacity, finite: missing points have been left out.
    step : Step
        How the step depends on temperature that CpN was divided by. It is constant where nothing is known of it.
    balance : ndarray, shape (points,), or None
        Tf in K from the balance of enthalpies that CpN was divided by the step at; None where it was not.
    """

    temperature: NDArray[np.float64]
    cpn: NDArray[np.float64]
    step: Step = field(default=CONSTANT_STEP, kw_only=True)
    balance: NDArray[np.float64] | None = field(default=None, kw_only=True)

    @staticmethod
    def of(temperature: ArrayLike, cpn: ArrayLike, name: str = "the scan", *, step: Step = CONSTANT_STEP) -> CpnScan:
        """Check a scan and leave out its missing points (NaN).

        Raises
        ------
        LehrError
            If the two do not have the same length, too few points are left, or temperatures do not ascend.
        """
        t, y = np.asarray(temperature, dtype=float), np.asarray(cpn, dtype=float)
        if t.ndim != 1 or t.shape != y.shape:
            raise LehrError(f"{name}: temperatures have the shape {t.shape}, CpN {y.shape}", "Give a CpN for each.")
        there = np.isfinite(t) & np.isfinite(y)
        t, y = t[there], y[there]
        if t.size < FEWEST_POINTS:
            raise LehrError(f"{name}: {t.size} points are left", f"A scan needs {FEWEST_POINTS} with a number in both.")
        if not (np.diff(t) > 0).all():
            raise LehrError(f"{name}: temperatures do not ascend", "Give the heating scan alone, sorted.")
        if not t[0] > 0:
            raise LehrError(f"{name}: a temperature of {t[0]:g} K", "Temperatures are in K.")
        return CpnScan(t, y, step=step)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of the white noise in CpN."""
        return white_noise_of(self.cpn)

    @cached_property
    def fictive_temperature(self) -> NDArray[np.float64]:
        """Tf in K at each temperature, shape (points,).

        From the balance of enthalpies, or without one the last temperature less the area of CpN from there on.
        """
        if self.balance is not None:
            return self.balance
        return fictive_temperatures(self.temperature, self.cpn, CONSTANT_STEP)

    def transition(self) -> tuple[float, float] | None:
        """Return the temperatures in K between which the scan is neither glass nor liquid; None if it is all glass."""
        points = int(np.clip((_NOISE_LIMIT * self.noise / _SETTLED_CPN) ** 2, 1, max(self.cpn.size // 20, 1)))
        # reflected, not repeated: the mean at an end is one of as many points as elsewhere
        smooth = np.convolve(np.pad(self.cpn, points, mode="reflect"), np.ones(points) / points, "same")[points:-points]
        found = unsettled_points(smooth, max(_SETTLED_CPN, _NOISE_LIMIT * self.noise / np.sqrt(points)))
        if found is None:
            return None
        first, last = found
        # it goes on between the points: a step between two of them has a width too
        ends = max(first - 1, 0), min(last + 1, self.cpn.size - 1)
        return float(self.temperature[ends[0]]), float(self.temperature[ends[1]])

    def between(self, low: float, high: float) -> CpnScan:
        """Return the part between two temperatures in K; all of it where that has too few points."""
        kept = (self.temperature >= low) & (self.temperature <= high)
        if kept.sum() < FEWEST_POINTS:
            return self
        balance = None if self.balance is None else self.balance[kept]
        return CpnScan(self.temperature[kept], self.cpn[kept], step=self.step, balance=balance)
