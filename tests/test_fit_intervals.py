"""Where a fit may go, and how far its answers may be off: bounds, profile intervals, samples."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from fitted import AS2SE3, KELVIN, PROGRAM, errors, fit, measured

import lehr
from lehr.glass.fit import FitStatus, Nuisance, Scans, fit_scans
from lehr.glass.fit.least_squares.fixed import FixedQuantity
from lehr.glass.fit.least_squares.model import PredictionError, ScanModel
from lehr.glass.fit.least_squares.objective import Objective
from lehr.glass.fit.uncertainty.correlation import correlation_time, undone_by_fit
from lehr.glass.quantities import QUANTITY_NAMES
from lehr.glass.tnm.coordinates import Coordinates

# --- where a fit may go -----------------------------------------------------------------------


def test_a_glass_that_never_has_tau_of_100_s_is_a_step_too_far() -> None:
    """The coordinates allow ln A above ln 100; there is no such glass, and a fit goes on from elsewhere."""
    scans, bad = Scans.of(KELVIN, measured(), PROGRAM), np.array([np.log(8.0), 38.0, 0.5, 0.5])
    model = ScanModel(scans, Coordinates(450.0))
    impossible = model.coordinates.parameters(bad)
    assert impossible[0] > np.log(100.0)
    with pytest.raises(PredictionError):
        model.jacobian(bad)
    residuals = Objective(model, 0.01).residuals(bad)
    good = Objective(model, 0.01).residuals(model.coordinates.theta(AS2SE3.as_tuple()))
    assert np.isfinite(residuals).all()
    assert np.sum(residuals**2) > 1e3 * np.sum(good**2)
    result = fit_scans(scans, starts=[impossible, AS2SE3.as_tuple()])
    assert result.starts == 2
    assert result.status is FitStatus.DETERMINED
    with pytest.raises(lehr.LehrError, match="no signals near any start"):
        fit_scans(scans, starts=impossible)


@pytest.mark.parametrize("shape", [(1.0, 1.0), (0.05, 0.1)])
def test_a_start_on_the_bounds_of_x_and_beta_gets_away(shape: tuple[float, float]) -> None:
    result = fit(measured(), starts=[*AS2SE3.as_tuple()[:2], *shape])
    assert result.starts == 1
    assert (np.abs(errors(result, AS2SE3)) < 4 * np.array(list(result.standard_errors.values())[:4])).all()


def test_lag_and_thermometer_stay_within_reason() -> None:
    """A start 60 K off, with which a thermometer that is free explains it by itself."""
    nuisance = Nuisance("line", thermal_lag=True, temperature_offset=1.0)
    away = lehr.TNMParameters(AS2SE3.ln_A + 10.0, *AS2SE3.as_tuple()[1:])
    assert AS2SE3.glass_transition - away.glass_transition < -60.0
    scans = Scans.of(KELVIN, measured(), PROGRAM)
    model = ScanModel(scans, Coordinates(450.0), nuisance)
    lower, upper = (dict(zip(model.names, ends[4:], strict=True)) for ends in model.bounds())
    assert (lower["temperature_offset"], upper["temperature_offset"]) == (-5.0, 5.0)
    # 199.5 K at 10 K/min
    assert (lower["thermal_lag"], upper["thermal_lag"]) == (0.0, pytest.approx(6 * 199.5))
    result = fit_scans(scans, nuisance=nuisance, starts=away.as_tuple())
    assert abs(result.values[result.names.index("temperature_offset")]) <= 5.0
    assert result.status in (FitStatus.DETERMINED, FitStatus.MISFIT, FitStatus.NOT_CONVERGED)


def test_scipy_does_not_warn_about_steps_that_were_rejected() -> None:
    """From where no scan changes with any parameter, SciPy divides by zero."""
    start = Coordinates(450.0).parameters([1.78, -30.06, 0.69, 0.68])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(measured(), starts=start).status is FitStatus.NOT_CONVERGED


def test_a_fitted_baseline_is_no_part_of_the_transition() -> None:
    """A slope that leaves CpN at 0.1 where the scan starts does not say that the scan starts too late."""
    rows = measured() + 1e-3 * (KELVIN - AS2SE3.glass_transition)
    assert fit(rows, nuisance=Nuisance("line")).status is FitStatus.DETERMINED


# --- profile intervals ------------------------------------------------------------------------


def test_profile_intervals_are_those_of_the_standard_errors_where_these_hold() -> None:
    result = fit(measured())
    for name, levels in result.profile_intervals.items():
        for level, ends in levels.items():
            # the glass is known to 0.1 %: its sum of squares is a parabola, and each end is found to 0.01
            error = result.standard_errors[name]
            assert np.array(ends) == pytest.approx(result.intervals[name][level], abs=0.05 * error), (name, level)


def test_profile_intervals_of_a_ridge() -> None:
    """One scan that was cooled fast, noisy and with few points, of a glass of low x and beta."""
    glass = lehr.TNMParameters(-79.21, 318443.9, 0.35, 0.35)
    kelvin = np.arange(250.0, 600.0, 4.0)
    program = lehr.ThermalProgram.chr_cycles([20.0])
    rows = lehr.simulate(*glass.as_tuple(), temperature=kelvin, program=program).cpn
    result = fit(rows + 0.03 * np.random.default_rng(2).standard_normal(rows.shape), kelvin, program)
    assert result.status is FitStatus.ILL_DETERMINED
    value, error = result.parameters.delta_h, result.standard_errors["delta_h"]
    low, high = result.profile_intervals["delta_h"][0.95]
    assert low < glass.delta_h < high
    assert abs((high - value) - (value - low)) > 0.2 * error
    # each end is where the best fit with it is worse by 1.96 standard deviations, found without the profile
    objective = result.objective
    for end in (low, high):
        fixed = FixedQuantity("delta_h", end, objective.model.coordinates.reference)
        worse = 2 * (
            objective.solve(result.point, 200, fixed).cost - np.sum(objective.residuals(result.point) ** 2) / 2
        )
        unit = (result.noise / objective.noise) ** 2 * result.correlation_time
        assert np.sqrt(worse / unit) == pytest.approx(1.96, abs=0.03)
    assert result.profile_intervals["x"][0.95][1] <= 1.0


def test_profile_interval_is_open_where_the_scan_sets_no_end() -> None:
    """The upper half of a transition alone, without cooling rates to compare."""
    kelvin = np.arange(430.0, 520.0, 5.0)
    program = lehr.ThermalProgram.chr_cycles([10.0])
    rows = lehr.simulate(*AS2SE3.as_tuple(), temperature=KELVIN, program=program).cpn[0]
    noise = 0.3 * np.random.default_rng(0).standard_normal(kelvin.size)
    result = fit([np.interp(kelvin, KELVIN, rows) + noise], kelvin, program)
    document = result.document(profile=True)["profile_intervals"]
    assert document["delta_h"]["0.95"][1] is None
    assert "open" in result.report(profile=True)
    assert "open" not in result.report()


@pytest.mark.slow
def test_samples_scatter_as_the_standard_errors_say() -> None:
    """Of 6,000 samples some hundred are independent, so that standard deviations are good to 7 %."""
    pytest.importorskip("emcee")
    result = fit(measured()[:, ::4], KELVIN[::4])
    samples = result.sample(500, seed=1)
    errors_of_fit = np.array(list(result.standard_errors.values()))
    assert samples.shape == (16 * 375, len(result.names))
    assert samples.std(axis=0) == pytest.approx(errors_of_fit, rel=0.3)
    assert (np.abs(samples.mean(axis=0) - result.values) < 0.4 * errors_of_fit).all()
    # the ridge of ln A and dh is followed
    assert np.corrcoef(samples[:, 0], samples[:, 1])[0, 1] == pytest.approx(result.correlation[0, 1], abs=1e-3)
    assert (result.sample(20, seed=2) == result.sample(20, seed=2)).all()
    with pytest.raises(lehr.LehrError, match="too few"):
        result.sample(1)


@pytest.mark.parametrize("quantity", QUANTITY_NAMES)
def test_a_quantity_is_held_and_the_rest_is_free(quantity: str) -> None:
    coordinates = Coordinates(450.0)
    point = np.array([*coordinates.theta(AS2SE3.as_tuple()), 0.3, 2.0])
    value = 1.01 * coordinates.values(point[:4])[QUANTITY_NAMES.index(quantity)]
    fixed = FixedQuantity(quantity, value, 450.0)
    free = fixed.free(point)
    for change in np.diag([1e-6] * free.size):
        whole = fixed.point(free + change)
        assert coordinates.values(whole[:4])[QUANTITY_NAMES.index(quantity)] == pytest.approx(value, rel=1e-12)
        difference = (whole - fixed.point(free - change)) / 2e-6
        assert fixed.derivatives(free) @ (change / 1e-6) == pytest.approx(difference, rel=1e-6, abs=1e-8)


def test_the_memory_of_noise_is_found_though_the_fit_has_followed_it() -> None:
    """Six scans of 300 points; a polynomial of 8 terms for each takes the slow part of the noise away."""
    rng, points, memory = np.random.default_rng(5), 300, 0.75
    basis = np.linalg.qr(np.vander(np.linspace(-1.0, 1.0, points), 8))[0]
    influence = [np.zeros((points, 48)) for _ in range(6)]
    for scan, part in enumerate(influence):
        part[:, 8 * scan : 8 * scan + 8] = basis
    before, after = [], []
    for _ in range(40):
        noise = rng.standard_normal((6, points + 200))
        for i in range(1, points + 200):
            noise[:, i] = memory * noise[:, i - 1] + np.sqrt(1.0 - memory**2) * noise[:, i]
        residuals = tuple(row - basis @ (basis.T @ row) for row in noise[:, 200:])
        time = correlation_time(residuals)
        own, variance = undone_by_fit(residuals, influence, time)
        before.append(time * np.mean([row.var() for row in residuals]))
        after.append(own * variance)
    true = (1.0 + memory) / (1.0 - memory)
    # of a mean of many independent values, the variance over that of white noise of the same size
    assert np.median(before) < 0.7 * true
    assert np.median(after) == pytest.approx(true, rel=0.1)


def test_white_noise_has_no_memory() -> None:
    rows = tuple(np.random.default_rng(1).standard_normal((6, 300)))
    assert correlation_time(rows) == 1.0
    assert undone_by_fit(rows, [np.zeros((300, 2))] * 6, 1.0)[0] == pytest.approx(1.0)
