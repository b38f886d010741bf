"""``lehr fit`` and ``lehr design``: a glass from measured scans, and the experiment that would tell more."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lehr.cli.measured import add_read_options, read_options
from lehr.errors import LehrError
from lehr.files import write_text


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    about = "fit ln A, dh, x and beta to measured heating scans of one glass"
    command = commands.add_parser(
        "fit",
        help=about,
        description=about.capitalize() + ". Exit code 1: the model does not follow the scans. See docs/fit.md.",
    )
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="scans, in the order of the cooling rates")
    group = command.add_argument_group("what was done to the glass")
    group.add_argument(
        "--cooling-rates", type=float, nargs="+", metavar="K/MIN", help="before each scan, in their order"
    )
    group.add_argument("--heating-rate", type=float, metavar="K/MIN", help="default: what the files say")
    group.add_argument(
        "--program", metavar="FILE", help="any thermal program (docs/programs.md), a cycle for each scan"
    )
    group = command.add_argument_group("what the instrument did, fitted with the glass")
    group.add_argument(
        "--baseline",
        choices=["none", "offset", "line", "lines"],
        help="of each scan; lines: errors of the lines of glass and liquid (default: lines, for CpN: none)",
    )
    group.add_argument("--lag", action="store_true", help="a thermal lag of the sensor")
    group.add_argument(
        "--temperature-error",
        type=float,
        default=0.0,
        metavar="K",
        help="standard error of the thermometer (default: 0)",
    )
    group.add_argument("--robust", action="store_true", help="let spikes count for little")
    command.add_argument(
        "--profile", action="store_true", help="intervals by other fits, where the curvature is not to be trusted"
    )
    command.add_argument(
        "--mcmc", type=Path, metavar="FILE", help="write samples of the values as CSV; needs emcee, takes a minute"
    )
    command.add_argument("--plot", type=Path, metavar="FILE", help="draw scans, fit and residuals (PNG, PDF or SVG)")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the result for a program")
    add_read_options(command)
    command.set_defaults(run=fit)

    about = "rank scans that would tell more about a glass, by their Fisher information"
    command = commands.add_parser("design", help=about, description=about.capitalize() + ". See docs/fit.md.")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("result", nargs="?", type=Path, metavar="FIT.json", help="what lehr fit --json wrote")
    what.add_argument("--material", metavar="NAME", help="a glass of the shipped table, such as As2Se3")
    what.add_argument(
        "--glass", type=float, nargs=4, metavar=("LN_A", "J/MOL", "X", "BETA"), help="ln A, dh, x and beta of a glass"
    )
    command.add_argument(
        "--cooling-rates",
        type=float,
        nargs="+",
        metavar="K/MIN",
        help="scans that are there (default: 10, or of the fit)",
    )
    command.add_argument("--heating-rate", type=float, metavar="K/MIN", help="of these scans (default: 10)")
    command.add_argument("--noise", type=float, metavar="CPN", help="of each point (default: 0.01, or of the fit)")
    command.add_argument(
        "--for",
        dest="quantity",
        choices=["all", "ln_A", "delta_h", "x", "beta", "glass_transition"],
        default="all",
        help="what is to be known better (default: all, the volume of the error ellipsoid)",
    )
    command.add_argument("--count", type=int, default=10, metavar="N", help="proposals that are shown (default: 10)")
    command.set_defaults(run=design)


def fit(options: argparse.Namespace) -> int:
    """Fit, print the report, write what was asked for."""
    from lehr.glass.fit import FitStatus, Nuisance, as_scans, cooled_and_heated, fit_scans, likely_nuisance
    from lehr.glass.scans import read_normalised

    if bool(options.program) == bool(options.cooling_rates):
        raise LehrError("what was done to the glass is not clear", "Give either --cooling-rates or --program.")
    if options.program and options.heating_rate:
        raise LehrError("--program and --heating-rate exclude each other", "Write the rates into the program.")
    scans = read_normalised(options.files, options=read_options(options))
    if options.program:
        from lehr.glass.config.program import load_program

        program = load_program(options.program)
    else:
        program = cooled_and_heated(scans, options.cooling_rates, options.heating_rate)
    baseline = options.baseline or likely_nuisance(scans).baseline
    nuisance = Nuisance(baseline, thermal_lag=options.lag, temperature_offset=options.temperature_error)
    result = fit_scans(as_scans(scans, program), nuisance=nuisance, loss="soft_l1" if options.robust else "linear")
    print(result.report(profile=options.profile))
    for number, scan in enumerate(scans, 1):
        for note in scan.notes:
            print(f"scan {number}: {note}")
    if options.mcmc:
        rows = [",".join(f"{value:.10g}" for value in row) for row in result.sample()]
        _write(options.mcmc, "\n".join([",".join(result.names), *rows]) + "\n")
    if options.json:
        _write(options.json, json.dumps(result.to_json(profile=options.profile), indent=2) + "\n")
    if options.plot:
        from lehr.figures.style import save
        from lehr.glass.fit.plot import fitted_scans

        save(fitted_scans(result), options.plot)
        print(f"wrote {options.plot}")
    return 1 if result.status in (FitStatus.MISFIT, FitStatus.NOT_CONVERGED) else 0


def design(options: argparse.Namespace) -> int:
    """Print the table of proposals."""
    from lehr.glass.fit.design import load_result, propose
    from lehr.glass.materials import material
    from lehr.glass.tnm import ThermalProgram, TNMParameters

    noise, program = 0.01, ThermalProgram.chr_cycles(options.cooling_rates or [10.0], options.heating_rate or 10.0)
    if options.result:
        if options.cooling_rates or options.heating_rate:
            raise LehrError("a fit has its rates", "Leave out --cooling-rates and --heating-rate.")
        glass, program, noise = load_result(options.result)
    elif options.material:
        glass = material(options.material).parameters
    else:
        glass = TNMParameters(*options.glass)
    now, proposals = propose(glass, program, options.noise or noise, quantity=options.quantity)
    print(f"{'one more scan':58}{'hours':>8}{'dh, kJ/mol':>12}{'ln A':>9}{'x':>9}{'beta':>9}{'Tg, K':>9}")
    for name, hours, bound in [("none", 0.0, now), *((p.name, p.hours, p.bound) for p in proposals[: options.count])]:
        numbers = (bound.delta_h / 1e3, bound.ln_A, bound.x, bound.beta, bound.glass_transition)
        print(f"{name:58}{hours:8.2g}{numbers[0]:12.3g}" + "".join(f"{number:9.2g}" for number in numbers[1:]))
    print(f"standard errors at best, from all scans, at noise {options.noise or noise:.2g} in CpN; the best first")
    return 0


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise LehrError(f"{path}: cannot write: {error.strerror}", "Check the path.") from None
    print(f"wrote {path}")
