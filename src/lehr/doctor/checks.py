"""What the checks report, and how they run a command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "State", "execute"]


class State(StrEnum):
    """Verdict on one row; only BROKEN makes the command fail."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"
    BROKEN = "BROKEN"


@dataclass(frozen=True)
class Check:
    """What one check found.

    Parameters
    ----------
    name, value : str
        What was looked at, and what was found.
    state : State, optional
        Whether it works.
    advice : str, optional
        What to do next, if there is something to do.
    """

    name: str
    value: str
    state: State = State.OK
    advice: str = ""


def execute(command: Sequence[str], seconds: float) -> tuple[str, str]:
    """Run a command without a terminal; on time-out end it with all that it started.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    seconds : float
        Time limit.

    Returns
    -------
    output : str
        What it printed to standard output, nothing after a time-out.
    problem : str
        What went wrong, or nothing.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,  # a launcher would take the terminal's input
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            start_new_session=True,
        )
    except OSError as error:
        return "", str(error)
    try:
        output, complaint = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:  # closed unread: a rank that left the group may hold the other end for ever
                pipe.close()
        return "", f"no answer in {seconds:g} s"
    if process.returncode == 0:
        return output.strip(), ""
    if process.returncode < 0:
        return output.strip(), f"ended by {signal.Signals(-process.returncode).name}"
    *_, last = ["no word", *(complaint.strip() or output.strip()).splitlines()]
    return output.strip(), f"exit code {process.returncode}, {last.strip()}"
