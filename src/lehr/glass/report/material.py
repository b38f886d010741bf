"""A real glass: its scans are simulated from published values, and each network reads them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.evaluation import QUANTITIES, glass_transition
from lehr.glass.config import GlassRun
from lehr.glass.materials import Material, material
from lehr.glass.tnm import Signals, simulate
from lehr.report.typeset import LABELS, interval, value

__all__ = ["Glass", "Reading", "outside", "quantities", "read_glass"]

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Reading:
    """What a network reads from the scans of the glass.

    Attributes
    ----------
    model : str
        The network.
    values : dict
        By the names in `QUANTITIES`; NaN for Tg if the values have none.
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


def quantities(parameters: ArrayLike) -> dict[str, float]:
    """Return the values of ln A, delta_h (J/mol), x, beta, shape (4,), and Tg in K by name."""
    row = np.asarray(parameters, dtype=float)
    return dict(zip(QUANTITIES, [*row.tolist(), float(glass_transition(row[None])[0])], strict=True))


def outside(values: Mapping[str, float], ranges: Ranges) -> list[str]:
    """Say which values lie outside the ranges, and by name, value and range; empty if none does."""
    return [
        f"{LABELS[name]} = {value(name, values[name])} is {'below' if values[name] < low else 'above'} "
        f"{interval(name, low, high)}"
        for name, (low, high) in ranges.items()
        if not low <= values[name] <= high
    ]


def read_glass(config: GlassRun, networks: Mapping[str, tuple[Path, Ranges]]) -> Glass:
    """Simulate the glass of the config on the temperatures of the run, and let each network read it.

    Parameters
    ----------
    config : GlassRun
        The run; `report.material` names the glass.
    networks : mapping
        By name: the run folder, and what it was trained on, see `outside`.

    Raises
    ------
    LehrError
        If the table of materials has no such glass, or a network cannot be loaded.
    """
    from lehr.evaluation.network import (  # Keras takes seconds to load, and the figures need none of it
        load_network,
        predict,
    )

    glass = material(config.report.material)
    row = glass.parameters.as_tuple()
    signals = simulate(
        *row,
        program=config.signals.program.build(),
        temperature=config.signals.temperature.kelvin(),
        tolerance=config.signals.tolerance,
    )
    sample: NDArray[np.float32] = signals.cpn.T[None].astype(np.float32)
    published = quantities(row)
    readings = [
        Reading(
            name,
            quantities(predict(load_network(folder, signals.temperature), sample)[0]),
            outside(published, limits),
        )
        for name, (folder, limits) in networks.items()
    ]
    return Glass(glass, signals, published, readings)
