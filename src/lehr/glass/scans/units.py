"""What the headings of columns say: quantity and unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lehr.glass.tnm import ZERO_CELSIUS

__all__ = [
    "CLOCK_UNIT",
    "TEMPERATURE_UNITS",
    "TIME_UNITS",
    "Direction",
    "Heading",
    "direction",
    "is_unit",
    "kind_of_unit",
    "parse_heading",
    "tidy_unit",
]

Direction = Literal["up", "down"]
Kind = Literal["cpn", "cp", "heat_flow"]
Quantity = Literal["temperature", "time"] | Kind

TEMPERATURE_UNITS = {"K": 0.0, "degC": ZERO_CELSIUS}
"""What to add to come to K."""

TIME_UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
"""What to multiply by to come to s."""

CLOCK_UNIT = "hh:mm:ss"
"""Of columns that are read as s if clock times stand in them."""

# A factor in the signal drops out of CpN, so that its unit only says what was measured.
_HEAT_FLOWS = [f"{prefix}{power}" for power in ("W", "W/g", "W/mg", "W/kg") for prefix in ("", "m", "u", "n", "k")]
_HEAT_FLOWS += [f"{prefix}{heat}" for heat in ("J/s", "cal/s", "cal/s/g", "cal/s/mg", "J/s/g") for prefix in ("", "m")]
_HEAT_FLOWS += ["W/mol", "mW/mol", "cal/min", "cal/g/s", "mcal/mg/s", "uV", "mV", "uV/mg", "mV/mg", "uV/g", "a.u."]
_HEAT_CAPACITIES = [
    "J/K",
    "mJ/K",
    "uJ/K",
    "nJ/K",
    "J/g/K",
    "mJ/g/K",
    "mJ/mg/K",
    "J/mg/K",
    "J/kg/K",
    "kJ/kg/K",
    "kJ/g/K",
]
_HEAT_CAPACITIES += ["J/mol/K", "kJ/mol/K", "cal/g/K", "mcal/mg/K", "cal/mol/K", "cal/K", "mcal/K", "J/cm^3/K"]
_SIGNAL_UNITS: dict[str, Kind] = {
    "1": "cpn",
    **dict.fromkeys(_HEAT_FLOWS, "heat_flow"),
    **dict.fromkeys(_HEAT_CAPACITIES, "cp"),
}

_SPELLINGS = {
    **{unit.lower(): unit for unit in (*TEMPERATURE_UNITS, *TIME_UNITS, CLOCK_UNIT, *_SIGNAL_UNITS)},
    **dict.fromkeys(["c", "cel", "celsius", "grad c", "grad celsius", "degrees c", "degree c"], "degC"),
    **dict.fromkeys(["degrees celsius", "degree celsius", "deg celsius", "deg.c", "deg. c", "deg c", "deg-c"], "degC"),
    **dict.fromkeys(["kelvin", "deg k", "degk", "°k"], "K"),
    **dict.fromkeys(["sec", "sec.", "secs", "second", "seconds", "sek", "sek.", "sekunde", "sekunden"], "s"),
    **dict.fromkeys(["min.", "mins", "minute", "minutes", "minuten"], "min"),
    **dict.fromkeys(["hour", "hours", "hr", "hrs", "std", "stunden"], "h"),
    **dict.fromkeys(["msec", "millisecond", "milliseconds"], "ms"),
    **dict.fromkeys(["h:m:s", "h:mm:ss", "hms", "hh:mm:ss.0", "hh:mm:ss.f", "hh:mm:ss.s", "[h]:mm:ss"], CLOCK_UNIT),
    **dict.fromkeys(["", "-", "none", "dimensionless", "[-]"], "1"),
}

# What units of other quantities are made of, such as mL/min, 1/K or uV/mW.
_ATOM = (
    r"(?:%|1|[mun]?[wvajgnlm]|[mkcd]m|kw|kv|kj|kg|[mkgh]?pa|m?bar|torr|psi|[mk]?hz|mol|m?cal|[mu]?s|min|h|k|c"
    r"|°c|deg ?c|oc|rad|deg|°|scc?m|ohm|rh|ppm|rpm|cm3|m3)"
)
_OTHER_UNIT = re.compile(rf"{_ATOM}(?:\^?[-23]*1?\)?[/()*. ]+{_ATOM})*(?:\^?-?[123])?\)?")

_PATTERNS: tuple[tuple[Quantity, str], ...] = (
    ("cpn", r"\bcp ?n\b|\bc ?p\^n|^cpn|normali[sz]ed (specific )?heat capacity|d ?tf/d ?t"),
    ("cp", r"^(total |spec\w*\.? |app\w*\.? )?c ?p\b|heat ?capacity|specific ?heat|w.{1,2}rmekapazit"),
    (
        "heat_flow",
        r"heat ?flow|w.{1,2}rmestrom|w.{1,2}rmeflu|\bdsc\b|^hf\b|^(value|wert|valeur|valor|valore|signal)$|热流",
    ),
    ("temperature", r"temp(?!o\b|os?\b|s\b)|^t ?[srf]$|^t ?(sample|ref|furnace|prog)|\u6e29\u5ea6|\u6eab\u5ea6"),
    ("time", r"\btime\b|\bzeit\b|^t$|^temps$|^tempo$|^tiempo$|\u65f6\u95f4|\u6642\u9593"),
)

# Columns that an instrument writes beside these and that are none of them, whatever their unit.
_OTHERS = re.compile(
    r"deriv|ddsc|\bddt|d/dt|/dt\b|ableitung|integral|\barea\b|fl.{1,2}che|baseline(?!.{0,3}(corr|subtr))|basislinie"
    r"|\brev|non.?rev|nicht.?rev|reversi|kinetic|complex|in.phase|out.of|\bphase\b|amplitude|frequen|period"
    r"|calibration|kalibrier|sensit|empfindl|\bmass\b(?!.{0,2}(norm|spec))|\bmasse\b|weight|gewicht|\bd?tga?\b|\bdma\b"
    r"|\bdl\b|dl/l|length|expansion|(?<!heat )(?<!heat)(?<!w.rme)\bflow\b|purge|\bgas\b|pressure|druck|humidity"
    r"|(?<!flow )\brate\b|ramp|index|^no\.?$|^nr\.?$|\bsegment\b(?!.*(time|temp))|\bcycle\b"
    r"|\berr(or)?\b|uncertain|std\.?dev"
    r"|\bsigma\b|resid|delta|\u0394|difference|lag\b|offset|\bempty\b|blank|sapphire|conver|\bforce\b|strain|stress"
    r"|constant|heater (power|voltage|current|pwm|output)|voltage|frequency|enthalp|\blid\b.*(pos|open)|\bevent\b",
)
# Of several columns of one kind: the first that fits says how much a column is to be preferred, 0 most.
_SIGNAL_RANKS = (
    (4, r"\bmodulated|\bmod\b"),
    (3, r"uncorr|unkorr|\bt1\b"),
    (2, r"unsub|\braw\b|roh|\bt4\b"),
    (1, r"smooth|filter|gl.{1,2}tt"),
)
_OTHER_THERMOMETER = re.compile(
    r"^t ?(r|f|c|0|ref|furnace|prog|set|cell|block|heater)\b|t.?zero|\bt0\b|heater|heiz|flange|flansch|furn|ofen|oven"
    r"|prog|refer|\bref\b|\bcell\b|zelle|\bset|soll|block|jacket|sink|cool|\bcase\b|ambient|\bbase\b|\bbody\b|\bcold\b"
    r"|room|environ|stage|nominal|command|demand|target|modulat|\bmod\b|\blid\b|electronic|purge|\bbath\b|chamber"
)
_SAMPLE_THERMOMETER = re.compile(r"sample|prob|specimen|^t ?s$")

_AS_A_WORD = re.compile(r"normali[sz]ed|endo|exo|smooth|corr|sample|original|total|modulated|raw", re.IGNORECASE)
_DIRECTION = re.compile(
    r"\b(endo|exo)[a-z]*\W{0,3}(up|down|oben|unten)\b|([\^\u2191])\s?(endo|exo)|(endo|exo)\s?([\^\u2191])",
    re.IGNORECASE,
)


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
    rank : int
        Of several columns of one quantity, that of the lowest rank is taken: the temperature of the sample (0) or one
        without more words (1) rather than that of a furnace, a reference or a program (2).
    other : bool
        The heading says that this is none of these quantities, such as a mass or a calibration.
    endotherm : {"up", "down"} or None
        Direction of endothermic effects, if the heading says it.
    """

    text: str
    quantity: Quantity | None = None
    unit: str | None = None
    rank: int = 0
    other: bool = False
    endotherm: Direction | None = None


def tidy_unit(text: str) -> str | None:
    """Return the one spelling of a known unit, None for an unknown one.

    >>> tidy_unit("J/(g*°C)"), tidy_unit("W g^-1"), tidy_unit("µV/mg")
    ('J/g/K', 'W/g', 'uV/mg')
    """
    key = _plain(_without_direction(text).strip().strip("[]"))
    key = re.sub(r"^(?:deg(?:rees?|\.)?|o|>) ?c$", "degc", key)
    if key in _SPELLINGS:
        return _SPELLINGS[key]
    key = re.sub(r"deg(?:\.|rees?)? ?c(?:elsius)?\b|\bo ?c\b|\bcel\b", "k", key)
    key = re.sub(r"(?<=[a-z])\^?\(?-1\)?(?=[a-z])", "^-1 ", key)  # Jg^-1K^-1
    key = re.sub(r"^(m?j|cal|m?w|uw|uv)(m?g|kg)(?=[\^-])", r"\1 \2", key)
    key = re.sub(r"[ *.-]*(?<![a-z])([a-z]+)\^?\{?\(?-1\)?\}?", r"/\1", key)  # W g-1
    numerator, *below = re.split(r"[/()* .-]+", key)
    parts = [piece for part in below if part for piece in _PARTS.get(part, (part,))]
    parts = ["k" if part == "c" else part for part in parts]
    for order in (parts, parts[::-1], sorted(parts, key=lambda part: part in ("k", "s"))):
        if found := _SPELLINGS.get("/".join([numerator, *order])):
            return found
    return None


# Ways to write a sign, in lower case; the degree sign comes in as many as there are encodings.
_SIGNS = (
    ("\u2103", "degc"),
    *((f"{sign} c", "degc") for sign in ("\u00b0", "\u00ba", "\u02da")),
    *((f"{sign}c", "degc") for sign in ("\u00e2\u00b0", "\u00c2\u00b0", "\u00b0", "\u00ba", "\u02da", "\ufffd")),
    ("\u00b5", "u"),
    ("\u03bc", "u"),
    ("\u207b\u00b9", "-1"),
    ("\u2212", "-"),
    ("**", "^"),
    *((dot, "*") for dot in ("\u00b7", "\u22c5", "\u2219", "\u2022", "\u00d7")),
)
# Units that were written without a sign between them.
_PARTS = {f"{mass}{degree}": (mass, "k") for mass in ("g", "kg", "mg", "mol") for degree in ("k", "c", "degc")}


def kind_of_unit(unit: str) -> Kind | None:
    """Return what a signal in a known unit is; None for an unknown unit."""
    return _SIGNAL_UNITS.get(unit)


def direction(text: str) -> Direction | None:
    """Return the direction of endothermic effects that a text names, such as "exo up"."""
    found = _DIRECTION.search(text)
    if not found:
        return None
    words = found.group().lower()
    points_up = "down" not in words and "unten" not in words
    return "up" if points_up == ("endo" in words) else "down"


def _without_direction(text: str) -> str:
    """Take "exo up" out of a heading or a unit, where it leaves nothing but brackets these too."""
    if not _DIRECTION.search(text):
        return text
    rest = re.sub(r"[(\[]\s*[)\]]", "", _DIRECTION.sub("", text))
    return re.sub(r"[\s,;]+(?=[)\]]|$)", "", rest).strip()


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
    # a unit alone is not a name with a unit: uV/mW is not a heat flow in mW
    name, unit = (text, None) if _is_other_unit(text) else _split(_without_direction(text) or text)
    below = _without_direction(unit_below.strip())
    if below[:1] + below[-1:] in ("[]", "()"):
        below = below[1:-1]
    unit = below or unit
    known = tidy_unit(unit) if unit is not None else None
    low = name.lower().replace("_", " ").strip(" .*")
    quantity, other = _quantity(name.strip(), low, unit, known)
    rank = 0
    if quantity == "temperature":
        rank = 2 if _OTHER_THERMOMETER.search(low) else 0 if _SAMPLE_THERMOMETER.search(low) else 1
    elif quantity in ("cp", "heat_flow"):
        rank = next((rank for rank, pattern in _SIGNAL_RANKS if re.search(pattern, low)), 0)
    return Heading(text, quantity, known or unit, rank, other, direction(f"{text} {unit_below}"))


def _split(text: str) -> tuple[str, str | None]:
    """Return name and unit of a heading."""
    if text.endswith((")", "]")):
        depth = 0
        for i in range(len(text) - 1, -1, -1):
            depth += (text[i] in ")]") - (text[i] in "([")
            if depth == 0:
                name, inner = text[:i].rstrip(" /"), text[i + 1 : -1]
                if not name:
                    break
                if is_unit(inner):
                    return name, inner
                if _AS_A_WORD.search(inner):
                    before, unit = _split(name)
                    return (f"{before} {inner}", unit) if unit is not None else (text, None)
                return name, inner
    for separator in ("/", ",", "_", " "):
        name, found, unit = text.partition(separator) if separator == "/" else text.rpartition(separator)
        # "cpn_1" is the first of several, and "..._K_per_min" ends with no unit of its own
        named = name.strip() and found and not name.endswith(("_per", " per"))
        if named and (
            (tidy_unit(unit) or "1") != "1" or (separator == "/" and _OTHER_UNIT.fullmatch(unit.strip(" ()[]")))
        ):
            return name.strip(" ."), unit.strip()
    return text, None


def is_unit(text: str) -> bool:
    """Tell whether a text is a unit, be it one of another quantity."""
    return tidy_unit(text) is not None or _is_other_unit(text)


def _is_other_unit(text: str) -> bool:
    return bool(_OTHER_UNIT.fullmatch(_plain(text).strip("()[] ")))


def _plain(text: str) -> str:
    """Return a unit in lower case with one spelling of each sign."""
    key = text.strip().lower().replace("_", " ")
    for written, meant in _SIGNS:
        key = key.replace(written, meant)
    return key


def _quantity(name: str, low: str, written: str | None, unit: str | None) -> tuple[Quantity | None, bool]:
    """Return what a column holds, and whether it is none of what is looked for.

    A unit says more than a name: t may be a time or a temperature.
    """
    if _OTHERS.search(low):
        return None, True
    if unit in TEMPERATURE_UNITS:
        return "temperature", False
    if unit in TIME_UNITS or unit == CLOCK_UNIT:
        return "time", False
    if unit is None and written is not None and _is_other_unit(written):
        return None, True
    if name == "T":
        return "temperature", False
    said = next((quantity for quantity, pattern in _PATTERNS if re.search(pattern, low)), None)
    of_unit = kind_of_unit(unit) if unit else None
    if of_unit in ("cp", "heat_flow") and said not in ("temperature", "time"):
        return of_unit, False
    return said, False
