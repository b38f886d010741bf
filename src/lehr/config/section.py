"""What all sections of a config have in common."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Fraction", "Positive", "Section", "differences"]

Dump = dict[str, Any]

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
        needed = any(field.is_required() for field in type(self).model_fields.values())
        default = None if needed else type(self)()
        usual = {} if default is None else default.model_dump(mode="json")
        text = json.dumps(_apart_from(self, self.model_dump(mode="json"), default, usual), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _apart_from(
    section: Section, own: dict[str, Any], default: Section | None, usual: dict[str, Any]
) -> dict[str, Any]:
    """Return what a dump of a section has that is not in that of a default: of sections in it their keys, else all."""
    kept: Dump = {}
    for key in own.keys() - section.undecisive:
        inner, other = getattr(section, key, None), getattr(default, key, None)
        value, before = own[key], usual.get(key)
        if isinstance(inner, Section) and isinstance(other, type(inner)) and isinstance(before, dict):
            different = _apart_from(inner, value, other, before)
            if different or value.keys() != before.keys():
                kept[key] = different
        elif key not in usual or value != before:
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
