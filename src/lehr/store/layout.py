"""What lies where in the store. The format is described in docs/format.md."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.space import Subset
from lehr.glass.tnm import Status
from lehr.provenance import code, packages
from lehr.store.encoding import COMPRESSOR, MAX_ERROR

FORMAT = 2
"""Version of the layout; a reader refuses any other."""

NOT_COMPUTED = -1
"""Status of the samples of a subset that is not complete."""

PARAMETER_UNITS = {"ln_A": "1", "delta_h": "J/mol", "x": "1", "beta": "1"}
"""Names and units of the parameter arrays, in the order of every parameter array of the package."""

RESULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cpn_max": ("float32", ("sample",)),
    "fictive_temperature": ("float32", ("sample", "cycle")),
    "cpn_mean": ("float32", ("sample", "cycle")),
    "cpn_mean_square": ("float32", ("sample", "cycle")),
    "status": ("int8", ("sample",)),
}
"""What a part finds out of each sample besides its signals: type and dimensions. Status is written last."""

TEMPORARY = ("*.partial", "*.__lock", ".*.tmp")
"""Names of the temporary files of zarr, of tensorstore and of lehr.files; they are swept when a subset is completed."""

SPLIT_NAMES = ("split_by_sample", "split_by_cell")

_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "cpn": {
        "long_name": "normalised heat capacity dTf/dT of the heating scan",
        "units": "1",
        "absolute_error": MAX_ERROR,
        "comment": "rounded to multiples of 2^-13 after a simulation of the tolerance in the attributes of the group",
    },
    "ln_A": {"long_name": "natural logarithm of the pre-exponential factor A in seconds"},
    "delta_h": {"long_name": "activation energy"},
    "x": {"long_name": "non-linearity"},
    "beta": {"long_name": "non-exponentiality"},
    "index": {"long_name": "flat index in the state space"},
    "cpn_max": {"long_name": "largest cpn over cycles and temperatures", "units": "1"},
    "fictive_temperature": {"long_name": "limiting fictive temperature Tf' of the glass before the scan", "units": "K"},
    "cpn_mean": {"long_name": "mean of cpn over the temperatures of a scan", "units": "1"},
    "cpn_mean_square": {"long_name": "mean of the square of cpn over the temperatures of a scan", "units": "1"},
    "status": {
        "long_name": "outcome of the simulation",
        "flag_values": [NOT_COMPUTED, *(int(status) for status in Status)],
        "flag_meanings": " ".join(["not_computed", *(status.name.lower() for status in Status)]),
    },
    "split_by_sample": {"long_name": "split drawn by a hash of all four parameters"},
    "split_by_cell": {"long_name": "split drawn by a hash of ln_A and delta_h: a cell of the plane is in one split"},
}

_ROWS_PER_CHUNK_OF_SMALL_ARRAYS = 2**18  # few files, and 2 MB each to read all of a column


def create_group(target: Path, subset: Subset, config: SignalsConfig) -> None:
    """Create the group of a subset with all that is known before the simulation.

    Nothing in it depends on time, place or the number of processes.
    """
    part, chunk = config.storage.rows_per_part, config.storage.rows_per_chunk
    program = config.program.build()
    cycles, points = len(program.cycles), config.temperature.points
    group = zarr.create_group(
        target,
        attributes={
            "Conventions": "CF-1.11",
            "title": f"DSC heating scans of Tool-Narayanaswamy-Moynihan glasses, subset {subset.name}",
            "coordinates": " ".join(
                ["index", *PARAMETER_UNITS, *SPLIT_NAMES, "status", "cpn_max", "cooling_rate", "heating_rate"]
            ),
            "lehr": {
                "format": FORMAT,
                "subset": subset.name,
                "digest": config.digest(),
                "signals": config.model_dump(mode="json"),
                "code": code(),
                "packages": packages("numpy", "tensorstore", "zarr"),
            },
        },
    )
    group.create_array(
        "cpn",
        shape=(subset.size, cycles, points),
        shards=(part, cycles, points),
        chunks=(chunk, cycles, points),
        dtype="float32",
        fill_value=float("nan"),
        compressors=COMPRESSOR,
        dimension_names=("sample", "cycle", "temperature"),
        attributes=_ATTRIBUTES["cpn"],
    )
    sizes = {"sample": subset.size, "cycle": cycles}
    for name, (dtype, dimensions) in RESULTS.items():
        fill = NOT_COMPUTED if name == "status" else float("nan")
        _create(group, name, dtype, dimensions, tuple(sizes[dimension] for dimension in dimensions), fill)
    for name, unit in PARAMETER_UNITS.items():
        _create(group, name, "float64", ("sample",), (subset.size,), float("nan"), units=unit)
    _create(group, "index", "int64", ("sample",), (subset.size,), -1)
    for name in SPLIT_NAMES:
        _create(group, name, "int8", ("sample",), (subset.size,), -1)
    temperature = config.temperature.kelvin()
    axes: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
        ("temperature", "temperature", temperature, {"units": "K", "standard_name": "temperature"}),
        ("cooling_rate", "cycle", program.cooling_rates, {"units": "K/min", "long_name": "rate of the first segment"}),
        ("heating_rate", "cycle", program.heating_rates, {"units": "K/min", "long_name": "rate of the recorded scan"}),
    )
    for name, dimension, values, attributes in axes:
        group.create_array(
            name, shape=(len(values),), dtype="float64", dimension_names=(dimension,), attributes=attributes
        )
    write_coordinates(group, subset, config)
    consolidate(target)


def write_coordinates(group: zarr.Group, subset: Subset, config: SignalsConfig) -> None:
    """Write all that is known before the simulation; once more at the end, in case a file was damaged meanwhile."""
    program = config.program.build()
    for start in range(0, subset.size, _ROWS_PER_CHUNK_OF_SMALL_ARRAYS):
        rows = slice(start, min(start + _ROWS_PER_CHUNK_OF_SMALL_ARRAYS, subset.size))
        write(group, "index", subset.index(rows.start, rows.stop), rows)
        for name, column in zip(PARAMETER_UNITS, subset.parameters(rows.start, rows.stop).T, strict=True):
            write(group, name, column, rows)
    write(group, "temperature", config.temperature.kelvin())
    write(group, "cooling_rate", np.asarray(program.cooling_rates))
    write(group, "heating_rate", np.asarray(program.heating_rates))


def small_files(samples: int) -> int:
    """Return the number of chunks of all arrays along the samples but the signals."""
    arrays = len(RESULTS) + len(PARAMETER_UNITS) + len(SPLIT_NAMES) + 1
    return arrays * -(-samples // _ROWS_PER_CHUNK_OF_SMALL_ARRAYS)


def _create(
    group: zarr.Group,
    name: str,
    dtype: str,
    dimensions: tuple[str, ...],
    shape: tuple[int, ...],
    fill: float,
    **attributes: Any,
) -> None:
    group.create_array(
        name,
        shape=shape,
        chunks=(min(shape[0], _ROWS_PER_CHUNK_OF_SMALL_ARRAYS), *shape[1:]),
        dtype=dtype,
        fill_value=fill,
        dimension_names=dimensions,
        attributes={**_ATTRIBUTES[name], **attributes},
    )


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
        about: Any = group.attrs["lehr"]
        version = about["format"]
        str(about["digest"])
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise LehrError(f"{path}: damaged, or not a subset made by lehr ({error})", "Move it away. " + then) from None
    if version != FORMAT:
        raise LehrError(f"{path}: format {version}, this version reads {FORMAT}", "Move it away. " + then)
    return group


def about(group: zarr.Group) -> dict[str, Any]:
    """Return what lehr has written into the attributes of a group."""
    attributes: Any = group.attrs["lehr"]
    return dict(attributes)


def differences(made_with: dict[str, Any], wanted: dict[str, Any], prefix: str = "") -> list[str]:
    """Name the keys in which two configs differ, with both values."""
    found = []
    for key in sorted(made_with.keys() | wanted.keys()):
        old, new, name = made_with.get(key), wanted.get(key), f"{prefix}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{name}.")
        elif old != new:
            found.append(f"{name}: {old} -> {new}")
    return found
