"""``lehr estimator``."""

from __future__ import annotations

import argparse
from typing import Any


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    about = "the network that estimates a glass from its scans"
    command = commands.add_parser("estimator", help=about, description=about.capitalize() + ".")
    parts = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    about = "train it as a config says"
    command = parts.add_parser("train", help=about, description=about.capitalize() + ".")
    command.add_argument("config", metavar="CONFIG", help="YAML file; see workflow/config/estimator.yaml")
    command.set_defaults(run=train)


def train(options: argparse.Namespace) -> int:
    """Train the estimator and print the path of its weights."""
    from lehr.glass.estimator.config import load_estimator_config
    from lehr.glass.estimator.training import train_estimator

    print(f"estimator: {train_estimator(load_estimator_config(options.config))}")
    return 0
