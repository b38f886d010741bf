"""``lehr dataset inspect``, ``verify`` and ``export``: signals on disk, wherever they came from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lehr.errors import LehrError


def add_steps(steps: Any) -> None:
    """Add the steps of this module."""
    step = _step(steps, "inspect", "print what a subset on disk holds and how far it is")
    step.set_defaults(run=inspect)

    step = _step(
        steps,
        "verify",
        "compare a subset with its checksums and receipts, and some samples with a new simulation",
        " Ends with exit code 1 if something is wrong.",
    )
    step.add_argument("--rows", type=_count, default=32, metavar="K", help="samples to simulate again (default: 32)")
    step.add_argument("--seed", type=int, default=0, help="seed of their choice (default: 0)")
    step.set_defaults(run=verify)

    step = _step(steps, "export", "write samples to an npz, CSV or HDF5 file")
    step.add_argument("--to", required=True, type=Path, metavar="FILE", help="a file .npz, .csv or .h5")
    step.add_argument(
        "--rows", metavar="A:B[:STEP]", help="rows of the subset (default: all); the last nine: --rows=-9:"
    )
    step.add_argument("--split", choices=["train", "validation", "test"], help="only this split, drawn by sample")
    step.set_defaults(run=export)


def _step(steps: Any, name: str, about: str, more: str = "") -> argparse.ArgumentParser:
    step: argparse.ArgumentParser = steps.add_parser(name, help=about, description=about.capitalize() + "." + more)
    step.add_argument("store", type=Path, metavar="STORE", help="a subset, such as results/paper/signals.zarr/C")
    return step


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is no number of samples")
    return int(text)


def _group(options: argparse.Namespace) -> Path:
    path: Path = options.store.resolve()
    subsets = sorted(child.parent.name for child in path.glob("*/receipts"))
    if subsets:
        raise LehrError(f"{options.store}: a store, not a subset in it", f"Name one of: {', '.join(subsets)}.")
    return path


def inspect(options: argparse.Namespace) -> int:
    """Print a summary of a subset."""
    import numpy as np

    from lehr.store import NOT_COMPUTED, PartPlan, Store, read_about, unfinished
    from lehr.studies import load_source

    group = _group(options)
    store = Store(group, load_source(read_about(group)))
    made, plan, source = store.about, PartPlan(store.samples, store.rows_per_part), store.source
    todo = len(unfinished(group, source, plan.parts()))
    code = made["code"]
    shards = [path.stat().st_size for path in (group / source.array.name / "c").rglob("*") if path.is_file()]
    print(f"{group}: subset {store.subset}, format {made['format']}")
    print(f"made by      lehr {code['version']}, git {code['git']}, numerics {made['numerics']}")
    shape = [f"{store.samples} samples"]
    for size, name in zip(store.sample_shape, source.array.dims, strict=True):
        axis = source.axes.get(name)
        ends = "" if axis is None else f" from {axis[1][0]:.2f} to {axis[1][-1]:.2f} {axis[0].unit}"
        shape.append(f"{size} {name}s{ends}")
    print(f"signals      {' x '.join(shape)}")
    print(f"parts        {len(plan) - todo} of {len(plan)} are done, {sum(shards) / 1e9:.3f} GB")
    for quantity in source.parameters:
        values = quantity.shown(store.column(quantity.name))
        print(f"{quantity.heading:12} {values.min():g} ... {values.max():g}")
    complete = not (store.status == NOT_COMPUTED).any()
    if not complete:
        print("not complete: run `lehr dataset generate` or, if all parts are done, `lehr dataset finalise`")
        return 0
    values, counts = np.unique(store.status, return_counts=True)
    print("status       " + ", ".join(f"{value}: {count}" for value, count in zip(values, counts, strict=True)))
    for quantity in source.results:
        if not quantity.dims and quantity.name != "status":
            quantiles = np.nanquantile(store.column(quantity.name), [0, 0.25, 0.5, 0.75, 1])
            shown = ", ".join(f"{value:.3g}" for value in quantiles)
            print(f"{quantity.label:12} {shown}  (0, 25, 50, 75, 100 %)")
    print(f"on disk      {sum(shards) / 1e3 / store.samples:.2f} kB a sample")
    return 0


def verify(options: argparse.Namespace) -> int:
    """Print what is wrong with a subset, and how to repair it."""
    from tqdm import tqdm

    from lehr.store import Store, read_about, verify
    from lehr.studies import load_source

    group = _group(options)
    source = load_source(read_about(group))
    samples = Store(group, source).samples
    total = sum(path.stat().st_size for path in group.rglob("*") if path.is_file())
    with tqdm(total=total, desc=f"verify {group.name}", unit="B", unit_scale=True, mininterval=0.5) as bar:
        found = verify(group, source, rows=options.rows, seed=options.seed, progress=bar.update)
    for finding in found:
        print(f"wrong: {finding.what}")
    parts = sorted({finding.part for finding in found if finding.part is not None})
    if parts:
        print(f"repair: lehr dataset generate CONFIG --subset {group.name} --parts {','.join(map(str, parts))}")
    elif found:
        print(f"repair: lehr dataset finalise CONFIG --subset {group.name}")
    else:
        print(f"{group}: all files as they were made, {min(options.rows, samples)} samples as simulated now")
    return 1 if found else 0


def export(options: argparse.Namespace) -> int:
    """Write samples to a file."""
    import numpy as np
    from tqdm import tqdm

    from lehr.split import SPLITS
    from lehr.store import Store, export, read_about
    from lehr.studies import load_source

    group = _group(options)
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
        raise LehrError(f"--rows {text}: no range of rows", "Write 0:100, or 0:1000:10 for every tenth.") from None
    return slice(*numbers)
