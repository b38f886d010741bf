"""``lehr robustness``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, cast

from lehr.cli.arguments import add_model_choice, add_paths
from lehr.errors import LehrError

if TYPE_CHECKING:
    from lehr.glass.config import GlassRun

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "measure trained models on scans with noise, thermal lag, a sloping baseline or a temperature offset"
DETAILS = "See docs/how-to/limits.md."
EXAMPLE = "lehr robustness workflow/config/demo.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_paths(parser)
    add_model_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Measure the models of all paths, whatever becomes of the others."""
    from lehr.evaluation import RunReference, measure_robustness, references
    from lehr.glass.robustness import distortions
    from lehr.studies import load_run

    failures = 0

    def failed(error: LehrError) -> None:
        nonlocal failures
        failures += 1
        print(f"lehr: error: {error}", file=sys.stderr)

    runs: list[RunReference] = []
    for path in options.path:
        try:
            runs += references(path, load_run, options.model)
        except LehrError as error:
            failed(error)
    for run in runs:
        try:
            config = cast("GlassRun", run.config)  # the only study that there is
            path = config.robustness_path(run.model)
            measure_robustness(run, distortions(config), config.evaluation.robustness.samples, path)
            print(f"robustness: {path}")
        except LehrError as error:
            failed(error)
    return 2 if failures else 0
