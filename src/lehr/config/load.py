"""Read and check the YAML files that a user writes."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from lehr.errors import LehrError

__all__ = ["load_yaml", "validated"]

Model = TypeVar("Model", bound=BaseModel)


def load_yaml(path: str | Path, model: type[Model], then: str) -> Model:
    """Read a YAML file as a section.

    Parameters
    ----------
    path : str or Path
        The file.
    model : type
        What it must hold.
    then : str
        Where a user finds what may be written.

    Raises
    ------
    LehrError
        If the file is missing or is not a YAML mapping, or a key is misspelt, missing or out of range. The message
        names the file, the key and the value.
    """
    path = Path(path)
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
    return validated(content, model, str(path), then)


def validated(content: dict[str, Any], model: type[Model], source: str, then: str) -> Model:
    """Return a mapping as a section; `source` is where it comes from.

    Raises
    ------
    LehrError
        As `load_yaml`.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems: list[dict[str, Any]] = [dict(problem) for problem in error.errors(include_url=False)]
        # pydantic drops bad items of a list and then complains of its length as well
        bad_items = {problem["loc"][:1] for problem in problems if problem["type"] != "too_short"}
        kept = [p for p in problems if p["type"] != "too_short" or p["loc"][:1] not in bad_items]
        # and of the subsets that it cannot take from bad models
        kept = [p for p in kept if p["type"] != "default_factory_not_called"]
        lines = [_describe(problem, model) for problem in kept]
        raise LehrError(f"{source}: " + f"\n{source}: ".join(lines), then) from None


def _describe(problem: dict[str, Any], model: type[BaseModel]) -> str:
    """Make one line of one of pydantic's error records."""
    misspelt = problem["type"] == "extra_forbidden"
    written, beside = _resolve(problem["loc"], model)
    key = ".".join([*written, str(problem["loc"][-1])] if misspelt else written) or "file"
    if misspelt:
        near = get_close_matches(str(problem["loc"][-1]), beside, n=1)
        return f"{key}: no such key" + (f"; did you mean '{near[0]}'?" if near else "")
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] in ("missing", "value_error"):
        return f"{key}: {message}"
    return f"{key}: {message} (it is {problem['input']!r})"


def _resolve(location: tuple[str | int, ...], model: type[BaseModel]) -> tuple[list[str], list[str]]:
    """Return the keys that lead to a problem as the user wrote them, and those that its section may have.

    Pydantic adds the names of the members of a union; they are not keys of a section.
    """
    written: list[str] = []
    sections = [model]
    for part in location:
        fields = [section.model_fields[part] for section in sections if part in section.model_fields]
        if fields:
            sections = [found for field in fields for found in _sections_in(field.annotation)] or sections
        if fields or isinstance(part, int):
            written.append(str(part))
    return written, [name for section in sections for name in section.model_fields]


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections that an annotation names, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _sections_in(argument)]
