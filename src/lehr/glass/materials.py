"""Published TNM parameters of real glasses, shipped with the package."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

from lehr.errors import LehrError
from lehr.glass.tnm.parameters import GAS_CONSTANT, TNMParameters

__all__ = ["Material", "load_materials", "material"]


@dataclass(frozen=True)
class Material:
    """A row of the table.

    Attributes
    ----------
    name : str
        The glass and the property that was measured.
    parameters : TNMParameters
        Published values.
    source : str
        Where they were found.
    certainty : str
        "read" if the source was read; otherwise check before quoting.
    """

    name: str
    parameters: TNMParameters
    source: str
    certainty: str


def load_materials() -> dict[str, Material]:
    """Return all rows by name, in the order of the table."""
    text = files("lehr.glass").joinpath("materials.csv").read_text(encoding="utf-8")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        parameters = TNMParameters(
            float(row["ln_A"]),
            float(row["delta_h_over_R_K"]) * GAS_CONSTANT,
            float(row["x"]),
            float(row["beta"]),
        )
        table[row["material"]] = Material(row["material"], parameters, row["source"], row["certainty"])
    return table


def material(name: str) -> Material:
    """Return one row.

    A name without its property in brackets is enough: "As2Se3" is the first row that starts so.

    Raises
    ------
    LehrError
        If the table has no such glass.
    """
    table = load_materials()
    for key, row in table.items():
        if name in (key, key.split(" (")[0]):
            return row
    raise LehrError(f"no glass '{name}' in the table of materials", f"It has: {', '.join(table)}.")
