"""Networks on subsets that they were not trained on.

The report makes the matrix from the test.nc of each pair of `Run.tests`; no file of its own lies between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray
from numpy.typing import NDArray

from lehr.evaluation.dataset import targets_of
from lehr.evaluation.metrics import STATISTICS, summarise
from lehr.results import Evaluation
from lehr.study import Findings

__all__ = ["SIDES", "transfer"]

SIDES = ("below", "inside", "above")
"""Where a true value lies of the range that the network was trained on; its ends are inside."""


def transfer(evaluations: Sequence[Evaluation], findings: Findings) -> xarray.Dataset:
    """Return the errors of networks on subsets, and apart by where the true value lies of the range trained on.

    The sides of a range are never pooled: a network that is good above its range says nothing about below. A side is
    that of one quantity; a sample may lie inside in delta_h and below in Tg.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        On the test split, at most one for each network and subset.
    findings : Findings
        What was measured on them.

    Returns
    -------
    xarray.Dataset
        - error(model, subset, quantity, statistic), in the unit of the quantity: all evaluated samples of the subset
        - samples(model, subset): their number
        - NAME(model, subset) of each sum that a person is shown: mean over them
        - error_by_side(model, subset, ranged, side, statistic) and samples_by_side(model, subset, ranged, side)

        NaN, or 0 samples, where nothing was evaluated.
    """
    models = list(dict.fromkeys(evaluation.metrics["model"] for evaluation in evaluations))
    subsets = list(dict.fromkeys(evaluation.metrics["subset"] for evaluation in evaluations))
    quantities = [quantity.name for quantity in findings.quantities]
    ranged = [quantity.name for quantity in findings.ranged]
    pairs, shape = (len(models), len(subsets)), (len(ranged), len(SIDES))
    error = np.full((*pairs, len(quantities), len(STATISTICS)), np.nan)
    by_side = np.full((*pairs, *shape, len(STATISTICS)), np.nan)
    samples, samples_by_side = np.zeros(pairs, np.int64), np.zeros((*pairs, *shape), np.int64)
    sums = {quantity.name: np.full(pairs, np.nan) for quantity in findings.shown if quantity in findings.sums}
    for evaluation in evaluations:
        pair = models.index(evaluation.metrics["model"]), subsets.index(evaluation.metrics["subset"])
        data = evaluation.evaluated
        samples[pair] = data.sizes["sample"]
        for name, sum_ in sums.items():
            sum_[pair] = summarise(data[name]).mae
        error[pair] = [_statistics(column) for column in data["error"].to_numpy().T]
        true = findings.values(targets_of(data))
        for i, name in enumerate(ranged):
            own = data["error"].sel(quantity=name).to_numpy()
            ends = data["trained_range"].sel(quantity=name).to_numpy().tolist()
            for j, there in enumerate(_sides(true[name], *ends)):
                by_side[(*pair, i, j)] = _statistics(own[there])
                samples_by_side[(*pair, i, j)] = np.count_nonzero(there)
    at = ("model", "subset")
    return xarray.Dataset(
        {
            "error": ((*at, "quantity", "statistic"), error),
            "samples": (at, samples),
            **{name: (at, values) for name, values in sums.items()},
            "error_by_side": ((*at, "ranged", "side", "statistic"), by_side),
            "samples_by_side": ((*at, "ranged", "side"), samples_by_side),
        },
        {
            "model": models,
            "subset": subsets,
            "quantity": quantities,
            "ranged": ranged,
            "side": list(SIDES),
            "statistic": list(STATISTICS),
        },
    )


def _statistics(error: NDArray[np.float64]) -> tuple[float, ...]:
    summary = summarise(error)
    return tuple(getattr(summary, name) for name in STATISTICS)


def _sides(values: NDArray[np.float64], low: float, high: float) -> tuple[NDArray[np.bool_], ...]:
    """Tell which values lie below, inside and above a range."""
    slack = 1e-9 * max(abs(low), abs(high))  # the last bits of a value on the edge
    below, above = values < low - slack, values > high + slack
    return below, ~(below | above), above
