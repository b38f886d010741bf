"""Parameter quartets, on a grid or scattered, and their subsets.

Nothing here is materialised: 13.7 million quartets are a rule from index to parameters.
"""

from lehr.glass.space.grid import PAPER_SUBSETS, Axis, CellSubset, StateSpace
from lehr.glass.space.scatter import SOBOL_LIMIT, ScatteredSpace
from lehr.glass.space.subset import Space, SpaceSubset

__all__ = [
    "PAPER_SUBSETS",
    "SOBOL_LIMIT",
    "Axis",
    "CellSubset",
    "ScatteredSpace",
    "Space",
    "SpaceSubset",
    "StateSpace",
]
