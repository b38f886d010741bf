"""How figures look: colours that colour-blind readers tell apart, sizes that survive print, SVG for the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lehr.errors import LehrError

__all__ = ["GREY", "LineStyle", "data_uri", "house_style", "line_styles", "new_axes", "save", "sequence_colours"]

GREY = "#5a5a5a"

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/; yellow is too light for a line on white
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")

_RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.4,
    "figure.dpi": 150,  # of the rasterised parts of a figure
    "figure.facecolor": "white",
    "mathtext.default": "regular",
    "svg.fonttype": "path",
    "svg.hashsalt": "lehr",  # equal data give equal files
}


house_style = mpl.rc_context(_RC)  # type: ignore[arg-type]  # matplotlib names every key in the type
"""Decorator of functions that draw: matplotlib takes most settings when something is drawn, not when it is saved."""


@dataclass(frozen=True)
class LineStyle:
    """Colour and marker of a model in every figure."""

    colour: str
    marker: str


def line_styles(names: Sequence[str]) -> dict[str, LineStyle]:
    """Give each name a colour and a marker, the same in all figures; they repeat after seven."""
    markers = "osD^vPX"
    return {name: LineStyle(_OKABE_ITO[i % len(_OKABE_ITO)], markers[i % len(markers)]) for i, name in enumerate(names)}


def sequence_colours(count: int) -> list[tuple[float, float, float, float]]:
    """Return colours of an ordered sequence, dark blue to ochre, in steps of equal lightness."""
    scale = mpl.colormaps["cividis"]
    return [scale(0.92 * i / max(count - 1, 1)) for i in range(count)]


@house_style
def new_axes(width: float = 5.0, height: float = 3.5) -> Axes:
    """Return the axes of a new figure of that size in inches; no global state is touched."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


@house_style
def data_uri(axes: Axes) -> str:
    """Return the figure of axes as an SVG image in a data URI."""
    figure = cast(Figure, axes.get_figure(root=True))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@house_style
def save(axes: Axes, path: Path) -> None:
    """Write the figure of axes to a file; its ending names the format.

    Raises
    ------
    LehrError
        If the file cannot be written, or Matplotlib does not know the format.
    """
    try:
        cast(Figure, axes.get_figure(root=True)).savefig(path, dpi=200, bbox_inches="tight")
    except (OSError, ValueError) as error:
        raise LehrError(f"{path}: cannot write: {error}", "Name a PNG, PDF or SVG file.") from None
