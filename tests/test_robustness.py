"""A network on distorted scans: one whose answers follow from the scans in a known way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray
import yaml
from stores import call
from trained import NAMES, distort, fake_run

from lehr.evaluation import RunReference, predict
from lehr.evaluation.samples import draw_test_samples, read_samples
from lehr.glass.config import GlassRun
from lehr.glass.config.run import GlassModel
from lehr.glass.quantities import CPN_MAX
from lehr.glass.tnm import equal_area_temperature, ln_pre_exponential
from lehr.store import open_subset
from lehr.study import Columns

DELTA_H = 7e5
SECTION = {
    "samples": 20,
    "white_noise": [0.01, 0.001],
    "thermal_lag": [2.0, 30.0],
    "baseline_slope": [0.02],
    "temperature_offset": [1.0, 25.0],
}


@pytest.fixture
def config(tiny_config: GlassRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GlassRun:
    """A network that takes the middle of the transition for Tg, the last CpN for x and the largest for beta."""
    config = fake_run(tiny_config, tmp_path / "results", np.empty(4), monkeypatch)
    kelvin = config.signals.temperature.kelvin()

    def answers(columns: Columns) -> Columns:
        cpn = columns["cpn"]
        tg = equal_area_temperature(cpn, kelvin).mean(axis=1)
        delta_h = np.full_like(tg, DELTA_H)
        found = (ln_pre_exponential(delta_h, tg), delta_h, cpn[..., -1].mean(axis=1), cpn.max((1, 2)))
        return dict(zip(NAMES, found, strict=True))

    monkeypatch.setattr(predict, "predictor", lambda *_: answers)
    evaluation = config.evaluation.model_validate({"robustness": SECTION})
    return config.model_copy(update={"evaluation": evaluation})


def test_errors_follow_from_what_was_done_to_the_scans(config: GlassRun) -> None:
    data = distort(RunReference(config, "C"))
    store = open_subset(config, "C")
    rows = draw_test_samples(store, config.split.build(), config.findings().limit, 20)
    bias = data["error"].sel(statistic="bias").set_xindex(["distortion", "level"])

    def of(distortion: str, level: float, quantity: str) -> float:
        return float(bias.sel(distortion=distortion, level=level, quantity=quantity).item())

    cpn, true = read_samples(store, ["cpn"], rows)["cpn"], store.parameters[rows]
    kelvin = store.column("temperature")
    assert of("white_noise", 0.0, "beta") == pytest.approx((cpn.max((1, 2)) - true[:, 3]).mean(), rel=1e-6)
    assert of("thermal_lag", 0.0, "delta_h") == pytest.approx((DELTA_H - true[:, 1]).mean())
    undisturbed = of("temperature_offset", 0.0, "glass_transition")
    for offset in (1.0, 25.0):  # a spline through points 10 K apart keeps the area to some 1e-2 K
        moved = of("temperature_offset", offset, "glass_transition") - undisturbed
        assert moved == pytest.approx(offset, abs=0.03)
    for tau in (2.0, 30.0):  # a step moves by the lag: 10 K/min times tau
        assert of("thermal_lag", tau, "glass_transition") - undisturbed == pytest.approx(tau / 6.0, rel=2e-3)
    middle = equal_area_temperature(cpn, kelvin).mean(axis=1)
    rise = 0.02 / 100.0 * (kelvin[-1] - middle)
    assert of("baseline_slope", 0.02, "x") - of("baseline_slope", 0.0, "x") == pytest.approx(rise.mean(), rel=1e-3)
    assert of("white_noise", 0.01, "beta") > of("white_noise", 0.001, "beta") > of("white_noise", 0.0, "beta")


def test_what_is_written_is_labelled_and_says_where_it_is_from(config: GlassRun) -> None:
    data = distort(RunReference(config, "C"))
    path = config.robustness_path("C")
    with xarray.open_dataset(path, engine="h5netcdf") as written:
        xarray.testing.assert_identical(written.load(), data)
    assert list(data["statistic"].to_numpy()) == ["mae", "median", "p90", "bias"]
    cases = list(zip(data["distortion"].to_numpy().tolist(), data["level"].to_numpy().tolist(), strict=True))
    assert cases[:3] == [("white_noise", 0.0), ("white_noise", 0.001), ("white_noise", 0.01)]  # sorted
    assert len(cases) == 3 + 3 + 2 + 3
    zero = data["error"].to_numpy()[data["level"].to_numpy() == 0]
    assert zero.shape[0] == 4
    assert (zero == zero[0]).all()
    assert (data["samples"] == 20).all()
    assert {"model", "subset", "samples", "seed", "network_checksum"} <= data.attrs.keys()
    table = pd.read_csv(path.with_suffix(".csv"))
    assert len(table) == 5 * len(cases)
    row = table[(table["distortion"] == "thermal_lag") & (table["level"] == 2.0) & (table["quantity"] == "x")].iloc[0]
    place = {"case": cases.index(("thermal_lag", 2.0)), "quantity": 2, "statistic": 0}
    assert row["mae"] == pytest.approx(float(data["error"][place].item()), rel=1e-5)
    assert (row["unit"], row["quantity_unit"]) == ("s", "1")


def test_the_samples_do_not_depend_on_the_size_of_a_batch(config: GlassRun) -> None:
    small = config.evaluation.model_copy(update={"batch_size": 7})
    whole, split = (
        distort(RunReference(config.model_copy(update={"evaluation": section}), "C"))
        for section in (config.evaluation, small)
    )
    xarray.testing.assert_identical(whole, split)


def test_predictions_without_a_glass_transition_are_left_out_and_counted(
    config: GlassRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(columns: Columns) -> Columns:
        found = np.tile([-200.0, 7e5, 0.5, 0.5], (len(columns["cpn"]), 1))
        found[::4, 1] = -1.0
        return dict(zip(NAMES, found.T, strict=True))

    monkeypatch.setattr(predict, "predictor", lambda *_: answers)
    data = distort(RunReference(config, "C"))
    assert data["samples"].sel(quantity="glass_transition").to_numpy().tolist() == [15] * data.sizes["case"]
    assert (data["samples"].sel(quantity="delta_h") == 20).all()
    assert np.isfinite(data["error"]).all()


def test_drawn_samples_are_of_the_test_split_and_below_the_limit(tiny_config: GlassRun) -> None:
    store, split = open_subset(tiny_config, "C"), tiny_config.split.build()
    limit = float(np.median(store.column("cpn_max")))
    few, many, all_of_them = (draw_test_samples(store, split, (CPN_MAX, limit), count) for count in (5, 12, 10_000))
    assert many[:5].tolist() == few.tolist()
    wanted = np.flatnonzero((store.split(split) == 2) & (store.column("cpn_max") <= limit))
    assert sorted(all_of_them.tolist()) == wanted.tolist()
    assert all_of_them.tolist() != wanted.tolist()


def test_the_command_says_what_is_missing_and_does_the_rest(config: GlassRun, tmp_path: Path) -> None:
    models = (GlassModel(name="C", subset="C"), GlassModel(name="untrained", subset="C"))
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(config.model_copy(update={"models": models}).model_dump(mode="json")))
    done = call("robustness", tmp_path / "none.yaml", path, "--model", "C")
    assert done.returncode == 2
    assert "none.yaml: cannot read the file" in done.stderr
    assert config.robustness_path("C").exists()
    done = call("robustness", path, "--model", "untrained")
    assert done.returncode == 2
    assert "lehr train CONFIG --model untrained" in done.stderr
    assert not config.robustness_path("untrained").exists()
    config.robustness_path("C").unlink()
    done = call("robustness", path, "--model", "untrained", "--model", "C")
    assert done.returncode == 2
    assert config.robustness_path("C").exists(), "a model that is not trained kept another from being measured"
