"""``lehr estimator``."""

from __future__ import annotations

__all__ = ["ABOUT", "DETAILS", "EXAMPLE", "VERBS"]

ABOUT = "the network that estimates a glass from its scans"
DETAILS = ""
EXAMPLE = "lehr estimator train workflow/config/estimator.yaml"
VERBS = ("train",)
