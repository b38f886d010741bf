"""``lehr launch``: start Horovod ranks in a Slurm allocation."""

from __future__ import annotations

import argparse
from typing import Any


def add_commands(commands: Any) -> None:
    """Add the command of this module."""
    about = "start Horovod ranks with srun in a Slurm allocation, on one node or several"
    command = commands.add_parser("launch", help=about, description=about.capitalize() + ".")
    command.add_argument("-n", dest="ranks", type=int, required=True, metavar="N", help="number of ranks")
    command.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="COMMAND", help="such as: lehr train CONFIG --model NAME --ranks N"
    )
    command.set_defaults(run=launch, parser=command)


def launch(options: argparse.Namespace) -> int:
    """Start the ranks and wait for them."""
    from lehr.launch import launch

    if not options.command:
        options.parser.error("there is no command to start")
    return launch(options.ranks, options.command)
