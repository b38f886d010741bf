"""The packages: which are installed, and do they work."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from lehr.doctor.checks import Check, State, execute

__all__ = ["GROUPS", "Package", "examine", "how_to_install", "installed_version"]

_DISTRIBUTIONS = {"PIL": "pillow", "numcodecs": "zarr", "yaml": "pyyaml"}
"""Distributions whose name is not that of the module; numcodecs comes with zarr."""

IMPORT_SECONDS = 180.0
"""Time limit of the imports of one process: TensorFlow on a cold network file system takes minutes."""


def installed_version(*distributions: str) -> str:
    """Return the version of the first of these distributions that is installed, or nothing."""
    for name in distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return ""


def how_to_install(module: str) -> str:
    """Return how to install a module that lehr uses, by the extra that asks for it; nothing if lehr does not use it."""
    if module == "tensorflow":  # an environment has one of two, which no extra can choose
        return "Install one: pip install tensorflow-cpu==2.18.1, or 'tensorflow[and-cuda]==2.18.1' for GPUs"
    distribution = _DISTRIBUTIONS.get(module, module)
    for requirement in metadata.requires("lehr") or ():
        found = re.match(rf"{distribution}(?![\w-]).*extra == ['\"](\w+)['\"]", requirement)
        if found:
            return f"Install it: pip install 'lehr[{found[1]}]'"
    return ""


@dataclass(frozen=True)
class Package:
    """How to find, try and install a package.

    Parameters
    ----------
    name : str
        Name of the row, and of module and distribution unless the next ones say otherwise.
    advice : str
        What to do where it is not installed.
    program : str, optional
        Proves that the package works, and prints what is worth knowing besides the version.
    distributions : tuple of str, optional
        Distributions of which any one holds the package.
    """

    name: str
    advice: str
    program: str = ""
    distributions: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Installed version, or nothing."""
        return installed_version(*(self.distributions or (self.name,)))


# A process for each group: what dies takes only its own group along, and TensorFlow is imported once.
GROUPS = (
    (
        Package("compiled kernel", "make install", "from lehr.glass.tnm import _tnm; print(_tnm.__file__)", ("lehr",)),
        Package("numpy", "make install"),
        Package("zarr", how_to_install("zarr")),
        Package("tensorstore", how_to_install("tensorstore")),
        Package("xarray", how_to_install("xarray")),
        Package("pydantic", how_to_install("pydantic")),
        Package("snakemake", how_to_install("snakemake")),
        Package("matplotlib", how_to_install("matplotlib")),
    ),
    (
        Package(
            "tensorflow",
            how_to_install("tensorflow"),
            "import tensorflow as tf; print('GPUs:', len(tf.config.list_physical_devices('GPU')))",
            ("tensorflow", "tensorflow-cpu"),
        ),
        Package("keras", how_to_install("keras"), "import keras; print('backend', keras.backend.backend())"),
        Package(
            "horovod",
            "Compile it against the TensorFlow beside it: envs/build_horovod.sh PYTHON (for several ranks)",
            "import horovod.tensorflow as hvd; "
            "parts = dict(gloo=hvd.gloo_built(), mpi=hvd.mpi_built(), nccl=hvd.nccl_built()); "
            "print('built with', ' '.join(name for name, built in parts.items() if built) or 'nothing')",
        ),
    ),
    (
        Package(
            "mpi4py",
            how_to_install("mpi4py"),
            "from mpi4py import MPI; print(' '.join(MPI.Get_library_version().splitlines()[0].split()))",
        ),
    ),
)

# Runs in the other process: programs in, one JSON line out for each.
_RUNNER = """
import contextlib, io, json, sys
for name, program in json.loads(sys.argv[1]).items():
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(program, {})
        answer = [name, True, said.getvalue().strip()]
    except BaseException as error:
        answer = [name, False, f"{type(error).__name__}: {error}"]
    print(json.dumps(answer), flush=True)
"""


def examine(group: Sequence[Package]) -> list[Check]:
    """Import the installed ones of some packages, all in one process.

    Parameters
    ----------
    group : sequence of Package
        The packages, in the order in which they are imported.

    Returns
    -------
    list of Check
        One for each package.
    """
    programs = {package.name: package.program or f"import {package.name}" for package in group if package.version}
    output, problem = "", ""
    if programs:
        output, problem = execute([sys.executable, "-c", _RUNNER, json.dumps(programs)], IMPORT_SECONDS)
    answers = {}
    for line in output.splitlines():
        with contextlib.suppress(ValueError):  # a library may write to the same output
            name, works, said = json.loads(line)
            answers[name] = (works, said)
    return [_row(package, *answers.get(package.name, (False, problem or "no answer"))) for package in group]


def _row(package: Package, works: bool, said: str) -> Check:
    if not package.version:
        return Check(package.name, "not installed", State.MISSING, package.advice)
    value = f"{package.version}, {said}" if said else package.version
    if works:
        return Check(package.name, value)
    return Check(package.name, value, State.BROKEN, f"It is installed and does not work. Again: {package.advice}")
