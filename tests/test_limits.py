"""The Cramer-Rao bound and the least-squares fits of test samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray
import yaml
from conftest import run
from stores import call
from trained import config_beside, measure_limits

from lehr import LehrError, simulate_sensitivities
from lehr.glass import limits
from lehr.glass.config import GlassRun
from lehr.glass.fit import cramer_rao
from lehr.glass.instrument import white_noise
from lehr.glass.limits import NORMAL_MAE
from lehr.glass.measures import signed_errors
from lehr.glass.tnm import TNMParameters
from lehr.store import open_subset

SECTION = {"samples": 4, "noise": [0, 0.001, 0.01], "starts": 5}


@pytest.fixture
def config(tiny_config: GlassRun, tmp_path: Path) -> GlassRun:
    config = config_beside(tiny_config, tmp_path / "results", *tiny_config.models)
    return config.model_copy(update={"evaluation": config.evaluation.model_validate({"limits": SECTION})})


def written(config: GlassRun, path: Path) -> Path:
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    return path


def test_the_bound_is_the_scatter_of_linear_estimates() -> None:
    """Of least-squares estimates with the true derivatives; Tg of each follows from its ln A and delta_h."""
    glass = TNMParameters(-83.2, 3.42e5, 0.7, 0.6)
    temperature, sigma, count = np.linspace(273.0, 673.0, 201), 1e-3, 400
    jacobian = simulate_sensitivities(glass, temperature=temperature).jacobian.reshape(-1, 4)
    noise = white_noise(np.zeros((count, 6, 201)), sigma, seed=0, rows=range(count)).reshape(count, -1)
    scale = np.linalg.norm(jacobian, axis=0)
    shifts = np.linalg.lstsq(jacobian / scale, noise.T, rcond=None)[0].T / scale
    scatter = signed_errors(np.array(glass.as_tuple()), glass.as_tuple() + shifts).std(axis=0)
    bound = np.array(cramer_rao(glass, temperature=temperature, noise=sigma))
    np.testing.assert_allclose(scatter, bound, rtol=4 / np.sqrt(2 * count))  # four standard errors
    np.testing.assert_allclose(cramer_rao(glass, temperature=temperature, noise=3 * sigma), 3 * bound, rtol=1e-12)


def test_fits_reach_the_bound_and_find_the_truth_without_noise(config: GlassRun) -> None:
    data = measure_limits(config, "C")
    store = open_subset(config, "C")
    np.testing.assert_array_equal(data["true"], store.parameters[data["row"].to_numpy()])
    bound = data["bound"].to_numpy()
    np.testing.assert_allclose(
        bound[:, 2], bound[:, 1] * np.hypot(0.01, limits.ROUNDING) / np.hypot(1e-3, limits.ROUNDING)
    )
    success = data["fit_success"].to_numpy()
    assert success.mean() > 0.7  # of twelve fits
    errors = np.stack([signed_errors(data["true"], data["fitted"][:, i]) for i in range(3)], axis=1)
    z = errors[:, 1:][success[:, 1:]] / bound[:, 1:][success[:, 1:]]
    assert np.abs(z).max() < 4  # standard deviations; forty numbers
    assert 0.4 * NORMAL_MAE < np.abs(z).mean() < 1.6 * NORMAL_MAE
    exact = np.abs(errors[:, 0][success[:, 0]])
    assert (exact < [0.3, 1e3, 5e-4, 5e-4, 5e-3]).all()  # tolerance and rounding, on a grid of 10 K
    assert ((data["fit_starts"] >= 1) & (data["fit_starts"] <= 5)).all()
    assert (data["fit_seconds"] > 0).all()

    path = config.limits_path("C")
    with xarray.open_dataset(path, engine="h5netcdf") as file:
        xarray.testing.assert_identical(file.load(), data)
    table = pd.read_csv(path.with_suffix(".csv"))
    row = table[(table["noise"] == 0.01) & (table["quantity"] == "x")].iloc[0]
    assert row["bound_mae"] == pytest.approx(NORMAL_MAE * bound[:, 2, 2].mean(), rel=1e-5)
    assert row["fit_success"] == pytest.approx(success[:, 2].mean())


def test_a_fit_that_fails_is_written_down(config: GlassRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise LehrError("the engine finds no signals near any start of the fit")

    monkeypatch.setattr(limits, "fit_scans", fail)
    data = measure_limits(config, "C")
    assert np.isnan(data["fitted"]).all()
    assert not data["fit_success"].any()
    assert np.isfinite(data["bound"]).all()
    assert pd.read_csv(config.limits_path("C").with_suffix(".csv"))["fit_median"].isna().all()


@pytest.mark.mpi
def test_ranks_share_the_samples_and_find_the_same(config: GlassRun, tmp_path: Path) -> None:
    few = config.evaluation.model_validate({"limits": {**SECTION, "samples": 3, "noise": [0.001]}})
    config = config.model_copy(update={"evaluation": few})
    alone = measure_limits(config, "C").drop_vars("fit_seconds")
    path = written(config, tmp_path / "c.yaml")
    done = run("mpiexec", "-n", "2", "lehr", "limits", path, "--subset", "C", "--ranks", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("limits: ") == 1
    with xarray.open_dataset(config.limits_path("C"), engine="h5netcdf") as file:
        xarray.testing.assert_identical(file.load().drop_vars("fit_seconds"), alone)


def test_the_command_says_what_is_wrong(config: GlassRun, tmp_path: Path) -> None:
    path = written(config, tmp_path / "c.yaml")
    done = call("limits", path, "--subset", "LU")
    assert (done.returncode, "does not have the subset 'LU'" in done.stderr, "It has: C." in done.stderr) == (
        2,
        True,
        True,
    )
    signals = config.signals.model_copy(update={"tolerance": 1e-3})
    done = call("limits", written(config.model_copy(update={"signals": signals}), path))
    assert done.returncode == 2
    assert "made with another config (signals.tolerance: 0.0001 -> 0.001)" in done.stderr
    done = call("limits", path, "--ranks", "3")
    assert (done.returncode, "3 MPI ranks were asked for" in done.stderr) == (2, True)
    low = config.evaluation.model_copy(update={"cpn_max": 0.01})
    done = call("limits", written(config.model_copy(update={"evaluation": low}), path))
    assert (done.returncode, "Make evaluation.cpn_max larger" in done.stderr) == (2, True)
    assert not config.limits_path("C").exists()
