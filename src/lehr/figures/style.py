"""How figures look: colours that colour-blind readers tell apart, sizes that survive print, SVG for the page."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, LogLocator
from mpl_toolkits.mplot3d.axes3d import Axes3D
from PIL import Image

from lehr.errors import LehrError

__all__ = [
    "COLOURS",
    "DASHED",
    "GREY",
    "LineStyle",
    "data_uri",
    "figure_of",
    "figure_style",
    "label_decades",
    "lay_out",
    "line_styles",
    "new_axes",
    "new_axes_3d",
    "new_panels",
    "new_surfaces",
    "picture_uri",
    "plain_ticks",
    "save",
    "sequence_colours",
]

GREY = "#5a5a5a"
DASHED = (0, (4, 2))
COLOURS = "cividis"
"""The colour map of everything ordered: equal steps look equal, also to colour-blind readers and in grey."""

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/; yellow is too light for a line on white
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_COLOURS = (*_OKABE_ITO, "#882255")  # and the wine of Tol (2021), which differs from all of them in lightness
_MARKERS = "osD^vPX<"

_MOST_INSIDE = 5  # names that a figure has room for between its lines

_RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.4,
    "figure.dpi": 200,  # of the rasterised parts of a figure
    "figure.facecolor": "white",
    "mathtext.default": "regular",
    "svg.fonttype": "path",
    "path.simplify_threshold": 0.25,  # pixels; nobody sees less, and scans have thousands of points
    "svg.hashsalt": "lehr",  # equal data give equal files
    "pdf.fonttype": 42,  # TrueType: text that can be searched and edited
}


figure_style = mpl.rc_context(_RC)  # type: ignore[arg-type]  # matplotlib names every key in the type
"""Decorator of functions that draw: matplotlib takes most settings when something is drawn, not when it is saved."""


@dataclass(frozen=True)
class LineStyle:
    """Colour and marker of a model in every figure."""

    colour: str
    marker: str


def line_styles(names: Sequence[str]) -> dict[str, LineStyle]:
    """Give each name a colour and a marker, the same in all figures; they repeat after eight."""
    return {name: LineStyle(_COLOURS[i % len(_COLOURS)], _MARKERS[i % len(_MARKERS)]) for i, name in enumerate(names)}


def sequence_colours(count: int) -> list[tuple[float, float, float, float]]:
    """Return colours of an ordered sequence, dark blue to ochre, in steps of equal lightness."""
    scale = mpl.colormaps[COLOURS]
    return [scale(0.92 * i / max(count - 1, 1)) for i in range(count)]


def _new_figure(width: float, height: float) -> Figure:
    """Return a figure of that size in inches; no global state is touched."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@figure_style
def new_axes(width: float = 3.5, height: float = 2.6) -> Axes:
    """Return the axes of a new figure of that size in inches; by default it fits a column in print."""
    return _new_figure(width, height).add_subplot()


@figure_style
def new_axes_3d(width: float = 3.5, height: float = 3.0) -> Axes3D:
    """Return three-dimensional axes of a new figure of that size in inches."""
    return cast(Axes3D, _new_figure(width, height).add_subplot(projection="3d"))


@figure_style
def new_panels(rows: int, columns: int, width: float, height: float, **options: Any) -> list[Axes]:
    """Return the axes of the panels of a new figure, row by row; options are those of `Figure.subplots`."""
    return list(_new_figure(width, height).subplots(rows, columns, squeeze=False, **options).flat)


@figure_style
def new_surfaces(rows: int, columns: int, width: float, height: float) -> list[Axes3D]:
    """Return three-dimensional axes of the panels of a new figure, row by row."""
    panels = new_panels(rows, columns, width, height, subplot_kw={"projection": "3d"})
    return [cast(Axes3D, axes) for axes in panels]


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes are part of."""
    return cast(Figure, axes.get_figure(root=True))


def name_lines(axes: Axes, **options: Any) -> None:
    """Name the lines between them, as the options of `Axes.legend` say, or below the axes if they are many."""
    if len(axes.get_legend_handles_labels()[1]) <= _MOST_INSIDE:
        axes.legend(**options)
    else:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4, columnspacing=1.0)


def name_lines_once(panels: Sequence[Axes]) -> None:
    """Write the names of the lines of panels that share them below all of them."""
    handles, names = panels[0].get_legend_handles_labels()
    for axes in panels:
        if legend := axes.get_legend():
            legend.remove()
    figure_of(panels[0]).legend(handles, names, loc="outside lower center", ncols=min(len(names), 8))


def label_decades(axes: Axes) -> None:
    """Make the y axis logarithmic, labelled with plain numbers: at powers of ten, and between if it spans few."""
    axes.set_yscale("log")
    plain_ticks(axes.yaxis)


def plain_ticks(axis: Axis, minor: tuple[float, float] = (1.2, 0.5)) -> None:
    """Label a logarithmic axis with plain numbers; `minor` is `minor_thresholds` of Matplotlib's `LogFormatter`."""
    axis.set_major_locator(LogLocator(subs=(1.0,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(_Plain(minor_thresholds=minor))


class _Plain(LogFormatter):
    """Labels between powers of ten where there is room for them, as plain numbers."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


@figure_style
def lay_out(axes: Axes) -> None:
    """Find the places of all that is in the figure of axes, once for all files that it is written to."""
    figure = figure_of(axes)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


_BARE: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@figure_style
def data_uri(axes: Axes) -> str:
    """Return the figure of axes as an SVG image in a data URI, without double quotes or ampersands."""
    buffer = io.BytesIO()
    figure_of(axes).savefig(buffer, format="svg", dpi=100, metadata=_BARE)
    text = buffer.getvalue().decode()
    # a hundredth of a point is enough, and nobody reads comments or indentation: half of it goes
    short = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+| (?=\n)", r"\1", path[0]), text)
    short = re.sub(r"\n\s+|<!--.*?-->", "\n", short, flags=re.DOTALL)
    plain = short[short.index("<svg") :].replace("'", "&apos;").replace('"', "'")
    return "data:image/svg+xml," + quote(plain, safe=" !$'()*+,-./:;<=>?@[]^_`{|}~\n")


@figure_style
def picture_uri(axes: Axes) -> str:
    """Return the figure of axes as a PNG image in a data URI, for what is too much to be drawn in lines."""
    buffer = io.BytesIO()
    figure_of(axes).savefig(buffer, format="png", dpi=120)
    small = io.BytesIO()
    image = Image.open(buffer).convert("RGB")
    image.quantize(64, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(small.getvalue()).decode("ascii")


@figure_style
def save(axes: Axes, path: Path) -> None:
    """Write the figure of axes to a file; its ending names the format.

    Raises
    ------
    LehrError
        If the file cannot be written, or Matplotlib does not know the format.
    """
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(path.suffix)  # equal data give equal files
    try:
        figure_of(axes).savefig(path, dpi=200, metadata=undated)
    except (OSError, ValueError) as error:
        raise LehrError(f"{path}: cannot write: {error}", "Name a PNG, PDF or SVG file.") from None
