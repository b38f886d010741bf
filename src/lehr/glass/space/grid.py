"""A grid of parameter quartets and its subsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.space.subset import SpaceSubset, flat_indices
from lehr.glass.tnm import ln_pre_exponential

__all__ = ["PAPER_SUBSETS", "Axis", "CellSubset", "StateSpace"]

PAPER_SUBSETS = ("LU", "RU", "LB", "RB", "C", "G")
"""Subsets of section 2.1 of the paper."""

_BLOCK = 11  # cells along an edge of a zoomed-in subset (section 2.1 of the paper)
_GRID_CELLS = (10, 8)  # delta_h rows and ln A columns of the grid subset G


@dataclass(frozen=True)
class Axis:
    """Values of a parameter: `count` evenly spaced ones from `start` to `stop`, both included, or `Axis.of` a list.

    Axes of the same values are equal, whichever way they were made.

    Attributes
    ----------
    start, stop : float
        First and last value.
    count : int
        Number of values.
    listed : tuple of float, optional
        The values, if they are not evenly spaced.
    """

    start: float
    stop: float
    count: int
    listed: tuple[float, ...] | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Axis:
        """Return the axis of a list of values.

        Raises
        ------
        LehrError
            If there is none, or they do not ascend by more than 1e-10.
        """
        rounded = tuple(_rounded(np.asarray(values, dtype=float)).tolist())
        if not rounded:
            raise LehrError("an axis needs a value")
        for low, high in pairwise(rounded):
            if not low < high:
                raise LehrError(f"the values of an axis must ascend, but {low:g} is followed by {high:g}")
        even = cls(rounded[0], rounded[-1], len(rounded))
        return even if even.values.tolist() == list(rounded) else cls(even.start, even.stop, even.count, rounded)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """All values, shape (count,)."""
        if self.listed is not None:
            return np.array(self.listed)
        return _rounded(np.linspace(self.start, self.stop, self.count))

    def nearest(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the positions on the axis that are nearest to values."""
        return np.asarray(np.searchsorted((self.values[1:] + self.values[:-1]) / 2, values), dtype=np.int64)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round, so that 0.2 + 5 * 0.02 is 0.3 and not its neighbour."""
    return np.round(values, 10)


@dataclass(frozen=True)
class StateSpace:
    """Grid over (delta_h, ln A, x, beta); the last runs fastest in the flat index.

    For each activation energy, ln A takes `ln_A_count` evenly spaced values between those at which tau = 100 s at the
    two temperatures of `glass_transition`: ln A = ln 100 - delta_h / (R Tg). With the default limits this gives the
    extremes of Table 2 of the paper, -630 and -18, from one rule. With `ln_A` it takes the values of that axis instead,
    the same for each activation energy.

    Attributes
    ----------
    delta_h : Axis
        Activation energy, J/mol.
    glass_transition : tuple of float
        Lowest and highest Tg in K.
    ln_A_count : int
        Values of ln A for each activation energy.
    x, beta : Axis
        Non-linearity and non-exponentiality.
    ln_A : Axis, optional
        Values of ln A, instead of `glass_transition` and `ln_A_count`.
    """

    delta_h: Axis = Axis(2e5, 12e5, 101)
    glass_transition: tuple[float, float] = (227.43, 1064.11)
    ln_A_count: int = 81
    x: Axis = Axis(0.2, 1.0, 41)
    beta: Axis = Axis(0.2, 1.0, 41)
    ln_A: Axis | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Values along delta_h, ln A, x, beta."""
        columns = self.ln_A_count if self.ln_A is None else self.ln_A.count
        return self.delta_h.count, columns, self.x.count, self.beta.count

    @property
    def size(self) -> int:
        """Number of quartets."""
        return int(np.prod(self.shape))

    @property
    def quartets_per_cell(self) -> int:
        """Number of (x, beta) pairs in each cell of the (delta_h, ln A) plane."""
        return self.x.count * self.beta.count

    def limits_of_ln_a(self, delta_h: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lowest and the highest ln A at activation energies in J/mol."""
        if self.ln_A is not None:
            return np.full_like(delta_h, self.ln_A.start), np.full_like(delta_h, self.ln_A.stop)
        low, high = (ln_pre_exponential(delta_h, tg) for tg in self.glass_transition)
        return low, high if self.ln_A_count > 1 else low

    def plane(self, cells: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return delta_h (J/mol) and ln A of cells of the plane; cell = delta_h index * ln A values + ln A index."""
        columns = self.shape[1]
        row, column = np.divmod(np.asarray(cells, dtype=np.int64), columns)
        delta_h = self.delta_h.values[row]
        if self.ln_A is not None:
            return delta_h, self.ln_A.values[column]
        low, high = self.limits_of_ln_a(delta_h)
        return delta_h, low + (high - low) * (column / max(columns - 1, 1))

    def parameters(self, index: ArrayLike) -> NDArray[np.float64]:
        """Return the quartets of flat indices.

        Parameters
        ----------
        index : array_like of int, shape (n,)
            Flat indices, 0 <= index < size.

        Returns
        -------
        ndarray, shape (n, 4)
            Columns ln_A, delta_h (J/mol), x, beta.

        Raises
        ------
        LehrError
            If an index is out of range.
        """
        flat = flat_indices(index, self.size)
        cell, pair = np.divmod(flat, self.quartets_per_cell)
        x, beta = np.divmod(pair, self.beta.count)
        delta_h, ln_a = self.plane(cell)
        return np.stack([ln_a, delta_h, self.x.values[x], self.beta.values[beta]], axis=-1)

    def index(self, parameters: ArrayLike) -> NDArray[np.int64]:
        """Return the flat indices of quartets on the grid, the inverse of `parameters`.

        Raises
        ------
        LehrError
            If a quartet does not lie on the grid.
        """
        rows = np.atleast_2d(np.asarray(parameters, dtype=float))
        row, x, beta = (axis.nearest(rows[:, i]) for axis, i in ((self.delta_h, 1), (self.x, 2), (self.beta, 3)))
        flat = ((row * self.shape[1] + self._column(rows[:, 0], row)) * self.x.count + x) * self.beta.count + beta
        if not np.allclose(self.parameters(flat), rows, rtol=1e-9, atol=1e-9):
            raise LehrError("a parameter quartet does not lie on the grid of the state space")
        return np.asarray(flat, dtype=np.int64)

    def _column(self, ln_a: NDArray[np.float64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of ln A that are nearest at those of delta_h."""
        if self.ln_A is not None:
            return self.ln_A.nearest(ln_a)
        low, high = self.limits_of_ln_a(self.delta_h.values[row])
        span = np.where(high > low, high - low, 1.0)
        column = np.rint((ln_a - low) / span * (self.ln_A_count - 1))
        return np.asarray(np.clip(column, 0, self.ln_A_count - 1), dtype=np.int64)

    def subset(self, name: str) -> CellSubset:
        """Return a subset of the paper (Fig. 2) by name, or the whole space as "all".

        LU, RU, LB, RB and C are blocks of 11 x 11 cells: "upper" has low delta_h, "left" very negative ln A. G is
        10 x 8 cells spread evenly over the plane, its edges included.

        Raises
        ------
        LehrError
            If there is no such subset or the plane is too small for it.
        """
        rows, columns = self.shape[:2]
        if name == "all":
            return CellSubset(name, self, np.arange(rows * columns))
        if name not in PAPER_SUBSETS:
            raise LehrError(f"no subset '{name}'", f"There are {', '.join(PAPER_SUBSETS)} and all.")
        if rows < _BLOCK or columns < _BLOCK:
            raise LehrError(
                f"a plane of {rows} x {columns} cells is too small for the subset {name}",
                f"The subsets of the paper need at least {_BLOCK} values of delta_h and of ln A.",
            )
        if name == "G":
            row = np.rint(np.linspace(0, rows - 1, _GRID_CELLS[0])).astype(np.int64)
            column = np.rint(np.linspace(0, columns - 1, _GRID_CELLS[1])).astype(np.int64)
        else:
            centre = name == "C"
            first_row = (rows - _BLOCK) // 2 if centre else 0 if name[1] == "U" else rows - _BLOCK
            first_column = (columns - _BLOCK) // 2 if centre else 0 if name[0] == "L" else columns - _BLOCK
            row, column = first_row + np.arange(_BLOCK), first_column + np.arange(_BLOCK)
        return CellSubset(name, self, (row[:, None] * columns + column).ravel())


@dataclass(frozen=True, eq=False)
class CellSubset(SpaceSubset):
    """Cells of the (delta_h, ln A) plane with all their (x, beta) pairs.

    Attributes
    ----------
    name : str
        LU, RU, LB, RB, C, G or all.
    space : StateSpace
        The grid.
    cells : ndarray of int, shape (cells,)
        Cells of the plane, ascending; see `StateSpace.plane`.
    """

    space: StateSpace
    cells: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of quartets."""
        return self.cells.size * self.space.quartets_per_cell

    def index(self, start: int, stop: int) -> NDArray[np.int64]:
        """Flat indices in the state space of the rows start ... stop - 1 of the subset."""
        cell, pair = np.divmod(np.arange(start, stop), self.space.quartets_per_cell)
        index: NDArray[np.int64] = self.cells[cell] * self.space.quartets_per_cell + pair
        return index
