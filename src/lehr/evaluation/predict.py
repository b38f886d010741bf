"""Trained networks: read from a run folder, applied to signals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.files import file_checksum, read_json
from lehr.glass.networks import attention as preprocessing
from lehr.glass.networks import convolution  # the layers a saved network is made of
from lehr.glass.networks.scaling import TargetScaling
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["LAYERS", "Network", "load_network", "predict"]

LAYERS = (
    convolution.IndependentConvolution,
    convolution.SplitChannels,
    preprocessing.AttentionSegment,
    preprocessing.Downsampling,
)
"""Layers of our own; importing them registers them with Keras."""

_AGAIN = "Train it anew: `lehr train CONFIG --model NAME`."


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network.

    Attributes
    ----------
    keras : keras.Model
        From signals (n, cycles, points) to normalised parameters (n, 4).
    scaling : TargetScaling
        The normalisation it was trained with.
    temperature : ndarray, shape (points,)
        Temperatures of the signals it takes, K.
    run : dict
        run.json, the record of its training.
    """

    keras: keras.Model
    scaling: TargetScaling
    temperature: NDArray[np.float64]
    run: dict[str, Any]

    @property
    def input_shape(self) -> tuple[int, int]:
        """Cycles and points of a sample."""
        cycles, points = self.keras.input_shape[1:]
        return cycles, points


def load_network(run_folder: str | Path, temperature: ArrayLike | None = None) -> Network:
    """Read a trained network.

    Parameters
    ----------
    run_folder : str or Path
        Where a training wrote model.keras and run.json.
    temperature : array_like, shape (points,), optional
        Temperatures in K of the signals that it will be given, to be compared with those it was trained on.

    Raises
    ------
    LehrError
        If a file is missing or damaged, the two do not belong together, or the temperatures differ.
    """
    folder = Path(run_folder)
    run = read_json(folder / "run.json", "Train the network first: `lehr train CONFIG --model NAME`.")
    try:
        grid = np.array([float(run["temperature"][name]) for name in ("start", "stop", "step")])
        scaling = TargetScaling(tuple(run["scaling"]["lower"]), tuple(run["scaling"]["upper"]))
        checksum = str(run["network_checksum"])
    except (KeyError, TypeError, ValueError) as error:
        raise LehrError(f"{folder / 'run.json'}: damaged, or of another version of lehr ({error!r})", _AGAIN) from None
    start, stop, step = grid
    kelvin = np.linspace(start, stop, round((stop - start) / step) + 1) + ZERO_CELSIUS
    if temperature is not None:
        asked = np.asarray(temperature, np.float64)
        if asked.shape != kelvin.shape or not np.allclose(asked, kelvin, rtol=0, atol=1e-3 * step):
            raise LehrError(
                f"{folder}: this network takes {kelvin.size} temperatures from {kelvin[0]:g} to {kelvin[-1]:g} K, "
                f"the signals have {asked.size} from {asked.min():g} to {asked.max():g} K",
                "Resample the signals, or train a network on their temperatures.",
            )
    path = folder / "model.keras"
    try:
        if file_checksum(path) != checksum:
            raise LehrError(f"{path}: not the file that {folder / 'run.json'} is about, or damaged", _AGAIN)
        model = keras.saving.load_model(path, compile=False)
    except OSError as error:
        raise LehrError(f"{path}: cannot be read: {error.strerror or error}", _AGAIN) from None
    except (KeyError, TypeError, ValueError) as error:
        raise LehrError(
            f"{path}: Keras {keras.__version__} cannot load it, Keras {run.get('versions', {}).get('keras')} saved it "
            f"({str(error).splitlines()[0]})",
            "Use that version, or train anew.",
        ) from None
    return Network(model, scaling, kelvin, run)


def predict(network: Network, signals: NDArray[np.floating[Any]], batch_size: int = 256) -> NDArray[np.float64]:
    """Estimate parameters from signals.

    Parameters
    ----------
    network : Network
        A trained network.
    signals : ndarray, shape (n, cycles, points)
        CpN at the temperatures of the network.
    batch_size : int
        Samples that are computed at once.

    Returns
    -------
    ndarray, shape (n, 4)
        ln A, delta_h (J/mol), x, beta.

    Raises
    ------
    LehrError
        If the signals have another shape than the network takes.
    """
    if signals.shape[1:] != network.input_shape:
        raise LehrError(
            f"signals of shape {signals.shape}: this network takes (n, {', '.join(map(str, network.input_shape))}), "
            "samples x cycles x temperatures"
        )
    batches = [signals[first : first + batch_size] for first in range(0, len(signals), batch_size)]
    outputs = [network.keras.predict_on_batch(np.asarray(batch, np.float32)) for batch in batches]
    return network.scaling.denormalise(np.concatenate(outputs) if outputs else np.empty((0, 4)))
