"""Evaluations of networks whose answers are known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import zarr
from trained import NAMES, fake_run

from lehr import simulate
from lehr.errors import LehrError
from lehr.evaluation import RunReference, dataset, evaluate, read_evaluation, transfer
from lehr.evaluation.evaluate import failed_samples
from lehr.generate.driver import generate
from lehr.glass.config import GlassRun
from lehr.glass.config.run import GlassModel
from lehr.glass.measures import half_width
from lehr.glass.networks.scaling import TargetScaling
from lehr.split import SPLITS, Split
from lehr.store import Store, open_subset
from lehr.store.layout import about

ANSWER = np.array([-210.0, 705e3, 0.5, 0.6])  # what the network of these tests says about every sample


@pytest.fixture
def config(tiny_config: GlassRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GlassRun:
    return fake_run(tiny_config, tmp_path, ANSWER, monkeypatch)


@pytest.fixture
def network(config: GlassRun) -> RunReference:
    return RunReference(config, "C")


@pytest.fixture
def held_out(config: GlassRun) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, parameters and CpN,max of the test split."""
    store = open_subset(config, "C")
    rows = np.flatnonzero(store.split(config.split.build()) == SPLITS.index("test"))
    return rows, store.parameters[rows], store.column("cpn_max")[rows]


def with_limit(network: RunReference, limit: float) -> RunReference:
    evaluation = network.config.evaluation.model_copy(update={"cpn_max": limit})
    return RunReference(network.config.model_copy(update={"evaluation": evaluation}), network.model)


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_network_and_trivial_predictor_are_measured(
    network: RunReference, held_out: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    metrics, (_, true, cpn_max) = evaluate(network), held_out
    kept = cpn_max <= 6.0
    for column, name in enumerate(NAMES):
        numbers = metrics["quantities"][name]
        mean = metrics["trivial_prediction"][name]
        assert numbers["network"]["mae"] == pytest.approx(np.abs(true[kept, column] - ANSWER[column]).mean())
        assert numbers["network"]["bias"] == pytest.approx((ANSWER[column] - true[kept, column]).mean())
        assert numbers["trivial"]["mae"] == pytest.approx(np.abs(true[kept, column] - mean).mean())
        assert numbers["times_better"] == pytest.approx(numbers["trivial"]["mae"] / numbers["network"]["mae"])
    relative = np.abs(ANSWER[1] / true[kept, 1] - 1)
    assert metrics["relative_delta_h"]["network"]["mae"] == pytest.approx(relative.mean())
    # the grid has x = 0.4 and 0.8, the network says 0.5: no error is below 0.05
    shares = {(row["quantity"], row["threshold"]): row for row in metrics["fractions"]}
    assert shares["x", 0.05]["network"] == 0.0
    near = np.abs(true[kept, 1] - ANSWER[1]) < 10e3
    assert shares["delta_h", 10e3]["network"] == pytest.approx(near.mean())
    low, high = shares["delta_h", 10e3]["interval"]
    assert 0 < low < near.mean() < high < 1
    assert shares["delta_h", 10e3]["paper"]["text"] == "about 20 %"
    assert shares["glass_transition", 5.0]["paper"] is None
    assert metrics == json.loads((network.config.evaluation_path("C", "C") / "metrics.json").read_text())


def test_the_data_set_says_what_it_holds(
    network: RunReference, held_out: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    evaluate(network)
    data, (rows, true, cpn_max) = read_evaluation(network).data, held_out
    assert dict(data.sizes) == {"sample": rows.size, "parameter": 4, "quantity": 5, "pair": 4, "limit": 2}
    assert data["row"].to_numpy().tolist() == rows.tolist()
    assert data["pair"].to_numpy().tolist() == ["delta_h,ln_A", "delta_h,x", "delta_h,beta", "x,beta"]
    assert all("long_name" in variable.attrs for variable in data.data_vars.values())
    assert (data.attrs["model"], data.attrs["trained_on"], data.attrs["subset"]) == ("C", "C", "C")
    assert data.attrs["samples_all"] == rows.size
    np.testing.assert_array_equal(data["true"], true)
    np.testing.assert_array_equal(data["predicted"], np.broadcast_to(ANSWER, true.shape))
    np.testing.assert_allclose(data["error"].sel(quantity="x"), 0.5 - true[:, 2])
    squares = ((ANSWER - true) / TargetScaling().width) ** 2
    np.testing.assert_allclose(data["sse_parameters"], squares.sum(axis=1))
    np.testing.assert_allclose(data["sse_pair"].sel(pair="delta_h,ln_A"), squares[:, :2].sum(axis=1))
    np.testing.assert_allclose(data["sse_pair"].sel(pair="x,beta"), squares[:, 2:].sum(axis=1))
    np.testing.assert_array_equal(data["cpn_max"], cpn_max)
    assert not data["clamped"].any()
    assert data["edge_distance"].max() == 0.0  # x and beta have two values each, both on the edge
    assert data["state"].attrs["flag_meanings"] == "evaluated left_out_cpn_max not_finite"
    np.testing.assert_allclose(data["trained_range"].sel(quantity="delta_h"), [650e3, 750e3])


def test_signals_are_those_of_the_prediction(network: RunReference, held_out: tuple[np.ndarray, ...]) -> None:
    evaluate(network)
    data, store = read_evaluation(network).data, open_subset(network.config, "C")
    temperature = store.column("temperature")
    again = simulate(*ANSWER, temperature=temperature).cpn
    for sample in (0, 30, 60):
        row = int(data["row"][sample])
        cpn = store.read(row, row + 1)
        wanted = ((cpn[0] - again) ** 2).mean(axis=1).sum()
        assert float(data["sse_signals"][sample]) == pytest.approx(wanted, rel=1e-4)
        np.testing.assert_allclose(data["delta_t_hw"][sample], half_width(cpn, temperature)[0])
    ratio = data["cpn_max"] / data["delta_t_hw"]
    np.testing.assert_allclose(data["cpn_max_over_delta_t_hw"], ratio)


def test_an_exact_network_has_the_signals_of_the_store(
    tiny_config: GlassRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_out: tuple[np.ndarray, ...]
) -> None:
    config = fake_run(tiny_config, tmp_path / "exact", held_out[1], monkeypatch)
    metrics = evaluate(RunReference(config, "C"))
    assert metrics["quantities"]["ln_A"]["network"]["mae"] == 0.0
    # what remains is the rounding of the store to multiples of 2^-13
    assert 0 < metrics["sse"]["sse_signals"]["mae"] < 6 * 2.0**-28


def test_tables_have_the_numbers(network: RunReference) -> None:
    metrics, folder = evaluate(network), network.config.evaluation_path("C", "C")
    lines = (folder / "table.csv").read_text().splitlines()
    assert lines[0] == "quantity,statistic,unit,network,low,high,trivial,paper"
    assert f"ln_A,mae,1,{metrics['quantities']['ln_A']['network']['mae']:.6g}" in "\n".join(lines)
    (share,) = [line for line in lines if line.startswith("delta_h,share below 10000")]
    assert share.endswith("about 20 %")
    text = (folder / "table.md").read_text()
    assert text.startswith("# Network C, trained on C, test split of C\n\n")
    assert "| Δh* (kJ/mol) " in text
    assert "| Δh* < 10 kJ/mol " in text


def test_the_worst_samples_are_named_by_their_rows(network: RunReference) -> None:
    metrics, data = evaluate(network), read_evaluation(network).evaluated
    assert len(metrics["worst"]["sse_signals"]) == 5
    worst = metrics["worst"]["delta_h"][0]
    error = data["error"].sel(quantity="delta_h").to_numpy()
    assert abs(worst["value"]) == pytest.approx(np.abs(error).max()) == pytest.approx(55e3)
    assert error[data["row"].to_numpy() == worst["row"]].tolist() == [worst["value"]]


def test_high_peaks_are_left_out_and_counted(
    network: RunReference, held_out: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    rows, _, cpn_max = held_out
    limited = with_limit(network, float(np.median(cpn_max)))
    metrics = evaluate(limited)
    above = int(np.count_nonzero(cpn_max > np.median(cpn_max)))
    assert 0 < above < rows.size
    assert metrics["samples"] == {
        "all": rows.size,
        "evaluated": rows.size - above,
        "left_out_cpn_max": above,
        "left_out_failed": 0,
        "not_finite": 0,
    }
    read = read_evaluation(limited)
    assert (read.data.sizes["sample"], read.evaluated.sizes["sample"]) == (rows.size, rows.size - above)
    with pytest.raises(LehrError, match=r"made with evaluation\.cpn_max"):
        read_evaluation(network)
    with pytest.raises(LehrError, match=r"all \d+ samples of the test split have a CpN,max above 0.1"):
        evaluate(with_limit(network, 0.1))


def test_predictions_that_are_no_numbers_are_counted_and_listed(
    tiny_config: GlassRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_out: tuple[np.ndarray, ...]
) -> None:
    answers = np.tile(ANSWER, (len(held_out[1]), 1))
    answers[[3, 7], [0, 2]] = np.nan, np.inf
    answers[5] = [9.0, 705e3, 1.4, 0.02]  # numbers, but no glass
    network = RunReference(fake_run(tiny_config, tmp_path / "bad", answers, monkeypatch), "C")
    metrics, data = evaluate(network), read_evaluation(network).data
    assert metrics["samples"]["not_finite"] == 2
    assert metrics["samples"]["evaluated"] == len(answers) - 2
    assert metrics["not_finite_rows"] == held_out[0][[3, 7]].tolist()
    assert data["state"].to_numpy()[[2, 3, 5, 7]].tolist() == [0, 2, 0, 2]
    assert metrics["clamped"] == {"any": 1, "ln_A": 1, "delta_h": 0, "x": 1, "beta": 1}
    assert metrics["no_glass_transition"] == 1
    assert np.isfinite(data["sse_signals"].to_numpy()[5])
    assert data["predicted"].to_numpy()[5].tolist() == answers[5].tolist()  # clamped for the signals only
    assert "- 2 without a finite prediction" in (network.config.evaluation_path("C", "C") / "table.md").read_text()


def test_a_network_that_answers_nothing_is_written_down(
    tiny_config: GlassRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = fake_run(tiny_config, tmp_path / "bad", np.full(4, np.nan), monkeypatch)
    metrics = evaluate(RunReference(config, "C"))
    assert metrics["samples"]["evaluated"] == 0
    assert metrics["quantities"]["x"]["network"]["mae"] is None
    assert metrics["fractions"][0]["network"] is None


def test_another_split_lies_beside_the_test(network: RunReference) -> None:
    metrics = evaluate(network, split="validation")
    store = open_subset(network.config, "C")
    part = store.split(network.config.split.build())
    assert metrics["samples"]["all"] == np.count_nonzero(part == 1)
    assert read_evaluation(network, split="validation").data.attrs["split"] == "validation"
    with pytest.raises(LehrError, match=r"C/C/metrics\.json: cannot be read(.|\n)*`lehr evaluate CONFIG --model C`"):
        read_evaluation(network)


def test_a_network_with_a_split_of_its_own_is_tested_on_that(
    tiny_config: GlassRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = fake_run(tiny_config, tmp_path / "cells", ANSWER, monkeypatch, models=("C-cells",), split_by="cell")
    metrics = evaluate(RunReference(config, "C-cells"))
    store = open_subset(config, "C")
    part = store.split(Split(by="cell"))
    assert metrics["samples"]["all"] == np.count_nonzero(part == 2)
    assert metrics["samples"]["all"] % 4 == 0  # whole cells, of two x and two beta
    assert json.loads((config.run_path("C-cells") / "run.json").read_text())["split"]["by"] == "cell"
    other = config.model_copy(update={"models": (GlassModel(name="C-cells", subset="C"),)})
    with pytest.raises(LehrError, match=r"split\.by: cell -> sample"):
        evaluate(RunReference(other, "C-cells"))


def test_a_network_is_tested_on_another_subset(
    tiny_config: GlassRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = tiny_config.model_copy(update={"output": str(tmp_path / "both"), "subsets": ("C", "G")})
    shutil.copytree(tiny_config.store_path, both.store_path)
    generate(both, "G")
    network = RunReference(fake_run(both, tmp_path / "run", ANSWER, monkeypatch), "C")
    own, other = evaluate(network), evaluate(network, "G")
    assert other["trivial_prediction"] == own["trivial_prediction"]
    assert all(row["paper"] is None for row in other["fractions"])  # which is about networks on their own subsets
    matrix = transfer([read_evaluation(network), read_evaluation(network, "G")], both.findings()).sel(model="C")
    assert matrix["samples_by_side"].sel(subset="C", ranged="delta_h").to_numpy().tolist()[::2] == [0, 0]
    # G has delta_h from 200 to 1200 kJ/mol, C from 650 to 750: the network says 705
    sides = matrix.sel(subset="G", ranged="delta_h", statistic="bias")["error_by_side"]
    assert float(sides.sel(side="below")) > 55e3
    assert float(sides.sel(side="above")) < -45e3
    parts = matrix["samples_by_side"].sel(subset="G", ranged="delta_h")
    assert int(parts.sum()) == int(matrix["samples"].sel(subset="G")) == other["samples"]["evaluated"]


def test_failed_simulations_are_counted() -> None:
    split = np.random.default_rng(0).integers(3, size=1000)
    status = (np.arange(1000) % 3 == 0).astype(np.int8)
    store: Any = SimpleNamespace(split=lambda _: split, status=status)
    failed = failed_samples(store, Split(), "test")
    assert failed == np.count_nonzero((split == 2) & (status == 1)) > 0


# --- what does not belong together -----------------------------------------------------------------------------------


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"numerics": 2}, r"numerics: 2 -> 1"),
        ({"signals": {"temperature": {"step": 5.0}}}, r"signals\.temperature\.step: 5.0 -> 10.0"),
        ({"split": {"train": 0.8, "validation": 0.15, "seed": 0}}, "split.train: 0.8 -> 0.7"),
        ({"subset": "G"}, "subset: G -> C"),
        ({"training_mean": {"x": 0.5}}, "damaged"),
    ],
)
def test_a_network_of_another_config_is_refused(network: RunReference, changes: dict[str, Any], message: str) -> None:
    _edit(network.folder / "run.json", **changes)
    with pytest.raises(LehrError, match=message) as caught:
        evaluate(network)
    assert "lehr train CONFIG --model C" in str(caught.value)
    assert not network.config.evaluation_path("C", "C").exists()


def test_values_decide_what_belongs_together_and_no_digest(network: RunReference) -> None:
    """A store has another digest after a new key whose default means "as before", and the same samples."""
    _edit(network.folder / "run.json", store_digest="0123456789abcdef")
    assert evaluate(network)["store_digest"] == open_subset(network.config, "C").digest


def test_an_evaluation_is_of_the_store_that_is_there(network: RunReference, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate(network)
    monkeypatch.setattr(dataset, "read_about", lambda _: {"digest": "0123456789abcdef"})
    with pytest.raises(LehrError, match=r"an evaluation of other samples(.|\n)*lehr evaluate CONFIG --model C"):
        read_evaluation(network)


def test_a_store_of_another_config_is_refused(network: RunReference, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run belongs to the config, but somebody has put other signals in the place of the store."""

    def other(group: zarr.Group) -> dict[str, Any]:
        made = about(group)
        return {**made, "values": {"signals": {**made["values"]["signals"], "tolerance": 1e-3}}}

    monkeypatch.setattr("lehr.store.store.about", other)
    with pytest.raises(LehrError, match=r"made with another config \(signals\.tolerance: 0\.001 -> 0\.0001"):
        evaluate(network)


def test_an_empty_split_is_refused(network: RunReference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "status", np.ones(484, np.int8))
    with pytest.raises(LehrError, match="no good sample in the test split"):
        evaluate(network)


def test_an_evaluation_of_an_older_network_is_refused(network: RunReference) -> None:
    evaluate(network)
    _edit(network.folder / "run.json", network_checksum="0" * 64)
    with pytest.raises(LehrError, match=r"another network(.|\n)*lehr evaluate CONFIG --model C"):
        read_evaluation(network)


@pytest.mark.parametrize("damage", ["cut", "swap", "remove", "format"])
def test_a_damaged_evaluation_is_refused(network: RunReference, damage: str) -> None:
    evaluate(network)
    folder = network.config.evaluation_path("C", "C")
    path = folder / "test.nc"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "swap":
        evaluate(network, split="train")
        shutil.copy(folder / "train/train.nc", path)
    elif damage == "remove":
        path.unlink()
    else:
        _edit(folder / "metrics.json", format=1)
    with pytest.raises(LehrError, match=r"test\.nc: (damaged|no such file)(.|\n)*Run `lehr evaluate CONFIG --model C`"):
        read_evaluation(network)
