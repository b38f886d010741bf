"""What all sections of a config have in common."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Fraction", "Positive", "Section", "apart_from", "differences"]

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A mapping of known keys that does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    inline: ClassVar[bool] = False
    """Whether the generated default config writes the section on one line."""

    undecisive: ClassVar[frozenset[str]] = frozenset()
    """Keys on which no result depends; a digest leaves them out."""

    def digest(self) -> str:
        """Hash of what differs from the defaults, 16 hexadecimal digits; equal content has equal digests.

        A new key whose default means "as before" changes no digest. A changed default changes none either: what a
        result was made with is compared value by value, see `differences`, and a digest only tells Snakemake what a
        user has changed.
        """
        own, default = self.model_dump(mode="json", exclude=set(self.undecisive)), type(self)._defaults()
        text = json.dumps(apart_from(own, default), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """Return what a section says in which nothing is written; empty where something must be."""
        if any(field.is_required() for field in cls.model_fields.values()):
            return {}
        return cls().model_dump(mode="json")


def apart_from(values: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """Return the values that are not those of a default, at any depth."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if key in default and isinstance(value, dict) and isinstance(default[key], dict):
            inner = apart_from(value, default[key])
            if inner or value.keys() != default[key].keys():
                kept[key] = inner
        elif key not in default or value != default[key]:
            kept[key] = value
    return kept


def differences(made_with: dict[str, Any], wanted: dict[str, Any], prefix: str = "") -> list[str]:
    """Name the keys in which two configs differ, with both values."""
    found = []
    for key in sorted(made_with.keys() | wanted.keys()):
        old, new, name = made_with.get(key), wanted.get(key), f"{prefix}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{name}.")
        elif old != new:
            found.append(f"{name}: {old} -> {new}")
    return found
