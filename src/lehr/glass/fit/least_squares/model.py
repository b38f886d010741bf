"""What the engine predicts for measured scans, and how that changes with the parameters."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.fit.least_squares.nuisance import Nuisance
from lehr.glass.instrument import thermal_lag
from lehr.glass.scans import CpnScan, Scans
from lehr.glass.tnm import DEFAULT_TOLERANCE, Status, ThermalProgram, simulate_batch, simulate_sensitivities
from lehr.glass.tnm.coordinates import LOWER, UPPER, Coordinates
from lehr.glass.tnm.program import SECONDS_PER_MINUTE

__all__ = ["PredictionError", "ScanModel", "theta_derivatives"]

_NON_LINEAR = ("thermal_lag", "temperature_offset")
"""Nuisance parameters that the prediction is not a linear function of."""

_MOST_OFFSET_ERRORS = 5.0  # largest offset of the thermometer in its standard errors, so that scans keep the transition
_GRID_POINTS = 2000  # of a grid that is laid between measured temperatures, and of one that a lag acts on


class PredictionError(Exception):
    """The engine found no signal for these parameters."""


@dataclass(frozen=True, eq=False)
class _Block:
    """Scans that the engine simulates in one go, because they share their temperatures."""

    program: ThermalProgram
    rows: list[int]
    """Their numbers among all scans."""
    grid: NDArray[np.float64]
    index: NDArray[np.intp]
    """Where the measured temperatures are in the grid; shape (points,), or (points, 4) if they lie between."""
    weights: NDArray[np.float64] | None
    """Of the cubic interpolation between four points of the grid."""

    @property
    def rates(self) -> NDArray[np.float64]:
        """Heating rate of each scan in K/min."""
        return np.array(self.program.heating_rates)

    def axis(self, values: dict[str, float]) -> NDArray[np.float64]:
        """Return the true temperatures in K of the grid."""
        return self.grid - values.get("temperature_offset", 0.0)

    def lagged(self, signals: NDArray[np.float64], values: dict[str, float]) -> NDArray[np.float64]:
        """Return signals on the grid, shape (n, scans, points), as the sensor sees them."""
        if "thermal_lag" not in values:
            return signals
        return thermal_lag(signals, values["thermal_lag"], temperature=self.grid, heating_rate=self.rates)

    def measured(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take signals from the grid, on the last axis, to the measured temperatures."""
        if self.weights is None:
            return values[..., self.index]
        return np.asarray(np.einsum("...pk,pk->...p", values[..., self.index], self.weights))


class ScanModel:
    """Prediction of the scans, all in one vector, scan after scan.

    Parameters
    ----------
    scans : Scans
        What was measured.
    coordinates : Coordinates
        The theta that the glass is given in.
    nuisance : Nuisance
        What the instrument may have done; its parameters follow theta.
    tolerance : float
        Error of CpN that the engine keeps.
    """

    def __init__(
        self,
        scans: Scans,
        coordinates: Coordinates,
        nuisance: Nuisance | None = None,
        tolerance: float = DEFAULT_TOLERANCE,
    ) -> None:
        self.scans, self.coordinates, self.nuisance = scans, coordinates, nuisance or Nuisance()
        self.names = self.nuisance.names(len(scans.scans))
        self.evaluations = 0
        self.tolerance = tolerance
        self._blocks = _blocks(scans, self.nuisance)
        self._ends = np.cumsum([0, *(scan.cpn.size for scan in scans.scans)])

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 4 + len(self.names)

    @cached_property
    def data(self) -> NDArray[np.float64]:
        """Measured CpN, shape (points,)."""
        return np.concatenate([scan.cpn for scan in self.scans.scans])

    def split(self, vector: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return a vector over all points as one array for each scan."""
        return np.split(vector, self._ends[1:-1], axis=-1)

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and the upper bounds of all parameters."""
        # a sensor so slow that it needs the whole scan to follow shows no transition
        spans = [s.temperature[-1] - s.temperature[0] for s in self.scans.scans]
        slowest = SECONDS_PER_MINUTE * min(np.array(spans) / self.scans.program.heating_rates)
        far = _MOST_OFFSET_ERRORS * self.nuisance.temperature_offset
        limits = {"thermal_lag": (0.0, slowest), "temperature_offset": (-far, far)}
        lower, upper = zip(*(limits.get(name, (-np.inf, np.inf)) for name in ("", *self.names)), strict=True)
        return np.concatenate([LOWER, lower[1:]]), np.concatenate([UPPER, upper[1:]])

    def predict(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return CpN of all points.

        Raises
        ------
        PredictionError
            If the engine finds no signal.
        """
        values = self._values(point)
        out = np.zeros(self.data.size)
        self.evaluations += 1
        for block in self._blocks:
            signals = _simulate(self.coordinates, point[None, :4], block.program, block.axis(values), self.tolerance)
            self._add(out, block, block.lagged(signals, values)[0])
        return np.asarray(out + self._coefficients(point) @ self._baseline(out))

    def glass_alone(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return CpN of all points without what the instrument did."""
        return self.predict(np.concatenate([point[:4], np.zeros(len(self.names))]))

    def jacobian(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives of `predict`, shape (points, parameters).

        Raises
        ------
        PredictionError
            If the engine finds no signal.
        """
        values = self._values(point)
        smooth = [name for name in self.names if name in _NON_LINEAR]
        out = np.zeros((5 + len(smooth), self.data.size))
        self.evaluations += 1
        for block in self._blocks:
            signals, columns = theta_derivatives(
                self.coordinates, point[:4], block.program, block.axis(values), self.tolerance
            )
            slope = np.gradient(block.lagged(signals[None], values)[0], block.grid, axis=-1)
            # the lagged signal y of s obeys y + q lag dy/dT = s, so that dy/dlag is the lagged -q dy/dT
            drag = block.lagged(-slope[None] * block.rates[:, None] / SECONDS_PER_MINUTE, values)[0]
            moved = {"thermal_lag": drag, "temperature_offset": -slope}
            glass = block.lagged(np.concatenate([signals[None], columns]), values)
            self._add(out, block, np.stack([*glass, *(moved[name] for name in smooth)]))
        cpn, columns = out[0], out[1:]
        if self.nuisance.baseline == "lines":
            one = np.ones(1)
            columns *= 1.0 + self._coefficients(point) @ (self._baseline(one) - self._baseline(0.0 * one))
        return np.asarray(np.concatenate([columns[:4], self._baseline(cpn), columns[4:]]).T)

    def limiting_fictive_temperatures(
        self, theta: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return Tf' in K of the glass before each scan, and its derivatives by theta, shape (scans, 4)."""
        glass, program = self.coordinates.glass(theta), self.scans.kelvin_program
        ends = np.array([self.scans.scans[0].temperature[0], self.scans.scans[0].temperature[-1]])
        found = simulate_sensitivities(glass, program=program, temperature=ends, tolerance=self.tolerance)
        return found.limiting_fictive_temperature, found.limiting_jacobian @ self.coordinates.derivatives(theta)[:4]

    def _values(self, point: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self.names, point[4:].tolist(), strict=True))

    def _add(self, out: NDArray[np.float64], block: _Block, signals: NDArray[np.float64]) -> None:
        """Add the signals of a block, shape (..., scans, points), to a vector over all points."""
        for i, row in enumerate(block.rows):
            out[..., self._ends[row] : self._ends[row + 1]] += block.measured(signals[..., i, :])

    def _coefficients(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the parameters of the baseline."""
        return np.asarray(point[4 : 4 + len(self._powers) * (2 if self.nuisance.baseline == "lines" else 1)])

    def _baseline(self, cpn: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives by the parameters of the baseline, (parameters, points), for a CpN without it."""
        if self.nuisance.baseline != "lines":
            return self._powers
        # in the order of the names: glass, then liquid, of each scan
        glass, liquid = (
            part.reshape(-1, 2, self.data.size) for part in (self._powers * (1.0 - cpn), self._powers * cpn)
        )
        return np.asarray(np.stack([glass, liquid], axis=1).reshape(-1, self.data.size))

    @cached_property
    def _powers(self) -> NDArray[np.float64]:
        """Powers of the temperature for the lines of each scan, shape (lines, points)."""
        powers = range({"none": 0, "offset": 1}.get(self.nuisance.baseline, 2))
        temperature = np.concatenate([scan.temperature for scan in self.scans.scans]) - self.coordinates.reference
        terms = np.array([temperature**power for power in powers]).reshape(-1, temperature.size)
        if not self.nuisance.per_scan:
            return terms
        cycles = np.arange(len(self.scans.scans))
        number = np.repeat(cycles, np.diff(self._ends))
        return np.concatenate([terms * (number == i) for i in cycles])


def theta_derivatives(
    coordinates: Coordinates,
    theta: NDArray[np.float64],
    program: ThermalProgram,
    temperature: NDArray[np.float64],
    tolerance: float = DEFAULT_TOLERANCE,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return CpN, shape (cycles, points), and its derivatives with respect to theta, shape (4, cycles, points).

    Raises
    ------
    PredictionError
        If the engine finds no signal.
    """
    try:
        glass = coordinates.glass(theta)  # within the bounds of theta, but tau = 100 s at no temperature
        found = simulate_sensitivities(glass, program=program, temperature=temperature, tolerance=tolerance)
    except LehrError:
        raise PredictionError from None
    return found.cpn, np.moveaxis(found.jacobian @ coordinates.derivatives(theta)[:4], -1, 0)


def _simulate(
    coordinates: Coordinates,
    theta: NDArray[np.float64],
    program: ThermalProgram,
    temperature: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.float64]:
    """Return CpN of several theta, shape (n, cycles, points)."""
    try:
        cpn, status = simulate_batch(
            coordinates.parameters(theta), program=program, temperature=temperature, dtype="float64",
            tolerance=tolerance,
        )  # fmt: skip
    except LehrError:  # a temperature offset that goes below 0 K
        raise PredictionError from None
    if (status > Status.WINDOW).any():
        raise PredictionError
    return cpn


def _blocks(scans: Scans, nuisance: Nuisance) -> list[_Block]:
    """Group the scans by their temperatures."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for i, scan in enumerate(scans.scans):
        groups[scan.temperature.tobytes()].append(i)
    program = scans.kelvin_program
    return [
        _block(ThermalProgram(tuple(program.cycles[i] for i in rows)), rows, scans.scans[rows[0]], nuisance)
        for rows in groups.values()
    ]


def _block(program: ThermalProgram, rows: list[int], scan: CpnScan, nuisance: Nuisance) -> _Block:
    t = scan.temperature
    span, spacing = t[-1] - t[0], float(np.median(np.diff(t)))
    if np.abs(t - np.linspace(t[0], t[-1], t.size)).max() < 1e-3 * spacing:
        fold = int(np.ceil(_GRID_POINTS / (t.size - 1))) if nuisance.thermal_lag else 1
        grid = np.linspace(t[0], t[-1], (t.size - 1) * fold + 1)
        return _Block(program, rows, grid, np.arange(t.size) * fold, None)
    points = int(span / min(spacing, span / _GRID_POINTS)) + 1
    grid = np.linspace(t[0], t[-1], points)
    place = (t - t[0]) / (grid[1] - grid[0])
    first = np.clip(place.astype(np.intp) - 1, 0, points - 4)
    return _Block(program, rows, grid, first[:, None] + np.arange(4), _lagrange(place - first))


def _lagrange(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the values at 0, 1, 2, 3 in the cubic through them, at places, shape (n, 4)."""
    a, b, c, d = (place - k for k in range(4))
    return np.stack([-b * c * d / 6, a * c * d / 2, -a * b * d / 2, a * b * c / 6], axis=-1)
