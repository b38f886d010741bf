"""``lehr dataset inspect``."""

from __future__ import annotations

import argparse
from typing import Any

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

    from lehr.store import NOT_COMPUTED, PartPlan, SignalStore, unfinished

    group = subset_path(options)
    store = SignalStore(group.parent, group.name)
    made, plan = store.about, PartPlan(store.samples, store.rows_per_part)
    todo = len(unfinished(group, plan.parts()))
    code = made["code"]
    shards = [path.stat().st_size for path in (group / "cpn" / "c").rglob("*") if path.is_file()]
    print(f"{group}: subset {store.subset}, format {made['format']}")
    print(f"made by      lehr {code['version']}, git {code['git']}, code {code['numerics']}, signals {made['digest']}")
    print(f"signals      {store.samples} samples x {store.cycles} scans x {store.points} temperatures, "
          f"{store.temperature[0]:.2f} to {store.temperature[-1]:.2f} K")  # fmt: skip
    print(f"parts        {len(plan) - todo} of {len(plan)} are done, {sum(shards) / 1e9:.3f} GB")
    for name, low, high in zip(("ln A", "delta_h", "x", "beta"), *_ends(store), strict=True):
        print(f"{name:12} {low:g} ... {high:g}")
    complete = not (store.status == NOT_COMPUTED).any()
    if not complete:
        print("not complete: run `lehr dataset generate` or, if all parts are done, `lehr dataset finalise`")
        return 0
    values, counts = np.unique(store.status, return_counts=True)
    print("status       " + ", ".join(f"{value}: {count}" for value, count in zip(values, counts, strict=True)))
    quantiles = np.nanquantile(store.cpn_max, [0, 0.25, 0.5, 0.75, 1])
    print("CpN,max      " + ", ".join(f"{value:.3g}" for value in quantiles) + "  (0, 25, 50, 75, 100 %)")
    print(f"on disk      {sum(shards) / 1e3 / store.samples:.2f} kB a sample")
    return 0


def _ends(store: Any) -> tuple[list[float], list[float]]:
    return store.parameters.min(axis=0).tolist(), store.parameters.max(axis=0).tolist()
