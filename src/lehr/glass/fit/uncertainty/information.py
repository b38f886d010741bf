"""What scans can say about a glass at best: Fisher information and the Cramer-Rao bound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.fit.least_squares.model import PredictionError, theta_derivatives
from lehr.glass.tnm import ThermalProgram, TNMParameters, default_temperature
from lehr.glass.tnm.coordinates import Coordinates

__all__ = ["Bound", "Information", "cramer_rao", "fisher_information"]

_ENGINE_TOLERANCE = 1e-5  # error of CpN, a tenth of that of a fit


class Bound(NamedTuple):
    """Standard deviations that no unbiased estimator can go below.

    Attributes
    ----------
    ln_A, delta_h, x, beta : float
        Of the parameters; delta_h in J/mol.
    glass_transition : float
        Of the temperature where tau = 100 s, in K.
    """

    ln_A: float
    delta_h: float
    x: float
    beta: float
    glass_transition: float


@dataclass(frozen=True, eq=False)
class Information:
    """Fisher information about the four parameters of a glass.

    Attributes
    ----------
    coordinates : Coordinates
        The theta that it is kept in.
    theta : ndarray, shape (4,)
        The glass.
    root : ndarray, shape (n, 4)
        A matrix whose product with itself, ``root.T @ root``, is the information about theta. Information from
        independent measurements adds up, and its roots are stacked.
    """

    coordinates: Coordinates
    theta: NDArray[np.float64]
    root: NDArray[np.float64]

    def __add__(self, other: Information) -> Information:
        """Add the information of another measurement of the same glass."""
        if (other.coordinates, *other.theta) != (self.coordinates, *self.theta):
            raise ValueError("information about two different glasses does not add up")
        return Information(self.coordinates, self.theta, compress(np.concatenate([self.root, other.root])))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Fisher information matrix of (ln_A, delta_h, x, beta), shape (4, 4); nearly singular by nature."""
        inverse = np.linalg.inv(self.coordinates.derivatives(self.theta)[:4])
        root = self.root @ inverse
        return np.asarray(root.T @ root)

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance of the five quantities at the bound, shape (5, 5); infinite where nothing is known."""
        return propagate(self.coordinates.derivatives(self.theta), covariance_root(self.root))

    @property
    def bound(self) -> Bound:
        """Cramer-Rao bound."""
        return Bound(*np.sqrt(np.diag(self.covariance)).tolist())

    @property
    def log_volume(self) -> float:
        """Logarithm of the volume of the error ellipsoid of theta, up to a constant; the smaller, the more is known."""
        with np.errstate(divide="ignore"):
            return float(-np.log(np.linalg.svd(self.root, compute_uv=False)).sum())


def fisher_information(
    parameters: TNMParameters,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    noise: float = 0.01,
    *,
    reference: float | None = None,
) -> Information:
    """Return the information about a glass in its scans with white noise.

    Parameters
    ----------
    parameters : TNMParameters
        The glass.
    program : ThermalProgram, optional
        Default: the six cycles of Table 1 of the paper.
    temperature : array_like, shape (points,), optional
        Equidistant temperatures in K at which each scan is measured. Default: those of the paper, every 0.1 K.
    noise : float
        Standard deviation of each CpN.
    reference : float, optional
        Reference temperature of theta in K; default: the glass transition.

    Raises
    ------
    LehrError
        If the noise is not positive, the temperatures are not equidistant, or the engine finds no signal.
    """
    if not noise > 0:
        raise LehrError(f"noise = {noise} is out of range", "It is the standard deviation of CpN and must be positive.")
    coordinates = Coordinates(reference or parameters.glass_transition)
    theta = coordinates.theta(parameters.as_tuple())
    grid = default_temperature() if temperature is None else np.asarray(temperature, dtype=float)
    try:
        _, columns = theta_derivatives(
            coordinates, theta, program or ThermalProgram.chr_cycles(), grid, _ENGINE_TOLERANCE
        )
    except PredictionError:
        raise LehrError(f"{parameters}: the engine finds no signal near it") from None
    return Information(coordinates, theta, compress(columns.reshape(4, -1).T / noise))


def cramer_rao(
    parameters: TNMParameters,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    noise: float = 0.01,
) -> Bound:
    """Return the Cramer-Rao bound: what noise leaves of the knowledge of a glass at best.

    Takes what `fisher_information` takes. The bound is proportional to the noise, so one call serves all levels.
    """
    return fisher_information(parameters, program, temperature, noise).bound


def compress(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the triangle R of a QR factorisation: the same product with itself, in few rows."""
    rows = rows[np.any(rows != 0.0, axis=1)]
    if len(rows) <= rows.shape[1]:
        return np.concatenate([rows, np.zeros((rows.shape[1] - len(rows), rows.shape[1]))])
    return np.asarray(np.linalg.qr(rows, mode="r"))


def covariance_root(root: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return C whose product ``C @ C.T`` is the inverse of ``root.T @ root``.

    Columns are scaled to length 1 first, so that units do not matter. Directions that carry no information get 1e100:
    finite, so that a zero derivative times it stays zero.
    """
    scale = np.linalg.norm(root, axis=0)
    scale[scale == 0.0] = 1.0
    _, singular, directions = np.linalg.svd(root / scale, full_matrices=False)
    lost = singular <= np.finfo(float).eps * root.shape[1] * singular.max(initial=0.0)
    inverse = np.where(lost, 1e100, 1.0 / np.where(lost, 1.0, singular))
    return np.asarray(directions.T * inverse / scale[:, None])


def propagate(derivatives: NDArray[np.float64], root: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance of quantities with derivatives in theta, for a root from `covariance_root`."""
    rows = derivatives @ root
    return np.asarray(rows @ rows.T)
