"""Arguments of the verbs that fit: what the instrument did, what may be wrong, what is known of the glass."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lehr.errors import LehrError

if TYPE_CHECKING:
    from lehr.glass.fit import Known

__all__ = ["add_known", "add_nuisances", "known_glass", "nuisance_changes"]

_UNCERTAINTIES = {
    "curvature": ("CPN", "of the straightness of each baseline: CpN at 50 K (default: 0.03, for CpN: 0)"),
    "temperature_error": ("K", "of the calibration of the thermometer (default: 0)"),
    "repeatability": ("K", "of the temperatures from scan to scan (default: 0.1, for CpN: 0)"),
    "rate_error": ("SHARE", "of the rates before the scans, such as 0.02 (default: 0)"),
    "hold_temperature_error": ("K", "of the temperatures of holds, against those of the scans (default: 0)"),
    "hold_time_error": ("SHARE", "of the times of holds (default: 0)"),
}
_FIELDS = {"temperature_error": "temperature_offset"}


def add_nuisances(parser: argparse.ArgumentParser) -> None:
    """Add what is fitted with the glass; `nuisance_changes` reads it."""
    group = parser.add_argument_group("what the instrument did, fitted with the glass")
    group.add_argument(
        "--baseline",
        choices=["none", "offset", "line", "lines"],
        help="of each scan; lines: errors of the lines of glass and liquid (default: lines, for CpN: none)",
    )
    group.add_argument("--lag", action="store_true", help="a thermal lag of the sensor")
    group.add_argument("--robust", action="store_true", help="let spikes count for little")
    group = parser.add_argument_group("what may be wrong: standard errors, fitted with the glass; 0 trusts")
    for name, (unit, about) in _UNCERTAINTIES.items():
        group.add_argument(f"--{name.replace('_', '-')}", type=float, metavar=unit, help=about)


def nuisance_changes(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a `Nuisance` that the command line says."""
    changes: dict[str, Any] = {"thermal_lag": True} if options.lag else {}
    if options.baseline is not None:
        changes["baseline"] = options.baseline
    given = {name: getattr(options, name) for name in _UNCERTAINTIES}
    return changes | {_FIELDS.get(name, name): value for name, value in given.items() if value is not None}


def add_known(parser: argparse.ArgumentParser) -> None:
    """Add what is known of the glass; `known_glass` reads it."""
    group = parser.add_argument_group(
        "what is known of the glass, of ln_A, delta_h, x, beta, Tg; energies in J/mol, or with the unit kJ"
    )
    group.add_argument(
        "--fix", nargs="+", default=[], metavar="NAME=VALUE", help="values that are kept, such as x=0.46"
    )
    group.add_argument(
        "--prior", nargs="+", default=[], metavar="NAME=VALUE:ERROR", help="values with errors: delta_h=600kJ:50kJ"
    )
    group.add_argument("--bounds", nargs="+", default=[], metavar="NAME=LOW:HIGH", help="ranges, such as beta=0.4:0.8")
    group.add_argument(
        "--recovery",
        nargs="+",
        default=[],
        metavar="FILE",
        help="YAML files of Tf, or of the enthalpy lost, in holds (docs/how-to/fit.md)",
    )


def known_glass(options: argparse.Namespace) -> Known | None:
    """Return what the command line says of the glass; None if that is nothing.

    Raises
    ------
    LehrError
        If a name is unknown or given twice, or a number is not one.
    """
    from lehr.glass.config.recovery import load_recovery
    from lehr.glass.fit import Known

    known = Known(
        recoveries=tuple(load_recovery(path) for path in options.recovery),
        fixed={name: values[0] for name, values in _named("--fix", options.fix, 1).items()},
        priors={name: (values[0], values[1]) for name, values in _named("--prior", options.prior, 2).items()},
        bounds={name: (values[0], values[1]) for name, values in _named("--bounds", options.bounds, 2).items()},
    )
    return known or None


def _named(option: str, words: Sequence[str], count: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for word in words:
        name, _, value = word.partition("=")
        name = {"Tg": "glass_transition"}.get(name, name)
        parts = value.split(":")
        if not value or len(parts) != count:
            shown = {1: "x=0.46", 2: "beta=0.4:0.8" if option == "--bounds" else "delta_h=600kJ:50kJ"}[count]
            raise LehrError(f"{option} {word[:40]}: not understood", f"Write {option} {shown}, for example.")
        if name in found:
            raise LehrError(f"{option}: {name} is given twice", "Give it once.")
        found[name] = [_number(option, word, part) for part in parts]
    return found


def _number(option: str, word: str, text: str) -> float:
    kilo = text.endswith("kJ")
    try:
        return float(text.removesuffix("kJ")) * (1000.0 if kilo else 1.0)
    except ValueError:
        raise LehrError(f"{option} {word[:40]}: '{text[:40]}' is not a number", "Write 0.46, or 600kJ.") from None
