"""The parser as Markdown: the page of the command line in the documentation."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

from lehr.cli import GROUPS, HelpFormatter, build_parser

__all__ = ["markdown", "verbs"]

USAGE_WIDTH_CHARACTERS = 88
"""Width of a usage line, which must not depend on the terminal where the page is made."""


def verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of all verbs below a parser, each before those that follow it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield verb
                yield from verbs(verb)


def markdown() -> str:
    """Return a section for each verb: what it does, its usage, its arguments and options, an example."""
    parser = build_parser()
    lines = ["# Commands", "", parser.description or "", ""]
    titles = {names[0]: title for title, names in GROUPS.items()}
    for verb in verbs(parser):
        if title := titles.get(verb.prog.removeprefix("lehr ")):
            lines += [f"## {title[0].upper()}{title[1:]}", ""]
        lines += _section(verb)
    return "\n".join(lines)


def _section(verb: argparse.ArgumentParser) -> list[str]:
    verb.formatter_class = partial(HelpFormatter, width=USAGE_WIDTH_CHARACTERS)
    level = "#" * (verb.prog.count(" ") + 2)
    lines = [f"{level} `{verb.prog}`", "", verb.description or "", ""]
    if any(verbs(verb)):
        return lines
    lines += ["```text", verb.format_usage().strip(), "```", ""]
    for group in verb._action_groups:
        actions = [action for action in group._group_actions if action.dest != "help"]
        if actions:
            if group.title not in ("positional arguments", "options"):
                lines += [f"{str(group.title).capitalize()}:", ""]
            lines += ["| argument | meaning |", "| --- | --- |"]
            lines += [f"| {_words(action)} | {_meaning(verb, action)} |" for action in actions]
            lines.append("")
    *_, example = (verb.epilog or "").splitlines()
    return [*lines, "```console", f"$ {example.strip()}", "```", ""]


def _words(action: argparse.Action) -> str:
    formatter = HelpFormatter("")
    if not action.option_strings:
        return f"`{formatter._format_args(action, str(action.metavar or action.dest))}`"
    values = "" if action.nargs == 0 else f" {formatter._format_args(action, action.dest.upper())}"
    return ", ".join(f"`{name}{values}`" for name in action.option_strings)


def _meaning(verb: argparse.ArgumentParser, action: argparse.Action) -> str:
    meaning = verb._get_formatter()._expand_help(action) if action.help else ""
    needed = "; required" if action.required and action.option_strings else ""
    return f"{meaning}{needed}".replace("|", "\\|")
