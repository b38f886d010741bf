"""``lehr limits``."""

from __future__ import annotations

import argparse

from lehr.cli.arguments import add_config, check_names

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

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
    from lehr.evaluation.each import measure_each
    from lehr.glass.limits import Limits
    from lehr.studies import load_run

    comm = ranks.world(options.ranks, "lehr limits ...")
    config = ranks.on_first_rank(comm, lambda: load_run(options.config))
    check_names(options.config, "subset", options.subset, config.subsets)
    for subset in options.subset or config.subsets:
        measure_each(config, subset, Limits(config), config.limits_path(subset), comm)
        if ranks.rank_and_size(comm)[0] == 0:
            print(f"limits: {config.limits_path(subset)}")
    return 0
