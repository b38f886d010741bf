"""What was read of scans, as text and as a table for a program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from math import isfinite

import numpy as np

from lehr.glass.quantities import CPN_MAX, HEATING_RATE
from lehr.glass.scans.measured import MeasuredScan
from lehr.glass.scans.normalise import NormalisedScan
from lehr.glass.tnm import ZERO_CELSIUS

__all__ = ["Row", "characteristics_csv", "characteristics_text", "comparison_text", "scans_text"]

Row = tuple[int, MeasuredScan, NormalisedScan | None]
"""A scan: its number in the file, as measured, and normalised if it could be."""


def scans_text(rows: Sequence[Row]) -> str:
    """Return a table of what was read, and of the lines."""
    header = (f"{'scan':>4} {'points':>7} {'degC':>17} {HEATING_RATE.shown_unit:>9} {'signal':>15} {'endo':>5} "
              f"{'glass line':>17} {'liquid line':>17} {'noise':>8}")  # fmt: skip
    return "\n".join([header, *(_scan(*row) for row in rows)])


def _scan(number: int, scan: MeasuredScan, result: NormalisedScan | None) -> str:
    rate = "?" if scan.heating_rate is None else f"{scan.heating_rate:.5g}"
    line = f"{number:4d} {scan.temperature.size:7d} {_ends(scan.temperature[0], scan.temperature[-1])} {rate:>9} "
    line += f"{f'{scan.kind} {scan.unit}'.rstrip():>15} "
    if result:
        line += f"{result.endotherm:>5} {_range(result, 'glass')} {_range(result, 'liquid')} {result.noise:8.2g}"
    return line.rstrip()


def characteristics_text(rows: Sequence[Row]) -> str:
    """Return a table of the temperatures of the transition in degC, the step and the peak; empty without any."""
    header = (
        f"{'scan':>4} {'Tf (area)':>10} {'onset':>8} {'midpoint':>9} {'inflection':>11} {'dCp at midpoint':>18} "
        f"{'peak at':>9} {CPN_MAX.label:>9}   (degC)"
    )
    lines = [
        f"{number:4d} {_celsius(c.fictive_temperature, 10)} {_celsius(c.onset, 8)} {_celsius(c.midpoint, 9)} "
        f"{_celsius(c.inflection, 11)} {_quantity(c.delta_cp, c.delta_cp_unit):>18} {_celsius(c.peak, 9)} "
        f"{_number(c.peak_cpn, 9, '.3f')}"
        for number, _, result in rows
        if result
        for c in [result.characteristics]
    ]
    return "\n".join([header, *lines]) if lines else ""


def comparison_text(pairs: Iterable[tuple[int, NormalisedScan, NormalisedScan]]) -> str:
    """Return a table of step and Tf' of scans with lines of their own and with common ones."""
    pairs = list(pairs)
    header = (f"{'scan':>4} {'own glass line':>17} {'own liquid line':>17} {'dCp: own':>12} {'common':>10} "
              f"{'Tf (area): own':>15} {'common':>9}   (degC)")  # fmt: skip
    lines, steps = [header], []
    for number, own, common in pairs:
        first, second = own.characteristics, common.characteristics
        steps.append((first.delta_cp, second.delta_cp))
        lines.append(
            f"{number:4d} {_range(own, 'glass')} {_range(own, 'liquid')} {_number(first.delta_cp, 12, '.4g')} "
            f"{_number(second.delta_cp, 10, '.4g')} {_celsius(first.fictive_temperature, 15)} "
            f"{_celsius(second.fictive_temperature, 9)}"
        )
    if len(pairs) > 1:
        scatter = 100.0 * np.std(steps, axis=0, ddof=1) / np.mean(steps, axis=0)
        lines.append(f"{'scatter of dCp between the scans':>40} {scatter[0]:10.2g} % {scatter[1]:8.2g} %")
    return "\n".join(lines)


def characteristics_csv(rows: Sequence[Row]) -> str:
    """Return all that is known of each scan as CSV, one row for each; temperatures in degC."""
    out = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for number, scan, result in rows:
        row = _record(number, scan, result)
        if writer is None:
            writer = csv.DictWriter(out, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return out.getvalue()


def _record(number: int, scan: MeasuredScan, result: NormalisedScan | None) -> dict[str, str | int | float | None]:
    record: dict[str, str | int | float | None] = {
        "file": str(scan.file.path) if scan.file else "",
        "scan": number,
        "source": scan.source,
        "points": scan.temperature.size,
        "heating_rate_K_per_min": scan.heating_rate,
        "kind": scan.kind,
        "unit": scan.unit,
        "endotherm": result.endotherm if result else "",
    }
    for name in ("glass", "liquid"):
        line = getattr(result, name) if result else None
        record[f"{name}_low_degC"] = _finite(line.low - ZERO_CELSIUS) if line else None
        record[f"{name}_high_degC"] = _finite(line.high - ZERO_CELSIUS) if line else None
    found = result.characteristics if result else None
    record["noise_cpn"] = result.noise if result else None
    for name in ("fictive_temperature", "onset", "midpoint", "inflection", "peak"):
        record[f"{name}_degC"] = _finite(getattr(found, name) - ZERO_CELSIUS) if found else None
    record["peak_cpn"] = _finite(found.peak_cpn) if found else None
    record["delta_cp"] = _finite(found.delta_cp) if found else None
    record["delta_cp_unit"] = found.delta_cp_unit if found else ""
    return record


def _finite(value: float) -> float | None:
    return round(value, 10) if isfinite(value) else None


def _range(scan: NormalisedScan, name: str) -> str:
    line = scan.glass if name == "glass" else scan.liquid
    return _ends(line.low, line.high) if line.high > line.low else f"{'-':>17}"


def _ends(low: float, high: float) -> str:
    return f"{low - ZERO_CELSIUS:8.1f} {high - ZERO_CELSIUS:8.1f}"


def _celsius(kelvin: float, width: int) -> str:
    return _number(kelvin - ZERO_CELSIUS, width, ".2f")


def _number(value: float, width: int, form: str) -> str:
    return f"{value:{width}{form}}" if isfinite(value) else f"{'-':>{width}}"


def _quantity(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip() if isfinite(value) else "-"
