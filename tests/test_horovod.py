"""Real Horovod ranks: identical weights, the loss path of one rank, and what happens when something goes wrong."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from conftest import ROOT, TINY, run, write_config

from lehr.errors import LehrError
from lehr.glass.config import GlassRun
from lehr.studies import load_run
from lehr.training import train
from lehr.training.horovod import HorovodRanks, start

pytestmark = pytest.mark.horovod

PROGRAMS = ROOT / "tests/programs"
RANKS = ("horovodrun", "-np", "2", "--gloo")


def config_beside(tiny: GlassRun, folder: Path) -> Path:
    """Write a config that uses the small store and has results of its own."""
    path = write_config(folder / "c.yaml", TINY)
    results = folder / "results"
    results.mkdir()
    (results / "signals.zarr").symlink_to(tiny.store_path)
    return path


def history(config: GlassRun) -> dict[str, list[float]]:
    """Columns of history.csv."""
    with (config.run_path("C") / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


@pytest.fixture(scope="module")
def ranks(tiny_config: GlassRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run two ranks once; what they wrote, in a folder."""
    folder = tmp_path_factory.mktemp("ranks")
    path = config_beside(tiny_config, folder)
    done = run(*RANKS, "python", PROGRAMS / "train_ranks.py", path, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class TestTwoRanks:
    def test_adapter_keeps_ranks_together_that_see_different_data(self, ranks: Path) -> None:
        one, other = (np.load(ranks / f"averaged-True-{rank}.npy") for rank in (0, 1))
        assert np.array_equal(one, other)

    def test_without_it_they_drift_apart(self, ranks: Path) -> None:
        """The silent failure of Horovod's own Keras optimizer: it shows that the test above can fail."""
        one, other = (np.load(ranks / f"averaged-False-{rank}.npy") for rank in (0, 1))
        assert np.abs(one - other).max() > 1e-3

    def test_training_ends_with_identical_weights(self, ranks: Path) -> None:
        for epoch in range(TINY["training"]["epochs"]):
            one, other = (np.load(ranks / f"epoch-{epoch}-{rank}.npy") for rank in (0, 1))
            assert np.array_equal(one, other)

    def test_dropout_stays_different(self, ranks: Path) -> None:
        one, other = (np.load(ranks / f"dropout-True-{rank}.npy") for rank in (0, 1))
        assert not np.array_equal(one, other)

    def test_loss_path_is_that_of_one_rank_with_the_full_batch(
        self, ranks: Path, tiny_config: GlassRun, tmp_path: Path
    ) -> None:
        alone = load_run(config_beside(tiny_config, tmp_path))
        assert alone.network.dropout == 0
        train(alone, "C", ranks=1)
        one, two = history(alone), history(load_run(ranks / "c.yaml"))
        for name in ("loss", "mae", "val_loss", "val_mae"):
            assert len(one[name]) == alone.training.epochs
            # the sums of a gradient are in another order: 1e-7 a step, for some thirty steps
            assert two[name] == pytest.approx(one[name], abs=1e-5)


def test_one_failing_rank_ends_all(tiny_config: GlassRun, tmp_path: Path) -> None:
    path = config_beside(tiny_config, tmp_path)
    done = run(*RANKS, "python", PROGRAMS / "train_failing.py", path, timeout=120)
    assert done.returncode != 0
    assert "stopped: a chunk cannot be read" in done.stdout + done.stderr
    assert [file.name for file in load_run(path).run_path("C").rglob("*")] == [".lock"]


def test_start_without_launcher_is_refused(tiny_config: GlassRun, tmp_path: Path) -> None:
    path = config_beside(tiny_config, tmp_path)
    done = run("lehr", "train", path, "--model", "C")
    assert done.returncode == 2
    assert "2 training ranks were asked for" in done.stderr
    assert "1 started" in done.stderr
    assert "horovodrun -np 2 --gloo lehr train" in done.stderr
    assert "Traceback" not in done.stderr
    assert not load_run(path).run_path("C").exists()


def test_adapter_keeps_the_settings_of_the_optimizer() -> None:
    """A stand-in for Horovod that doubles gradients shows that they go through it, and only once."""
    horovod: Any = SimpleNamespace(
        rank=lambda: 0,
        size=lambda: 2,
        local_rank=lambda: 0,
        local_size=lambda: 2,
        Average="average",
        grouped_allreduce=lambda gradients, op, name: [
            2 * gradient for gradient in gradients if op == "average" and name
        ],
    )
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.1)
    optimizer = HorovodRanks(horovod).optimizer(keras.optimizers.SGD(schedule, momentum=0.5))
    variable = keras.Variable([0.0])
    for expected in (-1.0, -1.0 - 0.5 - 0.1):  # rate 0.5, then 0.05 and half the first step again
        optimizer.apply([keras.ops.ones(1)], [variable])
        assert np.asarray(variable) == pytest.approx([expected], abs=1e-6)
    assert type(optimizer).__name__ == "SGD"


@pytest.mark.parametrize(("variable", "started"), [("HOROVOD_SIZE", 3), ("OMPI_COMM_WORLD_SIZE", 2), ("PMI_SIZE", 4)])
def test_wrong_number_of_ranks_is_refused_at_once(variable: str, started: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOROVOD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(os.environ, variable, str(started))
    with pytest.raises(LehrError, match=f"1 training ranks were asked for .*, but {started} started"):
        start(1)
