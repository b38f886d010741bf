"""The network of a config as a drawing, after Fig. 4, 6 and 7 of the paper."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from lehr.figures.style import GREY, figure_style, new_axes
from lehr.glass.config.network import NetworkConfig
from lehr.glass.quantities import PARAMETERS

__all__ = ["draw_architecture"]

# Colours of the three modules: light tints of the house palette, on which black text is read, also in print.
_FILLS = {"signals": "#f2f2f2", "preprocessing": "#fbe3cf", "extraction": "#d3e6f3", "transformation": "#cfeae0"}
_EDGE = "#4a4a4a"
_TEXT = 6.6
_BOX, _GAP, _HEIGHT = 0.86, 0.27, 0.62  # inches, and so are all coordinates
_ROWS = {"attention": 2.3, "downsampling": 1.2, "original": 0.1}  # where the boxes of a branch start
_CENTRE = _ROWS["downsampling"] + _HEIGHT / 2
_BOTTOM, _TOP = -0.06, 3.22  # of the shaded modules
_STACK = 0.045  # from one card of a stack of channels to the next
_MOST_CARDS = 6


@figure_style
def draw_architecture(cycles: int, points: int, network: NetworkConfig) -> Axes:
    """Draw the network with its sizes.

    Parameters
    ----------
    cycles, points : int
        Signals of a sample, and temperatures of a signal.
    network : NetworkConfig
        Sizes.
    """
    depth, dense = len(network.filters), len(network.dense_widths)
    columns = 1 + 1 + depth + 1 + 1 + dense + 1
    width = columns * (_BOX + _GAP)
    axes = new_axes(width, 3.6)
    axes.set(xlim=(-0.15, width - _GAP + 0.15), ylim=(-0.1, 3.45), aspect="equal")
    axes.axis("off")
    left = [column * (_BOX + _GAP) for column in range(columns)]
    _module(axes, left[1], left[1], "preprocessing")
    _module(axes, left[2], left[2 + depth], f"extraction, each of the {cycles} signals with weights of its own")
    _module(axes, left[3 + depth], left[-1], "transformation")

    axes.text(left[0], _BOTTOM, "grey: size of\nthe output", fontsize=_TEXT, color=GREY, va="bottom")
    _box(axes, left[0], _CENTRE, "signals", f"**{cycles} signals**", "CpN(T)", f"{cycles} × {points}")
    for name, lengths in network.lengths(points).items():
        _branch(axes, left, name, lengths, cycles, network)

    merged, *hidden, last = left[3 + depth :]
    joined = 3 * network.branch_width
    _box(axes, merged, _CENTRE, "transformation", "**Concatenate**", f"{joined}")
    for x, units in zip(hidden, network.dense_widths, strict=True):
        _box(axes, x, _CENTRE, "transformation", "**Dense**", "tanh", f"{units}")
        _arrow(axes, (x - _GAP, _CENTRE), (x, _CENTRE))
    symbols = ", ".join(quantity.symbol for quantity in PARAMETERS)
    _box(axes, last, _CENTRE, "transformation", "**Dense**", "linear", symbols)
    _arrow(axes, (last - _GAP, _CENTRE), (last, _CENTRE))
    return axes


def _branch(
    axes: Axes, left: Sequence[float], name: str, lengths: Sequence[int], cycles: int, network: NetworkConfig
) -> None:
    """Draw one of the three rows."""
    y = _ROWS[name] + _HEIGHT / 2
    fit = {"cubic": "one cubic", "piecewise": "piecewise cubic"}[network.attention_fit]
    words = {
        "attention": ("**Attention**", fit),
        "downsampling": ("**Downsampling**", f"every {_ordinal(network.downsampling)} point"),
        "original": ("**Original**", "as it is"),
    }[name]
    _box(axes, left[1], y, "preprocessing", *words, f"{cycles} × {lengths[0]}")
    _arrow(axes, (left[0] + _BOX, _CENTRE), (left[1], y))
    kernel = getattr(network.kernel_sizes, name)
    for number, (filters, pool) in enumerate(zip(network.filters, network.pool_sizes, strict=True)):
        x = left[2 + number]
        lines = (f"**Conv** {filters} filters", f"kernel {kernel}, ReLU", f"**MaxPool** {pool}")
        _box(axes, x, y, "extraction", *lines, f"{cycles} × {lengths[number + 1]} × {filters}", cards=cycles)
        _arrow(axes, (x - _GAP, y), (x, y))
    x = left[2 + len(network.filters)]
    _box(axes, x, y, "extraction", "**Dense** tanh", f"dropout {network.dropout:g}", f"{network.branch_width}")
    _arrow(axes, (x - _GAP, y), (x, y))
    _arrow(axes, (x + _BOX, y), (x + _BOX + _GAP, _CENTRE))


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _module(axes: Axes, first: float, last: float, name: str) -> None:
    """Shade the columns of a module and name it."""
    margin = 0.4 * _GAP
    x, width = first - margin, last - first + _BOX + 2 * margin
    shade = Rectangle((x, _BOTTOM), width, _TOP - _BOTTOM, facecolor="#fafafa", edgecolor="#dddddd", linewidth=0.6)
    axes.add_patch(shade)
    axes.text(x + width / 2, _TOP + 0.11, name, ha="center", va="center", fontsize=8.0, color=GREY)


def _box(axes: Axes, x: float, y: float, module: str, *lines: str, cards: int = 1) -> None:
    """Draw a box whose left side is at x and whose middle is at y; the last line is the size of its output."""
    for card in range(min(cards, _MOST_CARDS) - 1, -1, -1):
        box = FancyBboxPatch(
            (x + card * _STACK / 2, y - _HEIGHT / 2 + card * _STACK),
            _BOX,
            _HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.04",
            facecolor=_FILLS[module],
            edgecolor=_EDGE,
            linewidth=0.6,
            zorder=3 - card / 10,
        )
        axes.add_patch(box)
    for number, line in enumerate(lines):
        at = y + _HEIGHT * (0.5 - (number + 0.5) / len(lines))
        colour = GREY if number == len(lines) - 1 else "black"
        bold, _, rest = line.removeprefix("**").partition("**") if line.startswith("**") else ("", "", line)
        text = (rf"$\bf{{{bold.replace(' ', chr(92) + ' ')}}}$" if bold else "") + rest
        axes.text(x + _BOX / 2, at, text, ha="center", va="center", fontsize=_TEXT, color=colour, zorder=4)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=6, linewidth=0.7, color=_EDGE, shrinkA=0, shrinkB=0, zorder=1
        )
    )
