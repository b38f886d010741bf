"""``lehr dataset export``."""

from __future__ import annotations

import argparse
from pathlib import Path

from lehr.cli.arguments import add_store, subset_path
from lehr.errors import LehrError
from lehr.split import SPLITS

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "write samples to an npz, CSV or HDF5 file"
DETAILS = ""
EXAMPLE = "lehr dataset export results/demo/signals.zarr/C --rows 0:100 --to samples.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_store(parser)
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="a file .npz, .csv or .h5")
    parser.add_argument(
        "--rows", metavar="A:B[:STEP]", help="rows of the subset (default: all); the last nine: --rows=-9:"
    )
    parser.add_argument("--split", choices=SPLITS, help="only this split, drawn by sample")


def run(options: argparse.Namespace) -> int:
    """Write samples to a file."""
    import numpy as np
    from tqdm import tqdm

    from lehr.store import Store, export, read_about
    from lehr.studies import load_source

    group = subset_path(options)
    store = Store.open(group, load_source(read_about(group)))
    rows = np.arange(store.samples)[_slice(options.rows)]
    if options.split:
        rows = rows[store.column("split_by_sample")[rows] == SPLITS.index(options.split)]
    if not rows.size:
        raise LehrError(f"{options.store}: no sample is chosen", f"It has the rows 0 to {store.samples - 1}.")
    with tqdm(total=rows.size, desc=f"export {group.name}", unit="sample", mininterval=0.5) as bar:
        export(store, np.sort(rows), options.to, bar.update)
    print(f"wrote {rows.size} samples to {options.to}")
    return 0


def _slice(text: str | None) -> slice:
    try:
        numbers = [int(word) if word else None for word in text.split(":")] if text else [None, None]
        if not 2 <= len(numbers) <= 3 or 0 in numbers[2:]:
            raise ValueError
    except ValueError:
        raise LehrError(f"--rows {text}: not a range of rows", "Write 0:100, or 0:1000:10 for every tenth.") from None
    return slice(*numbers)
