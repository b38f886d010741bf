"""Parameter quartets scattered between the ends of the axes of a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.space.grid import StateSpace
from lehr.glass.space.subset import SpaceSubset, flat_indices

__all__ = ["SOBOL_LIMIT", "ScatteredSpace"]

SOBOL_LIMIT = 2**30
"""Points that the Sobol sequence has with the 30 bits that SciPy gives it."""

Rows = tuple[Callable[[int], object], Callable[[int], NDArray[np.float64]]]
"""Skip a number of rows; draw a number of rows, shape (n, 4), between 0 and 1."""


@dataclass(frozen=True)
class ScatteredSpace:
    """Quartets drawn uniformly between the ends of the axes of a grid.

    Row i depends on the method, the seed and i alone: any part can be computed without the others, and a larger `size`
    keeps the rows that were there.

    Attributes
    ----------
    ends : StateSpace
        The grid between the ends of whose axes the quartets lie; an axis of one value stays at it. ln A lies between
        its limits at the activation energy of the quartet.
    method : "random" or "sobol"
        Independent points, or a scrambled Sobol sequence, which fills the space evenly (best with a power of two).
    size : int
        Number of quartets.
    seed : int
        Another seed draws other points.

    Raises
    ------
    LehrError
        If the Sobol sequence has not so many points.
    """

    ends: StateSpace
    method: Literal["random", "sobol"]
    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method == "sobol" and self.size > SOBOL_LIMIT:
            raise LehrError(f"the Sobol sequence has {SOBOL_LIMIT} points, not {self.size}", "Take random points.")

    def parameters(self, index: ArrayLike) -> NDArray[np.float64]:
        """Return the quartets of flat indices.

        A Sobol sequence is run through up to the largest index: for 13 million points that takes some 30 ms.

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
            If an index is out of range, or SciPy is missing.
        """
        rows, position = np.unique(flat_indices(index, self.size), return_inverse=True)
        unit = self._unit(rows)[position]
        delta_h, x, beta = (
            axis.start + (axis.stop - axis.start) * unit[:, column]
            for axis, column in ((self.ends.delta_h, 1), (self.ends.x, 2), (self.ends.beta, 3))
        )
        low, high = self.ends.limits_of_ln_a(delta_h)
        # rounded, so that it does not show whether a processor fuses multiplication and addition
        columns = ((low + (high - low) * unit[:, 0], 10), (delta_h, 4), (x, 10), (beta, 10))
        return np.stack([np.round(values, digits) for values, digits in columns], axis=-1)

    def _unit(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Points of the unit cube, shape (n, 4), of ascending rows; those that follow each other are drawn together."""
        skip, draw = _random(self.seed) if self.method == "random" else _sobol(self.seed)
        unit = np.empty((rows.size, 4))
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1).tolist()
        reached = 0
        for start, stop in pairwise([*starts, rows.size]):
            first = int(rows[start])
            if first > reached:
                skip(first - reached)
            unit[start:stop] = draw(stop - start)
            reached = first + stop - start
        return unit

    def subset(self, name: str) -> SpaceSubset:
        """Return the whole space as "all"; there is no other subset.

        Raises
        ------
        LehrError
            If another subset is asked for.
        """
        if name != "all":
            raise LehrError(
                f"the subset {name} needs a grid, and these points are scattered",
                "Scattered points have the subset all.",
            )
        return SpaceSubset(name, self)


def _random(seed: int) -> Rows:
    """Counter-based random numbers: a block of Philox is four of them, a row."""
    generator = np.random.Philox(np.random.SeedSequence(seed))
    return generator.advance, lambda count: np.random.Generator(generator).random((count, 4))


def _sobol(seed: int) -> Rows:
    try:
        from scipy.stats import qmc
    except ImportError:
        raise LehrError("a Sobol sequence needs SciPy, which is not installed", "pip install 'lehr[store]'") from None
    engine = qmc.Sobol(4, scramble=True, rng=seed)

    def draw(count: int) -> NDArray[np.float64]:
        if engine.num_generated:
            return np.asarray(engine.random(count))
        # SciPy warns if the first draw is not a power of two, but this may be a part of a larger whole
        return np.concatenate([engine.random(1), engine.random(count - 1)])

    return engine.fast_forward, draw
