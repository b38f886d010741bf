"""Metrics against numbers worked out by hand; an evaluation of a network whose answers are known."""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from trained import fake_run

from lehr.config import Config
from lehr.errors import LehrError
from lehr.evaluation import (
    absolute_errors,
    claims,
    differences_from_paper,
    evaluate,
    fraction_below,
    glass_transition,
    measure,
    percentiles,
    read_evaluation,
    thresholds,
)
from lehr.evaluation.metrics import summarise
from lehr.models import PARAMETERS
from lehr.physics import GAS_CONSTANT
from lehr.statespace import SPLITS
from lehr.store import SignalStore

ANSWER = np.array([-210.0, 705e3, 0.5, 0.6])  # what the network of these tests says about every sample


def test_absolute_errors_are_those_worked_out_by_hand() -> None:
    true = [[-100.0, 4e5, 0.5, 0.6], [-80.0, 3e5, 0.2, 1.0]]
    predicted = [[-101.5, 3.9e5, 0.53, 0.6], [-70.0, 3e5, 0.1, 0.75]]
    errors = absolute_errors(true, predicted)
    np.testing.assert_allclose(errors["ln_A"], [1.5, 10.0])
    np.testing.assert_allclose(errors["delta_h"], [1e4, 0.0])
    np.testing.assert_allclose(errors["x"], [0.03, 0.1], atol=1e-15)
    np.testing.assert_allclose(errors["beta"], [0.0, 0.25], atol=1e-15)
    # 4e5 / (8.314462618 * (4.605170 + 100)) = 459.910 K and so on, with three decimals
    np.testing.assert_allclose(errors["glass_transition"], [459.910 - 442.073, 483.635 - 426.472], atol=2e-3)


def test_one_prediction_serves_all_samples() -> None:
    errors = absolute_errors([[-100.0, 4e5, 0.5, 0.6], [-80.0, 3e5, 0.2, 1.0]], [-90.0, 3.5e5, 0.4, 0.7])
    np.testing.assert_allclose(errors["delta_h"], [5e4, 5e4])
    np.testing.assert_allclose(errors["beta"], [0.1, 0.3])


def test_glass_transition_is_where_tau_is_100_s() -> None:
    ln_a = log(100.0) - 5e5 / (GAS_CONSTANT * 500.0)
    np.testing.assert_allclose(glass_transition([[ln_a, 5e5, 0.5, 0.5]]), [500.0])


@pytest.mark.parametrize("row", [[5.0, 2e5, 0.5, 0.5], [-50.0, -1e3, 0.5, 0.5], [log(100.0), 2e5, 0.5, 0.5]])
def test_impossible_predictions_have_no_glass_transition(row: list[float]) -> None:
    assert np.isnan(glass_transition([row])).all()


def test_fraction_is_of_errors_below_the_threshold() -> None:
    # 0.02 itself is not below 0.02, and what has no error is not below anything
    assert fraction_below([0.0, 0.01, 0.02, 0.03, np.nan], 0.02) == 2 / 5


def test_summary_leaves_out_nan() -> None:
    summary = summarise([1.0, 2.0, 3.0, 10.0, np.nan])
    assert (summary.mae, summary.median) == (4.0, 2.5)
    assert summary.p90 == pytest.approx(3.0 + 0.7 * 7.0)  # linear between the third and the fourth of four
    assert summarise([np.nan]).as_dict() == {"mae": None, "median": None, "p90": None}


def test_percentiles_sort_the_errors() -> None:
    percent, value = percentiles([3.0, 1.0, 2.0, 4.0, 0.0], count=5)
    assert percent.tolist() == [0.0, 25.0, 50.0, 75.0, 100.0]
    assert value.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_claims_are_those_of_the_paper() -> None:
    """The table of section 3.2: shares of x, beta, delta_h and ln A for the subsets that it names."""
    said = {
        (subset, claim.quantity, claim.threshold): (claim.low, claim.high)
        for subset in ("LU", "RU", "LB", "RB", "C", "G")
        for claim in claims(subset)
    }
    assert said["C", "beta", 0.02] == said["G", "beta", 0.02] == (0.90, 0.90)
    assert said["G", "beta", 0.05] == (0.98, 0.98)
    assert said["C", "x", 0.02] == (0.99, 1.0)
    assert said["G", "x", 0.02] == (0.97, 0.97)
    assert said["RU", "delta_h", 10e3] == (0.70, 0.70)
    assert said["C", "delta_h", 10e3] == (0.20, 0.20)
    assert said["C", "ln_A", 2.0] == (0.10, 0.20)
    assert said["LB", "ln_A", 10.0] == (0.50, 0.50)
    assert ("LU", "ln_A", 2.0) not in said
    assert ("C", "beta", 0.05) not in said


@pytest.mark.parametrize("subset", ["LU", "RU", "LB", "RB", "C", "G"])
def test_every_claim_has_its_threshold_measured(subset: str) -> None:
    assert {(claim.quantity, claim.threshold) for claim in claims(subset)} <= set(thresholds(subset))


def test_the_default_config_is_the_paper() -> None:
    assert differences_from_paper(Config()) == []


def test_a_reduction_is_named(tiny_config: Config) -> None:
    lines = differences_from_paper(tiny_config)
    assert "temperature step: 10 K instead of 0.1 K" in lines
    assert "values of x: 2 instead of 41" in lines
    assert "epochs: 3 instead of 200" in lines
    schedule = {"class_name": "CosineDecay", "config": {"decay_steps": 600, "alpha": 0.04}}
    training = tiny_config.training.model_copy(update={"optimizer_options": {"learning_rate": schedule}})
    lines = differences_from_paper(tiny_config.model_copy(update={"training": training}))
    expected = (
        "optimiser: adam (learning rate CosineDecay: decay steps 600, alpha 0.04) instead of sgd (learning rate 0.01)"
    )
    assert expected in lines


@pytest.fixture
def config(tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    return fake_run(tiny_config, tmp_path, ANSWER, monkeypatch)


@pytest.fixture
def held_out(config: Config) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, parameters and CpN,max of the test split."""
    store = SignalStore.open(config.store_path, "C")
    rows = np.flatnonzero(config.split.build().assign(store.parameters) == SPLITS.index("test"))
    return rows, store.parameters[rows], store.cpn_max[rows]


def _metrics(config: Config) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((config.evaluation_path("C") / "metrics.json").read_text())
    return content


def test_evaluation_measures_network_and_trivial_predictor(
    config: Config, held_out: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    evaluate(config, "C")
    metrics, (rows, true, cpn_max) = _metrics(config), held_out
    kept = cpn_max <= 6.0
    for column, name in enumerate(PARAMETERS):
        numbers = metrics["quantities"][name]
        mean = metrics["trivial_prediction"][name]
        assert numbers["network"]["mae"] == pytest.approx(np.abs(true[kept, column] - ANSWER[column]).mean())
        assert numbers["trivial"]["mae"] == pytest.approx(np.abs(true[kept, column] - mean).mean())
        assert numbers["times_better"] == pytest.approx(numbers["trivial"]["mae"] / numbers["network"]["mae"])
    # the grid has x = 0.4 and 0.8, the network says 0.5: no error is below 0.05
    shares = {(row["quantity"], row["threshold"]): row for row in metrics["fractions"]}
    assert shares["x", 0.05]["network"] == 0.0
    near = np.abs(true[kept, 1] - ANSWER[1]) < 10e3
    assert shares["delta_h", 10e3]["network"] == pytest.approx(near.mean())
    assert 0 < near.mean() < 1
    assert shares["delta_h", 10e3]["paper"]["text"] == "about 20 %"
    assert shares["glass_transition", 5.0]["paper"] is None
    predictions = pd.read_csv(config.evaluation_path("C") / "predictions.csv")
    assert predictions["row"].tolist() == rows[kept].tolist()
    np.testing.assert_allclose(predictions[[f"{name}_true" for name in PARAMETERS]], true[kept], rtol=1e-8)


def test_high_peaks_are_left_out_and_counted(
    config: Config, held_out: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    rows, _, cpn_max = held_out
    limit = float(np.median(cpn_max)) + 1e-5  # beside a sample, not on it: the file has nine digits
    limited = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"cpn_max": limit})})
    evaluate(limited, "C")
    above = int(np.count_nonzero(cpn_max > limit))
    assert 0 < above < rows.size
    assert _metrics(limited)["samples"] == {
        "test": rows.size,
        "evaluated": rows.size - above,
        "left_out_cpn_max": above,
        "left_out_failed": 0,
    }
    assert read_evaluation(limited, "C").cpn_max.max() <= limit
    with pytest.raises(LehrError, match=r"made with evaluation\.cpn_max"):
        read_evaluation(config, "C")


def test_failed_simulations_of_the_test_split_are_counted() -> None:
    split = Config().split.build()
    parameters = np.stack([np.linspace(-300.0, -100.0, 1000)] + [np.full(1000, v) for v in (7e5, 0.5, 0.5)], axis=1)
    status = (np.arange(1000) % 3 == 0).astype(np.int8)
    test = split.assign(parameters) == 2
    store: Any = SimpleNamespace(parameters=parameters, status=status)
    assert measure._failed(store, split) == np.count_nonzero(test & (status == 1)) > 0


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signals_digest": "0123456789abcdef"}, "signals_digest: 0123456789abcdef -> "),
        ({"temperature": {"start": -250.0, "stop": 1600.0, "step": 5.0}}, "temperature.step: 5.0 -> 10.0"),
        ({"split": {"train": 0.8, "validation": 0.15, "seed": 0}}, "split.train: 0.8 -> 0.7"),
        ({"subset": "G"}, "subset: G -> C"),
        ({"training_mean": {"x": 0.5}}, "damaged"),
    ],
)
def test_a_network_of_another_config_is_refused(config: Config, changes: dict[str, Any], message: str) -> None:
    _edit(config.run_path("C") / "run.json", **changes)
    with pytest.raises(LehrError, match=message) as caught:
        evaluate(config, "C")
    assert "lehr train CONFIG --model C" in str(caught.value)
    assert not config.evaluation_path("C").exists()


def test_a_store_of_another_config_is_refused(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run belongs to the config, but somebody has put other signals in the place of the store."""

    def other(_: Path, subset: str) -> Any:
        return SimpleNamespace(path=config.store_path / subset, config_digest="0123456789abcdef")

    monkeypatch.setattr(measure.SignalStore, "open", other)
    with pytest.raises(LehrError, match=r"not the signals .* \(digest 0123456789abcdef"):
        evaluate(config, "C")


def test_a_missing_run_names_the_command(config: Config) -> None:
    (config.run_path("C") / "run.json").unlink()
    with pytest.raises(LehrError, match=r"run\.json: cannot be read(.|\n)*lehr train CONFIG --model C"):
        evaluate(config, "C")


def test_a_diverged_network_is_refused(tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = fake_run(tiny_config, tmp_path, np.array([np.nan, 7e5, 0.5, 0.5]), monkeypatch)
    with pytest.raises(LehrError, match="predictions are not finite"):
        evaluate(config, "C")
    assert not config.evaluation_path("C").exists()


def test_an_evaluation_of_an_older_network_is_refused(config: Config) -> None:
    evaluate(config, "C")
    _edit(config.run_path("C") / "run.json", network_checksum="0" * 64)
    with pytest.raises(LehrError, match=r"another network(.|\n)*lehr evaluate CONFIG --model C"):
        read_evaluation(config, "C")
