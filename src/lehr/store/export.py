"""Export of some samples into files that need no Zarr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.store.layout import PARAMETER_UNITS
from lehr.store.signals import SignalStore

__all__ = ["FORMATS", "export"]

_ROWS_AT_ONCE = 256


def export(store: SignalStore, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    """Write some samples to an npz, CSV or HDF5 file; the file appears when it is whole.

    Parameters
    ----------
    store : SignalStore
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


def _blocks(store: SignalStore, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
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


def _columns(store: SignalStore, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """All arrays but the signals."""
    parameters = dict(zip(PARAMETER_UNITS, store.parameters[rows].T, strict=True))
    return {
        **parameters,
        "row": rows,
        "index": store.index[rows],
        "status": store.status[rows],
        "cpn_max": store.cpn_max[rows],
        "fictive_temperature": store.fictive_temperature[rows],
        "temperature": store.temperature,
        "cooling_rate": store.cooling_rate,
        "heating_rate": store.heating_rate,
    }


def _fill(cpn: Any, store: SignalStore, rows: NDArray[np.int64], progress: Callable[[int], object]) -> None:
    """Read signals into an array, in memory or in a file, of shape (rows, cycles, points)."""
    done = 0
    for block_rows, block in _blocks(store, rows):
        cpn[done : done + block_rows.size] = block
        done += block_rows.size
        progress(block_rows.size)


def _npz(store: SignalStore, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    cpn = np.empty((rows.size, store.cycles, store.points), np.float32)
    _fill(cpn, store, rows, progress)
    np.savez_compressed(target, cpn=cpn, **_columns(store, rows))


def _csv(store: SignalStore, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    names = [*PARAMETER_UNITS, "row", "cycle", "cooling_rate"]
    with target.open("w", encoding="utf-8") as file:
        file.write(",".join([*names, *(f"cpn_at_{kelvin:.2f}_K" for kelvin in store.temperature)]) + "\n")
        for block_rows, block in _blocks(store, rows):
            for row, scans in zip(block_rows.tolist(), block, strict=True):
                for cycle, scan in enumerate(scans):
                    head = [*store.parameters[row].tolist(), row, cycle, float(store.cooling_rate[cycle])]
                    file.write(",".join([repr(value) for value in head] + [f"{value:.9g}" for value in scan]) + "\n")
            progress(block_rows.size)


def _hdf5(store: SignalStore, rows: NDArray[np.int64], target: Path, progress: Callable[[int], object]) -> None:
    import h5py

    with h5py.File(target, "w") as file:
        shape = (rows.size, store.cycles, store.points)
        cpn = file.create_dataset(
            "cpn", shape, "float32", chunks=(1, *shape[1:]), shuffle=True, compression="gzip", compression_opts=4
        )
        _fill(cpn, store, rows, progress)
        for name, values in _columns(store, rows).items():
            file[name] = values
        for axis, name in ((1, "cooling_rate"), (2, "temperature")):
            file[name].make_scale(name)
            cpn.dims[axis].attach_scale(file[name])
        file["temperature"].attrs["units"] = "K"
        file["cooling_rate"].attrs["units"] = "K/min"
        file.attrs["source"] = str(store.group.attrs["title"])


FORMATS = {".npz": _npz, ".csv": _csv, ".h5": _hdf5, ".hdf5": _hdf5}
"""What writes the files of each suffix."""
