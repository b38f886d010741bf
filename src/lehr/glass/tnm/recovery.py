r"""Relaxation at constant temperature: Tf after holds of many lengths, with derivatives.

Enthalpy recovery is :math:`\Delta H(t_a) = \Delta c_p [T_f(0) - T_f(t_a)]`. Tf at the end of a hold is also Tf' of a
heating scan that follows it at once: what relaxes on the way to the scan is left out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.status import Status
from lehr.glass.tnm import _tnm
from lehr.glass.tnm.parameters import RelaxationModel
from lehr.glass.tnm.program import Cycle, Hold, compile_cycles
from lehr.glass.tnm.sensitivities import LANES, compiled_kernels, in_own_units
from lehr.glass.tnm.simulate import DEFAULT_TOLERANCE, check_tolerance

__all__ = ["Recovery", "simulate_recovery"]


@dataclass(frozen=True, eq=False)
class Recovery:
    """Tf of one glass while it is held at one temperature.

    Attributes
    ----------
    parameters : TNMParameters, or another model
        The glass.
    before : Cycle
        What was done to it before the hold.
    seconds : ndarray, shape (times,)
        How long it has been held, in s.
    fictive_temperature : ndarray, shape (times,)
        Tf in K.
    jacobian : ndarray, shape (times, parameters)
        Derivatives of Tf in K with respect to the parameters, in their order.
    start : float
        Tf in K where the hold begins.
    start_jacobian : ndarray, shape (parameters,)
        Derivatives of `start`.
    """

    parameters: RelaxationModel
    before: Cycle
    seconds: NDArray[np.float64]
    fictive_temperature: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    start: float
    start_jacobian: NDArray[np.float64]

    @property
    def recovered(self) -> NDArray[np.float64]:
        """Tf(0) - Tf(t) in K, shape (times,): the enthalpy that has been lost in units of the step dCp."""
        return self.start - self.fictive_temperature

    @property
    def recovered_jacobian(self) -> NDArray[np.float64]:
        """Derivatives of `recovered`, shape (times, parameters)."""
        return self.start_jacobian - self.jacobian


def simulate_recovery(
    parameters: RelaxationModel, before: Cycle, seconds: ArrayLike, *, tolerance: float = DEFAULT_TOLERANCE
) -> Recovery:
    """Simulate Tf in a hold, at many times at once, and its derivatives with respect to the parameters.

    One simulation serves all times; a cycle for each would do the thermal history and all earlier times again.

    Parameters
    ----------
    parameters : TNMParameters, AdamGibbsParameters or MAPParameters
        The glass.
    before : Cycle
        What is done to it first, temperatures in K: its last ramp or jump leads to the temperature of the hold.
    seconds : array_like, shape (times,)
        How long it is then held, in s, in any order; 0 is where the hold begins.
    tolerance : float, optional
        As in `simulate_history`: about the error of Tf in K.

    Returns
    -------
    Recovery

    Raises
    ------
    LehrError
        If a time is negative or not finite, or the integration fails.
    """
    times = np.asarray(seconds, dtype=float)
    if times.ndim != 1 or not times.size or not (np.isfinite(times) & (times >= 0.0)).all():
        raise LehrError("the times of a hold are out of range", "Give one or more finite times in s, none negative.")
    check_tolerance(tolerance)
    ascending, place = np.unique(times, return_inverse=True)
    ends = ascending[ascending > 0.0]
    # without a hold there is nothing to record
    holds = tuple(Hold(float(length)) for length in np.diff(ends, prepend=0.0)) or (Hold(1.0),)
    programs = compile_cycles([Cycle((*before.segments, *holds), start=before.start)], nan, nan, recorded=False)
    fictive, jacobian = _differentiate(parameters, programs, len(holds), tolerance)
    chosen = place + (ascending[0] > 0.0)
    return Recovery(parameters, before, times, fictive[chosen], jacobian[chosen], float(fictive[0]), jacobian[0])


def _differentiate(
    glass: RelaxationModel, programs: _tnm.Programs, holds: int, tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Tf where the holds begin and at the end of each, and its derivatives."""
    kernel, by_beta = compiled_kernels(glass.beta)
    others = len(glass.kernel_units)
    fictive, jacobian = np.empty(holds + 1), np.empty((holds + 1, others + 1))
    for start in range(0, others, LANES):  # a run for each three parameters; all take the same steps
        by = np.empty((holds + 1, LANES + 1))
        code = _tnm.recovery(glass.compiled(start), kernel, by_beta, programs, holds, tolerance, fictive, by)
        if code != Status.OK:
            raise LehrError(f"{glass}: {Status(code).message}")
        stop = min(start + LANES, others)
        jacobian[:, start:stop] = by[:, : stop - start]
        jacobian[:, -1] = by[:, -1]
    in_own_units(glass, jacobian)
    return fictive, jacobian
