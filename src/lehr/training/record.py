"""The run folder: the network, its history, and the record of how it came about."""

from __future__ import annotations

import csv
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import yaml

from lehr.config import Run
from lehr.errors import LehrError
from lehr.files import file_checksum, read_json, write_json
from lehr.provenance import code, packages
from lehr.store import Store
from lehr.training.card import card
from lehr.training.checkpoints import TrainingState
from lehr.training.history import Row, best
from lehr.training.identity import changes, identity, recorded
from lehr.training.samples import Samples

__all__ = ["FORMAT", "is_written", "run_content", "trained_before_format", "write_run"]

FORMAT = 2
"""Version of the run folder. Those without one have digests instead of the values that the samples were made with."""

_PACKAGES = ("lehr", "keras", "tensorflow", "tensorflow-cpu", "horovod", "numpy")
_FILES = ("model.keras", "history.csv", "config.yaml", "README.md", "run.json")  # run.json goes last


def run_content(
    run: Run, model: str, store: Store, samples: Samples, state: TrainingState, network: keras.Model
) -> dict[str, Any]:
    """Return the content of run.json but for the checksum of the network and the name of its checkpoints.

    Parameters
    ----------
    run : Run
        The run.
    model : str
        Name of the model.
    store : Store
        Where its samples are.
    samples : Samples
        What it learned from.
    state : TrainingState
        What was reached.
    network : keras.Model
        The network.
    """
    monitor = run.task(model).monitor
    smallest = best(state.rows, monitor)
    return {
        "format": FORMAT,
        "model": model,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(sum(start["seconds"] for start in state.starts), 1),
        "world_size": state.starts[-1]["ranks"],
        "best_epoch": int(smallest["epoch"]),
        f"best_{monitor}": smallest[monitor],
        "network_parameters": network.count_params(),
        "input_shape": list(network.input_shape[1:]),
        "samples": samples.counts,
        "samples_left_out": samples.left_out,
        "training_mean": samples.mean,
        "parameter_ranges": samples.ranges,
        **identity(run, model),
        "training": run.training.model_dump(mode="json"),
        "seed": run.training.seed,
        "backend": keras.backend.backend(),
        "versions": {"python": platform.python_version(), **packages(*_PACKAGES)},
        "code": code(),
        "store_digest": store.digest,
        "data": {name: store.about[name] for name in ("code", "packages")},
        "epochs_done": len(state.rows),
        "starts": state.starts,
    }


def write_run(run: Run, model: str, store: Store, samples: Samples, state: TrainingState, name: str) -> None:
    """Write model.keras, history.csv, config.yaml, README.md and run.json.

    They are made in a folder inside the run folder and moved when all are whole; run.json, without which the others
    count for nothing, goes last. What else lies in the run folder stays.

    Parameters
    ----------
    run, model, store, samples, state
        As for `run_content`; the network gets the weights of the best epoch.
    name : str
        Name of the checkpoints.
    """
    folder, task = run.run_path(model), run.task(model)
    made = folder / ".being-written"
    shutil.rmtree(made, ignore_errors=True)  # of a start that was killed
    made.mkdir(parents=True)
    bare = task.build()  # in float32, without optimizer and loss
    bare.set_weights(state.best_weights)
    bare.save(made / "model.keras")
    _write_history(made / "history.csv", state.rows)
    content = run_content(run, model, store, samples, state, bare)
    content |= {"network_checksum": file_checksum(made / "model.keras"), "identity": name}
    recipe = yaml.safe_dump(run.model_dump(mode="json"), sort_keys=False)
    (made / "config.yaml").write_text(recipe, encoding="utf-8")
    text = card(task, content, best(state.rows, task.monitor), len(state.rows))
    (made / "README.md").write_text(text, encoding="utf-8")
    write_json(made / "run.json", content)
    (folder / "run.json").unlink(missing_ok=True)
    for file in _FILES:
        (made / file).replace(folder / file)
    made.rmdir()


def is_written(run: Run, model: str, name: str, epochs: int) -> bool:
    """Tell whether the run folder is whole and holds a training: the name of its checkpoints, and its epochs."""
    folder = run.run_path(model)
    try:
        content = read_json(folder / "run.json", "")
        return (
            (content["identity"], content["epochs_done"]) == (name, epochs)
            and not changes(content, run, model, ends=True)
            and content["network_checksum"] == file_checksum(folder / "model.keras")
            and all((folder / file).exists() for file in _FILES)
        )
    except (KeyError, TypeError, ValueError, LehrError, OSError):
        return False


def trained_before_format(run: Run, model: str) -> list[Row] | None:
    """Return the history of a network that an older version trained to the end by this config; None if there is none.

    Its checkpoints are not read any more, but there is nothing left to do.
    """
    folder = run.run_path(model)
    try:
        content = read_json(folder / "run.json", "")
        if (
            "format" in content
            or changes(recorded(run, model, content), run, model, ends=True)
            or content["network_checksum"] != file_checksum(folder / "model.keras")
        ):
            return None
        with (folder / "history.csv").open(encoding="utf-8") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        return rows if len(rows) == content["epochs_done"] else None
    except (KeyError, TypeError, ValueError, LehrError, OSError):
        return None


def _write_history(path: Path, rows: Sequence[Row]) -> None:
    lines = [",".join(rows[0]), *(",".join(f"{value:.9g}" for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
