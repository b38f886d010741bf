"""``lehr robustness`` and ``lehr limits``: networks on distorted scans, and what there is to be known."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from lehr.cli.runs import add_model_choice, add_paths
from lehr.errors import LehrError


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    about = "measure trained models on scans with noise, thermal lag, a sloping baseline or a temperature offset"
    command = commands.add_parser("robustness", help=about, description=about.capitalize() + ". See docs/limits.md.")
    add_paths(command)
    add_model_choice(command)
    command.set_defaults(run=robustness)

    about = "compute the Cramer-Rao bound of noisy scans, and fit them by least squares"
    command = commands.add_parser(
        "limits",
        help=about,
        description=about.capitalize() + ". On several processes: mpiexec -n N lehr limits ... See docs/limits.md.",
    )
    command.add_argument("config", metavar="CONFIG", help="YAML file")
    command.add_argument(
        "--subset",
        metavar="SUBSET",
        action="append",
        default=[],
        help="only this subset; may be given several times (default: all of the config)",
    )
    command.add_argument("--ranks", type=int, metavar="N", help="refuse to run with another number of MPI ranks")
    command.set_defaults(run=limits)


def robustness(options: argparse.Namespace) -> int:
    """Measure the models of all paths, whatever becomes of the others."""
    from lehr.evaluation import RunReference, measure_robustness, references

    failures = 0

    def failed(error: LehrError) -> None:
        nonlocal failures
        failures += 1
        print(f"lehr: error: {error}", file=sys.stderr)

    runs: list[RunReference] = []
    for path in options.path:
        try:
            runs += references(path, options.model)
        except LehrError as error:
            failed(error)
    for run in runs:
        try:
            measure_robustness(run)
            print(f"robustness: {run.config.robustness_path(run.model)}")
        except LehrError as error:
            failed(error)
    return 2 if failures else 0


def limits(options: argparse.Namespace) -> int:
    """Compute bounds and fits."""
    from lehr import ranks
    from lehr.evaluation import measure_limits
    from lehr.studies import load_run

    comm = ranks.world(options.ranks, "lehr limits ...")
    config = ranks.on_first_rank(comm, lambda: load_run(options.config))
    for subset in options.subset:
        if subset not in config.subsets:
            raise LehrError(f"{options.config}: no subset '{subset}'", f"It has: {', '.join(config.subsets)}.")
    for subset in options.subset or config.subsets:
        measure_limits(config, subset, comm)
        if ranks.rank_and_size(comm)[0] == 0:
            print(f"limits: {config.limits_path(subset)}")
    return 0
