"""The launchers: do they start programs that see each other."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from lehr.doctor.checks import Check, State, execute
from lehr.doctor.installation import how_to_install, installed_version

__all__ = ["check_horovod_ranks", "check_mpi_ranks"]

MPI_SECONDS = 60.0
"""Time limit of two MPI ranks that only say how many they are."""
HOROVOD_SECONDS = 240.0
"""The same for two Horovod ranks, which both import TensorFlow."""


def _start_two_ranks(name: str, command: Sequence[str], seconds: float, advice: str) -> Check:
    """Start two ranks that print the size of their world."""
    output, problem = execute(command, seconds)
    if problem:
        return Check(name, f"{command[0]}: {problem}", State.BROKEN, advice)
    sizes = re.findall(r"lehr-world=(\d+)", output)
    if sizes != ["2", "2"]:
        seen = f"worlds of size {', '.join(sizes)} in place of one of 2" if sizes else "nothing that answers"
        return Check(name, f"{command[0]} starts {seen}", State.BROKEN, advice)
    return Check(name, f"{command[0]} starts a world of 2")


def _no_launcher(launcher: str, otherwise: str) -> Check:
    folder = Path(sys.executable).parent
    beside = f'It lies beside python: export PATH="{folder}:$PATH"'
    advice = beside if (folder / launcher).exists() else otherwise
    return Check(launcher, f"no {launcher} on PATH: one rank only", State.MISSING, advice)


def check_mpi_ranks() -> Check:
    """Start two MPI ranks with the launcher on PATH."""
    launcher = shutil.which("mpiexec")
    if launcher is None:
        return _no_launcher("mpiexec", "Load the machine's MPI module, or without one: pip install mpich")
    if not installed_version("mpi4py"):
        return Check("mpiexec", f"{launcher}, but no mpi4py: one rank only", State.MISSING, how_to_install("mpi4py"))
    program = "from mpi4py import MPI; print(f'lehr-world={MPI.COMM_WORLD.size}', flush=True)"
    advice = (
        "mpiexec and mpi4py must be of one MPI (the row mpi4py names its own): put that MPI's mpiexec first on PATH; "
        "in a Slurm job use srun with the --mpi of your site"
    )
    return _start_two_ranks("mpiexec", [launcher, "-n", "2", sys.executable, "-c", program], MPI_SECONDS, advice)


def check_horovod_ranks(deep: bool) -> Check:
    """Start two Horovod ranks, if `deep`."""
    if not installed_version("horovod"):
        return Check("horovodrun", "no horovod: one rank only", State.MISSING, "See the row horovod")
    if not deep:
        return Check("horovodrun", "not tried", State.NOTE, "Start two ranks (about 15 s): lehr doctor --deep")
    launcher = shutil.which("horovodrun")
    if launcher is None:
        return _no_launcher("horovodrun", "Install Horovod again: envs/build_horovod.sh PYTHON")
    program = "import horovod.tensorflow as hvd; hvd.init(); print(f'lehr-world={hvd.size()}', flush=True)"
    advice = "Gloo must reach this host by its own name: try horovodrun --network-interfaces lo"
    command = [launcher, "-np", "2", "--gloo", sys.executable, "-c", program]
    return _start_two_ranks("horovodrun", command, HOROVOD_SECONDS, advice)
