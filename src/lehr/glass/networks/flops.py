"""What a network costs to compute, from its sizes alone: Keras is not needed."""

from __future__ import annotations

from lehr.glass.config.network import NetworkConfig
from lehr.glass.quantities import PARAMETERS

__all__ = ["COUNTED", "activation_bytes", "layer_flops", "training_flops"]

COUNTED = (
    "FLOPs: multiplications and additions, one each, of the convolutions and the dense layers, forward. Not counted: "
    "preprocessing, bias, ReLU, comparisons of the pooling, tanh."
)


def layer_flops(cycles: int, points: int, network: NetworkConfig) -> dict[str, int]:
    """Count the floating-point operations of each layer for a sample, as `COUNTED` says.

    Parameters
    ----------
    cycles, points : int
        Signals of a sample, and temperatures of a signal.
    network : NetworkConfig
        Sizes.

    Returns
    -------
    dict
        By the names of the layers that have weights.
    """
    counted, features = {}, 0
    for branch, lengths in network.lengths(points).items():
        kernel, inputs = getattr(network.kernel_sizes, branch), 1
        for number, (length, filters) in enumerate(zip(lengths, network.filters, strict=False), start=1):
            counted[f"{branch}_convolution_{number}"] = 2 * cycles * length * kernel * inputs * filters
            inputs = filters
        counted[f"{branch}_dense"] = 2 * cycles * lengths[-1] * inputs * network.branch_width
        features += network.branch_width
    for number, width in enumerate(network.dense_widths, start=1):
        counted[f"dense_{number}"] = 2 * features * width
        features = width
    return counted | {"parameters": 2 * features * len(PARAMETERS)}


def training_flops(cycles: int, points: int, network: NetworkConfig) -> int:
    """Count the operations of a gradient step for a sample.

    The gradient of the weights costs as much as the layer itself, that of the inputs too; the first convolution of a
    branch needs none of its inputs.
    """
    counted = layer_flops(cycles, points, network)
    return sum((2 if name.endswith("_convolution_1") else 3) * flops for name, flops in counted.items())


def activation_bytes(cycles: int, points: int, network: NetworkConfig) -> int:
    """Return the size of the outputs of all convolutions for a sample, in single precision."""
    branches = network.lengths(points).values()
    return 4 * cycles * sum(a * b for lengths in branches for a, b in zip(lengths, network.filters, strict=False))
