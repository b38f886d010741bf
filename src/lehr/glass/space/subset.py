"""What is simulated together: a part of a state space, or all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.quantities import PARAMETERS
from lehr.study import Columns

__all__ = ["Space", "SpaceSubset", "flat_indices"]


class Space(Protocol):
    """A rule from flat indices to parameter quartets."""

    @property
    def size(self) -> int:
        """Number of quartets."""

    def parameters(self, index: ArrayLike) -> NDArray[np.float64]:
        """Quartets of flat indices, shape (n, 4), columns ln_A, delta_h (J/mol), x, beta."""


@dataclass(frozen=True, eq=False)
class SpaceSubset:
    """All quartets of a state space.

    Attributes
    ----------
    name : str
        Name of the subset.
    space : Space
        The state space.
    """

    name: str
    space: Space

    @property
    def size(self) -> int:
        """Number of quartets."""
        return self.space.size

    def index(self, start: int, stop: int) -> NDArray[np.int64]:
        """Flat indices in the state space of the rows start ... stop - 1 of the subset."""
        return np.arange(start, stop)

    def parameters(self, start: int, stop: int) -> NDArray[np.float64]:
        """Quartets of the rows start ... stop - 1, shape (stop - start, 4)."""
        return self.space.parameters(self.index(start, stop))

    def rows(self, start: int, stop: int) -> Columns:
        """Flat indices and quartets of the rows start ... stop - 1, by name."""
        index = self.index(start, stop)
        columns = self.space.parameters(index).T
        return {"index": index, **{quantity.name: column for quantity, column in zip(PARAMETERS, columns, strict=True)}}


def flat_indices(index: ArrayLike, size: int) -> NDArray[np.int64]:
    """Return flat indices as an array; raises `LehrError` if one is not in 0 ... size - 1."""
    flat = np.asarray(index, dtype=np.int64)
    if flat.size and not (flat.min() >= 0 and flat.max() < size):
        raise LehrError(f"an index of the state space is outside 0 ... {size - 1}")
    return flat
