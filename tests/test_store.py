"""The store and its readers: layout, damage, parts, batches."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

import lehr
from lehr import LehrError
from lehr.config import Config
from lehr.store import PartPlan, PartWriter, SequentialReader, ShuffledReader, SignalStore, create, unfinished


@pytest.fixture
def store(tiny_config: Config) -> SignalStore:
    return SignalStore.open(tiny_config.store_path, "C")


@pytest.fixture
def copied(tiny_config: Config, tmp_path: Path) -> Path:
    """Return a copy of the small store, free to be damaged."""
    return Path(shutil.copytree(tiny_config.store_path, tmp_path / "signals.zarr"))


def test_store_holds_what_the_engine_computes(store: SignalStore, tiny_config: Config) -> None:
    subset = tiny_config.signals.state_space.build().subset("C")
    assert (store.samples, store.cycles, store.points) == (subset.size, 6, 186)
    assert np.array_equal(store.parameters, subset.parameters(0, subset.size))
    rows = [0, 100, subset.size - 1]
    cpn, status = lehr.simulate_batch(
        store.parameters[rows],
        temperature=tiny_config.signals.temperature.kelvin(),
        tolerance=tiny_config.signals.tolerance,
    )
    for row, signal in zip(rows, cpn, strict=True):
        assert np.array_equal(store.read(row, row + 1)[0], signal)
    assert np.array_equal(store.status[rows], status)
    assert np.array_equal(store.cpn_max[rows], cpn.max(axis=(1, 2)))


@pytest.mark.filterwarnings("error")
def test_xarray_opens_it_with_names_and_units(store: SignalStore) -> None:
    data = xarray.open_zarr(store.path)
    assert data.cpn.dims == ("sample", "cycle", "temperature")
    assert data.temperature.attrs["units"] == "K"
    assert data.cooling_rate.values.tolist() == [0.5, 1, 2, 5, 10, 20]
    assert {"ln_A", "delta_h", "x", "beta", "status", "cpn_max", "index"} <= set(data.coords)
    assert np.array_equal(data.cpn[3:5].values, store.read(3, 5))


def test_part_plan_covers_each_row_once() -> None:
    plan = PartPlan(100, 32)
    rows = [row for part in plan.parts() for row in range(part.start, part.stop)]
    assert rows == list(range(100))
    assert [part.rows for part in plan.parts()] == [32, 32, 32, 4]
    with pytest.raises(IndexError):
        plan.part(4)


def test_a_writer_refuses_parts_that_are_not_shards(copied: Path, store: SignalStore) -> None:
    with pytest.raises(LehrError, match="exactly one shard"):
        PartWriter(copied, "C", PartPlan(store.samples, 16))


def test_a_store_of_another_config_is_refused_and_left_alone(copied: Path, tiny_config: Config) -> None:
    before = {path: path.read_bytes() for path in copied.rglob("zarr.json")}
    other = tiny_config.signals.model_copy(update={"tolerance": 1e-3})
    with pytest.raises(LehrError, match=r"tolerance: 0.0001 -> 0.001"):
        create(copied, "C", 484, other)
    assert before == {path: path.read_bytes() for path in copied.rglob("zarr.json")}


def test_a_missing_store_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(LehrError, match="lehr dataset generate CONFIG --subset C"):
        SignalStore.open(tmp_path / "none.zarr", "C")


def test_an_incomplete_store_is_refused(copied: Path) -> None:
    zarr.open_array(copied / "C/status", mode="r+")[10:13] = -1
    with pytest.raises(LehrError, match="3 of 484 samples were not computed"):
        SignalStore.open(copied, "C")


@pytest.mark.parametrize("keep", [0, 7, 1000], ids=["emptied", "stump", "truncated"])
def test_a_truncated_shard_is_an_error_not_a_wrong_signal(copied: Path, keep: int) -> None:
    shard = copied / "C/cpn/c/1/0/0"
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(LehrError, match="chunk cannot be read"):
        SignalStore.open(copied, "C").read(32, 64)


def test_a_corrupted_shard_index_is_an_error(copied: Path) -> None:
    shard = copied / "C/cpn/c/1/0/0"
    content = bytearray(shard.read_bytes())
    content[-10] ^= 0xFF  # the index ends the shard and has its own checksum
    shard.write_bytes(content)
    with pytest.raises(LehrError, match="chunk cannot be read"):
        SignalStore.open(copied, "C").read(32, 64)


def test_damaged_metadata_is_an_error(copied: Path) -> None:
    (copied / "C/zarr.json").write_text("{")
    with pytest.raises(LehrError, match="damaged"):
        SignalStore.open(copied, "C")


def test_a_store_of_another_format_is_refused(copied: Path) -> None:
    path = copied / "C/zarr.json"
    content = json.loads(path.read_text())
    content["attributes"]["lehr"]["format"] = 99
    path.write_text(json.dumps(content))
    with pytest.raises(LehrError, match="format 99"):
        SignalStore.open(copied, "C")


def test_damaged_and_stale_receipts_do_not_count(tiny_config: Config, tmp_path: Path) -> None:
    receipts = Path(shutil.copytree(tiny_config.receipts_path, tmp_path / "receipts"))
    plan, digest = PartPlan(484, 32), tiny_config.signals.digest()
    assert unfinished(receipts, "C", plan, digest) == []
    (receipts / "C/part-000003.json").write_text('{"part": 3')
    (receipts / "C/part-000007.json").unlink()
    assert [part.number for part in unfinished(receipts, "C", plan, digest)] == [3, 7]
    assert len(unfinished(receipts, "C", plan, "another")) == len(plan)


def read_all(store: SignalStore, config: Config, epoch: int, size: int) -> list[np.ndarray]:
    """Sorted parameters of each global batch of an epoch."""
    readers = [
        ShuffledReader(store, config.split.build(), "train", batch_size=32, seed=5, rank=rank, size=size)
        for rank in range(size)
    ]
    batches = zip(*(reader.epoch(epoch) for reader in readers), strict=True)
    return [np.unique(np.concatenate([parameters for _, parameters in batch]), axis=0) for batch in batches]


def test_batches_do_not_depend_on_the_number_of_ranks(store: SignalStore, tiny_config: Config) -> None:
    one, two, four = (read_all(store, tiny_config, 0, size) for size in (1, 2, 4))
    assert len(one) == len(two) == len(four)
    for a, b, c in zip(one, two, four, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)


def test_epochs_differ_and_repeat_with_the_seed(store: SignalStore, tiny_config: Config) -> None:
    first, again, second = (read_all(store, tiny_config, epoch, 1) for epoch in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_batches_pair_signals_with_their_parameters(store: SignalStore, tiny_config: Config) -> None:
    row_of = {tuple(row): i for i, row in enumerate(store.parameters)}
    everything = store.read(0, store.samples)
    reader = ShuffledReader(store, tiny_config.split.build(), "train", batch_size=32, seed=0)
    for signals, parameters in reader.epoch(0):
        assert signals.shape == (32, 186, 6)
        for signal, row in zip(signals, parameters, strict=True):
            assert np.array_equal(signal.T, everything[row_of[tuple(row)]])


def test_sequential_readers_share_each_split_without_overlap(store: SignalStore, tiny_config: Config) -> None:
    split = tiny_config.split.build()
    seen: list[int] = []
    for name in ("train", "validation", "test"):
        for rank in range(3):
            reader = SequentialReader(store, split, name, batch_size=20, rank=rank, size=3)
            rows = [row for batch, _, _ in reader for row in batch]
            assert len(rows) == reader.samples
            seen += rows
    assert sorted(seen) == list(range(store.samples))


def test_samples_with_a_bad_status_are_left_out(copied: Path, tiny_config: Config) -> None:
    zarr.open_array(copied / "C/status", mode="r+")[0:100] = 2
    store = SignalStore.open(copied, "C")
    rows = [
        row
        for batch, _, _ in SequentialReader(store, tiny_config.split.build(), "train", batch_size=64)
        for row in batch
    ]
    assert min(rows) >= 100


def test_too_few_samples_for_a_batch_are_refused(store: SignalStore, tiny_config: Config) -> None:
    with pytest.raises(LehrError, match="too few"):
        ShuffledReader(store, tiny_config.split.build(), "test", batch_size=512, seed=0)
    with pytest.raises(LehrError, match="do not divide"):
        ShuffledReader(store, tiny_config.split.build(), "train", batch_size=32, seed=0, size=3)
