"""What a data set will cost, before it is made."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from lehr.generate.driver import part_plan
from lehr.glass.config import GlassRun
from lehr.glass.config.signals import SignalsConfig
from lehr.glass.space import Subset
from lehr.glass.tnm import simulate_batch
from lehr.store import encoded_bytes, moments, round_signals, small_files

__all__ = ["Estimate", "estimate"]

_PROBED = 48  # samples; a fraction of a second
_OTHER_FILES = 24  # metadata, axes and documents


@dataclass(frozen=True)
class Estimate:
    """What a subset will cost.

    Attributes
    ----------
    subset : str
        Its name.
    samples, parts, files : int
        Their numbers; nearly all files are a shard and a receipt for each part.
    raw_bytes : int
        Size of its signals as an array of float32.
    disk_bytes : float
        Estimated size on disk.
    core_hours : float
        Estimated time of one core of this machine.
    """

    subset: str
    samples: int
    parts: int
    files: int
    raw_bytes: int
    disk_bytes: float
    core_hours: float


def estimate(config: GlassRun, subset: str) -> Estimate:
    """Estimate the cost of a subset from a few of its samples, drawn evenly and simulated now."""
    space = config.signals.state_space.build().subset(subset)
    plan = part_plan(config, subset)
    seconds, size = _probe(config.signals, space)
    shape = config.signals.program.cycle_count, config.signals.temperature.points
    return Estimate(
        subset=subset,
        samples=plan.rows,
        parts=len(plan),
        files=2 * len(plan) + small_files(plan.rows) + _OTHER_FILES,
        raw_bytes=plan.rows * int(np.prod(shape)) * 4,
        disk_bytes=plan.rows * size,
        core_hours=plan.rows * seconds / 3600,
    )


def _probe(signals: SignalsConfig, subset: Subset) -> tuple[float, float]:
    """Return seconds and bytes of a sample, from parameters to what is written."""
    rows = np.unique(np.linspace(0, subset.size - 1, _PROBED).astype(np.int64))
    parameters = np.concatenate([subset.parameters(row, row + 1) for row in rows.tolist()])
    program, temperature = signals.program.build(), signals.temperature.kelvin()
    started = time.process_time()
    cpn, _ = simulate_batch(parameters, program=program, temperature=temperature, tolerance=signals.tolerance)
    size = encoded_bytes(round_signals(cpn), signals.storage.rows_per_chunk)
    moments(cpn)
    return (time.process_time() - started) / rows.size, size / rows.size
