"""Measure a trained network on the test split of its subset."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

import lehr
from lehr.config import Config
from lehr.errors import LehrError
from lehr.evaluation.metrics import QUANTITIES, absolute_errors, fraction_below, summarise
from lehr.evaluation.paper import claims, thresholds
from lehr.evaluation.records import Run, read_run
from lehr.files import write_json, write_text
from lehr.models import PARAMETERS
from lehr.statespace import SPLITS, Split
from lehr.store import SequentialReader, SignalStore

__all__ = ["evaluate"]

UNITS = {"ln_A": "1", "delta_h": "J/mol", "x": "1", "beta": "1", "glass_transition": "K"}

Table = dict[str, NDArray[Any]]


def evaluate(config: Config, model: str) -> None:
    """Write predictions.csv and metrics.json of a trained network.

    Samples whose peak is higher than `evaluation.cpn_max` are left out and counted, as in section 3.1 of the paper,
    and so are samples whose simulation failed.

    Parameters
    ----------
    config : Config
        The run.
    model : str
        Name of one of its models.

    Raises
    ------
    LehrError
        If the run folder or the store is missing, they do not belong together or to the config, no test sample is
        left, or the network gives a value that is not finite. Nothing is written then.
    """
    run = read_run(config, model)
    store = SignalStore.open(config.store_path, run.subset)
    if store.config_digest != run.signals_digest:
        raise LehrError(
            f"{store.path}: not the signals that the model {model} was trained on "
            f"(digest {store.config_digest}, trained on {run.signals_digest})",
            f"Generate them with this config, or train anew: `lehr train CONFIG --model {model}`.",
        )
    started = time.perf_counter()
    table, counts = _predict(config, model, store)
    seconds = time.perf_counter() - started
    metrics = {
        "format": 1,
        "model": model,
        "subset": run.subset,
        "signals_digest": run.signals_digest,
        "network_checksum": run.checksum,
        "version": lehr.__version__,
        "samples": counts,
        "cpn_max_limit": config.evaluation.cpn_max,
        "seconds": round(seconds, 3),
        "samples_per_second": round((counts["evaluated"] + counts["left_out_cpn_max"]) / seconds, 1),
        **_measure(table, run),
    }
    frame = pd.DataFrame(
        {
            "row": table["rows"],
            **{f"{name}_true": column for name, column in zip(PARAMETERS, table["true"].T, strict=True)},
            **{f"{name}_predicted": column for name, column in zip(PARAMETERS, table["predicted"].T, strict=True)},
            "cpn_max": table["cpn_max"],
        }
    )
    folder = config.evaluation_path(model)
    write_text(folder / "predictions.csv", frame.to_csv(index=False, float_format="%.9g"))
    write_json(folder / "metrics.json", metrics)


def _predict(config: Config, model: str, store: SignalStore) -> tuple[Table, dict[str, int]]:
    """Predict the test split; return what is evaluated, and how many samples there are and were left out."""
    from lehr.models import load_network, predict  # Keras takes seconds to load, and the metrics need none of it

    split = config.split.build()
    reader = SequentialReader(store, split, "test", batch_size=config.evaluation.batch_size)
    network = load_network(config.run_path(model), store.temperature)
    batches: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]] = []
    with tqdm(total=reader.samples, desc=f"evaluate {model}", unit="sample", mininterval=0.5) as bar:
        for rows, signals, parameters in reader:
            batches.append((rows, parameters, predict(network, signals)))
            bar.update(rows.size)
    failed = _failed(store, split)
    if not batches:
        raise LehrError(
            f"{store.path}: no sample in the test split", "Make split.train smaller, or simulate more samples."
        )
    rows, true, predicted = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    cpn_max = store.cpn_max[rows]
    kept = cpn_max <= config.evaluation.cpn_max
    counts = {
        "test": int(rows.size) + failed,
        "evaluated": int(np.count_nonzero(kept)),
        "left_out_cpn_max": int(np.count_nonzero(~kept)),
        "left_out_failed": failed,
    }
    if not kept.any():
        raise LehrError(
            f"{store.path}: all {rows.size} test samples have a CpN,max above {config.evaluation.cpn_max:g}",
            "Make evaluation.cpn_max larger.",
        )
    bad = int(np.count_nonzero(~np.isfinite(predicted[kept]).all(axis=1)))
    if bad:
        raise LehrError(
            f"{config.run_path(model) / 'model.keras'}: {bad} of {counts['evaluated']} predictions are not finite",
            "The training has diverged: lower training.optimizer_options.learning_rate and train anew.",
        )
    return {
        "rows": rows[kept],
        "true": true[kept],
        "predicted": predicted[kept].astype(float),
        "cpn_max": cpn_max[kept],
    }, counts


def _failed(store: SignalStore, split: Split) -> int:
    """Count the test samples whose simulation failed; the reader does not give them."""
    test = split.assign(store.parameters) == SPLITS.index("test")
    return int(np.count_nonzero(test & (store.status != 0)))


def _measure(table: Table, run: Run) -> dict[str, Any]:
    """Compare the errors of the network with those of the training mean and with the paper."""
    network = absolute_errors(table["true"], table["predicted"])
    trivial = absolute_errors(table["true"], run.training_mean)
    quantities = {}
    for name in QUANTITIES:
        own, guess = summarise(network[name]), summarise(trivial[name])
        quantities[name] = {
            "unit": UNITS[name],
            "network": own.as_dict(),
            "trivial": guess.as_dict(),
            "times_better": guess.mae / own.mae if own.mae > 0 else None,
        }
    said = {(claim.quantity, claim.threshold): claim for claim in claims(run.subset)}
    fractions = []
    for name, threshold in thresholds(run.subset):
        claim = said.get((name, threshold))
        fractions.append(
            {
                "quantity": name,
                "threshold": threshold,
                "unit": UNITS[name],
                "network": fraction_below(network[name], threshold),
                "trivial": fraction_below(trivial[name], threshold),
                "paper": claim and {"low": claim.low, "high": claim.high, "text": claim.text, "place": claim.place},
            }
        )
    return {
        "trivial_prediction": dict(zip(PARAMETERS, run.training_mean.tolist(), strict=True)),
        "no_glass_transition": int(np.count_nonzero(np.isnan(network["glass_transition"]))),
        "quantities": quantities,
        "fractions": fractions,
    }
