"""``lehr limits``."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from lehr.cli.arguments import add_config, check_names

if TYPE_CHECKING:
    import xarray

    from lehr.glass.config import GlassRun
    from lehr.ranks import Communicator

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "measure_limits", "run"]

ABOUT = "compute the Cramer-Rao bound of noisy scans, and fit them by least squares"
DETAILS = "On several processes: mpiexec -n N lehr limits ... See docs/how-to/limits.md."
EXAMPLE = "lehr limits workflow/config/demo.yaml --subset C"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_config(parser)
    parser.add_argument(
        "--subset",
        metavar="SUBSET",
        action="append",
        default=[],
        help="only this subset; may be given several times (default: all of the config)",
    )
    parser.add_argument("--ranks", type=int, metavar="N", help="refuse to run with another number of MPI ranks")


def run(options: argparse.Namespace) -> int:
    """Compute bounds and fits."""
    from lehr import ranks
    from lehr.studies import load_run

    comm = ranks.world(options.ranks, "lehr limits ...")
    config = ranks.on_first_rank(comm, lambda: load_run(options.config))
    check_names(options.config, "subset", options.subset, config.subsets)
    for subset in options.subset or config.subsets:
        measure_limits(config, subset, comm)
        if ranks.rank_and_size(comm)[0] == 0:
            print(f"limits: {config.limits_path(subset)}")
    return 0


def measure_limits(config: GlassRun, subset: str, comm: Communicator | None = None) -> xarray.Dataset:
    """Compute the Cramer-Rao bound and fit test samples of a subset, and write limits/<subset>.nc and .csv.

    Parameters
    ----------
    config : GlassRun
        The run.
    subset : str
        One of its subsets.
    comm : Communicator, optional
        Ranks that share the samples; call it on all. Default: this process alone.

    Returns
    -------
    xarray.Dataset
        What is in the file.

    Raises
    ------
    LehrError
        On all ranks, if the store is missing or of another config, or no test sample is left. Nothing is written then.
    """
    from lehr import __version__, ranks
    from lehr.evaluation.samples import SEED, measure_each, write_results
    from lehr.glass.limits import READS, fit_sample, labelled, table
    from lehr.store import open_subset

    section = config.evaluation.limits
    fit, label = partial(fit_sample, config), f"limits {subset}"
    fits = measure_each(config, subset, READS, section.samples, fit, comm, label=label)

    def write() -> xarray.Dataset:
        about = {"subset": subset, "samples": len(fits), "seed": SEED, "most_starts": section.starts}
        digest = open_subset(config, subset).digest
        data = labelled(config, fits).assign_attrs(**about, store_digest=digest, version=__version__)
        write_results(config.limits_path(subset), data, table(data))
        return data

    return ranks.on_first_rank(comm, write)
