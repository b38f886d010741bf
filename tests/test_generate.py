"""Generation by real MPI ranks: any number of them, killed and started again."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import TINY, run, write_config

from lehr.config import Config

pytestmark = pytest.mark.mpi


LONGER = {
    **TINY,
    "signals": {
        **TINY["signals"],
        "state_space": {axis: {"start": 0.2, "stop": 1.0, "count": 5} for axis in ("x", "beta")},
    },
}
"""3,025 samples in 95 parts: some seconds, enough to be killed in the middle."""


def tree(folder: Path) -> dict[str, str]:
    """Hash of each file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def command(config: Path, ranks: int) -> list[str]:
    return ["mpiexec", "-n", str(ranks), "lehr", "dataset", "generate", str(config), "--subset", "C"]


@pytest.mark.parametrize("ranks", [1, 3])
def test_any_number_of_ranks_makes_the_same_store(tmp_path: Path, tiny_config: Config, ranks: int) -> None:
    config = write_config(tmp_path / "c.yaml", TINY)
    done = run(*command(config, ranks), "--ranks", ranks)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "results/signals.zarr") == tree(tiny_config.store_path)  # made by two ranks


def test_without_a_launcher_it_is_the_same_too(tmp_path: Path, tiny_config: Config) -> None:
    config = write_config(tmp_path / "c.yaml", TINY)
    done = run("lehr", "dataset", "generate", config, "--subset", "C")
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "results/signals.zarr") == tree(tiny_config.store_path)


def start_and_wait_for_parts(config: Path, parts: int) -> subprocess.Popen[bytes]:
    """Start two ranks and wait until some parts have receipts."""
    job = subprocess.Popen(command(config, 2), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list((config.parent / "results/receipts/C").glob("part-*.json"))) < parts:
        assert job.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return job


def ranks_of(config: Path) -> list[int]:
    """Process numbers of the ranks that work on a config; the launcher puts each in a session of its own."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if str(config) in words and Path(words[0]).name.startswith("python"):
            found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the hashes of the longer store, made without interruption."""
    config = write_config(tmp_path_factory.mktemp("longer") / "c.yaml", LONGER)
    done = run(*command(config, 2))
    assert done.returncode == 0, done.stderr
    return tree(config.parent / "results/signals.zarr")


@pytest.mark.parametrize("victim", ["one rank", "everything"])
def test_killed_in_the_middle_and_started_again(tmp_path: Path, undisturbed: dict[str, str], victim: str) -> None:
    config = write_config(tmp_path / "c.yaml", LONGER)
    job = start_and_wait_for_parts(config, 4)
    ranks = ranks_of(config)
    assert len(ranks) == 2
    for process in ranks[:1] if victim == "one rank" else [job.pid, *ranks]:
        os.kill(process, signal.SIGKILL)
    assert job.wait(timeout=60) != 0
    for process in ranks:  # what a launcher that was killed itself leaves behind
        while Path(f"/proc/{process}").exists() and Path(f"/proc/{process}/stat").read_text().split()[2] != "Z":
            time.sleep(0.05)
    assert not (tmp_path / "results/receipts/C.json").exists()
    done_before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "results/receipts/C").glob("part-*")}
    (tmp_path / "results/signals.zarr/C/cpn/c/0.partial").write_bytes(b"left by a killed writer")

    done = run(*command(config, 2))
    assert done.returncode == 0, done.stderr
    assert f"{len(done_before)} of 95 parts are already done" in done.stderr
    assert tree(tmp_path / "results/signals.zarr") == undisturbed
    kept = {name: (tmp_path / "results/receipts/C" / name).stat().st_mtime_ns for name in done_before}
    assert kept == done_before


def test_a_second_run_has_nothing_to_do(tiny_path: Path, tiny_config: Config) -> None:
    before = tree(tiny_config.store_path)
    done = run(*command(tiny_path, 2))
    assert done.returncode == 0, done.stderr
    assert "16 of 16 parts are already done" in done.stderr
    assert tree(tiny_config.store_path) == before


def test_another_world_size_than_asked_for_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", TINY)
    done = run("lehr", "dataset", "generate", config, "--subset", "C", "--ranks", "2")
    assert done.returncode == 2
    assert "2 MPI ranks were asked for, but this program runs with 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_store_of_another_config_is_refused_on_all_ranks(tmp_path: Path, tiny_path: Path) -> None:
    other = write_config(
        tmp_path / "c.yaml",
        {**TINY, "output": str(tiny_path.parent / "results"), "signals": {**TINY["signals"], "tolerance": 1e-3}},
    )
    before = tree(tiny_path.parent / "results")
    done = run(*command(other, 2))
    assert done.returncode != 0
    assert "tolerance: 0.0001 -> 0.001" in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tiny_path.parent / "results") == before
