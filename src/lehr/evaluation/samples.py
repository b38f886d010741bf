"""A few test samples of a subset, the same ones for whoever asks, and the files of what was found with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.files import replacing, write_text
from lehr.glass.config import GlassRun
from lehr.split import SPLITS, Split
from lehr.store import SignalStore

__all__ = ["SEED", "draw_test_samples", "open_signals", "read_samples", "write_results"]

SEED = 0
"""Seed of the choice of samples and of their noise."""


def open_signals(config: GlassRun, subset: str) -> SignalStore:
    """Open the signals of a subset.

    Raises
    ------
    LehrError
        If they are missing, not complete, or those of another config.
    """
    store = SignalStore.open(config.store_path, subset)
    if store.config_digest != config.signals.digest():
        raise LehrError(
            f"{store.path}: the signals of another config (digest {store.config_digest}, "
            f"that of this one is {config.signals.digest()})",
            f"Generate them with this config: `lehr dataset generate CONFIG --subset {subset}`.",
        )
    return store


def draw_test_samples(store: SignalStore, split: Split, cpn_max: float, count: int) -> NDArray[np.int64]:
    """Draw rows of the test split that are evaluated: good simulations with a peak that is not too high.

    A larger `count` keeps the samples of a smaller one.

    Parameters
    ----------
    store : SignalStore
        The signals.
    split : Split
        How samples are split.
    cpn_max : float
        Highest peak.
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
    test = split.assign(store.parameters) == SPLITS.index("test")
    rows = np.flatnonzero(test & (store.status == 0) & (store.cpn_max <= cpn_max))
    if not rows.size:
        raise LehrError(
            f"{store.path}: no sample of the test split has a CpN,max below {cpn_max:g}",
            "Make evaluation.cpn_max larger or split.train smaller, or simulate more samples.",
        )
    return np.random.default_rng(np.random.SeedSequence(SEED)).permutation(rows)[:count]


def read_samples(store: SignalStore, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read the signals of some rows, shape (n, cycles, points)."""
    return np.concatenate(store.read_ranges([(row, row + 1) for row in rows.tolist()]))


def write_results(path: Path, data: xarray.Dataset, table: pd.DataFrame) -> None:
    """Write a data set as netCDF, and beside it a CSV table of it for people."""
    with replacing(path) as temporary:
        data.to_netcdf(temporary, engine="h5netcdf")
    write_text(path.with_suffix(".csv"), table.to_csv(index=False, float_format="%.6g"))
