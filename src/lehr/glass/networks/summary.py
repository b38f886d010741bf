"""What a network consists of, and what it costs to compute."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import keras

from lehr.glass.networks.convolution import IndependentConvolution

__all__ = ["COUNTED", "LayerSummary", "summarise", "training_flops"]

COUNTED = (
    "FLOPs: multiplications and additions, one each, of the convolutions and the dense layers, forward. Not counted: "
    "preprocessing, bias, ReLU, comparisons of the pooling, tanh."
)


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
        Floating-point operations for a sample, as `COUNTED` says.
    """

    name: str
    shape: tuple[int, ...]
    channels: int
    parameters: int
    flops: int


def summarise(network: keras.Model) -> list[LayerSummary]:
    """Describe the layers of a network: the signals, one branch after the other, what follows on them."""
    rows = []
    # Keras goes by depth, from one branch to the next and back.
    for layer in sorted(network.layers, key=lambda layer: _place(layer.name)):
        outputs = layer.output if isinstance(layer.output, list) else [layer.output]
        rows.append(
            LayerSummary(layer.name, tuple(outputs[0].shape[1:]), len(outputs), layer.count_params(), _flops(layer))
        )
    return rows


def training_flops(network: keras.Model) -> int:
    """Count the operations of a gradient step for a sample.

    The gradient of the weights costs as much as the layer itself, that of the inputs too; the first convolution of a
    branch needs none of its inputs.
    """
    first = sum(_flops(layer) for layer in network.layers if layer.name.endswith("_convolution_1"))
    return 3 * sum(_flops(layer) for layer in network.layers) - first


def _place(name: str) -> int:
    begins = ("signals", "attention", "downsampling", "original")
    stem = name.partition("_")[0]
    return begins.index(stem) if stem in begins else len(begins)


def _flops(layer: keras.layers.Layer) -> int:
    if isinstance(layer, IndependentConvolution):
        return 2 * int(prod(layer.kernel.shape)) * int(layer.input[0].shape[1])
    if isinstance(layer, keras.layers.Dense):
        return 2 * int(prod(layer.kernel.shape))
    return 0
