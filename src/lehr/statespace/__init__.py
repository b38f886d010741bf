"""Parameter quartets, on a grid or scattered, their subsets and the train, validation and test splits.

Nothing here is materialised: 13.7 million quartets are a rule from index to parameters.
"""

from lehr.statespace.grid import PAPER_SUBSETS, Axis, CellSubset, StateSpace
from lehr.statespace.scatter import SOBOL_LIMIT, ScatteredSpace
from lehr.statespace.split import SPLITS, Split
from lehr.statespace.subset import Space, Subset

__all__ = [
    "PAPER_SUBSETS",
    "SOBOL_LIMIT",
    "SPLITS",
    "Axis",
    "CellSubset",
    "ScatteredSpace",
    "Space",
    "Split",
    "StateSpace",
    "Subset",
]
