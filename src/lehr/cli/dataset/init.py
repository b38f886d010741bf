"""``lehr dataset init``."""

from __future__ import annotations

import argparse

from lehr.cli.arguments import add_config, add_subset, load_with_subset

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "create the empty store of a subset, with all coordinates"
DETAILS = ""
EXAMPLE = "lehr dataset init workflow/config/demo.yaml --subset C"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_config(parser)
    add_subset(parser)


def run(options: argparse.Namespace) -> int:
    """Create an empty subset."""
    from lehr.generate.driver import initialise

    config = load_with_subset(options)
    initialise(config, options.subset)
    print(f"{config.group_path(options.subset)} is ready")
    print(f"go on: lehr dataset generate {options.config} --subset {options.subset}")
    return 0
