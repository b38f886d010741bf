"""What decides the weights of a network: two trainings of the same values are one."""

from __future__ import annotations

from typing import Any

from lehr.config import Run, differences, load_yaml

__all__ = ["changes", "identity", "recorded"]

_FREE = {"epochs", "early_stopping"}
"""Keys of `training` that say when it ends, and nothing of the weights after an epoch."""


def identity(run: Run, model: str) -> dict[str, Any]:
    """Return what decides the weights after each epoch: all but the number of ranks and the epoch it ends with."""
    source, task = run.source(), run.task(model)
    return {
        "study": run.study,
        "subset": run.model(model).subset,
        "numerics": source.numerics,
        **source.values,
        "split": run.split_of(model).model_dump(mode="json"),
        "training": run.training.model_dump(mode="json", exclude=_FREE | task.decides.keys()),
        **task.decides,
    }


def recorded(run: Run, model: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return run.json with the values that decided the training.

    Before there was a format, it had a digest of those of the samples; the config beside it has the values.

    Parameters
    ----------
    run : Run
        The run; the folder is that of its model.
    model : str
        Name of one of its models.
    content : dict
        run.json as it is.

    Raises
    ------
    KeyError, LehrError
        If that config is missing, damaged, or without the model.
    """
    if "format" in content:
        return content
    path = run.run_path(model) / "config.yaml"
    return {**identity(load_yaml(path, type(run), "Train the network anew."), model), **content}


def changes(made: dict[str, Any], run: Run, model: str, *, ends: bool = False) -> list[str]:
    """Name what differs from the identity that another training had, with both values.

    Parameters
    ----------
    made : dict
        Its identity, or the content of its run.json. What an older version did not know counts as its default.
    run : Run
        The run.
    model : str
        Name of one of its models.
    ends : bool
        Compare as well when the training ends.

    Raises
    ------
    KeyError, TypeError, ValueError, LehrError
        If it lacks something, or has what this version does not know.
    """
    source, task, wanted = run.source(), run.task(model), identity(run, model)
    known = {name: made[name] for name in wanted}
    known |= source.completed({name: made[name] for name in source.values})
    known |= task.completed({name: made[name] for name in task.decides})
    known["split"] = type(run.split).model_validate(made["split"]).model_dump(mode="json")
    training = type(run.training).model_validate(made["training"])
    free = task.decides.keys() if ends else _FREE | task.decides.keys()
    known["training"], wanted["training"] = (
        section.model_dump(mode="json", exclude=set(free)) for section in (training, run.training)
    )
    return differences(known, wanted)
