"""Numbers about the errors of many samples: arrays in, numbers out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isnan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.study import Columns, Findings

__all__ = ["STATISTICS", "ErrorSummary", "interval", "share_below", "signed_errors", "summarise", "worst"]


def signed_errors(findings: Findings, true: Columns, predicted: Columns) -> NDArray[np.float64]:
    """Return predicted - true of each quantity.

    Parameters
    ----------
    findings : Findings
        The quantities, and how they follow from the targets.
    true, predicted : dict of ndarray, shape (n,)
        Targets by name; `predicted` may have one value for all samples.

    Returns
    -------
    ndarray, shape (n, quantities)
        NaN where a prediction has no value of a quantity.
    """
    own, others = findings.values(predicted), findings.values(true)
    return np.stack([own[quantity.name] - others[quantity.name] for quantity in findings.quantities], axis=1)


@dataclass(frozen=True)
class ErrorSummary:
    """Mean, median and 90th percentile of an absolute error, mean of the signed one; NaN where there is none."""

    mae: float
    median: float
    p90: float
    bias: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the numbers by name, None for NaN, which JSON does not have."""
        return {name: None if isnan(value) else value for name, value in asdict(self).items()}


STATISTICS = tuple(ErrorSummary.__dataclass_fields__)
"""Names of these numbers, in the order of files."""


def summarise(error: ArrayLike) -> ErrorSummary:
    """Return mean, median, 90th percentile and bias of a signed error, shape (n,); NaN entries are left out."""
    error = np.asarray(error, dtype=float)
    known = error[~np.isnan(error)]
    if known.size == 0:
        return ErrorSummary(np.nan, np.nan, np.nan, np.nan)
    absolute = np.abs(known)
    median, p90 = np.percentile(absolute, (50, 90)).tolist()
    return ErrorSummary(float(absolute.mean()), median, p90, float(known.mean()))


def share_below(error: ArrayLike, threshold: float) -> float:
    """Return the share of samples with an absolute error below a threshold; NaN is not below. NaN of no samples."""
    error = np.asarray(error, dtype=float)
    return float(np.count_nonzero(np.abs(error) < threshold) / error.size) if error.size else np.nan


def interval(share: float, samples: int, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a share.

    Of resampled samples, those below the threshold are binomially distributed: the quantiles are those that endlessly
    many resamples would have, without drawing any. A share of 0 or 1 stays alone, as in any bootstrap.

    Parameters
    ----------
    share : float
        Share in the samples.
    samples : int
        Number of samples.
    level : float, optional
        Probability of the interval.
    """
    from scipy.stats import binom  # half a second, which `lehr --help` need not wait for

    if samples == 0:
        return np.nan, np.nan
    tail = (1.0 - level) / 2.0
    low, high = binom.ppf([tail, 1.0 - tail], samples, share) / samples
    return float(low), float(high)


def worst(error: ArrayLike, count: int = 5) -> NDArray[np.int64]:
    """Return the positions of the largest absolute errors, the largest first; NaN is not among them."""
    absolute = np.abs(np.asarray(error, dtype=float))
    order: NDArray[np.int64] = np.argsort(-absolute, kind="stable")
    return order[: min(count, np.count_nonzero(~np.isnan(absolute)))]  # NaN is sorted to the end
