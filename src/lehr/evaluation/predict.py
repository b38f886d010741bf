"""Trained networks: read from a run folder, applied to samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.config import differences
from lehr.errors import LehrError
from lehr.files import file_checksum
from lehr.provenance import packages
from lehr.study import Columns, Quantity, Task
from lehr.training.record import read_content

if TYPE_CHECKING:
    from lehr.results import RunReference

__all__ = ["Network", "load_network", "predict", "predictor"]

_AGAIN = "Train it anew: `lehr train CONFIG --model NAME`."
_AXIS_TOLERANCE = 1e-3  # of the spacing: what rounding may do to a coordinate


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network.

    Attributes
    ----------
    keras : keras.Model
        From encoded inputs to encoded targets.
    task : Task
        What it was trained to do.
    run : dict
        run.json, the record of its training, see `lehr.training.record.read_content`.
    """

    keras: Any
    task: Task
    run: dict[str, Any]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input of a sample."""
        return tuple(self.keras.input_shape[1:])

    def predict(self, inputs: NDArray[Any] | Columns, batch_size: int = 256) -> Columns:
        """Estimate the targets of samples, see `lehr.evaluation.predict.predict`."""
        return predict(self, inputs, batch_size)


def load_network(task: Task, folder: str | Path, axes: Mapping[str, ArrayLike] | None = None) -> Network:
    """Read a trained network.

    Parameters
    ----------
    task : Task
        What it was trained to do, by the config of its run.
    folder : str or Path
        Where the training wrote model.keras and run.json.
    axes : mapping, optional
        Coordinates of the samples that it will be given, by name, to be compared with those it was trained on.

    Raises
    ------
    LehrError
        If a file is missing or damaged, the two do not belong together or to the task, or the coordinates differ.

    Notes
    -----
    The weights are read into the network that the task builds, and Keras has nothing to build by what it wrote in
    model.keras: run folders of earlier versions, whose layers took transposed signals, are read in the same way.
    """
    folder = Path(folder)
    record, path = folder / "run.json", folder / "model.keras"
    run = read_content(folder)
    try:
        checksum = str(run["network_checksum"])
        changes = differences(task.completed({name: run[name] for name in task.decides}), task.decides)
    except (KeyError, TypeError, ValueError) as error:
        raise LehrError(f"{record}: damaged, or of another version of lehr ({error!r})", _AGAIN) from None
    if changes:
        raise LehrError(f"{record}: trained with another config ({'; '.join(changes)})", _AGAIN)
    for name, values in (axes or {}).items():
        _compare_axis(folder, task, name, np.asarray(values, np.float64))
    try:
        if file_checksum(path) != checksum:
            raise LehrError(f"{path}: not the file that {record} is about, or damaged", _AGAIN)
        model = task.build()
        model.load_weights(path)
    except OSError as error:
        raise LehrError(f"{path}: cannot be read: {error.strerror or error}", _AGAIN) from None
    except (KeyError, TypeError, ValueError) as error:
        raise LehrError(
            f"{path}: Keras {packages('keras')['keras']} cannot load it, Keras {run.get('versions', {}).get('keras')} "
            f"saved it ({str(error).splitlines()[0]})",
            "Use that version, or train anew.",
        ) from None
    return Network(model, task, run)


def _compare_axis(folder: Path, task: Task, name: str, asked: NDArray[np.float64]) -> None:
    quantity, known = task.axes[name]
    spacing = np.abs(np.diff(known)).min(initial=np.inf)
    if asked.shape != known.shape or not np.allclose(asked, known, rtol=0, atol=_AXIS_TOLERANCE * spacing):
        raise LehrError(
            f"{folder}: this network takes {known.size} {quantity.label}s from {known[0]:g} to {known[-1]:g} "
            f"{quantity.unit}, the samples have {asked.size} from {asked.min():g} to {asked.max():g} {quantity.unit}",
            f"Resample them, or train a network on their {quantity.label}s.",
        )


def predict(network: Network, inputs: NDArray[Any] | Columns, batch_size: int = 256) -> Columns:
    """Estimate the targets of samples.

    Parameters
    ----------
    network : Network
        A trained network.
    inputs : dict of ndarray, or ndarray
        The inputs of n samples by name, as they are stored; an array alone is the only input. For glasses: CpN at the
        temperatures of the network, shape (n, cycles, points).
    batch_size : int
        Samples that are computed at once.

    Returns
    -------
    dict of ndarray
        The targets by name. For glasses: ln_A, delta_h (J/mol), x and beta, each of shape (n,).

    Raises
    ------
    LehrError
        If the samples have another shape than the network takes.
    """
    task = network.task
    columns = inputs if isinstance(inputs, dict) else {task.inputs[0].name: inputs}
    samples = task.encode_inputs({quantity.name: columns[quantity.name] for quantity in task.inputs})
    if samples.shape[1:] != network.input_shape:
        dimensions = " x ".join(f"{name}s" for name in ("sample", *task.inputs[0].dims))
        raise LehrError(
            f"{task.inputs[0].name} of shape {samples.shape}: this network takes "
            f"(n, {', '.join(map(str, network.input_shape))}), {dimensions}"
        )
    outputs = [
        network.keras.predict_on_batch(samples[first : first + batch_size])
        for first in range(0, len(samples), batch_size)
    ]
    return task.decode(np.concatenate(outputs) if outputs else np.empty((0, *network.keras.output_shape[1:])))


def predictor(
    run: RunReference, axes: Mapping[str, tuple[Quantity, NDArray[Any]]] | None = None
) -> Callable[[Columns], Columns]:
    """Return `predict` of the network of a run.

    Parameters
    ----------
    run : RunReference
        The network.
    axes : mapping, optional
        `Source.axes` of the samples that it will be given.

    Raises
    ------
    LehrError
        As `load_network`.
    """
    task = run.config.task(run.model)
    given = {name: axes[name][1] for name in task.axes} if axes else None
    return partial(predict, load_network(task, run.folder, given))
