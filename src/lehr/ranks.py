"""The one place that knows MPI: what the ranks of a program do together. mpi4py is imported only when asked for."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from lehr.errors import LehrError

if TYPE_CHECKING:
    from mpi4py import MPI

    Communicator: TypeAlias = MPI.Intracomm

__all__ = ["abort", "gather", "on_first_rank", "rank_and_size", "shared_counters", "world"]

T = TypeVar("T")


def world(ranks: int | None = None, command: str = "lehr ...") -> Communicator | None:
    """Return COMM_WORLD, or None where mpi4py is not installed.

    Parameters
    ----------
    ranks : int, optional
        Number of ranks that were asked for.
    command : str, optional
        What the launcher starts, for the message.

    Raises
    ------
    LehrError
        If the launcher started another number of ranks: one of another MPI starts that many programs of one rank.
    """
    try:
        from mpi4py import MPI
    except ImportError:
        comm = None
    else:
        comm = MPI.COMM_WORLD
    size = rank_and_size(comm)[1]
    if ranks is not None and size != ranks:
        raise LehrError(
            f"{ranks} MPI ranks were asked for, but this program runs with {size}",
            "Start it with the launcher of the MPI that mpi4py uses (`lehr doctor` shows it): "
            f"mpiexec -n {ranks} {command}",
        )
    return comm


def rank_and_size(comm: Communicator | None) -> tuple[int, int]:
    """Return the number of this process and that of all."""
    return (comm.Get_rank(), comm.Get_size()) if comm else (0, 1)


def on_first_rank(comm: Communicator | None, action: Callable[[], T]) -> T:
    """Run an action on rank 0 and give all ranks its result, or its `LehrError`."""
    if comm is None:
        return action()
    outcome = _outcome(comm, action) if comm.Get_rank() == 0 else None
    result, failure = cast("tuple[T | None, LehrError | None]", comm.bcast(outcome))
    if failure is not None:
        raise failure
    return cast(T, result)


def gather(comm: Communicator | None, action: Callable[[], T]) -> list[T]:
    """Run an action on all ranks; return the results of all on rank 0, an empty list on the others.

    Raises
    ------
    LehrError
        On all ranks, that of the first rank that has one.
    """
    if comm is None:
        return [action()]
    outcomes = comm.gather(_outcome(comm, action))
    failures = [failure for _, failure in outcomes or [] if failure is not None]
    failure = comm.bcast(failures[0] if failures else None)
    if failure is not None:
        raise failure
    return [cast(T, result) for result, _ in outcomes or []]


def _outcome(comm: Communicator, action: Callable[[], T]) -> tuple[T | None, LehrError | None]:
    try:
        return action(), None
    except LehrError as error:
        return None, error
    except BaseException:
        if comm.Get_size() > 1:  # the other ranks would wait for this one for ever
            abort(comm)
        raise


def abort(comm: Communicator) -> None:
    """Report the exception that is being handled and end all ranks."""
    error = sys.exception()
    if isinstance(error, LehrError):
        print(f"lehr: error on rank {comm.Get_rank()}: {error}", file=sys.stderr, flush=True)
    else:
        traceback.print_exc()
        sys.stderr.flush()
    comm.Abort(2 if isinstance(error, LehrError) else 1)


def shared_counters(comm: Communicator, count: int) -> tuple[Any, NDArray[np.int64]]:
    """Make integers that all ranks can change; return their MPI window, and on rank 0 the integers, which are 0."""
    from mpi4py import MPI

    own = count if comm.Get_rank() == 0 else 0
    window = MPI.Win.Allocate(8 * own, 8, comm=comm)
    memory: Any = window.tomemory()
    local = np.frombuffer(memory, np.int64) if own else np.zeros(count, np.int64)
    local[:] = 0
    comm.Barrier()
    return window, local
