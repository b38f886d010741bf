"""What can be known at best from noisy scans, and what a least-squares fit, the method of today, gets.

The scans are those of test samples, with white noise. A fit begins with what a scientist sees in them, which is where
the transition is, and with nothing else: neither a network nor the limits of the subset help it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.config import GlassRun
from lehr.glass.fit import Scans, cramer_rao, fit_scans
from lehr.glass.instrument import white_noise
from lehr.glass.measures import signed_errors
from lehr.glass.quantities import CPN, PARAMETERS, QUANTITIES
from lehr.glass.robustness import NOISE_SEED
from lehr.glass.source import as_rows
from lehr.glass.tnm import TNMParameters, equal_area_temperature, ln_pre_exponential
from lehr.study import Columns

__all__ = ["NORMAL_MAE", "ROUNDING", "Limits", "SampleFits", "fit_sample", "labelled", "table"]

_READS = (*(quantity.name for quantity in PARAMETERS), CPN.name)

NORMAL_MAE = float(np.sqrt(2.0 / np.pi))
"""Mean absolute error of a normal estimator in units of its standard deviation."""

ROUNDING = (CPN.step or 0.0) / np.sqrt(12.0)
"""Standard deviation of the rounding of stored signals, which is noise too."""

_TG_RANGE_K = 5.0  # half of the range around Tf' that starting points are drawn from
_DELTA_H_RANGE = (2e5, 12e5)  # J/mol: that of real glasses, as the state space of the paper has it
_SHAPE_RANGE = (0.2, 1.0)  # of x and beta, likewise


@dataclass(frozen=True, eq=False)
class SampleFits:
    """What is known of one sample.

    Attributes
    ----------
    row : int
        Its number in the subset.
    true : ndarray, shape (4,)
        Its parameters.
    bound : ndarray, shape (levels, 5)
        Cramer-Rao bound at each level of noise, in the order of `QUANTITIES`.
    fitted : ndarray, shape (levels, 4)
        Parameters of the fit; NaN: no fit.
    success : ndarray of bool, shape (levels,)
        Whether the sum of squares is that of the true parameters or less, but for what one standard deviation of one
        parameter makes: the fit has found the best there is.
    starts : ndarray of int, shape (levels,)
        Starting points that were tried.
    seconds : ndarray, shape (levels,)
        Wall time on one core.
    """

    row: int
    true: NDArray[np.float64]
    bound: NDArray[np.float64]
    fitted: NDArray[np.float64]
    success: NDArray[np.bool_]
    starts: NDArray[np.int64]
    seconds: NDArray[np.float64]


def fit_sample(config: GlassRun, columns: Columns) -> SampleFits:
    """Compute the bound of one sample and fit its scans at each level of noise.

    Parameters
    ----------
    config : GlassRun
        The run.
    columns : dict of ndarray
        `row`, the parameters and CpN of one sample: arrays with one row.
    """
    section, program = config.evaluation.limits, config.signals.program.build()
    temperature, row = config.signals.temperature.kelvin(), int(columns["row"][0])
    signals, true = columns[CPN.name].astype(float), as_rows(columns)[0]
    levels = np.array(section.noise)
    unit = np.array(cramer_rao(TNMParameters(*true.tolist()), program, temperature, 1.0))
    fits = SampleFits(
        row=row,
        true=true,
        bound=np.hypot(levels, ROUNDING)[:, None] * unit,
        fitted=np.full((levels.size, 4), np.nan),
        success=np.zeros(levels.size, bool),
        starts=np.full(levels.size, section.starts),
        seconds=np.empty(levels.size),
    )
    for i, level in enumerate(levels.tolist()):
        noisy = white_noise(signals, level, seed=NOISE_SEED, rows=[row])[0]
        started = time.perf_counter()
        try:
            starts = _starts(noisy, temperature, section.starts, np.random.SeedSequence(NOISE_SEED, spawn_key=(row, 1)))
            found = fit_scans(Scans.of(temperature, noisy, program), starts=starts)
        except LehrError:  # the engine finds no signal near any start
            continue
        finally:
            fits.seconds[i] = time.perf_counter() - started
        objective = found.objective
        best, truth = (
            np.sum(objective.residuals(point) ** 2) for point in (found.point, objective.model.coordinates.theta(true))
        )
        one = (np.hypot(level, config.signals.tolerance) / objective.noise) ** 2
        fits.fitted[i], fits.success[i], fits.starts[i] = found.parameters.as_tuple(), best <= truth + one, found.starts
    return fits


def _starts(
    cpn: NDArray[np.float64], temperature: NDArray[np.float64], count: int, seed: np.random.SeedSequence
) -> NDArray[np.float64]:
    """Draw glasses whose Tg is near the middle of the transition, shape (count, 4)."""
    draws, middle = np.random.default_rng(seed), equal_area_temperature(cpn[None], temperature).mean()
    glass_transition = middle + draws.uniform(-_TG_RANGE_K, _TG_RANGE_K, count)
    delta_h = _DELTA_H_RANGE[0] * (_DELTA_H_RANGE[1] / _DELTA_H_RANGE[0]) ** draws.uniform(size=count)
    return np.stack(
        [ln_pre_exponential(delta_h, glass_transition), delta_h, *draws.uniform(*_SHAPE_RANGE, (2, count))], axis=-1
    )


def labelled(config: GlassRun, fits: Sequence[SampleFits]) -> xarray.Dataset:
    """Return the data set of samples, one after the other."""
    each = ("sample", "noise")

    def stacked(name: str) -> NDArray[Any]:
        return np.stack([getattr(fit, name) for fit in fits])

    return xarray.Dataset(
        {
            "true": (
                ("sample", "parameter"),
                stacked("true"),
                {"long_name": "parameters that the signals were simulated from", "comment": "delta_h in J/mol"},
            ),
            "bound": (
                (*each, "quantity"),
                stacked("bound"),
                {
                    "long_name": "Cramer-Rao bound: least standard deviation of an unbiased estimate",
                    "comment": "units as in quantity_unit; the rounding of the stored signals counts as noise too",
                },
            ),
            "fitted": (
                (*each, "parameter"),
                stacked("fitted"),
                {"long_name": "parameters of the least-squares fit", "comment": "delta_h in J/mol; NaN: no fit"},
            ),
            "fit_success": (each, stacked("success"), {"long_name": "the fit is as near to the scans as the truth is"}),
            "fit_starts": (each, stacked("starts"), {"long_name": "starting points that the fit has tried"}),
            "fit_seconds": (each, stacked("seconds"), {"long_name": "wall time of the fit on one core", "units": "s"}),
        },
        {
            "row": ("sample", np.array([fit.row for fit in fits]), {"long_name": "row in the subset"}),
            "noise": (
                "noise",
                list(config.evaluation.limits.noise),
                {"long_name": "standard deviation of white noise in CpN", "units": "1"},
            ),
            "parameter": [quantity.name for quantity in PARAMETERS],
            "quantity": [quantity.name for quantity in QUANTITIES],
            "quantity_unit": ("quantity", [quantity.unit for quantity in QUANTITIES]),
        },
    )


def table(data: xarray.Dataset) -> pd.DataFrame:
    """Return what a person reads: the errors at each level, beside those of an estimator at the bound."""
    lines = []
    for level in data["noise"].to_numpy().tolist():
        at = data.sel(noise=level)
        success = at["fit_success"].to_numpy()
        errors = np.abs(signed_errors(at["true"], at["fitted"])).T
        for quantity, error, bound in zip(QUANTITIES, errors, at["bound"].to_numpy().T, strict=True):
            lines.append(
                {
                    "noise": level,
                    "quantity": quantity.name,
                    "unit": quantity.unit,
                    "bound_mae": NORMAL_MAE * bound.mean(),
                    "fit_mae_of_successes": error[success].mean() if success.any() else np.nan,
                    "fit_median": np.median(error[known]) if (known := ~np.isnan(error)).any() else np.nan,
                    "fit_success": success.mean(),
                    "fit_seconds": float(at["fit_seconds"].mean()),
                    "fit_starts": float(at["fit_starts"].mean()),
                }
            )
    return pd.DataFrame(lines)


class Limits:
    """The bound and the fits of a config; see `lehr.evaluation.each.Measurement`.

    Parameters
    ----------
    config : GlassRun
        The run.
    """

    name = "limits"
    reads: tuple[str, ...] = _READS

    def __init__(self, config: GlassRun) -> None:
        self._config = config
        self.samples = config.evaluation.limits.samples
        self.about: dict[str, Any] = {"most_starts": config.evaluation.limits.starts}

    def measure(self, columns: Columns) -> SampleFits:
        """Compute the bound of one sample and fit its scans."""
        return fit_sample(self._config, columns)

    def labelled(self, found: Sequence[SampleFits]) -> xarray.Dataset:
        """Return the data set of all samples."""
        return labelled(self._config, found)

    def table(self, data: xarray.Dataset) -> pd.DataFrame:
        """Return the errors at each level of noise."""
        return table(data)
