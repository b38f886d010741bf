"""Everything the report shows, read from the files of runs; what cannot be read is said, and the rest goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import xarray

from lehr.errors import LehrError
from lehr.evaluation import Evaluation, Run, RunReference, differences_from_paper, read_evaluation, read_run, references
from lehr.glass.config import GlassRun
from lehr.report.album import slug
from lehr.store import SignalStore, read_manifest

__all__ = ["Model", "Problems", "Results", "Subset", "collect"]

T = TypeVar("T")


class Problems:
    """What a reader of the report must know of what is not in it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        """Keep a text, once."""
        if text not in self.texts:
            self.texts.append(text)

    def attempt(self, what: Callable[..., T], *arguments: Any) -> T | None:
        """Call a function; where it has a LehrError to say, keep that and return None."""
        try:
            return what(*arguments)
        except LehrError as error:
            self.add(str(error))
            return None


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network.

    Attributes
    ----------
    name : str
        What it is called in the report: unlike all others.
    reference : RunReference
        Its config, and its name there.
    run : Run
        Its training.
    history : pandas.DataFrame or None
        Each epoch; None if it cannot be read.
    tests : dict of Evaluation
        By subset; its own is first, if that was evaluated.
    robustness : xarray.Dataset or None
        Its errors on distorted scans.
    """

    name: str
    reference: RunReference
    run: Run
    history: pd.DataFrame | None
    tests: dict[str, Evaluation]
    robustness: xarray.Dataset | None

    @property
    def slug(self) -> str:
        """Its name as part of a file name or of an address."""
        return slug(self.name)

    @property
    def config(self) -> GlassRun:
        """Its config."""
        return self.reference.config

    @property
    def split_by(self) -> str:
        """How its samples were split: by sample or by cell."""
        return self.config.split_of(self.reference.model).by

    @property
    def own(self) -> Evaluation:
        """The evaluation on its own subset; raises `KeyError` if there is none."""
        return self.tests[self.run.subset]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """What it was trained on: the ends of each parameter and of Tg."""
        ends = self.own.data["trained_range"]
        return {str(name): tuple(ends.sel(quantity=name).to_numpy().tolist()) for name in ends["quantity"].to_numpy()}


@dataclass(frozen=True, eq=False)
class Subset:
    """A simulated subset of a config: its store and manifest, and what can be known of its parameters at best."""

    config: GlassRun
    name: str
    store: SignalStore
    manifest: dict[str, Any]
    limits: xarray.Dataset | None


@dataclass(frozen=True, eq=False)
class Results:
    """All that was found.

    Attributes
    ----------
    models : list of Model
        Those that were trained.
    subsets : list of Subset
        Those that they learned from.
    problems : Problems
        What was not found.
    """

    models: list[Model]
    subsets: list[Subset]
    problems: Problems = field(default_factory=Problems)

    @property
    def evaluated(self) -> list[Model]:
        """The models with an evaluation on their own subset."""
        return [model for model in self.models if model.run.subset in model.tests]

    @property
    def configs(self) -> list[GlassRun]:
        """The configs of the models."""
        return list({id(model.config): model.config for model in self.models}.values())

    @property
    def differences(self) -> dict[str, list[str]]:
        """By config: in what it differs from the paper."""
        return {config.name: differences_from_paper(config) for config in self.configs}

    def subset_of(self, model: Model) -> Subset | None:
        """Return the subset that a model learned from; None if it cannot be read."""
        found = (subset for subset in self.subsets if (subset.config, subset.name) == (model.config, model.run.subset))
        return next(found, None)


def collect(paths: Sequence[str | Path]) -> Results:
    """Read the runs that paths stand for, with their evaluations and the stores that they learned from.

    Parameters
    ----------
    paths : sequence of str or Path
        GlassRun files and run folders.

    Raises
    ------
    LehrError
        If no trained network is among them; all that is wrong is in the message.
    """
    problems = Problems()
    found: list[RunReference] = []
    for path in paths:
        found += [run for run in problems.attempt(references, path) or [] if run not in found]
    often = Counter(run.model for run in found)
    models = []
    for reference in found:
        name = reference.model if often[reference.model] == 1 else f"{reference.config.name}/{reference.model}"
        run = problems.attempt(read_run, reference)
        if run is not None:
            models.append(_model(name, reference, run, problems))
    if not models:
        raise LehrError("no trained network is there to report on", "\n  ".join(problems.texts))
    names = Counter(model.name for model in models)
    if len(names) < len(models):
        raise LehrError(f"two networks are called {names.most_common(1)[0][0]}", "Give their configs different names.")
    if len({model.run.signals_digest for model in models}) > 1:
        problems.add(
            "These networks learned from different signals (another state space, thermal program, temperature step or "
            "tolerance): their errors are of different samples, and a smaller one does not make a better network."
        )
    subsets: list[Subset] = []
    for model in models:
        if not any((known.config, known.name) == (model.config, model.run.subset) for known in subsets):
            subset = problems.attempt(_subset, model.config, model.run.subset, problems)
            subsets += [subset] if subset else []
    return Results(models, subsets, problems)


def _model(name: str, reference: RunReference, run: Run, problems: Problems) -> Model:
    config = reference.config
    tests: dict[str, Evaluation] = {}
    untested = []
    for subset in dict.fromkeys((run.subset, *config.subsets)):
        if subset != run.subset and not (config.evaluation_path(reference.model, subset) / "metrics.json").exists():
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
    history = problems.attempt(_history, reference)
    return Model(name, reference, run, history, tests, problems.attempt(_robustness, reference, run))


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
    path = reference.folder / "history.csv"
    again = f"Train the network anew: `lehr train CONFIG --model {reference.model}`."
    try:
        table = pd.read_csv(path)
        missing = [name for name in ("epoch", "loss", "val_mae") if name not in table]
    except (OSError, ValueError) as error:
        raise LehrError(f"{path}: cannot be read ({error})", again) from None
    if missing:
        raise LehrError(f"{path}: has no column {', '.join(missing)}", again)
    return table


def _robustness(reference: RunReference, run: Run) -> xarray.Dataset:
    path = reference.config.robustness_path(reference.model)
    command = f"`lehr robustness CONFIG --model {reference.model}`"
    data = _read(path, command)
    if data.attrs.get("network_checksum") != run.checksum:
        raise LehrError(f"{path}: of another network than {reference.folder}", f"Run {command} again.")
    return data


def _subset(config: GlassRun, name: str, problems: Problems) -> Subset:
    store = SignalStore.open(config.store_path, name)
    limits = problems.attempt(_limits, config, name)
    return Subset(config, name, store, read_manifest(config.group_path(name)), limits)


def _limits(config: GlassRun, subset: str) -> xarray.Dataset:
    path = config.limits_path(subset)
    command = f"`lehr limits CONFIG --subset {subset}`"
    data = _read(path, command)
    if data.attrs.get("signals_digest") != config.signals.digest():
        raise LehrError(f"{path}: made of other signals than the config has", f"Run {command} again.")
    return data


def _read(path: Path, command: str) -> xarray.Dataset:
    if not path.exists():
        raise LehrError(f"{path}: no such file", f"Run {command} first.")
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as data:
            return data.load()
    except (OSError, ValueError) as error:
        raise LehrError(f"{path}: damaged ({error})", f"Run {command} again.") from None
