"""Two Horovod ranks of which the second fails in its third batch.

horovodrun -np 2 --gloo python train_failing.py CONFIG
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lehr.errors import LehrError
from lehr.store import ShuffledReader
from lehr.studies import load_run
from lehr.training import train

whole = ShuffledReader.epoch


def broken(self: ShuffledReader, number: int) -> Iterator[Any]:
    """Give two batches, then fail on rank 1."""
    if self._own.start == 0:
        yield from whole(self, number)
    else:
        yield from islice(whole(self, number), 2)
        raise LehrError("a chunk cannot be read")


ShuffledReader.epoch = broken  # type: ignore[method-assign]
try:
    train(load_run(sys.argv[1]), "C")
except LehrError as error:
    sys.stderr.write(f"stopped: {error}\n")
    sys.exit(2)
