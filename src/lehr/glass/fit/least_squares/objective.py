"""The sum of squares that a fit makes small."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.fit.least_squares.fixed import FixedQuantity
from lehr.glass.fit.least_squares.known import Known
from lehr.glass.fit.least_squares.model import PredictionError, ScanModel
from lehr.glass.fit.least_squares.solver import Solution, minimise
from lehr.glass.quantities import QUANTITY_NAMES

__all__ = ["LOSSES", "Objective"]

LOSSES = ("linear", "soft_l1")
"""Least squares, and a loss that lets spikes pull no more than a few standard deviations do."""

_OUTLIER_DEVIATIONS = 2.0  # standard deviations from which on soft_l1 takes residuals linearly

_CONVERGED = 1e-3  # change of the sum of squares that ends a fit: 0.03 standard deviations of one parameter

_IMPOSSIBLE = 1e3  # residual, in units of the noise, where the engine finds no signal


class Objective:
    """Residuals in units of the noise; what is known beforehand, of nuisance parameters and of the glass, adds rows.

    Parameters
    ----------
    model : ScanModel
        What predicts the scans.
    noise : float
        Standard deviation of each CpN.
    loss : str
        One of `LOSSES`.
    known : Known
        What is known of the glass from elsewhere.
    """

    def __init__(self, model: ScanModel, noise: float, loss: str = "linear", known: Known | None = None) -> None:
        if loss not in LOSSES:
            raise LehrError(f"loss '{loss}' is not offered", f"Take one of {', '.join(LOSSES)}.")
        self.model, self.noise, self.loss = model, noise, loss
        self.known_glass = known or Known()
        errors = [(4 + i, 1.0 / term.error) for i, term in enumerate(model.terms) if term.error]
        self._prior = np.zeros((len(errors), model.size))
        for row, (column, weight) in enumerate(errors):
            self._prior[row, column] = weight

    @property
    def known(self) -> int:
        """Number of rows that say what is known beforehand."""
        return len(self._prior) + len(self.known_glass.values) + self.known_glass.recovered

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and the upper bounds of all parameters."""
        return self.known_glass.within(*self.model.bounds(), self.model.coordinates.reference)

    def variance_factor(self, residuals: NDArray[np.float64]) -> float:
        """Return what the covariance from the curvature is to be multiplied by, for residuals in units of the noise.

        It is the mean of psi^2 over that of psi', of an M-estimator with the influence psi (Huber and Ronchetti, Robust
        Statistics, 2009, chapter 7).
        """
        if self.loss == "linear":
            return 1.0
        root = np.sqrt(1.0 + (residuals / _OUTLIER_DEVIATIONS) ** 2)
        return float(np.mean((residuals / root) ** 2) / np.mean(root**-3))

    def residuals(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the residuals at a point, shape (points + known,)."""
        try:
            rows = (self.model.predict(point) - self.model.data) / self.noise
        except PredictionError:
            rows = np.full(self.model.data.size, _IMPOSSIBLE)
        return np.concatenate([rows, self._prior @ point, self._of_glass(point), self._of_recovery(point)[0]])

    def misfit(self, point: NDArray[np.float64], unit: float) -> float:
        """Return the sum of squares, by the loss, in a unit; with what is known beforehand, whose unit is its own."""
        rows = self.residuals(point)
        data, known = rows[: self.model.data.size], rows[self.model.data.size :]
        squares = data**2
        if self.loss != "linear":
            squares = 2.0 * _OUTLIER_DEVIATIONS**2 * (np.sqrt(1.0 + squares / _OUTLIER_DEVIATIONS**2) - 1.0)
        return float(squares.sum() / unit + np.sum(known**2))

    def jacobian(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return their derivatives, shape (points + known, parameters).

        Raises
        ------
        PredictionError
            If the engine finds no signal beside the point.
        """
        by_glass = np.zeros((len(self.known_glass.values), self.model.size))
        rows = [QUANTITY_NAMES.index(name) for name in self.known_glass.values]
        errors = np.array([error for _, error in self.known_glass.values.values()])
        by_glass[:, :4] = self.model.coordinates.derivatives(point[:4])[rows] / errors[:, None]
        by_recovery = self._of_recovery(point)[1]
        return np.concatenate([self.model.jacobian(point) / self.noise, self._prior, by_glass, by_recovery])

    def _of_glass(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far the glass is from what is known of it, in standard errors."""
        known = self.known_glass.values
        if not known:
            return np.empty(0)
        found = dict(zip(QUANTITY_NAMES, self.model.coordinates.values(point[:4]).tolist(), strict=True))
        return np.array([(found[name] - mean) / error for name, (mean, error) in known.items()])

    def _of_recovery(self, point: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far the glass is from measured recovery, in standard errors, and the derivatives."""
        rows, derivatives = [np.empty(0)], [np.empty((0, self.model.size))]
        coordinates = self.model.coordinates
        for measured in self.known_glass.recoveries:
            try:
                away, by = measured.deviations(coordinates.glass(point[:4]), self.model.tolerance)
            except LehrError:
                away, by = np.full(measured.seconds.size, _IMPOSSIBLE), np.zeros((measured.seconds.size, 4))
            else:
                by = by @ coordinates.glass_derivatives(point[:4])
            rows.append(away)
            derivatives.append(np.pad(by, ((0, 0), (0, self.model.size - 4))))
        return np.concatenate(rows), np.concatenate(derivatives)

    def solve(
        self, start: NDArray[np.float64], evaluations: int, fixed: FixedQuantity | None = None
    ) -> Solution | None:
        """Return the minimum that is found from a start, or None if the engine finds no signals there.

        With a quantity that is fixed, its point is that of the free coordinates.
        """
        lower, upper = self.bounds()
        if fixed is not None:
            start, lower, upper = (fixed.free(point) for point in (start, lower, upper))

        def evaluate(free: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
            point = free if fixed is None else fixed.point(free)
            try:
                jacobian = self.jacobian(point)
            except PredictionError:
                return None
            # the model has kept the prediction that it made on the way
            return self.residuals(point), jacobian if fixed is None else jacobian @ fixed.derivatives(free)

        inside = 1e-6 * np.minimum(upper - lower, 1.0)
        # a trial step to the end of what is possible overflows, and is rejected
        with np.errstate(all="ignore"):
            return minimise(
                evaluate,
                start,
                lower + inside,
                upper - inside,
                soft=None if self.loss == "linear" else _OUTLIER_DEVIATIONS,
                tolerance=_CONVERGED / self.model.data.size,
                evaluations=evaluations,
            )
