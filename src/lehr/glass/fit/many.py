"""Fits of many sets of scans, each on one core: what fails is told, and the others go on."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sized
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lehr.errors import LehrError
from lehr.files import file_checksum
from lehr.glass.config.program import load_program
from lehr.glass.fit.fit import fit_scans
from lehr.glass.fit.least_squares.nuisance import Nuisance, likely_nuisance
from lehr.glass.fit.output.record import FitRecord
from lehr.glass.scans import Scans, as_scans, cooled_and_heated, read_normalised
from lehr.glass.scans.options import ScanOptions
from lehr.glass.tnm import Signals, ThermalProgram
from lehr.provenance import packages

__all__ = ["FAILED", "FitOptions", "ScanSet", "SetFit", "fit_many"]

FAILED = "failed"
"""Status of a set that has no fit."""

_WINDOW = 16  # sets for each process that are handed out at a time
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, eq=False)
class ScanSet:
    """The scans of one glass, and what was done to it.

    Attributes
    ----------
    name : str
        What it is called in the results.
    files : tuple of str or Path
        Files of its scans, in the order of the program.
    cooling_rates : tuple of float
        K/min before each scan; or give a program.
    heating_rate : float, optional
        K/min; default: what the files say.
    program : str, Path or ThermalProgram, optional
        A cycle for each scan.
    scans : Scans, optional
        Scans that are in memory, instead of files; they have their program.
    error : str
        Why it cannot be fitted, if that is known beforehand.
    """

    name: str
    files: tuple[str | Path, ...] = ()
    cooling_rates: tuple[float, ...] = ()
    heating_rate: float | None = None
    program: str | Path | ThermalProgram | None = None
    scans: Scans | None = None
    error: str = ""

    def as_scans(self, reading: ScanOptions) -> tuple[Scans, Any]:
        """Return the scans as a fit takes them, and as they were read.

        Raises
        ------
        LehrError
            If a file cannot be read, or what was done to the glass is not clear.
        """
        if self.error:
            raise LehrError(self.error)
        if self.scans is not None:
            return self.scans, self.scans.scans
        if (self.program is None) == (not self.cooling_rates):
            raise LehrError("what was done to the glass is not clear", "Give either cooling rates or a program.")
        if self.program is not None and self.heating_rate:
            raise LehrError("a program and a heating rate exclude each other", "Write the rates into the program.")
        read = read_normalised(self.files, options=reading)
        if self.program is None:
            program = cooled_and_heated(read, self.cooling_rates, self.heating_rate)
        else:
            program = self.program if isinstance(self.program, ThermalProgram) else load_program(self.program)
        return as_scans(read, program), read


@dataclass(frozen=True)
class FitOptions:
    """What all fits have in common.

    Attributes
    ----------
    reading : ScanOptions
        How the files are read.
    nuisance : Nuisance, optional
        What the instruments may have done; default: `likely_nuisance` of each set.
    changes : dict
        Fields of `Nuisance` that differ from that default.
    others : dict
        Further arguments of `fit_scans`.
    """

    reading: ScanOptions = field(default_factory=ScanOptions)
    nuisance: Nuisance | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, each: ScanSet) -> str:
        """Hash of all that a fit of files rests on: their content, the program, these options, the version of lehr."""
        program = each.program
        parts = [
            packages("lehr"),
            [_content(path) for path in each.files],
            each.cooling_rates,
            each.heating_rate,
            _content(program) if isinstance(program, str | Path) else repr(program),
            self.reading.model_dump(mode="json", exclude_unset=True),
            repr(self.nuisance),
            sorted(self.changes.items()),
            sorted((name, repr(value)) for name, value in self.others.items()),
            each.error,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _content(path: str | Path) -> str:
    try:
        return file_checksum(Path(path))
    except OSError:
        return "missing"


@dataclass(frozen=True)
class SetFit:
    """What a fit has found of one set.

    Attributes
    ----------
    name : str
        Of the set.
    files : tuple of str or Path
        Its files.
    record : FitRecord or None
        The fit, as fit.json has it; None if there is none.
    error : str
        Why there is none.
    digest : str
        Hash of all that it rests on.
    """

    name: str
    files: tuple[str | Path, ...]
    record: FitRecord | None
    error: str
    digest: str

    @property
    def status(self) -> str:
        """A `FitStatus` in lower case, or `FAILED`."""
        return FAILED if self.record is None else self.record.status


def fit_many(
    sets: Iterable[Any],
    *,
    cores: int | None = None,
    progress: bool = False,
    reading: ScanOptions | None = None,
    nuisance: Nuisance | Mapping[str, Any] | None = None,
    **options: Any,
) -> Iterator[SetFit]:
    """Fit many sets of scans, each on one core, and yield the results in their order.

    Parameters
    ----------
    sets : iterable of ScanSet, Scans, Signals or (scans, program)
        One glass each. Those without a name are called by their number, from 1.
    cores : int, optional
        Processes; default: the cores that this one may use. In a script the call stands below
        `if __name__ == "__main__":`, as new processes import the script.
    progress : bool
        Show how many are done, the rate and the time left, on stderr.
    reading : ScanOptions, optional
        How all files are read.
    nuisance : Nuisance or mapping, optional
        What the instruments may have done. A mapping has the fields that differ from the default of each set,
        `lehr.glass.fit.likely_nuisance`: `{"thermal_lag": True}`.
    **options
        As of `lehr.glass.fit.fit_scans`.

    Yields
    ------
    SetFit
        A set that cannot be read or fitted has its error.

    Raises
    ------
    LehrError
        If a set is not one, or the number of cores is not positive.
    """
    if cores is not None and cores < 1:
        raise LehrError(f"{cores} cores", "Give one or more.")
    fixed = nuisance if isinstance(nuisance, Nuisance) else None
    changes = dict(nuisance) if isinstance(nuisance, Mapping) else {}
    common = FitOptions(reading or ScanOptions(), fixed, changes, options)
    known = len(sets) if isinstance(sets, Sized) else None
    jobs = ((_as_set(each, number), common) for number, each in enumerate(sets, 1))
    processes = min(cores or len(os.sched_getaffinity(0)), known or 1 << 30)
    found = (_fit(*job) for job in jobs) if processes <= 1 else _in_processes(jobs, processes)
    return _shown(found, known, progress)


def _shown(found: Iterator[SetFit], total: int | None, progress: bool) -> Iterator[SetFit]:
    yield from tqdm(found, desc="fit", unit="set", total=total, mininterval=0.5, disable=not progress or total == 0)


def _as_set(given: Any, number: int) -> ScanSet:
    if isinstance(given, ScanSet):
        return given
    scans, program = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if not isinstance(scans, Scans | Signals) and program is None:
        raise LehrError(f"set {number} is not a set of scans", "Give ScanSet, Scans, Signals or (scans, program).")
    try:
        return ScanSet(str(number), scans=as_scans(scans, program))
    except LehrError as error:
        return ScanSet(str(number), error=str(error))


def _fit(each: ScanSet, common: FitOptions) -> SetFit:
    """Fit one set; whatever it is that fails, the next set can be another."""
    digest = common.digest(each)
    try:
        scans, read = each.as_scans(common.reading)
        nuisance = common.nuisance or replace(likely_nuisance(read), **common.changes)
        record = fit_scans(scans, nuisance=nuisance, **common.others).record(
            reading=common.reading.model_dump(mode="json", exclude_unset=True)
        )
    except LehrError as error:
        return SetFit(each.name, each.files, None, " ".join(str(error).split()), digest)
    except Exception as error:  # noqa: BLE001
        return SetFit(each.name, each.files, None, f"{type(error).__name__}: {' '.join(str(error).split())}", digest)
    return SetFit(each.name, each.files, record, "", digest)


def _in_processes(jobs: Iterator[tuple[ScanSet, FitOptions]], cores: int) -> Iterator[SetFit]:
    """Fit in several processes; a set whose process ends from outside fails alone."""
    pending: deque[tuple[tuple[ScanSet, FitOptions], Future[SetFit]]] = deque()
    pool = _pool(cores)
    try:
        while True:
            for job in islice(jobs, _WINDOW * cores - len(pending)):
                pending.append((job, _submitted(pool, job)))
            if not pending:
                return
            job, future = pending[0]
            try:
                yield future.result()
                pending.popleft()
            except BrokenProcessPool:
                pool.shutdown(cancel_futures=True)
                broken = [job for job, _ in pending]
                pending.clear()
                yield from (_alone(*job) for job in broken)
                pool = _pool(cores)
    finally:
        pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, job: tuple[ScanSet, FitOptions]) -> Future[SetFit]:
    try:
        return pool.submit(_fit, *job)
    except BrokenProcessPool as error:
        future: Future[SetFit] = Future()
        future.set_exception(error)
        return future


def _alone(each: ScanSet, common: FitOptions) -> SetFit:
    """Fit a set in a process that no other set needs."""
    with _pool(1) as pool:
        try:
            return pool.submit(_fit, each, common).result()
        except BrokenProcessPool:
            why = "its process was ended from outside; perhaps the memory was too small"
            return SetFit(each.name, each.files, None, why, common.digest(each))


def _pool(cores: int) -> ProcessPoolExecutor:
    pool = ProcessPoolExecutor(cores, get_context("spawn"), initializer=_begin)
    with _one_thread():
        for _ in range(cores):
            pool.submit(_nothing)  # a process is started for each, with the environment of now
    return pool


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have processes that are started meanwhile use one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _nothing() -> None:
    pass
