"""Run folders on the small store, without a training: of networks whose answers are known, and of an untrained one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import keras
import numpy as np
import pytest
import xarray
import yaml

from lehr.evaluation import RunReference, measure_robustness, predict
from lehr.evaluation.each import measure_each
from lehr.files import file_checksum
from lehr.glass.config import GlassRun
from lehr.glass.config.run import GlassModel, SubsetName
from lehr.glass.limits import Limits
from lehr.glass.quantities import PARAMETERS
from lehr.glass.robustness import distortions
from lehr.store import open_subset
from lehr.study import Columns
from lehr.training.checkpoints import TrainingState
from lehr.training.record import run_content
from lehr.training.samples import Samples

NAMES = [quantity.name for quantity in PARAMETERS]


def fake_run(
    tiny: GlassRun,
    folder: Path,
    answer: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    models: tuple[str, ...] = ("C",),
    subset: SubsetName = "C",
    split_by: Literal["sample", "cell"] | None = None,
) -> GlassRun:
    """Write a run folder for each model and make every network say `answer` to every sample.

    Where `answer` has several rows, the samples of a batch take turns.
    """
    config = config_beside(tiny, folder, *(GlassModel(name=name, subset=subset, split_by=split_by) for name in models))
    for name in models:
        config.run_path(name).mkdir(parents=True)
        (config.run_path(name) / "model.keras").write_bytes(name.encode())
        record(config, name)

    def answers(columns: Columns) -> Columns:
        return dict(zip(NAMES, np.resize(answer, (len(columns["cpn"]), 4)).T, strict=True))

    monkeypatch.setattr(predict, "predictor", lambda *_: answers)
    return config


def distort(network: RunReference) -> xarray.Dataset:
    """Measure a network on the distorted scans of its config, as `lehr robustness` does."""
    config = network.config
    samples, path = config.evaluation.robustness.samples, config.robustness_path(network.model)
    return measure_robustness(network, distortions(config), samples, path)


def measure_limits(config: GlassRun, subset: str) -> xarray.Dataset:
    """Compute bounds and fits of a subset, as `lehr limits` does."""
    return measure_each(config, subset, Limits(config), config.limits_path(subset))


def untrained_run(tiny: GlassRun, folder: Path) -> Path:
    """Write the run folder of a real network C as it is before the first step, and return the config file beside it."""
    config = config_beside(tiny, folder, *tiny.models)
    keras.utils.set_random_seed(0)
    made = config.task("C").build()
    run = config.run_path("C")
    run.mkdir(parents=True)
    made.save(run / "model.keras")
    record(config, "C")
    text = yaml.safe_dump(config.model_dump(mode="json"))
    (run / "config.yaml").write_text(text)
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(text)
    return path


def config_beside(tiny: GlassRun, folder: Path, *models: GlassModel) -> GlassRun:
    """Return a config that uses the small store and has results of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "signals.zarr").symlink_to(tiny.store_path)
    return tiny.model_copy(update={"output": str(folder), "models": models})


def record(config: GlassRun, name: str) -> None:
    """Write run.json and history.csv by the training's own code, so that these tests notice when its keys change."""
    store = open_subset(config, config.model(name).subset)
    samples = Samples.of(store, config.split_of(name).build(), config.task(name))
    size: Any = SimpleNamespace(count_params=lambda: 1234, input_shape=(None, *store.sample_shape))
    run = config.run_path(name)
    rows = [{"epoch": 1, "val_mae": 0.08}, {"epoch": 2, "val_mae": 0.03}, {"epoch": 3, "val_mae": 0.04}]
    state = TrainingState(rows, [{"ranks": 2, "seconds": 12.5}], [])
    content = run_content(config, name, store, samples, state, size)
    content |= {"network_checksum": file_checksum(run / "model.keras"), "checkpoints": "0" * 16}
    (run / "run.json").write_text(json.dumps(content))
    (run / "history.csv").write_text(
        "epoch,loss,val_loss,val_mae\n1,0.1,0.09,0.08\n2,0.04,0.04,0.03\n3,0.03,0.05,0.04\n"
    )
