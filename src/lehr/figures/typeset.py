"""Numbers as a reader wants them: rounded, with units, in the notation of print."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import floor, isfinite, log10

from lehr.study import Quantity

__all__ = [
    "bias",
    "compact",
    "count",
    "difference",
    "duration",
    "error",
    "formula",
    "interval",
    "percent",
    "percents",
    "power",
    "ratio",
    "spread",
    "threshold",
    "value",
]

_NONE = "\N{EN DASH}"
_SPACE = "\N{NARROW NO-BREAK SPACE}"
_TIMES = f"{_SPACE}\N{MULTIPLICATION SIGN}"


def _typeset(number: float, decimals: int) -> str:
    text = f"{number:,.{decimals}f}".replace(",", _SPACE)
    return text.replace("-", "\N{MINUS SIGN}")


def _with_unit(text: str, quantity: Quantity) -> str:
    return f"{text}{_SPACE}{quantity.shown_unit}" if quantity.shown_unit else text


def value(quantity: Quantity, number: float) -> str:
    """Return a value of a quantity with its unit: 318443.9 J/mol is "318 kJ/mol"."""
    return _with_unit(_typeset(number * quantity.factor, quantity.decimals), quantity)


def error(quantity: Quantity, number: float | None, digits: int = 2) -> str:
    """Return an error of a quantity to so many significant digits, with its unit; "–" for none."""
    if number is None or not isfinite(number):
        return _NONE
    scaled = number * quantity.factor
    decimals = max(0, digits - 1 - floor(log10(scaled))) if scaled > 0 else 0
    return _with_unit(_typeset(scaled, min(decimals, 6)), quantity)


def ratio(number: float | None) -> str:
    """Return a factor with two digits: "12 ×"."""
    if number is None or not isfinite(number):
        return _NONE
    return _typeset(number, 1 if number < 9.95 else 0) + _TIMES


def percent(fraction: float) -> str:
    """Return a share in percent; what is not all is never rounded to 100 %, what is not nothing never to 0 %."""
    number = 100.0 * fraction
    if 0.0 < number < 0.05:
        return f"< 0.1{_SPACE}%"
    if 99.95 <= number < 100.0:
        return f"> 99.9{_SPACE}%"
    return f"{number:.0f}{_SPACE}%" if number in (0.0, 100.0) else f"{number:.1f}{_SPACE}%"


def percents(low: float, high: float) -> str:
    """Return a range of shares in percent: "97.1 to 98.4 %"."""
    ends = percent(low), percent(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0].removesuffix(f'{_SPACE}%')} to {ends[1]}"


def count(number: int) -> str:
    """Return an integer in groups of three digits."""
    return _typeset(number, 0)


def duration(seconds: float) -> str:
    """Return a time span in its two largest units: "2 h 05 min", "3 min 20 s", "4.2 s"."""
    if seconds < 60:
        return f"{seconds:.1f}{_SPACE}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}{_SPACE}min {whole % 60:02d}{_SPACE}s"
    minutes = round(seconds / 60)
    return f"{minutes // 60}{_SPACE}h {minutes % 60:02d}{_SPACE}min"


def formula(name: str) -> str:
    """Return the name of a substance with the numbers in its formula as subscripts."""
    digits = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return re.sub(r"(?<=[A-Za-z)])\d+", lambda match: match[0].translate(digits), name)


def compact(number: float) -> str:
    """Return a number as short as it is: 10.0 is "10"."""
    return f"{number:.4g}".replace("-", "\N{MINUS SIGN}")


def interval(quantity: Quantity, low: float, high: float) -> str:
    """Return a range of a quantity with its unit: "650 to 750 kJ/mol"."""
    return _with_unit(f"{compact(low * quantity.factor)} to {compact(high * quantity.factor)}", quantity)


def spread(numbers: Iterable[float | None]) -> str:
    """Return the smallest and the largest of some factors: "5.1 to 26"."""
    known = sorted(number for number in numbers if number is not None and isfinite(number))
    ends = [ratio(number).removesuffix(_TIMES) for number in known[:1] + known[-1:]]
    return " to ".join(dict.fromkeys(ends)) or _NONE


def threshold(quantity: Quantity, number: float) -> str:
    """Return a threshold as short as it is: 0.02, "10 kJ/mol"."""
    return _with_unit(compact(number * quantity.factor), quantity)


def difference(quantity: Quantity, number: float) -> str:
    """Return a difference with its sign: "+0.014"."""
    text = value(quantity, number)
    return text if text.startswith("\N{MINUS SIGN}") else f"+{text}"


def bias(quantity: Quantity, number: float | None) -> str:
    """Return a mean signed error to two significant digits, with its sign."""
    if number is None or not isfinite(number):
        return _NONE
    return ("\N{MINUS SIGN}" if number < 0 else "+") + error(quantity, abs(number))


def power(number: float | None) -> str:
    """Return a number over many decades with two digits: "3.1 × 10⁻⁵"."""
    if number is None or not isfinite(number):
        return _NONE
    if number == 0 or 0.01 <= abs(number) < 1000:
        return compact(float(f"{number:.2g}"))
    digits, exponent = f"{number:.1e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits}{_TIMES}{_SPACE}10{raised}"
