"""What is left of a network when its inputs are not ideal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray
from numpy.typing import NDArray
from tqdm import tqdm

from lehr.evaluation.metrics import signed_errors, summarise
from lehr.evaluation.records import read_run
from lehr.evaluation.samples import SEED, draw_test_samples, read_samples, write_results
from lehr.provenance import code
from lehr.results import RunReference
from lehr.store import Store, open_subset
from lehr.study import Distortion

__all__ = ["STATISTICS", "measure_robustness"]

STATISTICS = ("mae", "median", "p90", "bias")
"""Mean, median and 90th percentile of the absolute error, and the mean of predicted - true."""


def measure_robustness(
    run: RunReference, distortions: Sequence[Distortion], samples: int, path: Path
) -> xarray.Dataset:
    """Measure a network on distorted inputs, and write the errors as netCDF and CSV.

    The samples are drawn from those that an evaluation counts, and are the same at each level.

    Parameters
    ----------
    run : RunReference
        The network.
    distortions : sequence of Distortion
        What is done to its inputs; each is also tried at level 0.
    samples : int
        How many are drawn.
    path : Path
        The netCDF file.

    Returns
    -------
    xarray.Dataset
        error(case, quantity, statistic), with the distortion, its level and its unit of each case; level 0 is a case of
        each distortion. samples(case, quantity): how many have an error, for a prediction may have no value of it.

    Raises
    ------
    LehrError
        If the run folder or the store is missing, they do not belong together or to the config, or no test sample is
        left. Nothing is written then.
    """
    trained, store, findings = read_run(run), open_subset(run.config, run.subset), run.config.findings()
    split = run.config.split_of(run.model).build()
    rows = np.sort(draw_test_samples(store, split, findings.limit, samples))
    cases = [(distortion, level) for distortion in distortions for level in (0.0, *distortion.levels)]
    errors = _errors(run, store, rows, cases)
    summaries = [[asdict(summarise(column)) for column in error.T] for error in errors]
    units = [quantity.unit for quantity in findings.quantities]
    labels: dict[str, list[Any]] = {
        "distortion": [distortion.quantity.name for distortion, _ in cases],
        "level": [level for _, level in cases],
        "unit": [distortion.quantity.unit for distortion, _ in cases],
    }
    data = xarray.Dataset(
        {
            "error": (
                ("case", "quantity", "statistic"),
                [[[summary[name] for name in STATISTICS] for summary in of_case] for of_case in summaries],
                {"long_name": "error of the network on distorted inputs", "comment": "units as in quantity_unit"},
            ),
            "samples": (
                ("case", "quantity"),
                np.count_nonzero(~np.isnan(errors), axis=1),
                {"long_name": "samples whose prediction has this quantity"},
            ),
        },
        {
            **{name: ("case", values) for name, values in labels.items()},
            "quantity": [quantity.name for quantity in findings.quantities],
            "quantity_unit": ("quantity", units),
            "statistic": list(STATISTICS),
        },
        {
            "model": run.model,
            "subset": run.subset,
            "samples": rows.size,
            "seed": SEED,
            "network_checksum": trained.checksum,
            "store_digest": store.digest,
            "version": code()["version"],
        },
    )
    lines = [
        {
            **{name: values[case] for name, values in labels.items()},
            "quantity": quantity.name,
            "quantity_unit": quantity.unit,
            **summary,
        }
        for case, of_case in enumerate(summaries)
        for quantity, summary in zip(findings.quantities, of_case, strict=True)
    ]
    table = pd.DataFrame(lines)[["distortion", "level", "unit", "quantity", "quantity_unit", *STATISTICS]]
    write_results(path, data, table)
    return data


def _errors(
    run: RunReference, store: Store, rows: NDArray[np.int64], cases: Sequence[tuple[Distortion, float]]
) -> NDArray[np.float64]:
    """Return the signed errors, shape (cases, samples, quantities)."""
    from lehr.evaluation.predict import predictor  # Keras takes seconds to load

    findings, task = run.config.findings(), run.config.task(run.model)
    names = [quantity.name for quantity in (*task.inputs, *task.targets)]
    predict = predictor(run, store.source.axes)
    errors = np.empty((len(cases), rows.size, len(findings.quantities)))
    size = run.config.evaluation.batch_size
    with tqdm(total=rows.size * len(cases), desc=f"robustness {run.model}", unit="sample", mininterval=0.5) as bar:
        for first in range(0, rows.size, size):
            columns = read_samples(store, names, rows[first : first + size])
            undistorted = signed_errors(findings, columns, predict(columns))
            for error, (distortion, level) in zip(errors[:, first : first + size], cases, strict=True):
                if level:
                    error[...] = signed_errors(findings, columns, predict(distortion.apply(columns, level)))
                else:
                    error[...] = undistorted
                bar.update(columns["row"].size)
    return errors
