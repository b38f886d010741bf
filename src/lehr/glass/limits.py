"""What can be known at best from noisy scans, and what a least-squares fit, the method of today, gets.

The scans are those of test samples, with white noise. A fit begins with what a scientist sees in them, which is where
the transition is, and with nothing else: neither a network nor the limits of the subset help it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray
from numpy.typing import NDArray
from tqdm import tqdm

import lehr
from lehr.errors import LehrError
from lehr.evaluation.metrics import QUANTITIES, UNITS, signed_errors, summarise
from lehr.evaluation.samples import SEED, draw_test_samples, open_signals, read_samples, write_results
from lehr.glass.config import GlassRun
from lehr.glass.fit import Scans, cramer_rao, fit_scans
from lehr.glass.instrument import equal_area_temperature, white_noise
from lehr.glass.networks import PARAMETERS
from lehr.glass.tnm import TNMParameters, ln_pre_exponential
from lehr.ranks import gather, on_first_rank, rank_and_size
from lehr.store import MAX_ERROR, SignalStore

if TYPE_CHECKING:
    from lehr.ranks import Communicator

__all__ = ["NORMAL_MAE", "ROUNDING", "measure_limits"]

NORMAL_MAE = float(np.sqrt(2.0 / np.pi))
"""Mean absolute error of a normal estimator in units of its standard deviation."""

ROUNDING = MAX_ERROR / np.sqrt(3.0)
"""Standard deviation of the rounding of stored signals, which is noise too."""

_SEEN = 5.0  # K around Tf' in which the glass transition is looked for
_DELTA_H = (2e5, 12e5)  # J/mol, and
_SHAPE = (0.2, 1.0)  # x and beta: the range of real glasses, as the state space of the paper has it


@dataclass(frozen=True, eq=False)
class _Fits:
    """What is known of one sample: arrays over the noise levels."""

    row: int
    bound: NDArray[np.float64]
    fitted: NDArray[np.float64]
    success: NDArray[np.bool_]
    starts: NDArray[np.int64]
    seconds: NDArray[np.float64]


def measure_limits(config: GlassRun, subset: str, comm: Communicator | None = None) -> xarray.Dataset:
    """Compute the Cramer-Rao bound and fit test samples of a subset, and write limits/<subset>.nc and .csv.

    Parameters
    ----------
    config : GlassRun
        The run.
    subset : str
        One of its subsets.
    comm : Communicator, optional
        Ranks that share the samples; call it on all. Default: this process alone.

    Returns
    -------
    xarray.Dataset
        What is in the file. A fit has success if its sum of squares is that of the true parameters or less, but for
        what one standard deviation of one parameter makes: it has found the best there is.

    Raises
    ------
    LehrError
        On all ranks, if the store is missing or of another config, or no test sample is left. Nothing is written then.
    """
    shares = gather(comm, lambda: _share(config, subset, *rank_and_size(comm)))
    return on_first_rank(comm, lambda: _write(config, subset, shares))


def _share(config: GlassRun, subset: str, rank: int, size: int) -> list[_Fits]:
    """Fit the samples of this rank."""
    section, store = config.evaluation.limits, open_signals(config, subset)
    rows = draw_test_samples(store, config.split.build(), config.evaluation.cpn_max, section.samples)
    own = rows[rank::size].tolist()
    return [_fit(config, store, row) for row in tqdm(own, desc=f"limits {subset}", unit="sample", disable=rank > 0)]


def _write(config: GlassRun, subset: str, shares: list[list[_Fits]]) -> xarray.Dataset:
    fits = sorted((fit for share in shares for fit in share), key=lambda fit: fit.row)
    data = _labelled(config, open_signals(config, subset), fits)
    write_results(config.limits_path(subset), data, _table(data))
    return data


def _fit(config: GlassRun, store: SignalStore, row: int) -> _Fits:
    """Bound and fits of one sample."""
    section, program = config.evaluation.limits, config.signals.program.build()
    signals, true = read_samples(store, np.array([row])).astype(float), store.parameters[row]
    levels = np.array(section.noise)
    unit = np.array(cramer_rao(TNMParameters(*true.tolist()), program, store.temperature, 1.0))
    fits = _Fits(
        row=row,
        bound=np.hypot(levels, ROUNDING)[:, None] * unit,
        fitted=np.full((levels.size, 4), np.nan),
        success=np.zeros(levels.size, bool),
        starts=np.full(levels.size, section.starts),
        seconds=np.empty(levels.size),
    )
    for i, level in enumerate(levels.tolist()):
        noisy = white_noise(signals, level, seed=SEED, rows=[row])[0]
        started = time.perf_counter()
        try:
            starts = _starts(noisy, store.temperature, section.starts, row)
            found = fit_scans(Scans.of(store.temperature, noisy, program), starts=starts)
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


def _starts(cpn: NDArray[np.float64], temperature: NDArray[np.float64], count: int, row: int) -> NDArray[np.float64]:
    """Draw glasses whose Tg is near the middle of the transition, shape (count, 4)."""
    draws = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(row, 1)))  # (row,) draws the noise
    glass_transition = equal_area_temperature(cpn[None], temperature).mean() + draws.uniform(-_SEEN, _SEEN, count)
    delta_h = _DELTA_H[0] * (_DELTA_H[1] / _DELTA_H[0]) ** draws.uniform(size=count)
    return np.stack(
        [ln_pre_exponential(delta_h, glass_transition), delta_h, *draws.uniform(*_SHAPE, (2, count))], axis=-1
    )


def _labelled(config: GlassRun, store: SignalStore, fits: list[_Fits]) -> xarray.Dataset:
    """Return the data set of all samples."""
    each, rows = ("sample", "noise"), np.array([fit.row for fit in fits])

    def stacked(name: str) -> NDArray[Any]:
        return np.stack([getattr(fit, name) for fit in fits])

    return xarray.Dataset(
        {
            "true": (
                ("sample", "parameter"),
                store.parameters[rows],
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
            "row": ("sample", rows, {"long_name": "row in the subset"}),
            "noise": (
                "noise",
                list(config.evaluation.limits.noise),
                {"long_name": "standard deviation of white noise in CpN", "units": "1"},
            ),
            "parameter": list(PARAMETERS),
            "quantity": list(QUANTITIES),
            "quantity_unit": ("quantity", [UNITS[name] for name in QUANTITIES]),
        },
        {
            "subset": store.subset,
            "samples": rows.size,
            "seed": SEED,
            "most_starts": config.evaluation.limits.starts,
            "signals_digest": store.config_digest,
            "version": lehr.__version__,
        },
    )


def _table(data: xarray.Dataset) -> pd.DataFrame:
    """Return what a person reads: the errors at each level, beside those of an estimator at the bound."""
    lines = []
    for level in data["noise"].to_numpy().tolist():
        at = data.sel(noise=level)
        success = at["fit_success"].to_numpy()
        errors = np.abs(signed_errors(at["true"], at["fitted"])).T
        for name, error, bound in zip(QUANTITIES, errors, at["bound"].to_numpy().T, strict=True):
            lines.append(
                {
                    "noise": level,
                    "quantity": name,
                    "unit": UNITS[name],
                    "bound_mae": NORMAL_MAE * bound.mean(),
                    "fit_mae_of_successes": error[success].mean() if success.any() else np.nan,
                    "fit_median": summarise(error).median,
                    "fit_success": success.mean(),
                    "fit_seconds": float(at["fit_seconds"].mean()),
                    "fit_starts": float(at["fit_starts"].mean()),
                }
            )
    return pd.DataFrame(lines)
