"""The ASCII export of PerkinElmer Pyris, which writes no units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lehr.glass.scans.table import Table

__all__ = ["with_pyris_units"]

_MARKS = re.compile(r"unsubtracted|heat flow calibration|uncorrected heat flow|program temperature", re.IGNORECASE)
_UNITS = {"time": "min", "heat_flow": "mW"}
_KELVIN_PROGRAM = re.compile(r"\d\s*K\b(?!/min)|\d\s*\(?K\)?\s*(to|and|at)\b")
_CELSIUS_PROGRAM = re.compile(r"\d\s*(°|º|\ufffd|deg\.?)\s*C|\d\s*C\b")


def with_pyris_units(table: Table, head: Sequence[str]) -> Table:
    """Return a table with min, degC and mW where Pyris names the columns and nothing names their units.

    Parameters
    ----------
    table : Table
        Any table; one of another program stays what it is.
    head : sequence of str
        The lines of the file above the first table; a program that is written there in K says that temperatures are.
    """
    if sum(bool(_MARKS.search(heading.text)) for heading in table.headings) < 2:
        return table
    text = "\n".join(head)
    kelvin = bool(_KELVIN_PROGRAM.search(text)) and not _CELSIUS_PROGRAM.search(text)
    units = {**_UNITS, "temperature": "K" if kelvin else "degC"}
    bare = [heading.quantity for heading in table.headings if heading.quantity in units and heading.unit is None]
    if not bare:
        return table
    found = [
        replace(heading, unit=units[str(heading.quantity)])
        if heading.quantity in units and heading.unit is None
        else heading
        for heading in table.headings
    ]
    kinds = [kind for kind in ("time", "temperature", "heat_flow") if kind in bare]
    note = f"units that Pyris does not write: {', '.join(f'{kind} in {units[kind]}' for kind in kinds)}"
    notes = table.notes if kinds == ["heat_flow"] else (*table.notes, note.replace("_", " "))
    return replace(table, headings=found, notes=notes)
