"""Test samples of a subset, measured one by one without any network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import pandas as pd
import xarray
from tqdm import tqdm

from lehr.config import Run
from lehr.evaluation.samples import SEED, draw_test_samples, read_samples, write_results
from lehr.provenance import code
from lehr.ranks import gather, on_first_rank, rank_and_size
from lehr.store import open_subset
from lehr.study import Columns

if TYPE_CHECKING:
    from lehr.ranks import Communicator

__all__ = ["Measurement", "measure_each"]

T = TypeVar("T")


class Measurement(Protocol[T]):
    """What a study measures on samples.

    Attributes
    ----------
    name : str
        What the progress bar is called.
    reads : tuple of str
        Arrays of the store that `measure` wants.
    samples : int
        How many are drawn.
    about : dict
        What the file says of how it was done.
    """

    name: str
    reads: tuple[str, ...]
    samples: int
    about: dict[str, Any]

    def measure(self, columns: Columns) -> T:
        """Measure one sample, of which `columns` has one row."""

    def labelled(self, found: Sequence[T]) -> xarray.Dataset:
        """Return the data set of what was found, one sample after the other."""

    def table(self, data: xarray.Dataset) -> pd.DataFrame:
        """Return what of it a person reads."""


def measure_each(
    run: Run, subset: str, measurement: Measurement[T], path: Path, comm: Communicator | None = None
) -> xarray.Dataset:
    """Measure test samples of a subset one by one, and write netCDF and CSV. Call it on all ranks, which share them.

    Parameters
    ----------
    run : Run
        The run.
    subset : str
        One of its subsets.
    measurement : Measurement
        What is measured.
    path : Path
        The netCDF file.
    comm : Communicator, optional
        The ranks; default: this process alone.

    Returns
    -------
    xarray.Dataset
        What is in the file.

    Raises
    ------
    LehrError
        On all ranks, if the store is missing or of another config, or no test sample is left. Nothing is written then.
    """

    def share() -> list[tuple[int, T]]:
        rank, size = rank_and_size(comm)
        store = open_subset(run, subset)
        rows = draw_test_samples(store, run.split.build(), run.findings().limit, measurement.samples)
        own = tqdm(rows[rank::size].tolist(), desc=f"{measurement.name} {subset}", unit="sample", disable=rank > 0)
        return [(row, measurement.measure(read_samples(store, measurement.reads, np.array([row])))) for row in own]

    shares = gather(comm, share)

    def write() -> xarray.Dataset:
        in_order = sorted((pair for share in shares for pair in share), key=lambda pair: pair[0])
        found = [measured for _, measured in in_order]
        about = {"subset": subset, "samples": len(found), "seed": SEED, **measurement.about}
        origin = {"store_digest": open_subset(run, subset).digest, "version": code()["version"]}
        data = measurement.labelled(found).assign_attrs(**about, **origin)
        write_results(path, data, measurement.table(data))
        return data

    return on_first_rank(comm, write)
