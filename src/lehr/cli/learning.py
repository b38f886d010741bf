"""``lehr train``, ``lehr evaluate`` and ``lehr report``."""

from __future__ import annotations

import argparse
from typing import Any

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
    _add_config_and_model(command)
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

    about = "measure a trained model on the test split"
    command = commands.add_parser("evaluate", help=about, description=about.capitalize() + ".")
    _add_config_and_model(command)
    command.set_defaults(run=evaluate)

    about = "write the HTML report of a run"
    command = commands.add_parser("report", help=about, description=about.capitalize() + ".")
    command.add_argument("config", metavar="CONFIG", help="YAML file")
    command.set_defaults(run=report)


def _add_config_and_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", metavar="CONFIG", help="YAML file")
    command.add_argument("--model", required=True, metavar="NAME", help="name of a model in the config")


def _config_with_model(options: argparse.Namespace) -> Any:
    from lehr.config import load_config

    config = load_config(options.config)
    names = [model.name for model in config.models]
    if options.model not in names:
        raise LehrError(f"{options.config}: no model '{options.model}'", f"It has: {', '.join(names)}.")
    return config


def train(options: argparse.Namespace) -> int:
    """Train one model."""
    from lehr.training import train

    train(_config_with_model(options), options.model, ranks=options.ranks, restart=options.restart)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Evaluate one model."""
    from lehr.evaluation import evaluate

    evaluate(_config_with_model(options), options.model)
    return 0


def report(options: argparse.Namespace) -> int:
    """Write the report and print its path."""
    from lehr.config import load_config
    from lehr.report import write_report

    print(f"report: {write_report(load_config(options.config))}")
    return 0
