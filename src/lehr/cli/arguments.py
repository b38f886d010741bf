"""Arguments that several verbs share, and what they are read into."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lehr.errors import LehrError
from lehr.files import read_json

if TYPE_CHECKING:
    from lehr.glass.scans.options import ScanOptions
    from lehr.studies import AnyRun
    from lehr.study import Quantity

__all__ = [
    "add_config",
    "add_model_choice",
    "add_paths",
    "add_scan_reading",
    "add_store",
    "add_subset",
    "check_names",
    "load_with_subset",
    "metavar",
    "scan_options",
    "subset_path",
]


def add_config(parser: argparse.ArgumentParser) -> None:
    """Take the config of a run."""
    parser.add_argument("config", metavar="CONFIG", help="YAML file")


def add_subset(parser: argparse.ArgumentParser) -> None:
    """Take a subset of the config; `load_with_subset` checks it."""
    parser.add_argument("--subset", required=True, metavar="NAME", help="a subset of the config, such as C")


def load_with_subset(options: argparse.Namespace) -> AnyRun:
    """Return the run of the config, which has the subset."""
    from lehr.studies import load_run

    run = load_run(options.config)
    check_names(options.config, "subset", [options.subset], run.subsets)
    return run


def check_names(config: str, what: str, chosen: Iterable[str], known: Sequence[str]) -> None:
    """Refuse a name of a subset or a model that the run of a config does not have."""
    for name in chosen:
        if name not in known:
            raise LehrError(f"{config}: the run does not have the {what} '{name}'", f"It has: {', '.join(known)}.")


def add_store(parser: argparse.ArgumentParser) -> None:
    """Take a subset on disk; `subset_path` checks it."""
    parser.add_argument("store", type=Path, metavar="STORE", help="a subset, such as results/paper/signals.zarr/C")


def subset_path(options: argparse.Namespace) -> Path:
    """Return the folder of a subset, not that of a store of several."""
    path: Path = options.store.resolve()
    subsets = sorted(child.name for child in path.glob("*") if _is_subset(child))
    if subsets:
        raise LehrError(f"{options.store}: a store, not a subset in it", f"Name one of: {', '.join(subsets)}.")
    return path


def _is_subset(folder: Path) -> bool:
    try:
        return "lehr" in read_json(folder / "zarr.json", "")["attributes"]
    except (LehrError, KeyError, TypeError):
        return False


def add_paths(parser: argparse.ArgumentParser, besides: str = "") -> None:
    """Take configs and run folders; `lehr.evaluation.references` says what they stand for."""
    parser.add_argument("path", metavar="PATH", nargs="+", help=f"YAML file, or the run folder of a model{besides}")


def add_model_choice(parser: argparse.ArgumentParser) -> None:
    """Let some models of a config be chosen."""
    parser.add_argument(
        "--model",
        metavar="NAME",
        action="append",
        default=[],
        help="only this model of a config file; may be given several times",
    )


def metavar(quantity: Quantity) -> str:
    """Return what help shows for the value of a quantity: its unit, or its name if it has none."""
    return (quantity.name if quantity.unit == "1" else quantity.unit).upper()


def add_scan_reading(parser: argparse.ArgumentParser) -> None:
    """Add what a command needs to read measured scans; `scan_options` makes a `ScanOptions` of it."""
    group = parser.add_argument_group("how the files are read")
    group.add_argument("--layout", type=Path, metavar="FILE", help="a YAML file that says all of this")
    group.add_argument(
        "--columns",
        nargs="+",
        default=[],
        metavar="NAME=COLUMN",
        help="columns of temperature, time and signal, by number from 1 or by heading",
    )
    group.add_argument(
        "--units", nargs="+", default=[], metavar="NAME=UNIT", help="units of temperature, time and signal"
    )
    group.add_argument(
        "--kind", choices=["cpn", "cp", "heat_flow"], help="what the signal is (default: by its heading)"
    )
    group.add_argument(
        "--direction", choices=["heating", "cooling"], help="which segments are the scans (default: heating)"
    )
    group.add_argument("--take", type=int, nargs="+", metavar="N", help="segments of each file (default: all)")
    group.add_argument("--endotherm", choices=["up", "down"], help="default: found from the step at the transition")
    for line in ("glass", "liquid"):
        group.add_argument(
            f"--{line}",
            type=float,
            nargs=2,
            metavar=("LOW", "HIGH"),
            help=f"range in degC of the line of the {line} (default: found)",
        )
    group.add_argument(
        "--common", action="store_true", default=None, help="one pair of lines for all scans, which are of one sample"
    )
    group.add_argument(
        "--divide-at",
        choices=["fictive", "temperature"],
        help="where the step is taken that Cp - glass is divided by (default: fictive, as Moynihan 1976)",
    )
    group.add_argument(
        "--shift", type=float, metavar="K", help="added to all temperatures: a known error of the thermometer"
    )


def scan_options(options: argparse.Namespace) -> ScanOptions:
    """Return what the command line, and the file that it names, say about the files of scans."""
    from lehr.glass.scans.options import load_scan_options

    given: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("kind", "direction", "take", "endotherm", "glass", "liquid", "common", "divide_at", "shift")
        if getattr(options, name) is not None
    }
    for name in ("columns", "units"):
        if words := getattr(options, name):
            given[name] = _pairs(f"--{name}", words)
    return load_scan_options(options.layout, given)


def _pairs(option: str, words: Sequence[str]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise LehrError(f"{option} {word}: not a pair", f"Write {option} temperature=1 signal=3, for example.")
        new: Any = int(value) if option == "--columns" and value.isdecimal() else value
        # a signal given twice is two signals
        pairs[name] = (*_several(pairs[name]), new) if name in pairs else new
    return pairs


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
