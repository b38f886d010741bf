"""``lehr train``, ``lehr evaluate`` and ``lehr report``."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

from lehr.cli.runs import add_model_choice, add_paths
from lehr.errors import LehrError


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    about = "train a model of a config on its subset"
    command = commands.add_parser(
        "train",
        help=about,
        description=about.capitalize() + ", or go on where it was interrupted. On several processes: "
        "horovodrun -np N --gloo lehr train ...",
    )
    command.add_argument("config", metavar="CONFIG", help="YAML file")
    command.add_argument("--model", required=True, metavar="NAME", help="name of a model in the config")
    command.add_argument(
        "--ranks",
        type=int,
        metavar="N",
        help="refuse to run with another number of Horovod ranks (default: ranks.train)",
    )
    command.add_argument(
        "--restart", action="store_true", help="remove the checkpoints of this training and begin anew"
    )
    command.set_defaults(run=train)

    about = "measure trained models on their test splits"
    command = commands.add_parser(
        "evaluate",
        help=about,
        description=about.capitalize() + ": test.nc, metrics.json and tables below OUTPUT/evaluation/MODEL/SUBSET. On "
        "several processes: mpiexec -n N lehr evaluate ...",
    )
    add_paths(command)
    add_model_choice(command)
    command.add_argument(
        "--on",
        metavar="SUBSET",
        action="append",
        default=[],
        help="on this subset instead of the one it is trained on; may be given several times",
    )
    command.add_argument("--split", choices=["train", "validation", "test"], default="test", help="default: test")
    command.add_argument("--ranks", type=int, metavar="N", help="refuse to run with another number of MPI ranks")
    command.set_defaults(run=evaluate)

    about = "write one HTML page about trained models"
    command = commands.add_parser(
        "report",
        help=about,
        description=about.capitalize() + ", with its figures (PNG, PDF) and tables (CSV, Markdown) beside it. What is "
        "missing is said there and here; only if there is nothing to show, the exit code is 2.",
    )
    add_paths(command)
    command.add_argument(
        "--to", metavar="FILE", help="where to write (default: report.html in the output folder of the first run)"
    )
    command.set_defaults(run=report)


def train(options: argparse.Namespace) -> int:
    """Train one model."""
    from lehr.studies import load_run
    from lehr.training import train

    config = load_run(options.config)
    names = [model.name for model in config.models]
    if options.model not in names:
        raise LehrError(f"{options.config}: no model '{options.model}'", f"It has: {', '.join(names)}.")
    train(config, options.model, ranks=options.ranks, restart=options.restart)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Evaluate the models of all paths, whatever becomes of the others, and print a table."""
    from lehr import ranks
    from lehr.evaluation import RunReference, evaluate, overview, references

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
            found = ranks.on_first_rank(comm, partial(references, path, options.model))
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
        print(overview(done), end="")
    return 2 if failures else 0


def report(options: argparse.Namespace) -> int:
    """Write the report, and print its path and what is not in it."""
    from lehr.report import write_report

    path, problems = write_report(options.path, options.to)
    for problem in problems:
        print(f"lehr: missing in the report: {problem}", file=sys.stderr)
    print(f"report: {path}")
    return 0
