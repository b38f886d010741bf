"""What a fit has found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.fitting.coordinates import QUANTITIES
from lehr.fitting.information import compress, covariance_root, propagate
from lehr.fitting.objective import Objective
from lehr.fitting.scans import Scans
from lehr.physics import TNMParameters

__all__ = ["FitResult"]


@dataclass(frozen=True, eq=False)
class FitResult:
    """A glass, how well it is known, and what a reader has to be told.

    Attributes
    ----------
    scans : Scans
        What was measured.
    fitted_scans : Scans
        The part around the transition that was fitted.
    parameters : TNMParameters
        The glass.
    names : tuple of str
        The order of `values` and `covariance`: ln_A, delta_h (J/mol), x, beta, glass_transition (K), and the nuisance
        parameters: baselines in CpN and CpN/K, thermal_lag in s, temperature_offset in K.
    values : ndarray, shape (names,)
        Best values.
    covariance : ndarray, shape (names, names)
        Of the values, from the curvature of the sum of squares.
    noise : float
        Standard deviation of CpN.
    residuals : tuple of ndarray
        Measured minus fitted CpN of each scan.
    converged : bool
        SciPy found a minimum.
    starts, evaluations : int
        How many starts were tried, how often the engine simulated the scans.
    seconds : float
        What it took.
    """

    scans: Scans
    fitted_scans: Scans
    parameters: TNMParameters
    names: tuple[str, ...]
    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    noise: float
    residuals: tuple[NDArray[np.float64], ...]
    converged: bool
    starts: int
    evaluations: int
    seconds: float
    objective: Objective
    point: NDArray[np.float64]
    theta_covariance: NDArray[np.float64]

    @classmethod
    def of(
        cls, scans: Scans, objective: Objective, solution: Any, noise: float, starts: int, seconds: float
    ) -> FitResult:
        """Make it of SciPy's result."""
        model = objective.model
        glass = model.coordinates.glass(solution.x[:4])
        weighted = solution.jac.copy()
        weighted[: model.data.size] *= objective.noise / noise
        root = covariance_root(compress(weighted))
        derivatives = np.zeros((len(QUANTITIES) + len(model.names), model.size))
        derivatives[: len(QUANTITIES), :4] = model.coordinates.derivatives(solution.x[:4])
        derivatives[len(QUANTITIES) :, 4:] = np.eye(len(model.names))
        residuals = model.split(-solution.fun[: model.data.size] * objective.noise)
        return cls(
            scans=scans,
            fitted_scans=model.scans,
            parameters=glass,
            names=(*QUANTITIES, *model.names),
            values=np.array([*glass.as_tuple(), glass.glass_transition, *solution.x[4:]]),
            covariance=propagate(derivatives, root),
            theta_covariance=root[:4] @ root[:4].T,
            noise=noise,
            residuals=tuple(residuals),
            converged=solution.status > 0,
            starts=starts,
            evaluations=model.evaluations,
            seconds=seconds,
            objective=objective,
            point=solution.x,
        )

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard deviation of each value."""
        return dict(zip(self.names, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    @cached_property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation of the values, shape (names, names)."""
        deviations = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.covariance / np.outer(deviations, deviations))
