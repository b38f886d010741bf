"""Run folders on the small store, without a training: of networks whose answers are known, and of an untrained one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import keras
import numpy as np
import pytest
import yaml

from lehr.evaluation import predict
from lehr.files import file_checksum
from lehr.glass.config import GlassRun
from lehr.glass.config.run import GlassModel, SubsetName
from lehr.glass.networks.mcnn import build_mcnn
from lehr.split import SPLITS
from lehr.store import SignalStore
from lehr.training.record import Record, Samples


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
    monkeypatch.setattr(predict, "load_network", lambda *_: None)
    monkeypatch.setattr(predict, "predict", lambda _, signals: np.resize(answer, (len(signals), 4)))
    return config


def untrained_run(tiny: GlassRun, folder: Path) -> Path:
    """Write the run folder of a real network C as it is before the first step, and return the config file beside it."""
    config = config_beside(tiny, folder, *tiny.models)
    keras.utils.set_random_seed(0)
    made = build_mcnn(config.signals.program.cycle_count, config.signals.temperature.points, config.network)
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
    store = SignalStore.open(config.store_path, config.model(name).subset)
    part = config.split_of(name).build().assign(store.parameters)
    learned = store.parameters[part == SPLITS.index("train")]
    counts = {split: int(np.count_nonzero(part == number)) for number, split in enumerate(SPLITS)}
    samples = Samples(counts, 0, learned.mean(axis=0), learned.min(axis=0), learned.max(axis=0))
    size: Any = SimpleNamespace(count_params=lambda: 1234)
    run = config.run_path(name)
    content = Record(config, name, samples, 2, 2, 0.03).content(size, file_checksum(run / "model.keras"), 12.5)
    (run / "run.json").write_text(json.dumps(content))
    (run / "history.csv").write_text(
        "epoch,loss,val_loss,val_mae\n1,0.1,0.09,0.08\n2,0.04,0.04,0.03\n3,0.03,0.05,0.04\n"
    )
