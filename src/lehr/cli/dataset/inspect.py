"""``lehr dataset inspect``."""

from __future__ import annotations

import argparse

from lehr.cli.arguments import add_store, subset_path

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "print what a subset on disk holds and how far it is"
DETAILS = ""
EXAMPLE = "lehr dataset inspect results/demo/signals.zarr/C"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_store(parser)


def run(options: argparse.Namespace) -> int:
    """Print a summary of a subset."""
    import numpy as np

    from lehr.store import NOT_COMPUTED, PartPlan, Store, read_about, unfinished
    from lehr.studies import load_source

    group = subset_path(options)
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
