"""What a person needs to know to debug an installation, and what to do about each thing that is missing.

Packages are imported, and launchers are run, in processes of their own with a time limit: a TensorFlow built for
another CPU dies of a signal, an MPI that cannot start ends its process, and a launcher may wait for ever. None of that
may take the report with it.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lehr.doctor.checks import Check, State
from lehr.doctor.installation import GROUPS, examine, installed_version
from lehr.doctor.machine import cpu, disk, gpus
from lehr.doctor.ranks import check_horovod_ranks, check_mpi_ranks

__all__ = ["Check", "State", "broken", "collect", "format_text"]


def collect(*, store: Path | None = None, deep: bool = False) -> dict[str, list[Check]]:
    """Look at everything.

    Parameters
    ----------
    store : Path, optional
        Folder on whose disk results will lie; it need not exist. Default: the current folder.
    deep : bool, optional
        Start two Horovod ranks too.

    Returns
    -------
    dict of str to list of Check
        The checks of each section; nothing that is missing or broken raises.
    """
    with ThreadPoolExecutor() as pool:
        groups = [pool.submit(examine, group) for group in GROUPS]
        starts = [pool.submit(check_mpi_ranks), pool.submit(check_horovod_ranks, deep)]
        packages = [row for group in groups for row in group.result()]
        return {
            "Installation": [
                Check("lehr", f"{installed_version('lehr') or 'not installed'}, {Path(__file__).parent.parent}"),
                Check("python", f"{platform.python_version()}, {sys.executable}"),
                *packages,
            ],
            "Ranks": [
                *(start.result() for start in starts),
                Check("slurm", shutil.which("sbatch") or "no sbatch on PATH: not a Slurm machine"),
                Check("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "unset (several ranks: cores / ranks)")),
            ],
            "Machine": [*cpu(), *gpus(next(row for row in packages if row.name == "tensorflow"))],
            "Disk": disk(store or Path()),
        }


def format_text(sections: Mapping[str, Iterable[Check]]) -> str:
    """Lay the checks out for a terminal.

    Parameters
    ----------
    sections : mapping of str to iterable of Check
        As `collect` returns them.

    Returns
    -------
    str
        A line for each check, its advice below it, and a verdict at the end.
    """
    lines = []
    for title, rows in sections.items():
        lines.append(title)
        for row in rows:
            lines.append(f"  {row.state:<8}{row.name:<17}{row.value}")
            if row.advice:
                lines.append(f"{'':<27}-> {row.advice}")
        lines.append("")
    faults = broken(sections)
    return "\n".join([*lines, f"Broken: {', '.join(faults)}." if faults else "What is installed works."])


def broken(sections: Mapping[str, Iterable[Check]]) -> list[str]:
    """Return the names of what is installed and does not work."""
    return [row.name for rows in sections.values() for row in rows if row.state is State.BROKEN]
