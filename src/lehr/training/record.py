"""The run folder: the network, its history, and the record of how it came about."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lehr.config import Config
from lehr.files import file_checksum, write_json
from lehr.models import PARAMETERS, TargetScaling, build_mcnn

__all__ = ["Record", "Samples", "write_run"]

_PACKAGES = ("lehr", "keras", "tensorflow", "tensorflow-cpu", "horovod", "numpy")


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
    config : Config
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

    config: Config
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
            "split": config.split.model_dump(mode="json"),
            "network": config.network.model_dump(mode="json"),
            "training": config.training.model_dump(mode="json"),
            "loss_weights": config.loss_weights(self.model).model_dump(mode="json"),
            "seed": config.training.seed,
            "backend": keras.backend.backend(),
            "versions": {"python": platform.python_version(), **_versions()},
        }


def write_run(record: Record, network: keras.Model, history: Sequence[dict[str, float]], seconds: float) -> None:
    """Write model.keras, history.csv and run.json.

    They are made in a folder beside the run folder and moved when all are whole; run.json, without which the others
    count for nothing, goes last.
    """
    folder = record.config.run_path(record.model)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as work:
        made = Path(work)
        points, cycles = network.input_shape[1:]
        bare = build_mcnn(points, cycles, record.config.network)  # without optimizer and loss
        bare.set_weights(network.get_weights())
        bare.save(made / "model.keras")
        _write_history(made / "history.csv", history)
        checksum = file_checksum(made / "model.keras")
        write_json(made / "run.json", record.content(network, checksum, seconds))
        (folder / "run.json").unlink(missing_ok=True)
        for name in ("model.keras", "history.csv", "run.json"):
            (made / name).replace(folder / name)


def _write_history(path: Path, rows: Sequence[dict[str, float]]) -> None:
    lines = [",".join(rows[0]), *(",".join(f"{value:.9g}" for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
