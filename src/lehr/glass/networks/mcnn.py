"""The multi-scale convolutional network of the paper (Fig. 4, 6 and 7)."""

from __future__ import annotations

import keras

from lehr.errors import LehrError
from lehr.glass.config.network import NetworkConfig
from lehr.glass.networks.attention import AttentionSegment, Downsampling
from lehr.glass.networks.convolution import IndependentConvolution, SplitChannels
from lehr.glass.quantities import PARAMETERS

__all__ = ["build_mcnn"]


def build_mcnn(cycles: int, points: int, network: NetworkConfig | None = None) -> keras.Model:
    """Build the network of the paper; its weights are drawn from the generators of `keras.utils.set_random_seed`.

    Parameters
    ----------
    cycles, points : int
        Signals of a sample, and temperatures of a signal.
    network : NetworkConfig, optional
        Sizes; the default ones if not given.

    Returns
    -------
    keras.Model
        From signals CpN of shape (batch, cycles, points), as they are stored, to ln A, delta_h, x and beta of shape
        (batch, 4), normalised as by `TargetScaling`. Preprocessing included, not compiled.

    Raises
    ------
    LehrError
        If the pools leave nothing of the signals.

    Notes
    -----
    The layers are those of section 2.2 of the paper; filters, pools, the width of the branches, the dropout rate and
    the zero padding of the convolutions ("same") are ours.
    """
    network = network or NetworkConfig()
    _check_lengths(points, network)
    signals = keras.Input((cycles, points), name="signals")
    kernels = network.kernel_sizes
    attention = AttentionSegment(
        network.attention_points, network.attention_threshold, network.attention_fit, name="attention"
    )(signals)
    downsampled = Downsampling(network.downsampling, name="downsampling")(signals)
    branches = [
        _branch("attention", attention, kernels.attention, network),
        _branch("downsampling", downsampled, kernels.downsampling, network),
        _branch("original", signals, kernels.original, network),
    ]
    features = keras.layers.Concatenate(name="branches")(branches)
    for number, width in enumerate(network.dense_widths, start=1):
        features = keras.layers.Dense(width, activation="tanh", name=f"dense_{number}")(features)
    outputs = keras.layers.Dense(len(PARAMETERS), name="parameters")(features)
    return keras.Model(signals, outputs, name="mcnn")


def _branch(name: str, signals: keras.KerasTensor, kernel_size: int, network: NetworkConfig) -> keras.KerasTensor:
    """Extract features of one scale (Fig. 6)."""
    channels = SplitChannels(name=f"{name}_channels")(signals)
    for number, (filters, pool) in enumerate(zip(network.filters, network.pool_sizes, strict=True), start=1):
        channels = IndependentConvolution(filters, kernel_size, pool, name=f"{name}_convolution_{number}")(channels)
    features = keras.layers.Concatenate(name=f"{name}_features")(channels)
    features = keras.layers.Flatten(name=f"{name}_flatten")(features)
    features = keras.layers.Dense(network.branch_width, activation="tanh", name=f"{name}_dense")(features)
    return keras.layers.Dropout(network.dropout, name=f"{name}_dropout")(features)


def _check_lengths(points: int, network: NetworkConfig) -> None:
    remedies = {
        "attention": "Raise network.attention_points",
        "downsampling": "Lower network.downsampling, take a smaller signals.temperature.step (more points)",
        "original": "Take a smaller signals.temperature.step (more points)",
    }
    for name, (length, *_, left) in network.lengths(points).items():
        if left < 1:
            raise LehrError(
                f"network.pool_sizes {list(network.pool_sizes)}: the {name} branch has {length} points, "
                "and pooling leaves none of them",
                f"{remedies[name]}, or use smaller pools.",
            )
