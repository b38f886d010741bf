"""The store: one Zarr v3 store, a group for each subset, written in parts and read in chunks.

This package is the only place that imports zarr and tensorstore.
"""

from lehr.store.complete import finalise, read_manifest
from lehr.store.export import export
from lehr.store.layout import NOT_COMPUTED, check_identity, encoded_bytes, read_about, samples_to_fill, small_files
from lehr.store.plan import Part, PartPlan
from lehr.store.reader import SequentialReader, ShuffledReader
from lehr.store.receipts import unfinished
from lehr.store.store import Store, open_subset
from lehr.store.verify import Fault, verify
from lehr.store.writer import PartWriter, create, exclusive_lock, rows_per_part, shared_lock

__all__ = [
    "NOT_COMPUTED",
    "Fault",
    "Part",
    "PartPlan",
    "PartWriter",
    "SequentialReader",
    "ShuffledReader",
    "Store",
    "check_identity",
    "create",
    "encoded_bytes",
    "exclusive_lock",
    "export",
    "finalise",
    "open_subset",
    "read_about",
    "read_manifest",
    "rows_per_part",
    "samples_to_fill",
    "shared_lock",
    "small_files",
    "unfinished",
    "verify",
]
