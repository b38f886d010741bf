"""Fits with a model of the relaxation time other than that of TNM."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fitted import AS2SE3, KELVIN

import lehr
from lehr.cli import main
from lehr.glass.fit import FitResult, Nuisance
from lehr.glass.fit.least_squares.model import ScanModel
from lehr.glass.fit.output.page import fit_section
from lehr.glass.scans import as_scans
from lehr.glass.tnm import MODELS, RelaxationModel, simulate_glass
from lehr.glass.tnm.coordinates import Coordinates

PROGRAM = lehr.ThermalProgram.chr_cycles([0.5, 5.0, 20.0])
OTHERS = ("adam-gibbs", "map")
TG = AS2SE3.glass_transition


@cache
def true(model: str) -> RelaxationModel:
    coordinates = Coordinates(TG, MODELS[model])
    return coordinates.glass(coordinates.theta(AS2SE3.as_tuple()))


@cache
def scans(model: str, noise: float = 0.005) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    cpn = simulate_glass(true(model), program=PROGRAM, temperature=KELVIN).cpn
    rng = np.random.default_rng(4)
    return tuple((KELVIN, row + noise * rng.standard_normal(row.size)) for row in cpn)


@cache
def fitted(of: str, by: str) -> FitResult:
    return lehr.fit(scans(of), PROGRAM, model=by)


@pytest.mark.parametrize("model", OTHERS)
def test_a_model_reads_its_own_glass(model: str) -> None:
    result, glass = fitted(model, model), true(model)
    assert result.glass.model == model
    assert result.noise == pytest.approx(0.005, rel=0.08)
    # in terms of the TNM glass that touches the true one at Tm, where the fit is made
    coordinates = result.objective.model.coordinates
    theta = result.point[:4]
    error = (coordinates.glass_parameters(theta) - glass.as_tuple()) / np.abs(glass.as_tuple())
    by_theta = coordinates.glass_derivatives(theta)
    deviations = np.sqrt(np.einsum("ik,kl,il->i", by_theta, result.theta_covariance, by_theta))
    assert (np.abs(error) * np.abs(glass.as_tuple()) < 3.5 * deviations + 1e-9).all()
    assert result.standard_errors["x"] < 2e-3
    assert result.names[:5] == ("ln_A", "delta_h", "x", "beta", "glass_transition")


@pytest.mark.parametrize("of", MODELS)
def test_criteria_choose_the_model_of_the_glass(of: str) -> None:
    for criterion in ("aic", "bic"):
        values = {by: getattr(fitted(of, by), criterion) for by in MODELS}
        assert min(values, key=values.__getitem__) == of
        assert sorted(values.values())[1] > values[of] + 100.0


def test_criteria_count_parameters() -> None:
    plain = fitted("tnm", "tnm")
    points = plain.fitted.size
    assert plain.bic - plain.aic == pytest.approx(5.0 * (np.log(points) - 2.0))  # four, and the noise


@pytest.mark.parametrize("model", OTHERS)
def test_derivatives_of_the_prediction(model: str) -> None:
    """By theta and by an offset of the thermometer, for which the scaling of each model stands."""
    part = as_scans(scans(model), PROGRAM).near_transition
    prediction = ScanModel(part, Coordinates(TG + 3.0, MODELS[model]), Nuisance(temperature_offset=0.3), 1e-7)
    point = np.array([*prediction.coordinates.theta(AS2SE3.as_tuple()), 0.1])
    derivatives = prediction.jacobian(point)
    for k, step in enumerate((1e-3, 0.02, 3e-3, 3e-3, 0.03)):
        there = step * np.eye(5)[k]
        expected = (prediction.predict(point + there) - prediction.predict(point - there)) / (2.0 * step)
        assert np.quantile(np.abs(derivatives[:, k] - expected), 0.99) < 1e-2 * np.abs(expected).max()


@pytest.mark.parametrize("model", OTHERS)
def test_the_result_is_told_and_kept(model: str, tmp_path: Path) -> None:
    result = fitted(model, model)
    report = result.report()
    assert f"model {model}: AIC {result.aic:.1f}, BIC {result.bic:.1f}" in report
    assert ("T2 = " if model == "adam-gibbs" else "ln_A_ne = ") in report
    result.to_json(tmp_path / "fit.json")
    record = lehr.glass.fit.FitResult.from_json(tmp_path / "fit.json")
    assert record.relaxation.as_tuple() == pytest.approx(result.glass.as_tuple(), rel=1e-12)
    assert record.options["model"] == model
    assert "<img" in fit_section(record, "")


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(lehr.LehrError, match="model 'vft' is not offered"):
        lehr.fit(scans("tnm"), PROGRAM, model="vft")


def test_lehr_fit_takes_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for number, (kelvin, cpn) in enumerate(scans("adam-gibbs")):
        names.append(str(tmp_path / f"{number}.csv"))
        np.savetxt(names[-1], np.column_stack([kelvin, cpn]), delimiter=",", header="temperature (K),CpN", comments="")
    rates = ["--cooling-rates", "0.5", "5", "20", "--heating-rate", "10"]
    assert main(["fit", *names, *rates, "--model", "adam-gibbs"]) == 0
    assert "model adam-gibbs: AIC" in capsys.readouterr().out
