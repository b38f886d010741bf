"""Checkpoints: what a training that was killed goes on from.

A checkpoint is a folder `epoch-NNNN` with the weights and the optimizer state, the best weights so far, and state.json.
It is made under another name, renamed when it is whole, and never changed. The states of dropout are not in it: they
are drawn anew at the start of each epoch, from the seed, the rank and the epoch.

The checkpoints of trainings that may differ lie in different folders, named by what decides the training.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.files import file_checksum, read_json, write_json
from lehr.glass.config import GlassRun
from lehr.glass.networks import TargetScaling
from lehr.store.layout import differences
from lehr.training.history import Row, best

__all__ = ["Checkpoints", "State", "identity"]

_KEPT = 2  # the newest: should one be damaged, there is another
_WEIGHTS, _BEST, _STATE = "training.weights.h5", "best.npz", "state.json"


@dataclass(frozen=True, eq=False)
class State:
    """What a training has reached, beside the weights and the optimizer state.

    Attributes
    ----------
    rows : list of dict
        The history.
    starts : list of dict
        For each time that it was started: the epochs before, those it did, its ranks and its seconds.
    best_weights : list of ndarray
        Weights of the best epoch.
    """

    rows: list[Row]
    starts: list[dict[str, Any]]
    best_weights: list[NDArray[Any]]


def identity(config: GlassRun, model: str) -> dict[str, Any]:
    """Return what decides the weights after each epoch: all but the number of ranks and the epoch it ends with."""
    training = config.training.model_dump(mode="json", exclude={"epochs", "early_stopping", "loss_weights"})
    return {
        "subset": config.model(model).subset,
        "signals_digest": config.signals.digest(),
        "split": config.split_of(model).model_dump(mode="json"),
        "network": config.network.model_dump(mode="json"),
        "training": training,
        "loss_weights": config.loss_weights(model).model_dump(mode="json"),
        "backend": keras.backend.backend(),
    }


class Checkpoints:
    """The checkpoints of one training in a run folder; only rank 0 writes and reads them.

    Parameters
    ----------
    run_folder : Path
        The run folder.
    decides : dict
        What decides the training; see `identity`.

    Attributes
    ----------
    name : str
        Digest of what decides the training, 16 hexadecimal digits.
    folder : Path
        Where they lie.
    """

    def __init__(self, run_folder: Path, decides: dict[str, Any]) -> None:
        self._identity = decides
        self.name = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = run_folder / "checkpoints" / self.name

    def path(self, epoch: int) -> Path:
        """Folder of the checkpoint after an epoch, from 1."""
        return self.folder / f"epoch-{epoch:04d}"

    def save(self, network: keras.Model, state: State) -> None:
        """Write the checkpoint of the last epoch of a state, then remove all but the newest."""
        epoch = len(state.rows)
        work = self.folder / f".{self.path(epoch).name}"
        shutil.rmtree(work, ignore_errors=True)  # of a start that was killed
        work.mkdir(parents=True)
        network.save_weights(work / _WEIGHTS)
        np.savez(work / _BEST, *state.best_weights)
        content = {
            "epoch": epoch,
            "best_epoch": best(state.rows)["epoch"],
            "best_val_mae": best(state.rows)["val_mae"],
            "iterations": int(network.optimizer.iterations),
            "identity": self._identity,
            **_fixed(network),
            "files": {name: file_checksum(work / name) for name in (_WEIGHTS, _BEST)},
            "starts": state.starts,
            "history": state.rows,
        }
        write_json(work / _STATE, content)
        shutil.rmtree(self.path(epoch), ignore_errors=True)  # one that was refused
        work.replace(self.path(epoch))
        for old in _newest_first(self.folder)[_KEPT:]:
            shutil.rmtree(old)

    def load(self, network: keras.Model) -> tuple[State | None, list[str]]:
        """Put the newest usable checkpoint into a compiled network.

        Returns
        -------
        state : State or None
            What was reached; None if there is no checkpoint.
        refused : list of str
            Why newer ones were passed over.

        Raises
        ------
        LehrError
            If there are checkpoints, but none can be used.
        """
        if not network.optimizer.built:  # otherwise Keras would leave its state out, with no more than a warning
            network.optimizer.build(network.trainable_variables)
        refused: list[str] = []
        for path in _newest_first(self.folder):
            try:
                return self._read(path, network), refused
            except LehrError as error:
                refused.append(f"{path}: {error.what}")
        if refused:
            raise LehrError(
                "no checkpoint can be used:\n  " + "\n  ".join(refused),
                "Put the files back, or begin anew with --restart, which removes them.",
            )
        return None, refused

    def _read(self, path: Path, network: keras.Model) -> State:
        content = read_json(path / _STATE, "")
        try:
            made = {"identity": content["identity"], **{name: content[name] for name in _fixed(network)}}
            wanted = json.loads(json.dumps({"identity": self._identity, **_fixed(network)}))
            changes = differences(made, wanted)
            if changes:
                raise LehrError("of another training or network: " + "; ".join(changes[:4]))
            for name, checksum in content["files"].items():
                if file_checksum(path / name) != checksum:
                    raise LehrError(f"{name} is damaged, its SHA-256 is not that of state.json")
            with np.load(path / _BEST) as arrays:
                best_weights = [arrays[name] for name in arrays.files]
            network.load_weights(path / _WEIGHTS)
            if int(network.optimizer.iterations) != content["iterations"]:
                raise LehrError("the optimizer state was not read")
            return State(list(content["history"]), list(content["starts"]), best_weights)
        except OSError as error:
            raise LehrError(f"cannot be read ({error.strerror or error})") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LehrError(f"damaged, or of another version of lehr ({error!r})") from None

    def clear(self) -> None:
        """Remove them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def others(self) -> str | None:
        """Say how the newest training of another identity in the run folder differs; None if there is none."""
        found = [path for folder in self.folder.parent.glob("*") for path in _newest_first(folder)[:1]]
        for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
            try:
                made = read_json(path / _STATE, "")["identity"]
                changes = differences(made, json.loads(json.dumps(self._identity)))
            except (LehrError, KeyError, AttributeError):
                continue
            if changes:
                return f"starting anew, the checkpoints in {path.parent} are of another training: {'; '.join(changes)}"
        return None


def _newest_first(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("epoch-*") if path.name[6:].isdigit()]
    return sorted(found, key=lambda path: int(path.name[6:]), reverse=True)


def _fixed(network: keras.Model) -> dict[str, Any]:
    """Return what must be the same for weights to mean the same: their shapes, and the normalisation of the targets."""
    scaling = TargetScaling()
    return {
        "variables": {variable.path: list(variable.shape) for variable in network.weights},
        "scaling": {"lower": list(scaling.lower), "upper": list(scaling.upper)},
    }
