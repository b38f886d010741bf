"""How exactly signals are stored: rounded before they are written, so that any reader gets physical values.

A filter in Zarr would do the rounding too, but only zarr-python knows those filters; a scale in the attributes would
need 32-bit integers, because peaks reach above 500. Floats rounded to a power of two cost nothing to decode, and their
trailing zeros compress away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

__all__ = ["COMPRESSOR", "MAX_ERROR", "STEP", "encoded_bytes", "moments", "round_signals"]

STEP = 2.0**-13
"""Stored signals are multiples of this."""

MAX_ERROR = STEP / 2
"""Largest difference between a stored signal and the simulated one, 6.1e-5, whatever its height."""

COMPRESSOR = BloscCodec(typesize=4, cname="zstd", clevel=4, shuffle="shuffle")
"""Level 4 makes smaller files than 3, which read faster too; from 5 on only the time to write grows."""


def round_signals(cpn: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to multiples of `STEP` in place and return the array; NaN stays NaN."""
    for block in cpn:  # one after the other, so that they stay in the cache
        np.multiply(block, np.float32(1.0 / STEP), out=block)
        np.rint(block, out=block)
        np.multiply(block, np.float32(STEP), out=block)
    return cpn


def moments(cpn: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and mean square of each scan.

    Parameters
    ----------
    cpn : ndarray of float32, shape (n, cycles, points)
        Rounded signals. The sums of such numbers are exact in float64, and so the same on any processor.

    Returns
    -------
    mean, mean_square : ndarray of float32, shape (n, cycles)
    """
    mean = np.empty(cpn.shape[:2], np.float32)
    mean_square = np.empty_like(mean)
    wide: NDArray[Any] = np.empty(cpn.shape[1:], np.float64)
    for row, scans in enumerate(cpn):
        wide[:] = scans
        mean[row] = wide.sum(axis=1) / wide.shape[1]
        mean_square[row] = np.einsum("cp,cp->c", wide, wide) / wide.shape[1]
    return mean, mean_square


def encoded_bytes(cpn: NDArray[np.float32], rows_per_chunk: int) -> int:
    """Return the size of rounded signals as the store compresses them."""
    chunks = (cpn[first : first + rows_per_chunk] for first in range(0, len(cpn), rows_per_chunk))
    return sum(
        len(blosc.compress(np.ascontiguousarray(chunk), b"zstd", 4, blosc.SHUFFLE, typesize=4)) for chunk in chunks
    )
