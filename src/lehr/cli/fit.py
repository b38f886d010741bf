"""``lehr fit``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from lehr.cli.arguments import add_scan_reading, scan_options
from lehr.cli.fit_options import add_known, add_model, add_nuisances, known_glass, nuisance_changes
from lehr.cli.output import keep_inputs, write_figure, write_file
from lehr.errors import LehrError

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "add_arguments", "run"]

ABOUT = "fit the four TNM parameters to measured heating scans of one glass"
DETAILS = (
    "Exit code 0: a glass was found, with what has to be said of it. 1: the model does not follow the scans, or no "
    "minimum was found. 2: wrong input. See docs/how-to/fit.md."
)
EXAMPLE = "lehr fit slow.csv fast.csv --cooling-rates 0.5 20 --plot fit.png --json fit.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="scans, in the order of the cooling rates")
    group = parser.add_argument_group("what was done to the glass")
    group.add_argument(
        "--cooling-rates", type=float, nargs="+", metavar="K/MIN", help="before each scan, in their order"
    )
    group.add_argument("--heating-rate", type=float, metavar="K/MIN", help="default: what the files say")
    group.add_argument(
        "--program", metavar="FILE", help="any thermal program (docs/how-to/programs.md), a cycle for each scan"
    )
    add_nuisances(parser)
    add_known(parser)
    add_model(parser)
    parser.add_argument(
        "--profile", action="store_true", help="intervals by other fits, where the curvature is not to be trusted"
    )
    parser.add_argument(
        "--mcmc", type=Path, metavar="FILE", help="write samples of the values as CSV; needs emcee, takes a minute"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw scans, fit and residuals (PNG, PDF or SVG)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result for a program")
    add_scan_reading(parser)


def run(options: argparse.Namespace) -> int:
    """Fit, print the report, write what was asked for."""
    from lehr.glass.fit import FitStatus, fit_scans, likely_nuisance
    from lehr.glass.scans import as_scans, cooled_and_heated, read_normalised
    from lehr.glass.scans.beyond import program_notes

    keep_inputs(
        [options.plot, options.json, options.mcmc],
        [*options.files, *options.recovery, options.program, options.layout],
    )
    if not options.files:
        return _fit_recovery(options)
    if bool(options.program) == bool(options.cooling_rates or options.direction == "cooling"):
        raise LehrError("what was done to the glass is not clear", "Give either --cooling-rates or --program.")
    if options.program and options.heating_rate:
        raise LehrError("--program and --heating-rate exclude each other", "Write the rates into the program.")
    reading = scan_options(options)
    scans = read_normalised(options.files, options=reading)
    if options.program:
        from lehr.glass.config.program import load_program

        program = load_program(options.program)
    else:
        program = cooled_and_heated(scans, options.cooling_rates or (), options.heating_rate)
    nuisance = replace(likely_nuisance(scans), **nuisance_changes(options))
    loss = "soft_l1" if options.robust else "linear"
    of_glass = as_scans(scans, program)
    result = fit_scans(of_glass, nuisance=nuisance, known=known_glass(options), loss=loss, model=options.model)
    print(result.report(profile=options.profile))
    for note in program_notes(of_glass):
        print(f"program: {note}")
    for number, scan in enumerate(scans, 1):
        for note in scan.notes:
            print(f"scan {number}: {note}")
    if options.mcmc:
        rows = [",".join(f"{value:.10g}" for value in row) for row in result.sample()]
        write_file(options.mcmc, "\n".join([",".join(result.names), *rows]) + "\n")
    if options.json:
        given = reading.model_dump(mode="json", exclude_unset=True)
        result.record(profile=options.profile, reading=given).to_json(options.json)
        print(f"wrote {options.json}")
    if options.plot:
        from lehr.glass.fit.output.plot import fitted_scans

        write_figure(options.plot, fitted_scans(result))
    return 1 if result.status in (FitStatus.MISFIT, FitStatus.NOT_CONVERGED) else 0


def _fit_recovery(options: argparse.Namespace) -> int:
    """Fit enthalpy recovery alone."""
    from lehr.glass.fit import fit_recovery

    known = known_glass(options)
    if known is None or not known.recoveries:
        raise LehrError("there is nothing to fit", "Give files of scans, or of recovery: --recovery FILE.")
    others = ("cooling_rates", "program", "plot", "json", "mcmc", "profile")
    if given := [name for name in others if getattr(options, name)]:
        raise LehrError(
            f"--{given[0].replace('_', '-')} is about scans, and there are none",
            "Give files of scans, or leave it out.",
        )
    result = fit_recovery(known)
    print(result.report())
    return 0 if result.follows else 1
