"""Trainings that are killed and go on: the weights they end with, and what is refused on the way."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import ROOT, TINY, run, write_config
from processes import ended, ranks_of
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lehr.errors import LehrError
from lehr.glass.config import GlassRun
from lehr.store import ShuffledReader, open_subset
from lehr.studies import load_network, load_run
from lehr.training import train
from lehr.training.history import last_epoch

SMALL: dict[str, Any] = {
    **TINY,
    "network": {"attention_points": 32, "filters": [4], "pool_sizes": [8], "branch_width": 8, "dropout": 0.2},
    "training": {**TINY["training"], "epochs": 8},
    "ranks": {"train": 1},
}
"""Compiled in a few seconds; dropout shows whether the random numbers go on as they would have."""

EPOCHS = SMALL["training"]["epochs"]


def config_beside(tiny: GlassRun, folder: Path, **changes: Any) -> Path:
    """Write a config that uses the small store and has results of its own."""
    path = write_config(folder / "c.yaml", {**SMALL, **changes})
    (folder / "results").mkdir()
    (folder / "results/signals.zarr").symlink_to(tiny.store_path)
    return path


def changed(config: GlassRun, section: str, **changes: Any) -> GlassRun:
    """Return a config with other values in one section."""
    content = config.model_dump()
    return GlassRun.model_validate({**content, section: {**content[section], **changes}})


def checkpoints(config: GlassRun) -> list[Path]:
    """Return all checkpoints of the run folder, by epoch."""
    return sorted(config.run_path("C").glob("checkpoints/*/epoch-*"), key=lambda path: path.name)


def everything(checkpoint: Path) -> dict[str, np.ndarray]:
    """Weights, optimizer state and best weights of a checkpoint."""
    found: dict[str, np.ndarray] = {}
    with h5py.File(checkpoint / "training.weights.h5") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    assert any(name.startswith("optimizer") for name in found)
    with np.load(checkpoint / "best.npz") as best:
        found.update({f"best {name}": best[name] for name in best.files})
    return found


def edit(path: Path, key: str, value: Any) -> None:
    """Change a value in a JSON file; None removes it."""
    content = json.loads(path.read_text())
    *sections, last = key.split(".")
    section = content
    for name in sections:
        section = section[name]
    section.pop(last) if value is None else section.update({last: value})
    path.write_text(json.dumps(content))


def history(config: GlassRun) -> list[dict[str, float]]:
    """Rows of history.csv."""
    with (config.run_path("C") / "history.csv").open() as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def same_history(one: GlassRun, other: GlassRun, tolerance: float = 0.0) -> bool:
    """Tell whether two histories agree, but for what a clock has measured."""
    rows = [
        [[value for name, value in row.items() if name not in ("seconds", "samples_per_second")] for row in rows]
        for rows in (history(one), history(other))
    ]
    return np.shape(rows[0]) == np.shape(rows[1]) and np.allclose(*rows, rtol=tolerance, atol=0)


def killed_after(config: Path, command: list[str], epoch: int, *, all_of_it: bool) -> None:
    """Start a training; when the checkpoint of an epoch appears, in the middle of the next, kill one rank or all."""
    folder = config.parent / "results/models/C/checkpoints"
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(folder.glob(f"*/epoch-{epoch:04d}")):
        assert job.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    ranks = ranks_of(config)
    for process in {job.pid, *ranks} if all_of_it else ranks[-1:]:
        os.kill(process, signal.SIGKILL)
    assert job.wait(timeout=60) != 0
    for process in ranks:  # the ranks beside a killed one stop by themselves
        while not ended(process):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert not (config.parent / "results/models/C/run.json").exists()


@pytest.fixture(scope="module")
def undisturbed(tiny_config: GlassRun, tmp_path_factory: pytest.TempPathFactory) -> GlassRun:
    """Train on one rank without interruption; tests must not change it."""
    config = load_run(config_beside(tiny_config, tmp_path_factory.mktemp("undisturbed")))
    train(config, "C")
    return config


@pytest.fixture
def copy(undisturbed: GlassRun, tmp_path: Path) -> GlassRun:
    """Return the undisturbed training with results of its own."""
    shutil.copytree(undisturbed.output, tmp_path / "results", symlinks=True)
    return undisturbed.model_copy(update={"output": str(tmp_path / "results")})


class TestOneRank:
    @pytest.mark.slow
    def test_killed_it_ends_with_the_same_bits(
        self, tiny_config: GlassRun, undisturbed: GlassRun, tmp_path: Path
    ) -> None:
        path = config_beside(tiny_config, tmp_path)
        command = ["lehr", "train", str(path), "--model", "C"]
        killed_after(path, command, 1, all_of_it=True)
        config = load_run(path)
        assert len(checkpoints(config)) == 1
        done = run(*command)
        assert done.returncode == 0, done.stderr
        assert "C: going on after epoch 1 (best: epoch 1, val_mae 0." in done.stderr
        one, other = everything(checkpoints(undisturbed)[-1]), everything(checkpoints(config)[-1])
        assert one.keys() == other.keys()
        assert [name for name in one if not np.array_equal(one[name], other[name])] == []
        assert same_history(undisturbed, config)
        starts = json.loads((config.run_path("C") / "run.json").read_text())["starts"]
        assert [(start["epochs_before"], start["epochs_done"]) for start in starts] == [(0, 1), (1, EPOCHS - 1)]

    def test_the_newest_checkpoints_and_nothing_half_is_kept(self, undisturbed: GlassRun) -> None:
        assert [path.name for path in checkpoints(undisturbed)] == [f"epoch-{EPOCHS - 1:04d}", f"epoch-{EPOCHS:04d}"]
        assert [path.name for path in undisturbed.run_path("C").rglob(".*")] == [".lock"]

    def test_run_folder(self, undisturbed: GlassRun) -> None:
        folder = undisturbed.run_path("C")
        assert load_run(folder / "config.yaml") == undisturbed
        card = (folder / "README.md").read_text()
        best = min(history(undisturbed), key=lambda row: row["val_mae"])
        assert f"| delta_h | {best['val_mae_delta_h'] / 1e3:.4g} kJ/mol | 650 to 750 kJ/mol |" in card
        record = json.loads((folder / "run.json").read_text())
        assert record["store_digest"] == open_subset(undisturbed, "C").digest
        assert record["store_digest"] in card
        assert record["wall_seconds"] == record["starts"][0]["seconds"]
        events = EventAccumulator(str(folder / "tensorboard" / record["checkpoints"])).Reload()
        assert {"loss", "mae", "val_loss", "val_mae_x", "learning_rate", "samples_per_second"} <= {
            *events.Tags()["tensors"]
        }
        assert [event.step for event in events.Tensors("val_mae")] == list(range(1, EPOCHS + 1))

    def test_a_finished_training_writes_a_lost_run_folder(
        self, copy: GlassRun, undisturbed: GlassRun, capfd: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("model.keras", "history.csv", "run.json"):  # what Snakemake removes before it runs a rule
            (copy.run_path("C") / name).unlink()
        train(copy, "C")
        assert f"C: nothing left to train, epoch {EPOCHS} " in capfd.readouterr().err
        signals = open_subset(copy, "C").read(0, 3)
        one, other = (load_network(config.run_path("C")).predict(signals) for config in (copy, undisturbed))
        assert one.keys() == {"ln_A", "delta_h", "x", "beta"}
        assert all(np.array_equal(one[name], other[name]) for name in one)
        assert same_history(copy, undisturbed)
        before = (copy.run_path("C") / "model.keras").stat().st_mtime_ns
        train(copy, "C")
        assert (copy.run_path("C") / "model.keras").stat().st_mtime_ns == before

    def test_fewer_epochs_are_refused(self, copy: GlassRun) -> None:
        with pytest.raises(
            LehrError, match=rf"has done {EPOCHS} epochs, the config ends the training after 3\n.*--restart"
        ):
            train(changed(copy, "training", epochs=3), "C")

    def test_restart_begins_anew(self, copy: GlassRun, capfd: pytest.CaptureFixture[str]) -> None:
        train(changed(copy, "training", epochs=1), "C", restart=True)
        assert "epoch 1/1 " in capfd.readouterr().err
        assert [path.name for path in checkpoints(copy)] == ["epoch-0001"]
        assert len(list(copy.run_path("C").glob("tensorboard/*/events*"))) == 1
        written = (copy.run_path("C") / "history.csv").stat().st_mtime_ns
        train(changed(copy, "training", epochs=1), "C", restart=True)
        assert (copy.run_path("C") / "history.csv").stat().st_mtime_ns > written  # as many epochs, but not the same

    def test_without_checkpoints_what_is_finished_stays(
        self, copy: GlassRun, capfd: pytest.CaptureFixture[str]
    ) -> None:
        shutil.rmtree(copy.run_path("C") / "checkpoints")
        written = (copy.run_path("C") / "run.json").read_bytes()
        train(copy, "C")
        assert f"C: nothing left to train, epoch {EPOCHS} (best: epoch " in capfd.readouterr().err
        assert (copy.run_path("C") / "run.json").read_bytes() == written
        train(changed(copy, "training", epochs=1), "C", restart=True)
        assert "epoch 1/1 " in capfd.readouterr().err

    def test_changed_config_starts_anew_and_going_back_goes_on(
        self, copy: GlassRun, capfd: pytest.CaptureFixture[str]
    ) -> None:
        train(changed(copy, "training", optimizer_options={"learning_rate": 0.001}, epochs=1), "C")
        lines = capfd.readouterr().err
        told = [line for line in lines.splitlines() if "starting anew" in line]
        assert len(told) == 1
        assert told[0].endswith("of another training: training.optimizer_options.learning_rate: 0.003 -> 0.001")
        assert "epoch 1/1 " in lines
        train(copy, "C")
        assert f"nothing left to train, epoch {EPOCHS}" in capfd.readouterr().err
        assert len(history(copy)) == EPOCHS

    def test_a_key_of_a_later_version_at_its_default_goes_on(
        self, copy: GlassRun, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """As if `network.attention_fit` and `training.streams` had come after the checkpoints."""
        for checkpoint in checkpoints(copy):
            edit(checkpoint / "state.json", "identity.network.attention_fit", None)
            edit(checkpoint / "state.json", "identity.training.streams", None)
        folder = checkpoints(copy)[0].parent
        folder.rename(folder.with_name("0123456789abcdef"))  # and its digest had been another
        train(changed(copy, "training", epochs=EPOCHS + 1), "C")
        assert f"going on after epoch {EPOCHS} " in capfd.readouterr().err
        assert {path.parent.name for path in checkpoints(copy)} == {"0123456789abcdef"}
        train(changed(changed(copy, "training", epochs=1), "network", attention_fit="piecewise"), "C")
        assert "network.attention_fit: cubic -> piecewise" in capfd.readouterr().err


class TestDamage:
    def test_truncated_checkpoint_is_passed_over(
        self, copy: GlassRun, undisturbed: GlassRun, capfd: pytest.CaptureFixture[str]
    ) -> None:
        weights = checkpoints(copy)[-1] / "training.weights.h5"
        weights.write_bytes(weights.read_bytes()[:5000])
        train(copy, "C")
        lines = capfd.readouterr().err
        assert f"passed over the checkpoint {weights.parent}: training.weights.h5 is damaged" in lines
        assert f"going on after epoch {EPOCHS - 1} " in lines
        one, other = (everything(checkpoints(config)[-1]) for config in (copy, undisturbed))
        assert all(np.array_equal(one[name], other[name]) for name in one)

    def test_none_left(self, copy: GlassRun) -> None:
        older, newer = checkpoints(copy)
        (older / "state.json").write_text('{"epoch": 7')
        (newer / "best.npz").unlink()
        with pytest.raises(LehrError, match="no checkpoint can be used") as caught:
            train(copy, "C")
        message = str(caught.value)
        assert f"{newer}: cannot be read (No such file or directory)" in message
        assert f"{older}: {older / 'state.json'}: damaged: not JSON" in message
        assert "--restart" in message

    @pytest.mark.parametrize(
        ("key", "value", "words"),
        [
            ("variables", {"dense/kernel": [3, 4]}, "another training or network: variables.*dense/kernel"),
            ("identity.scaling", {"lower": [0] * 4, "upper": [1] * 4}, r"scaling.lower: \[0, 0, 0, 0\] -> "),
            ("backend", "jax", "backend: jax -> tensorflow"),
            ("iterations", 1, "the optimizer state was not read"),
        ],
    )
    def test_of_another_network(self, copy: GlassRun, key: str, value: Any, words: str) -> None:
        for checkpoint in checkpoints(copy):
            edit(checkpoint / "state.json", key, value)
        with pytest.raises(LehrError, match=words):
            train(copy, "C")

    def test_diverging_after_more_epochs(
        self, copy: GlassRun, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        whole = ShuffledReader.epoch

        def spoilt(self: ShuffledReader, number: int) -> Iterator[Any]:
            for batch, columns in enumerate(whole(self, number)):
                yield columns | {"x": columns["x"] * (np.nan if (number, batch) == (EPOCHS + 1, 2) else 1)}

        monkeypatch.setattr(ShuffledReader, "epoch", spoilt)
        with pytest.raises(LehrError, match=f"the loss became nan in epoch {EPOCHS + 2}, batch 3; ") as caught:
            train(changed(copy, "training", epochs=EPOCHS + 3), "C")
        lines = capfd.readouterr().err
        assert f"going on after epoch {EPOCHS} " in lines
        assert f"epoch {EPOCHS + 1:2}/{EPOCHS + 3} " in lines
        assert f"the last good checkpoint is {checkpoints(copy)[-1]} " in str(caught.value)
        assert checkpoints(copy)[-1].name == f"epoch-{EPOCHS + 1:04d}"
        assert f"with `epochs: {EPOCHS + 1}` it writes the best network so far" in str(caught.value)

        train(changed(copy, "training", epochs=EPOCHS + 1), "C")  # as the message says
        assert "nothing left to train" in capfd.readouterr().err
        assert [row["epoch"] for row in history(copy)] == list(range(1, EPOCHS + 2))


class TestEnd:
    @pytest.mark.parametrize(
        ("errors", "patience", "end"),
        [([3, 2, 2, 2], 2, 4), ([3, 2, 2, 1], 2, None), ([3, 3], 1, 2), ([1, 2, 3, 4], None, None), ([1] * 5, None, 5)],
    )
    def test_follows_from_the_history(self, errors: list[float], patience: int | None, end: int | None) -> None:
        stopping = {"patience": patience} if patience else None
        training = GlassRun.model_validate({"training": {"epochs": 5, "early_stopping": stopping}}).training
        assert last_epoch([{"val_mae": error} for error in errors], training, "val_mae") == end

    def test_early_stopping_does_not_see_an_interruption(self, tiny_config: GlassRun, tmp_path: Path) -> None:
        # steps too small to change a weight: no epoch is better than the first
        still = {**SMALL["training"], "optimizer_options": {"learning_rate": 1e-12}, "early_stopping": {"patience": 2}}
        config = load_run(config_beside(tiny_config, tmp_path, training=still))
        train(config, "C")
        assert [row["epoch"] for row in history(config)] == [1, 2, 3]
        shutil.rmtree(checkpoints(config)[-1])  # as after an interruption in the third epoch
        train(config, "C")
        assert [row["epoch"] for row in history(config)] == [1, 2, 3]
        assert json.loads((config.run_path("C") / "run.json").read_text())["best_epoch"] == 1


def test_mixed_precision_trains_and_predicts_in_single(undisturbed: GlassRun, tmp_path: Path) -> None:
    (tmp_path / "signals.zarr").symlink_to(undisturbed.store_path)
    config = changed(undisturbed, "training", precision="mixed_bfloat16", epochs=2)
    config = config.model_copy(update={"output": str(tmp_path)})
    train(config, "C")
    rows, single = history(config), history(undisturbed)
    assert rows[-1]["val_mae"] < rows[0]["val_mae"]
    assert rows[0]["val_mae"] != single[0]["val_mae"]
    assert rows[0]["val_mae"] == pytest.approx(single[0]["val_mae"], rel=0.1)  # the same initial weights
    network = load_network(config.run_path("C"))
    assert {layer.dtype_policy.name for layer in network.keras.layers} == {"float32"}
    assert network.keras.output.dtype == "float32"


@pytest.mark.horovod
@pytest.mark.slow
def test_two_ranks_killed_under_snakemake_and_beside_it(tiny_config: GlassRun, tmp_path: Path) -> None:
    """One rank, then all: the end is that of a training without interruption."""
    two = {"ranks": {"train": 2}}
    alone, path = (config_beside(tiny_config, tmp_path / name, **two) for name in ("alone", "killed"))
    direct = ["horovodrun", "-np", "2", "--gloo", "lehr", "train", str(path), "--model", "C"]
    done = run(*[str(alone) if word == str(path) else word for word in direct])
    assert done.returncode == 0, done.stderr

    config = load_run(path)
    snakemake = [
        "snakemake", str(config.run_path("C") / "model.keras"), "--snakefile", str(ROOT / "Snakefile"),
        "--directory", str(path.parent), "--cores", "2", "--configfile", str(path),
    ]  # fmt: skip
    killed_after(path, snakemake, 1, all_of_it=False)
    first = len(checkpoints(config))
    killed_after(path, direct, int(checkpoints(config)[-1].name[6:]) + 1, all_of_it=True)
    assert len(checkpoints(config)) >= first
    done = run(*snakemake)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "going on after epoch" in (path.parent / "results/logs/train-C.log").read_text()

    # Two numbers add up to the same in either order; what is left are threads that sum a convolution in another.
    one, other = everything(checkpoints(load_run(alone))[-1]), everything(checkpoints(config)[-1])
    for name in one:
        assert other[name] == pytest.approx(one[name], rel=1e-4, abs=1e-6), name
    assert same_history(load_run(alone), config, tolerance=1e-4)
    starts = json.loads((config.run_path("C") / "run.json").read_text())["starts"]
    assert len(starts) == 3
    assert sum(start["epochs_done"] for start in starts) == EPOCHS
