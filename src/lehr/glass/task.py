"""The task of the glass study: the four TNM parameters from heating scans. Keras is loaded when a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.config import validated
from lehr.glass.config.network import NetworkConfig
from lehr.glass.config.run import GlassRun, LossWeights
from lehr.glass.networks.flops import activation_bytes, training_flops
from lehr.glass.networks.scaling import TargetScaling
from lehr.glass.quantities import CPN, PARAMETERS
from lehr.glass.source import as_rows
from lehr.study import Columns, NetworkText, Quantity

__all__ = ["GlassTask"]


class GlassTask:
    """The parameters of a glass from all its scans at once; see `lehr.study.Task`.

    Parameters
    ----------
    run : GlassRun
        The run.
    model : str
        Name of one of its models.
    """

    inputs: tuple[Quantity, ...] = (CPN,)
    targets: tuple[Quantity, ...] = PARAMETERS
    monitor = "val_mae"

    def __init__(self, run: GlassRun, model: str) -> None:
        self._signals = run.signals
        self._loss_weights = run.loss_weights(model)
        self._scaling = TargetScaling()
        self._sizes = run.signals.program.cycle_count, run.signals.temperature.points, run.network
        self._axes = run.source().axes

    @property
    def axes(self) -> Mapping[str, tuple[Quantity, NDArray[Any]]]:
        """Temperatures in K."""
        return {"temperature": self._axes["temperature"]}

    @property
    def decides(self) -> dict[str, Any]:
        """Sizes of the network, weights of the squared errors, normalisation of the targets."""
        return {
            "network": self._sizes[-1].model_dump(mode="json"),
            "loss_weights": self._loss_weights.model_dump(mode="json"),
            "scaling": {"lower": list(self._scaling.lower), "upper": list(self._scaling.upper)},
        }

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what decided an older network with what it did not know at its default."""
        then = "It was trained by another version of lehr: use that, or train anew."
        network = validated(values["network"], NetworkConfig, "network", then)
        weights = validated(values["loss_weights"], LossWeights, "loss_weights", then)
        return {
            **values,
            "network": network.model_dump(mode="json"),
            "loss_weights": weights.model_dump(mode="json"),
        }

    @property
    def training_flops(self) -> float:
        """Operations of a gradient step for a sample."""
        return training_flops(*self._sizes)

    @property
    def activation_bytes(self) -> float:
        """Bytes of the outputs of all convolutions for a sample."""
        return activation_bytes(*self._sizes)

    def build(self) -> Any:
        """Return the network of the paper, a `keras.Model`."""
        from lehr.glass.networks.mcnn import build_mcnn

        return build_mcnn(*self._sizes)

    def loss(self) -> Any:
        """Return the weighted squared error of the paper, a `keras.losses.Loss`."""
        from lehr.glass.networks.loss import WeightedSquaredError

        return WeightedSquaredError.from_section(self._loss_weights)

    def encode_inputs(self, columns: Columns) -> NDArray[np.float32]:
        """Return the scans, shape (n, cycles, points), as they are."""
        return columns[CPN.name].astype(np.float32, copy=False)

    def encode_targets(self, columns: Columns) -> NDArray[np.float32]:
        """Return the normalised parameters, shape (n, 4)."""
        return self._scaling.normalise(as_rows(columns))

    def decode(self, outputs: NDArray[Any]) -> Columns:
        """Return the parameters, each of shape (n,), of outputs of shape (n, 4)."""
        columns = self._scaling.denormalise(outputs).T
        return {quantity.name: column for quantity, column in zip(PARAMETERS, columns, strict=True)}

    def text(self) -> NetworkText:
        """Describe the network."""
        cycles, grid = self._sizes[0], self._signals.temperature
        return NetworkText(
            "TNM parameters from heating scans",
            f"A multi-scale convolutional network. From {cycles} DSC heating scans of one glass, as normalised heat "
            f"capacity CpN at\nthe temperatures from {grid.start:g} to {grid.stop:g} degC in steps of {grid.step:g} K, "
            "it estimates the four parameters of the\nTool-Narayanaswamy-Moynihan model: ln A (A in s), activation "
            "energy delta_h, non-linearity x, non-exponentiality beta.",
            (
                "Other programs: the cooling and heating rates are part of what it learned, run.json has them.",
                "Other temperatures: the scans must be at those above.",
                "Measured scans: it has seen simulated ones only, without noise, baseline or lag of the calorimeter.",
            ),
        )
