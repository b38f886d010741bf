"""Everything the report shows, read from the files of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lehr.config import Config
from lehr.errors import LehrError
from lehr.evaluation import Evaluation, Run, RunReference, glass_transition, read_evaluation, read_run
from lehr.report.glass import Ranges
from lehr.store import SignalStore, read_manifest

__all__ = ["Model", "Results", "Sample", "SubsetData", "collect"]

_SHOWN_PERCENTILES = (10, 50, 90)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained and evaluated network; `ranges` is what it was trained on, Tg included."""

    name: str
    run: Run
    history: pd.DataFrame
    evaluation: Evaluation
    ranges: Ranges


@dataclass(frozen=True, eq=False)
class Sample:
    """A test sample: its row in the subset, parameters (4,), largest CpN and signals (cycles, points)."""

    row: int
    parameters: NDArray[np.float64]
    cpn_max: float
    cpn: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SubsetData:
    """A simulated subset: its manifest, cells (cells, 2) as columns ln_A and delta_h, and a few samples."""

    name: str
    manifest: dict[str, Any]
    cells: NDArray[np.float64]
    samples: list[Sample]


@dataclass(frozen=True, eq=False)
class Results:
    """All of a run."""

    config: Config
    models: list[Model]
    subsets: list[SubsetData]


def collect(config: Config) -> Results:
    """Read the run, its evaluations and a few signals of the subsets that its models learned from.

    Raises
    ------
    LehrError
        If the run has no models, a file is missing or damaged, or the files do not belong together; the message says
        which command to run.
    """
    if not config.models:
        raise LehrError(
            f"{config.name}: a report is about networks, and this run has none", "Add models to the config."
        )
    references = [RunReference(config, model.name) for model in config.models]
    evaluations = {run.model: read_evaluation(run) for run in references}
    runs = {run.model: read_run(run) for run in references}
    learned = {model.subset for model in config.models}
    stores = {str(name): SignalStore.open(config.store_path, name) for name in config.subsets if name in learned}
    models = []
    for name, run in runs.items():
        tg = glass_transition(stores[run.subset].parameters)
        ranges = {**run.ranges, "glass_transition": (float(tg.min()), float(tg.max()))}
        models.append(Model(name, run, _history(config, name), evaluations[name], ranges))
    subsets = []
    for subset, store in stores.items():
        first = next(model for model in models if model.run.subset == subset)
        manifest = read_manifest(config.group_path(subset))
        cells = np.unique(store.parameters[:, :2], axis=0)
        subsets.append(SubsetData(subset, manifest, cells, _samples(store, first.evaluation)))
    return Results(config, models, subsets)


def _history(config: Config, model: str) -> pd.DataFrame:
    path = config.run_path(model) / "history.csv"
    again = f"Train the network anew: `lehr train CONFIG --model {model}`."
    try:
        table = pd.read_csv(path)
        missing = [name for name in ("epoch", "loss", "val_mae") if name not in table]
    except (OSError, ValueError) as error:
        raise LehrError(f"{path}: cannot be read ({error})", again) from None
    if missing:
        raise LehrError(f"{path}: has no column {', '.join(missing)}", again)
    return table


def _samples(store: SignalStore, evaluation: Evaluation) -> list[Sample]:
    """Take the evaluated samples at a low, the middle and a high percentile of the height of the peak."""
    data = evaluation.evaluated
    order = np.argsort(data["cpn_max"].to_numpy(), kind="stable")
    places = np.unique([round((order.size - 1) * percentile / 100) for percentile in _SHOWN_PERCENTILES])
    rows = data["row"].to_numpy()[order[places]].tolist()
    return [Sample(row, store.parameters[row], float(store.cpn_max[row]), store.read(row, row + 1)[0]) for row in rows]
