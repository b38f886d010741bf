"""Checkpoints: what a training that was killed goes on from.

A checkpoint is a folder `epoch-NNNN` with the weights and the optimizer state, the best weights so far, and state.json.
It is made under another name, renamed when it is whole, and never changed. The states of dropout are not in it: they
are drawn anew at the start of each epoch, from the seed, the rank and the epoch.

The checkpoints of trainings that may differ lie in different folders, named by a digest of what decides the training.
A training goes on in the folder whose values are its own, whatever its name: with a new key comes another digest.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lehr.config import Run, differences
from lehr.errors import LehrError
from lehr.files import file_checksum, read_json, write_json
from lehr.training.history import Row, best
from lehr.training.identity import changes, identity

__all__ = ["Checkpoints", "TrainingState"]

_KEPT_CHECKPOINTS = 2  # the newest: should one be damaged, there is another
_WEIGHTS, _BEST, _STATE = "training.weights.h5", "best.npz", "state.json"


@dataclass(frozen=True, eq=False)
class TrainingState:
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


class Checkpoints:
    """The checkpoints of one training in a run folder; only rank 0 writes and reads them.

    Parameters
    ----------
    run : Run
        The run.
    model : str
        Name of the model that is trained.

    Attributes
    ----------
    name : str
        Digest of what decided the training when it began, 16 hexadecimal digits.
    folder : Path
        Where they lie.
    """

    def __init__(self, run: Run, model: str) -> None:
        self._run = run
        self._model = model
        self._monitor = run.task(model).monitor
        self._identity = identity(run, model)
        decides = {**self._identity, "backend": keras.backend.backend()}
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
        folder = run.run_path(model) / "checkpoints"
        if not (folder / digest).exists():
            digest = next((path.parent.name for path, found in self._all(folder) if not found), digest)
        self.name = digest
        self.folder = folder / digest

    def path(self, epoch: int) -> Path:
        """Folder of the checkpoint after an epoch, from 1."""
        return self.folder / f"epoch-{epoch:04d}"

    def save(self, network: keras.Model, state: TrainingState) -> None:
        """Write the checkpoint of the last epoch of a state, then remove all but the newest."""
        epoch, smallest = len(state.rows), best(state.rows, self._monitor)
        work = self.folder / f".{self.path(epoch).name}"
        shutil.rmtree(work, ignore_errors=True)  # of a start that was killed
        work.mkdir(parents=True)
        network.save_weights(work / _WEIGHTS)
        np.savez(work / _BEST, *state.best_weights)
        content = {
            "epoch": epoch,
            "best_epoch": smallest["epoch"],
            f"best_{self._monitor}": smallest[self._monitor],
            "iterations": int(network.optimizer.iterations),
            "identity": self._identity,
            "backend": keras.backend.backend(),
            **_fixed(network),
            "files": {name: file_checksum(work / name) for name in (_WEIGHTS, _BEST)},
            "starts": state.starts,
            "history": state.rows,
        }
        write_json(work / _STATE, content)
        shutil.rmtree(self.path(epoch), ignore_errors=True)  # one that was refused
        work.replace(self.path(epoch))
        for old in _newest_first(self.folder)[_KEPT_CHECKPOINTS:]:
            shutil.rmtree(old)

    def load(self, network: keras.Model) -> tuple[TrainingState | None, list[str]]:
        """Put the newest usable checkpoint into a compiled network.

        Returns
        -------
        state : TrainingState or None
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

    def _read(self, path: Path, network: keras.Model) -> TrainingState:
        content = read_json(path / _STATE, "")
        try:
            fixed = _fixed(network)
            found = self._changes(content) + differences({name: content[name] for name in fixed}, fixed)
            if found:
                raise LehrError("of another training or network: " + "; ".join(found[:4]))
            for name, checksum in content["files"].items():
                if file_checksum(path / name) != checksum:
                    raise LehrError(f"{name} is damaged, its SHA-256 is not that of state.json")
            with np.load(path / _BEST) as arrays:
                best_weights = [arrays[name] for name in arrays.files]
            network.load_weights(path / _WEIGHTS)
            if int(network.optimizer.iterations) != content["iterations"]:
                raise LehrError("the optimizer state was not read")
            return TrainingState(list(content["history"]), list(content["starts"]), best_weights)
        except OSError as error:
            raise LehrError(f"cannot be read ({error.strerror or error})") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LehrError(f"damaged, or of another version of lehr ({error!r})") from None

    def clear(self) -> None:
        """Remove them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def others(self) -> str | None:
        """Say how the newest training of another identity in the run folder differs; None if there is none."""
        for path, found in self._all(self.folder.parent):
            if found:
                return f"starting anew, the checkpoints in {path.parent} are of another training: {'; '.join(found)}"
        return None

    def _all(self, folder: Path) -> Iterator[tuple[Path, list[str]]]:
        """Yield the last checkpoint of each training, the newest first, and how that training differs from this."""
        found = [path for training in folder.glob("*") for path in _newest_first(training)[:1]]
        for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
            try:
                yield path, self._changes(read_json(path / _STATE, ""))
            except (LehrError, KeyError, TypeError, ValueError, AttributeError):
                yield path, ["damaged, or of another version of lehr"]

    def _changes(self, content: dict[str, Any]) -> list[str]:
        made, backend = {"backend": content["backend"]}, {"backend": keras.backend.backend()}
        return changes(content["identity"], self._run, self._model) + differences(made, backend)


def _newest_first(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("epoch-*") if path.name[6:].isdigit()]
    return sorted(found, key=lambda path: int(path.name[6:]), reverse=True)


def _fixed(network: keras.Model) -> dict[str, Any]:
    """Return what must be the same for weights to mean the same, besides the identity of the training."""
    return {"variables": {variable.path: list(variable.shape) for variable in network.weights}}
