"""Run folders: read and checked."""

from __future__ import annotations

from typing import Any

from lehr.errors import LehrError
from lehr.files import read_json
from lehr.results import RunReference, TrainingRecord
from lehr.training.identity import changes, recorded

__all__ = ["read_run"]


def read_run(run: RunReference) -> TrainingRecord:
    """Read the run folder of a network and check that it belongs to the config.

    Raises
    ------
    LehrError
        If it is missing or damaged, or the network was trained on other samples, or in another way, than the config
        says.
    """
    config, model, path = run.config, run.model, run.folder / "run.json"
    again = f"Train it anew: `lehr train CONFIG --model {model}`."
    content = read_json(path, f"Train the network first: `lehr train CONFIG --model {model}`.")
    try:
        read = _record(content, [quantity.name for quantity in config.task(model).targets])
        differing = changes(recorded(config, model, content), config, model, ends=True)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise LehrError(f"{path}: damaged, or of another version of lehr ({error!r})", again) from None
    if differing:
        raise LehrError(f"{path}: trained with another config ({'; '.join(differing)})", again)
    return read


def _record(content: dict[str, Any], targets: list[str]) -> TrainingRecord:
    return TrainingRecord(
        content=content,
        model=str(content["model"]),
        subset=str(content["subset"]),
        store_digest=str(content["store_digest" if "format" in content else "signals_digest"]),
        training_mean={name: float(content["training_mean"][name]) for name in targets},
        samples={str(name): int(number) for name, number in content["samples"].items()},
        checksum=str(content["network_checksum"]),
        ranks=int(content["world_size"]),
        best_epoch=int(content["best_epoch"]),
        seed=int(content["seed"]),
        seconds=float(content["wall_seconds"]),
        versions={str(name): str(version) for name, version in content["versions"].items()},
    )
