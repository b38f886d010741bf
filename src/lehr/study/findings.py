"""What is measured on a network of a study, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lehr.study.quantity import Columns, Quantity

if TYPE_CHECKING:
    import xarray

__all__ = ["Claim", "Distortion", "Findings"]


@dataclass(frozen=True)
class Claim:
    """What a publication says of its network: the share of test samples with an absolute error below a threshold.

    Attributes
    ----------
    quantity : str
        Name of the quantity.
    threshold : float
        In the unit of the quantity.
    subsets : tuple of str
        Subsets that it is about.
    low, high : float
        The share, 0 to 1; equal where one number is given.
    text : str
        The share as it reads in a table.
    place : str
        Where it is said.
    """

    quantity: str
    threshold: float
    subsets: tuple[str, ...]
    low: float
    high: float
    text: str
    place: str


@dataclass(frozen=True)
class Distortion:
    """What may be wrong with the inputs of a network.

    Attributes
    ----------
    quantity : Quantity
        Name and unit of its level.
    levels : tuple of float
        Levels to try, ascending; 0 changes nothing.
    apply : callable
        From the columns of samples, with their numbers in `row`, and a level to the columns of distorted ones.
    """

    quantity: Quantity
    levels: tuple[float, ...]
    apply: Callable[[Columns, float], Columns]


class Findings(Protocol):
    """What is measured on a network, and how it is shown.

    Attributes
    ----------
    quantities : tuple of Quantity
        What errors are given for, in the order of files: the targets, and what follows from them.
    relative : tuple of Quantity
        Errors by the true value; relative_NAME is that of NAME.
    columns : tuple of Quantity
        What `measure` and `complete` give for each sample.
    sums : tuple of Quantity
        Those of `columns` that are errors themselves, and are summarised as those of `quantities` are.
    ranged : tuple of Quantity
        Those of `quantities` whose ranges differ between subsets.
    shown : tuple of Quantity
        Some of `quantities` and `sums`, in the order in which a person reads them.
    labels : mapping
        Names along the dimensions that `columns` have besides the sample.
    reads : tuple of str
        What `measure` and `limit` want of a store besides the inputs and targets of the task.
    limit : tuple of Quantity and float
        Samples in which this column of the store is larger are left out and counted.
    """

    quantities: tuple[Quantity, ...]
    relative: tuple[Quantity, ...]
    columns: tuple[Quantity, ...]
    sums: tuple[Quantity, ...]
    ranged: tuple[Quantity, ...]
    shown: tuple[Quantity, ...]
    labels: Mapping[str, tuple[str, ...]]
    reads: tuple[str, ...]
    limit: tuple[Quantity, float]

    def values(self, columns: Columns) -> Columns:
        """Return all `quantities` of samples, by name, from their true or predicted targets; NaN where one has none."""

    def measure(self, columns: Columns, predicted: Columns, threads: int) -> Columns:
        """Measure the predictions of a batch: what needs more than the targets.

        Parameters
        ----------
        columns : dict of ndarray
            The batch, as the store has it.
        predicted : dict of ndarray
            Targets as the network predicts them.
        threads : int
            How many threads may work on it.
        """

    def complete(
        self, measured: Columns, true: Columns, predicted: Columns, subset: Columns, training: Mapping[str, Any]
    ) -> Columns:
        """Return all `columns` of all samples: what was measured, and what follows from it.

        Parameters
        ----------
        measured : dict of ndarray
            What `measure` gave.
        true, predicted : dict of ndarray
            The targets.
        subset : dict of ndarray
            True targets of all samples of the subset.
        training : mapping
            run.json of the network.
        """

    def numbers(self, data: xarray.Dataset) -> dict[str, Any]:
        """Return what metrics.json has besides what it has for all studies, from the samples that count."""

    def notes(self, metrics: Mapping[str, Any]) -> dict[str, int]:
        """Return numbers of samples that a reader must know of, by words that follow the number."""

    def thresholds(self, subset: str) -> Sequence[tuple[str, float, Claim | None]]:
        """Return the thresholds of the quantities that shares are given for, and what is claimed of them."""

    def report(self, results: Any, figures: Any) -> Any:
        """Draw what there is to show, and return what the page needs of it.

        Parameters
        ----------
        results : lehr.results.Results
            All that was found; what the study does not find is added to its `problems`.
        figures : lehr.figures.files.FigureFiles
            The files that figures are written to.

        Returns
        -------
        lehr.results.ReportParts
        """
