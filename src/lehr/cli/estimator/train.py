"""``lehr estimator train``."""

from __future__ import annotations

import argparse

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "train the network that estimates a glass from its scans, as a config says"
DETAILS = ""
EXAMPLE = "lehr estimator train workflow/config/estimator.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("config", metavar="CONFIG", help="YAML file; see workflow/config/estimator.yaml")


def run(options: argparse.Namespace) -> int:
    """Train the estimator and print the path of its weights."""
    from lehr.glass.estimator.config import load_estimator_config
    from lehr.glass.estimator.training import train_estimator

    print(f"estimator: {train_estimator(load_estimator_config(options.config))}")
    return 0
