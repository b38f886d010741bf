"""The signal store: one Zarr v3 store, a group for each subset, written in parts and read in chunks.

This package is the only place that imports zarr and tensorstore.
"""

from lehr.store.complete import finalise, read_manifest
from lehr.store.encoding import MAX_ERROR, encoded_bytes, moments, round_signals
from lehr.store.export import export
from lehr.store.layout import NOT_COMPUTED, small_files
from lehr.store.plan import Part, PartPlan
from lehr.store.reader import SequentialReader, ShuffledReader
from lehr.store.receipts import unfinished
from lehr.store.signals import SignalStore
from lehr.store.verify import Finding, verify
from lehr.store.writer import PartWriter, alone, at_work, create

__all__ = [
    "MAX_ERROR",
    "NOT_COMPUTED",
    "Finding",
    "Part",
    "PartPlan",
    "PartWriter",
    "SequentialReader",
    "ShuffledReader",
    "SignalStore",
    "alone",
    "at_work",
    "create",
    "encoded_bytes",
    "export",
    "finalise",
    "moments",
    "read_manifest",
    "round_signals",
    "small_files",
    "unfinished",
    "verify",
]
