"""[Conv1D, ReLU, MaxPooling] of several channels that share no weight (section 2.2.2 of the paper)."""

from __future__ import annotations

from math import sqrt
from typing import Any

import keras
from keras import ops

__all__ = ["IndependentConvolution"]

Tensor = Any  # whatever the Keras backend computes with

# From this ratio of kernel to pool on, computing a whole pool in one step of the convolution is worth its zeros.
_FUSE_FROM = 4


@keras.saving.register_keras_serializable(package="lehr")
class IndependentConvolution(keras.layers.Layer):
    """Convolution with padding "same", ReLU and max-pooling, each channel by its own weights.

    The features of channel c are the c-th of `channels` equal blocks of the last axis, in the input and in the output:
    the function is that of ``Conv1D(channels * filters, kernel_size, padding="same", groups=channels,
    activation="relu")`` followed by ``MaxPooling1D(pool_size)``, and the weights have the same shapes.

    Parameters
    ----------
    channels : int
        Channels that are processed independently.
    filters : int
        Filters of each channel.
    kernel_size, pool_size : int
        Points.

    Notes
    -----
    What was measured on a CPU (one AVX-512 core, TensorFlow 2.18, gradient step of the three branches of the paper at
    1000 points, 8 filters and batches of 64, samples/s): separate Conv1D stacks 900, grouped Conv1D 14, one Conv1D of
    all channels with a block-diagonal kernel 510, batched matrix products 330, this layer 1300. It gains in two ways
    and changes no value:

    - bias and ReLU are monotone and the same all over a pool, so they come after the pooling, on fewer numbers;
    - a kernel much wider than the pool, on few features, keeps the vector units half empty. There the points of a pool
      become features, and the convolution takes steps of one pool: its kernel holds `pool_size` shifted copies of the
      weights, with zeros beside them, and it yields all points of a pool at once.
    """

    def __init__(self, channels: int, filters: int, kernel_size: int, pool_size: int, **options: Any) -> None:
        super().__init__(**options)
        self.channels = channels
        self.filters = filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size

    def build(self, input_shape: tuple[int | None, int, int]) -> None:
        """Make the weights for inputs of shape (batch, points, channels * features)."""
        features = input_shape[2] // self.channels
        # Glorot's limit for one channel; that of the grouped kernel would count the filters of all channels.
        limit = sqrt(6.0 / (self.kernel_size * (features + self.filters)))
        self.kernel = self.add_weight(
            shape=(self.kernel_size, features, self.channels * self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.channels * self.filters,), initializer="zeros", name="bias")

    def call(self, inputs: Tensor) -> Tensor:
        """Return shape (batch, points // pool_size, channels * filters) for (batch, points, channels * features)."""
        pool = self.pool_size
        inputs = self._padded(inputs)
        kernel = self.kernel
        if self._fused:
            kernel = self._pool_kernel(kernel)
            blocks, width = inputs.shape[1] // pool, inputs.shape[2]
            # (batch, blocks, channels * pool * features): the points of a block become features of its channel
            inputs = ops.reshape(inputs, (-1, blocks, pool, self.channels, width // self.channels))
            inputs = ops.reshape(ops.transpose(inputs, (0, 1, 3, 2, 4)), (-1, blocks, pool * width))
        outputs = []
        for x, w in zip(
            ops.split(inputs, self.channels, axis=2), ops.split(kernel, self.channels, axis=2), strict=True
        ):
            y = ops.conv(x, w, padding="valid")
            if self._fused:
                y = ops.reshape(y, (-1, y.shape[1] * pool, self.filters))
            outputs.append(ops.max_pool(y, pool, pool))
        return ops.relu(ops.concatenate(outputs, axis=2) + self.bias)

    @property
    def _fused(self) -> bool:
        return self.kernel_size >= _FUSE_FROM * self.pool_size

    @property
    def _taps(self) -> int:
        """Points that the fused kernel covers, a multiple of the pool."""
        return -(-(self.kernel_size + self.pool_size - 1) // self.pool_size) * self.pool_size

    def _padded(self, inputs: Tensor) -> Tensor:
        """Pad with zeros as "same" does; drop what only points beyond the last full pool would see."""
        points = inputs.shape[1]
        pooled = points // self.pool_size * self.pool_size
        before = (self.kernel_size - 1) // 2
        total = pooled - self.pool_size + self._taps if self._fused else pooled + self.kernel_size - 1
        after = total - before - points
        if after < 0:  # otherwise there is nothing to drop, and a slice would cost a copy of its gradient
            inputs = inputs[:, :after]
        return ops.pad(inputs, ((0, 0), (before, max(after, 0)), (0, 0)))

    def _pool_kernel(self, kernel: Tensor) -> Tensor:
        """Arrange `pool_size` copies of the kernel, each one point further on.

        Shape (taps / pool, pool * features, channels * pool * filters).
        """
        pool, taps, features = self.pool_size, self._taps, kernel.shape[1]
        # Rows of length taps, cut out of copies of length taps + 1, are each shifted by one.
        kernel = ops.pad(kernel, ((0, taps + 1 - self.kernel_size), (0, 0), (0, 0)))
        kernel = ops.tile(kernel, (pool, 1, 1))[: pool * taps]
        kernel = ops.reshape(kernel, (pool, taps * features, self.channels, self.filters))
        kernel = ops.transpose(kernel, (1, 2, 0, 3))
        return ops.reshape(kernel, (taps // pool, pool * features, self.channels * pool * self.filters))

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> tuple[int | None, int, int]:
        """Return the shape of the output."""
        return input_shape[0], input_shape[1] // self.pool_size, self.channels * self.filters

    def get_config(self) -> dict[str, Any]:
        """Return what it takes to make this layer again."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "pool_size": self.pool_size,
        }
