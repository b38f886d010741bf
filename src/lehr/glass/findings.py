"""What is measured on a network that estimates glasses from their heating scans, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lehr.glass import measures
from lehr.glass.paper import claims, thresholds
from lehr.glass.quantities import (
    BETA,
    CLAMPED,
    CPN,
    CPN_MAX,
    DELTA_H,
    EDGE_DISTANCE,
    GLASS_TRANSITION,
    HALF_WIDTH,
    LN_A,
    PARAMETERS,
    PEAK_BY_WIDTH,
    QUANTITIES,
    RELATIVE_DELTA_H,
    SSE_PAIR,
    SSE_PARAMETERS,
    SSE_SIGNALS,
    X,
)
from lehr.glass.source import as_rows
from lehr.glass.tnm import glass_transition, simulate_batch
from lehr.study import Claim, Columns, Quantity

if TYPE_CHECKING:
    import xarray

    from lehr.figures.files import FigureFiles
    from lehr.glass.config import GlassRun
    from lehr.results import ReportParts, Results

__all__ = ["PAIRS", "SHOWN", "GlassFindings"]

SHOWN = (X, BETA, DELTA_H, LN_A)
"""Parameters in the order in which a person reads them: those that are read well first, as in the paper."""

PAIRS = {
    f"{one.name},{other.name}": (one, other)
    for one, other in ((DELTA_H, LN_A), (DELTA_H, X), (DELTA_H, BETA), (X, BETA))
}
"""Axes of the surfaces of Fig. 10 and 11 of the paper, by the names that files have for them."""

_NAMES = [quantity.name for quantity in PARAMETERS]
_PAIR_COLUMNS = [[PARAMETERS.index(one), PARAMETERS.index(other)] for one, other in PAIRS.values()]
_ROWS_AT_ONCE = 32  # signals that are simulated and compared together, beside the batch in memory


class GlassFindings:
    """Errors of the four parameters and of Tg, and of the scans that the predicted glass would have.

    Parameters
    ----------
    run : GlassRun
        The run: its program, temperatures and tolerance.
    """

    quantities: tuple[Quantity, ...] = QUANTITIES
    relative: tuple[Quantity, ...] = (RELATIVE_DELTA_H,)
    columns: tuple[Quantity, ...] = (
        SSE_PARAMETERS, SSE_PAIR, SSE_SIGNALS, CLAMPED, CPN_MAX, HALF_WIDTH, PEAK_BY_WIDTH, EDGE_DISTANCE,
    )  # fmt: skip
    sums: tuple[Quantity, ...] = (SSE_PARAMETERS, SSE_SIGNALS, SSE_PAIR)
    ranged: tuple[Quantity, ...] = (DELTA_H, LN_A, GLASS_TRANSITION)  # all subsets have the same x and beta
    shown: tuple[Quantity, ...] = (*SHOWN, GLASS_TRANSITION, SSE_SIGNALS)
    labels: Mapping[str, tuple[str, ...]] = {"pair": tuple(PAIRS)}
    reads: tuple[str, ...] = (CPN.name, CPN_MAX.name)

    def __init__(self, run: GlassRun) -> None:
        self._signals = run.signals
        self._temperature = run.signals.temperature.kelvin()
        self.limit: tuple[Quantity, float] = (CPN_MAX, run.evaluation.cpn_max)

    def values(self, columns: Columns) -> Columns:
        """Return the four parameters and Tg."""
        parameters = {name: np.asarray(columns[name], dtype=float) for name in _NAMES}
        return parameters | {GLASS_TRANSITION.name: glass_transition(parameters[LN_A.name], parameters[DELTA_H.name])}

    def measure(self, columns: Columns, predicted: Columns, threads: int) -> Columns:
        """Simulate the predicted glasses and compare their scans with those of the store."""
        cpn = columns[CPN.name]
        return {
            SSE_SIGNALS.name: self.compare_signals(cpn, as_rows(predicted), threads),
            CPN_MAX.name: columns[CPN_MAX.name].astype(float),
            HALF_WIDTH.name: measures.half_width(cpn, self._temperature),
        }

    def compare_signals(
        self, cpn: NDArray[np.float32], predicted: NDArray[np.float64], threads: int
    ) -> NDArray[np.float64]:
        """Compare signals with those of predictions (Eq. 15 of the paper).

        Parameters
        ----------
        cpn : ndarray, shape (n, cycles, points)
            The signals.
        predicted : ndarray, shape (n, 4)
            Columns ln_A, delta_h (J/mol), x, beta; clamped to what the engine takes before it simulates them.
        threads : int
            Threads that simulate.

        Returns
        -------
        ndarray, shape (n,)
            See `measures.signal_sse`; NaN where the engine has no signal for the prediction.
        """
        possible, program = measures.clamp(predicted)[0], self._signals.program.build()
        sse = np.empty(len(cpn))
        memory = np.empty((min(_ROWS_AT_ONCE, len(cpn)), *cpn.shape[1:]), np.float32)
        for first in range(0, len(cpn), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            again, _ = simulate_batch(
                possible[rows],
                program=program,
                temperature=self._temperature,
                tolerance=self._signals.tolerance,
                threads=threads,
                out=memory[: len(possible[rows])],
            )
            sse[rows] = measures.signal_sse(cpn[rows], again)
        return sse

    def complete(
        self, measured: Columns, true: Columns, predicted: Columns, subset: Columns, training: Mapping[str, Any]
    ) -> Columns:
        """Add errors in the normalisation of the training, and where the samples lie in their subset."""
        wanted, answers = as_rows(true), as_rows(predicted)
        width = np.subtract(training["scaling"]["upper"], training["scaling"]["lower"])
        squares = measures.squared_errors(wanted, answers, width)
        follows = self._signals.state_space.ln_A is None
        return measured | {
            SSE_PARAMETERS.name: squares.sum(axis=1),
            SSE_PAIR.name: np.stack([squares[:, pair].sum(axis=1) for pair in _PAIR_COLUMNS], axis=1),
            CLAMPED.name: measures.clamp(answers)[1],
            PEAK_BY_WIDTH.name: measured[CPN_MAX.name] / measured[HALF_WIDTH.name],
            EDGE_DISTANCE.name: measures.edge_distance(wanted, as_rows(subset), ln_a_follows=follows),
        }

    def numbers(self, data: xarray.Dataset) -> dict[str, Any]:
        """Count what was clamped, what could not be simulated, and what has no Tg."""
        clamped, without = data[CLAMPED.name].to_numpy(), np.isnan(data["error"].sel(quantity=GLASS_TRANSITION.name))
        return {
            "clamped": {
                "any": int(np.count_nonzero(clamped.any(axis=1))),
                **{name: int(np.count_nonzero(column)) for name, column in zip(_NAMES, clamped.T, strict=True)},
            },
            "not_simulated": int(np.count_nonzero(np.isnan(data[SSE_SIGNALS.name]))),
            "no_glass_transition": int(np.count_nonzero(without)),
        }

    def notes(self, metrics: Mapping[str, Any]) -> dict[str, int]:
        """Return the numbers of samples whose signals are not those of the prediction."""
        return {
            "outside the range of the engine, clamped for the signals": metrics["clamped"]["any"],
            "whose prediction could not be simulated": metrics["not_simulated"],
        }

    def thresholds(self, subset: str) -> Sequence[tuple[str, float, Claim | None]]:
        """Return the thresholds of all networks and those of the paper's claims on a subset."""
        said = {(claim.quantity, claim.threshold): claim for claim in claims(subset)}
        return [(*entry, said.get(entry)) for entry in thresholds(subset)]

    def report(self, results: Results, figures: FigureFiles) -> ReportParts:
        """Draw the figures and write the words about glasses."""
        from lehr.glass.report import report_parts  # an evaluation draws nothing

        return report_parts(results, figures)
