"""The minimum of the sum of squares, and what its curvature says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lehr.glass.fit.least_squares.objective import Objective
from lehr.glass.fit.uncertainty.correlation import correlation_time, undone_by_fit
from lehr.glass.fit.uncertainty.information import compress, covariance_root, propagate
from lehr.glass.quantities import QUANTITY_NAMES
from lehr.glass.scans import Scans
from lehr.glass.tnm import RelaxationModel, TNMParameters

__all__ = ["Minimum"]

_MOST_INFLUENCE = 1.01  # length of a column of the root of the influence matrix, 1 but for rounding


@dataclass(frozen=True, eq=False)
class Minimum:
    """A glass, and how well it is known.

    Attributes
    ----------
    scans : Scans
        What was measured.
    fitted_scans : Scans
        The part around the transition that was fitted.
    parameters : TNMParameters
        The glass; that of another model is the TNM glass that touches it at T = Tf = Tm (`lehr.glass.tnm.coordinates`).
    glass : TNMParameters, AdamGibbsParameters or MAPParameters
        The glass in the model that was fitted.
    names : tuple of str
        The order of `values` and `covariance`: ln_A, delta_h (J/mol), x, beta, glass_transition (K), and the nuisance
        parameters: baselines in CpN and CpN/K, thermal_lag in s, temperature_offset in K.
    values : ndarray, shape (names,)
        Best values.
    covariance : ndarray, shape (names, names)
        Of the values, from the curvature of the sum of squares, enlarged by `correlation_time`.
    theta_covariance : ndarray, shape (4, 4)
        The same of the coordinates of the fit.
    noise : float
        Standard deviation of CpN.
    noise_given : float or None
        The same as it was given to the fit; None: it is that of the residuals.
    fitted : ndarray, shape (points,)
        CpN of the fit at all points, scan after scan.
    residuals : tuple of ndarray
        Of each scan, measured minus fitted: CpN, but in units of the step from glass to liquid at the reference
        temperature of the fit, where noise is the same everywhere.
    correlation_time : float
        By how much neighbouring residuals repeat each other; 1 for white noise.
    converged : bool
        The solver found a minimum.
    starts, evaluations : int
        How many starts were tried, how often the scans and their derivatives were computed.
    seconds : float
        What it took.
    objective : Objective
        The sum of squares.
    point : ndarray
        Where it is smallest: theta of `objective.model.coordinates`, and the nuisance parameters.
    """

    scans: Scans
    fitted_scans: Scans
    parameters: TNMParameters
    glass: RelaxationModel
    names: tuple[str, ...]
    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    theta_covariance: NDArray[np.float64]
    noise: float
    noise_given: float | None
    fitted: NDArray[np.float64]
    residuals: tuple[NDArray[np.float64], ...]
    correlation_time: float
    converged: bool
    starts: int
    evaluations: int
    seconds: float
    objective: Objective
    point: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        scans: Scans,
        objective: Objective,
        solution: Any,
        noise: float,
        noise_given: float | None,
        starts: int,
        seconds: float,
    ) -> Self:
        """Make it of what the solver has found."""
        model, count = objective.model, objective.model.data.size
        glass = model.coordinates.tnm(solution.x[:4])
        residuals = tuple(model.split(-solution.fun[:count] * objective.noise))
        # what is below the accuracy of the engine is not noise
        seen = noise > 2.0 * model.tolerance
        time = correlation_time(residuals) if seen else 1.0
        weighted = solution.jac.copy()
        weighted[:count] *= objective.noise / (max(noise, model.tolerance) * np.sqrt(time))
        root = covariance_root(compress(weighted))
        if time > 1.0 and noise_given is None and objective.loss == "linear":
            influence = weighted[:count] @ root
            influence[:, np.linalg.norm(influence, axis=0) > _MOST_INFLUENCE] = 0.0
            own, variance = undone_by_fit(residuals, [part.T for part in model.split(influence.T)], time)
            larger = own * variance / (time * noise**2)
            weighted[:count] /= np.sqrt(larger)
            time, root = time * larger, covariance_root(compress(weighted))
        root = root * np.sqrt(objective.variance_factor(solution.fun[:count]))
        derivatives = np.zeros((len(QUANTITY_NAMES) + len(model.names), model.size))
        derivatives[: len(QUANTITY_NAMES), :4] = model.coordinates.derivatives(solution.x[:4])
        derivatives[len(QUANTITY_NAMES) :, 4:] = np.eye(len(model.names))
        return cls(
            scans=scans,
            fitted_scans=model.scans,
            parameters=glass,
            glass=model.coordinates.glass(solution.x[:4]),
            names=(*QUANTITY_NAMES, *model.names),
            values=np.array([*glass.as_tuple(), glass.glass_transition, *solution.x[4:]]),
            covariance=propagate(derivatives, root),
            theta_covariance=root[:4] @ root[:4].T,
            noise=noise,
            noise_given=noise_given,
            fitted=(model.data + solution.fun[:count] * objective.noise) / model.step,
            residuals=residuals,
            correlation_time=time,
            converged=solution.status > 0,
            starts=starts,
            evaluations=model.evaluations,
            seconds=seconds,
            objective=objective,
            point=solution.x,
        )

    @property
    def glass_transition(self) -> float:
        """Temperature in K where tau = 100 s."""
        return self.parameters.glass_transition

    @property
    def _deviance(self) -> float:
        """-2 ln of the largest likelihood, but for a constant: white noise of the size that the residuals have."""
        squares = np.concatenate(self.residuals) ** 2
        return float(squares.size * np.log(max(squares.mean(), np.finfo(float).tiny)))

    @property
    def _free(self) -> int:
        """Number of parameters that were fitted, the size of the noise too."""
        return self.point.size - len(self.objective.known_glass.fixed) + 1

    @property
    def aic(self) -> float:
        """Akaike's criterion, for comparing models on the same scans: the lower the better.

        Where residuals repeat each other, differences of it are too large, by about `correlation_time`.
        """
        return self._deviance + 2.0 * self._free

    @property
    def bic(self) -> float:
        """The Bayesian criterion of Schwarz, as `aic`."""
        return float(self._deviance + np.log(self.fitted.size) * self._free)

    @cached_property
    def glass_alone(self) -> list[NDArray[np.float64]]:
        """CpN of the fit at the points of each scan, without what the instrument did."""
        model = self.objective.model
        return model.split(model.glass_alone(self.point))

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard deviation of each value."""
        return dict(zip(self.names, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    @cached_property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation of the values, shape (names, names)."""
        deviations = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.covariance / np.outer(deviations, deviations))

    @property
    def misfit_unit(self) -> float:
        """The sum of squares of the objective that one standard deviation makes: that of the standard errors."""
        model = self.objective.model
        noise = max(self.noise, model.tolerance) / self.objective.noise
        residuals = self.objective.residuals(self.point)[: model.data.size]
        return float(noise**2 * self.correlation_time * self.objective.variance_factor(residuals))

    @cached_property
    def fictive_temperatures(self) -> NDArray[np.float64]:
        """Tf' in K of the glass before each scan, shape (cycles,)."""
        return self._fictive_temperatures[0]

    @cached_property
    def fictive_temperature_errors(self) -> NDArray[np.float64]:
        """Standard errors of `fictive_temperatures` in K."""
        return self._fictive_temperatures[1]

    @cached_property
    def _fictive_temperatures(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values, derivatives = self.objective.model.limiting_fictive_temperatures(self.point)
        return values, np.sqrt(np.einsum("ci,ij,cj->c", derivatives, self.theta_covariance, derivatives))
