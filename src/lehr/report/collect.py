"""Everything the report shows, read from the files of runs; what cannot be read is said, and the rest goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lehr.config import Run
from lehr.errors import LehrError
from lehr.evaluation import read_evaluation, read_run, references
from lehr.evaluation.runs import LoadRun
from lehr.figures.files import slug
from lehr.results import (
    Evaluation,
    Model,
    Problems,
    Results,
    RunReference,
    SimulatedSubset,
    TrainingRecord,
)
from lehr.store import open_subset, read_manifest
from lehr.study import Columns

__all__ = ["collect"]


def collect(paths: Sequence[str | Path], load: LoadRun) -> Results:
    """Read the runs that paths stand for, with their evaluations and the stores that they learned from.

    Parameters
    ----------
    paths : sequence of str or Path
        Config files and run folders.
    load : callable
        Reads a config file.

    Raises
    ------
    LehrError
        If no trained network is among them, or they are of several studies; all that is wrong is in the message.
    """
    problems = Problems()
    found: list[RunReference] = []
    for path in paths:
        found += [run for run in problems.attempt(references, path, load) or [] if run not in found]
    often = Counter(run.model for run in found)
    models = []
    for reference in found:
        name = reference.model if often[reference.model] == 1 else f"{reference.config.name}/{reference.model}"
        record = problems.attempt(read_run, reference)
        if record is not None:
            models.append(_model(name, reference, record, problems))
    if not models:
        raise LehrError("no trained network is there to report on", "\n  ".join(problems.texts))
    names = Counter(model.name for model in models)
    if len(names) < len(models):
        raise LehrError(f"two networks are called {names.most_common(1)[0][0]}", "Give their configs different names.")
    studies = sorted({str(model.config.study) for model in models})
    if len(studies) > 1:
        raise LehrError(f"these networks are of several studies: {', '.join(studies)}", "Write a report of each.")
    if len({_samples(model) for model in models}) > 1:
        problems.add(
            "These networks learned from different signals (another state space, thermal program, temperature step or "
            "tolerance): their errors are of different samples, and a smaller one does not make a better network."
        )
    subsets: list[SimulatedSubset] = []
    for model in models:
        if not any((known.config, known.name) == (model.config, model.record.subset) for known in subsets):
            subset = problems.attempt(_subset, model.config, model.record.subset)
            subsets += [subset] if subset else []
    return Results(models, subsets, problems)


def _samples(model: Model) -> str:
    """Return what decides the samples that a network learned from, to be compared with that of others."""
    return json.dumps([model.record.content["numerics"], model.config.source().values], sort_keys=True)


def _model(name: str, reference: RunReference, record: TrainingRecord, problems: Problems) -> Model:
    config = reference.config
    tests: dict[str, Evaluation] = {}
    untested = []
    for subset in dict.fromkeys((record.subset, *config.subsets)):
        if subset != record.subset and not (config.evaluation_path(reference.model, subset) / "metrics.json").exists():
            untested.append(subset)
            continue
        evaluation = problems.attempt(read_evaluation, reference, subset)
        if evaluation is not None and _counts(name, subset, evaluation, problems):
            tests[subset] = evaluation
    if untested and config.evaluation.transfer:
        problems.add(
            f"Network {name} was not tested on {', '.join(untested)}: run `lehr evaluate CONFIG --model "
            f"{reference.model}{''.join(f' --on {subset}' for subset in untested)}`."
        )

    def predict(columns: Columns) -> Columns:
        from lehr.evaluation.predict import predictor  # Keras takes seconds to load, and the figures need none of it

        return predictor(reference, config.source().axes)(columns)

    history = problems.attempt(_history, reference)
    return Model(name, slug(name), reference, record, history, tests, predict)


def _counts(name: str, subset: str, evaluation: Evaluation, problems: Problems) -> bool:
    """Tell whether an evaluation has samples that count; say what is wrong with the others."""
    samples = evaluation.metrics["samples"]
    if samples["not_finite"]:
        rows = ", ".join(map(str, evaluation.metrics["not_finite_rows"][:5]))
        problems.add(
            f"Network {name} on {subset}: {samples['not_finite']} of {samples['all']} predictions are not finite and "
            f"are in none of the numbers (rows {rows}{', ...' if samples['not_finite'] > 5 else ''}). The training has "
            "diverged, or a signal is damaged."
        )
    if not samples["evaluated"]:
        problems.add(f"Network {name} on {subset}: no test sample counts; there is nothing to show of it.")
    return bool(samples["evaluated"])


def _history(reference: RunReference) -> pd.DataFrame:
    path, monitor = reference.folder / "history.csv", reference.config.task(reference.model).monitor
    again = f"Train the network anew: `lehr train CONFIG --model {reference.model}`."
    try:
        table = pd.read_csv(path)
        missing = [name for name in ("epoch", "loss", monitor) if name not in table]
    except (OSError, ValueError) as error:
        raise LehrError(f"{path}: cannot be read ({error})", again) from None
    if missing:
        raise LehrError(f"{path}: has no column {', '.join(missing)}", again)
    return table


def _subset(config: Run, name: str) -> SimulatedSubset:
    return SimulatedSubset(config, name, open_subset(config, name), read_manifest(config.group_path(name)))
