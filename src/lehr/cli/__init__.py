"""The command line: ``lehr COMMAND ...``. The Snakemake rules call the same commands as people do."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

import lehr
from lehr import doctor
from lehr.cli import dataset, fit, launcher, learning, limits, measured, model, signals
from lehr.errors import LehrError

__all__ = ["main"]

_EXTRAS = {
    "h5netcdf": "store",
    "h5py": "store",
    "numcodecs": "store",
    "scipy": "store",
    "zarr": "store",
    "tensorstore": "store",
    "pydantic": "store",
    "yaml": "store",
    "tqdm": "store",
    "keras": "train",
    "tensorflow": "train",
    "horovod": "horovod",
    "matplotlib": "report",
    "pandas": "report",
    "jinja2": "report",
    "PIL": "report",
    "xarray": "store",
    "openpyxl": "excel",
    "pyngb": "instruments",
    "tadatakit": "instruments",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lehr",
        description="Simulate glass-transition signals of the Tool-Narayanaswamy-Moynihan model, train networks that "
        "read its four parameters from them, and report how well they do.",
        epilog="The whole run of a config: snakemake --configfile CONFIG --cores N. See README.md.",
    )
    parser.add_argument("--version", action="version", version=f"lehr {lehr.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    signals.add_commands(commands)
    measured.add_commands(commands)
    fit.add_commands(commands)
    dataset.add_commands(commands)
    learning.add_commands(commands)
    limits.add_commands(commands)
    model.add_commands(commands)
    launcher.add_commands(commands)
    about = "print what is needed to debug an installation"
    command = commands.add_parser("doctor", help=about, description=about.capitalize() + ".")
    doctor.add_arguments(command)
    command.set_defaults(run=doctor.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 a command found what it looked for to be wrong, 2 the user can put it right.
    """
    options = _parser().parse_args(arguments)
    _keep_tensorflow_quiet()
    try:
        return int(options.run(options))
    except LehrError as error:
        message = str(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EXTRAS:
            raise
        message = f"this command needs {package}\n  Install it: pip install 'lehr[{_EXTRAS[package]}]'"
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
