"""Scans that the engine simulates in one go, and what of their simulation a measured curve is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.fit.least_squares.nuisance import Nuisance
from lehr.glass.fit.least_squares.statements import shifted
from lehr.glass.instrument import thermal_lag
from lehr.glass.scans import CpnScan, Scans
from lehr.glass.tnm import (
    Cycle,
    Hold,
    RelaxationModel,
    Sensitivities,
    Status,
    ThermalProgram,
    simulate_batch,
    simulate_sensitivities,
)
from lehr.glass.tnm.coordinates import Coordinates

__all__ = ["Block", "PredictionError", "blocks_of", "theta_derivatives"]

_GRID_POINTS = 2000  # of a grid that is laid between measured temperatures, and of one that a lag acts on
_FAR_KELVIN = 50.0  # beyond a scan, which holds the transition: frozen there, or in equilibrium
_LAG_STEP_SECONDS = 1e-3  # for the difference that gives the derivative by a lag, on signals that stay as they are


class PredictionError(Exception):
    """The engine found no signal for these parameters."""


@dataclass(frozen=True, eq=False)
class Block:
    """Scans that share their temperatures.

    A measured curve, in units of the step from glass to liquid at the reference temperature Tr, is a line and a linear
    combination of two curves: CpN, and (Tf - Tr) CpN, which the change of the step with the fictive temperature
    multiplies (T instead of Tf, if the step was taken there). Here are these curves as the sensor sees them.

    Attributes
    ----------
    rows : list of int
        Numbers of the scans among all.
    cycles : tuple of Cycle
        What was done before each, and the scan.
    grid : ndarray, shape (points,)
        Equidistant temperatures in K.
    index : ndarray of int, shape (measured,) or (measured, 4)
        Where the measured temperatures are in the grid; four points if they lie between.
    weights : ndarray, shape (measured, 4), or None
        Of the cubic interpolation between four points of the grid.
    reference : float
        Tr in K.
    at_temperature : bool
        The step is taken at T instead of Tf.
    both : bool
        Both curves are wanted; else CpN alone.
    """

    rows: list[int]
    cycles: tuple[Cycle, ...]
    grid: NDArray[np.float64]
    index: NDArray[np.intp]
    weights: NDArray[np.float64] | None
    reference: float
    at_temperature: bool
    both: bool

    def cut(self, rows: list[int]) -> Block:
        """Return the same of some of its scans."""
        cycles = tuple(cycle for row, cycle in zip(self.rows, self.cycles, strict=True) if row in rows)
        return replace(self, rows=rows, cycles=cycles)

    def restated(self, cycles: tuple[Cycle, ...]) -> Block:
        """Return the same with cycles of another program, given all of it."""
        return replace(self, cycles=tuple(cycles[row] for row in self.rows))

    def curves(
        self, coordinates: Coordinates, theta: NDArray[np.float64], offset: float, lag: float | None, tolerance: float
    ) -> NDArray[np.float64]:
        """Return the curves at the measured temperatures, shape (curves, scans, measured).

        `offset` is what the thermometer reads too high in K, in the program as in the scan.

        Raises
        ------
        PredictionError
            If the engine finds no signal.
        """
        program = ThermalProgram(tuple(shifted(cycle, -offset) for cycle in self.cycles))
        cpn = _simulate(coordinates, theta[None], program, self.grid - offset, tolerance)[0]
        return self._measured(self._lagged(self._curves(cpn), lag))

    def derivatives(
        self, coordinates: Coordinates, theta: NDArray[np.float64], offset: float, lag: float | None, tolerance: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
        """Return the curves, and their derivatives: by theta and the offset, shape (5, curves, ...), and by the lag.

        That by the offset is exact where all temperatures of the program are far beyond the scan (`open_ended`): scaled
        temperatures, delta_h and A leave CpN as it is, so that T dCpN/dT = -(delta_h d/d delta_h + d/d ln A) CpN, and
        for other models what `RelaxationModel.scaling` says.
        """
        program = ThermalProgram(tuple(shifted(cycle, -offset) for cycle in self.cycles))
        kelvin = self.grid - offset
        glass, signals = _sensitivities(coordinates, theta, program, kelvin, tolerance)
        cpn, columns = signals.cpn, _by_theta(coordinates, theta, signals)
        by_offset = signals.jacobian @ glass.scaling() / kelvin
        columns = np.concatenate([columns, by_offset[None]])
        curves = self._curves(cpn)
        moved = columns[:, None]
        if self.both:
            other = self._fictive_temperature(cpn) - self.reference
            change = 0.0 if self.at_temperature else self._until_the_end(columns)
            moved = np.stack([columns, other * columns - change * cpn], axis=1)
        found = self._measured(self._lagged(np.concatenate([curves[None], moved]), lag))
        if lag is None:
            return found[0], found[1:], None
        least = max(lag - _LAG_STEP_SECONDS, 0.0)
        ends = [self._lagged(curves, seconds) for seconds in (least, lag + _LAG_STEP_SECONDS)]
        by_lag = self._measured((ends[1] - ends[0]) / (lag + _LAG_STEP_SECONDS - least))
        return found[0], found[1:], by_lag

    @property
    def open_ended(self) -> bool:
        """All temperatures of the program are so far from the scan that they do not matter."""
        low, high = self.grid[0] - _FAR_KELVIN, self.grid[-1] + _FAR_KELVIN
        ends = [
            end
            for cycle in self.cycles
            for end in (cycle.start, *(s.to for s in cycle.segments if not isinstance(s, Hold)))
        ]
        return all(isinstance(end, str) or not low < end < high for end in ends)

    def _curves(self, cpn: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the curves on the grid, shape (curves, scans, points), before the sensor."""
        if not self.both:
            return cpn[None]
        return np.stack([cpn, (self._fictive_temperature(cpn) - self.reference) * cpn])

    def _fictive_temperature(self, cpn: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return Tf in K on the grid; the scans end in the liquid."""
        return self.grid if self.at_temperature else self.grid[-1] - self._until_the_end(cpn)

    def _until_the_end(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral from each point of the grid to its end, on the last axis."""
        spacing = self.grid[1] - self.grid[0]
        pieces = 0.5 * spacing * (values[..., 1:] + values[..., :-1])
        # by the cubic through four points, so that a few points on the flank of a peak are enough
        bent = values[..., 1:-2] + values[..., 2:-1] - values[..., :-3] - values[..., 3:]
        pieces[..., 1:-1] += spacing / 24.0 * bent
        total = np.zeros_like(values)
        total[..., :-1] = np.cumsum(pieces[..., ::-1], axis=-1)[..., ::-1]
        return total

    def _lagged(self, signals: NDArray[np.float64], lag: float | None) -> NDArray[np.float64]:
        """Return signals on the grid, shape (..., scans, points), as the sensor sees them."""
        if lag is None:
            return signals
        rows = signals.reshape(-1, *signals.shape[-2:])
        rates = ThermalProgram(self.cycles).scan_rates
        return thermal_lag(rows, lag, temperature=self.grid, heating_rate=rates).reshape(signals.shape)

    def _measured(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take signals from the grid, on the last axis, to the measured temperatures."""
        if self.weights is None:
            return values[..., self.index]
        return np.asarray(np.einsum("...pk,pk->...p", values[..., self.index], self.weights))


def theta_derivatives(
    coordinates: Coordinates,
    theta: NDArray[np.float64],
    program: ThermalProgram,
    temperature: NDArray[np.float64],
    tolerance: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return CpN, shape (cycles, points), and its derivatives with respect to theta, shape (4, cycles, points).

    Raises
    ------
    PredictionError
        If the engine finds no signal.
    """
    _, found = _sensitivities(coordinates, theta, program, temperature, tolerance)
    return found.cpn, _by_theta(coordinates, theta, found)


def _sensitivities(
    coordinates: Coordinates,
    theta: NDArray[np.float64],
    program: ThermalProgram,
    temperature: NDArray[np.float64],
    tolerance: float,
) -> tuple[RelaxationModel, Sensitivities]:
    """Return the glass of theta, and its scans with derivatives by its own parameters."""
    try:
        glass = coordinates.glass(theta)  # within the bounds of theta, but tau = 100 s at no temperature
        found = simulate_sensitivities(glass, program=program, temperature=temperature, tolerance=tolerance)
    except LehrError:
        raise PredictionError from None
    return glass, found


def _by_theta(coordinates: Coordinates, theta: NDArray[np.float64], found: Sensitivities) -> NDArray[np.float64]:
    return np.moveaxis(found.jacobian @ coordinates.glass_derivatives(theta), -1, 0)


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
            coordinates.glass_parameters(theta), program=program, temperature=temperature, dtype="float64",
            tolerance=tolerance, model=coordinates.model,
        )  # fmt: skip
    except LehrError:  # a temperature offset that goes below 0 K, or a hold above the end of the scan
        raise PredictionError from None
    if (status > Status.WINDOW).any():
        raise PredictionError
    return cpn


def blocks_of(scans: Scans, nuisance: Nuisance, reference: float) -> list[Block]:
    """Group the scans by their temperatures; each by itself, if each has a thermometer of its own."""
    groups: Mapping[tuple[bytes, str, int], list[int]] = defaultdict(list)
    for i, scan in enumerate(scans.scans):
        groups[scan.temperature.tobytes(), scan.step.at, i if nuisance.repeatability else 0].append(i)
    cycles = scans.kelvin_program.cycles
    both = nuisance.baseline == "lines" or any(scan.step.slope for scan in scans.scans)
    blocks = []
    for rows in groups.values():
        first = scans.scans[rows[0]]
        grid, index, weights = _grid(first, fine=nuisance.thermal_lag)
        own = tuple(cycles[i] for i in rows)
        blocks.append(Block(rows, own, grid, index, weights, reference, first.step.at == "temperature", both))
    return blocks


def _grid(scan: CpnScan, *, fine: bool) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64] | None]:
    """Return a grid for a scan, where its temperatures are in it, and the weights if they lie between."""
    t = scan.temperature
    span, spacing = t[-1] - t[0], float(np.median(np.diff(t)))
    if np.abs(t - np.linspace(t[0], t[-1], t.size)).max() < 1e-3 * spacing:
        fold = int(np.ceil(_GRID_POINTS / (t.size - 1))) if fine else 1
        grid = np.linspace(t[0], t[-1], (t.size - 1) * fold + 1)
        return grid, np.arange(t.size) * fold, None
    points = int(span / min(spacing, span / _GRID_POINTS)) + 1
    grid = np.linspace(t[0], t[-1], points)
    place = (t - t[0]) / (grid[1] - grid[0])
    first = np.clip(place.astype(np.intp) - 1, 0, points - 4)
    return grid, first[:, None] + np.arange(4), _lagrange(place - first)


def _lagrange(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the values at 0, 1, 2, 3 in the cubic through them, at places, shape (n, 4)."""
    a, b, c, d = (place - k for k in range(4))
    return np.stack([-b * c * d / 6, a * c * d / 2, -a * b * d / 2, a * b * c / 6], axis=-1)
