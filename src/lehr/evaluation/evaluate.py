"""Measure a trained network on a split of a subset, batch by batch, on any number of MPI ranks."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from tqdm import tqdm

from lehr import ranks
from lehr.errors import LehrError
from lehr.evaluation.dataset import FORMAT, labelled
from lehr.evaluation.records import read_run
from lehr.evaluation.summary import as_csv, as_markdown, summarised
from lehr.files import atomic_path, file_checksum, write_json, write_text
from lehr.provenance import code
from lehr.results import LEFT_OUT, RunReference
from lehr.split import SPLITS, Split
from lehr.store import SequentialReader, Store, open_subset
from lehr.study import Columns

if TYPE_CHECKING:
    from lehr.ranks import Communicator

__all__ = ["evaluate", "failed_samples", "threads_allowed"]


class _Batch(NamedTuple):
    """What is kept of a batch: `row` and the small columns of the store, the predictions, what was measured on them."""

    columns: Columns
    predicted: Columns
    measured: Columns


def evaluate(
    run: RunReference, subset: str | None = None, split: str = "test", comm: Communicator | None = None
) -> dict[str, Any]:
    """Write test.nc, metrics.json, table.csv and table.md of a trained network. Call it on all ranks.

    The ranks share the batches; what is written does not depend on their number, but for the last bits in which a
    network may answer otherwise with another number of threads.

    Parameters
    ----------
    run : RunReference
        The network.
    subset : str, optional
        What it is tested on; by default the subset that it is trained on.
    split : str, optional
        train, validation or test.
    comm : Communicator, optional
        The ranks; default: this process alone.

    Returns
    -------
    dict
        The content of metrics.json.

    Raises
    ------
    LehrError
        On all ranks, if the run folder or a store is missing, they do not belong together or to the config, or no
        sample is left to evaluate. Nothing is written then.
    """
    subset, started = subset or run.subset, time.perf_counter()
    shares = ranks.gather(comm, lambda: _share(run, subset, split, *ranks.rank_and_size(comm)))
    batches = [batch for share in shares for batch in share]
    return ranks.on_first_rank(comm, lambda: _write(run, subset, split, batches, started))


def _open(run: RunReference, subset: str) -> Store:
    """Open a subset of the values that the network was trained on: both are those of the config."""
    read_run(run)
    return open_subset(run.config, subset)


def _share(run: RunReference, subset: str, split: str, rank: int, size: int) -> list[_Batch]:
    """Predict the batches of this rank and measure the predictions."""
    config, store = run.config, _open(run, subset)
    findings, task = config.findings(), config.task(run.model)
    names = [quantity.name for quantity in (*task.inputs, *task.targets)]
    names = list(dict.fromkeys([*names, findings.limit[0].name, *findings.reads]))
    reader = SequentialReader(
        store,
        store.usable(config.split_of(run.model).build(), split),
        names,
        batch_size=config.evaluation.batch_size,
        rank=rank,
        size=size,
    )
    from lehr.evaluation.predict import predictor  # Keras takes seconds to load: after what may be wrong without it

    predict = predictor(run, store.source.axes)
    threads = threads_allowed() if size == 1 else 1
    batches = []
    label = f"evaluate {run.model} on {subset}"
    with tqdm(total=reader.samples, desc=label, unit="sample", mininterval=0.5, disable=rank != 0) as bar:
        for columns in reader:
            predicted = predict(columns)
            measured = findings.measure(columns, predicted, threads)
            small = {name: values for name, values in columns.items() if values.ndim == 1}
            batches.append(_Batch(small, predicted, measured))
            bar.update(columns["row"].size)
    return batches


def failed_samples(store: Store, rule: Split, split: str) -> int:
    """Count the samples of a split whose simulation failed."""
    return int(np.count_nonzero((store.split(rule) == SPLITS.index(split)) & (store.status != 0)))


def threads_allowed() -> int:
    """Return how many threads may work: those that the user allows, or a thread for each core."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return int(allowed) if allowed.isdigit() and int(allowed) else len(os.sched_getaffinity(0))


def _write(run: RunReference, subset: str, split: str, batches: list[_Batch], started: float) -> dict[str, Any]:
    config, record, store = run.config, read_run(run), _open(run, subset)
    findings, targets = config.findings(), config.task(run.model).targets
    rule, (limit, most) = config.split_of(run.model).build(), findings.limit
    if not batches:
        raise LehrError(
            f"{store.path}: no good sample in the {split} split",
            "Give the split a larger share in the config, or simulate more samples.",
        )
    batches = sorted(batches, key=lambda batch: int(batch.columns["row"][0]))
    columns, predicted, measured = (
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in zip(*batches, strict=True)
    )
    names = [quantity.name for quantity in targets]
    trained_on = _open(run, run.subset)
    learned = trained_on.columns(names, trained_on.usable(rule, "train"))
    whole = findings.complete(measured, columns, predicted, store.columns(names), record.content)
    data = labelled(findings, targets, columns, predicted, whole, learned)
    if (data["state"] == LEFT_OUT).all():
        raise LehrError(
            f"{store.path}: all {data.sizes['sample']} samples of the {split} split have a {limit.label} above "
            f"{most:g}",
            f"Make evaluation.{limit.name} larger.",
        )
    seconds = time.perf_counter() - started
    about = {
        "model": run.model,
        "trained_on": run.subset,
        "subset": subset,
        "split": split,
        "store_digest": store.digest,
        "network_checksum": record.checksum,
        "version": code()["version"],
        f"{limit.name}_limit": most,
        "seconds": round(seconds, 3),
    }
    numbers = summarised(data, findings, record, subset, failed_samples(store, rule, split))
    data.attrs |= about | {f"samples_{name}": number for name, number in numbers["samples"].items()}
    folder = config.evaluation_path(run.model, subset, split)
    path = folder / f"{split}.nc"
    with atomic_path(path) as temporary:
        compressed = {
            name: {"zlib": True, "shuffle": True} for name in data.data_vars if data[name].dims[0] == "sample"
        }
        data.to_netcdf(temporary, engine="h5netcdf", encoding=compressed)
    metrics = {
        "format": FORMAT,
        **about,
        "data_checksum": file_checksum(path),
        "samples_per_second": round(data.sizes["sample"] / seconds, 1),
        **numbers,
    }
    write_text(folder / "table.csv", as_csv(metrics))
    write_text(folder / "table.md", as_markdown(metrics, findings))
    write_json(folder / "metrics.json", metrics)  # last: without it, the others count for nothing
    return metrics
