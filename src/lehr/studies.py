"""All studies: what a config file may be a run of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lehr.config import load_yaml
from lehr.errors import LehrError
from lehr.glass.config import GlassRun
from lehr.glass.source import GlassSource
from lehr.study import Source

__all__ = ["AnyRun", "load_run", "load_source"]

AnyRun = GlassRun
"""The runs of all studies, told apart by `study`; a second one makes this a union."""


def load_run(path: str | Path) -> AnyRun:
    """Read a config file.

    Raises
    ------
    LehrError
        If the file is missing or is not a YAML mapping, or a key is misspelt, missing or out of range. The message
        names the file, the key and the value.
    """
    return load_yaml(path, AnyRun, "workflow/config/default.yaml shows all keys with their defaults.")


def load_source(about: dict[str, Any]) -> Source:
    """Return the source of a store, by what the store says of itself; see `lehr.store.read_about`.

    Raises
    ------
    LehrError
        If this version does not know the study, or what it was made with.
    """
    if about["study"] != "glass":
        raise LehrError(f"a store of the study {about['study']}, which this version does not know", "Update lehr.")
    return GlassSource.of(about["values"])
