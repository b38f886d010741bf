"""The precision that a network is trained in."""

from __future__ import annotations

import keras

__all__ = ["in_precision"]


def in_precision(network: keras.Model, precision: str) -> keras.Model:
    """Return a network of the same weights whose layers compute in a precision.

    Parameters
    ----------
    network : keras.Model
        A network in float32.
    precision : str
        A Keras dtype policy. In "mixed_bfloat16", layers with weights compute in bfloat16 and keep their weights, as
        the optimizer its state, in float32. What has no weights stays in float32, and so does the last layer: the
        preprocessing counts points, of which bfloat16 tells 256 apart, and the targets need more than its three digits.

    Notes
    -----
    There is no mixed_float16. Its small range needs a loss scale that grows and shrinks with overflows, and each rank
    would see its own overflows and skip its own steps, so that the ranks would drift apart. bfloat16 has the range of
    float32 and needs no such scale.
    """
    if precision == "float32":
        return network
    last = network.layers[-1]

    def converted(layer: keras.layers.Layer) -> keras.layers.Layer:
        policy = precision if layer.weights and layer is not last else "float32"
        return type(layer).from_config({**layer.get_config(), "dtype": policy})

    mixed: keras.Model = keras.models.clone_model(network, clone_function=converted)
    mixed.set_weights(network.get_weights())
    return mixed
