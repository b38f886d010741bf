"""What a study is: the narrow interface between what is studied and the pipeline that carries it.

A study is a system that is simulated, learned and judged: glasses (`lehr.glass`). It brings a `Source`, which simulates
samples; a `Task`, which says what a network learns from them; and `Findings`, which say how good the network is and how
that is shown. All three speak of `Quantity` by name. The pipeline (`lehr.store`, `generate`, `training`, `evaluation`,
`report`) knows nothing else of a study, and imports none.

To add a column to a data set, add a `Quantity` to the results of its source and fill it in `simulate`. To add a study,
write a package with the modules of `lehr.glass` and name its run in `lehr.studies`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import xarray

__all__ = [
    "Claim",
    "Columns",
    "Distortion",
    "ExtraJob",
    "Findings",
    "NetworkText",
    "Quantity",
    "Source",
    "StoreText",
    "Subset",
    "Task",
]

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


@dataclass(frozen=True)
class NetworkText:
    """What a model card says of a network in the words of the study.

    Attributes
    ----------
    title : str
        What it reads from what, without a full stop.
    description : str
        A paragraph: inputs, targets, kind of network.
    limits : tuple of str
        What it is not good for.
    """

    title: str
    description: str
    limits: tuple[str, ...] = ()


class Task(Protocol):
    """What a network learns. Keras is loaded when it is asked to build.

    Attributes
    ----------
    inputs, targets : tuple of Quantity
        What the network is given and what it answers; any quantities of the source.
    monitor : str
        What of the validation chooses the best epoch, a column of history.csv: the smallest wins.
    """

    inputs: tuple[Quantity, ...]
    targets: tuple[Quantity, ...]
    monitor: str

    @property
    def axes(self) -> Mapping[str, tuple[Quantity, NDArray[Any]]]:
        """Coordinates at which the inputs must be given, by the names of their dimensions."""

    @property
    def decides(self) -> dict[str, Any]:
        """Sections that decide the network, its loss and its targets, as JSON has them."""

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what `decides` was for an older network with those keys added that it did not know, at their defaults.

        Raises
        ------
        LehrError
            If they have a key that this version does not know.
        """

    @property
    def training_flops(self) -> float:
        """Operations of a gradient step for a sample."""

    @property
    def activation_bytes(self) -> float:
        """Bytes of the outputs of all layers for a sample."""

    def build(self) -> Any:
        """Return the network, a `keras.Model`; `keras.utils.set_random_seed` decides its first weights."""

    def loss(self) -> Any:
        """Return the loss that is trained on, a `keras.losses.Loss`."""

    def encode_inputs(self, columns: Columns) -> NDArray[Any]:
        """Return the inputs of samples as the network takes them."""

    def encode_targets(self, columns: Columns) -> NDArray[Any]:
        """Return the targets of samples as the network answers them."""

    def decode(self, outputs: NDArray[Any]) -> Columns:
        """Return targets, by name, of outputs of the network."""

    def text(self) -> NetworkText:
        """Describe the network for its model card."""


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
