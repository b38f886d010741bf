"""What a network consists of."""

from __future__ import annotations

from dataclasses import dataclass

from lehr.glass.config.network import NetworkConfig
from lehr.glass.networks.flops import layer_flops
from lehr.glass.networks.mcnn import build_mcnn

__all__ = ["LayerSummary", "summarise"]


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a network.

    Attributes
    ----------
    name : str
        Name of the layer.
    shape : tuple of int
        Shape of the output without the batch; of one channel where there are several outputs.
    channels : int
        Number of outputs of that shape.
    parameters : int
        Weights.
    flops : int
        Floating-point operations for a sample, see `lehr.glass.networks.flops`.
    """

    name: str
    shape: tuple[int, ...]
    channels: int
    parameters: int
    flops: int


def summarise(cycles: int, points: int, network: NetworkConfig) -> list[LayerSummary]:
    """Describe the layers of a network: the signals, one branch after the other, what follows on them.

    Parameters are those of `lehr.glass.networks.mcnn.build_mcnn`.
    """
    rows, flops = [], layer_flops(cycles, points, network)
    # Keras goes by depth, from one branch to the next and back.
    for layer in sorted(build_mcnn(cycles, points, network).layers, key=lambda layer: _place(layer.name)):
        outputs = layer.output if isinstance(layer.output, list) else [layer.output]
        shape = tuple(outputs[0].shape[1:])
        rows.append(LayerSummary(layer.name, shape, len(outputs), layer.count_params(), flops.get(layer.name, 0)))
    return rows


def _place(name: str) -> int:
    begins = ("signals", "attention", "downsampling", "original")
    stem = name.partition("_")[0]
    return begins.index(stem) if stem in begins else len(begins)
