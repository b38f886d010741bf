"""A fit, and a list of proposals, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import expm1, isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from lehr.glass.fit.diagnosis import FitStatus
from lehr.glass.quantities import (
    CELSIUS,
    COOLING_RATE,
    CPN,
    FICTIVE_TEMPERATURE,
    HEATING_RATE,
    HOLD_TEMPERATURE_ERROR,
    INSTRUMENT,
    QUANTITIES,
    STATED,
    TEMPERATURE,
)
from lehr.glass.tnm import ZERO_CELSIUS, TNMParameters
from lehr.study import Quantity

if TYPE_CHECKING:
    from lehr.glass.fit.design import Proposal
    from lehr.glass.fit.output.record import FitRecord
    from lehr.glass.fit.uncertainty.information import Bound

__all__ = ["proposals_table", "report", "value_and_error"]

_ERROR_DIGITS = 2  # of a standard error that are shown
_BY_NAME = {quantity.name: quantity for quantity in (*QUANTITIES, *INSTRUMENT, *STATED)}

Ends = tuple[float | None, float | None]


def report(record: FitRecord) -> str:
    """Return a fit as text, with profile intervals if it has them."""
    lines = [f"{record.status}: {FitStatus[record.status.upper()].value}", ""]
    lines.append(f"{'':24}{'value':>12}{'std. error':>12}{'68 %':>26}{'95 %':>26}")
    single = [name for name in record.values if not name[-1].isdecimal()]
    for name in single:
        quantity, error = _BY_NAME[name], record.standard_errors[name]
        value = _number(quantity, record.values[name], error)
        if name in record.fixed:
            lines.append(f"{quantity.heading:24}{quantity.factor * record.fixed[name]:>12.6g}{'fixed':>12}")
            continue
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
    lines += ["", f"{found}; {tied}; {effort}", *_model(record)]
    notes = (f"note: {FitStatus[note.status.upper()].value}: {note.detail}" for note in record.notes)
    return "\n".join([*lines, *notes])


def _model(record: FitRecord) -> list[str]:
    """Return what the fit says of the model of the relaxation time; nothing for older files."""
    if record.aic is None or record.bic is None:
        return []
    criteria = f"model {record.model}: AIC {record.aic:.1f}, BIC {record.bic:.1f}"
    if record.model == TNMParameters.model:
        return [criteria]
    own = zip(record.model_parameters.items(), record.relaxation.units, strict=True)
    values = ", ".join(f"{name} = {value:.6g}{'' if unit == '1' else ' ' + unit}" for (name, value), unit in own)
    return [criteria, f"{values}; the values above are of the TNM glass that touches it in the transition"]


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
    """Return a table of the scans: rates, Tf' of the glass and by the area of the measured scan, and residuals."""
    program = record.program.build()
    limit_heading = FICTIVE_TEMPERATURE.heading
    heads = [f"cooled, {COOLING_RATE.unit}", f"heated, {HEATING_RATE.unit}", limit_heading]
    head = "".join(f"{head:>15}" for head in heads)
    lines = [f"{'scan':>4}{head}{'std. error':>12}{'by area':>10}{'rms':>10}"]
    count = len(program.cycles)
    rms = [scan.rms for scan in record.scans] or [nan] * count
    areas = record.measured_fictive_temperatures or (None,) * count
    rates = program.cooling_rates, program.heating_rates
    found = record.fictive_temperatures, record.fictive_temperature_errors
    rows = zip(*rates, *found, areas, rms, strict=True)
    for number, (cooled, heated, limit, error, area, rest) in enumerate(rows, 1):
        before, scanned = ("-" if isnan(rate) else f"{rate:g}" for rate in (cooled, heated))
        size = "-" if error is None else f"{error:.2g}"
        by_area = "-" if area is None else f"{area:.2f}"
        shown = "-" if isnan(rest) else f"{rest:.2g}"
        limit_text = _number(FICTIVE_TEMPERATURE, limit, error)
        lines.append(f"{number:4d}{before:>15}{scanned:>15}{limit_text:>15}{size:>12}{by_area:>10}{shown:>10}")
    return lines


def _values_by_scan(record: FitRecord) -> list[str]:
    """Return the parameters that each scan has of its own, from the least to the largest, and those of the program."""
    found: dict[str, list[float]] = {}
    stated = []
    for name, value in record.values.items():
        head, _, number = name.rpartition("_")
        if not number.isdecimal():
            continue
        if _BY_NAME[head] in STATED:
            stated.append(f"{record.stated.get(name, name)}: {_restated(head, value, record.standard_errors[name])}")
        else:
            found.setdefault(head, []).append(value)
    ranges = [
        f"{_BY_NAME[name].label} {min(each):.2g} .. {max(each):.2g} {_unit_in_cpn(_BY_NAME[name])}"
        for name, each in found.items()
    ]
    lines = ["", f"by scan: {', '.join(ranges)}"] if ranges else []
    return lines + (["", "of what the program says, the fit finds:", *stated] if stated else [])


def _unit_in_cpn(quantity: Quantity) -> str:
    return {"1": CPN.label, "1/K": f"{CPN.label}/{TEMPERATURE.unit}"}.get(quantity.unit, quantity.unit)


def _restated(kind: str, value: float, error: float | None) -> str:
    """Return an error of the program: K, or per cent for what is a logarithm."""
    size = nan if error is None else error
    if kind == HOLD_TEMPERATURE_ERROR.name:
        return f"{value:+.2g} ± {size:.2g} K"
    return f"{100.0 * expm1(value):+.2g} ± {100.0 * size:.2g} %"


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
