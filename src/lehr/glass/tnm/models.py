r"""Two more models of the relaxation time behind the same engine: Adam-Gibbs, and Mauro-Allan-Potuzak.

Adam-Gibbs in the form of Scherer and Hodge: a glass relaxes by regions whose size goes with the inverse of its
entropy of configuration, which is that of the liquid at Tf and, with a step of
the heat capacity that goes as 1/T, vanishes at T2,

.. math:: \tau = A \exp\frac{Q}{R T (1 - T_2 / T_f)}.

G. W. Scherer, J. Am. Ceram. Soc. 67 (1984) 504; I. M. Hodge, Macromolecules 20 (1987) 2897.

Mauro, Allan and Potuzak, Phys. Rev. B 80 (2009) 094204, for the viscosity, with tau in proportion to it:

.. math::
    \ln\tau &= y \ln\tau_{eq}(T_f) + (1 - y) \ln\tau_{ne}(T, T_f), \qquad y = [\min(T, T_f) / \max(T, T_f)]^p \\
    \ln\tau_{eq} &= \ln A + b \frac{T_g}{T_f} \exp\left[k \left(\frac{T_g}{T_f} - 1\right)\right],
    \qquad b = \ln 100 - \ln A, \qquad k = m \ln 10 / b - 1 \\
    \ln\tau_{ne} &= \ln A_{ne} + \frac{\Delta H}{R T} - S \exp(-k T_g / T_f)

The liquid is that of Mauro, Yue, Ellison, Gupta and Allan (MYEGA, PNAS 106 (2009) 19780). y is the share of what is
still ergodic. At T = Tf, ln tau is continuous and has a kink.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.tnm.parameters import GAS_CONSTANT, LN_REFERENCE_TIME, RelaxationModel, TNMParameters

__all__ = ["MODELS", "AdamGibbsParameters", "MAPParameters"]


@dataclass(frozen=True)
class AdamGibbsParameters(RelaxationModel):
    """Parameters of the Adam-Gibbs model in the form of Scherer and Hodge.

    Attributes
    ----------
    ln_A : float
        Natural logarithm of the pre-exponential factor A in seconds.
    Q : float
        Activation energy in J/mol.
    T2 : float
        Temperature in K at which the entropy of configuration would vanish; 0 makes tau depend on T alone.
    beta : float
        Non-exponentiality, 0.1 <= beta <= 1.

    Raises
    ------
    LehrError
        If a value is not finite or out of range.
    """

    model: ClassVar[str] = "adam-gibbs"
    units: ClassVar[tuple[str, ...]] = ("1", "J/mol", "K", "1")
    code: ClassVar[int] = 1
    kernel_units: ClassVar[tuple[float, ...]] = (1.0, GAS_CONSTANT, 1.0)

    ln_A: float
    Q: float
    T2: float
    beta: float

    def __post_init__(self) -> None:
        self._check()
        if not self.Q > 0:
            raise LehrError(f"Q = {self.Q} is out of range", "It is an energy in J/mol and must be positive.")
        if not self.T2 >= 0:
            raise LehrError(f"T2 = {self.T2} is out of range", "It is a temperature in K.")

    @property
    def glass_transition(self) -> float:
        """Temperature in K where the equilibrium relaxation time is 100 s: above T2, where it goes by Vogel's law."""
        return self.T2 + self.Q / (GAS_CONSTANT * (LN_REFERENCE_TIME - self.ln_A))

    def ln_relaxation_time(self, temperature: float, fictive_temperature: float) -> float:
        """Logarithm of tau in s at a temperature and a fictive temperature in K; infinite up to Tf = T2."""
        if fictive_temperature <= self.T2:
            return inf
        return self.ln_A + self.Q / (GAS_CONSTANT * temperature * (1.0 - self.T2 / fictive_temperature))

    def linearised(self, temperature: float) -> TNMParameters:
        """Return the TNM glass that has the same ln tau, to first order in 1/T and 1/Tf, around T = Tf = a temperature.

        x = 1 - T2/T, and delta_h = Q / x^2.

        Parameters
        ----------
        temperature : float
            K, above T2.
        """
        x = 1.0 - self.T2 / temperature
        delta_h = self.Q / x**2
        ln_a = self.ln_relaxation_time(temperature, temperature) - delta_h / (GAS_CONSTANT * temperature)
        return TNMParameters(ln_a, delta_h, x, self.beta)

    def scaling(self) -> NDArray[np.float64]:
        """Return derivatives of the parameters by ln s: tau at temperatures s times as high is s times as long."""
        return np.array([1.0, self.Q, self.T2, 0.0])

    @classmethod
    def touching(cls, theta: NDArray[Any], temperature: Any) -> NDArray[Any]:
        """Return the parameters of glasses that are linearised to TNM glasses: T2 = (1 - x) T, Q = x^2 delta_h."""
        log_steepness, ln_tau, x, beta = np.moveaxis(theta, -1, 0)
        steepness = np.exp(log_steepness)
        energy = x**2 * steepness * GAS_CONSTANT * temperature
        return np.stack([ln_tau - x * steepness, energy, (1.0 - x) * temperature, beta], axis=-1)


@dataclass(frozen=True)
class MAPParameters(RelaxationModel):
    """Parameters of the model of Mauro, Allan and Potuzak.

    Attributes
    ----------
    ln_A : float
        Natural logarithm of the relaxation time in seconds that the liquid tends to at high temperatures.
    Tg : float
        Temperature in K where the relaxation time of the liquid is 100 s.
    m : float
        Fragility, d log10(tau) / d(Tg/T) of the liquid at Tg.
    ln_A_ne : float
        Natural logarithm of the pre-exponential factor of the glass in seconds.
    delta_h_ne : float
        Activation energy of the glass, of fixed structure, in J/mol.
    S : float
        Entropy of configuration of the liquid at high temperatures in units of k, S_inf / k.
    p : float
        How fast the glass leaves ergodicity with T / Tf.
    beta : float
        Non-exponentiality, 0.1 <= beta <= 1.

    Raises
    ------
    LehrError
        If a value is not finite or out of range.
    """

    model: ClassVar[str] = "map"
    units: ClassVar[tuple[str, ...]] = ("1", "K", "1", "1", "J/mol", "1", "1", "1")
    code: ClassVar[int] = 2
    kernel_units: ClassVar[tuple[float, ...]] = (1.0, 1.0, 1.0, 1.0, GAS_CONSTANT, 1.0, 1.0)

    ln_A: float
    Tg: float
    m: float
    ln_A_ne: float
    delta_h_ne: float
    S: float
    p: float
    beta: float

    def __post_init__(self) -> None:
        self._check()
        for name in ("Tg", "m", "delta_h_ne"):
            if not getattr(self, name) > 0:
                raise LehrError(f"{name} = {getattr(self, name)} is out of range", "It must be positive.")
        for name in ("S", "p"):
            if not getattr(self, name) >= 0:
                raise LehrError(f"{name} = {getattr(self, name)} is out of range", "It must not be negative.")

    @property
    def glass_transition(self) -> float:
        """Temperature in K where the equilibrium relaxation time is 100 s."""
        return self.Tg

    def _both(self, temperature: float, fictive_temperature: float) -> tuple[float, float]:
        """Return ln tau of the liquid at Tf, and of the glass of fixed structure."""
        b, h = LN_REFERENCE_TIME - self.ln_A, self.Tg / fictive_temperature
        k = self.m * log(10.0) / b - 1.0
        liquid = self.ln_A + b * h * exp(k * (h - 1.0))
        return liquid, self.ln_A_ne + self.delta_h_ne / (GAS_CONSTANT * temperature) - self.S * exp(-k * h)

    def ln_relaxation_time(self, temperature: float, fictive_temperature: float) -> float:
        """Logarithm of tau in s at a temperature and a fictive temperature in K."""
        liquid, glass = self._both(temperature, fictive_temperature)
        low, high = sorted((temperature, fictive_temperature))
        share = (low / high) ** self.p
        return float(share * liquid + (1.0 - share) * glass)

    def linearised(self) -> TNMParameters:
        """Return the TNM glass that has the same ln tau, to first order in 1/T and 1/Tf, below Tf = Tg.

        delta_h = R Tg m ln 10, and x = p [ln tau_ne(Tg, Tg) - ln 100] / (m ln 10).

        Raises
        ------
        LehrError
            If there is none: that x need not lie between 0 and 1.
        """
        steepness = self.m * log(10.0)
        x = self.p * (self._both(self.Tg, self.Tg)[1] - LN_REFERENCE_TIME) / steepness
        return TNMParameters(LN_REFERENCE_TIME - steepness, GAS_CONSTANT * self.Tg * steepness, x, self.beta)

    def scaling(self) -> NDArray[np.float64]:
        """Return derivatives of the parameters by ln s: tau at temperatures s times as high is s times as long."""
        steepness, b = self.m * log(10.0), LN_REFERENCE_TIME - self.ln_A
        # k Tg scales; Tg does, but for tau = 100 s being elsewhere on a curve that is higher by ln s; b falls by ln s
        k = steepness / b - 1.0
        by_m = (-(1.0 + k) - b * k / steepness) / log(10.0)
        return np.array([1.0, self.Tg * (1.0 + 1.0 / steepness), by_m, 1.0, self.delta_h_ne, 0.0, 0.0, 0.0])

    @classmethod
    def touching(cls, theta: NDArray[Any], temperature: Any) -> NDArray[Any]:
        """Return the parameters of glasses whose liquid touches TNM glasses, and of delta_h_ne = x R Tg m ln 10.

        At Tg, ln tau_ne = ln tau_eq, with the same slope where T = Tf changes. What scans around Tg do not
        tell is that of silicates: ln A, and p in proportion to m.
        """
        from scipy.special import lambertw

        log_steepness, ln_tau, x, beta = np.moveaxis(theta, -1, 0)
        steepness, b = np.exp(log_steepness), LN_REFERENCE_TIME - _LN_A
        # MYEGA as ln tau = ln A + K/T exp(C/T): value and slope give c = C/T and K/T, and Lambert's W gives k = C/Tg
        c = steepness / (ln_tau - _LN_A) - 1.0
        k = lambertw(b * c / ((ln_tau - _LN_A) * np.exp(-c)))
        k = k if np.iscomplexobj(theta) else k.real
        transition, at_tg = c / k * temperature, b * (1.0 + k)
        m, entropy = at_tg / log(10.0), (1.0 - x) * at_tg / k
        return np.stack(
            [
                np.full_like(k, _LN_A),
                transition,
                m,
                LN_REFERENCE_TIME - x * at_tg + entropy,
                x * at_tg * GAS_CONSTANT * transition,
                entropy * np.exp(k),
                _P_BY_M * m,
                beta,
            ],
            axis=-1,
        )


_LN_A = LN_REFERENCE_TIME - 14.9 * log(10.0)
"""Log eta_inf = -2.9 in Pa s, where tau = 100 s at 1e12 Pa s."""

_P_BY_M = 0.3082153
"""p / m in the program that Mauro's group published with doi:10.1111/jace.15272."""


MODELS: dict[str, type[RelaxationModel]] = {
    cls.model: cls for cls in (TNMParameters, AdamGibbsParameters, MAPParameters)
}
"""Models of the relaxation time by name."""
