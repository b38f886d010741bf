"""The golden samples: stored values of some 200 glasses. ``python tests/golden.py`` records them anew.

They hold `GlassSource.numerics` honest: it is raised, and the file recorded anew, when a change of the kernel, of
programs, grids, temperatures or rounding changes a stored value, and at no other time.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from lehr.glass.config import SignalsConfig
from lehr.glass.source import GlassSource
from lehr.store import samples_to_fill

PATH = Path(__file__).parent / "data/golden.npz"

_HELD = [{"ramp": {"to": 300.0, "rate": 10}}, {"hold": {"hours": 3}}, {"ramp": {"to": "highest", "rate": 10}}]
_JUMPED = [
    {"jump": {"to": 420.0}},
    {"hold": {"days": 1}},
    {"jump": {"to": 250.0}},
    {"ramp": {"to": 640.0, "rate": 40}},
]
_RAMPED = [{"ramp": {"to": 200.0, "rate": 0.2}}, {"ramp": {"to": 640.0, "rate": 5}}]
_CYCLES = [{"segments": _HELD}, {"segments": _JUMPED}, {"start": 600.0, "segments": _RAMPED}]

SECTIONS: dict[str, tuple[dict[str, Any], int]] = {
    "paper": ({"temperature": {"start": -250, "stop": 1600, "step": 10}}, 120),
    "sobol": (
        {
            "state_space": {"scatter": {"method": "sobol", "count": 64, "seed": 3}},
            "program": {"cooling_rates": [0.1, 100.0], "heating_rate": 20.0},
            "temperature": {"start": -250, "stop": 1600, "step": 5},
            "tolerance": 1e-5,
        },
        40,
    ),
    "program": (
        {
            "state_space": {
                "delta_h": {"values": [3e5, 4.2e5, 6e5]},
                "glass_transition": [360.0, 460.0],
                "ln_A_count": 4,
                "x": {"start": 0.3, "stop": 0.9, "step": 0.3},
                "beta": {"values": [0.35, 0.5, 0.8]},
            },
            "program": {"cycles": _CYCLES},
            "temperature": {"start": -23, "stop": 367, "step": 1.3},
        },
        48,
    ),
}
"""By name: a section `signals` of a config, and how many of its samples are kept."""


def simulate(name: str) -> dict[str, np.ndarray]:
    """Parameters, scans and results of the samples of a section, as a store has them."""
    section, count = SECTIONS[name]
    source = GlassSource(SignalsConfig.model_validate(section))
    subset = source.subset("all")
    rows = np.unique(np.linspace(0, subset.size - 1, count).astype(np.int64))
    parts = [subset.rows(row, row + 1) for row in rows.tolist()]
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    out = samples_to_fill(source, rows.size)
    source.simulate(columns, out)
    return {**columns, **out}


def record() -> None:
    """Write the file."""
    arrays = {f"{name}/{key}": values for name in SECTIONS for key, values in simulate(name).items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, about=json.dumps({"numerics": GlassSource.numerics}), **arrays)
    PATH.write_bytes(buffer.getvalue())


if __name__ == "__main__":
    record()
