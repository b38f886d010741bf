"""What the result would be if the program were not quite what was done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lehr.glass.fit.least_squares.model import PredictionError
from lehr.glass.fit.least_squares.statements import Statement, statements
from lehr.glass.fit.uncertainty.minimum import Minimum
from lehr.glass.quantities import QUANTITY_NAMES

__all__ = ["USUAL_ERRORS", "Reliance", "reliances"]

USUAL_ERRORS = {"rate": 0.02, "hold_temperature": 0.1, "hold_time": 0.02}
"""Of what a program says: relative, or in K. Furnaces err by so much easily."""


@dataclass(frozen=True)
class Reliance:
    """How much a result rests on one statement of the program.

    Attributes
    ----------
    statement : Statement
        What the program says.
    quantity : str
        The quantity that would move most, in its standard errors.
    errors : float
        By how many standard errors it would move, if the statement were wrong by its `USUAL_ERRORS`.
    """

    statement: Statement
    quantity: str
    errors: float


def reliances(result: Minimum) -> list[Reliance]:
    """Return how much a result rests on each statement whose uncertainty was not fitted, the most first."""
    model, objective = result.objective.model, result.objective
    nuisance = model.nuisance
    fitted = {
        "rate": nuisance.rate_error,
        "hold_temperature": nuisance.hold_temperature_error,
        "hold_time": nuisance.hold_time_error,
    }
    asked = [said for said in statements(model.scans.kelvin_program) if not fitted[said.kind]]
    if not asked:
        return []
    try:
        jacobian = objective.jacobian(result.point)
        moved = np.array([model.by_statement(result.point, said) for said in asked]) / objective.noise
    except PredictionError:
        return []
    known = np.zeros((len(asked), objective.known))
    scale = np.linalg.norm(jacobian, axis=0)
    scale[scale == 0.0] = 1.0
    change = -np.linalg.lstsq(jacobian / scale, np.concatenate([moved, known], axis=1).T, rcond=None)[0]
    by_quantity = model.coordinates.derivatives(result.point[:4]) @ (change / scale[:, None])[:4]
    usual = np.array([USUAL_ERRORS[said.kind] for said in asked])
    errors = np.array([result.standard_errors[name] for name in QUANTITY_NAMES])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(np.abs(by_quantity * usual / errors[:, None]))
    most = share.argmax(axis=0)
    found = [
        Reliance(said, QUANTITY_NAMES[k], float(column[k]))
        for said, k, column in zip(asked, most.tolist(), share.T, strict=True)
    ]
    return sorted(found, key=lambda each: -each.errors)
