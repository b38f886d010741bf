"""The preprocessing module of the network (section 2.2.1 of the paper) as Keras layers.

They belong to the network, so that a saved one takes signals as they are. Nothing in them is trained: no gradient is
computed, and they cost a few percent of a training step.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from lehr.glass.config.network import AttentionFit

__all__ = ["AttentionSegment", "Downsampling"]

Tensor = Any  # whatever the Keras backend computes with


@keras.saving.register_keras_serializable(package="lehr")
class Downsampling(keras.layers.Layer):
    """Every `factor`-th point of a signal (Eq. 6 of the paper).

    Parameters
    ----------
    factor : int
        The downsampling coefficient; 1 changes nothing.
    """

    def __init__(self, factor: int, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, signals: Tensor) -> Tensor:
        """Thin out signals of shape (batch, cycles, points) to (batch, cycles, ceil(points / factor))."""
        return signals[:, :, :: self.factor]

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> tuple[int | None, int, int]:
        """Return the shape of the output."""
        batch, cycles, points = input_shape
        return batch, cycles, -(-points // self.factor)

    def get_config(self) -> dict[str, Any]:
        """Return what it takes to make this layer again."""
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="lehr")
class AttentionSegment(keras.layers.Layer):
    """Transition of each signal, evaluated at equidistant points (Eq. 7 of the paper).

    The segment starts at the last point with CpN < `threshold`, where the signal rises for good, and ends at the first
    after which |CpN - 1| < `threshold` for good. A signal that never falls below the threshold starts at its first
    point, one that never settles ends at its last.

    Parameters
    ----------
    points : int
        Points of the output, the two ends of the segment included; at least 2.
    threshold : float
        The paper's epsilon.
    fit : {"cubic", "piecewise"}
        cubic, as in the paper: one cubic of least squares for the whole segment, which cannot follow a peak.
        piecewise: the signal itself, between two points by the cubic through the four points around.

    Notes
    -----
    The one cubic is expanded in discrete Legendre (Gram) polynomials, which are orthogonal on equidistant points: each
    coefficient is a quotient of two sums, so there is no system to solve, and a segment of fewer than four points gets
    the polynomial that passes through all of them. The abscissa runs over [-1, 1], which keeps single precision enough.

    The piecewise cubics see the points beside the segment too, so that short segments are nothing special; at an end of
    the signal the cubic of its last four points goes on.
    """

    def __init__(self, points: int, threshold: float, fit: AttentionFit = "cubic", **options: Any) -> None:
        super().__init__(**options)
        self.points = points
        self.threshold = threshold
        self.fit = fit

    def call(self, signals: Tensor) -> Tensor:
        """Turn signals of shape (batch, cycles, points) into segments of shape (batch, cycles, self.points)."""
        count = signals.shape[2]
        index = ops.arange(count, dtype=signals.dtype)
        first = ops.max(ops.where(signals < self.threshold, index, 0.0), axis=-1, keepdims=True)
        moving = ops.abs(signals - 1.0) >= self.threshold
        unsettled = ops.max(ops.where(moving, index, -1.0), axis=-1, keepdims=True)
        last = ops.maximum(first, ops.minimum(unsettled + 1.0, count - 1.0))
        return self._one_cubic(signals, first, last) if self.fit == "cubic" else self._piecewise(signals, first, last)

    def _piecewise(self, y: Tensor, first: Tensor, last: Tensor) -> Tensor:
        """Interpolate y, shape (batch, cycles, points), from `first` to `last`, shape (batch, cycles, 1)."""
        count, intervals = y.shape[2], self.points - 1
        first, last = ops.cast(first, "int32"), ops.cast(last, "int32")
        # In whole numbers, because single precision cannot tell thousandths of a point at the end of a long signal.
        steps = (last - first) * ops.arange(self.points, dtype="int32")
        whole, part = steps // intervals, ops.cast(steps % intervals, y.dtype) / intervals
        nodes = min(4, count)
        start = ops.clip(first + whole - 1, 0, count - nodes)
        u = ops.cast(first + whole - start, y.dtype) + part
        segment = ops.zeros_like(u)
        for k in range(nodes):
            weight = ops.ones_like(u)
            for j in range(nodes):
                if j != k:
                    weight = weight * ((u - j) / (k - j))
            segment = segment + weight * ops.take_along_axis(y, start + k, axis=2)
        return segment

    def _one_cubic(self, y: Tensor, first: Tensor, last: Tensor) -> Tensor:
        """Fit y, shape (batch, cycles, points), from `first` to `last`, shape (batch, cycles, 1)."""
        # Moments of the segment over its abscissa s.
        n = last - first + 1.0
        spacing = 2.0 / ops.maximum(n - 1.0, 1.0)
        index = ops.arange(y.shape[2], dtype=y.dtype)
        s = (index - first) * spacing - 1.0
        y = ops.where(ops.logical_and(index >= first, index <= last), y, 0.0)
        moments = [ops.sum(y, axis=-1, keepdims=True)]
        for _ in range(3):
            y = y * s
            moments.append(ops.sum(y, axis=-1, keepdims=True))

        # Gram polynomials: p0 = 1, p1 = s, p2 = s^2 - g1, p3 = s^3 - (g1 + g2) s, with |p_k|^2 = g_k |p_{k-1}|^2;
        # n points leave g_n = 0, and with it nothing to fit from p_n on.
        square = spacing * spacing
        g1, g2, g3 = (square * k * k * (n * n - k * k) / (4.0 * (4.0 * k * k - 1.0)) for k in (1, 2, 3))
        mixed = g1 + g2
        products = (moments[0], moments[1], moments[2] - g1 * moments[0], moments[3] - mixed * moments[1])
        norm = n
        c = [products[0] / norm]
        for k, g in enumerate((g1, g2, g3), start=1):
            norm = norm * g
            c.append(ops.where(n > k, products[k] / ops.where(n > k, norm, 1.0), 0.0))
        powers = ops.concatenate([c[0] - g1 * c[2], c[1] - mixed * c[3], c[2], c[3]], axis=-1)  # (batch, cycles, 4)
        abscissa = np.vander(np.linspace(-1.0, 1.0, self.points), 4, increasing=True)
        return ops.matmul(powers, ops.convert_to_tensor(abscissa.T, dtype=y.dtype))

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> tuple[int | None, int, int]:
        """Return the shape of the output."""
        batch, cycles, _ = input_shape
        return batch, cycles, self.points

    def get_config(self) -> dict[str, Any]:
        """Return what it takes to make this layer again."""
        return {**super().get_config(), "points": self.points, "threshold": self.threshold, "fit": self.fit}
