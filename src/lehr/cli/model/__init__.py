"""``lehr model``."""

from __future__ import annotations

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "VERBS"]

ABOUT = "show the network of a config"
DETAILS = ""
EXAMPLE = "lehr model summary workflow/config/demo.yaml"
VERBS = ("summary",)
