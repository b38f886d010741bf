"""What happens to a store when processes are killed, the disk is full or files are damaged: nothing that stays."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zarr
from conftest import TINY, run, write_config
from processes import ended, ranks_of
from stores import LONGER, Copy, call, copy_of, receipts_in, tree

from lehr.glass.config import GlassRun

Lehr = Callable[..., subprocess.CompletedProcess[str]]


def command(config: Path, ranks: int) -> list[str]:
    return ["mpiexec", "-n", str(ranks), "lehr", "dataset", "generate", str(config), "--subset", "C"]


@pytest.fixture
def copied(tiny_config: GlassRun, tmp_path: Path) -> Copy:
    """Return a copy of the small store, free to be damaged."""
    return copy_of(tiny_config, tmp_path)


# --- killed ----------------------------------------------------------------------------------------------------------


def start_and_wait_for_parts(config: Path, parts: int) -> subprocess.Popen[bytes]:
    """Start two ranks and wait until some parts have receipts: then both are in the middle of another."""
    job = subprocess.Popen(command(config, 2), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(receipts_in(config)) < parts:
        assert job.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return job


@pytest.mark.mpi
@pytest.mark.parametrize(("victim", "ranks_then"), [("one rank", 3), ("everything", 1)])
def test_killed_in_the_middle_and_gone_on_with_other_ranks(
    tmp_path: Path, longer_tree: dict[str, str], victim: str, ranks_then: int
) -> None:
    config = write_config(tmp_path / "c.yaml", LONGER)
    group = tmp_path / "results/signals.zarr/C"
    job = start_and_wait_for_parts(config, 4)
    ranks = ranks_of(config)
    assert len(ranks) == 2
    for process in ranks[:1] if victim == "one rank" else [job.pid, *ranks]:
        os.kill(process, signal.SIGKILL)
    assert job.wait(timeout=60) != 0
    deadline = time.monotonic() + 30
    while not all(map(ended, ranks)):  # what a launcher that was killed itself leaves behind
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not (group / "manifest.json").exists()
    before = {path: path.stat().st_mtime_ns for path in receipts_in(config)}
    assert 4 <= len(before) < 48

    done = run(*command(config, ranks_then))
    assert done.returncode == 0, done.stderr
    assert f"{len(before)} of 48 parts are already done" in done.stderr
    assert tree(tmp_path / "results/signals.zarr") == longer_tree
    assert {path: path.stat().st_mtime_ns for path in before} == before


ORPHANS = ("cpn/c/5/0/0.__lock", "status/c/0.0a1b.partial", "receipts/.part-000003.npz.0a1b.tmp", ".README.md.0a1b.tmp")


def leave_orphans(group: Path) -> list[Path]:
    """Put files where killed writers leave theirs."""
    orphans = [group / name for name in ORPHANS]
    for orphan in orphans:
        orphan.write_bytes(b"left by a killed writer")
    return orphans


def test_orphans_are_swept_by_the_next_run(lehr: Lehr, copied: Copy, tiny_config: GlassRun) -> None:
    orphans = leave_orphans(copied.group)
    copied.receipt(5).unlink()
    done = lehr("dataset", "generate", copied.config, "--subset", "C")
    assert done.returncode == 0, done.stderr
    assert [orphan for orphan in orphans if orphan.exists()] == []
    assert tree(copied.group) == tree(tiny_config.group_path("C"))


def test_nothing_is_swept_while_another_is_at_work(copied: Copy) -> None:
    words = ["lehr", "dataset", "finalise", str(copied.config), "--subset", "C"]
    with (copied.group / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        orphans = leave_orphans(copied.group)  # they may be the files that the other is writing
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as job:
            with pytest.raises(subprocess.TimeoutExpired):
                job.wait(timeout=4)
            assert all(orphan.exists() for orphan in orphans)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert job.wait(timeout=60) == 0
    assert not any(orphan.exists() for orphan in orphans)


def test_two_generators_at_the_same_time(tmp_path: Path, tiny_config: GlassRun) -> None:
    """As two cluster jobs of the same subset, started by mistake."""
    config = write_config(tmp_path / "c.yaml", TINY)
    words = ["lehr", "dataset", "generate", str(config), "--subset", "C"]
    jobs = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [job.communicate(timeout=120)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], errors
    assert tree(tmp_path / "results/signals.zarr") == tree(tiny_config.store_path)


# --- disk full -------------------------------------------------------------------------------------------------------


@dataclass
class SmallDisk:
    """A file system of a few MB, and how to run commands that see it."""

    prefix: tuple[str, ...]
    mounted: Path
    path: Path  # the same, as this process sees it

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command that sees the disk."""
        return run(*self.prefix, *words)

    def resize(self, kilobytes: int) -> None:
        """Give it another size."""
        done = self.run("mount", "-o", f"remount,size={kilobytes}k", self.mounted)
        assert done.returncode == 0, done.stderr

    def used(self) -> int:
        """Kilobytes that are used."""
        disk = os.statvfs(self.path)
        return (disk.f_blocks - disk.f_bfree) * disk.f_frsize // 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a tmpfs, in a name space of its own where this process may not mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=8m", "lehr-test", place)
    if os.environ.get("LEHR_TEST_UNSHARE") is None and run(*mount).returncode == 0:
        try:
            yield SmallDisk((), place, place)
        finally:
            run("umount", place)
        return
    with subprocess.Popen(
        ["unshare", "-Urm", "sh", "-c", "echo ready; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        started = holder.stdout.readline() == b"ready\n"
        enter = ("nsenter", "-t", str(holder.pid), "-U", "-m", "--preserve-credentials")
        if not started or run(*enter, *mount).returncode != 0:
            holder.kill()
            pytest.skip("neither mount nor unshare -Urm is permitted here: no small disk to fill")
        try:
            yield SmallDisk(enter, place, Path(f"/proc/{holder.pid}/root{place}"))
        finally:
            holder.communicate(b"\n")


def assert_no_space(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "run the same command again" in done.stderr.lower()


def test_a_full_disk_stops_the_run_and_a_larger_one_lets_it_go_on(small_disk: SmallDisk, tiny_config: GlassRun) -> None:
    config = write_config(small_disk.path / "c.yaml", {**TINY, "output": str(small_disk.mounted / "results")})
    words = ("lehr", "dataset", "generate", small_disk.mounted / "c.yaml", "--subset", "C")
    group = small_disk.path / "results/signals.zarr/C"

    done = small_disk.run("lehr", "dataset", "init", *words[3:])
    assert done.returncode == 0, done.stderr
    small_disk.resize(small_disk.used() + 44)  # a part needs a page of 4 kB for its shard and one for its receipt
    done = small_disk.run(*words)
    assert_no_space(done)
    receipts = len(receipts_in(config))
    assert 1 <= receipts < 16
    assert f"part {receipts} cannot be written" in done.stderr
    assert not (group / "manifest.json").exists()

    small_disk.resize(8192)
    done = small_disk.run(*words, "--block", "1/1")
    assert done.returncode == 0, done.stderr
    assert f"{receipts} of 16 parts are already done" in done.stderr
    small_disk.resize(small_disk.used())
    done = small_disk.run("lehr", "dataset", "finalise", *words[3:])  # all parts, but no room for what completes them
    assert_no_space(done)
    assert not (group / "manifest.json").exists()

    small_disk.resize(8192)
    done = small_disk.run(*words)
    assert done.returncode == 0, done.stderr
    assert "16 of 16 parts are already done" in done.stderr
    assert tree(group) == tree(tiny_config.group_path("C"))


@pytest.mark.mpi
def test_a_full_disk_stops_all_ranks(small_disk: SmallDisk, tiny_config: GlassRun) -> None:
    """One rank that cannot write must not leave the others waiting for it."""
    write_config(small_disk.path / "c.yaml", {**TINY, "output": str(small_disk.mounted / "results")})
    shutil.copytree(tiny_config.store_path, small_disk.path / "results/signals.zarr")
    group = small_disk.path / "results/signals.zarr/C"
    small_disk.resize(small_disk.used())
    for part in range(16):
        (group / f"receipts/part-{part:06d}.npz").unlink()  # room for less than 16 shards and receipts
    words = ["timeout", "--kill-after=5", "20", *command(small_disk.mounted / "c.yaml", 2)]
    done = small_disk.run(*words)
    assert done.returncode not in (0, 124, 137), done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


# --- damaged ---------------------------------------------------------------------------------------------------------


def flip(path: Path, position: int) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)


def change_status(copied: Copy) -> None:
    """Give a sample another status, in the array and its checksum."""
    zarr.open_array(copied.group / "status", mode="r+")[170] = 1
    copied.reseal(["status/c/0"])


def replace_a_sample(copied: Copy) -> None:
    """Put the signal of the next sample in the place of one, and hide it as well as can be."""
    array = zarr.open_array(copied.group / "cpn", mode="r+")
    other = np.asarray(array[171])
    assert np.abs(other - np.asarray(array[170])).max() > 0.01
    array[170] = other
    copied.reseal(["cpn/c/5/0/0"])


def cut_the_seal(copied: Copy) -> None:
    """Leave a file out of the checksums, and damage it."""
    flip(copied.shard(5), 40)
    path = copied.group / "SHA256SUMS"
    path.write_text("".join(line for line in path.open() if "cpn/c/5/" not in line))


DAMAGES: dict[str, tuple[Callable[[Copy], object], str, bool]] = {
    "byte of a shard": (lambda copied: flip(copied.shard(5), 40), "cpn/c/5/0/0: its content has changed", True),
    "truncated shard": (
        lambda copied: copied.shard(5).write_bytes(copied.shard(5).read_bytes()[:1000]),
        "cpn/c/5/0/0: its content has changed",
        True,
    ),
    "lost shard": (lambda copied: copied.shard(5).unlink(), "cpn/c/5/0/0: No such file", True),
    "lost receipt": (lambda copied: copied.receipt(5).unlink(), "part 5 has no valid receipt", True),
    "byte of a result": (lambda copied: flip(copied.group / "cpn_max/c/0", 40), "cpn_max/c/0: its content", False),
    "lost result": (lambda copied: (copied.group / "cpn_mean/c/0/0").unlink(), "cpn_mean/c/0/0: No such file", False),
    "byte of the status": (lambda copied: flip(copied.group / "status/c/0", 9), "status/c/0: its content", False),
    "byte of a coordinate": (lambda copied: flip(copied.group / "ln_A/c/0", 40), "ln_A/c/0: its content", False),
    "card": (lambda copied: (copied.group / "README.md").write_text("mine"), "README.md: its content", False),
    "status count": (change_status, "status counts {'0': 483, '1': 1}, the manifest has {'0': 484}", False),
    "resealed sample": (replace_a_sample, "sample 170 differs by", True),
    "checksums": (cut_the_seal, "SHA256SUMS", False),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_the_printed_command_repairs_it(copied: Copy, tiny_config: GlassRun, damage: str) -> None:
    spoil, named, in_a_part = DAMAGES[damage]
    spoil(copied)
    done = call("dataset", "verify", copied.group, "--rows", "484" if damage == "resealed sample" else "32")
    assert done.returncode == 1, done.stderr
    assert named in done.stdout
    assert "Traceback" not in done.stderr
    (repair,) = re.findall(r"^repair: (.*)$", done.stdout, re.MULTILINE)
    if in_a_part:
        assert repair == "lehr dataset generate CONFIG --subset C --parts 5"

    words = [str(copied.config) if word == "CONFIG" else word for word in shlex.split(repair)]
    repaired = call(*words[1:]) if words[2] == "finalise" else run(*words)
    assert repaired.returncode == 0, repaired.stderr
    done = call("dataset", "verify", copied.group, "--rows", "484")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stdout
    assert tree(copied.group) == tree(tiny_config.group_path("C"))


def test_a_whole_store_is_found_to_be_so(copied: Copy) -> None:
    before = tree(copied.group)
    done = call("dataset", "verify", copied.group, "--rows", "484")
    assert (done.returncode, done.stdout.count("wrong")) == (0, 0)
    assert "484 samples as simulated now" in done.stdout
    assert tree(copied.group) == before


def test_verify_of_a_store_that_is_not_complete_is_refused(copied: Copy) -> None:
    (copied.group / "manifest.json").unlink()
    done = call("dataset", "verify", copied.group)
    assert done.returncode == 2
    assert "manifest.json: cannot be read" in done.stderr
    (copied.group / "SHA256SUMS").unlink()
    (copied.group / "manifest.json").write_text(json.dumps({"status_counts": {"0": 484}, "checksum": ""}))
    done = call("dataset", "verify", copied.group)
    assert done.returncode == 2
    assert "SHA256SUMS: cannot be read" in done.stderr
