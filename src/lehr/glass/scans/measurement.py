"""From a table to heating scans: which column is what, in which units, and where the glass is heated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.columns import Choice, chosen_columns
from lehr.glass.scans.measured import MeasuredScan, Segment
from lehr.glass.scans.modulation import modulation_period, over_whole_periods
from lehr.glass.scans.options import ScanOptions, Way
from lehr.glass.scans.segments import find_segments
from lehr.glass.scans.table import NotAScanError, Table
from lehr.glass.scans.units import TEMPERATURE_UNITS, TIME_UNITS, Direction, Heading, Kind, kind_of_unit, tidy_unit

__all__ = ["Measurement", "measurements"]

FEWEST_POINTS = 30
"""A scan of fewer points shows no transition between two lines."""

_HOTTEST_KELVIN = 5000.0  # of a glass; more is another column or unit
_LARGEST_NUMBER = 1e30  # of a signal or a time: its square does not overflow
_SAMPLE = re.compile(r"^t ?s\b|sample|prob", re.IGNORECASE)
_REFERENCE = re.compile(r"^t ?r(ef)?\b|refer", re.IGNORECASE)
_UNEVEN_RATE = 0.05  # relative change of the heating rate within a scan that is worth a note


@dataclass(frozen=True, eq=False)
class Measurement:
    """A signal along a whole thermal program.

    Attributes
    ----------
    temperature, signal : ndarray, shape (points,)
        K, and the signal as it stands in the file.
    time : ndarray, shape (points,), or None
        s.
    kind, unit
        As in `MeasuredScan`.
    source : str
        File and curve.
    segments : list of Segment
        Heating, cooling and holding.
    notes : tuple of str
        As in `MeasuredScan`.
    endotherm : {"up", "down"} or None
        As in `MeasuredScan`.
    to_reference : ndarray, shape (points,), or None
        Temperature of the sample less that of the reference in K, where the table has both.
    """

    temperature: NDArray[np.float64]
    signal: NDArray[np.float64]
    time: NDArray[np.float64] | None
    kind: Kind
    unit: str
    source: str
    segments: list[Segment]
    notes: tuple[str, ...]
    endotherm: Direction | None = None
    to_reference: NDArray[np.float64] | None = None

    def scans(self, heating_rate: float | None = None, direction: Way = "heating") -> list[MeasuredScan]:
        """Return the segments of a direction; `heating_rate` in K/min stands for that of scans without time."""
        chosen = [segment for segment in self.segments if segment.kind == direction]
        long_enough = [segment for segment in chosen if segment.stop - segment.start >= FEWEST_POINTS]
        scans = []
        for number, segment in enumerate(long_enough, 1):
            source = f"{self.source}, {direction} segment {number}" if len(long_enough) > 1 else self.source
            scans.append(self._scan(segment, source, heating_rate))
        return scans

    def _scan(self, segment: Segment, source: str, heating_rate: float | None) -> MeasuredScan:
        part = slice(segment.start, segment.stop)
        time = None if self.time is None else self.time[part]
        notes = list(self.notes)
        cooled = segment.kind == "cooling"
        said = -heating_rate if heating_rate and cooled else heating_rate
        rate = segment.rate if segment.rate is not None else said
        if time is not None:
            if said and heating_rate and segment.rate and abs(segment.rate / said - 1) > _UNEVEN_RATE:
                notes.append(
                    f"{'cooled' if cooled else 'heated'} at {abs(segment.rate):.4g} K/min by its own times, not at "
                    f"{heating_rate:g} K/min as said"
                )
            notes += _unevenness(self.temperature[part] * (-1 if cooled else 1), time)
        elif rate is None:
            notes.append("no time and no heating rate are given")
        if self.to_reference is not None:
            first, last = self.to_reference[part][[0, -1]]
            notes.append(f"Ts - Tr goes from {first:.1f} to {last:.1f} K")
        temperature, signal = self.temperature[part], self.signal[part]
        if cooled:  # from the glass up, as all scans
            temperature, signal = temperature[::-1], signal[::-1]
            time = None if time is None else time[::-1]
        if not (np.diff(temperature) > 0).all():
            # noise of the thermometer, or temperatures that were rounded
            temperature, inverse, counts = np.unique(temperature, return_inverse=True, return_counts=True)
            signal = np.bincount(inverse, signal) / counts
            time = None if time is None else np.bincount(inverse, time) / counts
        return MeasuredScan(
            temperature, signal, self.kind, self.unit, time, rate, source, tuple(notes), endotherm=self.endotherm
        )


def _unevenness(temperature: NDArray[np.float64], time: NDArray[np.float64]) -> list[str]:
    edges = np.array([0, 0.25, 0.5, 0.75, 1.0]) * (temperature.size - 1)
    at = edges.astype(int)
    durations = np.diff(time[at])
    if not (durations > 0).all():
        return []
    rates = 60 * np.diff(temperature[at]) / durations
    if np.ptp(rates) <= _UNEVEN_RATE * rates.mean():
        return []
    return [f"the rate is not constant: {rates.min():.4g} to {rates.max():.4g} K/min in quarters of the scan"]


def measurements(table: Table, options: ScanOptions) -> list[Measurement]:
    """Return the signals of a table, each along its whole program.

    Raises
    ------
    NotAScanError
        If the table is too short, or columns or units are not clear; the message names the option that helps.
    LehrError
        If values are missing or impossible, or times go back. The message names file and row.
    """
    if len(table.rows) < FEWEST_POINTS:
        raise NotAScanError(
            f"{table.source}: {len(table.rows)} points are too few", f"A scan needs at least {FEWEST_POINTS} points."
        )
    choices = chosen_columns(table, options)
    if table.damage:
        raise table.damage
    return [_measurement(table, choice, options, len(choices) > 1) for choice in choices]


def _measurement(table: Table, choice: Choice, options: ScanOptions, several: bool) -> Measurement:
    notes = [*table.notes, *choice.notes]
    heading = table.headings[choice.signal]
    temperature_unit = _unit(table, choice.temperature, options.units.temperature, TEMPERATURE_UNITS, "temperature")
    time_unit = None
    if choice.time is not None:
        time_unit = _unit(table, choice.time, options.units.time, TIME_UNITS, "time")
        if time_unit is None:
            raise NotAScanError(f"{table.source}: the file does not say the unit of time", "Say it: --units time=min.")
    kind, unit = _kind(table, choice.signal, options, notes)
    columns = [choice.temperature, choice.signal] + ([] if choice.time is None else [choice.time])
    values, rows = _complete(table, columns)
    temperature = _kelvin(table, rows, values[:, 0], temperature_unit, notes)
    time = None if time_unit is None else _seconds(table, values[:, 2], rows, time_unit)
    signal = values[:, 1]
    _check_range(np.abs(signal), _LARGEST_NUMBER, table, rows, "a signal")
    to_reference = _to_reference(table, choice, rows, temperature)
    if time is not None:
        temperature, signal, time = _averaged(table, choice, temperature, signal, time, notes)
    if to_reference is not None and to_reference.size != temperature.size:
        to_reference = None  # not averaged
    return Measurement(
        temperature,
        signal,
        time,
        kind,
        unit,
        f"{table.source}, {heading.text}" if several else table.source,
        find_segments(temperature, time),
        tuple(notes),
        heading.endotherm or (table.endotherm if kind == "heat_flow" else None),
        to_reference,
    )


def _to_reference(
    table: Table, choice: Choice, rows: NDArray[np.int64], temperature: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return Ts - Tr in K where the table has a temperature of the sample and one of the reference."""
    if not _SAMPLE.search(table.headings[choice.temperature].text):
        return None
    for column, heading in enumerate(table.headings):
        unit = TEMPERATURE_UNITS.get(heading.unit or "")
        if heading.quantity == "temperature" and unit is not None and _REFERENCE.search(heading.text):
            reference = table.values[np.isin(table.rows, rows), column] + unit
            return temperature - reference if np.isfinite(reference).all() else None
    return None


def _averaged(
    table: Table,
    choice: Choice,
    temperature: NDArray[np.float64],
    signal: NDArray[np.float64],
    time: NDArray[np.float64],
    notes: list[str],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a modulated measurement averaged over whole periods; any other as it is."""
    period = modulation_period(temperature, time)
    if period is None:
        if "modulated" in table.headings[choice.signal].text.lower():
            raise NotAScanError(
                f"{table.source}: '{table.headings[choice.signal].text[:40]}' is modulated, the temperature is not",
                "Export the (total) heat flow, or the modulated temperature with the modulated heat flow.",
            )
        return temperature, signal, time
    curves = [over_whole_periods(curve, time, period) for curve in (temperature, signal)]
    inside = np.isfinite(curves[0])
    blur = abs(period * np.median(np.gradient(curves[0][inside], time[inside])))
    notes.append(
        f"the temperature is modulated, period {period:.3g} s: temperature and signal are averaged over whole periods, "
        f"which smears the scan over {blur:.2g} K"
    )
    return curves[0][inside], curves[1][inside], time[inside]


def _complete(table: Table, columns: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the rows of some columns, without empty rows at both ends; refuse gaps."""
    values = table.values[:, columns]
    whole = np.flatnonzero(np.isfinite(values).all(axis=1))
    if whole.size < FEWEST_POINTS:
        raise NotAScanError(
            f"{table.source}: {whole.size} points are too few", f"A scan needs at least {FEWEST_POINTS} points."
        )
    part = slice(int(whole[0]), int(whole[-1]) + 1)
    rows = table.rows[part]
    gaps = np.flatnonzero(~np.isfinite(values[part]).all(axis=1))
    if gaps.size:
        row = int(gaps[0])
        names = [table.headings[c].text or f"column {c + 1}" for c in columns]
        missing = [name for name, value in zip(names, values[part][row], strict=True) if not np.isfinite(value)]
        raise LehrError(
            f"{table.source}, line {rows[row]}: no value of {', '.join(missing)}", "Repair or remove the line."
        )
    return values[part], rows


def _kelvin(
    table: Table, rows: NDArray[np.int64], values: NDArray[np.float64], unit: str | None, notes: list[str]
) -> NDArray[np.float64]:
    if unit is None:
        if values.min() >= 0:
            raise NotAScanError(
                f"{table.source}: the file does not say whether the temperature is in K or degC",
                "Say it: --units temperature=degC.",
            )
        unit = "degC"
        notes.append("temperature taken to be in degC: some are negative")
    kelvin = values + TEMPERATURE_UNITS[unit]
    wrong = np.flatnonzero((kelvin <= 0) | (kelvin > _HOTTEST_KELVIN))
    if wrong.size:
        raise LehrError(
            f"{table.source}, line {rows[wrong[0]]}: {values[wrong[0]]:g} {unit} is not a temperature of a glass",
            "Check columns and units: --columns temperature=..., --units temperature=K.",
        )
    return np.asarray(kelvin)


def _seconds(table: Table, values: NDArray[np.float64], rows: NDArray[np.int64], unit: str) -> NDArray[np.float64]:
    _check_range(np.abs(values), _LARGEST_NUMBER, table, rows, "a time")
    back = np.flatnonzero(np.diff(values) < 0)
    if back.size:
        raise LehrError(
            f"{table.source}, line {rows[back[0] + 1]}: the time goes back from {values[back[0]]:g} to "
            f"{values[back[0] + 1]:g} {unit}",
            "Repair the line, or give each measurement a file or columns of its own.",
        )
    return np.asarray(values * TIME_UNITS[unit])


def _unit(table: Table, column: int, said: str | None, known: dict[str, float], what: str) -> str | None:
    unit = table.headings[column].unit if said is None else said
    if unit is None:
        return None
    tidy = tidy_unit(unit)
    if tidy not in known:
        raise NotAScanError(
            f"{table.source}: '{unit}' is not a unit of {what} that lehr knows",
            f"Convert to one of {', '.join(known)}; if only the heading is wrong: --units {what}={next(iter(known))}.",
        )
    return tidy


def _check_range(values: NDArray[np.float64], largest: float, table: Table, rows: NDArray[np.int64], what: str) -> None:
    if values.max() > largest:
        raise LehrError(f"{table.source}, line {rows[values.argmax()]}: {values.max():g} is out of range for {what}",
                        "Repair or remove the line.")  # fmt: skip


def _kind(table: Table, column: int, options: ScanOptions, notes: list[str]) -> tuple[Kind, str]:
    heading = table.headings[column]
    written = heading.unit if options.units.signal is None else options.units.signal
    unit = None if written is None else tidy_unit(written)
    if written is not None and (unit is None or kind_of_unit(unit) is None):
        raise NotAScanError(
            f"{table.source}: '{written}' is not a unit of a heat flow or heat capacity that lehr knows",
            "The factor does not matter for CpN; say which it is most like: --units signal=mW, W/g, J/g/K or 1.",
        )
    kind = options.kind or _signal_kind(heading) or (kind_of_unit(unit) if unit else None)
    if kind is None:
        notes.append("the file does not say what the signal is: taken for a heat flow")
    return kind or "heat_flow", unit or ""


def _signal_kind(heading: Heading) -> Kind | None:
    if heading.quantity == "temperature" or heading.quantity == "time":
        return None
    return heading.quantity
