"""The store and its readers: layout, values, damage, parts, batches."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore
import xarray
import zarr
from conftest import run
from stores import Copy, copy_of, tree

import lehr
from lehr import LehrError
from lehr.generate.driver import finalise
from lehr.glass.config import GlassRun
from lehr.glass.source import GlassSource
from lehr.split import SPLITS, Split
from lehr.store import PartPlan, PartWriter, SequentialReader, ShuffledReader, Store, create, open_subset, unfinished
from lehr.studies import load_run

NAMES = ("cpn", "ln_A", "delta_h", "x", "beta")
STEP = 2.0**-13  # stored signals are multiples of it


@pytest.fixture
def store(tiny_config: GlassRun) -> Store:
    return open_subset(tiny_config, "C")


@pytest.fixture
def copied(tiny_config: GlassRun, tmp_path: Path) -> Copy:
    """Return a copy of the small store, free to be damaged."""
    return copy_of(tiny_config, tmp_path)


@pytest.fixture(scope="module")
def simulated(tiny_config: GlassRun) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signals, fictive temperatures and status of all samples of the small store, simulated now."""
    subset = tiny_config.signals.state_space.build().subset("C")
    fictive = np.empty((subset.size, 6))
    cpn, status = lehr.simulate_batch(
        subset.parameters(0, subset.size),
        temperature=tiny_config.signals.temperature.kelvin(),
        tolerance=tiny_config.signals.tolerance,
        limiting_fictive_temperature=fictive,
    )
    return cpn, fictive, status


def test_signals_are_those_of_the_engine_rounded(store: Store, simulated: tuple[np.ndarray, ...]) -> None:
    cpn, _, status = simulated
    stored = store.read(0, store.samples)
    assert stored.shape == cpn.shape == (484, 6, 186)
    assert cpn.max() > 6  # a high peak is as exact as a low one
    assert np.abs(stored.astype(float) - cpn).max() <= STEP / 2
    assert np.abs(stored - cpn)[cpn > 6].max() > 1e-6  # they are rounded, and that is what the bound is for
    assert np.array_equal(np.rint(stored / STEP) * STEP, stored)
    assert np.array_equal(store.status, status)
    assert np.array_equal(store.column("cpn_max"), stored.max(axis=(1, 2)))


def test_coordinates_are_those_of_the_state_space(store: Store, tiny_config: GlassRun) -> None:
    subset = tiny_config.signals.state_space.build().subset("C")
    assert np.array_equal(store.parameters, subset.parameters(0, subset.size))
    assert np.array_equal(store.column("index"), subset.index(0, subset.size))
    assert np.array_equal(store.column("temperature"), tiny_config.signals.temperature.kelvin())
    assert store.column("cooling_rate").tolist() == [0.5, 1, 2, 5, 10, 20]
    assert store.column("heating_rate").tolist() == [10] * 6


def test_means_are_exact(store: Store) -> None:
    stored = store.read(0, store.samples).astype(float)  # sums of multiples of 2^-13, and of their squares, are exact
    mean = (stored.sum(axis=2) / store.sample_shape[1]).astype(np.float32)
    square = (np.square(stored).sum(axis=2) / store.sample_shape[1]).astype(np.float32)
    assert np.array_equal(zarr.open_array(store.path / "cpn_mean", mode="r")[:], mean)
    assert np.array_equal(zarr.open_array(store.path / "cpn_mean_square", mode="r")[:], square)


def test_fictive_temperature_is_that_of_the_glass_before_the_scan(
    store: Store, simulated: tuple[np.ndarray, ...]
) -> None:
    assert np.array_equal(store.column("fictive_temperature"), simulated[1].astype(np.float32))
    for row in (0, 100, 250, 483):
        single = lehr.simulate(*store.parameters[row], temperature=store.column("temperature"))
        assert np.array_equal(
            store.column("fictive_temperature")[row], single.fictive_temperature[:, 0].astype(np.float32)
        )


def test_area_below_a_scan_leads_from_the_fictive_temperature_to_the_end(store: Store) -> None:
    """CpN = dTf/dT, and the end of a scan is in equilibrium: its integral is T1 - Tf', on any grid that resolves it."""
    fine = np.linspace(store.column("temperature")[0], store.column("temperature")[-1], 18501)
    rows = [0, 100, 250, int(store.column("cpn_max").argmax())]
    cpn, _ = lehr.simulate_batch(store.parameters[rows], temperature=fine, dtype="float64")
    area = np.trapezoid(cpn, fine, axis=2)
    # an error of 1e-4 at each point, and the trapezoids of a peak a few K wide
    np.testing.assert_allclose(fine[-1] - area, store.column("fictive_temperature")[rows], rtol=0, atol=1e-3)


def test_stored_splits_and_moments(store: Store, tiny_config: GlassRun) -> None:
    cpn = store.read(0, store.samples).astype(float)
    for by in ("sample", "cell"):
        array = zarr.open_array(store.path / f"split_by_{by}", mode="r")
        expected = store.split(Split(0.7, 0.15, seed=0, by=by))
        assert np.array_equal(array[:], expected)
        assert set(expected.tolist()) == {0, 1, 2}
        train = cpn[expected == SPLITS.index("train")]
        moments: Any = array.attrs["train_moments"]
        np.testing.assert_allclose(moments["cpn_mean"], train.mean(axis=(0, 2)), rtol=0, atol=1e-6)
        np.testing.assert_allclose(moments["cpn_standard_deviation"], train.std(axis=(0, 2)), rtol=0, atol=1e-6)
        assert (array.attrs["seed"], array.attrs["train"], array.attrs["validation"]) == (0, 0.7, 0.15)
    assert not np.array_equal(store.column("split_by_sample"), expected)
    manifest = json.loads((store.path / "manifest.json").read_text())
    assert sum(manifest["splits"]["split_by_cell"]["samples"].values()) == store.samples
    above = np.count_nonzero(store.column("cpn_max") > 6)
    assert above > 0
    assert f"| CpN,max above 6, left out by the paper | {above} |" in (store.path / "README.md").read_text()


@pytest.mark.filterwarnings("error")
def test_xarray_opens_it_with_names_and_units(store: Store) -> None:
    data = xarray.open_zarr(store.path)
    assert data.cpn.dims == ("sample", "cycle", "temperature")
    assert data.fictive_temperature.dims == ("sample", "cycle")
    units = {"temperature": "K", "delta_h": "J/mol", "cooling_rate": "K/min", "fictive_temperature": "K", "cpn": "1"}
    assert {name: data[name].attrs["units"] for name in units} == units
    assert data.cooling_rate.values.tolist() == [0.5, 1, 2, 5, 10, 20]
    coordinates = {"ln_A", "delta_h", "x", "beta", "status", "cpn_max", "index", "split_by_sample", "split_by_cell"}
    assert coordinates <= set(data.coords)
    assert np.array_equal(data.cpn[3:5].values, store.read(3, 5))
    assert data.cpn.dtype == np.float32
    assert float(data.delta_h.min()) == 650e3
    assert float(data.cpn.isel(temperature=-1).mean()) == pytest.approx(1, abs=1e-3)  # physical: a liquid has 1


def test_tensorstore_opens_the_signals_by_themselves(store: Store) -> None:
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(store.path / "cpn")}}
    array = tensorstore.open(spec, read=True).result()
    assert array.domain.labels == ("sample", "cycle", "temperature")
    assert np.array_equal(array[100:103].read().result(), store.read(100, 103))


def test_sha256sum_finds_every_file_and_no_fault(copied: Copy) -> None:
    done = run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=copied.group)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    listed = {line.split(maxsplit=1)[1] for line in (copied.group / "SHA256SUMS").read_text().splitlines()}
    files = {path.relative_to(copied.group).as_posix() for path in copied.group.rglob("*") if path.is_file()}
    assert files - listed == {name for name in files if name.startswith("receipts/")} | {
        "SHA256SUMS",
        "manifest.json",
        ".lock",
    }
    assert listed <= files
    copied.shard(4).write_bytes(copied.shard(5).read_bytes())
    done = run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=copied.group)
    assert (done.returncode, done.stdout) == (1, "cpn/c/4/0/0: FAILED\n")


def test_another_split_seed_changes_the_splits_and_the_seal_only(copied: Copy, tiny_config: GlassRun) -> None:
    before = tree(copied.group)
    split = tiny_config.split.model_copy(update={"seed": 1})
    own_config = load_run(copied.config)
    manifest = finalise(own_config.model_copy(update={"split": split}), "C")
    after = tree(copied.group)
    assert before.keys() == after.keys()
    changed = {name for name in after if after[name] != before[name]}
    own = {f"split_by_{by}/{file}" for by in ("sample", "cell") for file in ("c/0", "zarr.json")}
    assert changed == own | {"zarr.json", "README.md", "SHA256SUMS", "manifest.json"}
    store = Store.open(copied.group, copied.source)
    assert np.array_equal(store.column("split_by_sample"), store.split(Split(seed=1)))
    assert store.group["split_by_sample"].attrs["seed"] == 1
    seal = hashlib.sha256((copied.group / "SHA256SUMS").read_bytes()).hexdigest()
    assert manifest["checksum"] == json.loads((copied.group / "manifest.json").read_text())["checksum"] == seal
    finalise(own_config, "C")
    assert tree(copied.group) == before


def test_temporary_files_are_not_sealed(copied: Copy, tiny_config: GlassRun) -> None:
    """A killed writer left them; the next one removes them, and a seal that names them would be broken then."""
    for name in (
        "cpn/c/5/0/0.__lock",
        "status/c/0.abc.partial",
        "receipts/.part-000003.npz.abc.tmp",
        ".README.md.1.tmp",
    ):
        (copied.group / name).write_bytes(b"left by a killed writer")
    finalise(load_run(copied.config), "C")
    sealed = (copied.group / "SHA256SUMS").read_text()
    assert sealed == (tiny_config.group_path("C") / "SHA256SUMS").read_text()


def test_part_plan_covers_each_row_once() -> None:
    plan = PartPlan(100, 32)
    rows = [row for part in plan.parts() for row in range(part.start, part.stop)]
    assert rows == list(range(100))
    assert [part.rows for part in plan.parts()] == [32, 32, 32, 4]
    with pytest.raises(IndexError):
        plan.part(4)


def test_a_writer_refuses_parts_that_are_not_shards(copied: Copy, store: Store) -> None:
    with pytest.raises(LehrError, match="exactly one shard"):
        PartWriter(copied.group, store.source, PartPlan(store.samples, 16))


def test_a_store_of_another_config_is_refused_and_left_alone(copied: Copy, tiny_config: GlassRun) -> None:
    before = tree(copied.group)
    other = GlassSource(tiny_config.signals.model_copy(update={"tolerance": 1e-3}))
    with pytest.raises(LehrError, match=r"signals.tolerance: 0.0001 -> 0.001"):
        create(copied.group.parent, other, "C", tiny_config.storage)
    assert tree(copied.group) == before
    assert create(copied.group.parent, tiny_config.source(), "C", tiny_config.storage) == copied.group
    assert tree(copied.group) == before


def test_a_missing_store_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(LehrError, match="lehr dataset generate CONFIG --subset C"):
        Store.open(tmp_path / "none.zarr/C", GlassRun().source())


def test_an_empty_store_has_its_coordinates_and_is_refused(tmp_path: Path, tiny_config: GlassRun) -> None:
    subset = tiny_config.signals.state_space.build().subset("C")
    group = create(tmp_path / "signals.zarr", tiny_config.source(), "C", tiny_config.storage)
    assert [path.name for path in group.parent.iterdir() if path.is_dir()] == ["C"]
    empty = Store(group, tiny_config.source())
    assert np.array_equal(empty.parameters, subset.parameters(0, subset.size))
    assert set(empty.status.tolist()) == {-1}
    assert np.isnan(empty.column("cpn_max")).all()
    with pytest.raises(LehrError, match=r"not complete yet\n.*lehr dataset generate CONFIG --subset C"):
        Store.open(group, tiny_config.source())
    assert unfinished(group, tiny_config.source(), PartPlan(484, 32).parts()) == PartPlan(484, 32).parts()


@pytest.mark.parametrize("chunk", ["status/c/0", "ln_A/c/0", "fictive_temperature/c/0/0"])
def test_a_damaged_small_array_is_named(copied: Copy, chunk: str) -> None:
    (copied.group / chunk).write_bytes(b"no chunk")
    name = chunk.split("/", maxsplit=1)[0]
    with pytest.raises(LehrError, match=f"{name}: damaged"):
        Store(copied.group, copied.source).column(name)


@pytest.mark.parametrize("keep", [0, 7, 1000], ids=["emptied", "stump", "truncated"])
def test_a_truncated_shard_is_an_error_not_a_wrong_signal(copied: Copy, keep: int) -> None:
    shard = copied.shard(1)
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(LehrError, match="chunk cannot be read"):
        Store.open(copied.group, copied.source).read(32, 64)


def test_a_corrupted_shard_index_is_an_error(copied: Copy) -> None:
    shard = copied.shard(1)
    content = bytearray(shard.read_bytes())
    content[-10] ^= 0xFF  # the index ends the shard and has its own checksum
    shard.write_bytes(content)
    with pytest.raises(LehrError, match="chunk cannot be read"):
        Store.open(copied.group, copied.source).read(32, 64)


def test_damaged_metadata_is_an_error(copied: Copy) -> None:
    (copied.group / "zarr.json").write_text("{")
    with pytest.raises(LehrError, match="damaged"):
        Store.open(copied.group, copied.source)


def test_a_store_of_another_format_is_refused(copied: Copy) -> None:
    path = copied.group / "zarr.json"
    content = json.loads(path.read_text())
    content["attributes"]["lehr"]["format"] = 99
    path.write_text(json.dumps(content))
    with pytest.raises(LehrError, match="format 99"):
        Store.open(copied.group, copied.source)


def test_damaged_and_stale_receipts_do_not_count(copied: Copy) -> None:
    parts = PartPlan(484, 32).parts()
    assert unfinished(copied.group, copied.source, parts) == []
    copied.receipt(1).write_bytes(copied.receipt(2).read_bytes())  # of another part
    copied.receipt(3).write_bytes(copied.receipt(3).read_bytes()[:200])
    copied.receipt(5).write_bytes(b"")
    copied.receipt(7).unlink()
    copied.shard(9).unlink()
    copied.shard(11).write_bytes(copied.shard(11).read_bytes() + b"0")
    assert [part.number for part in unfinished(copied.group, copied.source, parts)] == [1, 3, 5, 7, 9, 11]
    metadata = (copied.group / "zarr.json").read_text()
    made = json.loads(metadata)["attributes"]["lehr"]
    for stamp in (f'"digest": "{made["digest"]}"', '"numerics": 1'):  # another config, other code
        assert stamp in metadata
        (copied.group / "zarr.json").write_text(metadata.replace(stamp, stamp.split(":")[0] + ': "9"'))
        assert unfinished(copied.group, copied.source, parts) == parts


def read_all(store: Store, config: GlassRun, epoch: int, size: int, streams: int = 8) -> list[np.ndarray]:
    """Sorted parameters of each global batch of an epoch; asserts that each has the signals of its sample."""
    row_of = {tuple(row): i for i, row in enumerate(store.parameters)}
    everything = store.read(0, store.samples)
    train = store.usable(config.split.build(), "train")
    readers = [
        ShuffledReader(store, train, NAMES, batch_size=32, seed=5, rank=rank, size=size, streams=streams)
        for rank in range(size)
    ]
    found = []
    for batch in zip(*(reader.epoch(epoch) for reader in readers), strict=True):
        columns = {name: np.concatenate([share[name] for share in batch]) for name in NAMES}
        signals, parameters = columns.pop("cpn"), np.stack(list(columns.values()), axis=1)
        rows = [row_of[tuple(row)] for row in parameters]
        assert signals.shape == (32, 6, 186)
        assert np.array_equal(signals, everything[rows])
        assert train[rows].all()
        found.append(parameters[np.lexsort(parameters.T)])
    assert len(found) == readers[0].steps == np.count_nonzero(train) // 32
    return found


@pytest.mark.parametrize(("buffer", "streams"), [(2**26, 8), (1, 8), (1, 4)], ids=["all", "a chunk", "half a share"])
def test_batches_do_not_depend_on_the_number_of_ranks(
    store: Store, tiny_config: GlassRun, monkeypatch: pytest.MonkeyPatch, buffer: int, streams: int
) -> None:
    monkeypatch.setattr("lehr.store.reader.BUFFER_BYTES", buffer)  # 1: one chunk, some six of its eight samples
    one, two, four = (read_all(store, tiny_config, 0, size, streams) for size in (1, 2, 4))
    for a, b, c in zip(one, two, four, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)


@pytest.mark.parametrize("buffer", [2**26, 1])
def test_an_epoch_of_one_stream_gives_no_sample_twice(
    store: Store, tiny_config: GlassRun, monkeypatch: pytest.MonkeyPatch, buffer: int
) -> None:
    monkeypatch.setattr("lehr.store.reader.BUFFER_BYTES", buffer)
    seen = np.concatenate(read_all(store, tiny_config, 0, 1, streams=1))
    assert len(np.unique(seen, axis=0)) == len(seen) == 352


def test_epochs_differ_and_repeat_with_the_seed(store: Store, tiny_config: GlassRun) -> None:
    first, again, second = (read_all(store, tiny_config, epoch, 1) for epoch in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_sequential_readers_share_each_split_without_overlap(store: Store, tiny_config: GlassRun) -> None:
    split = tiny_config.split.build()
    everything = store.read(0, store.samples)
    seen: list[int] = []
    for name in ("train", "validation", "test"):
        for rank in range(3):
            reader = SequentialReader(store, store.usable(split, name), NAMES, batch_size=20, rank=rank, size=3)
            rows = []
            for batch in reader:
                assert np.array_equal(batch["cpn"], everything[batch["row"]])
                for column, values in store.columns(NAMES[1:], batch["row"]).items():
                    assert np.array_equal(batch[column], values)
                assert len(batch["row"]) <= 20
                rows += batch["row"].tolist()
            assert len(rows) == reader.samples
            seen += rows
    assert sorted(seen) == list(range(store.samples))


def test_samples_with_a_bad_status_are_left_out(copied: Copy, tiny_config: GlassRun) -> None:
    zarr.open_array(copied.group / "status", mode="r+")[0:100] = 2
    store = Store.open(copied.group, copied.source)
    train = store.usable(tiny_config.split.build(), "train")
    rows = [row for batch in SequentialReader(store, train, ("x",), batch_size=64) for row in batch["row"].tolist()]
    assert min(rows) >= 100


def test_too_few_samples_for_a_batch_are_refused(store: Store, tiny_config: GlassRun) -> None:
    with pytest.raises(LehrError, match="too few"):
        ShuffledReader(store, store.usable(tiny_config.split.build(), "test"), NAMES, batch_size=512, seed=0)
    with pytest.raises(LehrError, match="do not divide"):
        ShuffledReader(store, store.usable(tiny_config.split.build(), "train"), NAMES, batch_size=32, seed=0, size=3)
