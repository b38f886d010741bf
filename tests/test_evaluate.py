"""``lehr evaluate``: paths, the command line and MPI ranks, with a real network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import xarray
import yaml
from conftest import run
from stores import call
from trained import NAMES, untrained_run

from lehr.errors import LehrError
from lehr.evaluation import RunReference, evaluate, read_evaluation, references
from lehr.glass.config import GlassRun
from lehr.studies import load_run


@pytest.fixture(scope="module")
def real(tiny_config: GlassRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GlassRun of a network C with its first weights; tests must not change the run folder."""
    return untrained_run(tiny_config, tmp_path_factory.mktemp("real") / "results")


def test_a_path_is_a_config_or_a_run_folder(real: Path, tmp_path: Path) -> None:
    config = load_run(real)
    assert references(real, load_run) == [RunReference(config, "C")]
    assert references(config.run_path("C"), load_run) == references(real, load_run, ["C"])
    moved = tmp_path / "moved/models/C"
    shutil.copytree(config.run_path("C"), moved)
    (found,) = references(moved, load_run)
    assert (found.config.output, found.folder) == (str(tmp_path / "moved"), moved)
    renamed = tmp_path / "moved/models/D"
    moved.rename(renamed)
    with pytest.raises(LehrError, match="a run folder lies at OUTPUT/models/C"):
        references(renamed, load_run)


def test_the_command_line_evaluates_what_it_can(real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is no run, a training that is not finished and a subset without signals, among a good run."""
    config = load_run(real)
    unfinished = tmp_path / "models/U"
    unfinished.mkdir(parents=True)
    done = call(
        "evaluate",
        unfinished,
        tmp_path / "nothing.yaml",
        config.run_path("C"),
        real,
        "--on",
        "C",
        "--on",
        "G",
        "--on",
        "G",
    )
    assert done.returncode == 2
    assert f"{unfinished}: not the run folder of a finished training" in done.stderr
    assert f"{tmp_path / 'nothing.yaml'}: cannot read the file" in done.stderr
    assert "the config tiny has no subset 'G'\n  It has: C." in done.stderr
    table = done.stdout.splitlines()
    assert table[0] == "Median absolute errors"
    assert len(table) == 4  # the same run, named twice, is evaluated once
    assert table[3].startswith("| C ")


def test_no_model_of_that_name(real: Path) -> None:
    done = call("evaluate", real, "--model", "X")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{real}: no model 'X'\n  It has: C." in done.stderr


@pytest.mark.mpi
def test_ranks_share_the_samples_and_change_nothing(real: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(real.read_text())
    content["evaluation"] |= {"batch_size": 16}  # five batches
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(content))
    network = RunReference(load_run(path), "C")
    alone = evaluate(network)
    one = read_evaluation(network).data
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}  # as in the workflow
    done = run("mpiexec", "-n", "2", "lehr", "evaluate", path, "--ranks", "2", env=os.environ | threads)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Median absolute errors") == 1
    two = read_evaluation(network)
    # a network may add up in another order with another number of threads
    xarray.testing.assert_allclose(one, two.data, rtol=1e-5, atol=1e-6)
    assert one["row"].equals(two.data["row"])
    assert two.metrics["samples"] == alone["samples"]
    for name in NAMES:
        assert two.metrics["quantities"][name]["network"]["mae"] == pytest.approx(
            alone["quantities"][name]["network"]["mae"], rel=1e-6
        )


@pytest.mark.mpi
def test_an_error_on_ranks_is_said_once(real: Path, tmp_path: Path) -> None:
    content = {**yaml.safe_load(real.read_text()), "output": str(tmp_path / "elsewhere")}
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(content))
    done = run("mpiexec", "-n", "2", "lehr", "evaluate", path, "--ranks", "2", timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("run.json: cannot be read") == 1
    done = run("lehr", "evaluate", path, "--ranks", "2")
    assert done.returncode == 2
    assert "2 MPI ranks were asked for, but this program runs with 1" in done.stderr
