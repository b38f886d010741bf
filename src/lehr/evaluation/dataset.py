"""The labelled data set of an evaluation: made, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.evaluation.metrics import signed_errors
from lehr.evaluation.records import read_run
from lehr.files import file_checksum, read_json
from lehr.results import EVALUATED, LEFT_OUT, NOT_FINITE, Evaluation, RunReference
from lehr.store import read_about
from lehr.study import Columns, Findings, Quantity

__all__ = ["FORMAT", "labelled", "read_evaluation", "targets_of"]

FORMAT = 3
"""Version of test.nc and metrics.json."""

_READABLE = (2, FORMAT)  # format 2 said signals_digest for store_digest


def labelled(
    findings: Findings,
    targets: Sequence[Quantity],
    columns: Columns,
    predicted: Columns,
    measured: Columns,
    learned: Columns,
) -> xarray.Dataset:
    """Return the data set of what was measured.

    Parameters
    ----------
    findings : Findings
        What the columns are, and what else follows.
    targets : sequence of Quantity
        What the network is asked for.
    columns : dict of ndarray
        `row`, the true targets and the column that samples are left out by.
    predicted : dict of ndarray
        Targets as the network predicts them.
    measured : dict of ndarray
        All of `findings.columns`.
    learned : dict of ndarray
        True targets of the samples that the network was trained on.
    """
    names = [quantity.name for quantity in targets]
    true, answers = (np.stack([each[name] for name in names], axis=1).astype(float) for each in (columns, predicted))
    limit, most = findings.limit
    state = np.where(np.isfinite(answers).all(axis=1), EVALUATED, NOT_FINITE)
    ranges = findings.values(learned)
    units = ", ".join(f"{quantity.name} in {quantity.unit}" for quantity in targets if quantity.unit != "1")
    note = {"comment": units} if units else {}
    data: dict[str, Any] = {
        "true": (("sample", "parameter"), true, {"long_name": "true values of what the network is asked for", **note}),
        "predicted": (("sample", "parameter"), answers, {"long_name": "values that the network predicts", **note}),
        "error": (
            ("sample", "quantity"),
            signed_errors(findings, columns, predicted),
            {
                "long_name": "predicted - true",
                "comment": "units as in quantity_unit; NaN where the prediction has no value of a quantity",
            },
        ),
        **{
            quantity.name: (
                ("sample", *quantity.dims),
                measured[quantity.name],
                {"long_name": quantity.meaning, "units": quantity.unit, **quantity.attributes},
            )
            for quantity in findings.columns
        },
        "state": (
            "sample",
            np.where(columns[limit.name] > most, LEFT_OUT, state).astype(np.int8),
            {
                "long_name": "what became of the sample; numbers are over those that are evaluated",
                "flag_values": np.array([EVALUATED, LEFT_OUT, NOT_FINITE], np.int8),
                "flag_meanings": f"evaluated left_out_{limit.name} not_finite",
            },
        ),
        "trained_range": (
            ("quantity", "limit"),
            [(ranges[quantity.name].min(), ranges[quantity.name].max()) for quantity in findings.quantities],
            {"long_name": "range of the training split of the network"},
        ),
    }
    labels = {
        "parameter": names,
        "quantity": [quantity.name for quantity in findings.quantities],
        "limit": ["low", "high"],
        **{name: list(entries) for name, entries in findings.labels.items()},
        "row": ("sample", columns["row"], {"long_name": "row in the subset"}),
        "quantity_unit": ("quantity", [quantity.unit for quantity in findings.quantities]),
    }
    return xarray.Dataset(data, labels, {"Conventions": "CF-1.11"})


def targets_of(data: xarray.Dataset, kind: str = "true") -> dict[str, NDArray[np.float64]]:
    """Return true or predicted targets by name."""
    return dict(zip(data["parameter"].to_numpy().tolist(), data[kind].to_numpy().T, strict=True))


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
        If it is missing or damaged, of another network than that which is in the run folder now, or if samples were
        left out by another limit than the config has.
    """
    subset = subset or run.subset
    folder = run.config.evaluation_path(run.model, subset, split)
    command = f"`lehr evaluate CONFIG --model {run.model}"
    command += f"{'' if subset == run.subset else f' --on {subset}'}{'' if split == 'test' else f' --split {split}'}`"
    metrics = read_json(folder / "metrics.json", f"Run {command} first.")
    path = folder / f"{split}.nc"
    quantity, most = run.config.findings().limit
    try:
        about = {name: metrics[name] for name in ("model", "subset", "split")}
        known = metrics["format"] in _READABLE
        digest = metrics["store_digest" if "store_digest" in metrics else "signals_digest"]
        whole = metrics["data_checksum"] == file_checksum(path)
        checksum, limit = str(metrics["network_checksum"]), float(metrics[f"{quantity.name}_limit"])
    except FileNotFoundError:
        raise LehrError(f"{path}: no such file", f"Run {command} first.") from None
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise LehrError(
            f"{folder}: damaged, or of another version of lehr ({error!r})", f"Run {command} again."
        ) from None
    record = read_run(run)
    if not (whole and known and tuple(about.values()) == (run.model, subset, split)):
        found = "metrics.json is not about it" if not whole else f"it is about {about}, format {metrics['format']}"
        raise LehrError(f"{path}: damaged, or of another run ({found})", f"Run {command} again.")
    if checksum != record.checksum:
        raise LehrError(f"{folder}: an evaluation of another network than {run.folder}", f"Run {command} again.")
    group = run.config.group_path(subset)
    if group.exists() and read_about(group)["digest"] != digest:
        raise LehrError(f"{folder}: an evaluation of other samples than {group} has", f"Run {command} again.")
    if limit != most:
        raise LehrError(
            f"{folder}: made with evaluation.{quantity.name} {limit:g}, the config has {most:g}",
            f"Run {command} again.",
        )
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        return Evaluation(metrics, data.load())
