"""Which column of a table is what: the signal, the thermometer and the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lehr.glass.scans.options import Column, ScanOptions
from lehr.glass.scans.table import NotAScanError, Table
from lehr.glass.scans.units import Heading

__all__ = ["Choice", "chosen_columns"]

_PREFERRED_UNITS = ("W/g", "mW/mg", "mW", "W")  # of several columns of heat flow
_SAME_SHAPE = 1e-7  # 1 - r^2 of two columns that differ by a factor and an offset alone
_MODULATED = ("modulat", "reversi", "rev ", "nonrev", "non-rev")  # in headings of modulated DSC
_RAW_RANK = 4  # of a modulated signal, see `Heading.rank`
_OTHER_THERMOMETER = 2  # see `Heading.rank`
_HINT = "Name it: --columns temperature=1 signal=2, or in a file for --layout (docs/how-to/read.md)."


@dataclass(frozen=True)
class Choice:
    """The columns of one measurement, by their index.

    Attributes
    ----------
    signal, temperature : int
        Their columns.
    time : int or None
        None if there is none.
    notes : tuple of str
        What was chosen among several.
    """

    signal: int
    temperature: int
    time: int | None
    notes: tuple[str, ...]


def chosen_columns(table: Table, options: ScanOptions) -> list[Choice]:
    """Return the columns of each measurement of a table.

    Raises
    ------
    NotAScanError
        If they are not clear; the message names the option that helps.
    """
    notes: list[str] = []
    live = [i for i in range(len(table.headings)) if np.isfinite(table.values[:, i]).any()]
    signals = _signal_columns(table, options, live, notes)
    return [
        Choice(signal, *_axes(table, options, live, signals, signal, own := list(notes)), tuple(own))
        for signal in signals
    ]


def _columns_of(table: Table, live: Sequence[int], *quantities: str) -> list[int]:
    return [i for i in live if table.headings[i].quantity in quantities]


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
    raise NotAScanError(f"{table.source}: no column '{column}' for the {what}", f"It has: {_listed(table)}.")


def _listed(table: Table) -> str:
    return ", ".join(f"{i} {heading.text!r}" if heading.text else str(i) for i, heading in enumerate(table.headings, 1))


def _signal_columns(table: Table, options: ScanOptions, live: Sequence[int], notes: list[str]) -> list[int]:
    if options.columns.signal is not None:
        named = options.columns.signal
        return [_chosen(table, column, "signal") for column in (named if isinstance(named, tuple) else (named,))]
    candidates = _columns_of(table, live, *([options.kind] if options.kind else ["cpn", "cp", "heat_flow"]))
    if not options.kind and _is_modulated(table):
        # the heat capacity that modulated DSC gives is the reversing one; the total heat flow is the signal
        total = [i for i in candidates if table.headings[i].quantity != "cp"]
        candidates = total or candidates
    if candidates:
        return _best(table, candidates, notes)
    taken = {_chosen(table, options.columns.temperature, "temperature")} if options.columns.temperature else set()
    taken |= {_chosen(table, options.columns.time, "time")} if options.columns.time else set()
    taken |= set(_columns_of(table, live, "temperature", "time"))
    rest = [i for i in live if i not in taken and not table.headings[i].other]
    if len(live) == 2 and len(rest) == 2:
        rest = rest[1:]  # temperature and signal
    if len(rest) == 1:
        return rest
    others = [_with_unit(table.headings[i]) for i in live if i not in taken and table.headings[i].other]
    if others and not rest:
        raise NotAScanError(
            f"{table.source}: no heat flow and no heat capacity, only {_some(others)}",
            "Export the (total) heat flow or Cp as well; if one of these is it: --columns signal=NUMBER.",
        )
    raise NotAScanError(f"{table.source}: which column is the signal? It has: {_listed(table)}", _HINT)


def _is_modulated(table: Table) -> bool:
    return any(word in heading.text.lower() for heading in table.headings for word in _MODULATED)


def _with_unit(heading: Heading) -> str:
    return f"{heading.text} [{heading.unit}]" if heading.unit and heading.unit not in heading.text else heading.text


def _some(texts: Sequence[str]) -> str:
    shown = ", ".join(f"'{text[:40]}'" for text in texts[:4])
    return shown + (", ..." if len(texts) > 4 else "")


def _best(table: Table, candidates: Sequence[int], notes: list[str]) -> list[int]:
    """Return the columns of the best sort: one measurement may stand there in several."""
    sorts = {i: (table.headings[i].rank, *_order(table, i)) for i in candidates}
    best = min(sorts.values())
    chosen: list[int] = []
    for i in candidates:
        if sorts[i] == best and not any(_same_shape(table, i, other) for other in chosen):
            chosen.append(i)
    beside = [table.headings[i].text for i in candidates if i not in chosen]
    first = table.headings[chosen[0]]
    if beside:
        notes.append(f"taken: {first.text}; beside it: {', '.join(beside)}")
    elif first.rank:
        notes.append(f"taken: {first.text}; the file has no other signal")
    for each, column in zip(table.headings, table.values.T, strict=True):
        baseline = each.other and "baseline" in each.text.lower()
        if "unsub" in first.text.lower() and baseline and np.nan_to_num(column).any():
            notes.append(f"{each.text} is not subtracted from it")
    return chosen


def _order(table: Table, column: int) -> tuple[int, int]:
    heading = table.headings[column]
    preferred = heading.unit in _PREFERRED_UNITS
    unit = _PREFERRED_UNITS.index(str(heading.unit)) if preferred else len(_PREFERRED_UNITS)
    return ("cpn", "cp", "heat_flow").index(str(heading.quantity)), unit


def _same_shape(table: Table, one: int, other: int) -> bool:
    """Tell whether two signals are the same but for a factor, such as mW and mW normalised by the mass."""
    if table.headings[one].quantity == "cpn":
        return False
    pair = table.values[:, [one, other]]
    whole = pair[np.isfinite(pair).all(axis=1)]
    largest = np.abs(whole).max(axis=0) if len(whole) > 2 else np.zeros(2)
    if not (largest > 0).all():
        return False
    a, b = (whole / largest - (whole / largest).mean(axis=0)).T
    product = float((a @ a) * (b @ b))
    return product > 0 and 1 - float(a @ b) ** 2 / product < _SAME_SHAPE


def _axes(
    table: Table, options: ScanOptions, live: Sequence[int], signals: Sequence[int], signal: int, notes: list[str]
) -> tuple[int, int | None]:
    """Return the columns of temperature and time of a signal."""
    times = [i for i in _columns_of(table, live, "time") if i not in signals]
    if options.columns.time is not None:
        time: int | None = _chosen(table, options.columns.time, "time")
    elif _side_by_side(times, signals):
        time = _left_of(signal, times)
    else:
        ascending = [i for i in times if _goes_on(table, i)]
        time = next(iter(ascending or times), None)
    return _temperature_column(table, options, live, signals, signal, notes), time


def _goes_on(table: Table, column: int) -> bool:
    """Tell whether a time neither goes back nor stands still."""
    values = table.values[:, column]
    values = values[np.isfinite(values)]
    return bool(values[-1] > values[0] and (np.diff(values) >= 0).all())


def _side_by_side(columns: Sequence[int], signals: Sequence[int]) -> bool:
    """Tell whether each of several signals has a column of its own to its left."""
    return len(signals) > 1 and len({_left_of(signal, columns) for signal in signals} - {None}) == len(signals)


def _left_of(signal: int, columns: Sequence[int]) -> int | None:
    return max((i for i in columns if i < signal), default=None)


def _temperature_column(
    table: Table, options: ScanOptions, live: Sequence[int], signals: Sequence[int], signal: int, notes: list[str]
) -> int:
    if options.columns.temperature is not None:
        return _chosen(table, options.columns.temperature, "temperature")
    candidates = [i for i in _columns_of(table, live, "temperature") if i not in signals]
    if not candidates:
        free = [
            i for i in live if i not in signals and table.headings[i].quantity is None and not table.headings[i].other
        ]
        if len(live) == 2 and len(free) == 1:
            return free[0]
        raise NotAScanError(
            f"{table.source}: which column is the temperature? It has: {_listed(table)}",
            "Name it: --columns temperature=1, or in a file for --layout (docs/how-to/read.md).",
        )
    # raw modulated data: the temperature that belongs to a modulated signal is the modulated one
    wanted = [i for i in candidates if "modulat" in table.headings[i].text.lower()]
    if table.headings[signal].rank == _RAW_RANK and wanted:
        candidates = wanted
    best = min(table.headings[i].rank for i in candidates)
    good = [i for i in candidates if table.headings[i].rank == best]
    if _side_by_side(good, signals):  # T, signal, T, signal, ...: scans side by side
        return next(i for i in good if i == _left_of(signal, good))
    beside = [table.headings[i].text for i in candidates if i != good[0]]
    if beside:
        notes.append(f"temperature: {table.headings[good[0]].text}; beside it: {', '.join(beside)}")
    elif best == _OTHER_THERMOMETER and not wanted:
        notes.append(f"{table.headings[good[0]].text} is not the temperature of the sample; the file has no other")
    return good[0]
