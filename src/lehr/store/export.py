"""Export of some samples into files that need no Zarr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.store.store import Store
from lehr.study import Columns

__all__ = ["FORMATS", "export"]

_ROWS_AT_ONCE = 256


def export(store: Store, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    """Write some samples to an npz, CSV or HDF5 file; the file appears when it is whole.

    Parameters
    ----------
    store : Store
        A complete subset.
    rows : ndarray of int, shape (n,)
        Rows of the subset, ascending.
    target : Path
        File; its suffix is one of `FORMATS`.
    progress : callable
        Called with the number of samples written since the last call.

    Raises
    ------
    LehrError
        If the suffix is of no format, or the file cannot be written.
    """
    if target.suffix not in FORMATS:
        raise LehrError(f"{target}: no format of that suffix", f"Name a file that ends in {', '.join(FORMATS)}.")
    temporary = target.with_name(f".{target.stem}.part{target.suffix}")
    try:
        FORMATS[target.suffix](store, rows, temporary, progress)
        temporary.replace(target)
    except OSError as error:
        raise LehrError(
            f"{target}: cannot be written: {error.strerror or error}", "Check the path and the disk."
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _blocks(store: Store, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    """Read signals of a few rows at a time, by the chunks that hold them."""
    for first in range(0, rows.size, _ROWS_AT_ONCE):
        wanted = rows[first : first + _ROWS_AT_ONCE]
        chunks = np.unique(wanted // store.rows_per_chunk)
        ranges = [
            (int(c) * store.rows_per_chunk, min(int(c + 1) * store.rows_per_chunk, store.samples)) for c in chunks
        ]
        blocks = store.read_ranges(ranges)
        yield (
            wanted,
            np.concatenate(
                [
                    block[wanted[(wanted >= start) & (wanted < stop)] - start]
                    for block, (start, stop) in zip(blocks, ranges, strict=True)
                ]
            ),
        )


def _columns(store: Store, rows: NDArray[np.int64]) -> Columns:
    """All arrays but the large one: those of the rows, and the coordinates."""
    source = store.source
    found = store.columns((quantity.name for quantity in (*source.parameters, *source.results)), rows)
    return {**found, "row": rows, "index": store.column("index")[rows], **store.columns(source.axes)}


def _fill(values: Any, store: Store, rows: NDArray[np.int64], progress: Callable[[int], object]) -> None:
    """Read samples into an array, in memory or in a file, of shape (rows, *sample_shape)."""
    done = 0
    for block_rows, block in _blocks(store, rows):
        values[done : done + block_rows.size] = block
        done += block_rows.size
        progress(block_rows.size)


def _npz(store: Store, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    values = np.empty((rows.size, *store.sample_shape), store.source.array.dtype)
    _fill(values, store, rows, progress)
    np.savez_compressed(target, **{store.source.array.name: values}, **_columns(store, rows))


def _csv(store: Store, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    """Write a line for each sample and each place along the first dimension of the large array."""
    source = store.source
    parameters = [quantity.name for quantity in source.parameters]
    along, across = source.array.dims
    beside = [name for name, (axis, _) in source.axes.items() if axis.dims == (along,)]
    unit = source.axes[across][0].unit
    heading = [f"{source.array.name}_at_{value:.2f}_{unit}" for value in store.column(across)]
    with target.open("w", encoding="utf-8") as file:
        file.write(",".join([*parameters, "row", along, *beside, *heading]) + "\n")
        for block_rows, block in _blocks(store, rows):
            for row, sample in zip(block_rows.tolist(), block, strict=True):
                for number, line in enumerate(sample):
                    head = [*store.parameters[row].tolist(), row, number]
                    head += [float(store.column(name)[number]) for name in beside]
                    file.write(",".join([repr(value) for value in head] + [f"{value:.9g}" for value in line]) + "\n")
            progress(block_rows.size)


def _hdf5(store: Store, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    import h5py

    source, shape = store.source, (rows.size, *store.sample_shape)
    with h5py.File(target, "w") as file:
        values = file.create_dataset(
            source.array.name, shape, source.array.dtype, chunks=(1, *shape[1:]), shuffle=True, compression="gzip",
            compression_opts=4,
        )  # fmt: skip
        _fill(values, store, rows, progress)
        for name, column in _columns(store, rows).items():
            file[name] = column
        for name, (axis, _) in source.axes.items():
            file[name].make_scale(name)
            values.dims[1 + source.array.dims.index(axis.dims[0])].attach_scale(file[name])
            file[name].attrs["units"] = axis.unit
        file.attrs["source"] = str(store.group.attrs["title"])


FORMATS = {".npz": _npz, ".csv": _csv, ".h5": _hdf5, ".hdf5": _hdf5}
"""What writes the files of each suffix."""
