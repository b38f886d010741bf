"""Figure of a fit: measured and fitted scans, and what is left between them."""

from __future__ import annotations

from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lehr.figures.style import GREY, house_style, new_axes, sequence_colours
from lehr.glass.fit import FitResult
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["fitted_scans"]

_SHOWN = 1500  # points of a curve


@house_style
def fitted_scans(result: FitResult) -> Axes:
    """Draw the scans as points, the fit as lines, and the residuals below; return the upper axes."""
    axes = new_axes(6.0, 5.0)
    figure = cast(Figure, axes.get_figure(root=True))
    axes.remove()
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    scans, program = result.fitted_scans.scans, result.scans.program
    colours = sequence_colours(len(scans))
    curves = zip(scans, result.residuals, program.cooling_rates, colours, strict=True)
    for number, (scan, rest, rate, colour) in enumerate(curves, 1):
        thin = slice(None, None, max(1, scan.cpn.size // _SHOWN))
        celsius = scan.temperature - ZERO_CELSIUS
        label = f"{rate:g} K/min" if len(program.cycles[number - 1].segments) == 2 else f"scan {number}"
        above.plot(celsius[thin], scan.cpn[thin], ".", color=colour, markersize=2.0, alpha=0.5, rasterized=True)
        above.plot(celsius, scan.cpn - rest, color=colour, linewidth=1.2, label=label)
        below.plot(celsius[thin], rest[thin], ".", color=colour, markersize=1.5, rasterized=True)
    below.axhline(0.0, color=GREY, linewidth=0.8)
    above.legend(title="points measured, lines fitted; cooled at", alignment="left")
    above.set(ylabel="$C_p^N$", title=_title(result))
    below.set(xlabel="temperature (°C)", ylabel="residual")
    return cast(Axes, above)


def _title(result: FitResult) -> str:
    glass, errors = result.parameters, result.standard_errors
    return (
        f"Δh = {glass.delta_h / 1e3:.1f} ± {errors['delta_h'] / 1e3:.1f} kJ/mol, "
        f"ln A = {glass.ln_A:.2f} ± {errors['ln_A']:.2g}, x = {glass.x:.3f} ± {errors['x']:.1g}, "
        f"β = {glass.beta:.3f} ± {errors['beta']:.1g}"
    )
