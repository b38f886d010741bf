"""The estimator: scans in, a glass and its covariance out, in milliseconds and with NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.estimator import windows
from lehr.glass.estimator.constants import NOISE_FLOOR_CPN, REFERENCE_WIDTHS
from lehr.glass.estimator.features import conditions_of, features_of, shifts
from lehr.glass.estimator.network import load_weights, posterior
from lehr.glass.scans import Scans
from lehr.glass.tnm import Ramp, ThermalProgram, TNMParameters
from lehr.glass.tnm.coordinates import LOWER, UPPER, Coordinates

__all__ = ["GlassEstimate", "estimate"]

_MAX_LN_RATE_RATIO = 7.5  # of a rate to the mean heating rate; the network has learnt ratios of up to about a thousand


@dataclass(frozen=True, eq=False)
class GlassEstimate:
    """What the network says of a glass.

    Attributes
    ----------
    mean : TNMParameters
        The glass.
    covariance : ndarray, shape (5, 5)
        Of ln_A, delta_h (J/mol), x, beta and the glass transition (K).
    theta : ndarray, shape (4,)
        The glass in `coordinates`, in which the posterior is a normal distribution.
    theta_covariance : ndarray, shape (4, 4)
        Its covariance.
    coordinates : Coordinates
        Of theta.
    """

    mean: TNMParameters
    covariance: NDArray[np.float64]
    theta: NDArray[np.float64]
    theta_covariance: NDArray[np.float64]
    coordinates: Coordinates

    @property
    def standard_errors(self) -> NDArray[np.float64]:
        """Of ln_A, delta_h, x, beta and the glass transition, shape (5,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def estimate(
    scans: Scans, *, faults: bool = False, weights: Mapping[str, NDArray[np.float32]] | None = None
) -> GlassEstimate:
    """Estimate a glass from scans of cycles that cool and heat.

    Parameters
    ----------
    scans : Scans
        One to ten; the program may have any cooling and heating rates, but no holds.
    faults : bool
        Allow for a thermal lag, a baseline and a temperature offset that are somewhat wrong.
    weights : mapping, optional
        Of another network than that which comes with lehr.

    Raises
    ------
    LehrError
        If the program has other segments, a scan does not show the whole transition, or rates are too far apart.
    """
    rates = _log_rates(scans.program)
    reference_rate = rates[:, 1].mean()
    relative = rates - reference_rate
    if np.abs(relative).max() > _MAX_LN_RATE_RATIO:
        raise LehrError(
            f"a rate is {np.exp(np.abs(relative).max()):.0f} times another",
            "The estimator knows ratios up to a thousand; fit such scans from another start.",
        )
    window = windows.window_of([(scan.temperature, scan.cpn) for scan in scans.scans])
    middle = window.centre + REFERENCE_WIDTHS * window.width
    noise = np.hypot(window.noise, NOISE_FLOOR_CPN)
    conditions = conditions_of([window.width / middle], [noise], [float(faults)], len(scans.scans))
    network = load_weights() if weights is None else weights
    mean, root = posterior(network, features_of(window.scans[None], relative[None]), conditions)
    theta = mean[0] - shifts(middle, window.width, np.exp(reference_rate))
    theta = np.clip(theta, LOWER, UPPER)
    coordinates = Coordinates(float(middle))
    try:
        glass = coordinates.tnm(theta)
    except LehrError:
        raise LehrError(
            "the estimator finds no glass that has such scans", "Check their normalisation and the rates."
        ) from None
    rows = coordinates.derivatives(theta) @ root[0]
    return GlassEstimate(glass, rows @ rows.T, theta, root[0] @ root[0].T, coordinates)


def _log_rates(program: ThermalProgram) -> NDArray[np.float64]:
    """Return the logarithms of cooling and heating rates in K/min, shape (cycles, 2)."""
    rates = []
    for number, cycle in enumerate(program.cycles, 1):
        ramps = [segment for segment in cycle.segments if isinstance(segment, Ramp)]
        if len(ramps) != 2 or len(cycle.segments) != 2:
            raise LehrError(
                f"cycle {number} does not just cool and heat", "The estimator has learnt cycles of two ramps only."
            )
        rates.append([ramp.rate for ramp in ramps])
    return np.asarray(np.log(rates))
