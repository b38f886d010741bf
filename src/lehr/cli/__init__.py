"""The command line: ``lehr VERB ...``. The Snakemake rules call the same verbs as people do.

Each verb has a file of its name here, or in the folder of the verb that it follows (``lehr dataset plan`` is
``dataset/plan.py``, ``lehr fit-many`` is ``fit_many.py``), with a line `ABOUT` it, `DETAILS`, an `EXAMPLE`, and the
functions `add_arguments(parser)` and `run(options)`. They import what is slow to load when they run. To add a verb,
write its file and name it in `GROUPS`.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import lehr
from lehr.errors import LehrError

__all__ = ["GROUPS", "HelpFormatter", "build_parser", "main"]

GROUPS = {
    "one glass": ("simulate", "read", "fit", "fit-many", "design"),
    "data sets": ("config", "dataset"),
    "networks": ("model", "train", "evaluate", "robustness", "limits", "report", "estimator"),
    "this installation": ("doctor", "launch"),
}
"""Verbs by the title under which ``lehr --help`` lists them, in that order."""


class HelpFormatter(argparse.HelpFormatter):
    """Wraps the lines of a text one by one; those of a list or an example stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = text.splitlines()
        return "\n".join(
            indent + line if indent or line.startswith(" ") else textwrap.fill(line, width) for line in lines
        )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = argparse.ArgumentParser(
        prog="lehr",
        usage="lehr [-h] [--version] VERB ...",
        description="Simulate glass-transition signals of the Tool-Narayanaswamy-Moynihan model, train networks that "
        "read its four parameters from them, and report how well they do.",
        epilog="more of a verb:\n  lehr VERB --help\n"
        "the whole run of a config:\n  snakemake --configfile CONFIG --cores N",
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lehr {lehr.__version__}")
    modules = {name: import_module(f"{__name__}.{_file(name)}") for names in GROUPS.values() for name in names}
    for title, names in GROUPS.items():
        parser.add_argument_group(title, "\n".join(f"{name:<12}{modules[name].ABOUT}" for name in names))
    _add_verbs(parser, modules, help=argparse.SUPPRESS)
    return parser


def _add_verbs(parser: argparse.ArgumentParser, modules: dict[str, ModuleType], **options: Any) -> None:
    verbs = parser.add_subparsers(metavar="VERB", prog=parser.prog, **options)
    parser.set_defaults(run=lambda _: _print_help(parser))
    for name, module in modules.items():
        about = f"{module.ABOUT[0].upper()}{module.ABOUT[1:]}."
        command = verbs.add_parser(
            name,
            help=module.ABOUT,
            description=f"{about} {module.DETAILS}".rstrip(),
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=HelpFormatter,
        )
        if hasattr(module, "VERBS"):
            inner = {verb: import_module(f"{module.__name__}.{_file(verb)}") for verb in module.VERBS}
            _add_verbs(command, inner, title="verbs")
        else:
            module.add_arguments(command)
            command.set_defaults(run=module.run)


def _file(verb: str) -> str:
    return verb.replace("-", "_")


def _print_help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 a verb found what it looked for to be wrong, 2 the user can put it right.
    """
    options = build_parser().parse_args(arguments)
    _keep_tensorflow_quiet()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows only ASCII shows ? for Δ and β
    try:
        return int(options.run(options))
    except LehrError as error:
        message = str(error)
    except ModuleNotFoundError as error:
        from lehr.doctor.installation import how_to_install

        package = (error.name or "").split(".")[0]
        advice = how_to_install(package)
        if not advice:
            raise
        message = f"this command needs {package}\n  {advice}"
    except KeyboardInterrupt:
        print("lehr: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `lehr ... | head`: the reader has what it wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    print(f"lehr: error: {message}", file=sys.stderr)
    return 2


def _keep_tensorflow_quiet() -> None:
    """Leave out what TensorFlow says of itself: the processor it was built for, graphs that it traces."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
