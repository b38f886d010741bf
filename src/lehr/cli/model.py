"""``lehr model summary``: what the network of a config consists of."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lehr.glass.networks.summary import LayerSummary


def add_commands(commands: Any) -> None:
    """Add the command of this module."""
    about = "show the network of a config"
    command = commands.add_parser("model", help=about, description=about.capitalize() + ".")
    steps = command.add_subparsers(title="steps", metavar="STEP", required=True)
    about = "print the layers with their output shapes, parameters and floating-point operations"
    step = steps.add_parser("summary", help=about, description=about.capitalize() + ".")
    step.add_argument("config", metavar="CONFIG", help="YAML file")
    step.add_argument("--plot", type=Path, metavar="FILE", help="draw the architecture (.png, .svg, .pdf)")
    step.set_defaults(run=summary)


def summary(options: argparse.Namespace) -> int:
    """Print the table and draw the figure."""
    from lehr.glass.networks.mcnn import build_mcnn
    from lehr.glass.networks.summary import COUNTED, summarise
    from lehr.studies import load_run

    config = load_run(options.config)
    points, cycles = config.signals.temperature.points, config.signals.program.cycle_count
    print("\n".join(_table(summarise(build_mcnn(points, cycles, config.network)))))
    print(COUNTED)
    if options.plot:
        from lehr.figures.style import save
        from lehr.glass.networks.drawing import draw_architecture

        save(draw_architecture(points, cycles, config.network), options.plot)
        print(f"figure: {options.plot}")
    return 0


def _table(layers: Sequence[LayerSummary]) -> list[str]:
    rows = [("layer", "output", "parameters", "FLOPs per sample")]
    for layer in layers:
        shape = " × ".join(map(str, layer.shape))
        shape = f"{layer.channels} × ({shape})" if layer.channels > 1 else shape
        rows.append((layer.name, shape, f"{layer.parameters:,}", f"{layer.flops:,}"))
    total = [sum(layer.parameters for layer in layers), sum(layer.flops for layer in layers)]
    rows.append(("total", "", f"{total[0]:,}", f"{total[1]:,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"{name:<{widths[0]}}  {shape:>{widths[1]}}  {parameters:>{widths[2]}}  {flops:>{widths[3]}}"
        for name, shape, parameters, flops in rows
    ]
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]
