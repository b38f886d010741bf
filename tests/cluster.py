"""A real Slurm for tests, its jobs, and a Snakemake that submits to it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from conftest import ROOT, run
from processes import ranks_of
from stores import receipts_in

from lehr.studies import load_run

# Where a shell has started the tests in the background, they ignore SIGINT, and so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

PROFILE = ROOT / "slurm/ci"
BLOCK = "signals.zarr/C/receipts/block-1-of-1"
"""What the rule simulate makes, below the results."""


def eventually(condition: Callable[[], Any], seconds: float = 300) -> Any:
    """Wait until a condition holds, and return what it has returned."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)
    return found


@dataclass(frozen=True)
class Job:
    """A line of squeue."""

    number: str
    state: str
    partition: str
    reason: str
    limit: str
    memory: str
    comment: str


def jobs_of(folder: Path) -> list[Job]:
    """Return all jobs that were submitted from a folder, ended ones too, in the order of submission."""
    shown = run("squeue", "--noheader", "--states=all", "--sort=i", "--format=%i|%T|%P|%r|%l|%m|%k|%Z").stdout
    rows = [line.split("|") for line in shown.splitlines()]
    return [Job(*row[:-1]) for row in rows if row[-1] == str(folder)]


def cancel(job: Job) -> None:
    """Cancel a job, if it has not ended."""
    assert run("scancel", job.number).returncode == 0


def profile(folder: Path, **train: Any) -> Path:
    """Copy the profile for tests with other resources for the rule train."""
    content = yaml.safe_load((PROFILE / "config.yaml").read_text())
    content["set-resources"]["train"].update(train)
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    return folder


class Workflow:
    """A Snakemake that submits the jobs of one target; it works in the folder of the config.

    Parameters
    ----------
    config : Path
        The config.
    target : str
        A file below the results.
    words : str or Path
        More arguments.
    """

    def __init__(self, config: Path, target: str, *words: str | Path, profile: Path = PROFILE) -> None:
        self.folder = config.parent
        self._log = self.folder / "snakemake.log"
        command = [
            *("snakemake", self.folder / "results" / target, *words, "--workflow-profile", profile),
            *("--snakefile", ROOT / "Snakefile", "--directory", self.folder, "--configfile", config),
        ]
        with self._log.open("w") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT)

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    @property
    def jobs(self) -> list[Job]:
        """The jobs that it, and others before it in the same folder, have submitted."""
        return jobs_of(self.folder)

    def end(self, seconds: float = 900) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(timeout=seconds)

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to Snakemake alone, and wait for its end."""
        self.process.send_signal(number)
        self.process.wait(timeout=180)  # it ends after its next question to Slurm

    def job(self, state: str, count: int = 1) -> Job:
        """Wait until a number of jobs are submitted and the last of them is in a state; return it."""

        def found() -> Job | None:
            jobs = self.jobs
            return jobs[-1] if len(jobs) == count and jobs[-1].state == state else None

        return eventually(found)


def freeze(config: Path, begun: Callable[[], bool]) -> list[int]:
    """Stop the ranks of a config once they have begun: nothing more happens until a signal is sent to them."""
    eventually(begun)
    ranks = ranks_of(config)
    assert ranks
    for process in ranks:
        os.kill(process, signal.SIGSTOP)
    return ranks


def thaw(processes: list[int]) -> None:
    """Let ranks go on."""
    for process in processes:
        os.kill(process, signal.SIGCONT)


def simulating(config: Path) -> Callable[[], bool]:
    """Tell whether a few parts of the subset C are there."""
    return lambda: len(receipts_in(config)) >= 4


def training(config: Path) -> Callable[[], bool]:
    """Tell whether the model C has a checkpoint."""
    folder = load_run(config).run_path("C")
    return lambda: any(folder.glob("checkpoints/*/epoch-0001"))
