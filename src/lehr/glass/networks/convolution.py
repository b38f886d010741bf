"""[Conv1D, ReLU, MaxPooling] of several channels that share no weight (section 2.2.2 of the paper)."""

from __future__ import annotations

from math import sqrt
from typing import Any

import keras
from keras import ops

__all__ = ["IndependentConvolution", "SplitChannels"]

Tensor = Any  # whatever the Keras backend computes with

# Points of a kernel per point of a pool, from which on a whole pool is computed in one step of the convolution:
# the zeros that this adds to the kernel then cost less than they save.
_LEAST_FUSED_RATIO = 3


@keras.saving.register_keras_serializable(package="lehr")
class SplitChannels(keras.layers.Layer):
    """Shape (batch, channels, points) as a list of (batch, points, 1), one for each channel."""

    def call(self, signals: Tensor) -> list[Tensor]:
        """Split signals; each channel is copied once, as it lies."""
        return [ops.expand_dims(channel, 2) for channel in ops.unstack(signals, axis=1)]

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> list[tuple[int | None, int, int]]:
        """Return the shapes of the channels."""
        batch, channels, points = input_shape
        return [(batch, points, 1)] * channels


@keras.saving.register_keras_serializable(package="lehr")
class IndependentConvolution(keras.layers.Layer):
    """Convolution with padding "same", ReLU and max-pooling, each channel by its own weights.

    It takes and gives a list with a tensor (batch, points, features) for each channel. The function of channel c is
    that of ``Conv1D(filters, kernel_size, padding="same", activation="relu")`` followed by ``MaxPooling1D(pool_size)``,
    and its weights are the c-th of as many equal blocks of the last axis, as in ``Conv1D(..., groups=channels)``.

    Parameters
    ----------
    filters : int
        Filters of each channel.
    kernel_size, pool_size : int
        Points.

    Notes
    -----
    It gains over the layers of Keras in three ways and changes no value:

    - a kernel much wider than the pool, on few features, keeps the vector units half empty. There the points of a pool
      become features, and the convolution takes steps of one pool: its kernel holds `pool_size` shifted copies of the
      weights, with zeros beside them, and it yields all points of a pool at once;
    - bias and ReLU are monotone and the same all over a pool, so they come after the pooling, on fewer numbers;
    - each channel is a tensor of its own from the first convolution to the last, so that nothing is transposed, split
      or concatenated in between.

    Measured on two AVX-512 cores that did other work too, TensorFlow 2.18, gradient step of a batch of 128 at the
    default sizes and 1851 points, shortest times: the network of separate Keras layers 250 ms, this one 160 ms. The
    branch of kernel 24: 96 ms; 109 ms with the channels as blocks of one tensor, 131 ms with steps of two pools in two
    layers. Its first layer: 42 ms, and 102 ms in steps of one point; with another maximum than Keras' max-pooling, over
    an axis or of slices, 92 ms and 100 ms. XLA (jit_compile=True) takes eleven times the processor time for a step of
    the network. Much slower too: one grouped convolution, a block-diagonal kernel, batched matrix products.
    """

    def __init__(self, filters: int, kernel_size: int, pool_size: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size

    def build(self, input_shape: list[tuple[int | None, int, int]]) -> None:
        """Make the weights for a list of inputs of the same shape (batch, points, features)."""
        channels, features = len(input_shape), input_shape[0][2]
        # Glorot's limit for one channel; that of the grouped kernel would count the filters of all channels.
        limit = sqrt(6.0 / (self.kernel_size * (features + self.filters)))
        self.kernel = self.add_weight(
            shape=(self.kernel_size, features, channels * self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(channels * self.filters,), initializer="zeros", name="bias")

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        """Turn each channel of shape (batch, points, features) into (batch, points // pool_size, filters)."""
        channels = len(inputs)
        kernels = ops.split(self._pool_kernel(channels) if self._fused else self.kernel, channels, axis=2)
        return [
            ops.relu(self._pooled(self._padded(x), kernel) + bias)
            for x, kernel, bias in zip(inputs, kernels, ops.split(self.bias, channels), strict=True)
        ]

    def _pooled(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Convolve one padded channel and take the maximum of each pool."""
        pool = self.pool_size
        if self._fused:
            x = ops.reshape(x, (-1, x.shape[1] // pool, pool * x.shape[2]))
        y = ops.conv(x, kernel, padding="valid")
        if self._fused:
            y = ops.reshape(y, (-1, y.shape[1] * pool, self.filters))
        return ops.max_pool(y, pool, pool)

    @property
    def _fused(self) -> bool:
        return self.kernel_size >= _LEAST_FUSED_RATIO * self.pool_size

    @property
    def _taps(self) -> int:
        """Points that the fused kernel covers, a multiple of the pool."""
        return -(-(self.kernel_size + self.pool_size - 1) // self.pool_size) * self.pool_size

    def _padded(self, x: Tensor) -> Tensor:
        """Pad one channel with zeros as "same" does; drop what only points beyond the last full pool would see."""
        points = x.shape[1]
        pooled = points // self.pool_size * self.pool_size
        before = (self.kernel_size - 1) // 2
        total = pooled - self.pool_size + self._taps if self._fused else pooled + self.kernel_size - 1
        after = total - before - points
        if after < 0:  # otherwise there is nothing to drop, and a slice would cost a copy of its gradient
            x = x[:, :after]
        return ops.pad(x, ((0, 0), (before, max(after, 0)), (0, 0)))

    def _pool_kernel(self, channels: int) -> Tensor:
        """Arrange `pool_size` copies of the kernel, each one point further on.

        Shape (taps / pool, pool * features, channels * pool * filters).
        """
        pool, taps, features = self.pool_size, self._taps, self.kernel.shape[1]
        # Rows of length taps, cut out of copies of length taps + 1, are each shifted by one.
        kernel = ops.pad(self.kernel, ((0, taps + 1 - self.kernel_size), (0, 0), (0, 0)))
        kernel = ops.tile(kernel, (pool, 1, 1))[: pool * taps]
        kernel = ops.reshape(kernel, (pool, taps * features, channels, self.filters))
        kernel = ops.transpose(kernel, (1, 2, 0, 3))
        return ops.reshape(kernel, (taps // pool, pool * features, channels * pool * self.filters))

    def compute_output_shape(self, input_shape: list[tuple[int | None, int, int]]) -> list[tuple[int | None, int, int]]:
        """Return the shapes of the outputs."""
        return [(batch, points // self.pool_size, self.filters) for batch, points, _ in input_shape]

    def get_config(self) -> dict[str, Any]:
        """Return what it takes to make this layer again."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "pool_size": self.pool_size,
        }
