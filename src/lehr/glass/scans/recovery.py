"""Enthalpy recovery as it was measured: what a glass that is held at one temperature loses with time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.tnm import Cycle, Hold, Jump, Ramp, RelaxationModel, simulate_recovery

__all__ = ["MeasuredRecovery"]

_FARTHEST_KELVIN = 150.0  # of Tf from a hold; more is another unit
_ABOVE_KELVIN = 150.0  # the hold, where the glass was in equilibrium, if nothing else is said


@dataclass(frozen=True, eq=False)
class MeasuredRecovery:
    """Tf, or the enthalpy that was lost, after holds of several times.

    Attributes
    ----------
    before : Cycle
        What was done first, from equilibrium, temperatures in K: its last ramp or jump leads to the hold.
    seconds : ndarray, shape (times,)
        How long the glass was held, in s.
    values : ndarray, shape (times,)
        Tf in K, or the enthalpy lost since the hold began.
    errors : ndarray, shape (times,)
        Standard errors of the values.
    step : float or None
        Step of the heat capacity from glass to liquid in the unit of the enthalpy a kelvin; None: values are Tf.
    source : str
        Where it comes from.

    Raises
    ------
    LehrError
        If the arrays do not fit, or something is out of range.
    """

    before: Cycle
    seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    step: float | None = None
    source: str = "recovery"

    def __post_init__(self) -> None:
        shapes = {np.shape(array) for array in (self.seconds, self.values, self.errors)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1 or not self.seconds.size:
            raise LehrError(f"{self.source}: times, values and errors differ in number", "Give one of each.")
        if not (np.isfinite(self.seconds) & (self.seconds >= 0) & np.isfinite(self.values)).all():
            raise LehrError(f"{self.source}: a time or a value is out of range", "Times in s, not negative.")
        if not (np.isfinite(self.errors) & (self.errors > 0)).all():
            raise LehrError(f"{self.source}: an error is out of range", "A standard error is positive.")
        if self.step is not None and not (np.isfinite(self.step) and self.step > 0):
            raise LehrError(f"{self.source}: a step of {self.step:g} is out of range", "It is positive.")
        if self.step is None and not (self.values > 0).all():
            raise LehrError(f"{self.source}: Tf of {self.values.min():g} K", "Tf is in K; an enthalpy needs a step.")
        last = self.before.segments[-1]
        if not isinstance(last, Ramp | Jump) or isinstance(last.to, str):
            raise LehrError(f"{self.source}: the hold has no temperature", "Let the last ramp or jump lead to it.")
        away = self.values - self.hold_temperature if self.step is None else np.zeros(1)
        if np.abs(away).max() > _FARTHEST_KELVIN:
            farthest = self.values[np.abs(away).argmax()]
            raise LehrError(
                f"{self.source}: Tf of {farthest:g} K in a hold at {self.hold_temperature:g} K",
                "Tf is in K, or written as '160 degC'.",
            )
        if "lowest" in (self.before.start, *(s.to for s in self.before.segments if not isinstance(s, Hold))):
            raise LehrError(f"{self.source}: 'lowest' is not a temperature here", "Give it in K.")

    def deviations(self, glass: RelaxationModel, tolerance: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far a glass is from the values in their errors, and the derivatives, (times, parameters).

        Raises
        ------
        LehrError
            If the engine cannot simulate it.
        """
        found = simulate_recovery(glass, self._before_in_kelvin, self.seconds, tolerance=tolerance)
        if self.step is None:
            predicted, derivatives = found.fictive_temperature, found.jacobian
        else:
            predicted, derivatives = self.step * found.recovered, self.step * found.recovered_jacobian
        return (predicted - self.values) / self.errors, derivatives / self.errors[:, None]

    @property
    def hold_temperature(self) -> float:
        """Temperature of the hold in K."""
        last = self.before.segments[-1]
        return float("nan") if isinstance(last, Hold) or isinstance(last.to, str) else last.to

    @property
    def _before_in_kelvin(self) -> Cycle:
        """The cycle with a temperature in K for "highest": so hot that the glass is in equilibrium there."""
        ends = [segment.to for segment in self.before.segments if not isinstance(segment, Hold)]
        hot = max(end for end in ends if not isinstance(end, str)) + _ABOVE_KELVIN
        segments = tuple(
            replace(segment, to=hot) if isinstance(segment, Ramp | Jump) and segment.to == "highest" else segment
            for segment in self.before.segments
        )
        return Cycle(segments, hot if self.before.start == "highest" else self.before.start)
