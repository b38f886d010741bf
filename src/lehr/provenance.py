"""Which code made a result."""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata, resources
from typing import Any

__all__ = ["code", "packages"]


@cache
def code() -> dict[str, Any]:
    """Return the version of lehr, the digest of the code that decides the numbers of a data set, and the git state.

    The digest covers the compiled kernel, the physics, the state space and the rounding of the signals; it and the git
    state were written when lehr was built. They are None where lehr runs from a source tree.
    """
    try:
        built = json.loads((resources.files("lehr") / "build.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        built = {"numerics": None, "git": None}
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
