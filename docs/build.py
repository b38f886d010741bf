"""Put the pages of the docs site into a folder: those of docs/ and those that are made from the package.

`make docs` runs it before Zensical. The pages that are made are the commands, from the parser of `lehr`; the keys of a
config, from its models; and the quantities of each study.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic_core import PydanticUndefined

from lehr.cli import reference
from lehr.config.section import Section
from lehr.glass import quantities
from lehr.glass.config import GlassRun
from lehr.study import Quantity

DOCS = Path(__file__).parent


def cell(text: object) -> str:
    """Return text that a Markdown table can hold in one cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(*rows: tuple[object, ...]) -> str:
    """Return a Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]) + "\n"


def sections(kind: Any) -> list[type[Section]]:
    """Return the models of a config in a type: itself, or those in a union or a tuple."""
    if isinstance(kind, type) and issubclass(kind, Section):
        return [kind]
    return [model for part in get_args(kind) for model in sections(part)]


def keys(model: type[Section], above: str = "") -> Iterator[str]:
    """Yield a table of the keys of a section of a config, and one for each section below it."""
    fields, below = [("key", "default", "what it is")], []
    for name, field in model.model_fields.items():
        inner = sections(field.annotation)
        default = field.default
        if isinstance(default, Section) or (default is PydanticUndefined and inner):
            shown = "below"
        elif default is PydanticUndefined:
            shown = "see there" if field.default_factory else "required"
        else:
            shown = f"`{default!r}`" if not isinstance(default, tuple) or not inner else "see below"
        fields.append((f"`{above}{name}`", shown, field.description or ""))
        below += [(each, f"{above}{name}{'[].' if 'tuple' in str(field.annotation) else '.'}") for each in inner]
    yield table(*fields)
    for section, prefix in below:
        yield f"## {prefix.rstrip('.')}: {section.__name__}\n\n{(section.__doc__ or '').strip()}\n"
        yield from keys(section, prefix)


def quantity_rows() -> Iterator[tuple[object, ...]]:
    """Yield a row for each quantity of the glass study."""
    yield "name", "label", "unit", "shown in", "decimals", "of a sample", "type", "meaning"
    for quantity in (getattr(quantities, name) for name in quantities.__all__):
        if isinstance(quantity, Quantity):
            yield (
                f"`{quantity.name}`", quantity.label, quantity.unit, quantity.shown_unit, quantity.decimals,
                " × ".join(quantity.dims) or "one number", quantity.dtype, quantity.meaning,
            )  # fmt: skip


def generated() -> dict[str, str]:
    """Return the pages that are made from the package, by their paths."""
    return {
        "reference/cli.md": reference.markdown(),
        "reference/config.md": "# Keys of a config\n\nA config names what differs from these defaults. "
        "`lehr config my.yaml` checks one.\n\n" + "\n".join(keys(GlassRun)),
        "reference/quantities.md": "# Quantities\n\nNames in configs, files and Python; units of stored values.\n\n"
        "## The glass study\n\n" + table(*quantity_rows()),
    }


def main() -> None:
    """Fill the folder anew."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--to", type=Path, default=Path("build/docs"), metavar="DIR")
    to = parser.parse_args().to
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(DOCS, to, ignore=shutil.ignore_patterns("*.py", "__pycache__", "figures", "examples"))
    for name, text in generated().items():
        (to / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
