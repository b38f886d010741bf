"""``lehr dataset finalise``."""

from __future__ import annotations

import argparse

from lehr.cli.arguments import add_config, add_subset, load_with_subset

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "complete a subset whose parts are all simulated: splits, card, checksums"
DETAILS = ""
EXAMPLE = "lehr dataset finalise workflow/config/demo.yaml --subset C"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_config(parser)
    add_subset(parser)


def run(options: argparse.Namespace) -> int:
    """Complete a subset and say what it holds."""
    from lehr.generate.driver import finalise

    config = load_with_subset(options)
    manifest = finalise(config, options.subset)
    print(
        f"{config.group_path(options.subset)}: {manifest['samples']} samples, "
        f"{manifest['signal_bytes'] / 1e9:.3f} GB of signals, status {manifest['status_counts']}"
    )
    return 0
