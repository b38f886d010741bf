"""`lehr doctor` says what is there, what is missing and what is broken, and never dies of it."""

import argparse
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lehr import doctor
from lehr.cli import doctor as verb
from lehr.doctor import Check, State, installation, machine, ranks
from lehr.doctor.checks import execute
from lehr.doctor.installation import Package, examine


def program(folder, name, text):
    """Put an executable shell script into a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def alive(process):
    """Tell whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition, seconds=10.0):
    """Wait for something that takes the kernel a moment."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def light(monkeypatch):
    """Leave out the slow imports: the report itself is under test."""
    groups = ((Package("tensorflow", "install it", "print('GPUs: 0')", ("numpy",)),),)
    monkeypatch.setattr(doctor, "GROUPS", groups)


@pytest.fixture
def only_path(monkeypatch, tmp_path):
    """PATH holds one empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def options(**given):
    return argparse.Namespace(**{"store": None, "deep": False, "json": False, **given})


def test_import_stays_light():
    """Nothing that doctor looks at is imported with it, and it prints nothing."""
    heavy = "{'tensorflow', 'keras', 'horovod', 'zarr', 'tensorstore', 'mpi4py', 'snakemake', 'matplotlib'}"
    code = f"import sys, lehr.doctor; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- packages --------------------------------------------------------------------------------------------------------


def test_package_that_works_tells_version_and_more():
    (row,) = examine([Package("numpy", "install it", "import numpy; print('blas', bool(numpy.show_config))")])
    assert row == Check("numpy", f"{installation.installed_version('numpy')}, blas True")


def test_package_that_is_missing_tells_what_to_do():
    (row,) = examine([Package("no-such-distribution", "do this")])
    assert row == Check("no-such-distribution", "not installed", State.MISSING, "do this")


def test_a_broken_package_leaves_its_neighbours_alone():
    bad = Package("bad", "install it", "raise ImportError('libfoo.so.1: cannot open')", ("numpy",))
    good = Package("good", "install it", "import numpy", ("numpy",))
    rows = examine([bad, good])
    assert [row.state for row in rows] == [State.BROKEN, State.OK]
    assert "ImportError: libfoo.so.1: cannot open" in rows[0].value
    assert "install it" in rows[0].advice


def test_a_crash_is_told_and_what_worked_before_it_too():
    good = Package("good", "install it", "import numpy", ("numpy",))
    crash = Package("crash", "install it", "import os, signal; os.kill(os.getpid(), signal.SIGILL)", ("numpy",))
    rows = examine([good, crash])
    assert [row.state for row in rows] == [State.OK, State.BROKEN]
    assert "SIGILL" in rows[1].value


def test_noise_on_standard_output_is_not_taken_for_an_answer():
    noisy = Package("noisy", "install it", "import os; os.write(1, b'hello\\n{}\\n')", ("numpy",))
    (row,) = examine([noisy])
    assert row.state is State.OK


# --- ranks -----------------------------------------------------------------------------------------------------------


@pytest.mark.mpi
def test_two_mpi_ranks_really_form_a_world():
    row = ranks.check_mpi_ranks()
    assert row.state is State.OK, row
    assert row.value.endswith("mpiexec starts a world of 2")


@pytest.mark.horovod
@pytest.mark.slow
def test_two_horovod_ranks_really_form_a_world():
    row = ranks.check_horovod_ranks(deep=True)
    assert row.state is State.OK, row
    assert row.value.endswith("horovodrun starts a world of 2")


def test_launcher_that_is_not_on_path(only_path):
    row = ranks.check_mpi_ranks()
    assert (row.state, row.value) == (State.MISSING, "no mpiexec on PATH: one rank only")
    if (Path(sys.executable).parent / "mpiexec").exists():
        assert f'export PATH="{Path(sys.executable).parent}:$PATH"' in row.advice
    else:
        assert "pip install mpich" in row.advice


def test_launcher_of_another_mpi_is_found_out(only_path):
    """The silent mismatch: two programs, each alone in a world of its own."""
    program(only_path, "mpiexec", "echo lehr-world=1; echo lehr-world=1")
    row = ranks.check_mpi_ranks()
    assert row.state is State.BROKEN
    assert "worlds of size 1, 1 in place of one of 2" in row.value
    assert "one MPI" in row.advice


def test_launcher_that_fails_is_quoted(only_path):
    program(only_path, "mpiexec", "echo starting; echo 'no slots available' >&2; exit 213")
    row = ranks.check_mpi_ranks()
    assert row.state is State.BROKEN
    assert row.value.endswith("exit code 213, no slots available")


def test_launcher_that_hangs_is_ended_with_its_children(only_path, monkeypatch, tmp_path):
    note = tmp_path / "child"
    program(only_path, "mpiexec", f"/bin/sleep 60 & echo $! > {note}; wait")
    monkeypatch.setattr(ranks, "MPI_SECONDS", 1.0)
    started = time.monotonic()
    row = ranks.check_mpi_ranks()
    assert time.monotonic() - started < 20
    assert row.state is State.BROKEN
    assert row.value.endswith("no answer in 1 s")
    assert eventually(lambda: not alive(int(note.read_text())))


def test_a_program_that_cannot_be_started_is_told(tmp_path):
    output, problem = execute([str(tmp_path / "nothing")], 5.0)
    assert output == ""
    assert "No such file" in problem


# --- machine and disk ------------------------------------------------------------------------------------------------


def test_cores_are_those_of_this_process():
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        rows = {row.name: row.value for row in machine.cpu()}
    finally:
        os.sched_setaffinity(0, before)
    assert rows["cores"] == f"1 allowed of {os.cpu_count()}"


def test_gpu_that_tensorflow_does_not_use(only_path):
    program(only_path, "nvidia-smi", "echo 'NVIDIA H100, 81559 MiB, 550.54'")
    driver, use = machine.gpus(Check("tensorflow", "2.18.1, GPUs: 0"))
    assert (driver.state, driver.value) == (State.OK, "NVIDIA H100, 81559 MiB, 550.54")
    assert use.state is State.NOTE
    assert "LOCK=gpu" in use.advice
    assert machine.gpus(Check("tensorflow", "2.18.1, GPUs: 1")) == [driver]


def test_gpu_driver_that_fails(only_path):
    program(only_path, "nvidia-smi", "echo 'driver/library version mismatch'; exit 18")
    (row,) = machine.gpus(Check("tensorflow", "2.18.1, GPUs: 0"))
    assert row.state is State.NOTE
    assert "version mismatch" in row.value


MOUNTS = r"""/dev/sda / ext4 rw 0 0
autofs /home autofs rw 0 0
server:/home /home nfs4 rw 0 0
scratch /scratch lustre rw 0 0
disk /scratch/my\040data xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/homework", "ext4"),
        ("/home/user/results", "nfs4"),
        ("/scratch/x", "lustre"),
        ("/scratch/my data/x", "xfs"),
    ],
)
def test_file_system_of_the_innermost_mount(folder, kind):
    assert machine.file_system(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize(
    ("kind", "advice"), [("nfs4", "--latency-wait"), ("lustre", "rows_per_part"), ("tmpfs", "memory"), ("ext4", "")]
)
def test_advice_on_a_file_system(kind, advice, monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "file_system", lambda *_: kind)
    row = machine.disk(tmp_path)[-1]
    assert row.value == kind
    assert row.state is (State.NOTE if advice else State.OK)
    assert advice in row.advice


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path):
    wanted = tmp_path / "results" / "new"
    place, free, _ = machine.disk(wanted)
    assert (place.value, place.state) == (str(wanted), State.OK)
    assert float(free.value.split()[0]) > 0
    assert not wanted.exists()


# --- report ----------------------------------------------------------------------------------------------------------


def test_missing_things_do_not_fail(light, only_path, capsys):
    assert verb.run(options()) == 0
    printed = capsys.readouterr().out
    assert "missing mpiexec" in printed
    assert printed.endswith("What is installed works.\n")


def test_broken_things_fail_and_are_named(light, only_path, capsys):
    program(only_path, "mpiexec", "exit 3")
    assert verb.run(options()) == 1
    assert capsys.readouterr().out.endswith("Broken: mpiexec.\n")


def test_json_says_the_same(light, only_path, capsys, tmp_path):
    assert verb.run(options(json=True, store=tmp_path / "results")) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["works"] is True
    rows = {row["name"]: row for section in report["sections"].values() for row in section}
    assert rows["folder"]["value"] == str(tmp_path / "results")
    assert rows["mpiexec"]["state"] == "missing"
    assert rows["mpiexec"]["advice"]


@pytest.mark.slow
def test_this_installation_works():
    """With everything that `make install` installs, nothing is broken and nothing is missing."""
    sections = doctor.collect()
    faults = [row for row in sections["Installation"] if row.state is not State.OK]
    assert not faults
    about = {row.name: row.value for row in sections["Installation"]}
    assert "built with gloo" in about["horovod"]
    assert about["keras"].endswith("backend tensorflow")
