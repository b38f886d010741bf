"""The run folder: the network, its history, and the record of how it came about."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import yaml
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.files import file_checksum, read_json, write_json
from lehr.glass.config import GlassRun
from lehr.glass.networks import PARAMETERS, TargetScaling
from lehr.glass.networks.mcnn import build_mcnn
from lehr.provenance import code, packages
from lehr.training.card import card
from lehr.training.history import Row, best

__all__ = ["Record", "Samples", "is_written", "write_run"]

_PACKAGES = ("lehr", "keras", "tensorflow", "tensorflow-cpu", "horovod", "numpy")
_FILES = ("model.keras", "history.csv", "config.yaml", "README.md", "run.json")  # run.json goes last


@dataclass(frozen=True, eq=False)
class Samples:
    """What there is to learn from.

    Attributes
    ----------
    counts : dict
        Good samples of each split.
    left_out : int
        Samples whose simulation is not good.
    mean, lowest, highest : ndarray, shape (4,)
        Of ln A, delta_h (J/mol), x and beta in the training split.
    """

    counts: dict[str, int]
    left_out: int
    mean: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of a training when it ends.

    Attributes
    ----------
    config : GlassRun
        The run.
    model : str
        Name of the model.
    samples : Samples
        What it learned from.
    world_size : int
        Number of ranks.
    best_epoch : int
        Epoch, from 1, whose weights are kept.
    best_mae : float
        Its validation MAE, normalised.
    """

    config: GlassRun
    model: str
    samples: Samples
    world_size: int
    best_epoch: int
    best_mae: float

    def content(self, network: keras.Model, checksum: str, seconds: float) -> dict[str, Any]:
        """Return the content of run.json."""
        config, samples, scaling = self.config, self.samples, TargetScaling()
        return {
            "model": self.model,
            "subset": config.model(self.model).subset,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "wall_seconds": round(seconds, 1),
            "world_size": self.world_size,
            "best_epoch": self.best_epoch,
            "best_val_mae": self.best_mae,
            "network_parameters": network.count_params(),
            "network_checksum": checksum,
            "samples": samples.counts,
            "samples_left_out": samples.left_out,
            "training_mean": dict(zip(PARAMETERS, samples.mean.tolist(), strict=True)),
            "parameter_ranges": {
                name: [float(low), float(high)]
                for name, low, high in zip(PARAMETERS, samples.lowest, samples.highest, strict=True)
            },
            "scaling": {"lower": list(scaling.lower), "upper": list(scaling.upper)},
            "temperature": config.signals.temperature.model_dump(mode="json"),
            "program": config.signals.program.model_dump(mode="json"),
            "signals_digest": config.signals.digest(),
            "split": config.split_of(self.model).model_dump(mode="json"),
            "network": config.network.model_dump(mode="json"),
            "training": config.training.model_dump(mode="json"),
            "loss_weights": config.loss_weights(self.model).model_dump(mode="json"),
            "seed": config.training.seed,
            "backend": keras.backend.backend(),
            "versions": {"python": platform.python_version(), **packages(*_PACKAGES)},
            "code": code(),
        }


def write_run(
    record: Record, network: keras.Model, history: Sequence[Row], seconds: float, origin: dict[str, Any]
) -> None:
    """Write model.keras, history.csv, config.yaml, README.md and run.json.

    They are made in a folder inside the run folder and moved when all are whole; run.json, without which the others
    count for nothing, goes last. What else lies in the run folder stays.

    Parameters
    ----------
    record : Record
        What is known of the training.
    network : keras.Model
        The network, with the weights of the best epoch.
    history : sequence of dict
        Its rows.
    seconds : float
        Wall time over all starts.
    origin : dict
        What goes into run.json besides: the digest of what decided the training, its starts, what made its signals.
    """
    folder = record.config.run_path(record.model)
    made = folder / ".being-written"
    shutil.rmtree(made, ignore_errors=True)  # of a start that was killed
    made.mkdir(parents=True)
    cycles, points = network.input_shape[1:]
    bare = build_mcnn(cycles, points, record.config.network)  # in float32, without optimizer and loss
    bare.set_weights(network.get_weights())
    bare.save(made / "model.keras")
    _write_history(made / "history.csv", history)
    content = {**record.content(network, file_checksum(made / "model.keras"), seconds), **origin}
    recipe = yaml.safe_dump(record.config.model_dump(mode="json"), sort_keys=False)
    (made / "config.yaml").write_text(recipe, encoding="utf-8")
    (made / "README.md").write_text(card(content, best(history), len(history)), encoding="utf-8")
    write_json(made / "run.json", content)
    (folder / "run.json").unlink(missing_ok=True)
    for name in _FILES:
        (made / name).replace(folder / name)
    made.rmdir()


def is_written(config: GlassRun, model: str, name: str, epochs: int) -> bool:
    """Tell whether the run folder is whole and holds a training: the digest of what decided it, and its epochs."""
    folder = config.run_path(model)
    try:
        run = read_json(folder / "run.json", "")
        return (
            (run["identity"], run["epochs_done"]) == (name, epochs)
            and run["training"] == config.training.model_dump(mode="json")
            and run["network_checksum"] == file_checksum(folder / "model.keras")
            and all((folder / file).exists() for file in _FILES)
        )
    except (KeyError, LehrError, OSError):
        return False


def _write_history(path: Path, rows: Sequence[Row]) -> None:
    lines = [",".join(rows[0]), *(",".join(f"{value:.9g}" for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
