"""A few test samples of a subset, the same ones for whoever asks, and the files of what was found with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.files import atomic_path, write_text
from lehr.split import Split
from lehr.store import Store
from lehr.study import Columns, Quantity

__all__ = ["SEED", "draw_test_samples", "read_samples", "write_results"]

SEED = 0
"""Seed of the choice of samples and of their noise."""


def draw_test_samples(store: Store, split: Split, limit: tuple[Quantity, float], count: int) -> NDArray[np.int64]:
    """Draw rows of the test split that are evaluated: good simulations that are not left out.

    A larger `count` keeps the samples of a smaller one.

    Parameters
    ----------
    store : Store
        A subset.
    split : Split
        How its samples are split.
    limit : tuple of Quantity and float
        Samples in which this column is larger are left out.
    count : int
        How many; all there are, if they are less.

    Returns
    -------
    ndarray of int, shape (n,)
        Rows in the order in which they were drawn.

    Raises
    ------
    LehrError
        If there are none.
    """
    quantity, most = limit
    rows = np.flatnonzero(store.usable(split, "test") & (store.column(quantity.name) <= most))
    if not rows.size:
        raise LehrError(
            f"{store.path}: no sample of the test split has a {quantity.label} below {most:g}",
            f"Make evaluation.{quantity.name} larger or split.train smaller, or simulate more samples.",
        )
    return np.random.default_rng(np.random.SeedSequence(SEED)).permutation(rows)[:count]


def read_samples(store: Store, names: Sequence[str], rows: NDArray[np.int64]) -> Columns:
    """Read arrays of some samples by name, and `row`, the numbers of the samples."""
    columns: Columns = {"row": rows}
    for name in names:
        if name == store.source.array.name:
            columns[name] = np.concatenate(store.read_ranges([(row, row + 1) for row in rows.tolist()]))
        else:
            columns[name] = store.column(name)[rows]
    return columns


def write_results(path: Path, data: xarray.Dataset, table: pd.DataFrame) -> None:
    """Write a data set as netCDF, and beside it a CSV table of it for people."""
    with atomic_path(path) as temporary:
        data.to_netcdf(temporary, engine="h5netcdf")
    write_text(path.with_suffix(".csv"), table.to_csv(index=False, float_format="%.6g"))
