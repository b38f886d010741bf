"""The one place that knows Horovod.

Horovod's own Keras interface must not be used: its last release is older than Keras 3, and under Keras 3 its
`DistributedOptimizer` trains without any allreduce and without an error, so that the ranks drift apart. Here the
optimizer itself averages the gradients in `apply`, the method that every Keras 3 trainer calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError

if TYPE_CHECKING:
    import keras

__all__ = ["HorovodRanks", "start"]

# How launchers tell a process how many ranks there are, and how those that do not show that they are there. Horovod
# built with MPI is started by them too.
_SIZE_VARIABLES = ("HOROVOD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_OTHER_VARIABLES = ("PMIX_RANK", "SLURM_PROCID")


class HorovodRanks:
    """The ranks that train one network together.

    Attributes
    ----------
    rank, size : int
        This process and the number of processes.
    local_rank, local_size : int
        The same on this machine.
    """

    def __init__(self, horovod: ModuleType | None = None) -> None:
        self._horovod = horovod
        self.rank = horovod.rank() if horovod else 0
        self.size = horovod.size() if horovod else 1
        self.local_rank = horovod.local_rank() if horovod else 0
        self.local_size = horovod.local_size() if horovod else 1

    def optimizer(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """Return an optimizer of the same settings that averages the gradients of all ranks before it applies them."""
        if self._horovod is None:
            return optimizer
        horovod = self._horovod
        kind: Any = type(optimizer)

        class Averaging(kind):
            def apply(self, grads: Any, trainable_variables: Any = None) -> None:
                grads = horovod.grouped_allreduce(list(grads), op=horovod.Average, name="gradients")
                super().apply(grads, trainable_variables)

        Averaging.__name__ = kind.__name__
        averaging: keras.optimizers.Optimizer = Averaging.from_config(optimizer.get_config())
        return averaging

    def broadcast_weights(self, model: keras.Model) -> None:
        """Give all ranks the weights and the optimizer state of rank 0; the states of dropout stay their own."""
        if self._horovod is None:
            return
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        # `weights` leaves out the seed states that `variables` would include
        variables = [variable.value for variable in (*model.weights, *model.optimizer.variables)]
        self._horovod.broadcast_variables(variables, root_rank=0)

    def broadcast_object(self, value: Any) -> Any:
        """Give all ranks the value that rank 0 has; all must call it."""
        return value if self._horovod is None else self._horovod.broadcast_object(value, root_rank=0, name="object")

    def sum(self, values: ArrayLike) -> NDArray[np.float64]:
        """Add up an array over all ranks; all must call it, with the same shape."""
        values = np.asarray(values, np.float64)
        if self._horovod is None:
            return values
        from keras import ops

        total = self._horovod.allreduce(ops.convert_to_tensor(values), op=self._horovod.Sum, name="sum")
        return np.asarray(total)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Leave the other ranks at the end, however it comes: an error of one rank must not leave the others waiting.

        Raises
        ------
        LehrError
            If another rank has left early.
        """
        try:
            yield
        except Exception as error:
            if self._horovod is not None and "Horovod has been shut down" in str(error):
                raise LehrError(
                    f"rank {self.rank} of {self.size} cannot go on: another rank has stopped", "See its message."
                ) from None
            raise
        finally:
            if self._horovod is not None:
                self._horovod.shutdown()


def start(ranks: int) -> HorovodRanks:
    """Join the ranks that a launcher started; a single one needs no Horovod.

    Parameters
    ----------
    ranks : int
        Number of ranks that were asked for.

    Raises
    ------
    LehrError
        If another number of ranks was started, or there are several and Horovod is not installed.
    """
    started = next((int(os.environ[name]) for name in _SIZE_VARIABLES if name in os.environ), None)
    if started is None and not any(name in os.environ for name in _OTHER_VARIABLES):
        started = 1
    if started is not None and started != ranks:
        raise _mismatch(ranks, started)  # before seconds go into loading TensorFlow
    if ranks == 1:
        return HorovodRanks()
    try:
        import horovod.tensorflow as horovod
    except ImportError as error:
        raise LehrError(
            f"{ranks} ranks need Horovod, which cannot be imported: {error}",
            "`make install` builds it against the TensorFlow that is installed; or set ranks.train: 1.",
        ) from None
    horovod.init()
    if horovod.size() != ranks:
        raise _mismatch(ranks, horovod.size())
    return HorovodRanks(horovod)


def _mismatch(asked: int, started: int) -> LehrError:
    launch = f"horovodrun -np {asked} --gloo lehr train CONFIG --model NAME" if asked > 1 else "lehr train ..."
    return LehrError(
        f"{asked} training ranks were asked for (ranks.train or --ranks), but {started} started",
        f"Start it as `{launch}` (in a Slurm job: lehr launch -n {asked} lehr train ...), or ask for {started}.",
    )
