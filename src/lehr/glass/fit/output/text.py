"""A fit, and a list of proposals, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lehr.glass.fit.diagnosis import FitStatus
from lehr.glass.quantities import (
    CELSIUS,
    COOLING_RATE,
    CPN,
    FICTIVE_TEMPERATURE,
    HEATING_RATE,
    INSTRUMENT,
    QUANTITIES,
    TEMPERATURE,
)
from lehr.glass.tnm import ZERO_CELSIUS
from lehr.study import Quantity

if TYPE_CHECKING:
    from lehr.glass.fit.design import Proposal
    from lehr.glass.fit.output.record import FitRecord
    from lehr.glass.fit.uncertainty.information import Bound

__all__ = ["proposals_table", "report", "value_and_error"]

_ERROR_DIGITS = 2  # of a standard error that are shown
_BY_NAME = {quantity.name: quantity for quantity in (*QUANTITIES, *INSTRUMENT)}

Ends = tuple[float | None, float | None]


def report(record: FitRecord) -> str:
    """Return a fit as text, with profile intervals if it has them."""
    lines = [f"{record.status}: {FitStatus[record.status.upper()].value}", ""]
    lines.append(f"{'':24}{'value':>12}{'std. error':>12}{'68 %':>26}{'95 %':>26}")
    single = [name for name in record.values if not name[-1].isdecimal()]
    for name in single:
        quantity, error = _BY_NAME[name], record.standard_errors[name]
        value = _number(quantity, record.values[name], error)
        size = "-" if error is None else f"{quantity.factor * error:.2g}"
        ends = "".join(f"{_interval(quantity, ends, error):>26}" for ends in record.intervals[name].values())
        lines.append(f"{quantity.heading:24}{value:>12}{size:>12}{ends}")
    if record.profile_intervals:
        lines += ["", f"{'profile intervals':48}{'68 %':>26}{'95 %':>26}"]
        for name, levels in record.profile_intervals.items():
            quantity, error = _BY_NAME[name], record.standard_errors[name]
            ends = "".join(f"{_interval(quantity, ends, error):>26}" for ends in levels.values())
            lines.append(f"{quantity.heading:48}{ends}")
    lines += ["", *_scans(record), *_values_by_scan(record)]
    ties = np.array(record.correlation.matrix, dtype=float)
    found = f"{record.points} points{_range(record)}, noise {record.noise:.2g} in {CPN.label}"
    ln_a, delta_h, x, beta = (quantity.label for quantity in QUANTITIES[:4])
    tied = f"correlation of {ln_a} and {delta_h} {ties[0, 1]:.5f}, of {x} and {beta} {ties[2, 3]:.3f}"
    effort = f"{record.starts} start{'s' * (record.starts > 1)}, {record.seconds:.2g} s"
    lines += ["", f"{found}; {tied}; {effort}"]
    notes = (f"note: {FitStatus[note.status.upper()].value}: {note.detail}" for note in record.notes)
    return "\n".join([*lines, *notes])


def value_and_error(quantity: Quantity, value: float, error: float | None) -> str:
    """Return a value and its standard error in the unit in which they are shown."""
    size = "?" if error is None else f"{quantity.factor * error:.2g}"
    return f"{_number(quantity, value, error)} ± {size} {quantity.shown_unit}".rstrip()


def proposals_table(now: Bound, proposals: Sequence[Proposal]) -> str:
    """Return what would be known at best after one more scan, as a table."""
    head = "".join(f"{quantity.heading:>14}" for quantity in QUANTITIES)
    lines = [f"{'one more scan':58}{'hours':>8}{head}"]
    for name, hours, bound in [("none", 0.0, now), *((each.name, each.hours, each.bound) for each in proposals)]:
        errors = (float(q.shown(error)) for q, error in zip(QUANTITIES, bound, strict=True))
        lines.append(f"{name:58}{hours:8.2g}" + "".join(f"{error:14.3g}" for error in errors))
    return "\n".join(lines)


def _scans(record: FitRecord) -> list[str]:
    """Return a table of the scans: rates, Tf' and residuals."""
    program = record.program.build()
    heads = [f"cooled, {COOLING_RATE.unit}", f"heated, {HEATING_RATE.unit}", FICTIVE_TEMPERATURE.heading]
    lines = [f"{'scan':>4}{''.join(f'{head:>15}' for head in heads)}{'std. error':>12}{'rms':>10}"]
    rms = [scan.rms for scan in record.scans] or [float("nan")] * len(program.cycles)
    rates = program.cooling_rates, program.heating_rates
    found = record.fictive_temperatures, record.fictive_temperature_errors
    for number, (cooled, heated, limit, error, rest) in enumerate(zip(*rates, *found, rms, strict=True), 1):
        before = "-" if np.isnan(cooled) else f"{cooled:g}"
        size = "-" if error is None else f"{error:.2g}"
        shown = "-" if np.isnan(rest) else f"{rest:.2g}"
        limit_text = _number(FICTIVE_TEMPERATURE, limit, error)
        lines.append(f"{number:4d}{before:>15}{heated:>15g}{limit_text:>15}{size:>12}{shown:>10}")
    return lines


def _values_by_scan(record: FitRecord) -> list[str]:
    """Return the parameters that each scan has of its own, from the least to the largest."""
    found: dict[str, list[float]] = {}
    for name, value in record.values.items():
        if name[-1].isdecimal():
            found.setdefault(_BY_NAME[name.rpartition("_")[0]].label, []).append(value)
    lines = [f"{label} {min(each):.2g} .. {max(each):.2g}" for label, each in found.items()]
    return ["", f"in {CPN.label}, and {CPN.label}/{TEMPERATURE.unit}, by scan: {', '.join(lines)}"] if lines else []


def _range(record: FitRecord) -> str:
    if not record.scans:
        return ""
    low = min(scan.lowest for scan in record.scans) - ZERO_CELSIUS
    high = max(scan.highest for scan in record.scans) - ZERO_CELSIUS
    return f" from {low:.1f} to {high:.1f} {CELSIUS.shown_unit}"


def _interval(quantity: Quantity, ends: Ends, error: float | None) -> str:
    return " .. ".join("open" if end is None else _number(quantity, end, error) for end in ends)


def _number(quantity: Quantity, value: float, error: float | None) -> str:
    """Return a value as it is shown, with as many decimals as its error has a meaning for."""
    value, error = quantity.factor * value, quantity.factor * (error or 0.0)
    if not error > 0:
        return f"{value:.6g}"
    decimals = int(np.clip(_ERROR_DIGITS - 1 - np.floor(np.log10(error)), 0, 9))
    return f"{value:.{decimals}f}"
