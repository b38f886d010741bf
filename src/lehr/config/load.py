"""Read and check the YAML files that a user writes."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from lehr.config.program import ProgramFile
from lehr.config.schema import Config
from lehr.errors import LehrError
from lehr.physics import ThermalProgram

Model = TypeVar("Model", bound=BaseModel)


def load_config(path: str | Path) -> Config:
    """Read a config file.

    Raises
    ------
    LehrError
        If the file is missing or is no YAML mapping, or a key is misspelt, missing or out of range. The message
        names the file, the key and the value.
    """
    return _load(Path(path), Config, "workflow/config/default.yaml shows all keys with their defaults.")


def load_program(path: str | Path) -> ThermalProgram:
    """Read a thermal program from a file; see docs/programs.md.

    Raises
    ------
    LehrError
        As `load_config`, or if the program is not possible.
    """
    return _load(Path(path), ProgramFile, "docs/programs.md shows how a program is written.").build()


def _load(path: Path, model: type[Model], then: str) -> Model:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LehrError(f"{path}: cannot read the file: {error.strerror}", "Check the path.") from None
    except UnicodeDecodeError:
        raise LehrError(f"{path}: this is not a UTF-8 text file", "Check the path.") from None
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise LehrError(f"{path}: not valid YAML: {error}", "Correct the line.") from None
    if not isinstance(content, dict):
        raise LehrError(f"{path}: the file must be a mapping of keys", then)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems: list[dict[str, Any]] = [dict(problem) for problem in error.errors(include_url=False)]
        # pydantic drops bad items of a list and then complains of its length as well
        bad_items = {problem["loc"][:1] for problem in problems if problem["type"] != "too_short"}
        kept = [p for p in problems if p["type"] != "too_short" or p["loc"][:1] not in bad_items]
        lines = [_describe(problem, model) for problem in kept]
        raise LehrError(f"{path}: " + f"\n{path}: ".join(lines), then) from None


def _describe(problem: dict[str, Any], model: type[BaseModel]) -> str:
    """Make one line of one of pydantic's error records."""
    location = problem["loc"]
    key = ".".join(str(part) for part in location) or "file"
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(str(location[-1]), _keys_beside(location, model), n=1)
        return f"{key}: no such key" + (f"; did you mean '{near[0]}'?" if near else "")
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] in ("missing", "value_error"):
        return f"{key}: {message}"
    return f"{key}: {message} (it is {problem['input']!r})"


def _keys_beside(location: tuple[object, ...], model: type[BaseModel]) -> list[str]:
    """Return the keys that the section of a misspelt key has."""
    section = model
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[str(part)].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        section = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(section.model_fields)
