"""A real glass: its scans are simulated from published values, and each network reads them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lehr.figures.typeset import interval, value
from lehr.glass.config import GlassRun
from lehr.glass.findings import GlassFindings
from lehr.glass.materials import Material, material
from lehr.glass.quantities import CPN, PARAMETERS, QUANTITIES
from lehr.glass.tnm import Signals, simulate
from lehr.results import Model
from lehr.study import Columns

__all__ = ["Glass", "Reading", "outside", "read_glass"]

_QUANTITIES = {quantity.name: quantity for quantity in QUANTITIES}


@dataclass(frozen=True)
class Reading:
    """What a network reads from the scans of the glass.

    Attributes
    ----------
    model : str
        The network.
    values : dict
        By the names of `QUANTITIES`; NaN for Tg if the values have none.
    outside : list of str
        In what the glass lies outside the range that the network was trained on; empty if it lies inside.
    """

    model: str
    values: dict[str, float]
    outside: list[str]


@dataclass(frozen=True, eq=False)
class Glass:
    """A glass, its scans and the readings."""

    material: Material
    signals: Signals
    published: dict[str, float]
    readings: list[Reading]


def outside(values: Mapping[str, float], ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """Say which values lie outside the ranges, and by name, value and range; empty if none does."""
    return [
        f"{quantity.label} = {value(quantity, values[name])} is {'below' if values[name] < low else 'above'} "
        f"{interval(quantity, low, high)}"
        for name, (low, high) in ranges.items()
        for quantity in (_QUANTITIES[name],)
        if not low <= values[name] <= high
    ]


def read_glass(config: GlassRun, models: Sequence[Model]) -> Glass:
    """Simulate the glass of the config on the temperatures of the run, and let each network read it.

    Parameters
    ----------
    config : GlassRun
        The run; `report.material` names the glass.
    models : sequence of Model
        Networks that were evaluated.

    Raises
    ------
    LehrError
        If the table of materials has no such glass, or a network cannot be loaded.
    """
    glass, findings = material(config.report.material), GlassFindings(config)
    row = glass.parameters.as_tuple()
    signals = simulate(
        *row,
        program=config.signals.program.build(),
        temperature=config.signals.temperature.kelvin(),
        tolerance=config.signals.tolerance,
    )
    sample: Columns = {CPN.name: signals.cpn[None].astype(np.float32)}

    def named(columns: Columns) -> dict[str, float]:
        return {name: float(values[0]) for name, values in findings.values(columns).items()}

    published = named({quantity.name: np.array([number]) for quantity, number in zip(PARAMETERS, row, strict=True)})
    readings = [Reading(model.name, named(model.predict(sample)), outside(published, model.ranges)) for model in models]
    return Glass(glass, signals, published, readings)
