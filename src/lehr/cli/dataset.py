"""``lehr dataset``: plan and generate the signal store. ``lehr config``: check a config."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    about = "check a config and print what it says, defaults included"
    command = commands.add_parser("config", help=about, description=about.capitalize() + ".")
    command.add_argument("config", metavar="CONFIG", help="YAML file")
    command.set_defaults(run=show_config)

    about = "plan and generate the signals of a config"
    command = commands.add_parser("dataset", help=about, description=about.capitalize() + ".")
    steps = command.add_subparsers(title="steps", metavar="STEP", required=True)

    about = "print samples, parts and bytes of each subset; compute nothing"
    step = steps.add_parser("plan", help=about, description=about.capitalize() + ".")
    step.add_argument("config", metavar="CONFIG", help="YAML file")
    step.set_defaults(run=plan)

    about = "simulate what is missing of a subset"
    step = steps.add_parser(
        "generate",
        help=about,
        description=about.capitalize() + ". On several processes: mpiexec -n N lehr dataset generate ... "
        "The store is the same for any number of them. Interrupted, it goes on where it was.",
    )
    step.add_argument("config", metavar="CONFIG", help="YAML file")
    step.add_argument("--subset", required=True, metavar="NAME", help="LU, RU, LB, RB, C or G")
    step.add_argument("--ranks", type=int, metavar="N", help="refuse to run with another number of MPI ranks")
    step.set_defaults(run=generate)


def show_config(options: argparse.Namespace) -> int:
    """Print a config with all defaults."""
    import yaml

    from lehr.config import load_config

    yaml.safe_dump(load_config(options.config).model_dump(mode="json"), sys.stdout, sort_keys=False)
    return 0


def plan(options: argparse.Namespace) -> int:
    """Print a table of what would be computed."""
    from lehr.config import load_config
    from lehr.generate import part_plan

    config = load_config(options.config)
    points, cycles = config.signals.temperature.points, len(config.signals.program.cooling_rates)
    print(f"{cycles} cycles x {points} temperatures, signals digest {config.signals.digest()}")
    print(f"{'subset':>8} {'samples':>10} {'parts':>7} {'raw GB':>9}")
    samples = 0
    for subset in config.subsets:
        parts = part_plan(config, subset)
        samples += parts.rows
        print(f"{subset:>8} {parts.rows:10d} {len(parts):7d} {parts.rows * points * cycles * 4 / 1e9:9.3f}")
    print(f"{'in all':>8} {samples:10d} {'':7} {samples * points * cycles * 4 / 1e9:9.3f}")
    return 0


def generate(options: argparse.Namespace) -> int:
    """Simulate a subset, under MPI or alone."""
    from lehr.config import load_config
    from lehr.errors import LehrError
    from lehr.generate import generate

    config = load_config(options.config)
    if options.subset not in config.subsets:
        raise LehrError(
            f"{options.config}: no model uses the subset '{options.subset}'", f"It has: {', '.join(config.subsets)}."
        )
    generate(config, options.subset, ranks=options.ranks)
    return 0
