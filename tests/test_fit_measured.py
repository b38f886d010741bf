"""Fits of heat flow as instruments record it: lines, bows, thermometers, noise that is smooth, programs that err."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measured_like import AS2SE3, CYCLES, PS, annealed, deviations, heat_flow, normalised

import lehr
from lehr.glass.fit import FitStatus, Nuisance, as_scans, fit_scans, likely_nuisance
from lehr.glass.fit.least_squares.model import ScanModel
from lehr.glass.fit.least_squares.statements import stated_otherwise, statements
from lehr.glass.scans import MeasuredScan, NormalisedScan, normalise
from lehr.glass.tnm import ThermalProgram
from lehr.glass.tnm.coordinates import Coordinates

WINDOW = {"PS": {"below": 45.0, "above": 25.0}, "As2Se3": {"below": 80.0, "above": 60.0}}
GLASSES = {"PS": PS, "As2Se3": AS2SE3}
FAR = 3.0  # standard errors: 0.3 % of all values by chance, and the seeds are fixed


def fit(scans: list[NormalisedScan], program: ThermalProgram, **changes: object) -> lehr.glass.fit.FitResult:
    """Fit with what is fitted by default, and changes to it."""
    return fit_scans(as_scans(scans, program), nuisance=replace(likely_nuisance(scans), **changes))


@pytest.mark.parametrize("slope", [0.0, -0.003, -0.006])
@pytest.mark.parametrize("name", ["PS", "As2Se3"])
@pytest.mark.parametrize("aged", [False, True])
def test_a_step_that_falls_with_temperature(name: str, slope: float, aged: bool) -> None:
    """CpN divides by the step at Tf; at T, dh was 13 to 17 standard errors off."""
    glass = GLASSES[name]
    program = annealed(glass) if aged else CYCLES
    result = fit(normalised(heat_flow(glass, program, slope=slope, **WINDOW[name])), program)
    assert np.abs(deviations(result, glass)).max() < FAR
    assert result.status is FitStatus.DETERMINED
    # the step that each scan shows is that of the glass, told about the middle of its own transition
    assert result.noise == pytest.approx(0.003, rel=0.1)


def test_dividing_at_the_temperature_is_another_model() -> None:
    """Eq. 3 of the paper, by name: where the step falls by 0.6 % a kelvin, its glass is many errors off."""
    scans = heat_flow(PS, slope=-0.006, **WINDOW["PS"])
    result = fit([normalise(scan, divide_at="temperature") for scan in scans], CYCLES)
    assert np.abs(deviations(result, PS)).max() > 5.0
    flat = heat_flow(PS, slope=0.0, **WINDOW["PS"])
    one, other = (fit([normalise(scan, divide_at=at) for scan in flat], CYCLES) for at in ("fictive", "temperature"))
    errors = np.array(list(one.standard_errors.values())[:5])
    assert (np.abs(one.values[:5] - other.values[:5]) < errors).all()


@pytest.mark.parametrize("program", [CYCLES, annealed(PS)], ids=["cycles", "annealed"])
def test_derivatives_by_all_that_may_be_wrong(program: ThermalProgram) -> None:
    """They are what differences of predictions at a tolerance of 1e-7 say, also where the engine has no exact ones."""
    scans = as_scans(normalised(heat_flow(PS, program, **WINDOW["PS"])), program).with_baselines
    nuisance = Nuisance("lines", True, 0.03, True, 1.0, 0.1, 0.1, 0.5, 0.1)
    model = ScanModel(scans, Coordinates(scans.middle), nuisance, 1e-7)
    point = np.concatenate([model.coordinates.theta(PS.as_tuple()), np.full(model.size - 4, 0.01)])
    point[4 + model.names.index("thermal_lag")] = 1.0
    jacobian, step = model.jacobian(point), 1e-4
    kinds = {"lines", "x", "beta"} | {term.kind for term in model.terms}
    assert {"curvature", "thermal_lag", "temperature_offset", "rate"} <= kinds
    for column in range(model.size):
        away = step * (np.arange(model.size) == column)
        numeric = (model.predict(point + away) - model.predict(point - away)) / (2.0 * step)
        # peaks of 20 that are 0.5 K wide: the difference over 2e-4 is itself right to 1e-3 of its largest
        assert np.abs(jacobian[:, column] - numeric).max() < 2e-3 * np.abs(numeric).max(), (["theta"] * 4, model.names)


def test_the_offset_is_known_as_well_as_it_was_said() -> None:
    """Scans cannot tell a thermometer that reads 1 K too high from another glass, and pretend to nothing."""
    glass = lehr.TNMParameters(-79.21, 38300 * 8.314462618, 0.57, 0.71)
    scans = normalised(heat_flow(glass, **WINDOW["As2Se3"]))
    result = fit(scans, CYCLES, temperature_offset=1.0)
    # they tell a little: by 1 K in 460 the widths of the transitions differ by 0.2 %
    assert 0.95 < result.standard_errors["temperature_offset"] <= 1.0
    assert 0.9 < result.standard_errors["glass_transition"] < 1.1


def test_thermometers_that_differ_from_scan_to_scan() -> None:
    """0.1 K is usual; trusted, it is a pattern in the residuals, and fitted, the glass is found."""
    offsets = 0.1 * np.random.default_rng(1).standard_normal(6)
    scans = normalised(heat_flow(PS, offset=offsets.tolist(), **WINDOW["PS"]))
    trusted, found = fit(scans, CYCLES, repeatability=0.0), fit(scans, CYCLES)
    assert trusted.status in (FitStatus.CORRELATED, FitStatus.MISFIT)
    assert found.status is FitStatus.DETERMINED
    assert np.abs(deviations(found, PS)).max() < FAR
    fitted = [value for name, value in zip(found.names, found.values, strict=True) if name[:-2] == "temperature_offset"]
    assert np.std(fitted - offsets) < 0.03  # but for what they have in common, which Tg takes
    assert found.standard_errors["x"] < 0.5 * trusted.standard_errors["x"]


@pytest.mark.parametrize("bow", [0.03, -0.03])
def test_a_baseline_that_bends(bow: float) -> None:
    """0.03 of the step at 50 K, one standard deviation of what is fitted by default."""
    scans = normalised(heat_flow(PS, bow=bow, **WINDOW["PS"]))
    assert np.abs(deviations(fit(scans, CYCLES), PS)).max() < FAR
    assert np.abs(deviations(fit(scans, CYCLES, curvature=0.0, repeatability=0.0), PS)).max() > FAR


@pytest.mark.parametrize("height", [0.2, 1.0, -0.5])
def test_a_settling_at_the_start(height: float) -> None:
    """6 s within a line of the glass of some 20 K: left out by the normalisation, and said."""
    scans = normalised(heat_flow(PS, settling=(height, 6.0), below=30.0, above=25.0))
    result = fit(scans, CYCLES)
    assert np.abs(deviations(result, PS)).max() < FAR
    # it falls by a factor of e in 1 K: what is left of 0.2 after 2.5 K is 0.016, beside noise of 0.003
    assert all(scan.glass.low > scan.measured.temperature[0] + 2.5 for scan in scans)


@pytest.mark.parametrize("smooth_points", [3.0, 8.0])
def test_smooth_noise_of_the_instrument_is_not_a_misfit(smooth_points: float) -> None:
    """Residuals in glass and liquid are as large; intervals hold, and the exit code is 0."""
    for seed in range(3):
        scans = normalised(heat_flow(PS, noise=0.015, smooth_points=smooth_points, seed=seed, below=60.0, above=35.0))
        result = fit(scans, CYCLES)
        assert result.status not in (FitStatus.MISFIT, FitStatus.NOT_CONVERGED)
        assert "glass and liquid are as large" in result.report()
        assert np.abs(deviations(result, PS)).max() < FAR
        assert result.standard_errors["x"] > 0.002  # white noise of that size would say 0.0007


def test_a_glass_that_tnm_cannot_follow_is_a_misfit() -> None:
    """Two glasses in one sample, 6 K apart, aged over five decades of time."""
    hours = (0.001, 0.1, 10.0, 100.0)
    program = annealed(PS, hours, 8.0)
    other = replace(PS, ln_A=-216.0 * 362.6 / 368.6 + 0.0)
    one, two = (heat_flow(glass, program, noise=0.003, below=50.0, above=35.0) for glass in (PS, other))
    tg = PS.glass_transition
    kelvin = np.arange(tg - 44.0, tg + 30.0, 0.25)
    mixed = [
        MeasuredScan(
            kelvin,
            0.5 * (np.interp(kelvin, a.temperature, a.signal) + np.interp(kelvin, b.temperature, b.signal)),
            "heat_flow", "W/g", None, 10.0, "made",
        )
        for a, b in zip(one, two, strict=True)
    ]  # fmt: skip
    result = fit(normalised(mixed), program)
    assert result.status is FitStatus.MISFIT
    assert "in the transition" in result.report()


@pytest.mark.parametrize("seed", [1, 2])
def test_thermometers_of_aged_scans(seed: int) -> None:
    """Errors of a difference count as information: Tg is known as the mean of three thermometers is, not better."""
    program = annealed(PS)
    scans = normalised(heat_flow(PS, program, slope=0.0, settling=(3.0, 6.0), seed=seed))
    result = fit(scans, program)
    assert result.standard_errors["glass_transition"] == pytest.approx(0.1 / np.sqrt(3.0), rel=0.03)
    assert np.abs(deviations(result, PS)).max() < 3


def test_what_the_program_says_wrongly_is_fitted_if_it_may_be() -> None:
    """A hold 0.5 K warmer than said was 20 standard errors of dh; the note names the hold."""
    said, done = annealed(PS), annealed(PS, below=11.5)
    scans = normalised(heat_flow(PS, done, **WINDOW["PS"]))
    trusted = fit(scans, said)
    assert np.abs(deviations(trusted, PS)).max() > 4.0
    assert "rest most on the temperature of the hold at 350.6 K" in trusted.report()
    result = fit(scans, said, hold_temperature_error=0.5)
    assert np.abs(deviations(result, PS)).max() < FAR
    found = dict(zip(result.names, result.values.tolist(), strict=True))["hold_temperature_1"]
    assert found == pytest.approx(0.5, abs=4.0 * result.standard_errors["hold_temperature_1"])
    assert "of what the program says, the fit finds:" in result.report()


def test_rates_that_are_wrong_by_a_tenth() -> None:
    rates = np.array([0.5, 1.0, 2.0, 5.0, 10.0, 20.0])
    wrong = rates * (1.0 + 0.1 * np.random.default_rng(5).standard_normal(6))
    scans = normalised(heat_flow(PS, ThermalProgram.chr_cycles(wrong.tolist()), **WINDOW["PS"]))
    assert np.abs(deviations(fit(scans, CYCLES), PS)).max() > FAR
    result = fit(scans, CYCLES, rate_error=0.1)
    assert np.abs(deviations(result, PS)).max() < FAR


def test_statements_of_a_program() -> None:
    program = annealed(PS, (1.0, 10.0))
    said = statements(program)
    assert [(each.kind, sorted(each.cycles)) for each in said] == [
        ("rate", [0, 1]), ("hold_time", [0]), ("hold_temperature", [0, 1]), ("hold_time", [1]),
    ]  # fmt: skip
    other = stated_otherwise(program, {said[2]: 0.5, said[0]: np.log(2.0), said[1]: np.log(3.0)})
    ramp, hold, down, up = other.cycles[0].segments
    assert ramp.to == pytest.approx(program.cycles[0].segments[0].to + 0.5)
    assert (ramp.rate, down.rate, up.rate) == pytest.approx((20.0, 20.0, 10.0))
    assert hold.seconds == pytest.approx(3 * 3600.0)
    assert other.cycles[1].segments[1] == program.cycles[1].segments[1]


def test_aged_scans_in_another_order() -> None:
    """Tf' cannot rise with the time of ageing."""
    program = annealed(PS)
    scans = normalised(heat_flow(PS, program, **WINDOW["PS"]))
    result = fit([scans[i] for i in (2, 1, 0)], program)
    assert result.status is FitStatus.MISFIT
    assert "it cannot rise, the scans may be in another order" in result.report()


def test_the_report_has_both_limiting_fictive_temperatures() -> None:
    scans = normalised(heat_flow(PS, **WINDOW["PS"]))
    result = fit(scans, CYCLES)
    by_area, by_model = result.record().measured_fictive_temperatures, result.fictive_temperatures
    # lines that were drawn on 10 K are 0.03 off, over a transition of 20 K
    assert np.abs(np.array(by_area) - by_model).max() < 1.0
    assert f"{by_area[0]:.2f}" in result.report()


def test_ageing_fits_find_their_minimum() -> None:
    """Peaks of 35 in CpN make the sum of squares rough; one of ten such fits ended beside the minimum."""
    program = annealed(PS)
    scans = normalised(heat_flow(PS, program, seed=1, **WINDOW["PS"]))
    result = fit(scans, program, curvature=0.0, repeatability=0.0)
    assert result.converged
    assert result.noise == pytest.approx(0.003, rel=0.1)


def test_a_peak_between_two_points_is_said() -> None:
    """PMMA after 100 h: a peak of 43 in CpN, 0.15 K wide, measured every 0.5 K."""
    glass = lehr.material("PMMA").parameters
    program = annealed(glass)
    result = fit(normalised(heat_flow(glass, program, slope=0.0, spacing=0.5, below=125.0, above=40.0)), program)
    assert any("lies between two points" in note.detail for note in result.notes)
