"""Read and check a config file."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from lehr.config.schema import Config
from lehr.errors import LehrError


def load_config(path: str | Path) -> Config:
    """Read a config file.

    Raises
    ------
    LehrError
        If the file is missing or is no YAML mapping, or a key is misspelt, missing or out of range. The message
        names the file, the key and the value.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LehrError(f"{path}: cannot read the config: {error.strerror}", "Check the path.") from None
    except UnicodeDecodeError:
        raise LehrError(f"{path}: the config is not a UTF-8 text file", "Check the path.") from None
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise LehrError(f"{path}: not valid YAML: {error}", "Correct the line.") from None
    if not isinstance(content, dict):
        raise LehrError(f"{path}: a config is a mapping of keys", "workflow/config/default.yaml shows all of them.")
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problems: list[dict[str, Any]] = [dict(problem) for problem in error.errors(include_url=False)]
        # pydantic drops bad items of a list and then complains of its length as well
        bad_items = {problem["loc"][:1] for problem in problems if problem["type"] != "too_short"}
        kept = [p for p in problems if p["type"] != "too_short" or p["loc"][:1] not in bad_items]
        lines = [_describe(problem) for problem in kept]
        raise LehrError(
            f"{path}: " + (f"\n{path}: ".join(lines)),
            "workflow/config/default.yaml shows all keys with their defaults.",
        ) from None


def _describe(problem: dict[str, Any]) -> str:
    """Make one line of one of pydantic's error records."""
    location = problem["loc"]
    key = ".".join(str(part) for part in location) or "config"
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(str(location[-1]), _keys_beside(location), n=1)
        return f"{key}: no such key" + (f"; did you mean '{near[0]}'?" if near else "")
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] in ("missing", "value_error"):
        return f"{key}: {message}"
    return f"{key}: {message} (it is {problem['input']!r})"


def _keys_beside(location: tuple[object, ...]) -> list[str]:
    """Return the keys that the section of a misspelt key has."""
    section: type[BaseModel] = Config
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[str(part)].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        section = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(section.model_fields)
