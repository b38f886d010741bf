"""The documented default config and the JSON Schema, generated from the pydantic models."""

from __future__ import annotations

import json

import yaml
from pydantic import BaseModel

from lehr.config.run import Run
from lehr.config.section import Section

__all__ = ["default_yaml", "json_schema"]


def default_yaml(run: Run) -> str:
    """Return a config as YAML, each key with its description as a comment."""
    return "\n".join(_lines(run, 0)) + "\n"


def _lines(section: BaseModel, depth: int) -> list[str]:
    pad, lines = "  " * depth, []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        comment = f"  # {field.description}" if field.description else ""
        if isinstance(value, Section) and value.inline:
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


def json_schema(run: type[Run]) -> str:
    """Return the JSON Schema of a config."""
    return json.dumps(run.model_json_schema(), indent=2) + "\n"
