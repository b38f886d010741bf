"""Tables among the lines of a file: rows of numbers below one another, columns of text, damaged rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError
from lehr.glass.scans.table import Table, headings
from lehr.glass.scans.units import Heading

__all__ = ["FEWEST_ROWS", "Block", "Cell", "Line", "blocks", "clock_seconds", "tables_of"]

FEWEST_ROWS = 5
"""Fewer rows of numbers are taken for prose."""

_LINES_ABOVE = 4  # above a table in which its headings are looked for
_DAY_SECONDS = 86400.0
_LARGEST_GAP = 5.0  # in a temperature that goes on below a line of text, in usual steps
_CLOCK = re.compile(r"(\d{1,4}):([0-5]?\d):([0-5]?\d(?:[.,]\d*)?)")

Cell = float | str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text or a row of a sheet.

    Attributes
    ----------
    number : int
        In the file, from 1.
    cells : list of float or str
        NaN where a number is missing.
    text : str
        As it stands in the file; empty for a row of a sheet.
    clock : frozenset of int
        Columns in which a time of day or a duration stands as hh:mm:ss; their cells are in s.
    name : str
        Of the curve or sheet.
    plain : bool
        All cells are known to be numbers; none is missing.
    """

    number: int
    cells: list[Cell]
    text: str = ""
    clock: frozenset[int] = frozenset()
    name: str = ""
    plain: bool = False


@dataclass
class Block:
    """Rows of numbers below one another, with the lines above them, the nearest first."""

    above: list[Line]
    rows: list[Line] = field(default_factory=list)
    odd: tuple[Line, str] | None = None  # the first row of another number of columns among them, and what is wrong

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0].cells)


def clock_seconds(text: str) -> float | None:
    """Return s for hh:mm:ss, None for anything else."""
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hours, minutes, seconds = found.groups()
    return 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds.replace(",", "."))


def _numbers(line: Line) -> int:
    count = 0
    for cell in line.cells:
        if isinstance(cell, float) and cell == cell:
            count += 1
    return count


def _has_text(line: Line) -> bool:
    return not line.plain and str in map(type, line.cells)


def _texts(line: Line) -> set[int]:
    return {i for i, cell in enumerate(line.cells) if isinstance(cell, str)} if _has_text(line) else set()


def blocks(lines: Iterable[Line]) -> Iterator[Block]:
    """Find the rows of numbers that stand below one another.

    A row has two numbers at least; one of the same number of columns directly below another row may have lost one.
    """
    finder = _Finder()
    for line in lines:
        yield from finder.take(line)
    yield from finder.close()


class _Finder:
    """Blocks, line by line."""

    def __init__(self) -> None:
        self.above: list[Line] = []  # lines without numbers, above a block or since the last one
        self.block: Block | None = None
        self.others: list[Line] = []  # rows of another number of columns, directly below the block
        self.touching = False  # the last line was a row

    def take(self, line: Line) -> Iterator[Block]:
        """Take the next line; yield the block that it ends."""
        if line.plain and self.touching and self.block and not self.others and len(line.cells) == self.block.width:
            self.block.rows.append(line)
            return
        numbers, texts = _numbers(line), _texts(line)
        if not numbers and not texts:
            self._keep_others()
            self.touching = False
            self.above = self.above if self.block is None else []
            return
        block = self.block
        if block and len(line.cells) == block.width and self._continues(block, line, numbers, texts):
            self._keep_others()
            block.rows.append(line)
            self.touching = True
        elif block and self.touching and numbers >= 2 and not texts:
            if self.others and len(line.cells) != len(self.others[0].cells):
                self._keep_others()
            self.others.append(line)
            if len(self.others) >= FEWEST_ROWS or len(block.rows) < FEWEST_ROWS:
                rows, self.others = self.others, []
                above = block.above if len(block.rows) < FEWEST_ROWS else []
                yield from self.close()
                self.block, self.touching = Block(above, rows), True
        elif numbers >= 2:
            above = self.above[::-1] if self.block is None else []
            yield from self.close()
            self.block, self.touching = Block(above, [line]), True
        else:
            yield from self.close()
            self.above = [*self.above[1 - _LINES_ABOVE :], line]

    def close(self) -> Iterator[Block]:
        """End the block, and yield it if it has enough rows."""
        self._keep_others()
        block, self.block, self.touching = self.block, None, False
        if block:
            self.above = []
            if len(block.rows) >= FEWEST_ROWS:
                yield block

    def _continues(self, block: Block, line: Line, numbers: int, texts: set[int]) -> bool:
        if self.touching:
            return numbers >= 1
        return numbers >= 2 and texts <= _texts(block.rows[-1])

    def _keep_others(self) -> None:
        """Remember rows of another number of columns as damage of the block: they are too few for a table."""
        if self.others and self.block and self.block.odd is None:
            self.block.odd = self.others[0], f"{len(self.others[0].cells)} columns, {self.block.width} above"
        self.others = []


def tables_of(
    found: Iterable[Block], source: str, where: str, *, gaps: bool, split: Fields, known: Sequence[Heading] = ()
) -> Iterator[Table]:
    """Make tables of blocks: columns of text are set aside, and a damaged row is remembered.

    A table that only a line without numbers interrupts is one table; its notes say so.

    Parameters
    ----------
    found : iterable of Block
        In the order of the file.
    source : str
        Name of the file.
    where : str
        What a line is called in messages: "line" or "row".
    gaps : bool
        A row with a single number is one with a gap, which matters only in a column that is used; otherwise it is
        damaged.
    split : callable
        Splits the lines above a block into fields, as many as the block has columns.
    known : sequence of Heading, optional
        Headings that the file gives elsewhere, for tables of as many columns.
    """
    given = list(known)
    last: Table | None = None
    for block in map(_trimmed, found):
        if len(block.rows) < FEWEST_ROWS:
            continue
        others = given if len(given) == block.width or last is None else last.headings
        table = _table(block, source, where, gaps, split, others)
        if last and table.headings is last.headings and _goes_on(last, table):
            last = _joined(last, table, where)
            continue
        if last:
            yield last
        last = table
    if last:
        yield last


def _table(block: Block, source: str, where: str, gaps: bool, split: Fields, others: list[Heading]) -> Table:
    """Make a table of a block; without headings of its own it has those of others, the very same list."""
    width = block.width
    texts = _text_columns(block.rows, width)
    named = headings(split(block.above, width), width)
    name = block.rows[0].name
    clock = set.union(*(set(line.clock) for line in block.rows[:FEWEST_ROWS]))
    if len(others) == width and not any(heading.text for heading in named):
        named = others  # the next part of the same curve
    else:
        named = [_corrected(heading, i in texts, i in clock) for i, heading in enumerate(named)]
    values = np.array(
        [
            line.cells if line.plain else [np.nan if isinstance(cell, str) else cell for cell in line.cells]
            for line in block.rows
        ]
    )
    for i in clock - texts:
        values[:, i] = _over_midnight(values[:, i])
    full = f"{source}, {name}" if name else source
    numbers = np.array([line.number for line in block.rows])
    return Table(full, named, values, numbers, _damage(block, texts, full, where, gaps), name=name)


def _goes_on(first: Table, second: Table) -> bool:
    """Tell whether a table goes on where another ends: its time does, or its temperature where there is no time."""
    if first.name != second.name:
        return False
    for quantity in ("time", "temperature"):
        columns = [i for i, heading in enumerate(first.headings) if heading.quantity == quantity]
        if columns:
            before, after = first.values[:, columns[0]], second.values[:, columns[0]]
            if quantity == "time":
                return bool(after[0] >= before[-1])
            usual = float(np.nanmedian(np.diff(before)))
            return bool(0 < (after[0] - before[-1]) / usual < _LARGEST_GAP) if usual else False
    return False


def _joined(first: Table, second: Table, where: str) -> Table:
    number = int(first.rows[-1]) + 1
    between = f"{where} {number}" if number + 1 == second.rows[0] else f"{where}s {number} to {second.rows[0] - 1}"
    return replace(
        first,
        values=np.concatenate([first.values, second.values]),
        rows=np.concatenate([first.rows, second.rows]),
        damage=first.damage or second.damage,
        notes=(*first.notes, f"{between} within the table: no numbers"),
    )


def _over_midnight(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let a time of day go on where it starts anew at midnight."""
    back = np.nan_to_num(np.diff(seconds)) < -_DAY_SECONDS / 2
    return seconds + _DAY_SECONDS * np.concatenate([[0], np.cumsum(back)])


class Fields:
    """How the lines above a table are split."""

    def __call__(self, lines: Sequence[Line], columns: int) -> list[list[str]]:
        """Return the fields of lines."""
        return [["" if cell != cell else str(cell) for cell in line.cells] for line in lines]


def _corrected(heading: Heading, text: bool, clock: bool) -> Heading:
    if text:
        return replace(heading, quantity=None, other=True)
    if clock and not heading.other:
        return replace(heading, quantity="time", unit="s")
    return heading


def _text_columns(rows: Sequence[Line], width: int) -> frozenset[int]:
    """Return the columns that hold no numbers, or fewer than they hold texts."""
    if not any(map(_has_text, rows)):
        return frozenset()
    texts, numbers = [0] * width, [0] * width
    for line in rows:
        for i, cell in enumerate(line.cells):
            if isinstance(cell, str):
                texts[i] += 1
            elif cell == cell:
                numbers[i] += 1
    return frozenset(i for i in range(width) if texts[i] and texts[i] >= numbers[i])


def _trimmed(block: Block) -> Block:
    """Give what stands above the first row of numbers back to the headings."""
    texts = _text_columns(block.rows, block.width)
    first = 0
    while first < len(block.rows) and any(
        isinstance(cell, str) and i not in texts for i, cell in enumerate(block.rows[first].cells)
    ):
        first += 1
    if first == 0 or first > _LINES_ABOVE:
        return block
    return Block([*block.rows[:first][::-1], *block.above], block.rows[first:], block.odd)


def _damage(block: Block, texts: frozenset[int], source: str, where: str, gaps: bool) -> LehrError | None:
    """Return what is wrong with the first row that is not like the others."""
    wrong: list[tuple[int, str]] = [] if block.odd is None else [(block.odd[0].number, block.odd[1])]
    for line in block.rows:
        if line.plain and line.cells[1:]:
            continue
        bad = next((str(line.cells[i]) for i in sorted(_texts(line) - texts)), None)
        if bad is not None:
            wrong.append((line.number, f"'{bad[:40]}' is not a number"))
            break
        if not gaps and _numbers(line) < 2:
            wrong.append((line.number, "numbers are missing"))
            break
    if not wrong:
        return None
    number, what = min(wrong)
    return LehrError(f"{source}, {where} {number}: {what}", f"Repair the {where}, or remove it.")
