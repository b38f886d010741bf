"""What lies where in the store. The format is described in docs/format.md."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import zarr
from zarr.codecs import BloscCodec

from lehr.config.schema import SignalsConfig
from lehr.errors import LehrError

FORMAT = 1
"""Version of the layout; a reader refuses any other."""

NOT_COMPUTED = -1
"""Status of a sample that no part has written yet."""

PARAMETER_UNITS = {"ln_A": "1", "delta_h": "J/mol", "x": "1", "beta": "1"}
"""Names and units of the parameter arrays, in the order of every parameter array of the package."""

_LONG_NAMES = {
    "ln_A": "natural logarithm of the pre-exponential factor A in seconds",
    "delta_h": "activation energy",
    "x": "non-linearity",
    "beta": "non-exponentiality",
}


def create_group(target: Path, subset: str, samples: int, config: SignalsConfig) -> None:
    """Create the empty group of a subset; nothing in it depends on time, place or the number of processes."""
    part, chunk = config.storage.rows_per_part, config.storage.rows_per_chunk
    cycles, points = len(config.program.cooling_rates), config.temperature.points
    group = zarr.create_group(
        target,
        attributes={
            "Conventions": "CF-1.11",
            "title": f"DSC heating scans of Tool-Narayanaswamy-Moynihan glasses, subset {subset}",
            "coordinates": "index ln_A delta_h x beta status cpn_max cooling_rate heating_rate",
            "lehr": {
                "format": FORMAT,
                "subset": subset,
                "digest": config.digest(),
                "signals": config.model_dump(mode="json"),
            },
        },
    )

    def by_sample(name: str, dtype: str, fill: float, attributes: dict[str, Any]) -> None:
        group.create_array(
            name,
            shape=(samples,),
            chunks=(part,),
            dtype=dtype,
            fill_value=fill,
            dimension_names=("sample",),
            attributes=attributes,
        )

    group.create_array(
        "cpn",
        shape=(samples, cycles, points),
        shards=(part, cycles, points),
        chunks=(chunk, cycles, points),
        dtype="float32",
        fill_value=float("nan"),
        compressors=BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle"),
        dimension_names=("sample", "cycle", "temperature"),
        attributes={"long_name": "normalised heat capacity dTf/dT of the heating scan", "units": "1"},
    )
    for name, unit in PARAMETER_UNITS.items():
        by_sample(name, "float64", float("nan"), {"long_name": _LONG_NAMES[name], "units": unit})
    by_sample("index", "int64", -1, {"long_name": "flat index in the state space"})
    by_sample(
        "cpn_max", "float32", float("nan"), {"long_name": "largest cpn over cycles and temperatures", "units": "1"}
    )
    by_sample("status", "int8", NOT_COMPUTED, {"long_name": "outcome of the simulation, 0 is good, -1 not computed"})
    axes: dict[str, tuple[str, Any, dict[str, str]]] = {
        "temperature": ("temperature", config.temperature.kelvin(), {"units": "K", "standard_name": "temperature"}),
        "cooling_rate": ("cycle", config.program.cooling_rates, {"units": "K/min"}),
        "heating_rate": ("cycle", (config.program.heating_rate,) * cycles, {"units": "K/min"}),
    }
    for name, (dimension, values, attributes) in axes.items():
        array = group.create_array(
            name,
            shape=(len(values),),
            dtype="float64",
            dimension_names=(dimension,),
            attributes={**attributes},
        )
        array[:] = values
    with warnings.catch_warnings():
        # Consolidated metadata is an extension of Zarr v3; readers that do not know it pass it over.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(target)


def open_group(path: Path, subset: str, *, mode: str = "r") -> zarr.Group:
    """Open the group of a subset.

    Raises
    ------
    LehrError
        If there is no such store or group, or it is damaged or of another format.
    """
    then = f"Make it with `lehr dataset generate CONFIG --subset {subset}`."
    if not (path / subset / "zarr.json").is_file():
        raise LehrError(f"{path}: no signals of the subset {subset} here", then)
    try:
        group = zarr.open_group(path / subset, mode=mode)  # type: ignore[arg-type]
        about: Any = group.attrs["lehr"]
        version = about["format"]
        str(about["digest"])
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise LehrError(
            f"{path / subset}: damaged, or not a store of lehr ({error})", "Move it away. " + then
        ) from None
    if version != FORMAT:
        raise LehrError(f"{path / subset}: format {version}, this version reads {FORMAT}", "Move it away. " + then)
    return group


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
