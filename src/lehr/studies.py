"""All studies: what a config file may be a run of."""

from __future__ import annotations

from pathlib import Path

from lehr.config import load_yaml
from lehr.glass.config import GlassRun

__all__ = ["AnyRun", "load_run"]

AnyRun = GlassRun
"""The runs of all studies, told apart by `study`; a second one makes this a union."""


def load_run(path: str | Path) -> AnyRun:
    """Read a config file.

    Raises
    ------
    LehrError
        If the file is missing or is no YAML mapping, or a key is misspelt, missing or out of range. The message
        names the file, the key and the value.
    """
    return load_yaml(path, AnyRun, "workflow/config/default.yaml shows all keys with their defaults.")
