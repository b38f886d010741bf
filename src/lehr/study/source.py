"""What simulates the samples of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lehr.study.quantity import Columns, Quantity

__all__ = ["ExtraJob", "Source", "StoreText", "Subset"]


class Subset(Protocol):
    """Samples that are simulated, stored and learned from together; nothing of them is kept in memory."""

    @property
    def name(self) -> str:
        """Name of the subset."""

    @property
    def size(self) -> int:
        """Number of samples."""

    def rows(self, start: int, stop: int) -> Columns:
        """Return `index` (int64, the number of a sample in all of the space) and the parameters of some samples."""


@dataclass(frozen=True)
class StoreText:
    """What the documents in a store say of its content, in the words of the study.

    Attributes
    ----------
    title : str
        One line, without a full stop.
    description : str
        A paragraph or two: what a sample is and how it was made.
    facts : dict of str to str
        Rows of a table of two columns, Markdown.
    """

    title: str
    description: str = ""
    facts: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """What simulates samples. MPI ranks import it; it needs NumPy and the compiled kernel.

    Attributes
    ----------
    study : str
        Name of the study.
    numerics : int
        Version of everything that decides a number: kernel, program, grid, rounding. It is raised by hand when stored
        values change, and a test with stored samples says when that is.
    parameters : tuple of Quantity
        What decides a sample.
    results : tuple of Quantity
        What is found of a sample, small; `status` is among them, 0 for a good one.
    array : Quantity
        What is found of a sample, large: stored in shards. If the results have NAME_mean and NAME_mean_square, the
        store has its moments over the training split.
    axes : mapping
        Coordinates of the dimensions of all these, by name.
    split_keys : tuple of str
        Names of what `keys` returns.
    at_once : int
        Rows between two moves of a progress bar.
    """

    study: str
    numerics: int
    parameters: tuple[Quantity, ...]
    results: tuple[Quantity, ...]
    array: Quantity
    split_keys: tuple[str, ...]
    at_once: int

    @property
    def axes(self) -> Mapping[str, tuple[Quantity, NDArray[Any]]]:
        """Coordinates by name: the quantity, whose `dims` has one entry, and its values."""

    @property
    def values(self) -> dict[str, Any]:
        """Everything of a config that decides a stored value, as JSON has it; the layout on disk does not."""

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the `values` of an older store with those keys added that it did not know, at their defaults.

        Raises
        ------
        LehrError
            If they have a key that this version does not know.
        """

    def subset(self, name: str) -> Subset:
        """Return a subset by name; raises `LehrError` if there is none."""

    def simulate(self, rows: Columns, out: Columns) -> None:
        """Simulate samples and fill the array and all results; a bad row harms no other, its status says so.

        Parameters
        ----------
        rows : dict of ndarray
            Parameters of n samples.
        out : dict of ndarray
            An array of n rows for `array` and for each of `results`.
        """

    def keys(self, rows: Columns) -> dict[str, NDArray[np.int64]]:
        """Return what a split may hash, by name, shape (n, k): whole numbers, the same for what belongs together."""

    def same(self, stored: Columns, again: Columns) -> list[tuple[int, str]]:
        """Compare stored samples with a new simulation; return positions and what differs, empty if all is well.

        The same code on another processor may differ in the last bits, which does not count.
        """

    def text(self, subset: str, results: Columns | None = None) -> StoreText:
        """Describe a subset; `results` of all its samples are there when it is complete."""


@dataclass(frozen=True)
class ExtraJob:
    """A job of a workflow rule that only one study has.

    Attributes
    ----------
    rule : str
        Name of the rule.
    subset, model : str
        What it is about; empty if it does not go by them.
    tasks : int
        Processes that share it.
    seconds : float
        Time of one CPU core, beside that of predictions.
    predictions : int
        Samples that the network of `model` reads.
    memory : float
        Bytes of a task, beside those of a network.
    """

    rule: str
    subset: str = ""
    model: str = ""
    tasks: int = 1
    seconds: float = 0.0
    predictions: int = 0
    memory: float = 0.0
