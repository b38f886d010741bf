"""A glass from enthalpy recovery at constant temperature alone, without scans."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.fit.least_squares.known import Known
from lehr.glass.fit.least_squares.solver import Solution, minimise
from lehr.glass.fit.uncertainty.information import compress, covariance_root, propagate
from lehr.glass.quantities import QUANTITIES, QUANTITY_NAMES
from lehr.glass.tnm import DEFAULT_TOLERANCE, LN_REFERENCE_TIME, TNMParameters
from lehr.glass.tnm.coordinates import LOWER, UPPER, Coordinates

__all__ = ["RecoveryFit", "fit_recovery"]

_TRIED = tuple(product((40.0, 80.0, 160.0, 320.0), (0.0, 5.0, 15.0), (0.3, 0.6, 0.85), (0.35, 0.55, 0.8)))
"""dh/(R Tm), Tg in K above the warmest hold, x and beta of starts."""

_MOST_STARTS = 6
_MOST_EVALUATIONS = 100
_CONVERGED = 1e-6  # relative change of the sum of squares
_GOOD = 3.0  # chi-square a value, beyond which the model does not follow the data
_UNKNOWN = 0.2  # standard error relative to delta_h, and of x and beta, from which on a quantity is not determined


@dataclass(frozen=True, eq=False)
class RecoveryFit:
    """A glass that loses enthalpy as was measured.

    Attributes
    ----------
    parameters : TNMParameters
        The glass.
    values, standard_errors : dict of float
        By the names of `lehr.glass.quantities.QUANTITIES`, in their units; with the errors of the data as given.
    covariance : ndarray, shape (5, 5)
        Of the values.
    residuals : ndarray, shape (values,)
        Measured minus fitted, in standard errors of the data.
    converged : bool
        A minimum was found.
    """

    parameters: TNMParameters
    values: dict[str, float]
    standard_errors: dict[str, float]
    covariance: NDArray[np.float64]
    residuals: NDArray[np.float64]
    converged: bool

    @property
    def chi_square(self) -> float:
        """Sum of squares of the residuals over their number: about 1 if the errors of the data are right."""
        return float(np.mean(self.residuals**2))

    @property
    def follows(self) -> bool:
        """The data are as near to the model as their errors say, and a minimum was found."""
        return self.converged and self.chi_square < _GOOD

    def report(self) -> str:
        """Return the result as text."""
        lines = [f"{'':24}{'value':>12}{'std. error':>12}"]
        for quantity in QUANTITIES:
            error = self.standard_errors[quantity.name]
            shown = f"{quantity.factor * error:12.2g}"
            lines.append(f"{quantity.heading:24}{quantity.factor * self.values[quantity.name]:12.6g}{shown}")
        lines += ["", f"{self.residuals.size} values, chi-square {self.chi_square:.2f} a value"]
        scale = {"delta_h": self.parameters.delta_h, "x": 1.0, "beta": 1.0}
        loose = [name for name, unit in scale.items() if self.standard_errors[name] > _UNKNOWN * unit]
        if not self.converged:
            lines.append("note: no minimum was found; fix what is known of the glass (--fix), or give priors")
        elif not self.follows:
            lines.append("note: the model does not follow the data, or their errors are larger than said")
        if loose:
            lines.append(f"note: the data do not determine {', '.join(loose)}: add scans, or fix what is known (--fix)")
        return "\n".join(lines)


def fit_recovery(known: Known, *, tolerance: float = DEFAULT_TOLERANCE) -> RecoveryFit:
    """Fit the four parameters to enthalpy recovery at constant temperatures, without scans.

    Parameters
    ----------
    known : Known
        The recoveries, and what else is known of the glass.
    tolerance : float, optional
        Error of Tf in K that the engine keeps, about.

    Raises
    ------
    LehrError
        If there are fewer values than parameters, or the engine follows none of the starts.
    """
    problem = _Problem(known, tolerance)
    if known.recovered + len(known.values) < LOWER.size:
        raise LehrError(
            f"{known.recovered} values cannot tell {LOWER.size} parameters",
            "Give more, fix some of them, or add scans.",
        )
    starts = [(problem.cost(theta), i, theta) for i, theta in enumerate(problem.starts())]
    best: Solution | None = None
    for cost, _, theta in sorted(starts)[:_MOST_STARTS]:
        found = problem.solve(theta) if np.isfinite(cost) else None
        if found is not None and (best is None or found.cost < best.cost):
            best = found
    if best is None:
        raise LehrError("the engine follows none of the starts of the fit", "Check the units of times and values.")
    coordinates, root = problem.coordinates, covariance_root(compress(best.jac))
    covariance = propagate(coordinates.derivatives(best.x), root)
    values = dict(zip(QUANTITY_NAMES, coordinates.values(best.x).tolist(), strict=True))
    errors = dict(zip(QUANTITY_NAMES, np.sqrt(np.diag(covariance)).tolist(), strict=True))
    rows = -best.fun[: known.recovered]
    return RecoveryFit(coordinates.tnm(best.x), values, errors, covariance, rows, best.status > 0)


class _Problem:
    """Deviations from the data in their errors, and their derivatives, over theta."""

    def __init__(self, known: Known, tolerance: float) -> None:
        self.known, self.tolerance = known, tolerance
        self.warmest = max(measured.hold_temperature for measured in known.recoveries)
        self.coordinates = Coordinates(self.warmest)
        self._bounds = known.within(LOWER, UPPER, self.warmest)

    def starts(self) -> list[NDArray[np.float64]]:
        """Return glasses whose Tg is not far above the warmest hold."""
        found = []
        values = {name: value for name, (value, _) in self.known.values.items()}
        for steepness, above, x, beta in _TRIED:
            tg = values.get("glass_transition", self.warmest + above)
            ln_tau = LN_REFERENCE_TIME + steepness * (1.0 - self.warmest / tg)
            theta = np.array([np.log(steepness), ln_tau, values.get("x", x), values.get("beta", beta)])
            found.append(np.clip(theta, *self._bounds))
        return found

    def cost(self, theta: NDArray[np.float64]) -> float:
        found = self.evaluate(theta)
        return np.inf if found is None else float(np.sum(found[0] ** 2))

    def evaluate(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return residuals and their derivatives, None where the engine finds nothing."""
        coordinates = self.coordinates
        rows, columns = [], []
        try:
            glass, by_theta = coordinates.glass(theta), coordinates.glass_derivatives(theta)
            for measured in self.known.recoveries:
                away, by = measured.deviations(glass, self.tolerance)
                rows.append(away)
                columns.append(by @ by_theta)
        except LehrError:
            return None
        quantities = dict(zip(QUANTITY_NAMES, coordinates.values(theta).tolist(), strict=True))
        derivatives = coordinates.derivatives(theta)
        for name, (value, error) in self.known.values.items():
            rows.append(np.array([(quantities[name] - value) / error]))
            columns.append(derivatives[[QUANTITY_NAMES.index(name)]] / error)
        return np.concatenate(rows), np.concatenate(columns)

    def solve(self, theta: NDArray[np.float64]) -> Solution | None:
        lower, upper = self._bounds
        inside = 1e-6 * (upper - lower)
        return minimise(
            self.evaluate, theta, lower + inside, upper - inside, soft=None, tolerance=_CONVERGED,
            evaluations=_MOST_EVALUATIONS,
        )  # fmt: skip
