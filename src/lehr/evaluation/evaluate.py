"""Measure a trained network on a split of a subset, batch by batch, on any number of MPI ranks."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import lehr
from lehr import ranks
from lehr.errors import LehrError
from lehr.evaluation.dataset import FORMAT, LEFT_OUT, labelled
from lehr.evaluation.metrics import clamp, half_width, signal_sse
from lehr.evaluation.records import read_run
from lehr.evaluation.runs import RunReference
from lehr.evaluation.summary import as_csv, as_markdown, summarised
from lehr.files import file_checksum, replacing, write_json, write_text
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.tnm import simulate_batch
from lehr.split import SPLITS, Split
from lehr.store import SequentialReader, SignalStore

if TYPE_CHECKING:
    from lehr.ranks import Communicator

__all__ = ["compare_signals", "evaluate", "simulation_threads"]

_ROWS_AT_ONCE = 32  # signals that are simulated and compared together, beside the batch in memory

Columns = dict[str, NDArray[Any]]


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
    return ranks.on_first_rank(comm, lambda: _write(run, subset, split, shares, started))


def _open(run: RunReference, subset: str) -> SignalStore:
    """Open a subset and check that it is of the signals that the network was trained on."""
    digest, subsets = read_run(run).signals_digest, run.config.subsets
    if subset not in subsets:
        raise LehrError(
            f"the config of the model {run.model} has no subset '{subset}'", f"It has: {', '.join(subsets)}."
        )
    store = SignalStore.open(run.config.store_path, subset)
    if store.config_digest != digest:
        raise LehrError(
            f"{store.path}: not the signals that the model {run.model} was trained on "
            f"(digest {store.config_digest}, trained on {digest})",
            f"Generate them with this config, or train anew: `lehr train CONFIG --model {run.model}`.",
        )
    return store


def _share(run: RunReference, subset: str, split: str, rank: int, size: int) -> Columns:
    """Predict the batches of this rank and simulate what was predicted."""
    config, store = run.config, _open(run, subset)
    reader = SequentialReader(
        store,
        config.split_of(run.model).build(),
        split,
        batch_size=config.evaluation.batch_size,
        rank=rank,
        size=size,
    )
    from lehr.evaluation.network import (  # Keras takes seconds to load: after what may be wrong without it
        load_network,
        predict,
    )

    network = load_network(run.folder, store.temperature)
    threads = simulation_threads() if size == 1 else 1
    batches: list[Columns] = [_nothing()]
    label = f"evaluate {run.model} on {subset}"
    with tqdm(total=reader.samples, desc=label, unit="sample", mininterval=0.5, disable=rank != 0) as bar:
        for rows, signals, true in reader:
            predicted = predict(network, signals)
            cpn = signals.swapaxes(1, 2)
            batches.append(
                {
                    "row": rows,
                    "true": true,
                    "predicted": predicted,
                    "sse_signals": compare_signals(config.signals, cpn, predicted, threads),
                    "cpn_max": store.cpn_max[rows].astype(float),
                    "delta_t_hw": half_width(cpn, store.temperature),
                }
            )
            bar.update(rows.size)
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _nothing() -> Columns:
    """Return the columns of no sample, which is what a rank without a batch has."""
    shapes = {"true": (0, 4), "predicted": (0, 4), "sse_signals": (0,), "cpn_max": (0,), "delta_t_hw": (0,)}
    return {"row": np.empty(0, np.int64), **{name: np.empty(shape) for name, shape in shapes.items()}}


def compare_signals(
    signals: SignalsConfig, cpn: NDArray[np.float32], predicted: NDArray[np.float64], threads: int
) -> NDArray[np.float64]:
    """Compare signals with those of predictions (Eq. 15 of the paper).

    Parameters
    ----------
    signals : SignalsConfig
        How the signals were simulated.
    cpn : ndarray, shape (n, cycles, points)
        The signals.
    predicted : ndarray, shape (n, 4)
        Predictions; they are clamped to what the engine takes.
    threads : int
        Threads that simulate.

    Returns
    -------
    ndarray, shape (n,)
        See `signal_sse`; NaN where the engine has no signal for the prediction.
    """
    possible = clamp(predicted)[0]
    program, temperature = signals.program.build(), signals.temperature.kelvin()
    sse = np.empty(len(cpn))
    memory = np.empty((min(_ROWS_AT_ONCE, len(cpn)), *cpn.shape[1:]), np.float32)
    for first in range(0, len(cpn), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        again, _ = simulate_batch(
            possible[rows],
            program=program,
            temperature=temperature,
            tolerance=signals.tolerance,
            threads=threads,
            out=memory[: len(possible[rows])],
        )
        sse[rows] = signal_sse(cpn[rows], again)
    return sse


def simulation_threads() -> int:
    """Return how many threads simulate: those that the user allows, or a thread for each core."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return int(allowed) if allowed.isdigit() and int(allowed) else len(os.sched_getaffinity(0))


def _write(run: RunReference, subset: str, split: str, shares: list[Columns], started: float) -> dict[str, Any]:
    config, record, store = run.config, read_run(run), _open(run, subset)
    rule, limit = config.split_of(run.model).build(), config.evaluation.cpn_max
    columns = {name: np.concatenate([share[name] for share in shares]) for name in shares[0]}
    order = np.argsort(columns["row"])
    columns = {name: column[order] for name, column in columns.items()}
    if order.size == 0:
        raise LehrError(
            f"{store.path}: no good sample in the {split} split",
            "Give the split a larger share in the config, or simulate more samples.",
        )
    learned = _quartets(_open(run, run.subset), rule, "train")
    data = labelled(columns, store.parameters, learned, record, config.signals.state_space, limit)
    if (data["state"] == LEFT_OUT).all():
        raise LehrError(
            f"{store.path}: all {order.size} samples of the {split} split have a CpN,max above {limit:g}",
            "Make evaluation.cpn_max larger.",
        )
    seconds = time.perf_counter() - started
    about = {
        "model": run.model,
        "trained_on": run.subset,
        "subset": subset,
        "split": split,
        "signals_digest": record.signals_digest,
        "network_checksum": record.checksum,
        "version": lehr.__version__,
        "cpn_max_limit": limit,
        "seconds": round(seconds, 3),
    }
    failed = len(_quartets(store, rule, split, good=False))
    numbers = summarised(data, record, subset, failed)
    data.attrs |= about | {f"samples_{name}": number for name, number in numbers["samples"].items()}
    folder = config.evaluation_path(run.model, subset, split)
    path = folder / f"{split}.nc"
    with replacing(path) as temporary:
        compressed = {
            name: {"zlib": True, "shuffle": True} for name in data.data_vars if data[name].dims[0] == "sample"
        }
        data.to_netcdf(temporary, engine="h5netcdf", encoding=compressed)
    metrics = {
        "format": FORMAT,
        **about,
        "data_checksum": file_checksum(path),
        "samples_per_second": round(order.size / seconds, 1),
        **numbers,
    }
    write_text(folder / "table.csv", as_csv(metrics))
    write_text(folder / "table.md", as_markdown(metrics))
    write_json(folder / "metrics.json", metrics)  # last: without it, the others count for nothing
    return metrics


def _quartets(store: SignalStore, rule: Split, split: str, *, good: bool = True) -> NDArray[np.float64]:
    """Return the quartets of a split whose simulation is good, or those where it failed."""
    part = rule.assign(store.parameters)
    quartets: NDArray[np.float64] = store.parameters[(part == SPLITS.index(split)) & ((store.status == 0) == good)]
    return quartets
