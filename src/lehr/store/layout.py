"""What lies where in the store, and what it says of itself. The format is described in docs/reference/format.md."""

from __future__ import annotations

import hashlib
import json
import warnings
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numcodecs import blosc
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from lehr.config import differences
from lehr.errors import LehrError
from lehr.provenance import code, packages
from lehr.study import Columns, Quantity, Source, Subset

FORMAT = 3
"""Version of the layout."""

READABLE = (2, FORMAT)
"""Versions that are read. Format 2 named what made a store by digests of its config and of all code."""

# The digest of the code at which format 3 began: a store of format 2 that has it goes on with numerics 1.
_NUMERICS_OF_CODE = {"d0d7c3725bee2058": 1}

NOT_COMPUTED = -1
"""Status of the samples of a subset that is not complete."""

TEMPORARY = ("*.partial", "*.__lock", ".*.tmp")
"""Names of the temporary files of zarr, of tensorstore and of lehr.files; they are swept when a subset is completed."""

INDEX = Quantity("index", unit="", meaning="flat index in the state space", dtype="int64")

COMPRESSOR = BloscCodec(typesize=4, cname="zstd", clevel=4, shuffle="shuffle")
"""Level 4 makes smaller files than 3, which read faster too; from 5 on only the time to write grows."""

_ROWS_PER_CHUNK_OF_SMALL_ARRAYS = 2**18  # few files, and 2 MB each to read all of a column


def split_array(source: Source, key: str) -> Quantity:
    """Return the array that says to which split a sample belongs."""
    if key not in source.split_keys:
        raise LehrError(f"samples are not split by {key}", f"Split them by {' or '.join(source.split_keys)}.")
    return Quantity(f"split_by_{key}", unit="", meaning=f"split drawn by a hash of the {key}", dtype="int8")


def sample_shape(source: Source, quantity: Quantity) -> tuple[int, ...]:
    """Return the shape of a quantity of one sample."""
    sizes = {axis.dims[0]: len(values) for axis, values in source.axes.values()}
    return tuple(sizes[name] for name in quantity.dims)


def sample_bytes(source: Source) -> int:
    """Return the size of the large array of a sample in memory."""
    return prod(sample_shape(source, source.array)) * np.dtype(source.array.dtype).itemsize


def samples_to_fill(source: Source, count: int) -> Columns:
    """Return memory for the large array and the results of some samples, for `lehr.study.Source.simulate`."""
    quantities = (source.array, *source.results)
    return {q.name: np.empty((count, *sample_shape(source, q)), q.dtype) for q in quantities}


def digest(source: Source) -> str:
    """Return a name for what decides the content of a store, 16 hexadecimal digits: it ties files to a store.

    Whether a store belongs to a config is not decided by it but by `check_identity`.
    """
    decides = {"study": source.study, "numerics": source.numerics, "values": source.values}
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def create_group(target: Path, source: Source, subset: Subset, rows_per_part: int, rows_per_chunk: int) -> None:
    """Create the group of a subset with all that is known before the simulation.

    Nothing in it depends on time, place or the number of processes.
    """
    splits = [split_array(source, key) for key in source.split_keys]
    numbers = [quantity.name for quantity in source.results if not quantity.dims]
    besides = [name for name, (axis, _) in source.axes.items() if axis.dims != (name,)]
    coordinates = [INDEX, *source.parameters, *splits]
    group = zarr.create_group(
        target,
        attributes={
            "Conventions": "CF-1.11",
            "title": source.text(subset.name).title,
            "coordinates": " ".join([*(quantity.name for quantity in coordinates), *numbers, *besides]),
            "lehr": {
                "format": FORMAT,
                "study": source.study,
                "subset": subset.name,
                "numerics": source.numerics,
                "values": source.values,
                "digest": digest(source),
                "code": code(),
                "packages": packages("numpy", "tensorstore", "zarr"),
            },
        },
    )
    array, shape = source.array, sample_shape(source, source.array)
    attributes = {} if array.step is None else {"absolute_error": array.step / 2}
    group.create_array(
        array.name,
        shape=(subset.size, *shape),
        shards=(rows_per_part, *shape),
        chunks=(rows_per_chunk, *shape),
        dtype=array.dtype,
        fill_value=_fill_value(array),
        compressors=COMPRESSOR,
        dimension_names=("sample", *array.dims),
        attributes={**_attributes(array), **attributes},
    )
    for quantity in (*source.results, *source.parameters, INDEX, *splits):
        shape = subset.size, *sample_shape(source, quantity)
        group.create_array(
            quantity.name,
            shape=shape,
            chunks=(min(shape[0], _ROWS_PER_CHUNK_OF_SMALL_ARRAYS), *shape[1:]),
            dtype=quantity.dtype,
            fill_value=_fill_value(quantity),
            dimension_names=("sample", *quantity.dims),
            attributes=_attributes(quantity),
        )
    for name, (axis, values) in source.axes.items():
        group.create_array(
            name, shape=(len(values),), dtype=axis.dtype, dimension_names=axis.dims, attributes=_attributes(axis)
        )
    write_coordinates(group, source, subset)
    consolidate(target)


def _attributes(quantity: Quantity) -> dict[str, Any]:
    units = {"units": quantity.unit} if quantity.unit and "flag_values" not in quantity.attributes else {}
    return {"long_name": quantity.meaning, **units, **quantity.attributes}


def _fill_value(quantity: Quantity) -> float:
    return NOT_COMPUTED if np.issubdtype(np.dtype(quantity.dtype), np.integer) else float("nan")


def write_coordinates(group: zarr.Group, source: Source, subset: Subset) -> None:
    """Write all that is known before the simulation; once more at the end, in case a file was damaged meanwhile."""
    for start in range(0, subset.size, _ROWS_PER_CHUNK_OF_SMALL_ARRAYS):
        rows = slice(start, min(start + _ROWS_PER_CHUNK_OF_SMALL_ARRAYS, subset.size))
        columns = subset.rows(rows.start, rows.stop)
        for quantity in (INDEX, *source.parameters):
            write(group, quantity.name, columns[quantity.name], rows)
    for name, (_, values) in source.axes.items():
        write(group, name, values)


def encoded_bytes(values: NDArray[Any], rows_per_chunk: int) -> int:
    """Return the size of samples as the store compresses them."""
    chunks = (values[first : first + rows_per_chunk] for first in range(0, len(values), rows_per_chunk))
    return sum(
        len(blosc.compress(np.ascontiguousarray(chunk), b"zstd", 4, blosc.SHUFFLE, typesize=4)) for chunk in chunks
    )


def small_files(source: Source, samples: int) -> int:
    """Return the number of chunks of all arrays along the samples but the large one."""
    arrays = len(source.results) + len(source.parameters) + len(source.split_keys) + 1
    return arrays * -(-samples // _ROWS_PER_CHUNK_OF_SMALL_ARRAYS)


def write(group: zarr.Group, name: str, values: NDArray[Any], rows: slice = slice(None)) -> None:
    """Write some rows of an array."""
    target: Any = group[name]
    target[rows] = values


def consolidate(target: Path) -> None:
    """Collect the metadata of all arrays in that of the group, so that a reader opens one file."""
    with warnings.catch_warnings():
        # Consolidated metadata is an extension of Zarr v3; readers that do not know it pass it over.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        # and our receipts and documents beside the arrays are none of Zarr's
        warnings.filterwarnings("ignore", message="Object at")
        zarr.consolidate_metadata(target)


def open_group(path: Path, *, mode: str = "r") -> zarr.Group:
    """Open the group of a subset.

    Raises
    ------
    LehrError
        If there is no such group, or it is damaged or of another format.
    """
    then = f"Make it with `lehr dataset generate CONFIG --subset {path.name}`."
    if not (path / "zarr.json").is_file():
        raise LehrError(f"{path}: no signals of the subset {path.name} here", then)
    try:
        group = zarr.open_group(path, mode=mode)  # type: ignore[arg-type]
        made: Any = group.attrs["lehr"]
        version = made["format"]
        str(made["digest"])
        if version in READABLE:
            missing = {"study", "subset", "numerics", "values", "code"} - about(group).keys()
            if missing:
                raise KeyError(*missing)
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise LehrError(f"{path}: damaged, or not a subset made by lehr ({error})", "Move it away. " + then) from None
    if version not in READABLE:
        read = " and ".join(map(str, READABLE))
        raise LehrError(f"{path}: format {version}, this version reads {read}", "Move it away. " + then)
    return group


def read_about(path: Path) -> dict[str, Any]:
    """Return what lehr has written into the attributes of the group at a path, see `about`.

    Raises
    ------
    LehrError
        As `open_group`.
    """
    return about(open_group(path))


def about(group: zarr.Group) -> dict[str, Any]:
    """Return what lehr has written into the attributes of a group, in the words of the present format.

    Returns
    -------
    dict
        format, study, subset, numerics (an integer, or a word that equals none for code that is not known any more),
        values, digest, code, packages; and `stamp`, which the receipts of the group carry.
    """
    attributes: Any = group.attrs["lehr"]
    made = dict(attributes)
    if made["format"] == FORMAT:
        return {**made, "stamp": {"digest": made["digest"], "numerics": made["numerics"]}}
    code_digest = made["code"]["numerics"]
    signals = {key: value for key, value in made.pop("signals").items() if key != "storage"}
    return {
        **made,
        "study": "glass",
        "numerics": numerics_of_code(code_digest),
        "values": {"signals": signals},
        "stamp": {"digest": made["digest"], "numerics": code_digest},
    }


def numerics_of_code(code_digest: str) -> int | str:
    """Return the numerics of code of before they were counted; a word that equals none if it is not known any more."""
    return _NUMERICS_OF_CODE.get(code_digest, f"code {code_digest}")


def check_identity(path: Path, made: dict[str, Any], source: Source, *, to_write: bool = True) -> None:
    """Check that the subset at a path holds what a source simulates.

    It does if the study, the numerics and all values that decide its content are the same. A key that it does not know
    has its default: a new key whose default means "as before" leaves a store valid, a changed default does not.

    Parameters
    ----------
    path : Path
        The group, for the message.
    made : dict
        What the group says of itself, see `about`.
    source : Source
        What is wanted.
    to_write : bool
        Whether samples are to be added. Only then a group of format 2 must be of code whose numerics are known: to be
        read, its values must be those of the config, and no more.

    Raises
    ------
    LehrError
        If it does not; both values are named.
    """
    then = "Keep it and give this run another `output`, or delete the folder to make it anew."
    if made["study"] != source.study:
        raise LehrError(f"{path}: of the study {made['study']}, not {source.study}", then)
    try:
        changes = differences(source.completed(made["values"]), source.values)
    except LehrError as error:
        raise LehrError(f"{path}: {error.what}", then) from None
    if changes:
        raise LehrError(f"{path}: made with another config ({'; '.join(changes)})", then)
    if made["numerics"] != source.numerics and (to_write or made["format"] == FORMAT):
        code = made["code"]
        raise LehrError(
            f"{path}: made with numerics {made['numerics']} (lehr {code['version']}, git {code['git']}), this version "
            f"has numerics {source.numerics}: its signals differ",
            f"Finish it with that version. {then}",
        )
