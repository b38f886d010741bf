"""The signal store: one Zarr v3 store, a group for each subset, written in parts and read in chunks.

This package is the only place that imports zarr and tensorstore.
"""

from lehr.store.plan import Part, PartPlan
from lehr.store.reader import SequentialReader, ShuffledReader
from lehr.store.receipts import finalise, read_manifest, unfinished, write_receipt
from lehr.store.signals import SignalStore
from lehr.store.writer import PartWriter, create

__all__ = [
    "Part",
    "PartPlan",
    "PartWriter",
    "SequentialReader",
    "ShuffledReader",
    "SignalStore",
    "create",
    "finalise",
    "read_manifest",
    "unfinished",
    "write_receipt",
]
