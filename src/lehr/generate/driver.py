"""Simulate the parts of a subset on any number of MPI ranks.

Ranks draw parts from a shared counter, so a slow part holds nobody up. What a part contains depends on the config
alone: any number of ranks makes the same store, bit for bit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lehr import ranks as mpi
from lehr import store
from lehr.config import Run
from lehr.errors import LehrError
from lehr.store import Part, PartPlan

if TYPE_CHECKING:
    from lehr.ranks import Communicator

__all__ = ["blocks", "finalise", "generate", "initialise", "part_plan", "pending"]

_POLL_SECONDS = 0.1


def part_plan(run: Run, subset: str) -> PartPlan:
    """Return the part plan of a subset; a store that is there keeps the layout that it was made with."""
    source = run.source()
    size = source.subset(subset).size
    return PartPlan(size, store.rows_per_part(run.group_path(subset), source, run.storage))


def blocks(plan: PartPlan, number: int, count: int) -> list[Part]:
    """Return the parts of block `number`, from 1, of `count` blocks: what one cluster job computes."""
    return plan.parts()[(number - 1) * len(plan) // count : number * len(plan) // count]


def pending(
    run: Run, subset: str, *, block: tuple[int, int] | None = None, parts: Sequence[int] | None = None
) -> list[Part]:
    """Return the parts that `generate` would simulate.

    Raises
    ------
    LehrError
        If there is no such part, or the store is there and damaged.
    """
    plan = part_plan(run, subset)
    if parts is not None:
        if not all(0 <= number < len(plan) for number in parts):
            raise LehrError(f"subset {subset} has no such parts", f"It has the parts 0 to {len(plan) - 1}.")
        return [plan.part(number) for number in sorted(set(parts))]
    wanted = blocks(plan, *(block or (1, 1)))
    group, source = run.group_path(subset), run.source()
    if not group.exists():
        return wanted
    store.check_identity(group, store.read_about(group), source)
    return store.unfinished(group, source, wanted)


def initialise(run: Run, subset: str) -> None:
    """Create the empty store of a subset, or check that the one that is there belongs to the config.

    Raises
    ------
    LehrError
        If the store was made with another config or version of lehr.
    """
    store.create(run.store_path, run.source(), subset, run.storage)


def finalise(run: Run, subset: str) -> dict[str, Any]:
    """Complete a subset and return its manifest; see `lehr.store.finalise`."""
    group = run.group_path(subset)
    try:
        with store.exclusive_lock(group) if group.exists() else nullcontext():
            return store.finalise(group, run.source(), part_plan(run, subset), run.split.build())
    except OSError as error:
        raise LehrError(
            f"{group}: cannot be completed ({error.strerror or error})", "Make room, and run the same command again."
        ) from None


def generate(
    run: Run,
    subset: str,
    *,
    ranks: int | None = None,
    block: tuple[int, int] | None = None,
    parts: Sequence[int] | None = None,
) -> None:
    """Simulate what is missing of a subset and complete it. Call it on all ranks.

    Parameters
    ----------
    run : Run
        The run.
    subset : str
        The subset to simulate.
    ranks : int, optional
        Number of MPI ranks that were asked for.
    block : tuple of int, optional
        Number, from 1, and count of blocks: simulate only the parts of this block, and do not complete the subset.
    parts : sequence of int, optional
        Simulate these parts, whether they are there or not.

    Raises
    ------
    LehrError
        On every rank, if the launcher started another number of ranks than `ranks`, or the store was made with
        another config or version of lehr. Nothing is written then.
    """
    comm = mpi.world(ranks, "lehr dataset generate ...")
    mpi.on_first_rank(comm, lambda: initialise(run, subset))
    plan = part_plan(run, subset)
    with ExitStack() as stack:
        mpi.on_first_rank(comm, lambda: stack.enter_context(store.shared_lock(run.group_path(subset))))
        todo = mpi.on_first_rank(comm, lambda: _todo(run, subset, plan, block, parts))
        try:
            with _SharedCounters(comm, sum(part.rows for part in todo), subset) as shared:
                _work(run, subset, plan, todo, shared)
        except BaseException:
            if comm is not None and comm.Get_size() > 1:  # the other ranks would wait for this one for ever
                mpi.abort(comm)
            raise
    if block is None:
        mpi.on_first_rank(comm, lambda: finalise(run, subset))


def _todo(
    run: Run, subset: str, plan: PartPlan, block: tuple[int, int] | None, parts: Sequence[int] | None
) -> list[Part]:
    todo = pending(run, subset, block=block, parts=parts)
    wanted = len(set(parts)) if parts is not None else len(blocks(plan, *(block or (1, 1))))
    if len(todo) < wanted:
        print(f"{subset}: {wanted - len(todo)} of {wanted} parts are already done", file=sys.stderr)
    return todo


def _work(run: Run, subset: str, plan: PartPlan, todo: list[Part], shared: _SharedCounters) -> None:
    """Draw parts until none is left."""
    source = run.source()
    space, array = source.subset(subset), source.array.name
    writer = store.PartWriter(run.group_path(subset), source, plan)
    memory = store.samples_to_fill(source, min(plan.rows_per_part, plan.rows))
    shared.ask()
    while (drawn := shared.draw()) < len(todo):
        part, started = todo[drawn], time.perf_counter()
        columns = space.rows(part.start, part.stop)
        out = {name: values[: part.rows] for name, values in memory.items()}
        for first in range(0, part.rows, source.at_once):
            rows = slice(first, min(first + source.at_once, part.rows))
            source.simulate(
                {name: column[rows] for name, column in columns.items()},
                {name: values[rows] for name, values in out.items()},
            )
            shared.add(rows.stop - rows.start)
        shared.ask()  # the answer has the time of the writing to come
        writer.write(part, out[array])
        writer.write_receipt(part, out, time.perf_counter() - started)


class _SharedCounters:
    """Two counters that all ranks share: the next part, and the samples done so far; rank 0 shows the latter.

    The counters lie in an MPI window on rank 0; one `Lock_all` for the whole time is what makes them fast. Between
    nodes, most MPIs answer only when rank 0 calls MPI, which it does not while it computes: so a part is asked for
    before it is needed, and what was done is told without waiting.
    """

    def __init__(self, comm: Communicator | None, samples: int, label: str) -> None:
        self._comm = comm
        self._rank = comm.Get_rank() if comm else 0
        self._samples = samples
        self._local = np.zeros(2, np.int64)
        self._window: Any = None
        self._one, self._asked = np.ones(1, np.int64), np.zeros(1, np.int64)
        self._told: list[NDArray[np.int64]] = []  # MPI reads them until the next flush
        self._bar = tqdm(
            total=samples,
            desc=f"simulate {label}",
            unit="sample",
            disable=self._rank != 0 or samples == 0,
            mininterval=0.5,
        )

    def __enter__(self) -> _SharedCounters:
        if self._comm is not None:
            self._window, self._local = mpi.shared_counters(self._comm, 2)
            self._window.Lock_all()
        return self

    def ask(self) -> None:
        """Ask for the next position in the list of parts."""
        if self._window is None:
            self._asked[0] = self._local[0]
            self._local[0] += 1
        else:
            self._window.Fetch_and_op(self._one, self._asked, 0, 0)

    def draw(self) -> int:
        """Return the position that was asked for."""
        if self._window is not None:
            self._window.Flush(0)
            self._told.clear()
        return int(self._asked[0])

    def add(self, samples: int) -> None:
        """Say that samples were simulated."""
        if self._window is None:
            self._local[1] += samples
        else:
            amount = np.array([samples], np.int64)
            self._told.append(amount)
            self._window.Accumulate(amount, 0, target=(1, 1))
        self.show()

    def show(self) -> None:
        """Move the progress bar of rank 0 to what all ranks have done."""
        if self._rank == 0:
            if self._window is not None:
                self._window.Flush(0)  # lets MPI take in what the others have told
                self._window.Sync()
            self._bar.update(int(self._local[1]) - self._bar.n)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            while (
                self._rank == 0 and self._window is not None and self._bar.n < self._samples and not self._bar.disable
            ):
                self.show()
                time.sleep(_POLL_SECONDS)
            if self._comm is not None:
                self._window.Unlock_all()
                self._comm.Barrier()
                self._window.Free()
        self._bar.close()
