"""The run folder: the network, its history, and the record of how it came about."""

from __future__ import annotations

import csv
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lehr.config import Run
from lehr.errors import LehrError
from lehr.files import file_checksum, read_json, write_json
from lehr.provenance import code, packages
from lehr.store import Store
from lehr.store.layout import numerics_of_code
from lehr.training.card import card
from lehr.training.history import Row, best
from lehr.training.identity import changes, identity
from lehr.training.samples import Samples

if TYPE_CHECKING:  # Keras takes seconds to load, and a reader of run.json needs none of it
    import keras

    from lehr.training.checkpoints import TrainingState

__all__ = ["FORMAT", "is_of_store", "is_written", "read_content", "run_content", "write_run", "written_history"]

FORMAT = 2
"""Version of the run folder. Those without one have digests instead of the values that the samples were made with."""

_RENAMED = {"signals_digest": "store_digest", "world_size": "ranks", "identity": "checkpoints"}
"""Keys that had another name in run.json."""

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
    from keras.backend import backend

    monitor = run.task(model).monitor
    smallest = best(state.rows, monitor)
    return {
        "format": FORMAT,
        "model": model,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(sum(start["seconds"] for start in state.starts), 1),
        "ranks": state.starts[-1]["ranks"],
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
        "backend": backend(),
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
    content |= {"network_checksum": file_checksum(made / "model.keras"), "checkpoints": name}
    recipe = yaml.safe_dump(run.model_dump(mode="json"), sort_keys=False)
    (made / "config.yaml").write_text(recipe, encoding="utf-8")
    text = card(task, content, best(state.rows, task.monitor), len(state.rows))
    (made / "README.md").write_text(text, encoding="utf-8")
    write_json(made / "run.json", content)
    (folder / "run.json").unlink(missing_ok=True)
    for file in _FILES:
        (made / file).replace(folder / file)
    made.rmdir()


def read_content(folder: Path, model: str = "NAME") -> dict[str, Any]:
    """Read run.json, in the words of the present format.

    Without a format it is from before there was one, and of the first study: what its samples were made with is in the
    config beside it, and their numerics follow from the digest of the code that made them.

    Parameters
    ----------
    folder : Path
        The run folder.
    model : str
        Name of the model, for the message.

    Returns
    -------
    dict
        What `write_run` writes. `numerics` may be a word, of code that is not known any more: see `is_of_store`.

    Raises
    ------
    LehrError
        If it is missing or damaged.
    """
    path = folder / "run.json"
    content = read_json(path, f"Train the network first: `lehr train CONFIG --model {model}`.")
    content = {_RENAMED.get(name, name): value for name, value in content.items()}
    if "format" in content:
        return content
    try:
        recipe = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        numerics = numerics_of_code(content["data"]["code"]["numerics"])
        return {**content, "study": "glass", "numerics": numerics, "signals": recipe["signals"]}
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise LehrError(
            f"{path}: damaged, or of another version of lehr ({error!r})",
            f"Train it anew: `lehr train CONFIG --model {model}`.",
        ) from None


def is_of_store(content: dict[str, Any], store: Store) -> bool:
    """Tell whether a network may be given the samples of a store, after its values were compared with the config.

    Where the numerics of its samples are not known any more, only the store that it learned from, or one of the same
    code and values, surely has them.
    """
    return not isinstance(content["numerics"], str) or content["store_digest"] == store.digest


def is_written(run: Run, model: str, store: Store, epochs: int) -> bool:
    """Tell whether the run folder is whole and holds this training, with that many epochs."""
    from keras.backend import backend

    folder = run.run_path(model)
    try:
        content = read_content(folder)
        return (
            (content["backend"], content["epochs_done"]) == (backend(), epochs)
            and not changes(content, run, model, ends=True)
            and is_of_store(content, store)
            and content["network_checksum"] == file_checksum(folder / "model.keras")
            and all((folder / file).exists() for file in _FILES)
        )
    except (KeyError, TypeError, ValueError, LehrError, OSError):
        return False


def written_history(run: Run, model: str, store: Store) -> list[Row]:
    """Return the history in the run folder if it is whole and holds this training; otherwise nothing."""
    try:
        with (run.run_path(model) / "history.csv").open(encoding="utf-8", newline="") as file:
            rows = [
                {name: int(value) if value.isdigit() else float(value) for name, value in row.items()}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, AttributeError):
        return []
    return rows if is_written(run, model, store, len(rows)) else []


def _write_history(path: Path, rows: Sequence[Row]) -> None:
    lines = [",".join(rows[0]), *(",".join(f"{value:.9g}" for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
