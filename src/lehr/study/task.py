"""What a network of a study learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from lehr.study.quantity import Columns, Quantity

__all__ = ["NetworkText", "Task"]


@dataclass(frozen=True)
class NetworkText:
    """What a model card says of a network in the words of the study.

    Attributes
    ----------
    title : str
        What it reads from what, without a full stop.
    description : str
        A paragraph: inputs, targets, kind of network.
    limits : tuple of str
        What it is not good for.
    """

    title: str
    description: str
    limits: tuple[str, ...] = ()


class Task(Protocol):
    """What a network learns. Keras is loaded when it is asked to build.

    Attributes
    ----------
    inputs, targets : tuple of Quantity
        What the network is given and what it answers; any quantities of the source.
    monitor : str
        What of the validation chooses the best epoch, a column of history.csv: the smallest wins.
    """

    inputs: tuple[Quantity, ...]
    targets: tuple[Quantity, ...]
    monitor: str

    @property
    def axes(self) -> Mapping[str, tuple[Quantity, NDArray[Any]]]:
        """Coordinates at which the inputs must be given, by the names of their dimensions."""

    @property
    def decides(self) -> dict[str, Any]:
        """Sections that decide the network, its loss and its targets, as JSON has them."""

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what `decides` was for an older network with those keys added that it did not know, at their defaults.

        Raises
        ------
        LehrError
            If they have a key that this version does not know.
        """

    @property
    def training_flops(self) -> float:
        """Operations of a gradient step for a sample."""

    @property
    def activation_bytes(self) -> float:
        """Bytes of the outputs of all layers for a sample."""

    def build(self) -> Any:
        """Return the network, a `keras.Model`; `keras.utils.set_random_seed` decides its first weights."""

    def loss(self) -> Any:
        """Return the loss that is trained on, a `keras.losses.Loss`."""

    def encode_inputs(self, columns: Columns) -> NDArray[Any]:
        """Return the inputs of samples as the network takes them."""

    def encode_targets(self, columns: Columns) -> NDArray[Any]:
        """Return the targets of samples as the network answers them."""

    def decode(self, outputs: NDArray[Any]) -> Columns:
        """Return targets, by name, of outputs of the network."""

    def text(self) -> NetworkText:
        """Describe the network for its model card."""
