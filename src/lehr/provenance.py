"""Which code made a result."""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata, resources
from typing import Any

__all__ = ["code", "packages"]


@cache
def code() -> dict[str, Any]:
    """Return the version of lehr and the git state it was built from, None where it runs from a source tree.

    Neither decides whether results belong together: that is what `numerics` of a study's source is for.
    """
    try:
        built = json.loads((resources.files("lehr") / "build.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        built = {"git": None}
    return {"version": metadata.version("lehr"), **built}


def packages(*names: str) -> dict[str, str]:
    """Return the versions of those of the named distributions that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
