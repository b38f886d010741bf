"""``lehr dataset``: the verbs of the signal store, one file each."""

from __future__ import annotations

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "VERBS"]

ABOUT = "plan, make, check and export the signals of a config"
DETAILS = "docs/reference/format.md says what is made."
EXAMPLE = "lehr dataset plan workflow/config/demo.yaml"
VERBS = ("plan", "init", "generate", "finalise", "inspect", "verify", "export")
