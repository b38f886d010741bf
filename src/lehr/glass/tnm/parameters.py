"""What a model of the relaxation time is, and that of Tool, Narayanaswamy and Moynihan."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from math import exp, isfinite, log
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.tnm import _tnm
from lehr.glass.tnm.kww import BETA_RANGE

__all__ = [
    "GAS_CONSTANT",
    "LN_REFERENCE_TIME",
    "ZERO_CELSIUS",
    "RelaxationModel",
    "TNMParameters",
    "efold_width",
    "glass_transition",
    "ln_pre_exponential",
]

GAS_CONSTANT = 8.314462618
"""R in J/(mol K), exact in the SI of 2019 to the digits given."""

ZERO_CELSIUS = 273.15
"""0 degC in K."""

LN_REFERENCE_TIME = log(100.0)
"""Logarithm of the relaxation time in s that defines the glass transition: tau(Tg) = 100 s."""

Energy = TypeVar("Energy", float, NDArray[np.float64])


def ln_pre_exponential(delta_h: Energy, glass_transition: float | Energy) -> Energy:
    """Return the ln A (A in s) that makes tau = 100 s at a temperature in K, for activation energies in J/mol."""
    return LN_REFERENCE_TIME - delta_h / (GAS_CONSTANT * glass_transition)


def glass_transition(ln_A: ArrayLike, delta_h: ArrayLike) -> NDArray[np.float64]:
    """Return the temperature in K where tau = 100 s, Tg = delta_h / (R (ln 100 - ln A)).

    Parameters
    ----------
    ln_A, delta_h : array_like, shape (...)
        A in s, activation energies in J/mol.

    Returns
    -------
    ndarray, shape (...)
        K; NaN where tau never is 100 s (delta_h <= 0 or ln A >= ln 100), as a bad prediction may have it.
    """
    ln_a, energy = np.asarray(ln_A, dtype=float), np.asarray(delta_h, dtype=float)
    exists = (energy > 0) & (ln_a < LN_REFERENCE_TIME)
    return np.where(exists, energy / (GAS_CONSTANT * np.where(exists, LN_REFERENCE_TIME - ln_a, 1.0)), np.nan)


def efold_width(temperature: float, delta_h: Energy) -> Energy:
    """Return R T^2 / delta_h in K: over so much, tau changes by a factor of e near a temperature in K."""
    return GAS_CONSTANT * temperature**2 / delta_h


class RelaxationModel(ABC):
    """Parameters of one glass in a model of the relaxation time tau(T, Tf); the last of them is beta.

    A subclass is a frozen dataclass of floats. All that the engine and a fit ask is here, so that they are the same for
    every model.
    """

    model: ClassVar[str]
    """Name of the model."""
    units: ClassVar[tuple[str, ...]]
    """Unit of each parameter, "1" if it has none."""
    code: ClassVar[int]
    """Number of the model in the compiled kernel."""
    kernel_units: ClassVar[tuple[float, ...]]
    """How much of each parameter is 1 in the compiled kernel, which has energies divided by R; beta is left out."""

    beta: float

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the parameters, in the order of every parameter array."""
        return tuple(field.name for field in fields(cls))  # type: ignore[arg-type]  # subclasses are dataclasses

    def as_tuple(self) -> tuple[float, ...]:
        """Return the parameters in the order of `names`."""
        return tuple(getattr(self, name) for name in self.names())

    def compiled(self, first: int = 0) -> _tnm.Glass:
        """Return the glass as the compiled kernel takes it; derivatives are by three parameters from `first` on."""
        values = [v / unit for v, unit in zip(self.as_tuple()[:-1], self.kernel_units, strict=True)]
        return _tnm.Glass(self.code, values, first)

    @property
    @abstractmethod
    def glass_transition(self) -> float:
        """Temperature in K where the equilibrium relaxation time is 100 s."""

    @abstractmethod
    def ln_relaxation_time(self, temperature: float, fictive_temperature: float) -> float:
        """Logarithm of tau in s at a temperature and a fictive temperature in K."""

    @abstractmethod
    def scaling(self) -> NDArray[np.float64]:
        """Return derivatives of the parameters by ln s: tau at temperatures s times as high is s times as long.

        At fixed rates such a glass has the same CpN at s times the temperature, if its program is scaled too: so
        T dCpN/dT is minus the sum of the derivatives of CpN by the parameters times these.

        Returns
        -------
        ndarray, shape (parameters,)
        """

    @classmethod
    @abstractmethod
    def touching(cls, theta: NDArray[Any], temperature: Any) -> NDArray[Any]:
        """Return the parameters of glasses that are TNM glasses to first order in 1/T and 1/Tf around T = Tf.

        Parameters
        ----------
        theta : ndarray, shape (..., 4)
            Of the TNM glasses, as in `lehr.glass.tnm.coordinates`: the logarithm of the steepness, ln tau (s), x, beta.
            It may be complex, to be differentiated.
        temperature : float, or ndarray of shape (...)
            T = Tf in K.

        Returns
        -------
        ndarray, shape (..., parameters)
        """

    def relaxation_time(self, temperature: float, fictive_temperature: float) -> float:
        """Relaxation time tau in s at a temperature and a fictive temperature in K."""
        return exp(self.ln_relaxation_time(temperature, fictive_temperature))

    def _check(self) -> None:
        """Refuse what no model takes: values that are not finite, a beta or an ln_A out of range."""
        for name in self.names():
            if not isfinite(getattr(self, name)):
                raise LehrError(f"{name} = {getattr(self, name)} is not a finite number")
        low, high = BETA_RANGE
        if not low <= self.beta <= high:
            raise LehrError(f"beta = {self.beta} is out of range", f"It must satisfy {low} <= beta <= {high}.")
        ln_a = getattr(self, "ln_A", None)
        if ln_a is not None and not ln_a < LN_REFERENCE_TIME:
            raise LehrError(
                f"ln_A = {ln_a} is out of range",
                "tau must reach 100 s somewhere: ln A < ln 100. A is in seconds, ln is the natural logarithm.",
            )


@dataclass(frozen=True)
class TNMParameters(RelaxationModel):
    """Parameters of the Tool-Narayanaswamy-Moynihan model.

    Attributes
    ----------
    ln_A : float
        Natural logarithm of the pre-exponential factor A in seconds.
    delta_h : float
        Apparent activation energy in J/mol.
    x : float
        Non-linearity, 0 < x <= 1.
    beta : float
        Non-exponentiality, 0.1 <= beta <= 1.

    Raises
    ------
    LehrError
        If a value is not finite or out of range, or the glass transition has no positive temperature.
    """

    model: ClassVar[str] = "tnm"
    units: ClassVar[tuple[str, ...]] = ("1", "J/mol", "1", "1")
    code: ClassVar[int] = 0
    kernel_units: ClassVar[tuple[float, ...]] = (1.0, GAS_CONSTANT, 1.0)

    ln_A: float
    delta_h: float
    x: float
    beta: float

    def __post_init__(self) -> None:
        self._check()
        if not self.delta_h > 0:
            raise LehrError(
                f"delta_h = {self.delta_h} is out of range", "It is an energy in J/mol and must be positive."
            )
        if not 0 < self.x <= 1:
            raise LehrError(f"x = {self.x} is out of range", "The non-linearity must satisfy 0 < x <= 1.")

    @property
    def glass_transition(self) -> float:
        """Temperature in K where the equilibrium relaxation time is 100 s."""
        return float(glass_transition(self.ln_A, self.delta_h))

    def ln_relaxation_time(self, temperature: float, fictive_temperature: float) -> float:
        """Logarithm of tau in s at a temperature and a fictive temperature in K (Eq. 2 of the paper)."""
        mixed = self.x / temperature + (1.0 - self.x) / fictive_temperature
        return self.ln_A + self.delta_h / GAS_CONSTANT * mixed

    def scaling(self) -> NDArray[np.float64]:
        """Return derivatives of the parameters by ln s: tau at temperatures s times as high is s times as long."""
        return np.array([1.0, self.delta_h, 0.0, 0.0])

    @classmethod
    def touching(cls, theta: NDArray[Any], temperature: Any) -> NDArray[Any]:
        """Return ln_A, delta_h (J/mol), x and beta of theta."""
        log_steepness, ln_tau, x, beta = np.moveaxis(theta, -1, 0)
        steepness = np.exp(log_steepness)
        return np.stack([ln_tau - steepness, steepness * GAS_CONSTANT * temperature, x, beta], axis=-1)

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Return (ln_A, delta_h, x, beta), the order of every parameter array of the package."""
        return self.ln_A, self.delta_h, self.x, self.beta
