"""The estimator: scans in, a glass and its covariance out, in milliseconds and with NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.estimator import windows
from lehr.glass.estimator.features import NOISE_FLOOR, conditions_of, features_of, shifts
from lehr.glass.estimator.network import forward
from lehr.glass.fit.coordinates import LOWER, UPPER, Coordinates
from lehr.glass.fit.scans import Scans
from lehr.glass.tnm import Ramp, ThermalProgram, TNMParameters

__all__ = ["Estimate", "estimate", "inverse_root", "load_weights", "log_rates", "posterior", "read_weights"]

_MAX_RELATIVE_RATE = 7.5  # of ln(cooling rate/heating rate); beyond what the network has learnt nothing is known


@dataclass(frozen=True, eq=False)
class Estimate:
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
) -> Estimate:
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
    rates = log_rates(scans.program)
    reference_rate = rates[:, 1].mean()
    relative = rates - reference_rate
    if np.abs(relative).max() > _MAX_RELATIVE_RATE:
        raise LehrError(
            f"a rate is {np.exp(np.abs(relative).max()):.0f} times another",
            "The estimator knows ratios up to a thousand; fit such scans from another start.",
        )
    window = windows.window_of([(scan.temperature, scan.cpn) for scan in scans.scans])
    middle = window.centre + windows.REFERENCE * window.width
    noise = np.hypot(window.noise, NOISE_FLOOR)
    conditions = conditions_of([window.width / middle], [noise], [float(faults)], len(scans.scans))
    network = load_weights() if weights is None else weights
    mean, root = posterior(network, features_of(window.scans[None], relative[None]), conditions)
    theta = mean[0] - shifts(middle, window.width, np.exp(reference_rate))
    theta = np.clip(theta, LOWER, UPPER)
    coordinates = Coordinates(float(middle))
    try:
        glass = coordinates.glass(theta)
    except LehrError:
        raise LehrError(
            "the estimator finds no glass that has such scans", "Check their normalisation and the rates."
        ) from None
    rows = coordinates.derivatives(theta) @ root[0]
    return Estimate(glass, rows @ rows.T, theta, root[0] @ root[0].T, coordinates)


def log_rates(program: ThermalProgram) -> NDArray[np.float64]:
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


def posterior(
    weights: Mapping[str, NDArray[np.float32]], scans: NDArray[np.float32], conditions: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means, shape (n, 4), and roots C of the covariances C C^T of the answers, shape (n, 4, 4)."""
    # far from the transition all scans are much alike: what tells them apart has to be as large there as elsewhere
    alike = (scans - weights["scans/shift"]) / weights["scans/scale"]
    outputs = forward(weights, alike, conditions).astype(np.float64)
    scale = weights["answers/scale"].astype(np.float64)
    mean = outputs[:, :4] * scale + weights["answers/shift"]
    return mean, scale[:, None] * inverse_root(outputs)


def inverse_root(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return C = U^-1, shape (n, 4, 4), for the factor U = diag(exp d) (1 + N) of the precision."""
    upper = np.tile(np.eye(4), (len(outputs), 1, 1))
    upper[:, *np.triu_indices(4, 1)] = outputs[:, 8:]
    return np.asarray(np.linalg.inv(np.exp(np.clip(outputs[:, 4:8], -3.0, 7.8))[:, :, None] * upper))


@cache
def load_weights() -> dict[str, NDArray[np.float32]]:
    """Return the weights that come with lehr, in float32."""
    with resources.as_file(resources.files("lehr.glass.estimator") / "estimator.npz") as path:
        return read_weights(path)[0]


def read_weights(path: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Return weights and their record."""
    with np.load(path) as content:
        weights = {name: content[name].astype(np.float32) for name in content.files if name != "record"}
        return weights, json.loads(str(content["record"]))
