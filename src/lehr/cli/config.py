"""``lehr config``."""

from __future__ import annotations

import argparse
import sys

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "check a config and print what it says, defaults included"
DETAILS = ""
EXAMPLE = "lehr config workflow/config/demo.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("config", metavar="CONFIG", help="YAML file")


def run(options: argparse.Namespace) -> int:
    """Print a config with all defaults."""
    import yaml

    from lehr.studies import load_run

    yaml.safe_dump(load_run(options.config).model_dump(mode="json"), sys.stdout, sort_keys=False)
    return 0
