"""``lehr simulate``."""

from __future__ import annotations

import argparse
from io import StringIO
from pathlib import Path

import numpy as np

from lehr.cli.arguments import metavar
from lehr.cli.output import write_figure, write_file
from lehr.errors import LehrError
from lehr.glass.materials import material
from lehr.glass.quantities import (
    BETA,
    COOLING_RATE,
    CPN_MAX,
    DELTA_H,
    FICTIVE_TEMPERATURE,
    GLASS_TRANSITION,
    LN_A,
    PARAMETERS,
    TEMPERATURE,
    X,
)
from lehr.glass.tnm import ZERO_CELSIUS, Signals, ThermalProgram, TNMParameters, simulate
from lehr.glass.tnm.kww import BETA_RANGE
from lehr.study import Quantity

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "simulate the DSC heating scans of one glass"
DETAILS = ""
EXAMPLE = "lehr simulate --material As2Se3 --cooling-rates 0.5 10 --plot scans.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("--material", metavar="NAME", help="a glass of the shipped table, such as As2Se3")
    low, high = BETA_RANGE
    for quantity, accepted in (
        (LN_A, ""),
        (DELTA_H, ""),
        (X, ", 0 < x <= 1"),
        (BETA, f", {low:g} <= beta <= {high:g}"),
    ):
        parser.add_argument(
            _option(quantity),
            type=float,
            metavar=metavar(quantity),
            help=f"{quantity.meaning}{accepted}",
        )
    parser.add_argument(
        "--program", metavar="FILE", help="thermal program (docs/how-to/programs.md); default: CHR cycles"
    )
    parser.add_argument(
        "--cooling-rates",
        type=float,
        nargs="+",
        metavar="K/MIN",
        help="cooling rate of each CHR cycle (default: the six of the paper)",
    )
    parser.add_argument("--heating-rate", type=float, metavar="K/MIN", help="of the CHR cycles (default: 10)")
    parser.add_argument(
        "--temperature",
        type=float,
        nargs=3,
        default=[-250.0, 1600.0, 0.1],
        metavar=("START", "STOP", "STEP"),
        help="degC (default: -250 1600 0.1)",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the scans: temperature and CpN of each cycle")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the scans (PNG, PDF or SVG)")


def run(options: argparse.Namespace) -> int:
    """Simulate, print a summary, write what was asked for."""
    given = [getattr(options, quantity.name.lower()) for quantity in PARAMETERS]
    missing = [_option(quantity) for quantity, value in zip(PARAMETERS, given, strict=True) if value is None]
    if options.material:
        if len(missing) < len(given):
            raise LehrError("--material and single parameters exclude each other", "Give either.")
        parameters = material(options.material).parameters
    elif missing:
        raise LehrError(f"missing: {' '.join(missing)}", "Give all four parameters, or --material NAME.")
    else:
        parameters = TNMParameters(*given)
    start, stop, step = options.temperature
    if not (step > 0 and stop > start > -ZERO_CELSIUS):
        raise LehrError(f"--temperature {start} {stop} {step} is not an ascending range above absolute zero")
    temperature = np.linspace(start, stop, round((stop - start) / step) + 1) + ZERO_CELSIUS
    signals = simulate(*parameters.as_tuple(), program=_program(options), temperature=temperature)
    _print_summary(signals)
    if options.csv:
        write_file(options.csv, _csv(signals))
    if options.plot:
        _plot(options.plot, signals)
    return 0


def _option(quantity: Quantity) -> str:
    return f"--{quantity.name.lower().replace('_', '-')}"


def _program(options: argparse.Namespace) -> ThermalProgram:
    rates = {"cooling_rates": options.cooling_rates, "heating_rate": options.heating_rate}
    given = {name: value for name, value in rates.items() if value is not None}
    if not options.program:
        return ThermalProgram.chr_cycles(**given)
    if given:
        raise LehrError("--program and rates exclude each other", "Write the rates into the program.")
    from lehr.glass.config.program import load_program

    return load_program(options.program)


def _print_summary(signals: Signals) -> None:
    values = [
        f"{quantity.label} = {quantity.shown(value):g} {quantity.shown_unit}".rstrip()
        for quantity, value in zip(PARAMETERS, signals.parameters.as_tuple(), strict=True)
    ]
    print("  ".join(values))
    transition = signals.parameters.glass_transition
    print(f"{GLASS_TRANSITION.label} (tau = 100 s) = {transition:.2f} K = {transition - ZERO_CELSIUS:.2f} degC")
    if signals.status:
        print(f"warning: {signals.status.message}")
    first, at = f"first ({COOLING_RATE.shown_unit})", f"at ({TEMPERATURE.shown_unit})"
    print(f"{first:>15} {FICTIVE_TEMPERATURE.heading:>9} {CPN_MAX.label:>9} {at:>9}")
    for rate, fictive, cpn in zip(signals.program.cooling_rates, signals.fictive_temperature, signals.cpn, strict=True):
        peak = int(cpn.argmax())
        print(f"{rate:15g} {fictive[0]:9.2f} {cpn[peak]:9.4f} {signals.temperature[peak]:9.2f}")


def _csv(signals: Signals) -> str:
    rates = enumerate(signals.program.cooling_rates, 1)
    header = ",".join(["temperature_K", *(f"cpn_{cycle}_after_{rate:g}_K_per_min" for cycle, rate in rates)])
    table = np.column_stack([signals.temperature, signals.cpn.T])
    text = StringIO()
    np.savetxt(text, table, delimiter=",", header=header, comments="", fmt=["%.4f", *["%.7g"] * len(signals.cpn)])
    return text.getvalue()


def _plot(path: Path, signals: Signals) -> None:
    from lehr.figures.style import new_axes
    from lehr.glass.tnm import plot

    axes = new_axes(7.2, 4.0)
    plot.scans(signals.temperature, signals.cpn, signals.program.cooling_rates, axes=axes)
    write_figure(path, axes)
