r"""The paper's own algorithm, O(N^2): a reference for `simulate`, not for daily work.

Eq. 4 of the paper: the temperature changes in jumps, and each jump relaxes by the full memory function,

.. math:: T_{f,n} = T_0 + \sum_j \Delta T_j \{1 - \exp[-(\sum_{k=j}^{n} \Delta t_k / \tau_k)^\beta]\},

with tau_k taken at the fictive temperature before the hold. It shares no step with the exponential sum.
Compiled; a whole cycle of the paper, 37,000 jumps, still takes ten seconds or more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.tnm import _tnm
from lehr.glass.tnm.parameters import RelaxationModel

__all__ = ["simulate_direct"]


def simulate_direct(
    parameters: RelaxationModel,
    cooling_rate: float,
    heating_rate: float,
    *,
    high: float,
    low: float,
    step: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Simulate one cooling and heating cycle by Eq. 4 of the paper.

    Parameters
    ----------
    parameters : TNMParameters, or another model
        The glass.
    cooling_rate, heating_rate : float
        Rates in K/min, positive.
    high, low : float
        Start of the cooling and of the heating in K; the glass starts in equilibrium at `high`.
    step : float
        Size of a temperature jump in K; the error falls in proportion to it.

    Returns
    -------
    temperature : ndarray, shape (n,)
        Middle of each jump of the heating in K.
    cpn : ndarray, shape (n,)
        Normalised heat capacity at these temperatures.
    fictive_temperature : ndarray, shape (n + 1,)
        Fictive temperature in K at the ends of the jumps.

    Raises
    ------
    LehrError
        If `step` or a rate is not positive, or the cycle is shorter than a jump.
    """
    if not (step > 0 and high - low >= step and low > 0 and cooling_rate > 0 and heating_rate > 0):
        raise LehrError(f"a cycle from {high} K to {low} K in jumps of {step} K is not possible")
    jumps = round((high - low) / step)
    size = (high - low) / jumps
    holds = np.repeat([60.0 * size / cooling_rate, 60.0 * size / heating_rate], jumps)
    signed = np.repeat([-size, size], jumps)
    fictive = np.empty(2 * jumps)
    if _tnm.direct(parameters.compiled(), parameters.beta, high, signed, holds, fictive):
        raise LehrError("out of memory", "Take larger jumps.")
    heating = fictive[jumps - 1 :]
    return low + size * (np.arange(jumps) + 0.5), np.diff(heating) / size, heating
