"""``lehr dataset plan``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lehr.cli.arguments import add_config
from lehr.cli.output import write_figure

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "print samples, parts, bytes and core-hours of each subset; write nothing"
DETAILS = ""
EXAMPLE = "lehr dataset plan workflow/config/demo.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_config(parser)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the subsets in the plane (PNG, PDF or SVG)")
    parser.add_argument("--slurm", action="store_true", help="print what the jobs of the whole run ask a cluster for")


def run(options: argparse.Namespace) -> int:
    """Print a table of what would be computed."""
    from lehr.generate.cost import cost, probe
    from lehr.studies import load_run

    config = load_run(options.config)
    source = config.source()
    sizes = {axis.dims[0]: len(values) for axis, values in source.axes.values()}
    print(f"{source.array.name} of a sample: {' x '.join(f'{sizes[name]} {name}s' for name in source.array.dims)}")
    print(f"{'':>11} {'samples':>10} {'parts':>6} {'files':>6} {'raw GB':>9} {'disk GB':>8} {'core-hours':>10}")
    rows = [cost(config, name, probe(config, name)) for name in config.subsets]
    whole = cost(config, "all", probe(config, "all")) if "all" not in config.subsets else None
    for row in rows:
        _print_estimate(row.subset, [row])
    if len(rows) > 1:
        _print_estimate("together", rows)
    if whole:
        _print_estimate("whole space", [whole])
    print("Bytes on disk and core-hours are estimated from a few samples of each, simulated just now on this machine.")
    if options.slurm:
        _print_jobs(config, {row.subset: row for row in rows})
    if options.plot:
        _plot_plane(options.plot, config)
    return 0


def _print_estimate(name: str, rows: list[Any]) -> None:
    samples, parts, files = (sum(getattr(row, key) for row in rows) for key in ("samples", "parts", "files"))
    raw, disk = (sum(getattr(row, key) for row in rows) / 1e9 for key in ("raw_bytes", "disk_bytes"))
    hours = sum(row.core_hours for row in rows)
    print(f"{name:>11} {samples:10d} {parts:6d} {files:6d} {raw:9.3f} {disk:8.3f} {hours:10.3f}")


def _print_jobs(config: Any, costs: dict[str, Any]) -> None:
    from lehr.generate.jobs import jobs

    found, blocks = jobs(config, costs.__getitem__), config.ranks.blocks
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
    from lehr.glass.space.plane import subset_plane

    space = config.signals.state_space.build()
    write_figure(path, subset_plane(space, [space.subset(name) for name in config.subsets]))
