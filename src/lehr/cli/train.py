"""``lehr train``."""

from __future__ import annotations

import argparse

from lehr.cli.arguments import add_config, check_names

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "train a model of a config on its subset"
DETAILS = "Interrupted, it goes on where it was. On several processes: horovodrun -np N --gloo lehr train ..."
EXAMPLE = "horovodrun -np 2 --gloo lehr train workflow/config/demo.yaml --model C"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_config(parser)
    parser.add_argument("--model", required=True, metavar="NAME", help="name of a model in the config")
    parser.add_argument(
        "--ranks",
        type=int,
        metavar="N",
        help="refuse to run with another number of Horovod ranks (default: ranks.train)",
    )
    parser.add_argument("--restart", action="store_true", help="remove the checkpoints of this training and begin anew")


def run(options: argparse.Namespace) -> int:
    """Train one model."""
    from lehr.studies import load_run

    config = load_run(options.config)
    check_names(options.config, "model", [options.model], [model.name for model in config.models])
    from lehr.training import train  # TensorFlow takes seconds to load

    train(config, options.model, ranks=options.ranks, restart=options.restart)
    return 0
