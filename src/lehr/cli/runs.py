"""How commands are told which trained networks they are about."""

from __future__ import annotations

import argparse

__all__ = ["add_model_choice", "add_paths"]


def add_paths(command: argparse.ArgumentParser) -> None:
    """Take configs and run folders; `lehr.evaluation.references` says what they stand for."""
    command.add_argument("path", metavar="PATH", nargs="+", help="YAML file, or the run folder of a model")


def add_model_choice(command: argparse.ArgumentParser) -> None:
    """Let some models of a config be chosen."""
    command.add_argument(
        "--model",
        metavar="NAME",
        action="append",
        default=[],
        help="only this model of a config file; may be given several times",
    )
