"""What a data set will cost, before it is made."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lehr.config import Run
from lehr.errors import LehrError
from lehr.files import read_json, write_json
from lehr.generate.driver import part_plan
from lehr.store import encoded_bytes, samples_to_fill, small_files
from lehr.store.layout import digest, sample_bytes

__all__ = ["Cost", "KnownCosts", "Probe", "cost", "known_probe", "probe"]

_MAX_PROBED = 48  # samples
_PROBE_SECONDS = 1.0  # after which no further sample is probed
_OTHER_FILES = 24  # metadata, axes and documents


@dataclass(frozen=True)
class Probe:
    """What was measured on a few samples of a subset, drawn evenly.

    Attributes
    ----------
    digest : str
        Digest of what decides the samples.
    samples : int
        How many were simulated.
    seconds : float
        Time of one core of this machine for a sample, from parameters to what is written.
    bytes : float
        Size of a sample on disk.
    """

    digest: str
    samples: int
    seconds: float
    bytes: float


@dataclass(frozen=True)
class Cost:
    """What a subset will cost.

    Attributes
    ----------
    subset : str
        Its name.
    samples, parts, files : int
        Their numbers; nearly all files are a shard and a receipt for each part.
    raw_bytes : int
        Size of its large array in memory.
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


def cost(run: Run, subset: str, measured: Probe) -> Cost:
    """Return the cost of a subset by what was measured on a few of its samples."""
    source, plan = run.source(), part_plan(run, subset)
    return Cost(
        subset=subset,
        samples=plan.rows,
        parts=len(plan),
        files=2 * len(plan) + small_files(source, plan.rows) + _OTHER_FILES,
        raw_bytes=plan.rows * sample_bytes(source),
        disk_bytes=plan.rows * measured.bytes,
        core_hours=plan.rows * measured.seconds / 3600,
    )


def probe(run: Run, subset: str) -> Probe:
    """Simulate a few samples of a subset: for a second, or one sample if that takes longer."""
    source = run.source()
    space = source.subset(subset)
    rows = np.unique(np.linspace(0, space.size - 1, _MAX_PROBED).astype(np.int64))
    # Neighbours cost alike: in an order of its own, those that the second is enough for lie all over the subset.
    rows = np.random.default_rng(0).permutation(rows)
    parts = [space.rows(row, row + 1) for row in rows.tolist()]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    out = samples_to_fill(source, rows.size)
    processor, began, done, count = time.process_time(), time.perf_counter(), 0, 1
    while count:
        now = slice(done, min(done + count, rows.size))
        source.simulate({name: c[now] for name, c in columns.items()}, {name: c[now] for name, c in out.items()})
        done, elapsed = now.stop, time.perf_counter() - began
        fitting = int((_PROBE_SECONDS - elapsed) / elapsed * done)  # into the rest of the time
        count = max(0, min(fitting, 2 * done, rows.size - done))
    size = encoded_bytes(out[source.array.name][:done], run.storage.rows_per_chunk)
    return Probe(digest(source), done, (time.process_time() - processor) / done, size / done)


def known_probe(run: Run, subset: str, *, measure: bool) -> Probe | None:
    """Return the probe that is kept beside the store of a run.

    Snakemake asks for each job, and each time it plans. A probe of other samples counts as none.

    Parameters
    ----------
    run : Run
        The run.
    subset : str
        One of its subsets.
    measure : bool
        Whether to probe now, and keep it, where there is none; a dry run does not.
    """
    path = _kept_path(run, subset)
    with suppress(LehrError, TypeError):
        kept = Probe(**read_json(path, ""))
        if kept.digest == digest(run.source()):
            return kept
    if not measure:
        return None
    found = probe(run, subset)
    with suppress(OSError):  # it is a help, not a result
        write_json(path, asdict(found))
    return found


class KnownCosts:
    """Costs of the subsets of a run by the probes that are kept; each is worked out once.

    Parameters
    ----------
    run : Run
        The run.
    measure : bool
        As of `known_probe`; where nothing is known and nothing is measured, simulation takes no time.
    """

    def __init__(self, run: Run, *, measure: bool) -> None:
        self._run = run
        self._measure = measure
        self._costs: dict[str, Cost] = {}

    def __call__(self, subset: str) -> Cost:
        """Return the cost of a subset."""
        if subset not in self._costs:
            measured = known_probe(self._run, subset, measure=self._measure)
            self._costs[subset] = cost(self._run, subset, measured or Probe("", 0, 0.0, 0.0))
        return self._costs[subset]


def _kept_path(run: Run, subset: str) -> Path:
    return run.store_path.with_name("probes") / f"{subset}.json"
