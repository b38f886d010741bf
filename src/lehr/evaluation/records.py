"""Run folders: read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.evaluation.runs import RunReference
from lehr.files import read_json
from lehr.glass.networks import PARAMETERS, TargetScaling
from lehr.store.layout import differences

__all__ = ["Run", "read_run"]


@dataclass(frozen=True)
class Run:
    """What the run folder of a training says.

    Attributes
    ----------
    content : dict
        run.json as it is.
    model, subset : str
        Name of the network and the subset that it was trained on.
    signals_digest : str
        Digest of the signals config of the store that it was trained on.
    training_mean : ndarray, shape (4,)
        Mean of the parameters over the training split: the trivial predictor.
    ranges : dict
        Lowest and highest value of each parameter in the training split.
    scaling : TargetScaling
        Normalisation that it was trained with.
    samples : dict
        Good samples of each split.
    loss_weights : dict
        Weight of each parameter in the loss.
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
    signals_digest: str
    training_mean: NDArray[np.float64]
    ranges: dict[str, tuple[float, float]]
    scaling: TargetScaling
    samples: dict[str, int]
    loss_weights: dict[str, float]
    checksum: str
    ranks: int
    best_epoch: int
    seed: int
    seconds: float
    versions: dict[str, str]

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Run:
        """Take what the package uses from the content of run.json; raises `KeyError`, `TypeError` or `ValueError`."""
        mean, ranges = content["training_mean"], content["parameter_ranges"]
        return cls(
            content=content,
            model=str(content["model"]),
            subset=str(content["subset"]),
            signals_digest=str(content["signals_digest"]),
            training_mean=np.array([mean[name] for name in PARAMETERS], dtype=float),
            ranges={name: (float(ranges[name][0]), float(ranges[name][1])) for name in PARAMETERS},
            scaling=TargetScaling(tuple(content["scaling"]["lower"]), tuple(content["scaling"]["upper"])),
            samples={str(name): int(number) for name, number in content["samples"].items()},
            loss_weights={name: float(content["loss_weights"][name]) for name in PARAMETERS},
            checksum=str(content["network_checksum"]),
            ranks=int(content["world_size"]),
            best_epoch=int(content["best_epoch"]),
            seed=int(content["seed"]),
            seconds=float(content["wall_seconds"]),
            versions={str(name): str(version) for name, version in content["versions"].items()},
        )


def read_run(run: RunReference) -> Run:
    """Read the run folder of a network and check that it belongs to the config.

    Raises
    ------
    LehrError
        If it is missing or damaged, or the network was trained on other signals, temperatures or samples, or in another
        way, than the config says.
    """
    config, model, path = run.config, run.model, run.folder / "run.json"
    again = f"Train it anew: `lehr train CONFIG --model {model}`."
    content = read_json(path, f"Train the network first: `lehr train CONFIG --model {model}`.")
    signals = config.signals
    wanted = {
        "temperature": signals.temperature.model_dump(mode="json"),
        "program": signals.program.model_dump(mode="json"),
        "subset": run.subset,
        "signals_digest": signals.digest(),
        "split": config.split_of(model).model_dump(mode="json"),
        "network": config.network.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "loss_weights": config.loss_weights(model).model_dump(mode="json"),
    }
    try:
        read = Run.from_content(content)
        trained = {key: content[key] for key in wanted}
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise LehrError(f"{path}: damaged, or of another version of lehr ({error!r})", again) from None
    changes = differences(trained, wanted)
    if changes:
        raise LehrError(f"{path}: trained with another config ({'; '.join(changes)})", again)
    return read
