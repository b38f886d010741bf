"""What the headings of columns say: quantity and unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["TEMPERATURE_UNITS", "TIME_UNITS", "Heading", "kind_of_unit", "parse_heading", "tidy_unit"]

Kind = Literal["cpn", "cp", "heat_flow"]
Quantity = Literal["temperature", "time"] | Kind

TEMPERATURE_UNITS = {"K": 0.0, "degC": ZERO_CELSIUS}
"""What to add to come to K."""

TIME_UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
"""What to multiply by to come to s."""

# A factor in the signal drops out of CpN, so that its unit only says what was measured.
_SIGNAL_UNITS: dict[str, Kind] = {
    "1": "cpn",
    **dict.fromkeys(
        ["W", "mW", "uW", "W/g", "mW/g", "mW/mg", "uW/mg", "W/kg", "uV", "mV", "uV/mg", "a.u."], "heat_flow"
    ),
    **dict.fromkeys(["J/K", "mJ/K", "J/g/K", "mJ/mg/K", "J/kg/K", "kJ/kg/K", "J/mol/K", "cal/g/K"], "cp"),
}

_SPELLINGS = {
    **{unit.lower(): unit for unit in (*TEMPERATURE_UNITS, *TIME_UNITS, *_SIGNAL_UNITS)},
    **dict.fromkeys(["°c", "ºc", "˚c", "\ufffdc", "c", "celsius", "grad c"], "degC"),
    **dict.fromkeys(["kelvin"], "K"),
    **dict.fromkeys(["sec", "second", "seconds", "sek"], "s"),
    **dict.fromkeys(["minute", "minutes"], "min"),
    **dict.fromkeys(["hour", "hours", "hr"], "h"),
    **dict.fromkeys(["", "-", "none", "dimensionless"], "1"),
}

_PATTERNS: tuple[tuple[Quantity, str], ...] = (
    ("cpn", r"\bcp_?n\b|\bc_?p\^n|^cpn|normali[sz]ed (specific )?heat capacity|d_?tf/d_?t"),
    ("cp", r"^c_?p\b|heat capacity|specific heat|w.rmekapazit"),
    ("heat_flow", r"heat ?flow|w.rmestrom|\bdsc\b|^hf\b|^value$|^wert$|^signal$"),
    ("temperature", r"temp|^t[srf]$|^t_?(sample|ref|furnace)"),
    ("time", r"\btime\b|\bzeit\b|^t$"),
)
# Columns that an instrument writes beside these and that are none of them.
_OTHERS = re.compile(
    r"deriv|ddsc|integral|baseline|modulat|reversing|\brate\b|\bmass\b|\btg\b|flow rate|set ?point|index"
)
_AS_A_WORD = re.compile(r"normali[sz]ed|endo|exo|smooth|corr|sample|original", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """A heading, taken apart.

    Attributes
    ----------
    text : str
        As it stands in the file.
    quantity : str or None
        "temperature", "time", "cpn", "cp" or "heat_flow"; None for anything else.
    unit : str or None
        As `tidy_unit` writes it if it is known, else as it stands in the file; None if there is none.
    sample : bool
        The temperature is that of the sample rather than of the furnace, the reference or the program.
    """

    text: str
    quantity: Quantity | None = None
    unit: str | None = None
    sample: bool = True


def tidy_unit(text: str) -> str | None:
    """Return the one spelling of a known unit, None for an unknown one.

    >>> tidy_unit("J/(g*°C)"), tidy_unit("W g^-1"), tidy_unit("µV/mg")
    ('J/g/K', 'W/g', 'uV/mg')
    """
    key = text.strip().strip("[]").lower().replace("µ", "u").replace("μ", "u").replace("⁻¹", "-1").replace("**", "^")
    if key in _SPELLINGS:
        return _SPELLINGS[key]
    key = re.sub(r"[ ·⋅*.]*\b([a-z°]+)\^?-1", r"/\1", key)  # W g-1
    numerator, *below = re.split(r"[/()·⋅*. ]+", key.replace("°c", "k").replace("degc", "k"))
    parts = ["k" if part == "c" else part for part in below if part]
    return _SPELLINGS.get("/".join([numerator, *parts])) or _SPELLINGS.get("/".join([numerator, *reversed(parts)]))


def kind_of_unit(unit: str) -> Kind | None:
    """Return what a signal in a known unit is; None for an unknown unit."""
    return _SIGNAL_UNITS.get(unit)


def parse_heading(text: str, unit_below: str = "") -> Heading:
    """Take a heading apart, such as "Temp./°C", "Heat Flow (Normalized) Q (W/g)" or "temperature_K".

    Parameters
    ----------
    text : str
        The heading.
    unit_below : str, optional
        What stands in a line of units below it.
    """
    text = text.strip().strip("\"'#").strip()
    name, unit = _split(text)
    unit = unit_below.strip().strip("[]()") or unit
    known = tidy_unit(unit) if unit is not None else None
    return Heading(
        text, _quantity(name, known), known or unit, not re.search(r"^tr$|ref|furn|prog|ofen|block|set", name.lower())
    )


def _split(text: str) -> tuple[str, str | None]:
    """Return name and unit of a heading."""
    if text.endswith((")", "]")):
        depth = 0
        for i in range(len(text) - 1, -1, -1):
            depth += (text[i] in ")]") - (text[i] in "([")
            if depth == 0:
                name, inner = text[:i].rstrip(" /"), text[i + 1 : -1]
                if tidy_unit(inner) is None and _AS_A_WORD.search(inner):
                    return text, None
                return name, inner
    for separator in ("/", ",", "_", " "):
        name, found, unit = text.partition(separator) if separator == "/" else text.rpartition(separator)
        # "cpn_1" is the first of several, and "..._K_per_min" ends with no unit of its own
        if name.strip() and (tidy_unit(unit) or "1") != "1" and found and not name.endswith(("_per", " per")):
            return name.strip(" ."), unit.strip()
    return text, None


def _quantity(name: str, unit: str | None) -> Quantity | None:
    """Return what a column holds. A unit says more than a name: t may be a time or a temperature."""
    low = name.lower().strip(" .*")
    if _OTHERS.search(low):
        return None
    if unit in TEMPERATURE_UNITS:
        return "temperature"
    if unit in TIME_UNITS:
        return "time"
    if name.strip() == "T":
        return "temperature"
    said = next((quantity for quantity, pattern in _PATTERNS if re.search(pattern, low)), None)
    of_unit = kind_of_unit(unit) if unit else None
    if of_unit in ("cp", "heat_flow") and said not in ("temperature", "time"):
        return of_unit
    return said
