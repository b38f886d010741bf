"""Which trained networks a path stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lehr.config import Run
from lehr.errors import LehrError
from lehr.results import RunReference
from lehr.training.record import read_content

__all__ = ["LoadRun", "references"]

LoadRun = Callable[[Path], Run]
"""Reads a config file of any study: `lehr.studies.load_run`, which stands above this package."""


def references(path: str | Path, load: LoadRun, models: Sequence[str] = ()) -> list[RunReference]:
    """Return the networks that a path stands for.

    Parameters
    ----------
    path : str or Path
        A config file: its models. Or the run folder of one: the config that was recorded there says the rest, and if
        the folder was moved, with the results around it, the results are those beside it.
    load : callable
        Reads a config file.
    models : sequence of str, optional
        Only these models of a config file.

    Raises
    ------
    LehrError
        If the path is neither, the config has no such model, or the run folder is not finished.
    """
    path = Path(path)
    if path.is_dir():
        return [_in_folder(path, load)]
    config = load(path)
    names = [model.name for model in config.models]
    unknown = [name for name in models if name not in names]
    if unknown:
        raise LehrError(f"{path}: no model '{unknown[0]}'", f"It has: {', '.join(names) or 'none'}.")
    if not names:
        raise LehrError(f"{path}: this config has no models", "Add models to it.")
    return [RunReference(config, name) for name in models or names]


def _in_folder(folder: Path, load: LoadRun) -> RunReference:
    if not (folder / "config.yaml").exists():
        raise LehrError(
            f"{folder}: not the run folder of a finished training, it has no config.yaml",
            "Give OUTPUT/models/NAME or a config file, or finish the training: `lehr train CONFIG --model NAME`.",
        )
    config = load(folder / "config.yaml")
    model = str(read_content(folder).get("model"))
    if model not in [known.name for known in config.models]:
        raise LehrError(f"{folder}: run.json is about '{model}', which config.yaml does not have", "Train it anew.")
    if config.run_path(model).resolve() == folder.resolve():
        return RunReference(config, model)
    place = folder.resolve()
    if place.parts[-2:] != ("models", model):
        raise LehrError(
            f"{folder}: a run folder lies at OUTPUT/models/{model}, so that the signals are found beside it",
            "Move it there, or give the config file.",
        )
    return RunReference(config.model_copy(update={"output": str(place.parent.parent)}), model)
