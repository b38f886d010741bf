"""Writing: create the group of a subset, fill it part by part."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from lehr.config.schema import SignalsConfig
from lehr.errors import LehrError
from lehr.store.layout import PARAMETER_UNITS, create_group, differences, open_group
from lehr.store.plan import Part, PartPlan

__all__ = ["PartWriter", "create"]


def create(path: Path, subset: str, samples: int, config: SignalsConfig) -> None:
    """Create the group of a subset, or check that the one that is there was made by the same config.

    Call it from one process only.

    Raises
    ------
    LehrError
        If a group of another config is there; it is not touched.
    """
    target = path / subset
    if (target / "zarr.json").is_file():
        about: Any = open_group(path, subset).attrs["lehr"]
        if about["digest"] != config.digest():
            changes = differences(about["signals"], config.model_dump(mode="json"), "signals.")
            raise LehrError(
                f"{target}: made with another config ({'; '.join(changes) or 'an older version of lehr'})",
                "Keep it and give this run another `output`, or delete the folder to make it anew.",
            )
        sweep(target)
        return
    # zarr creates a group file by file; a name that appears only when all are there cannot be taken for a whole store
    building = path / f".{subset}.building"
    shutil.rmtree(building, ignore_errors=True)
    zarr.open_group(path, mode="a")
    create_group(building, subset, samples, config)
    building.rename(target)


def sweep(group: Path) -> None:
    """Remove temporary files that a killed writer left."""
    for orphan in group.rglob("*.partial"):
        orphan.unlink(missing_ok=True)


class PartWriter:
    """Writes whole parts of one subset; several processes may each have one.

    Parameters
    ----------
    path : Path
        The store.
    subset : str
        The subset.
    plan : PartPlan
        Parts of the subset.

    Raises
    ------
    LehrError
        If the group is missing, or its shards are not the parts of the plan.
    """

    def __init__(self, path: Path, subset: str, plan: PartPlan) -> None:
        self._group = open_group(path, subset, mode="r+")
        self._plan = plan
        cpn: Any = self._group["cpn"]
        if cpn.shards[0] != plan.rows_per_part or cpn.shape[0] != plan.rows:
            raise LehrError(
                f"{path / subset}: shards of {cpn.shards[0]} samples, parts of {plan.rows_per_part}",
                "A part must be exactly one shard: two writers in one shard lose data.",
            )

    def write(
        self,
        part: Part,
        index: NDArray[np.int64],
        parameters: NDArray[np.float64],
        cpn: NDArray[np.float32],
        status: NDArray[np.int8],
    ) -> None:
        """Write one part, the status last: a part without a status was not finished.

        Parameters
        ----------
        part : Part
            A part of the plan.
        index : ndarray of int, shape (rows,)
            Flat indices in the state space.
        parameters : ndarray, shape (rows, 4)
            Columns ln_A, delta_h, x, beta.
        cpn : ndarray, shape (rows, cycles, points)
            Signals.
        status : ndarray of int8, shape (rows,)
            Outcome of each simulation.
        """
        if part != self._plan.part(part.number):
            raise ValueError(f"{part} is not in the plan")
        rows = slice(part.start, part.stop)
        columns = {name: parameters[:, i] for i, name in enumerate(PARAMETER_UNITS)}
        arrays = {"cpn": cpn, **columns, "index": index, "cpn_max": cpn.max(axis=(1, 2)), "status": status}
        for name, values in arrays.items():
            target: Any = self._group[name]
            target[rows] = values
