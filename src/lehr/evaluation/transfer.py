"""Networks on subsets that they were not trained on.

The report makes the matrix from the test.nc of each pair of `Config.tests`; no file of its own lies between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray
from numpy.typing import NDArray

from lehr.evaluation.dataset import Evaluation
from lehr.evaluation.metrics import QUANTITIES, ErrorSummary, glass_transition, summarise

__all__ = ["RANGED", "SIDES", "STATISTICS", "transfer"]

SIDES = ("below", "inside", "above")
"""Where a true value lies of the range that the network was trained on; its ends are inside."""

RANGED = ("delta_h", "ln_A", "glass_transition")
"""Quantities in which the subsets differ; all have the same x and beta."""

STATISTICS = tuple(ErrorSummary.__dataclass_fields__)
"""Mean, median and 90th percentile of the absolute error; bias."""


def transfer(evaluations: Sequence[Evaluation]) -> xarray.Dataset:
    """Return the errors of networks on subsets, and apart by where the true value lies of the range trained on.

    The sides of a range are never pooled: a network that is good above its range says nothing about below. A side is
    that of one quantity; a sample may lie inside in delta_h and below in Tg.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        On the test split, at most one for each network and subset.

    Returns
    -------
    xarray.Dataset
        - error(model, subset, quantity, statistic), in the unit of the quantity: all evaluated samples of the subset
        - samples(model, subset): their number
        - sse_signals(model, subset): mean over them
        - error_by_side(model, subset, ranged, side, statistic) and samples_by_side(model, subset, ranged, side)

        NaN, or 0 samples, where there is no evaluation or no sample.
    """
    models = list(dict.fromkeys(evaluation.metrics["model"] for evaluation in evaluations))
    subsets = list(dict.fromkeys(evaluation.metrics["subset"] for evaluation in evaluations))
    pairs, shape = (len(models), len(subsets)), (len(RANGED), len(SIDES))
    error = np.full((*pairs, len(QUANTITIES), len(STATISTICS)), np.nan)
    by_side = np.full((*pairs, *shape, len(STATISTICS)), np.nan)
    samples, samples_by_side = np.zeros(pairs, np.int64), np.zeros((*pairs, *shape), np.int64)
    sse = np.full(pairs, np.nan)
    for evaluation in evaluations:
        pair = models.index(evaluation.metrics["model"]), subsets.index(evaluation.metrics["subset"])
        data = evaluation.evaluated
        samples[pair], sse[pair] = data.sizes["sample"], summarise(data["sse_signals"]).mae
        error[pair] = [_statistics(column) for column in data["error"].to_numpy().T]
        for i, name in enumerate(RANGED):
            own = data["error"].sel(quantity=name).to_numpy()
            for j, there in enumerate(_sides(data, name)):
                by_side[(*pair, i, j)] = _statistics(own[there])
                samples_by_side[(*pair, i, j)] = np.count_nonzero(there)
    at = ("model", "subset")
    return xarray.Dataset(
        {
            "error": ((*at, "quantity", "statistic"), error),
            "samples": (at, samples),
            "sse_signals": (at, sse),
            "error_by_side": ((*at, "ranged", "side", "statistic"), by_side),
            "samples_by_side": ((*at, "ranged", "side"), samples_by_side),
        },
        {
            "model": models,
            "subset": subsets,
            "quantity": list(QUANTITIES),
            "ranged": list(RANGED),
            "side": list(SIDES),
            "statistic": list(STATISTICS),
        },
    )


def _statistics(error: NDArray[np.float64]) -> tuple[float, ...]:
    summary = summarise(error)
    return tuple(getattr(summary, name) for name in STATISTICS)


def _sides(data: xarray.Dataset, name: str) -> tuple[NDArray[np.bool_], ...]:
    """Tell which samples lie below, inside and above the range of a quantity that the network was trained on."""
    if name == "glass_transition":
        values = glass_transition(data["true"])
    else:
        values = data["true"].sel(parameter=name).to_numpy()
    low, high = data["trained_range"].sel(quantity=name).to_numpy()
    slack = 1e-9 * max(abs(low), abs(high))  # the last bits of a value on the edge
    below, above = values < low - slack, values > high + slack
    return below, ~(below | above), above
