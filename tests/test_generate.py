"""Generation by real MPI ranks, in one run or in blocks; what is refused and left alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TINY, run, write_config
from stores import Copy, call, copy_of, receipts_in, tree, untouched

from lehr.glass.config import GlassRun

Lehr = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def copied(tiny_config: GlassRun, tmp_path: Path) -> Copy:
    """Return a copy of the small store, free to be changed."""
    return copy_of(tiny_config, tmp_path)


def command(config: Path, ranks: int) -> list[str]:
    return ["mpiexec", "-n", str(ranks), "lehr", "dataset", "generate", str(config), "--subset", "C"]


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 3])
def test_any_number_of_ranks_makes_the_same_store(tmp_path: Path, tiny_config: GlassRun, ranks: int) -> None:
    config = write_config(tmp_path / "c.yaml", TINY)
    done = run(*command(config, ranks), "--ranks", ranks)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "results/signals.zarr") == tree(tiny_config.store_path)  # made by two ranks


def test_without_a_launcher_it_is_the_same_too(lehr: Lehr, tmp_path: Path, tiny_config: GlassRun) -> None:
    config = write_config(tmp_path / "c.yaml", TINY)
    done = lehr("dataset", "generate", config, "--subset", "C")
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "results/signals.zarr") == tree(tiny_config.store_path)


def test_blocks_one_after_the_other_make_the_same_store(lehr: Lehr, tmp_path: Path, tiny_config: GlassRun) -> None:
    config = write_config(tmp_path / "c.yaml", TINY)
    group = tmp_path / "results/signals.zarr/C"
    done = call("dataset", "init", config, "--subset", "C")
    assert done.returncode == 0, done.stderr
    assert str(group) in done.stdout
    for block, parts in (("1/3", range(5)), ("3/3", [*range(5), *range(10, 16)])):
        done = lehr("dataset", "generate", config, "--subset", "C", "--block", block)
        assert done.returncode == 0, done.stderr
        assert [int(path.stem[-6:]) for path in receipts_in(config)] == list(parts)
        assert not (group / "manifest.json").exists()

    before = untouched(group)
    done = call("dataset", "finalise", config, "--subset", "C")
    assert done.returncode == 2
    assert "5 of 16 parts are missing (5, 6, 7, 8, 9)\n" in done.stderr
    assert "lehr dataset generate CONFIG --subset C" in done.stderr
    assert "Traceback" not in done.stderr
    assert untouched(group) == before

    done = lehr("dataset", "generate", config, "--subset", "C", "--block", "2/3")
    assert done.returncode == 0, done.stderr
    done = call("dataset", "finalise", config, "--subset", "C")
    assert done.returncode == 0, done.stderr
    assert "484 samples" in done.stdout
    assert tree(tmp_path / "results/signals.zarr") == tree(tiny_config.store_path)


@pytest.mark.mpi
def test_a_second_run_has_nothing_to_do(tiny_path: Path, tiny_config: GlassRun) -> None:
    before = tree(tiny_config.store_path)
    shards = untouched(tiny_config.group_path("C") / "cpn")
    done = run(*command(tiny_path, 2))
    assert done.returncode == 0, done.stderr
    assert "16 of 16 parts are already done" in done.stderr
    assert tree(tiny_config.store_path) == before
    assert untouched(tiny_config.group_path("C") / "cpn") == shards


def test_a_dry_run_writes_nothing(tmp_path: Path, copied: Copy) -> None:
    config = write_config(tmp_path / "new/c.yaml", TINY)
    done = call("dataset", "generate", config, "--subset", "C", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "C: 16 parts with 484 samples would be simulated\n")
    assert not (tmp_path / "new/results").exists()

    copied.receipt(3).unlink()
    copied.receipt(15).unlink()  # the last part has 4 samples
    before = untouched(copied.group)
    done = call("dataset", "generate", copied.config, "--subset", "C", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "C: 2 parts with 36 samples would be simulated\n")
    done = call("dataset", "generate", copied.config, "--subset", "C", "--dry-run", "--block", "2/2")
    assert done.stdout == "C: 1 parts with 4 samples would be simulated\n"
    assert untouched(copied.group) == before


def test_parts_are_simulated_again_bit_for_bit(lehr: Lehr, copied: Copy, tiny_config: GlassRun) -> None:
    before = untouched(copied.group / "cpn")
    copied.shard(3).write_bytes(b"no shard")
    done = lehr("dataset", "generate", copied.config, "--subset", "C", "--parts", "3")
    assert done.returncode == 0, done.stderr
    assert tree(copied.group) == tree(tiny_config.group_path("C"))
    after = untouched(copied.group / "cpn")
    assert {path for path, content in after.items() if content != before[path]} == {str(copied.shard(3))}  # its time


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--parts", "3,16", "--dry-run"), "It has the parts 0 to 15"),
        (("--parts", "3-"), "'3-' is not a part"),
        (("--parts", "7-5", "--dry-run"), "7-5"),
        (("--block", "4/3"), "'4/3' is not a block"),
        (("--block", "0/3"), "'0/3' is not a block"),
        (("--block", "1/3", "--parts", "2"), "not allowed with"),
    ],
)
def test_parts_and_blocks_that_are_not_there_are_refused(tiny_path: Path, words: tuple[str, ...], named: str) -> None:
    done = call("dataset", "generate", tiny_path, "--subset", "C", *words)
    assert done.returncode == 2
    assert named in done.stderr


def test_another_world_size_than_asked_for_is_refused(lehr: Lehr, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", TINY)
    done = lehr("dataset", "generate", config, "--subset", "C", "--ranks", "2")
    assert done.returncode == 2
    assert "2 MPI ranks were asked for, but this program runs with 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.mpi
def test_a_store_of_another_config_is_refused_on_all_ranks(tmp_path: Path, tiny_path: Path) -> None:
    other = write_config(
        tmp_path / "c.yaml",
        {**TINY, "output": str(tiny_path.parent / "results"), "signals": {**TINY["signals"], "tolerance": 1e-3}},
    )
    before = untouched(tiny_path.parent / "results")
    done = run(*command(other, 2))
    assert done.returncode != 0
    assert "tolerance: 0.0001 -> 0.001" in done.stderr
    assert "Traceback" not in done.stderr
    assert untouched(tiny_path.parent / "results") == before


def test_a_store_made_by_other_code_is_refused_and_left_alone(lehr: Lehr, copied: Copy) -> None:
    path = copied.group / "zarr.json"
    content = json.loads(path.read_text())
    assert content["attributes"]["lehr"]["numerics"] == 1
    path.write_text(path.read_text().replace('"numerics": 1', '"numerics": 2'))
    (copied.group / "cpn/c/0.partial").write_bytes(b"left by a killed writer")
    before = untouched(copied.group)
    for done in (
        lehr("dataset", "generate", copied.config, "--subset", "C"),
        call("dataset", "init", copied.config, "--subset", "C"),
    ):
        assert done.returncode == 2
        assert "made with numerics 2" in done.stderr
        assert "Traceback" not in done.stderr
    assert untouched(copied.group) == before
