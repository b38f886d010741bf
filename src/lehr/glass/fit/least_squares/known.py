"""What is known of a glass from elsewhere: values that are fixed, values with an error, and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, log

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.quantities import QUANTITY_NAMES
from lehr.glass.scans.recovery import MeasuredRecovery
from lehr.glass.tnm import GAS_CONSTANT

__all__ = ["BOUNDED", "Known"]

BOUNDED = ("delta_h", "x", "beta")
"""Quantities that a range can be given for; ln A and Tg follow from others."""

_LEAST_J_PER_MOL = 1e4  # of an activation energy; less was meant in kJ
_FIXED_SHARE = 1e-6  # of a value that is fixed: its error in the fit, far below what any scan tells


@dataclass(frozen=True)
class Known:
    """What is known of a glass from elsewhere, by names of `lehr.glass.quantities.QUANTITIES` and in their units.

    Attributes
    ----------
    fixed : mapping of float
        Values that the fit keeps, to one part in a million.
    priors : mapping of (float, float)
        Values and their standard errors, from another measurement.
    bounds : mapping of (float, float)
        Ranges that the fit does not leave; of delta_h, x and beta.
    recoveries : tuple of MeasuredRecovery
        What it loses while it is held at constant temperatures.

    Raises
    ------
    LehrError
        If a name is unknown or given twice, a value is out of range, or too many are fixed.
    """

    fixed: Mapping[str, float] = field(default_factory=dict)
    priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    recoveries: tuple[MeasuredRecovery, ...] = ()

    def __post_init__(self) -> None:
        for what, given in (("fix", self.fixed), ("prior", self.priors), ("bounds", self.bounds)):
            for name in given:
                if name not in QUANTITY_NAMES:
                    raise LehrError(f"{what}: '{name}' is not a quantity of a glass", f"{', '.join(QUANTITY_NAMES)}.")
        for name, value in self.fixed.items():
            _check(name, value, "fix")
        for name, (value, error) in self.priors.items():
            _check(name, value, "prior")
            if name in self.fixed:
                raise LehrError(f"{name} is fixed and has a prior", "Give one of both.")
            if not (isfinite(error) and error > 0):
                raise LehrError(f"prior: {name} with an error of {error:g}", "A standard error is positive.")
        for name, (low, high) in self.bounds.items():
            if name not in BOUNDED:
                raise LehrError(
                    f"bounds: {name} has none of its own", f"Bounds: {', '.join(BOUNDED)}; a prior does it too."
                )
            _check(name, low, "bounds")
            _check(name, high, "bounds")
            if not low < high:
                raise LehrError(f"bounds: {name} from {low:g} to {high:g}", "The first must be below the second.")
            if name in self.fixed and not low <= self.fixed[name] <= high:
                raise LehrError(f"{name} is fixed at {self.fixed[name]:g}, outside its bounds", "Correct one of both.")
        if {"ln_A", "delta_h", "glass_transition"} <= self.fixed.keys():
            raise LehrError("ln_A, delta_h and glass_transition cannot all be fixed", "Two of them give the third.")

    def __bool__(self) -> bool:
        return bool(self.fixed or self.priors or self.bounds or self.recoveries)

    @property
    def recovered(self) -> int:
        """Number of values of recovery."""
        return sum(measured.seconds.size for measured in self.recoveries)

    @property
    def values(self) -> dict[str, tuple[float, float]]:
        """Value and standard error by name, those that are fixed too."""
        tight = {name: (value, _FIXED_SHARE * abs(value)) for name, value in self.fixed.items()}
        return {**tight, **self.priors}

    def within(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], reference: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return bounds of a point, the first four those of theta about a reference in K, narrowed to the ranges."""
        lower, upper = lower.copy(), upper.copy()
        for name, given in self.bounds.items():
            ends = given
            column = {"delta_h": 0, "x": 2, "beta": 3}[name]
            if name == "delta_h":
                unit = GAS_CONSTANT * reference
                ends = log(ends[0] / unit), log(ends[1] / unit)
            lower[column], upper[column] = max(lower[column], ends[0]), min(upper[column], ends[1])
            if not lower[column] < upper[column]:
                raise LehrError(f"bounds: no glass has a {name} in them", "Widen them.")
        return lower, upper


def _check(name: str, value: float, what: str) -> None:
    """Refuse a value that no glass has."""
    if name == "delta_h" and 0 < value < _LEAST_J_PER_MOL:
        raise LehrError(
            f"{what}: delta_h = {value:g} J/mol is not that of a glass", f"In kJ/mol: {value:g}kJ, {value:g}e3."
        )
    good = isfinite(value) and (name == "ln_A" or value > 0)
    if name == "x":
        good = good and value <= 1.0
    if name == "beta":
        good = good and 0.1 <= value <= 1.0
    if not good:
        raise LehrError(f"{what}: {name} = {value:g} is out of range", "x: up to 1, beta: 0.1 to 1, energies in J/mol.")
