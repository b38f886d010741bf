"""``lehr design``."""

from __future__ import annotations

import argparse
from pathlib import Path

from lehr.cli.arguments import metavar
from lehr.errors import LehrError
from lehr.glass.quantities import PARAMETERS, QUANTITY_NAMES

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "rank scans that would tell more about a glass, by their Fisher information"
DETAILS = "See docs/how-to/fit.md."
EXAMPLE = "lehr design fit.json --for glass_transition"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("result", nargs="?", type=Path, metavar="FIT.json", help="what lehr fit --json wrote")
    what.add_argument("--material", metavar="NAME", help="a glass of the shipped table, such as As2Se3")
    what.add_argument(
        "--glass",
        type=float,
        nargs=len(PARAMETERS),
        metavar=tuple(metavar(quantity) for quantity in PARAMETERS),
        help=f"{', '.join(quantity.label for quantity in PARAMETERS)} of a glass",
    )
    parser.add_argument(
        "--cooling-rates",
        type=float,
        nargs="+",
        metavar="K/MIN",
        help="scans that are there (default: 10, or of the fit)",
    )
    parser.add_argument("--heating-rate", type=float, metavar="K/MIN", help="of these scans (default: 10)")
    parser.add_argument("--noise", type=float, metavar="CPN", help="of each point (default: 0.01, or of the fit)")
    parser.add_argument(
        "--for",
        dest="quantity",
        choices=["all", *QUANTITY_NAMES],
        default="all",
        help="what is to be known better (default: all, the volume of the error ellipsoid)",
    )
    parser.add_argument("--count", type=int, default=10, metavar="N", help="proposals that are shown (default: 10)")


def run(options: argparse.Namespace) -> int:
    """Print the table of proposals."""
    from lehr.glass.fit import FitRecord, propose
    from lehr.glass.fit.output.text import proposals_table
    from lehr.glass.materials import material
    from lehr.glass.tnm import ThermalProgram, TNMParameters

    noise, program = 0.01, ThermalProgram.chr_cycles(options.cooling_rates or [10.0], options.heating_rate or 10.0)
    if options.result:
        if options.cooling_rates or options.heating_rate:
            raise LehrError("a fit has its rates", "Leave out --cooling-rates and --heating-rate.")
        record = FitRecord.from_json(options.result)
        glass, program, noise = record.glass, record.program.build(), record.noise
    elif options.material:
        glass = material(options.material).parameters
    else:
        glass = TNMParameters(*options.glass)
    now, proposals = propose(glass, program, options.noise or noise, quantity=options.quantity)
    print(proposals_table(now, proposals[: options.count]))
    print(f"standard errors at best, from all scans, at noise {options.noise or noise:.2g} in CpN; the best first")
    return 0
