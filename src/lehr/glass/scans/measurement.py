"""From a table to heating scans: which column is what, in which units, and where the glass is heated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.measured import MeasuredScan, Segment
from lehr.glass.scans.options import Column, ScanOptions
from lehr.glass.scans.segments import find_segments
from lehr.glass.scans.table import Table
from lehr.glass.scans.units import TEMPERATURE_UNITS, TIME_UNITS, Heading, Kind, kind_of_unit, tidy_unit

__all__ = ["Measurement", "measurements"]

FEWEST_POINTS = 30
"""A scan of fewer points shows no transition between two lines."""

_HOTTEST = 5000.0  # K
_LARGEST = 1e30  # of a signal or a time: squares of them are numbers still
_UNEVEN = 0.05  # relative change of the heating rate within a scan that is worth a note
_PREFERRED = ("W/g", "mW/mg", "mW", "W")  # of several columns of heat flow


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
    """

    temperature: NDArray[np.float64]
    signal: NDArray[np.float64]
    time: NDArray[np.float64] | None
    kind: Kind
    unit: str
    source: str
    segments: list[Segment]
    notes: tuple[str, ...]

    def scans(self, heating_rate: float | None = None) -> list[MeasuredScan]:
        """Return the heating segments; `heating_rate` in K/min stands for that of scans without time."""
        heating = [segment for segment in self.segments if segment.kind == "heating"]
        long_enough = [segment for segment in heating if segment.stop - segment.start >= FEWEST_POINTS]
        scans = []
        for number, segment in enumerate(long_enough, 1):
            source = f"{self.source}, heating segment {number}" if len(long_enough) > 1 else self.source
            scans.append(self._scan(segment, source, heating_rate))
        return scans

    def _scan(self, segment: Segment, source: str, heating_rate: float | None) -> MeasuredScan:
        part = slice(segment.start, segment.stop)
        time = None if self.time is None else self.time[part]
        notes = list(self.notes)
        rate = segment.rate if segment.rate is not None else heating_rate
        if time is not None:
            if heating_rate and segment.rate and abs(segment.rate / heating_rate - 1) > _UNEVEN:
                notes.append(
                    f"heated at {segment.rate:.4g} K/min by its own times, not at {heating_rate:g} K/min as said"
                )
            notes += _unevenness(self.temperature[part], time)
        elif rate is None:
            notes.append("no time and no heating rate are given")
        temperature, signal = self.temperature[part], self.signal[part]
        if not (np.diff(temperature) > 0).all():
            # noise of the thermometer, or temperatures that were rounded
            temperature, inverse, counts = np.unique(temperature, return_inverse=True, return_counts=True)
            signal = np.bincount(inverse, signal) / counts
            time = None if time is None else np.bincount(inverse, time) / counts
        return MeasuredScan(temperature, signal, self.kind, self.unit, time, rate, source, tuple(notes))


def _unevenness(temperature: NDArray[np.float64], time: NDArray[np.float64]) -> list[str]:
    edges = np.array([0, 0.25, 0.5, 0.75, 1.0]) * (temperature.size - 1)
    at = edges.astype(int)
    durations = np.diff(time[at])
    if not (durations > 0).all():
        return []
    rates = 60 * np.diff(temperature[at]) / durations
    if np.ptp(rates) <= _UNEVEN * rates.mean():
        return []
    return [f"the heating rate is not constant: {rates.min():.4g} to {rates.max():.4g} K/min in quarters of the scan"]


def measurements(table: Table, options: ScanOptions) -> list[Measurement]:
    """Return the signals of a table, each along its whole program.

    Raises
    ------
    LehrError
        If columns or units are not clear, values are missing or impossible, or times go back. The message names file
        and row, and the option that helps.
    """
    notes: list[str] = []
    signals = _signal_columns(table, options, notes)
    named_time, times = options.columns.time, _columns_of(table, "time")
    time_column = _chosen(table, named_time, "time") if named_time else times[0] if times else None
    found = []
    for column in signals:
        own = list(notes)
        temperature_column = _temperature_column(table, options, signals, column, own)
        columns = [temperature_column, column] + ([] if time_column is None else [time_column])
        values, rows = _complete(table, columns)
        temperature = _kelvin(table, temperature_column, values[:, 0], options.units.temperature, own)
        time = None if time_column is None else _seconds(table, time_column, values[:, 2], rows, options.units.time)
        kind, unit = _kind(table, column, options, own)
        _check_range(np.abs(values[:, 1]), _LARGEST, table, rows, "a signal")
        source = f"{table.source}, {table.headings[column].text}" if len(signals) > 1 else table.source
        found.append(
            Measurement(
                temperature, values[:, 1], time, kind, unit, source, find_segments(temperature, time), tuple(own)
            )
        )
    return found


def _columns_of(table: Table, *quantities: str) -> list[int]:
    return [i for i, heading in enumerate(table.headings) if heading.quantity in quantities]


def _chosen(table: Table, column: Column, what: str) -> int:
    """Return the index of a column that the user names."""
    if isinstance(column, int):
        if column <= len(table.headings):
            return column - 1
    else:
        texts = [heading.text.lower() for heading in table.headings]
        matches = [i for i, text in enumerate(texts) if text == column.lower()]
        matches = matches or [i for i, text in enumerate(texts) if text.startswith(column.lower())]
        if len(matches) == 1:
            return matches[0]
    raise LehrError(f"{table.source}: no column '{column}' for the {what}", f"It has: {_listed(table)}.")


def _listed(table: Table) -> str:
    return ", ".join(f"{i} {heading.text!r}" if heading.text else str(i) for i, heading in enumerate(table.headings, 1))


def _signal_columns(table: Table, options: ScanOptions, notes: list[str]) -> list[int]:
    if options.columns.signal is not None:
        named = options.columns.signal
        return [_chosen(table, column, "signal") for column in (named if isinstance(named, tuple) else (named,))]
    candidates = _columns_of(table, *([options.kind] if options.kind else ["cpn", "cp", "heat_flow"]))
    if candidates:
        chosen = _one_sort(table, candidates)
        beside = [table.headings[i].text for i in candidates if i not in chosen]
        if beside:
            notes.append(f"taken: {table.headings[chosen[0]].text}; beside it: {', '.join(beside)}")
        return chosen
    taken = {_chosen(table, options.columns.temperature, "temperature")} if options.columns.temperature else set()
    taken |= {_chosen(table, options.columns.time, "time")} if options.columns.time else set()
    taken |= set(_columns_of(table, "temperature", "time"))
    rest = [i for i in range(len(table.headings)) if i not in taken]
    if len(table.headings) == 2 and len(rest) == 2:
        rest = rest[1:]  # temperature and signal
    if len(rest) == 1:
        return rest
    raise LehrError(
        f"{table.source}: which column is the signal? It has: {_listed(table)}",
        "Name it: --columns temperature=1 signal=2, or in a file for --layout (docs/measured.md).",
    )


def _one_sort(table: Table, candidates: Sequence[int]) -> list[int]:
    """Return the columns of the best kind and unit: one measurement may stand there in several."""
    sorts = [(table.headings[i].quantity, table.headings[i].unit) for i in candidates]

    def rank(sort: tuple[str | None, str | None]) -> tuple[int, int]:
        quantity, unit = sort
        order = _PREFERRED.index(unit) if unit in _PREFERRED else len(_PREFERRED)
        return ("cpn", "cp", "heat_flow").index(str(quantity)), order

    best = min(sorts, key=rank)
    return [i for i, sort in zip(candidates, sorts, strict=True) if sort == best]


def _temperature_column(
    table: Table, options: ScanOptions, signals: Sequence[int], signal: int, notes: list[str]
) -> int:
    if options.columns.temperature is not None:
        return _chosen(table, options.columns.temperature, "temperature")
    candidates = _columns_of(table, "temperature")
    if not candidates:
        free = [i for i in range(len(table.headings)) if i not in signals and table.headings[i].quantity is None]
        if len(table.headings) == 2 and len(free) == 1:
            return free[0]
        raise LehrError(
            f"{table.source}: which column is the temperature? It has: {_listed(table)}",
            "Name it: --columns temperature=1, or in a file for --layout (docs/measured.md).",
        )
    if len(candidates) == len(signals) > 1:  # T, signal, T, signal, ...: scans side by side
        left = [i for i in candidates if i < signal]
        return left[-1] if left else candidates[0]
    best = next((i for i in candidates if table.headings[i].sample), candidates[0])
    if len(candidates) > 1:
        beside = ", ".join(table.headings[i].text for i in candidates if i != best)
        notes.append(f"temperature: {table.headings[best].text}; beside it: {beside}")
    return best


def _complete(table: Table, columns: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the rows of some columns, without empty rows at both ends; refuse gaps."""
    values = table.values[:, columns]
    whole = np.flatnonzero(np.isfinite(values).all(axis=1))
    if whole.size < FEWEST_POINTS:
        raise LehrError(
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
    table: Table, column: int, values: NDArray[np.float64], said: str | None, notes: list[str]
) -> NDArray[np.float64]:
    unit = _unit(table, column, said, TEMPERATURE_UNITS, "temperature")
    if unit is None:
        if values.min() >= 0:
            raise LehrError(
                f"{table.source}: the file does not say whether the temperature is in K or degC",
                "Say it: --units temperature=degC.",
            )
        unit = "degC"
        notes.append("temperature taken to be in degC: some are negative")
    kelvin = values + TEMPERATURE_UNITS[unit]
    wrong = np.flatnonzero((kelvin <= 0) | (kelvin > _HOTTEST))
    if wrong.size:
        row = table.rows[np.flatnonzero(table.values[:, column] == values[wrong[0]])[0]]
        raise LehrError(
            f"{table.source}, line {row}: {values[wrong[0]]:g} {unit} is not a temperature of a glass",
            "Check columns and units: --columns temperature=..., --units temperature=K.",
        )
    return np.asarray(kelvin)


def _seconds(
    table: Table, column: int, values: NDArray[np.float64], rows: NDArray[np.int64], said: str | None
) -> NDArray[np.float64]:
    unit = _unit(table, column, said, TIME_UNITS, "time")
    if unit is None:
        raise LehrError(f"{table.source}: the file does not say the unit of time", "Say it: --units time=min.")
    _check_range(np.abs(values), _LARGEST, table, rows, "a time")
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
        raise LehrError(
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
        raise LehrError(
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
