"""``lehr dataset``: plan, make and complete the signal store. ``lehr config``: check a config."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from lehr.cli import stored
from lehr.errors import LehrError


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    about = "check a config and print what it says, defaults included"
    command = commands.add_parser("config", help=about, description=about.capitalize() + ".")
    command.add_argument("config", metavar="CONFIG", help="YAML file")
    command.set_defaults(run=show_config)

    about = "plan, make, check and export the signals of a config"
    command = commands.add_parser(
        "dataset", help=about, description=about.capitalize() + ". docs/format.md says what is made."
    )
    steps = command.add_subparsers(title="steps", metavar="STEP", required=True)

    step = _step(steps, "plan", "print samples, parts, bytes and core-hours of each subset; write nothing")
    step.add_argument("--plot", type=Path, metavar="FILE", help="draw the subsets in the plane (PNG, PDF or SVG)")
    step.add_argument("--slurm", action="store_true", help="print what the jobs of the whole run ask a cluster for")
    step.set_defaults(run=plan)

    step = _step(steps, "init", "create the empty store of a subset, with all coordinates")
    _add_subset(step)
    step.set_defaults(run=initialise)

    step = _step(
        steps,
        "generate",
        "simulate what is missing of a subset and complete it",
        " On several processes: mpiexec -n N lehr dataset generate ... "
        "The store is the same for any number of them. Interrupted, it goes on where it was.",
    )
    _add_subset(step)
    step.add_argument("--ranks", type=int, metavar="N", help="refuse to run with another number of MPI ranks")
    only = step.add_mutually_exclusive_group()
    only.add_argument(
        "--block",
        type=_block,
        metavar="I/N",
        help="simulate only block I of N of the parts, a cluster job",
    )
    only.add_argument(
        "--parts",
        type=_parts,
        metavar="LIST",
        help="simulate these parts again, such as 3,17-20, as `verify` says",
    )
    step.add_argument("--dry-run", action="store_true", help="print which parts would be simulated")
    step.set_defaults(run=generate)

    step = _step(steps, "finalise", "complete a subset whose parts are all simulated: splits, card, checksums")
    _add_subset(step)
    step.set_defaults(run=finalise)

    stored.add_steps(steps)


def _step(steps: Any, name: str, about: str, more: str = "") -> argparse.ArgumentParser:
    step: argparse.ArgumentParser = steps.add_parser(name, help=about, description=about.capitalize() + "." + more)
    step.add_argument("config", metavar="CONFIG", help="YAML file")
    return step


def _add_subset(step: argparse.ArgumentParser) -> None:
    step.add_argument("--subset", required=True, metavar="NAME", help="LU, RU, LB, RB, C, G or all")


def _block(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is no block; write 2/8 for the second of eight")
    return int(number), int(count)


def _parts(text: str) -> list[int]:
    numbers: list[int] = []
    for word in text.split(","):
        first, dash, last = word.partition("-")
        if not (first.isdigit() and (last.isdigit() or not dash) and int(first) <= int(last or first)):
            raise argparse.ArgumentTypeError(f"'{word}' is no part; write 3,17-20")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def _config(options: argparse.Namespace) -> Any:
    from lehr.studies import load_run

    config = load_run(options.config)
    if options.subset not in config.subsets:
        raise LehrError(
            f"{options.config}: the run does not have the subset '{options.subset}'",
            f"It has: {', '.join(config.subsets)}.",
        )
    return config


def show_config(options: argparse.Namespace) -> int:
    """Print a config with all defaults."""
    import yaml

    from lehr.studies import load_run

    yaml.safe_dump(load_run(options.config).model_dump(mode="json"), sys.stdout, sort_keys=False)
    return 0


def plan(options: argparse.Namespace) -> int:
    """Print a table of what would be computed."""
    from lehr.generate.cost import cost, probe
    from lehr.studies import load_run

    config = load_run(options.config)
    signals = config.signals
    shape = f"{signals.program.cycle_count} cycles x {signals.temperature.points} temperatures"
    print(shape)
    print(f"{'':>11} {'samples':>10} {'parts':>6} {'files':>6} {'raw GB':>9} {'disk GB':>8} {'core-hours':>10}")
    rows = [cost(config, name, probe(config, name)) for name in config.subsets]
    whole = cost(config, "all", probe(config, "all")) if "all" not in config.subsets else None
    for row in rows:
        _print_estimate(row.subset, [row])
    if len(rows) > 1:
        _print_estimate("together", rows)
    if whole:
        _print_estimate("whole space", [whole])
    print("Bytes on disk and core-hours are estimated from a few glasses of each, simulated just now on this machine.")
    if options.slurm:
        _print_jobs(config)
    if options.plot:
        _plot_plane(options.plot, config)
        print(f"wrote {options.plot}")
    return 0


def _print_estimate(name: str, rows: list[Any]) -> None:
    samples, parts, files = (sum(getattr(row, key) for row in rows) for key in ("samples", "parts", "files"))
    raw, disk = (sum(getattr(row, key) for row in rows) / 1e9 for key in ("raw_bytes", "disk_bytes"))
    hours = sum(row.core_hours for row in rows)
    print(f"{name:>11} {samples:10d} {parts:6d} {files:6d} {raw:9.3f} {disk:8.3f} {hours:10.3f}")


def _print_jobs(config: Any) -> None:
    from lehr.generate.jobs import jobs

    found, blocks = jobs(config), config.ranks.blocks
    print(f"\n{'rule':>11} {'jobs':>5} {'tasks':>6} {'hours':>8} {'asks GB':>8} {'asks hours':>11}")
    for rule in dict.fromkeys(job.rule for job in found):
        same = [job for job in found if job.rule == rule]
        hours, memory, limit = (max(values) for values in zip(*map(_sizes, same), strict=True))
        print(f"{rule:>11} {len(same):5d} {same[0].tasks:6d} {hours:8.2f} {memory:8.1f} {limit:11.1f}")
    task_hours = sum(job.tasks * job.runtime() for job in found) / 60
    print(f"{'together':>11} {len(found):5d} {'':24} {task_hours:11.1f}, times their tasks")
    print(
        "Hours are of one job, the longest of its rule, with a CPU core for each task; on GPUs training is many times"
    )
    print("faster. Jobs ask for more than they should need, and for more again when they are retried.")
    hours = max(job.seconds for job in found if job.rule == "simulate") / 3600
    if hours > 2:
        print(
            f"ranks.blocks: {round(hours * blocks)} would make jobs of about an hour of the {blocks} for each subset."
        )


def _sizes(job: Any) -> tuple[float, float, float]:
    return job.seconds / 3600, job.mem_mb() / 1000, job.runtime() / 60


def _plot_plane(path: Path, config: Any) -> None:
    from lehr.figures.style import save
    from lehr.glass.space.plane import subset_plane

    space = config.signals.state_space.build()
    save(subset_plane(space, [space.subset(name) for name in config.subsets]), path)


def initialise(options: argparse.Namespace) -> int:
    """Create an empty subset."""
    from lehr.generate.driver import initialise

    config = _config(options)
    initialise(config, options.subset)
    print(f"{config.group_path(options.subset)} is ready")
    print(f"go on: lehr dataset generate {options.config} --subset {options.subset}")
    return 0


def generate(options: argparse.Namespace) -> int:
    """Simulate a subset, under MPI or alone."""
    from lehr import generate

    config = _config(options)
    if options.dry_run:
        parts = generate.pending(config, options.subset, block=options.block, parts=options.parts)
        samples = sum(part.rows for part in parts)
        print(f"{options.subset}: {len(parts)} parts with {samples} samples would be simulated")
        return 0
    generate.generate(config, options.subset, ranks=options.ranks, block=options.block, parts=options.parts)
    return 0


def finalise(options: argparse.Namespace) -> int:
    """Complete a subset and say what it holds."""
    from lehr.generate.driver import finalise

    config = _config(options)
    manifest = finalise(config, options.subset)
    print(
        f"{config.group_path(options.subset)}: {manifest['samples']} samples, "
        f"{manifest['signal_bytes'] / 1e9:.3f} GB of signals, status {manifest['status_counts']}"
    )
    return 0
