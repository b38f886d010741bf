"""``lehr model summary``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lehr.cli.arguments import add_config
from lehr.cli.output import write_figure

if TYPE_CHECKING:
    from lehr.glass.networks.summary import LayerSummary

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "print the layers with their output shapes, parameters and floating-point operations"
DETAILS = ""
EXAMPLE = "lehr model summary workflow/config/demo.yaml --plot network.svg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    add_config(parser)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the architecture (PNG, PDF or SVG)")


def run(options: argparse.Namespace) -> int:
    """Print the table and draw the figure."""
    from lehr.glass.networks.flops import COUNTED
    from lehr.glass.networks.summary import summarise
    from lehr.studies import load_run

    config = load_run(options.config)
    sizes = config.signals.program.cycle_count, config.signals.temperature.points, config.network
    print("\n".join(_table(summarise(*sizes))))
    print(COUNTED)
    if options.plot:
        from lehr.glass.networks.drawing import draw_architecture

        write_figure(options.plot, draw_architecture(*sizes))
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
