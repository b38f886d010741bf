"""How the step of the heat capacity from glass to liquid depends on temperature, and what it divides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError

__all__ = ["CONSTANT_STEP", "DivideAt", "Step", "fictive_temperatures"]

DivideAt = Literal["fictive", "temperature"]
"""Where the step is taken that Cp - Cp(glass) is divided by."""


@dataclass(frozen=True)
class Step:
    """The step of the heat capacity from glass to liquid, relative to that at a reference temperature.

    Attributes
    ----------
    reference : float
        K, where it is 1.
    slope : float
        1/K; a measured step usually falls, by 0.003 to 0.01 of itself a kelvin.
    at : {"fictive", "temperature"}
        What a scan of CpN was divided by: the step at the fictive temperature, so that CpN is dTf/dT (Moynihan et al.,
        J. Am. Ceram. Soc. 59 (1976) 12, eq. 6), or the step at the temperature itself (eq. 3 of the paper). The two are
        the same where the slope is 0.
    """

    reference: float = 0.0
    slope: float = 0.0
    at: DivideAt = "fictive"

    def relative(self, temperature: Any) -> Any:
        """Return the step at a temperature in K, or at each of an array, over the step at the reference."""
        return 1.0 + self.slope * (temperature - self.reference)

    def about(self, reference: float) -> Step:
        """Return the same step, told relative to that at another reference in K."""
        there = float(self.relative(reference))
        if there == 0.0:
            raise LehrError(f"the step from glass to liquid vanishes at {reference:g} K", "Take another reference.")
        return Step(reference, self.slope / there, self.at)


CONSTANT_STEP = Step()
"""The same at all temperatures: where nothing else is known."""


def fictive_temperatures(
    temperature: NDArray[np.float64], excess: NDArray[np.float64], step: Step
) -> NDArray[np.float64]:
    """Return Tf from the balance of enthalpies, for a scan that ends in the liquid.

    Heating from T to the last temperature takes as much more than a glass as the liquid takes from Tf to there.

    Parameters
    ----------
    temperature : ndarray, shape (points,)
        K, ascending.
    excess : ndarray, shape (points,)
        Cp - Cp(glass), over the step at the reference of `step`.
    step : Step
        The step from glass to liquid.

    Returns
    -------
    ndarray, shape (points,)
        K; NaN where the step vanishes between T and Tf, so that there is none.

    References
    ----------
    Moynihan, Easteal, De Bolt, Tucker, J. Am. Ceram. Soc. 59 (1976) 12, eq. 6.
    """
    end = float(temperature[-1])
    at_end = step.about(end)
    pieces = 0.5 * (excess[1:] + excess[:-1]) * np.diff(temperature) / step.relative(end)
    to_end = np.concatenate([np.cumsum(pieces[::-1])[::-1], [0.0]])
    # the step is linear: Tend - Tf is the nearer root of u - slope u^2/2 = area
    square = 1.0 - 2.0 * at_end.slope * to_end
    root = np.sqrt(np.where(square > 0.0, square, np.nan))
    return np.asarray(end - 2.0 * to_end / (1.0 + root))
