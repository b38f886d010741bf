"""Processes of a running command: found by what they work on, and told dead from alive."""

from __future__ import annotations

from pathlib import Path


def ranks_of(config: Path) -> list[int]:
    """Process numbers of the `lehr` that work on a config; launchers name the config too, and are left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if str(config) in words and Path(words[1]).name == "lehr" and words[2] != "launch":
            found.append(int(entry.name))
    return found


def ended(process: int) -> bool:
    """Tell whether a process is gone, or dead and not yet waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
