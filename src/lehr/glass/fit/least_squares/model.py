"""What the engine predicts for measured scans, and how that changes with the parameters."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lehr.glass.fit.least_squares.blocks import Block, PredictionError, blocks_of, theta_derivatives
from lehr.glass.fit.least_squares.nuisance import CURVATURE_KELVIN, LINE_TERMS, Nuisance, Term
from lehr.glass.fit.least_squares.statements import Statement, stated_otherwise
from lehr.glass.scans import Scans
from lehr.glass.scans.noise import white_noise_of
from lehr.glass.tnm import DEFAULT_TOLERANCE, ThermalProgram, efold_width, simulate_sensitivities
from lehr.glass.tnm.coordinates import LOWER, UPPER, Coordinates
from lehr.glass.tnm.program import SECONDS_PER_MINUTE

__all__ = ["PredictionError", "ScanModel", "theta_derivatives"]

_MOST_ERRORS = 5.0  # largest value of what is known beforehand, in its standard errors: scans keep the transition
_STEP_WIDTHS = 0.001  # of temperatures, in R Tm^2/dh, for a difference
_STEP_LOG = 0.005  # of logarithms of rates and times: smaller, and the error of the engine shows
_STEP_TOLERANCE = 1e-7  # of CpN in the simulations that are subtracted: the error of a derivative is 1e-4 of it
_DIFFERENCE = ((-1, -0.5), (1, 0.5))  # central: the flank of a peak of 36 after 100 h of ageing is fifty steps wide


class ScanModel:
    """Prediction of the scans, all in one vector, scan after scan.

    A measured curve is a(T) + [1 + s (Tf - Tr) + (b - a)(Tf)] CpN in units of the step from glass to liquid at the
    reference temperature Tr: there its noise is the same everywhere. Its line a is what the line of the glass errs by,
    b the same of the liquid, s the relative change of the step a kelvin; CpN and Tf are the engine's. Divided by
    1 + s (Tf - Tr) with the measured Tf it is CpN. Where the step was taken at the temperature (`Step.at`), T stands
    for both Tf.

    Parameters
    ----------
    scans : Scans
        What was measured.
    coordinates : Coordinates
        The theta that the glass is given in.
    nuisance : Nuisance
        What the instrument may have done, and what may be wrong; its parameters follow theta.
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
        self.terms: tuple[Term, ...] = self.nuisance.terms(scans.kelvin_program)
        self.names = tuple(term.name for term in self.terms)
        self.evaluations = 0
        # what a fit asks for again: a prediction, its derivatives, and the glass alone, with their points
        self._latest: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._latest_jacobian: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._latest_alone: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self.tolerance = tolerance
        self._blocks = blocks_of(scans, self.nuisance, coordinates.reference)
        self._ends = np.cumsum([0, *(scan.cpn.size for scan in scans.scans)])
        self._lines = len(LINE_TERMS[self.nuisance.baseline])
        self._groups = len(scans.scans) if self.nuisance.per_scan else 1

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 4 + len(self.names)

    @cached_property
    def data(self) -> NDArray[np.float64]:
        """Measured curves in units of the step at the reference temperature, shape (points,)."""
        return np.concatenate([scan.cpn for scan in self.scans.scans]) * self.step

    @cached_property
    def white_noise(self) -> float:
        """Standard deviation of their white noise, the root of the mean square over the scans."""
        return float(np.sqrt(np.mean([white_noise_of(scan) ** 2 for scan in self.split(self.data)])))

    def split(self, vector: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return a vector over all points as one array for each scan."""
        return np.split(vector, self._ends[1:-1], axis=-1)

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and the upper bounds of all parameters."""
        # a sensor so slow that it needs the whole scan to follow shows no transition
        spans = [s.temperature[-1] - s.temperature[0] for s in self.scans.scans]
        slowest = SECONDS_PER_MINUTE * min(np.array(spans) / np.abs(self.scans.program.scan_rates))
        lower, upper = [], []
        for term in self.terms:
            far = np.inf if term.error is None or term.kind == "curvature" else _MOST_ERRORS * term.error
            lower.append(0.0 if term.name == "thermal_lag" else -far)
            upper.append(slowest if term.name == "thermal_lag" else far)
        return np.concatenate([LOWER, lower]), np.concatenate([UPPER, upper])

    def predict(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the curves at all points, shape (points,).

        Raises
        ------
        PredictionError
            If the engine finds no signal.
        """
        if self._latest is not None and np.array_equal(self._latest[0], point):
            return self._latest[1].copy()
        self.evaluations += 1
        curves = np.zeros((2, self.data.size))
        for block in self._stated(point):
            self._put(curves, block, self._curves(block, point, self.tolerance))
        return self._of_curves(point, curves)

    def _of_curves(self, point: NDArray[np.float64], curves: NDArray[np.float64]) -> NDArray[np.float64]:
        line, first, second = self._coefficients(point)
        return np.asarray(line + first * curves[0] + second * curves[1])

    def glass_alone(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return CpN of all points without what the instrument did."""
        bare = np.concatenate([point[:4], np.zeros(len(self.names))])
        if self._latest_alone is None or not np.array_equal(self._latest_alone[0], bare):
            self._latest_alone = bare, self.predict(bare) / self.step
        return self._latest_alone[1].copy()

    def jacobian(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives of `predict`, shape (points, parameters).

        Raises
        ------
        PredictionError
            If the engine finds no signal.
        """
        if self._latest_jacobian is not None and np.array_equal(self._latest_jacobian[0], point):
            return self._latest_jacobian[1].copy()
        self.evaluations += 1
        lag = self._value(point, "thermal_lag")
        curves = np.zeros((2, self.data.size))
        moved, by_lag = np.zeros((5, 2, self.data.size)), np.zeros((2, self.data.size))
        for block in self._stated(point):
            own, columns, lagging = block.derivatives(
                self.coordinates, point[:4], self._offset(point, block), lag, self.tolerance
            )
            self._put(curves, block, own)
            self._put(moved, block, columns)
            if lagging is not None:
                self._put(by_lag, block, lagging)
        self._latest = point.copy(), self._of_curves(point, curves)
        _, first, second = self._coefficients(point)

        def by(change: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(first * change[..., 0, :] + second * change[..., 1, :])

        found = np.zeros((self.size, self.data.size))
        found[:4] = by(moved[:4])
        found[4 : 4 + self._lines * self._groups] = self._by_lines(curves)
        exact = all(block.open_ended for block in self._blocks)
        for column, term in enumerate(self.terms, 4):
            if term.kind == "curvature":
                found[column] = (self._number == term.scan) * self._bow
            elif term.name == "thermal_lag":
                found[column] = by(by_lag)
            elif term.kind == "temperature_offset" and exact:
                found[column] = by(moved[4]) * (1.0 if term.scan is None else self._number == term.scan)
            elif term.error is not None:
                found[column] = by(self._difference(point, column, term))
        self._latest_jacobian = point.copy(), found.T
        return found.T.copy()

    def by_statement(self, point: NDArray[np.float64], statement: Statement) -> NDArray[np.float64]:
        """Return the derivative of `predict` by an error of a statement of the program, shape (points,).

        By K for a temperature, by the logarithm for a rate or a time.
        """
        change = self._difference(point, None, Term(statement.kind, 0.0, None, statement))
        _, first, second = self._coefficients(point)
        return np.asarray(first * change[0] + second * change[1])

    def limiting_fictive_temperatures(
        self, point: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return Tf' in K of the glass before each scan, and its derivatives by theta, shape (scans, 4)."""
        glass, program = self.coordinates.glass(point[:4]), self._program(point)
        ends = np.array([self.scans.scans[0].temperature[0], self.scans.scans[0].temperature[-1]])
        found = simulate_sensitivities(glass, program=program, temperature=ends, tolerance=self.tolerance)
        return found.limiting_fictive_temperature, found.limiting_jacobian @ self.coordinates.glass_derivatives(
            point[:4]
        )

    def _value(self, point: NDArray[np.float64], name: str) -> float | None:
        return float(point[4 + self.names.index(name)]) if name in self.names else None

    def _offset(self, point: NDArray[np.float64], block: Block) -> float:
        """Return what the thermometer reads too high in K in the scans of a block."""
        found = 0.0
        for value, term in zip(point[4:].tolist(), self.terms, strict=True):
            if term.kind == "temperature_offset" and term.scan in (None, block.rows[0]):
                found += value
        return found

    def _program(self, point: NDArray[np.float64]) -> ThermalProgram:
        """Return the program as the parameters have it, with all temperatures in K."""
        values = zip(point[4:].tolist(), self.terms, strict=True)
        changes = {term.statement: value for value, term in values if term.statement is not None}
        return stated_otherwise(self.scans.kelvin_program, changes)

    def _stated(self, point: NDArray[np.float64]) -> list[Block]:
        """Return the blocks with the program as the parameters have it."""
        cycles = self._program(point).cycles
        return [block.restated(cycles) for block in self._blocks]

    def _curves(self, block: Block, point: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        lag = self._value(point, "thermal_lag")
        return block.curves(self.coordinates, point[:4], self._offset(point, block), lag, tolerance)

    def _difference(self, point: NDArray[np.float64], column: int | None, term: Term) -> NDArray[np.float64]:
        """Return the derivatives of both curves by what the engine has no exact one of, shape (2, points)."""
        step = _STEP_LOG
        if term.kind in ("temperature_offset", "hold_temperature"):
            glass = self.coordinates.tnm(point[:4])
            step = _STEP_WIDTHS * efold_width(self.coordinates.reference, glass.delta_h)
        found = np.zeros((2, self.data.size))
        tolerance = min(self.tolerance, _STEP_TOLERANCE)
        program = self._program(point)
        for times, weight in _DIFFERENCE:
            there, cycles = point.copy(), program.cycles
            if column is not None:
                there[column] += times * step
                cycles = self._program(there).cycles
            elif term.statement is not None:
                cycles = stated_otherwise(program, {term.statement: times * step}).cycles
            for block in self._blocks:
                rows = [row for row in block.rows if _matters(term, row)]
                if rows:
                    part = block.restated(cycles).cut(rows)
                    self._put(found, part, weight / step * self._curves(part, there, tolerance))
        return found

    def _put(self, out: NDArray[np.float64], block: Block, curves: NDArray[np.float64]) -> None:
        """Add curves of a block, shape (..., curves, scans, points), to vectors over all points."""
        for i, row in enumerate(block.rows):
            out[..., : curves.shape[-3], self._ends[row] : self._ends[row + 1]] += curves[..., i, :]

    def _coefficients(
        self, point: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64] | float, NDArray[np.float64] | float, NDArray[np.float64] | float]:
        """Return the line that is added to the curves, and what they are multiplied by, at all points."""
        line, first, second = 0.0, 1.0, self._slope
        if self._lines:
            values = point[4 : 4 + self._lines * self._groups].reshape(self._groups, self._lines)
            rows = values[self._number if self._groups > 1 else np.zeros_like(self._number)].T
            line = line + (rows[:2].T * self._powers[:, : min(self._lines, 2)]).sum(axis=1)
            if self._lines == len(LINE_TERMS["lines"]):
                first, second = 1.0 + rows[2] - rows[0], self._slope + rows[3] - rows[1]
        for value, term in zip(point[4:].tolist(), self.terms, strict=True):
            if term.kind == "curvature":
                line = line + value * (self._number == term.scan) * self._bow
        return line, first, second

    def _by_lines(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives by the parameters of the lines, in the order of the names."""
        columns = self._powers[:, : self._lines].T
        if self._lines == len(LINE_TERMS["lines"]):
            columns = np.concatenate([self._powers.T - curves, curves])
        if self._groups == 1:
            return columns
        return np.concatenate([columns * (self._number == i) for i in range(self._groups)])

    @cached_property
    def _number(self) -> NDArray[np.intp]:
        """The scan of each point."""
        return np.repeat(np.arange(len(self.scans.scans)), np.diff(self._ends))

    @cached_property
    def _powers(self) -> NDArray[np.float64]:
        """1 and T - Tr, shape (points, 2)."""
        away = np.concatenate([scan.temperature for scan in self.scans.scans]) - self.coordinates.reference
        return np.stack([np.ones_like(away), away], axis=1)

    @cached_property
    def _bow(self) -> NDArray[np.float64]:
        """The square of T - Tr, 1 at a distance of 50 K."""
        return (self._powers[:, 1] / CURVATURE_KELVIN) ** 2

    @cached_property
    def _slope(self) -> NDArray[np.float64]:
        """Relative change of the step a kelvin about Tr, at each point."""
        slopes = np.array([scan.step.about(self.coordinates.reference).slope for scan in self.scans.scans])
        return np.asarray(slopes[self._number])

    @cached_property
    def step(self) -> NDArray[np.float64]:
        """What CpN is to be multiplied by for the measured curve, at each point: the step there over that at Tr."""
        parts = []
        for scan in self.scans.scans:
            step = scan.step.about(self.coordinates.reference)
            parts.append(step.relative(scan.fictive_temperature if step.at == "fictive" else scan.temperature))
        return np.concatenate(parts)


def _matters(term: Term, scan: int) -> bool:
    """Say whether a parameter changes a scan."""
    if term.statement is not None:
        return scan in term.statement.cycles
    return term.scan in (None, scan)
