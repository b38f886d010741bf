"""``lehr launch``."""

from __future__ import annotations

import argparse

from lehr.errors import LehrError

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "start Horovod ranks with srun in a Slurm allocation, on one node or several"
DETAILS = ""
EXAMPLE = "lehr launch -n 8 lehr train config.yaml --model C --ranks 8"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("-n", dest="ranks", type=int, required=True, metavar="N", help="number of ranks")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="COMMAND", help="such as: lehr train CONFIG --model NAME --ranks N"
    )


def run(options: argparse.Namespace) -> int:
    """Start the ranks and wait for them."""
    from lehr.launch import launch

    if not options.command:
        raise LehrError("the command to start is missing", "Write it after the number of ranks.")
    return launch(options.ranks, options.command)
