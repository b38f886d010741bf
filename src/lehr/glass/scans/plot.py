"""Figures of measured scans: what was read, and how it was normalised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from lehr.figures.style import GREY, figure_style, new_axes, new_panels, sequence_colours
from lehr.glass.quantities import CELSIUS, CPN
from lehr.glass.scans import MeasuredScan, NormalisedScan
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["raw_scans", "scan_lines"]

_SHOWN_POINTS = 4000  # of a curve; more make a large file and no other figure
_GLASS_COLOUR, _LIQUID_COLOUR = "#0072B2", "#D55E00"  # of Okabe and Ito, as in lehr.figures.style


@figure_style
def raw_scans(scans: Sequence[MeasuredScan]) -> Axes:
    """Draw scans as they were read, for those in which no transition was found."""
    axes = new_axes(7.2, 3.6)
    for scan, colour in zip(scans, sequence_colours(len(scans)), strict=True):
        thin = slice(None, None, max(1, scan.signal.size // _SHOWN_POINTS))
        axes.plot(scan.temperature[thin] - ZERO_CELSIUS, scan.signal[thin], color=colour, linewidth=1.0)
    axes.set(xlabel=CELSIUS.axis_label, ylabel=_label(scans[0]))
    return axes


@figure_style
def scan_lines(scans: Sequence[NormalisedScan]) -> Axes:
    """Draw scans with the lines of glass and liquid and the ranges they were fitted on, and CpN below.

    Parameters
    ----------
    scans : sequence of NormalisedScan
        Of one sample; colours go from the first to the last.
    """
    raw, below = new_panels(2, 1, 7.2, 6.0, sharex=True, height_ratios=(3, 2))
    for scan, colour in zip(scans, sequence_colours(len(scans)), strict=True):
        measured, thin = scan.measured, slice(None, None, max(1, scan.measured.signal.size // _SHOWN_POINTS))
        raw.plot(measured.temperature[thin] - ZERO_CELSIUS, measured.signal[thin], color=colour, linewidth=1.0)
        for line, shade in ((scan.glass, _GLASS_COLOUR), (scan.liquid, _LIQUID_COLOUR)):
            if line.high > line.low:
                _draw_line(raw, scan, shade, named=scan is scans[0])
        below.plot(scan.temperature - ZERO_CELSIUS, scan.cpn, color=colour, linewidth=1.0)
    low, high = min(scan.temperature[0] for scan in scans), max(scan.temperature[-1] for scan in scans)
    raw.set(ylim=_shown_range(scans), ylabel=_label(scans[0].measured))
    if raw.get_legend_handles_labels()[0]:
        raw.legend()
    margin = 0.15 * (high - low)
    for level in (0.0, 1.0):
        below.axhline(level, color=GREY, linewidth=0.8, linestyle=":")
    below.set(
        xlim=(low - margin - ZERO_CELSIUS, high + margin - ZERO_CELSIUS),
        xlabel=CELSIUS.axis_label,
        ylabel=CPN.axis_label,
    )
    return raw


def _shown_range(scans: Sequence[NormalisedScan]) -> tuple[float, float]:
    """Return the ends of the raw signal between the lines, with a margin: peaks beyond would make the step small."""
    inside = [
        scan.measured.signal[
            (scan.measured.temperature >= scan.glass.low) & (scan.measured.temperature <= scan.liquid.high)
        ]
        for scan in scans
    ]
    low, high = min(part.min() for part in inside), max(part.max() for part in inside)
    return float(low - 0.2 * (high - low)), float(high + 0.2 * (high - low))


def _draw_line(axes: Axes, scan: NormalisedScan, shade: str, *, named: bool) -> None:
    line = scan.glass if shade == _GLASS_COLOUR else scan.liquid
    everywhere = np.array([scan.glass.low, scan.liquid.high])
    axes.plot(everywhere - ZERO_CELSIUS, line(everywhere), color=shade, linewidth=0.8, linestyle="--")
    fitted = np.array([line.low, line.high])
    axes.plot(fitted - ZERO_CELSIUS, line(fitted), color=shade, linewidth=3.0, alpha=0.6, solid_capstyle="butt",
              label=("glass" if shade == _GLASS_COLOUR else "liquid") if named else None)  # fmt: skip


def _label(scan: MeasuredScan) -> str:
    name = {"cpn": CPN.symbol, "cp": "heat capacity", "heat_flow": "heat flow"}[scan.kind]
    return f"{name} ({scan.unit})" if scan.unit not in ("", "1") else name
