"""Generate the documented default config and the JSON Schema from the pydantic models."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import yaml
from pydantic import BaseModel

from lehr.config.schema import Config
from lehr.config.space import AxisConfig

_HEADER = """\
# Every key with its default: the reproduction of the paper at full size.
# Generated from src/lehr/config by `python -m lehr.config`; do not edit. A config names only what differs.
# yaml-language-server: $schema=../schemas/config.schema.json
"""


def default_yaml() -> str:
    """Return the default config as YAML, each key with its description as a comment."""
    return _HEADER + "\n" + "\n".join(_lines(Config(), 0)) + "\n"


def _lines(section: BaseModel, depth: int) -> list[str]:
    pad, lines = "  " * depth, []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        comment = f"  # {field.description}" if field.description else ""
        if isinstance(value, AxisConfig):
            lines.append(f"{pad}{name}: {_flow(value.model_dump(mode='json'))}{comment}")
        elif isinstance(value, BaseModel):
            lines += [f"{pad}{name}:{comment}", *_lines(value, depth + 1)]
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            rows = [_flow(row.model_dump(mode="json", exclude_none=True)) for row in value]
            lines += [f"{pad}{name}:{comment}", *(f"{pad}  - {row}" for row in rows)]
        else:
            lines.append(f"{pad}{name}: {_flow(list(value) if isinstance(value, tuple) else value)}{comment}")
    return lines


def _flow(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000).strip()
    return text.removesuffix("...").strip()


def json_schema() -> str:
    """Return the JSON Schema of a config."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write both files below a repository root, or check that they are current."""
    parser = argparse.ArgumentParser(prog="python -m lehr.config", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    parser.add_argument("--root", type=Path, default=Path(), help="root of the repository (default: here)")
    options = parser.parse_args(arguments)
    files = {
        options.root / "workflow/config/default.yaml": default_yaml(),
        options.root / "workflow/schemas/config.schema.json": json_schema(),
    }
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if options.check:
        for path in stale:
            print(f"{path} is not current: run `python -m lehr.config`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
        print(f"wrote {path}")
    return 0
