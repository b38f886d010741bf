"""Figures of measured scans: what was read, and how it was normalised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lehr.figures.style import GREY, house_style, new_axes, sequence_colours
from lehr.glass.scans import NormalisedScan, Scan
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["raw_scans", "scan_lines"]

_SHOWN = 4000  # points of a curve
_BLUE, _VERMILION = "#0072B2", "#D55E00"  # as in lehr.figures.style: glass, liquid


@house_style
def raw_scans(scans: Sequence[Scan]) -> Axes:
    """Draw scans as they were read, for those in which no transition was found."""
    axes = new_axes(7.2, 3.6)
    for scan, colour in zip(scans, sequence_colours(len(scans)), strict=True):
        thin = slice(None, None, max(1, scan.signal.size // _SHOWN))
        axes.plot(scan.temperature[thin] - ZERO_CELSIUS, scan.signal[thin], color=colour, linewidth=1.0)
    axes.set(xlabel="temperature (°C)", ylabel=_label(scans[0]))
    return axes


@house_style
def scan_lines(scans: Sequence[NormalisedScan]) -> Axes:
    """Draw scans with the lines of glass and liquid and the ranges they were fitted on, and CpN below.

    Parameters
    ----------
    scans : sequence of NormalisedScan
        Of one sample; colours go from the first to the last.
    """
    axes = new_axes(7.2, 6.0)
    figure = cast(Figure, axes.get_figure(root=True))
    axes.remove()
    raw, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for scan, colour in zip(scans, sequence_colours(len(scans)), strict=True):
        measured, thin = scan.scan, slice(None, None, max(1, scan.scan.signal.size // _SHOWN))
        raw.plot(measured.temperature[thin] - ZERO_CELSIUS, measured.signal[thin], color=colour, linewidth=1.0)
        for line, shade in ((scan.glass, _BLUE), (scan.liquid, _VERMILION)):
            if line.high > line.low:
                _draw_line(raw, scan, shade, named=scan is scans[0])
        below.plot(scan.temperature - ZERO_CELSIUS, scan.cpn, color=colour, linewidth=1.0)
    low, high = min(scan.temperature[0] for scan in scans), max(scan.temperature[-1] for scan in scans)
    raw.set(ylim=_shown_range(scans), ylabel=_label(scans[0].scan))
    if raw.get_legend_handles_labels()[0]:
        raw.legend()
    margin = 0.15 * (high - low)
    for level in (0.0, 1.0):
        below.axhline(level, color=GREY, linewidth=0.8, linestyle=":")
    below.set(
        xlim=(low - margin - ZERO_CELSIUS, high + margin - ZERO_CELSIUS), xlabel="temperature (°C)", ylabel="$C_p^N$"
    )
    return cast(Axes, raw)


def _shown_range(scans: Sequence[NormalisedScan]) -> tuple[float, float]:
    """Return the ends of the raw signal between the lines, with a margin: peaks beyond would make the step small."""
    inside = [
        scan.scan.signal[(scan.scan.temperature >= scan.glass.low) & (scan.scan.temperature <= scan.liquid.high)]
        for scan in scans
    ]
    low, high = min(part.min() for part in inside), max(part.max() for part in inside)
    return float(low - 0.2 * (high - low)), float(high + 0.2 * (high - low))


def _draw_line(axes: Axes, scan: NormalisedScan, shade: str, *, named: bool) -> None:
    line = scan.glass if shade == _BLUE else scan.liquid
    everywhere = np.array([scan.glass.low, scan.liquid.high])
    axes.plot(everywhere - ZERO_CELSIUS, line(everywhere), color=shade, linewidth=0.8, linestyle="--")
    fitted = np.array([line.low, line.high])
    axes.plot(fitted - ZERO_CELSIUS, line(fitted), color=shade, linewidth=3.0, alpha=0.6, solid_capstyle="butt",
              label=("glass" if shade == _BLUE else "liquid") if named else None)  # fmt: skip


def _label(scan: Scan) -> str:
    name = {"cpn": "$C_p^N$", "cp": "heat capacity", "heat_flow": "heat flow"}[scan.kind]
    return f"{name} ({scan.unit})" if scan.unit not in ("", "1") else name
