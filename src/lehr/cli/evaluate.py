"""``lehr evaluate``."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from lehr.cli.arguments import add_model_choice, add_paths
from lehr.errors import LehrError
from lehr.split import SPLITS

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "measure trained models on their test splits"
DETAILS = (
    "Writes test.nc, metrics.json and tables below OUTPUT/evaluation/MODEL/SUBSET. On several processes: "
    "mpiexec -n N lehr evaluate ..."
)
EXAMPLE = "lehr evaluate workflow/config/demo.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_paths(parser)
    add_model_choice(parser)
    parser.add_argument(
        "--on",
        metavar="SUBSET",
        action="append",
        default=[],
        help="on this subset instead of the one it is trained on; may be given several times",
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="default: test")
    parser.add_argument("--ranks", type=int, metavar="N", help="refuse to run with another number of MPI ranks")


def run(options: argparse.Namespace) -> int:
    """Evaluate the models of all paths, whatever becomes of the others, and print a table."""
    from lehr import ranks
    from lehr.evaluation import RunReference, evaluate, overview, references
    from lehr.studies import load_run

    comm = ranks.world(options.ranks, "lehr evaluate ...")
    first = ranks.rank_and_size(comm)[0] == 0
    failures: list[str] = []

    def failed(error: LehrError) -> None:
        if first and str(error) not in failures:  # a run that is not there is not there for each subset
            print(f"lehr: error: {error}", file=sys.stderr)
        failures.append(str(error))

    runs: list[RunReference] = []
    for path in options.path:
        try:
            found = ranks.on_first_rank(comm, partial(references, path, load_run, options.model))
        except LehrError as error:
            failed(error)
        else:
            runs += [run for run in found if run not in runs]
    done = []
    for run in runs:
        for subset in dict.fromkeys(options.on) or [run.subset]:
            try:
                done.append(evaluate(run, subset, options.split, comm))
            except LehrError as error:
                failed(error)
    if first and done:
        print(overview(done, runs[0].config.findings()), end="")
    return 2 if failures else 0
