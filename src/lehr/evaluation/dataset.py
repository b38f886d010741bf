"""The labelled data set of an evaluation: made, written, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.evaluation.metrics import (
    PAIRS,
    QUANTITIES,
    UNITS,
    clamp,
    edge_distance,
    glass_transition,
    signed_errors,
    squared_errors,
)
from lehr.evaluation.records import Run, read_run
from lehr.evaluation.runs import RunReference
from lehr.files import file_checksum, read_json
from lehr.glass.config import StateSpaceConfig
from lehr.glass.networks import PARAMETERS

__all__ = ["EVALUATED", "LEFT_OUT", "NOT_FINITE", "Evaluation", "labelled", "read_evaluation"]

FORMAT = 2
"""Version of test.nc and metrics.json."""

EVALUATED, LEFT_OUT, NOT_FINITE = 0, 1, 2
"""States of a sample."""

_PER_SAMPLE = ("sample", "parameter")

_ABOUT: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {
    "row": (("sample",), "row in the subset", {}),
    "true": (_PER_SAMPLE, "parameters that the signals were simulated from", {"comment": "delta_h in J/mol"}),
    "predicted": (_PER_SAMPLE, "parameters that the network reads from the signals", {"comment": "delta_h in J/mol"}),
    "error": (
        ("sample", "quantity"),
        "predicted - true",
        {"comment": "units as in quantity_unit; NaN where the prediction has no glass transition"},
    ),
    "sse_parameters": (("sample",), "sum of squared errors of the four normalised parameters", {"units": "1"}),
    "sse_pair": (("sample", "pair"), "sum of squared errors of two normalised parameters", {"units": "1"}),
    "sse_signals": (
        ("sample",),
        "squared difference of CpN, sum over the scans of the mean over the temperatures",
        {"units": "1", "comment": "signals of the store against those simulated from the clamped prediction"},
    ),
    "clamped": (_PER_SAMPLE, "prediction outside the range of the engine, clamped for the simulation only", {}),
    "cpn_max": (("sample",), "largest CpN: peak of the scan with the highest peak", {"units": "1"}),
    "delta_t_hw": (
        ("sample",),
        "peak temperature less that of the first crossing of CpN = 1, of the scan with the highest peak",
        {"units": "K", "comment": "NaN where no scan rises above 1"},
    ),
    "cpn_max_over_delta_t_hw": (("sample",), "cpn_max / delta_t_hw", {"units": "1/K"}),
    "edge_distance": (
        ("sample",),
        "distance from the edge of the subset, smallest over the parameters as a share of their ranges",
        {
            "units": "1",
            "comment": "0 on the edge, 0.5 in the middle of all; ln_A by Tg where its range follows delta_h",
        },
    ),
    "state": (
        ("sample",),
        "what became of the sample; numbers are over those that are evaluated",
        {
            "flag_values": np.array([EVALUATED, LEFT_OUT, NOT_FINITE], np.int8),
            "flag_meanings": "evaluated left_out_cpn_max not_finite",
        },
    ),
    "trained_range": (("quantity", "limit"), "range of the training split of the network", {}),
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """An evaluation that was written before.

    Attributes
    ----------
    metrics : dict
        metrics.json as it is.
    data : xarray.Dataset
        test.nc, all samples.
    """

    metrics: dict[str, Any]
    data: xarray.Dataset

    @property
    def evaluated(self) -> xarray.Dataset:
        """The samples that count: not left out, and with a finite prediction."""
        return self.data.isel(sample=self.data["state"].to_numpy() == EVALUATED)


def labelled(
    columns: Mapping[str, NDArray[Any]],
    subset: NDArray[np.float64],
    learned: NDArray[np.float64],
    run: Run,
    space: StateSpaceConfig,
    cpn_max_limit: float,
) -> xarray.Dataset:
    """Return the data set of what was measured, with all that follows from it.

    Parameters
    ----------
    columns : mapping
        row, true, predicted, sse_signals, cpn_max and delta_t_hw of each sample.
    subset : ndarray, shape (m, 4)
        All quartets of the subset that it was measured on.
    learned : ndarray, shape (k, 4)
        Those that the network was trained on.
    run : Run
        Its training.
    space : StateSpaceConfig
        The state space of the subset.
    cpn_max_limit : float
        Samples with a higher peak are left out.
    """
    true, predicted, cpn_max = columns["true"], columns["predicted"], columns["cpn_max"]
    squares = squared_errors(true, predicted, run.scaling.width)
    state = np.where(np.isfinite(predicted).all(axis=1), EVALUATED, NOT_FINITE)
    tg = glass_transition(learned)
    values: dict[str, Any] = {
        **columns,
        "error": signed_errors(true, predicted),
        "sse_parameters": squares.sum(axis=1),
        "sse_pair": np.stack([squares[:, [PARAMETERS.index(name) for name in pair]].sum(axis=1) for pair in PAIRS], 1),
        "clamped": clamp(predicted)[1],
        "cpn_max_over_delta_t_hw": cpn_max / columns["delta_t_hw"],
        "edge_distance": edge_distance(true, subset, ln_a_follows=space.ln_A is None),
        "state": np.where(cpn_max > cpn_max_limit, LEFT_OUT, state).astype(np.int8),
        "trained_range": [*run.ranges.values(), (tg.min(), tg.max())],
    }
    data = {
        name: (dims, values[name], {"long_name": text, **attributes})
        for name, (dims, text, attributes) in _ABOUT.items()
    }
    row = data.pop("row")
    labels = {
        "parameter": list(PARAMETERS),
        "quantity": list(QUANTITIES),
        "pair": [",".join(pair) for pair in PAIRS],
        "limit": ["low", "high"],
    }
    units = ("quantity", [UNITS[name] for name in QUANTITIES])
    return xarray.Dataset(data, {**labels, "row": row, "quantity_unit": units}, {"Conventions": "CF-1.11"})


def read_evaluation(run: RunReference, subset: str | None = None, split: str = "test") -> Evaluation:
    """Read an evaluation.

    Parameters
    ----------
    run : RunReference
        The network.
    subset : str, optional
        What it was tested on; by default the subset that it is trained on.
    split : str, optional
        train, validation or test.

    Raises
    ------
    LehrError
        If it is missing or damaged, of another network than that which is in the run folder now, or made with another
        `evaluation.cpn_max` than the config has.
    """
    subset = subset or run.subset
    folder = run.config.evaluation_path(run.model, subset, split)
    command = f"`lehr evaluate CONFIG --model {run.model}"
    command += f"{'' if subset == run.subset else f' --on {subset}'}{'' if split == 'test' else f' --split {split}'}`"
    metrics = read_json(folder / "metrics.json", f"Run {command} first.")
    path = folder / f"{split}.nc"
    try:
        about = {name: metrics[name] for name in ("format", "model", "subset", "split", "signals_digest")}
        whole = metrics["data_checksum"] == file_checksum(path)
        checksum, limit = str(metrics["network_checksum"]), float(metrics["cpn_max_limit"])
    except FileNotFoundError:
        raise LehrError(f"{path}: no such file", f"Run {command} first.") from None
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise LehrError(
            f"{folder}: damaged, or of another version of lehr ({error!r})", f"Run {command} again."
        ) from None
    wanted = (FORMAT, run.model, subset, split, run.config.signals.digest())
    if not whole or tuple(about.values()) != wanted:
        found = "metrics.json is not about it" if not whole else f"it is about {about}"
        raise LehrError(f"{path}: damaged, or of another run ({found})", f"Run {command} again.")
    if checksum != read_run(run).checksum:
        raise LehrError(f"{folder}: an evaluation of another network than {run.folder}", f"Run {command} again.")
    if limit != run.config.evaluation.cpn_max:
        raise LehrError(
            f"{folder}: made with evaluation.cpn_max {limit:g}, the config has {run.config.evaluation.cpn_max:g}",
            f"Run {command} again.",
        )
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        return Evaluation(metrics, data.load())
