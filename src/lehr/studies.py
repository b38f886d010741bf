"""All studies: what a config file, a store or a run folder may be of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from lehr.config import load_yaml
from lehr.errors import LehrError
from lehr.glass.config import GlassRun
from lehr.glass.source import GlassSource
from lehr.study import Source

if TYPE_CHECKING:
    from lehr.evaluation.predict import Network

__all__ = ["AnyRun", "load_network", "load_run", "load_source"]

AnyRun = GlassRun
"""The runs of all studies, told apart by `study`; a second one makes this a union."""


def load_run(path: str | Path) -> AnyRun:
    """Read a config file.

    Raises
    ------
    LehrError
        If the file is missing or is not a YAML mapping, or a key is misspelt, missing or out of range. The message
        names the file, the key and the value.
    """
    return load_yaml(path, AnyRun, "workflow/config/default.yaml shows all keys with their defaults.")


def load_source(about: dict[str, Any]) -> Source:
    """Return the source of a store, by what the store says of itself; see `lehr.store.read_about`.

    Raises
    ------
    LehrError
        If this version does not know the study, or what it was made with.
    """
    if about["study"] != "glass":
        raise LehrError(f"a store of the study {about['study']}, which this version does not know", "Update lehr.")
    return GlassSource.of(about["values"])


def load_network(folder: str | Path, temperature: ArrayLike | None = None) -> Network:
    """Read a trained network from its run folder; needs Keras (`pip install "lehr[train]"`).

    Parameters
    ----------
    folder : str or Path
        Where the training wrote model.keras, run.json and config.yaml.
    temperature : array_like, shape (points,), optional
        Temperatures in K of the scans that it will be given, to be compared with those it was trained on.

    Returns
    -------
    lehr.evaluation.predict.Network
        ``network.predict(cpn)`` takes scans of shape (n, cycles, points) and returns a dict of the targets.

    Raises
    ------
    LehrError
        If a file is missing or damaged, they do not belong together, or the temperatures differ.
    """
    from lehr.evaluation import predict
    from lehr.training.record import read_content

    record = Path(folder) / "run.json"
    model = read_content(record.parent).get("model")
    run = load_run(record.with_name("config.yaml"))
    if model not in [known.name for known in run.models]:
        raise LehrError(
            f"{record}: damaged, or of another version of lehr (its model is {model!r})",
            "Train it anew: `lehr train CONFIG --model NAME`.",
        )
    axes = None if temperature is None else {"temperature": temperature}
    return predict.load_network(run.task(model), folder, axes)
