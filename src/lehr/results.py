"""What runs have come to, as the report collects it and a study shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
import xarray
from numpy.typing import NDArray

from lehr.config import Run
from lehr.errors import LehrError
from lehr.study import Columns

__all__ = [
    "EVALUATED",
    "LEFT_OUT",
    "NOT_FINITE",
    "Evaluation",
    "Model",
    "Problems",
    "ReportParts",
    "Results",
    "RunReference",
    "SimulatedSubset",
    "StoredSamples",
    "TrainingRecord",
]

T = TypeVar("T")

EVALUATED, LEFT_OUT, NOT_FINITE = 0, 1, 2
"""States of a sample of an evaluation."""


@dataclass(frozen=True)
class RunReference:
    """A model of a config.

    Attributes
    ----------
    config : Run
        The run.
    model : str
        Name of one of its models.
    """

    config: Run
    model: str

    @property
    def folder(self) -> Path:
        """Its run folder."""
        return self.config.run_path(self.model)

    @property
    def subset(self) -> str:
        """The subset that it is trained on."""
        return self.config.model(self.model).subset


@dataclass(frozen=True)
class TrainingRecord:
    """What the run folder of a training says.

    Attributes
    ----------
    content : dict
        run.json as it is.
    model, subset : str
        Name of the network and the subset that it was trained on.
    store_digest : str
        Digest of the store that it was trained on.
    training_mean : dict
        Mean of each target over the training split: the trivial predictor.
    samples : dict
        Good samples of each split.
    checksum : str
        SHA-256 of model.keras.
    ranks, best_epoch, seed : int
        Horovod ranks, epoch (from 1) that was kept, seed of the training.
    seconds : float
        Wall time of the training.
    versions : dict
        Versions of the packages that trained it.
    """

    content: dict[str, Any]
    model: str
    subset: str
    store_digest: str
    training_mean: dict[str, float]
    samples: dict[str, int]
    checksum: str
    ranks: int
    best_epoch: int
    seed: int
    seconds: float
    versions: dict[str, str]


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


class StoredSamples(Protocol):
    """What is read of a store to be shown."""

    @property
    def digest(self) -> str:
        """What ties a file to the values of the store."""

    def column(self, name: str) -> NDArray[Any]:
        """Return a small array, or the coordinate of an axis."""

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the large array of some samples."""


@dataclass(frozen=True, eq=False)
class SimulatedSubset:
    """A simulated subset of a config.

    Attributes
    ----------
    config : Run
        The run.
    name : str
        Name of the subset.
    store : StoredSamples
        Its samples.
    manifest : dict
        manifest.json as it is.
    """

    config: Run
    name: str
    store: StoredSamples
    manifest: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network.

    Attributes
    ----------
    name : str
        What it is called in the report: unlike all others.
    slug : str
        That as part of a file name or of an address.
    reference : RunReference
        Its config, and its name there.
    record : TrainingRecord
        Its training.
    history : pandas.DataFrame or None
        Each epoch; None if it cannot be read.
    tests : dict of Evaluation
        By subset; its own is first, if that was evaluated.
    predict : callable
        From inputs to targets of samples, both by name; raises `LehrError` if the network cannot be loaded.
    """

    name: str
    slug: str
    reference: RunReference
    record: TrainingRecord
    history: pd.DataFrame | None
    tests: dict[str, Evaluation]
    predict: Callable[[Columns], Columns]

    @property
    def config(self) -> Any:
        """Its config, of the study that asks."""
        return self.reference.config

    @property
    def split_by(self) -> str:
        """What of its samples was drawn for the split."""
        return self.reference.config.split_of(self.reference.model).by

    @property
    def own(self) -> Evaluation:
        """The evaluation on its own subset; raises `KeyError` if there is none."""
        return self.tests[self.record.subset]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """What it was trained on: the ends of each quantity."""
        ends = self.own.data["trained_range"]
        return {str(name): tuple(ends.sel(quantity=name).to_numpy().tolist()) for name in ends["quantity"].to_numpy()}


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
class Results:
    """All that was found.

    Attributes
    ----------
    models : list of Model
        Those that were trained.
    subsets : list of SimulatedSubset
        Those that they learned from.
    problems : Problems
        What was not found.
    """

    models: list[Model]
    subsets: list[SimulatedSubset]
    problems: Problems = field(default_factory=Problems)

    @property
    def evaluated(self) -> list[Model]:
        """The models with an evaluation on their own subset."""
        return [model for model in self.models if model.record.subset in model.tests]

    @property
    def configs(self) -> list[Any]:
        """The configs of the models."""
        return list({id(model.config): model.config for model in self.models}.values())

    def subset_of(self, model: Model) -> SimulatedSubset | None:
        """Return the subset that a model learned from; None if it cannot be read."""
        wanted = (model.config, model.record.subset)
        return next((subset for subset in self.subsets if (subset.config, subset.name) == wanted), None)


@dataclass(frozen=True, eq=False)
class ReportParts:
    """What a study adds to the page of a report.

    Attributes
    ----------
    template : Traversable
        A Jinja2 template that extends page.html.j2 of `lehr.report`.
    context : mapping
        What it speaks of.
    tables : mapping of pandas.DataFrame
        Tables that are written to files, by name.
    citation : str
        The publication that thresholds and claims are from.
    """

    template: Traversable
    context: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    citation: str = ""
