"""Quantities: what all parts of a study speak of, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Columns", "Quantity"]

Columns = dict[str, NDArray[Any]]
"""Arrays by the names of quantities; the first dimension of each is the sample."""


@dataclass(frozen=True)
class Quantity:
    """A quantity: the one place for its name, unit, meaning, label, scale and rounding.

    Attributes
    ----------
    name : str
        Name in configs, columns of files, arrays of stores and Python.
    unit : str
        Unit of stored and computed values, as UDUNITS writes it; "1" if there is none.
    meaning : str
        What it is, for the attributes of a store and the docs.
    label : str
        Name in a table or a line of text; default: `name`.
    symbol : str
        Name on an axis, in Matplotlib's mathtext; default: `label`.
    shown_unit : str
        Unit in which a person is shown values; default: `unit`, or nothing for "1".
    factor : float
        What a value is multiplied with to be shown: 1e-3 from J/mol to kJ/mol.
    decimals : int
        Decimals of a shown value.
    dtype : str
        NumPy type in a store.
    dims : tuple of str
        Dimensions of the values of a sample: () for a number, ("cycle", "temperature") for heating scans.
    step : float, optional
        Stored values are multiples of it; None: they are stored as they are.
    attributes : mapping
        What a store says of the array besides.
    """

    name: str
    unit: str = "1"
    meaning: str = ""
    label: str = ""
    symbol: str = ""
    shown_unit: str = ""
    factor: float = 1.0
    decimals: int = 3
    dtype: str = "float64"
    dims: tuple[str, ...] = ()
    step: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.name)
        object.__setattr__(self, "symbol", self.symbol or self.label)
        object.__setattr__(self, "shown_unit", self.shown_unit or ("" if self.unit == "1" else self.unit))

    @property
    def axis_label(self) -> str:
        """Symbol and unit, as an axis shows them."""
        return self._with_unit(self.symbol)

    @property
    def heading(self) -> str:
        """Label and unit, as the head of a column shows them."""
        return self._with_unit(self.label)

    def shown(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return values in the unit in which they are shown."""
        return np.multiply(np.asarray(values, dtype=float), self.factor)

    def _with_unit(self, text: str) -> str:
        return f"{text} ({self.shown_unit})" if self.shown_unit else text

    def rounded(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Round float32 values to multiples of `step`, a power of two, in place; NaN stays NaN."""
        if self.step is not None:
            for block in values:  # one sample after the other, so that they stay in the cache
                np.multiply(block, np.float32(1.0 / self.step), out=block)
                np.rint(block, out=block)
                np.multiply(block, np.float32(self.step), out=block)
        return values
