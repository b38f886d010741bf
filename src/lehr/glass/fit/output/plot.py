"""Figure of a fit: measured and fitted scans, and what is left between them."""

from __future__ import annotations

from matplotlib.axes import Axes

from lehr.figures.style import GREY, figure_style, new_panels, sequence_colours
from lehr.glass.fit.output.text import value_and_error
from lehr.glass.fit.uncertainty.minimum import Minimum
from lehr.glass.quantities import CELSIUS, COOLING_RATE, CPN, PARAMETERS
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["fitted_scans"]

_SHOWN_POINTS = 1500  # of a curve; more make a large file and no other figure


@figure_style
def fitted_scans(result: Minimum) -> Axes:
    """Draw the scans as points, the fit as lines, and the residuals below; return the upper axes."""
    above, below = new_panels(2, 1, 6.0, 5.0, sharex=True, height_ratios=(3, 1))
    scans, program = result.fitted_scans.scans, result.scans.program
    colours = sequence_colours(len(scans))
    fits = result.objective.model.split(result.fitted)
    curves = zip(scans, fits, result.residuals, program.cooling_rates, colours, strict=True)
    for number, (scan, fit, rest, rate, colour) in enumerate(curves, 1):
        thin = slice(None, None, max(1, scan.cpn.size // _SHOWN_POINTS))
        celsius = scan.temperature - ZERO_CELSIUS
        label = (
            f"{rate:g} {COOLING_RATE.shown_unit}" if len(program.cycles[number - 1].segments) == 2 else f"scan {number}"
        )
        above.plot(celsius[thin], scan.cpn[thin], ".", color=colour, markersize=2.0, alpha=0.5, rasterized=True)
        above.plot(celsius, fit, color=colour, linewidth=1.2, label=label)
        below.plot(celsius[thin], rest[thin], ".", color=colour, markersize=1.5, rasterized=True)
    below.axhline(0.0, color=GREY, linewidth=0.8)
    above.legend(title="points measured, lines fitted; cooled at", alignment="left")
    above.set(ylabel=CPN.axis_label, title=_title(result))
    below.set(xlabel=CELSIUS.axis_label, ylabel="residual")
    return above


def _title(result: Minimum) -> str:
    return ", ".join(
        f"{quantity.symbol} = "
        + value_and_error(quantity, getattr(result.parameters, quantity.name), result.standard_errors[quantity.name])
        for quantity in PARAMETERS
    )
