"""The grid of parameter quartets, its subsets and the train, validation and test splits.

Nothing here is materialised: 13.7 million quartets are a rule from index to parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.physics import ln_pre_exponential

__all__ = ["SPLITS", "Axis", "Split", "StateSpace", "Subset"]

_BLOCK = 11  # cells along an edge of a zoomed-in subset (section 2.1 of the paper)
_GRID_CELLS = (10, 8)  # delta_h rows and ln A columns of the grid subset G


@dataclass(frozen=True)
class Axis:
    """`count` evenly spaced values from `start` to `stop`, both included."""

    start: float
    stop: float
    count: int

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """All values, shape (count,). Rounded, so that 0.2 + 5 * 0.02 is 0.3 and not its neighbour."""
        return np.round(np.linspace(self.start, self.stop, self.count), 10)


@dataclass(frozen=True)
class StateSpace:
    """Grid over (delta_h, ln A, x, beta); the last runs fastest in the flat index.

    For each activation energy, ln A takes `ln_A_count` evenly spaced values between those at which tau = 100 s at the
    two temperatures of `glass_transition`: ln A = ln 100 - delta_h / (R Tg). With the default limits this gives the
    extremes of Table 2 of the paper, -630 and -18, from one rule.

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
    """

    delta_h: Axis = Axis(2e5, 12e5, 101)
    glass_transition: tuple[float, float] = (227.43, 1064.11)
    ln_A_count: int = 81
    x: Axis = Axis(0.2, 1.0, 41)
    beta: Axis = Axis(0.2, 1.0, 41)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Values along delta_h, ln A, x, beta."""
        return self.delta_h.count, self.ln_A_count, self.x.count, self.beta.count

    @property
    def size(self) -> int:
        """Number of quartets."""
        return int(np.prod(self.shape))

    @property
    def quartets_per_cell(self) -> int:
        """Number of (x, beta) pairs in each cell of the (delta_h, ln A) plane."""
        return self.x.count * self.beta.count

    def plane(self, cells: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return delta_h (J/mol) and ln A of cells of the plane; cell = delta_h index * ln_A_count + ln A index."""
        row, column = np.divmod(np.asarray(cells, dtype=np.int64), self.ln_A_count)
        delta_h = self.delta_h.values[row]
        low, high = (ln_pre_exponential(delta_h, tg) for tg in self.glass_transition)
        return delta_h, low + (high - low) * (column / max(self.ln_A_count - 1, 1))

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
        flat = np.asarray(index, dtype=np.int64)
        if flat.size and not (flat.min() >= 0 and flat.max() < self.size):
            raise LehrError(f"an index of the state space is outside 0 ... {self.size - 1}")
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
        position = [
            np.searchsorted(axis.values, rows[:, column] - 1e-6 * (axis.stop - axis.start + 1e-9))
            for axis, column in ((self.delta_h, 1), (self.x, 2), (self.beta, 3))
        ]
        row, x, beta = (
            np.minimum(p, axis.count - 1) for p, axis in zip(position, (self.delta_h, self.x, self.beta), strict=True)
        )
        first = row * self.ln_A_count
        low, high = self.plane(first)[1], self.plane(first + self.ln_A_count - 1)[1]
        span = np.where(high > low, high - low, 1.0)
        column = np.rint((rows[:, 0] - low) / span * (self.ln_A_count - 1)).astype(np.int64)
        column = np.clip(column, 0, self.ln_A_count - 1)
        flat = ((first + column) * self.x.count + x) * self.beta.count + beta
        if not np.allclose(self.parameters(flat), rows, rtol=1e-9, atol=1e-9):
            raise LehrError("a parameter quartet does not lie on the grid of the state space")
        return np.asarray(flat, dtype=np.int64)

    def subset(self, name: str) -> Subset:
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
            return Subset(name, self, np.arange(rows * columns))
        if name not in ("LU", "RU", "LB", "RB", "C", "G"):
            raise LehrError(f"no subset '{name}'", "There are LU, RU, LB, RB, C, G and all.")
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
        return Subset(name, self, (row[:, None] * columns + column).ravel())


@dataclass(frozen=True, eq=False)
class Subset:
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

    name: str
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

    def parameters(self, start: int, stop: int) -> NDArray[np.float64]:
        """Quartets of the rows start ... stop - 1, shape (stop - start, 4)."""
        return self.space.parameters(self.index(start, stop))


SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Train, validation and test shares, drawn by a hash of the parameters.

    A quartet is in the same split in every grid that has it, so growing the grid moves no sample.

    Attributes
    ----------
    train, validation : float
        Shares; the rest is the test split.
    seed : int
        Another seed draws another split.
    """

    train: float = 0.70
    validation: float = 0.15
    seed: int = 0

    def assign(self, parameters: ArrayLike) -> NDArray[np.int8]:
        """Return the index into `SPLITS` of each quartet.

        Parameters
        ----------
        parameters : array_like, shape (n, 4)
            Columns ln_A, delta_h (J/mol), x, beta.

        Returns
        -------
        ndarray of int8, shape (n,)
        """
        rows = np.atleast_2d(np.asarray(parameters, dtype=float))
        # fixed-point numbers: the last bits of a float may differ between two ways to the same grid value
        fixed = np.rint(rows * [1e6, 1e2, 1e9, 1e9]).astype(np.int64).astype(np.uint64)
        state = np.full(len(rows), self.seed, dtype=np.uint64)
        for column in fixed.T:
            state = _mix(state ^ column)
        uniform = (state >> np.uint64(11)).astype(float) / 2.0**53
        return np.digitize(uniform, [self.train, self.train + self.validation]).astype(np.int8)


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One round of the SplitMix64 generator, a bijection that spreads every bit (Steele, Lea and Flood, 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
