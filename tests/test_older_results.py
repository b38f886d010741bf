"""Results of lehr 0.1.0 at c53e3ba, the last build before run folders and stores said what they were made with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, run, write_config
from stores import call, untouched
from trained import NAMES, record

from lehr.errors import LehrError
from lehr.evaluation import RunReference, evaluate, predict, read_evaluation, read_run
from lehr.files import file_checksum
from lehr.generate.driver import generate
from lehr.glass.config import GlassRun
from lehr.report.collect import collect
from lehr.store import open_subset
from lehr.studies import load_run
from lehr.study import Columns

DATA = ROOT / "tests/data"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the store that the kept run folder fits to, made by the present version."""
    folder = tmp_path_factory.mktemp("older")
    content = yaml.safe_load((DATA / "format1_run/config.yaml").read_text())
    path = write_config(folder / "older.yaml", {**content, "output": str(folder / "results")})
    generate(load_run(path), "C")
    return folder


@pytest.fixture
def older(simulated: Path, tmp_path: Path) -> Path:
    """Return a config whose network is trained, by the older build."""
    content = yaml.safe_load((simulated / "older.yaml").read_text())
    path = write_config(tmp_path / "older.yaml", {**content, "output": str(tmp_path / "results")})
    (tmp_path / "results").mkdir()
    (tmp_path / "results/signals.zarr").symlink_to(simulated / "results/signals.zarr")
    shutil.copytree(DATA / "format1_run", tmp_path / "results/models/C")
    return path


def edit(folder: Path, old: str, new: str) -> None:
    """Change run.json."""
    path = folder / "run.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


# --- run folders ------------------------------------------------------------------------------------------------------


def test_a_run_folder_without_format_is_read_by_its_values(older: Path) -> None:
    network = RunReference(load_run(older), "C")
    read = read_run(network)
    assert (read.content["study"], read.content["numerics"], read.ranks) == ("glass", 1, 1)
    assert read.store_digest == "b2785b657d9e1569" != open_subset(network.config, "C").digest
    config = network.folder / "config.yaml"
    config.write_text(config.read_text().replace("tolerance: 0.0001", "tolerance: 0.001"))
    with pytest.raises(LehrError, match=r"signals\.tolerance: 0\.001 -> 0\.0001"):
        read_run(network)
    config.unlink()
    with pytest.raises(LehrError, match=r"run\.json: damaged, or of another version"):
        read_run(network)


def test_a_run_folder_without_format_is_evaluated(older: Path) -> None:
    done = call("evaluate", older)
    assert done.returncode == 0, done.stderr
    network = RunReference(load_run(older), "C")
    metrics = read_evaluation(network).metrics
    assert (metrics["format"], metrics["samples"]["all"]) == (3, 69)
    folder = network.config.evaluation_path("C", "C")
    metrics["signals_digest"] = metrics.pop("store_digest")
    (folder / "metrics.json").write_text(json.dumps({**metrics, "format": 2}))
    assert read_evaluation(network).metrics["format"] == 2


def test_a_network_of_code_that_is_not_known_needs_its_own_store(older: Path) -> None:
    network = RunReference(load_run(older), "C")
    edit(network.folder, "d0d7c3725bee2058", "0123456789abcdef")
    with pytest.raises(LehrError, match=r"not made by the code .* trained on b2785b657d9e1569, code 0123456789abcdef"):
        evaluate(network)
    edit(network.folder, "b2785b657d9e1569", open_subset(network.config, "C").digest)
    assert evaluate(network)["samples"]["all"] == 69


def test_a_finished_training_without_format_is_finished(older: Path) -> None:
    folder = load_run(older).run_path("C")
    kept = {name: content for name, content in untouched(folder).items() if "/models/C/." not in name}
    done = run("lehr", "train", older, "--model", "C")
    assert done.returncode == 0, done.stderr
    assert "C: nothing left to train, epoch 2 (best: epoch 2, val_mae 0.2717)" in done.stderr
    assert kept.items() <= untouched(folder).items()


def test_a_checkpoint_without_values_is_not_gone_on_from(older: Path) -> None:
    """It has a digest of what made its samples, of code that went with the older build."""
    folder = load_run(older).run_path("C")
    run_json = json.loads((folder / "run.json").read_text())
    names = ("subset", "signals_digest", "split", "network", "training", "loss_weights", "backend")
    identity = {name: run_json[name] for name in names}
    checkpoint = folder / "checkpoints/02dcf2188a604e37/epoch-0001"
    checkpoint.mkdir(parents=True)
    (checkpoint / "state.json").write_text(json.dumps({"epoch": 1, "identity": identity}))
    for name in ("run.json", "model.keras", "history.csv"):
        (folder / name).unlink()
    done = run("lehr", "train", older, "--model", "C")
    assert done.returncode == 0, done.stderr
    assert (
        f"C: starting anew, the checkpoints in {checkpoint.parent} are of another training: damaged, or of another"
        in (done.stderr)
    )
    assert checkpoint.exists()
    again = json.loads((folder / "run.json").read_text())
    assert (again["format"], again["epochs_done"], again["ranks"]) == (2, 2, 1)
    assert {"world_size", "identity", "signals_digest"}.isdisjoint(again)


# --- stores -----------------------------------------------------------------------------------------------------------


def test_a_store_of_format_2_and_its_like_of_today_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of both are tested on both and stand in one report; an evaluation is of the store it is of."""
    runs = {name: run_of_format_2(tmp_path / name, name) for name in ("old", "new")}
    shutil.copytree(DATA / "format2/signals.zarr", runs["old"].store_path)
    generate(runs["new"], "all")
    stores = {name: open_subset(config, "all") for name, config in runs.items()}
    assert [store.about["format"] for store in stores.values()] == [2, 3]
    monkeypatch.setattr(predict, "predictor", lambda *_: answer)
    for name, config in runs.items():
        folder = config.run_path(name)
        folder.mkdir(parents=True)
        (folder / "model.keras").write_bytes(name.encode())
        record(config, name)
        evaluate(RunReference(config, name))
    paths = [tmp_path / "old.yaml", tmp_path / "new.yaml"]
    for path, config in zip(paths, runs.values(), strict=True):
        path.write_text(config.model_dump_json())
    results = collect(paths, load_run)
    assert [list(model.tests) for model in results.models] == [["all"], ["all"]]
    assert results.problems.texts == []

    shutil.rmtree(runs["old"].store_path)
    shutil.copytree(runs["new"].store_path, runs["old"].store_path)
    network = RunReference(runs["old"], "old")
    with pytest.raises(LehrError, match="an evaluation of other samples"):
        read_evaluation(network)
    before = json.loads((network.config.evaluation_path("old", "all") / "metrics.json").read_text())
    after = evaluate(network)
    assert (before["store_digest"], after["store_digest"]) == tuple(store.digest for store in stores.values())
    assert after["quantities"] == before["quantities"]
    assert file_checksum(network.folder / "model.keras") == after["network_checksum"]


def run_of_format_2(folder: Path, model: str) -> GlassRun:
    """Return the run of the kept store, with results of its own."""
    content = yaml.safe_load((DATA / "format2/config.yaml").read_text())
    models = [{"name": model, "subset": "all"}]
    return GlassRun.model_validate({**content, "name": model, "output": str(folder), "models": models})


def answer(columns: Columns) -> Columns:
    """Answer the same to every sample."""
    return dict(zip(NAMES, np.tile([[-100.0], [4e5], [0.5], [0.6]], len(columns["cpn"])), strict=True))
