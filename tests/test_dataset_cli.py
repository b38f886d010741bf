"""The commands around a data set: plan, inspect and export."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr
from conftest import ROOT
from stores import Copy, call, copy_of, untouched

from lehr.glass.config import GlassRun
from lehr.split import SPLITS
from lehr.store import Store, open_subset

Lehr = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def copied(tiny_config: GlassRun, tmp_path: Path) -> Copy:
    """Return a copy of the small store, free to be changed."""
    return copy_of(tiny_config, tmp_path)


@pytest.fixture
def store(tiny_config: GlassRun) -> Store:
    return open_subset(tiny_config, "C")


# --- plan ------------------------------------------------------------------------------------------------------------


def table(printed: str) -> dict[str, list[float]]:
    """Columns of each subset: samples, parts, files, raw GB, GB on disk, core-hours."""
    rows = [line.rsplit(maxsplit=6) for line in printed.splitlines()]
    return {row[0].strip(): [float(word) for word in row[1:]] for row in rows if len(row) == 7 and row[1].isdigit()}


def test_plan_of_the_paper(lehr: Lehr) -> None:
    done = lehr("dataset", "plan", ROOT / "workflow/config/paper.yaml")
    assert done.returncode == 0, done.stderr
    rows = table(done.stdout)
    samples = {name: row[0] for name, row in rows.items()}
    five = dict.fromkeys(("LU", "RU", "LB", "RB", "C"), 203_401.0)
    assert samples == {**five, "G": 134_480, "together": 1_151_485, "whole space": 13_752_261}
    assert rows["together"][1] == 5 * 398 + 263  # parts of 512
    for column in range(6):
        assert rows["together"][column] == pytest.approx(sum(rows[name][column] for name in (*five, "G")), abs=3e-3)
    assert rows["C"][3] == pytest.approx(203_401 * 6 * 18_501 * 4 / 1e9, abs=1e-3)
    assert 0.1 < rows["C"][4] < rows["C"][3] / 10
    assert rows["C"][5] > 0


def test_plan_of_the_whole_space() -> None:
    done = call("dataset", "plan", ROOT / "workflow/config/full.yaml")
    assert done.returncode == 0, done.stderr
    assert {name: row[0] for name, row in table(done.stdout).items()} == {"all": 13_752_261}


def test_plan_estimates_what_a_subset_then_takes(tiny_path: Path, store: Store) -> None:
    done = call("dataset", "plan", tiny_path)
    assert done.returncode == 0, done.stderr
    row = table(done.stdout)["C"]
    assert row[:2] == [484, 16]
    files = sum(path.is_file() for path in store.path.rglob("*"))
    assert files <= row[2] <= files + 30  # two for each part, and some whose number is a guess


def test_plan_draws_the_plane(tiny_path: Path, tmp_path: Path) -> None:
    done = call("dataset", "plan", tiny_path, "--plot", tmp_path / "plane.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plane.png").read_bytes().startswith(b"\x89PNG")
    assert f"wrote {tmp_path / 'plane.png'}" in done.stdout
    for name, said in (("plane.xyz", "Name a PNG, PDF or SVG"), ("none/plane.png", "cannot write")):
        done = call("dataset", "plan", tiny_path, "--plot", tmp_path / name)
        assert done.returncode == 2
        assert said in done.stderr


# --- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_of_a_complete_subset(lehr: Lehr, store: Store) -> None:
    before = untouched(store.path)
    done = lehr("dataset", "inspect", store.path)
    assert done.returncode == 0, done.stderr
    lines = {line[:12].strip(): line[12:].strip() for line in done.stdout.splitlines()}
    assert lines["signals"] == "484 samples x 6 cycles x 186 temperatures from 23.15 to 1873.15 K"
    assert lines["parts"].startswith("16 of 16 are done")
    assert lines["Δh* (kJ/mol)"] == "650 ... 750"
    assert lines["x"] == "0.4 ... 0.8"
    assert lines["status"] == "0: 484"
    assert lines["CpN,max"].split("  ")[0].endswith(f"{store.column('cpn_max').max():.3g}")
    assert lines["made by"].endswith("numerics 1")
    assert untouched(store.path) == before


def test_inspect_of_an_incomplete_subset(copied: Copy) -> None:
    for part in (2, 11):
        copied.receipt(part).unlink()
    zarr.open_array(copied.group / "status", mode="r+")[:] = -1
    done = call("dataset", "inspect", copied.group)
    assert done.returncode == 0, done.stderr
    assert "14 of 16 are done" in done.stdout
    assert "not complete: run `lehr dataset generate`" in done.stdout
    assert "CpN,max" not in done.stdout


def test_inspect_of_an_empty_subset(tiny_path: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(tiny_path.read_text().replace(str(tiny_path.parent), str(tmp_path)))
    assert call("dataset", "init", config, "--subset", "C").returncode == 0
    done = call("dataset", "inspect", tmp_path / "results/signals.zarr/C")
    assert done.returncode == 0, done.stderr
    assert "0 of 16 are done, 0.000 GB" in done.stdout
    done = call("dataset", "inspect", tmp_path / "results/signals.zarr")
    assert (done.returncode, "Name one of: C." in done.stderr) == (2, True)


# --- export ----------------------------------------------------------------------------------------------------------


def read_npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as content:
        return {name: content[name] for name in content.files}


def read_hdf5(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        assert file["temperature"].attrs["units"] == "K"
        assert [file["cpn"].dims[axis][0].name for axis in (1, 2)] == ["/cooling_rate", "/temperature"]
        return {name: file[name][:] for name in file}


@pytest.mark.parametrize(("suffix", "read"), [(".npz", read_npz), (".h5", read_hdf5), (".hdf5", read_hdf5)])
@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ((), range(484)),
        (("--rows", "3:40:7"), range(3, 40, 7)),
        (("--rows=-9:",), range(475, 484)),
        (("--split", "test"), None),
        (("--rows", "100:300", "--split", "validation"), None),
    ],
)
def test_export_gives_the_numbers_of_the_store(
    store: Store,
    tmp_path: Path,
    suffix: str,
    read: Callable[[Path], dict[str, np.ndarray]],
    words: tuple[str, ...],
    rows: range | None,
) -> None:
    target = tmp_path / f"out{suffix}"
    done = call("dataset", "export", store.path, "--to", target, *words)
    assert done.returncode == 0, done.stderr
    found = read(target)
    chosen = np.array(
        rows if rows is not None else np.flatnonzero(store.column("split_by_sample") == SPLITS.index(words[-1]))
    )
    if len(words) == 4:
        chosen = chosen[(chosen >= 100) & (chosen < 300)]
    assert chosen.size > 4
    assert done.stdout == f"wrote {chosen.size} samples to {target}\n"
    expected = {
        **dict(zip(("ln_A", "delta_h", "x", "beta"), store.parameters[chosen].T, strict=True)),
        "cpn": store.read(0, store.samples)[chosen],
        "row": chosen,
        "index": store.column("index")[chosen],
        "status": store.status[chosen],
        "cpn_max": store.column("cpn_max")[chosen],
        "fictive_temperature": store.column("fictive_temperature")[chosen],
        "cpn_mean": store.column("cpn_mean")[chosen],
        "cpn_mean_square": store.column("cpn_mean_square")[chosen],
        "temperature": store.column("temperature"),
        "cooling_rate": store.column("cooling_rate"),
        "heating_rate": store.column("heating_rate"),
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert found["cpn"].dtype == np.float32
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_export_to_csv_gives_the_numbers_of_the_store(lehr: Lehr, store: Store, tmp_path: Path) -> None:
    high = int(store.column("cpn_max").argmax())
    done = lehr("dataset", "export", store.path, "--to", tmp_path / "out.csv", "--rows", f"{high - 4}:{high + 8}:4")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out.csv").open() as file:
        head, *lines = csv.reader(file)
    assert head[:8] == ["ln_A", "delta_h", "x", "beta", "row", "cycle", "cooling_rate", "heating_rate"]
    assert head[8:] == [f"cpn_at_{kelvin:.2f}_K" for kelvin in store.column("temperature")]
    values = np.array(lines, dtype=float)
    rows = np.repeat([high - 4, high, high + 4], 6)
    assert values[:, 4].tolist() == rows.tolist()
    assert values[:, 5].tolist() == [0, 1, 2, 3, 4, 5] * 3
    np.testing.assert_array_equal(values[:, 6], np.tile(store.column("cooling_rate"), 3))
    np.testing.assert_allclose(values[:, :4], store.parameters[rows], rtol=1e-9)
    stored = store.read(high - 4, high + 5)[::4].reshape(18, -1)
    np.testing.assert_array_equal(values[:, 8:].astype(np.float32), stored)


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("inspect", "{folder}"), "no signals of the subset nothing here"),
        (("verify", "{folder}"), "no signals of the subset nothing here"),
        (("export", "{folder}", "--to", "out.npz"), "no signals of the subset nothing here"),
        (("inspect", "{store}"), "a store, not a subset in it\n  Name one of: C."),
        (("verify", "{store}"), "a store, not a subset in it\n  Name one of: C."),
        (("export", "{store}", "--to", "out.npz"), "a store, not a subset in it\n  Name one of: C."),
        (("inspect", "{group}/cpn"), "cpn: damaged, or not a subset made by lehr"),
        (
            ("export", "{group}", "--to", "out.txt"),
            "out.txt: no format of that suffix\n  Name a file that ends in .npz",
        ),
        (("export", "{group}", "--to", "out"), "out: no format of that suffix"),
        (("export", "{group}", "--to", "none/out.npz"), "out.npz: cannot be written"),
        (("export", "{group}", "--to", "none/out.h5"), "out.h5: cannot be written"),
        (("export", "{group}", "--to", "file/out.csv"), "out.csv: cannot be written"),
        (
            ("export", "{group}", "--to", "out.npz", "--rows", "484:"),
            "no sample is chosen\n  It has the rows 0 to 483.",
        ),
        (("export", "{group}", "--to", "out.npz", "--rows", "0:4:0"), "--rows 0:4:0: not a range of rows"),
        (("export", "{group}", "--to", "out.npz", "--rows", "a:b"), "--rows a:b: not a range of rows"),
        (("export", "{group}", "--to", "out.npz", "--rows", "7"), "--rows 7: not a range of rows"),
        (("export", "{group}", "--to", "out.npz", "--split", "tests"), "invalid choice: 'tests'"),
        (("verify", "{group}", "--rows", "-1"), "--rows"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "file").write_text("a file")
    places = {"folder": tmp_path / "nothing", "store": store.path.parent, "group": store.path}
    done = call("dataset", *(word.format(**places) for word in words))
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"nothing", "file"}


def test_export_of_an_incomplete_subset_is_refused(lehr: Lehr, copied: Copy) -> None:
    zarr.open_array(copied.group / "status", mode="r+")[:] = -1
    done = lehr("dataset", "export", copied.group, "--to", copied.config.parent / "out.npz")
    assert done.returncode == 2
    assert "not complete yet" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (copied.config.parent / "out.npz").exists()


def test_a_store_is_found_from_within(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.path)
    done = call("dataset", "inspect", ".")
    assert done.returncode == 0, done.stderr
    assert "subset C, format 3" in done.stdout
