"""Run folders of networks whose answers are known, on the small store: nothing is trained."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lehr.config import Config, ModelConfig
from lehr.config.schema import SubsetName
from lehr.models import network
from lehr.statespace import SPLITS
from lehr.store import SignalStore
from lehr.training.record import Record, Samples


def fake_run(
    tiny: Config,
    folder: Path,
    answer: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    models: tuple[str, ...] = ("C",),
    subset: SubsetName = "C",
) -> Config:
    """Write a run folder for each model and make every network say `answer` to every sample.

    The record is written by the training's own code, so that these tests notice when its keys change.
    """
    config = tiny.model_copy(
        update={
            "output": str(folder),
            "models": tuple(ModelConfig(name=name, subset=subset) for name in models),
        }
    )
    (folder / "signals.zarr").symlink_to(tiny.store_path)
    store = SignalStore.open(config.store_path, subset)
    part = config.split.build().assign(store.parameters)
    learned = store.parameters[part == SPLITS.index("train")]
    counts = {name: int(np.count_nonzero(part == number)) for number, name in enumerate(SPLITS)}
    samples = Samples(counts, 0, learned.mean(axis=0), learned.min(axis=0), learned.max(axis=0))
    size: Any = SimpleNamespace(count_params=lambda: 1234)
    for name in models:
        run = config.run_path(name)
        run.mkdir(parents=True)
        (run / "model.keras").write_bytes(name.encode())
        checksum = hashlib.sha256(name.encode()).hexdigest()
        content = Record(config, name, samples, 2, 2, 0.03).content(size, checksum, 12.5)
        (run / "run.json").write_text(json.dumps(content))
        (run / "history.csv").write_text(
            "epoch,loss,val_loss,val_mae\n1,0.1,0.09,0.08\n2,0.04,0.04,0.03\n3,0.03,0.05,0.04\n"
        )
    monkeypatch.setattr(network, "load_network", lambda *_: None)
    monkeypatch.setattr(network, "predict", lambda _, signals: np.tile(answer, (len(signals), 1)))
    return config
