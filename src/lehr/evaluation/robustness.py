"""What is left of a network when the scans are not those of a perfect instrument."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray
from numpy.typing import NDArray
from tqdm import tqdm

import lehr
from lehr.evaluation.metrics import QUANTITIES, UNITS, signed_errors, summarise
from lehr.evaluation.records import read_run
from lehr.evaluation.runs import RunReference
from lehr.evaluation.samples import SEED, draw_test_samples, open_signals, read_samples, write_results
from lehr.glass.instrument import baseline_slope, temperature_offset, thermal_lag, white_noise
from lehr.store import SignalStore

__all__ = ["DISTORTIONS", "STATISTICS", "measure_robustness"]

DISTORTIONS = {
    "white_noise": "1",
    "thermal_lag": "s",
    "baseline_slope": "1/(100 K)",
    "temperature_offset": "K",
}
"""What is done to the scans, and the unit of its level; each is a key of `evaluation.robustness` in a config."""

STATISTICS = ("mae", "median", "p90", "bias")
"""Mean, median and 90th percentile of the absolute error, and the mean of predicted - true."""

Signals: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class _Case:
    distortion: str
    level: float


def measure_robustness(run: RunReference) -> xarray.Dataset:
    """Measure a network on distorted scans, and write robustness.nc and robustness.csv.

    The samples are drawn from those that an evaluation counts, and are the same at each level.

    Parameters
    ----------
    run : RunReference
        The network.

    Returns
    -------
    xarray.Dataset
        error(case, quantity, statistic), with the distortion, its level and its unit of each case; level 0 is a case of
        each distortion. samples(case, quantity): how many have an error, for a prediction may have no Tg.

    Raises
    ------
    LehrError
        If the run folder or the store is missing, they do not belong together or to the config, or no test sample is
        left. Nothing is written then.
    """
    config, section = run.config, run.config.evaluation.robustness
    trained = read_run(run)
    store = open_signals(config, run.subset)
    split = config.split_of(run.model).build()
    rows = np.sort(draw_test_samples(store, split, config.evaluation.cpn_max, section.samples))
    cases = [_Case(name, level) for name in DISTORTIONS for level in (0.0, *sorted(set(getattr(section, name))))]
    errors = _errors(run, store, rows, cases)
    summaries = [[asdict(summarise(column)) for column in error.T] for error in errors]
    data = xarray.Dataset(
        {
            "error": (
                ("case", "quantity", "statistic"),
                [[[summary[name] for name in STATISTICS] for summary in of_case] for of_case in summaries],
                {"long_name": "error of the network on distorted scans", "comment": "units as in quantity_unit"},
            ),
            "samples": (
                ("case", "quantity"),
                np.count_nonzero(~np.isnan(errors), axis=1),
                {"long_name": "samples whose prediction has this quantity"},
            ),
        },
        {
            "distortion": ("case", [case.distortion for case in cases]),
            "level": ("case", [case.level for case in cases]),
            "unit": ("case", [DISTORTIONS[case.distortion] for case in cases]),
            "quantity": list(QUANTITIES),
            "quantity_unit": ("quantity", [UNITS[name] for name in QUANTITIES]),
            "statistic": list(STATISTICS),
        },
        {
            "model": run.model,
            "subset": run.subset,
            "samples": rows.size,
            "seed": SEED,
            "network_checksum": trained.checksum,
            "signals_digest": store.config_digest,
            "version": lehr.__version__,
        },
    )
    lines = [
        {
            **asdict(case),
            "unit": DISTORTIONS[case.distortion],
            "quantity": name,
            "quantity_unit": UNITS[name],
            **summary,
        }
        for case, of_case in zip(cases, summaries, strict=True)
        for name, summary in zip(QUANTITIES, of_case, strict=True)
    ]
    write_results(config.robustness_path(run.model), data, pd.DataFrame(lines))
    return data


def _errors(run: RunReference, store: SignalStore, rows: NDArray[np.int64], cases: list[_Case]) -> NDArray[np.float64]:
    """Return the signed errors, shape (cases, samples, quantities)."""
    from lehr.evaluation.predict import load_network, predict  # Keras takes seconds to load

    network = load_network(run.folder, store.temperature)
    errors = np.empty((len(cases), rows.size, len(QUANTITIES)))
    size = run.config.evaluation.batch_size
    with tqdm(total=rows.size * len(cases), desc=f"robustness {run.model}", unit="sample", mininterval=0.5) as bar:
        for first in range(0, rows.size, size):
            batch = rows[first : first + size]
            signals, true = read_samples(store, batch), store.parameters[batch]
            undistorted = signed_errors(true, predict(network, signals))
            for error, case in zip(errors[:, first : first + size], cases, strict=True):
                if case.level:
                    distorted = _distorted(signals, batch, store, case)
                    error[...] = signed_errors(true, predict(network, distorted))
                else:
                    error[...] = undistorted
                bar.update(batch.size)
    return errors


def _distorted(signals: Signals, rows: NDArray[np.int64], store: SignalStore, case: _Case) -> Signals:
    kelvin: Any = store.temperature
    match case.distortion:
        case "white_noise":
            return white_noise(signals, case.level, seed=SEED, rows=rows)
        case "thermal_lag":
            return thermal_lag(signals, case.level, temperature=kelvin, heating_rate=store.heating_rate)
        case "baseline_slope":
            return baseline_slope(signals, case.level, temperature=kelvin)
        case _:
            return temperature_offset(signals, case.level, temperature=kelvin)
