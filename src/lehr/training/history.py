"""What the history of a training decides: the best epoch, and when it ends.

All of it follows from the rows alone, so that a training that was interrupted ends as one that was not.
"""

from __future__ import annotations

from collections.abc import Sequence

from lehr.config import TrainingConfig

__all__ = ["Row", "best", "last_epoch"]

Row = dict[str, float]
"""One line of history.csv."""


def best(rows: Sequence[Row], monitor: str) -> Row:
    """Return the first row with the smallest value of a column."""
    return min(rows, key=lambda row: row[monitor])


def last_epoch(rows: Sequence[Row], training: TrainingConfig, monitor: str) -> int | None:
    """Return the epoch, from 1, with which the training ends by what is known so far; None if it goes on.

    Parameters
    ----------
    rows : sequence of dict
        The history.
    training : TrainingConfig
        How long it may go on.
    monitor : str
        The column that must fall.
    """
    patience = training.early_stopping.patience if training.early_stopping else training.epochs
    smallest, better = float("inf"), 0
    for epoch, row in enumerate(rows, start=1):
        if row[monitor] < smallest:
            smallest, better = row[monitor], epoch
        if epoch == training.epochs or epoch - better >= patience:
            return epoch
    return None
