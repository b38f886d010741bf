"""What there is to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lehr.errors import LehrError
from lehr.split import SPLITS, Split
from lehr.store import Store
from lehr.study import Task

__all__ = ["Samples"]


@dataclass(frozen=True)
class Samples:
    """Samples of a subset, as a training sees them.

    Attributes
    ----------
    counts : dict
        Good samples of each split.
    left_out : int
        Samples whose simulation is not good.
    mean, ranges : dict
        Mean, and lowest and highest value, of each target in the training split: what the trivial predictor knows.
    """

    counts: dict[str, int]
    left_out: int
    mean: dict[str, float]
    ranges: dict[str, list[float]]

    @classmethod
    def of(cls, store: Store, split: Split, task: Task) -> Samples:
        """Count the samples, and look at the targets.

        Raises
        ------
        LehrError
            If there is nothing to train on, or nothing to choose the epoch on.
        """
        usable = {name: store.usable(split, name) for name in SPLITS}
        counts = {name: int(np.count_nonzero(rows)) for name, rows in usable.items()}
        for name in ("train", "validation"):
            if counts[name] == 0:
                raise LehrError(
                    f"{store.path}: no good sample in the {name} split",
                    "Simulate more samples, or take another split.seed.",
                )
        learned = store.columns([quantity.name for quantity in task.targets], usable["train"])
        return cls(
            counts=counts,
            left_out=store.samples - sum(counts.values()),
            mean={name: float(values.mean()) for name, values in learned.items()},
            ranges={name: [float(values.min()), float(values.max())] for name, values in learned.items()},
        )
