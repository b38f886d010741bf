"""What a person needs to know to debug an installation, and what to do about each thing that is missing.

Packages are imported, and launchers are run, in processes of their own with a time limit: a TensorFlow built for
another CPU dies of a signal, an MPI that cannot start ends its process, and a launcher may wait for ever. None of that
may take the report with it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from lehr.doctor.findings import Row, State
from lehr.doctor.installation import GROUPS, examine, installed_version
from lehr.doctor.machine import cpu, disk, gpus
from lehr.doctor.ranks import horovod_world, mpi_world

__all__ = ["Row", "State", "add_arguments", "collect", "format_text", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``lehr doctor``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of the command.
    """
    parser.add_argument("--store", type=Path, metavar="DIR", help="folder for results, to judge its disk (default: .)")
    parser.add_argument("--deep", action="store_true", help="also start two Horovod ranks (about 15 s)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report.

    Parameters
    ----------
    args : argparse.Namespace
        `store`, `deep` and `json`, as `add_arguments` defines them.

    Returns
    -------
    int
        0 if what is installed works, 1 if something that is installed is broken.
    """
    sections = collect(store=args.store, deep=args.deep)
    works = not _broken(sections)
    if args.json:
        findings = {title: [asdict(row) for row in rows] for title, rows in sections.items()}
        print(json.dumps({"works": works, "sections": findings}, indent=2))
    else:
        print(format_text(sections))
    return 0 if works else 1


def collect(*, store: Path | None = None, deep: bool = False) -> dict[str, list[Row]]:
    """Look at everything.

    Parameters
    ----------
    store : Path, optional
        Folder on whose disk results will lie; it need not exist. Default: the current folder.
    deep : bool, optional
        Start two Horovod ranks too.

    Returns
    -------
    dict of str to list of Row
        The findings of each section; nothing that is missing or broken raises.
    """
    with ThreadPoolExecutor() as pool:
        groups = [pool.submit(examine, group) for group in GROUPS]
        worlds = [pool.submit(mpi_world), pool.submit(horovod_world, deep)]
        packages = [row for group in groups for row in group.result()]
        return {
            "Installation": [
                Row("lehr", f"{installed_version('lehr') or 'not installed'}, {Path(__file__).parent.parent}"),
                Row("python", f"{platform.python_version()}, {sys.executable}"),
                *packages,
            ],
            "Ranks": [
                *(world.result() for world in worlds),
                Row("slurm", shutil.which("sbatch") or "no sbatch on PATH: not a Slurm machine"),
                Row("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "unset (several ranks: cores / ranks)")),
            ],
            "Machine": [*cpu(), *gpus(next(row for row in packages if row.name == "tensorflow"))],
            "Disk": disk(store or Path()),
        }


def format_text(sections: Mapping[str, Iterable[Row]]) -> str:
    """Lay the findings out for a terminal.

    Parameters
    ----------
    sections : mapping of str to iterable of Row
        As `collect` returns them.

    Returns
    -------
    str
        A line for each finding, its advice below it, and a verdict at the end.
    """
    lines = []
    for title, rows in sections.items():
        lines.append(title)
        for row in rows:
            lines.append(f"  {row.state:<8}{row.name:<17}{row.value}")
            if row.advice:
                lines.append(f"{'':<27}-> {row.advice}")
        lines.append("")
    broken = _broken(sections)
    return "\n".join([*lines, f"Broken: {', '.join(broken)}." if broken else "What is installed works."])


def _broken(sections: Mapping[str, Iterable[Row]]) -> list[str]:
    return [row.name for rows in sections.values() for row in rows if row.state is State.BROKEN]
