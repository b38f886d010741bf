"""Distortions of signals, by what they must conserve and by solutions in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import lehr
from lehr import LehrError
from lehr.glass.instrument import baseline_slope, first_order_lag, temperature_offset, thermal_lag, white_noise
from lehr.glass.scans.noise import white_noise_of
from lehr.glass.tnm import equal_area_temperature, glass_transition, ln_pre_exponential
from lehr.glass.tnm.transition import unsettled_points

TEMPERATURE = np.linspace(300.0, 700.0, 801)
RATES = np.array([10.0, 20.0])  # K/min
STEP = 0.5

Distortion = Callable[[np.ndarray, float], np.ndarray]
DISTORTIONS: dict[str, Distortion] = {
    "white_noise": lambda cpn, level: white_noise(cpn, level, seed=1, rows=range(len(cpn))),
    "thermal_lag": lambda cpn, level: thermal_lag(cpn, level, temperature=TEMPERATURE, heating_rate=RATES),
    "baseline_slope": lambda cpn, level: baseline_slope(cpn, level, temperature=TEMPERATURE),
    "temperature_offset": lambda cpn, level: temperature_offset(cpn, level, temperature=TEMPERATURE),
}


def transitions(dtype: type = np.float64) -> np.ndarray:
    """Three glasses, two scans each: a step from 0 to 1 with a peak of the area 20 K."""
    middle = np.array([[420.0, 425.0], [500.0, 508.0], [571.0, 580.0]])[..., None]
    step = 1 / (1 + np.exp(-(TEMPERATURE - middle) / 4))
    peak = 20 * np.exp(-0.5 * ((TEMPERATURE - middle - 5) / 6) ** 2) / (6 * np.sqrt(2 * np.pi))
    return (step + peak).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", DISTORTIONS)
def test_level_zero_is_the_same_to_the_bit_and_any_keeps_type_and_argument(name: str, dtype: type) -> None:
    cpn = transitions(dtype)
    before = cpn.copy()
    same, other = (DISTORTIONS[name](cpn, level) for level in (0.0, 1.0))
    assert same.tobytes() == before.tobytes() == cpn.tobytes()
    assert same is not cpn
    assert (same.dtype, other.dtype, other.shape) == (dtype, dtype, cpn.shape)
    assert np.abs(other - cpn).max() > 1e-3


@pytest.mark.parametrize("name", DISTORTIONS)
def test_single_precision_costs_no_more_than_its_rounding(name: str) -> None:
    single, double = (DISTORTIONS[name](transitions(dtype), 1.5) for dtype in (np.float32, np.float64))
    np.testing.assert_allclose(single, double, rtol=3e-7, atol=3e-7)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_samples_do_not_depend_on_their_batch(name: str) -> None:
    cpn = transitions()
    together = DISTORTIONS[name](cpn, 0.7)
    if name == "white_noise":
        alone = [white_noise(cpn[i : i + 1], 0.7, seed=1, rows=[i]) for i in range(3)]
    else:
        alone = [DISTORTIONS[name](cpn[i : i + 1], 0.7) for i in range(3)]
    np.testing.assert_array_equal(np.concatenate(alone), together)


def test_noise_has_the_moments_of_white_noise() -> None:
    clean = np.zeros((16, 6, 2000))
    noise = white_noise(clean, 0.01, seed=3, rows=np.arange(16))
    count = noise.size  # 192,000; the tolerances are four standard errors
    assert abs(noise.mean()) < 4 * 0.01 / np.sqrt(count)
    assert noise.std() == pytest.approx(0.01, rel=4 / np.sqrt(2 * count))
    assert abs((noise**4).mean() / 0.01**4 - 3) < 4 * np.sqrt(96 / count)
    for shifted in (noise[..., 1:] * noise[..., :-1], noise[:, 1:] * noise[:, :-1], noise[1:] * noise[:-1]):
        assert abs(shifted.mean()) < 4 * 0.01**2 / np.sqrt(shifted.size)


def test_noise_belongs_to_the_row_and_grows_with_the_level() -> None:
    clean = np.zeros((2, 6, 50))
    first = white_noise(clean, 1.0, seed=0, rows=[7, 9])
    np.testing.assert_array_equal(white_noise(clean, 1.0, seed=0, rows=[9, 7]), first[::-1])
    np.testing.assert_allclose(white_noise(clean, 0.2, seed=0, rows=[7, 9]), 0.2 * first)
    assert np.abs(white_noise(clean, 1.0, seed=1, rows=[7, 9]) - first).min() > 0


def test_lag_of_a_ramp_and_of_its_end_is_the_solution_of_the_equation() -> None:
    """s rises by 0.01/K from 350 K to 450 K. With L = q tau, y = s - 0.01 L (1 - exp(-(T - 350)/L)); then it decays."""
    tau = 7.3
    s = np.broadcast_to(np.clip(0.01 * (TEMPERATURE - 350), 0, 1), (1, 2, TEMPERATURE.size))
    y = thermal_lag(s, tau, temperature=TEMPERATURE, heating_rate=RATES)
    for cycle, lag in enumerate(RATES / 60 * tau):
        since = np.clip(TEMPERATURE - 350, 0, 100)
        expected = 0.01 * (since - lag * (1 - np.exp(-since / lag)))
        after = np.clip(TEMPERATURE - 450, 0, None)
        expected += (1 - expected[-1]) * (1 - np.exp(-after / lag))
        np.testing.assert_allclose(y[0, cycle], expected, atol=1e-13)


def test_lag_keeps_the_area_of_a_peak_and_moves_a_step_by_the_lag() -> None:
    peak = np.broadcast_to(np.exp(-0.5 * ((TEMPERATURE - 500) / 6) ** 2), (1, 2, TEMPERATURE.size))
    late = thermal_lag(peak, 5.0, temperature=TEMPERATURE, heating_rate=RATES)
    np.testing.assert_allclose(late.sum(axis=-1), peak.sum(axis=-1), rtol=1e-13)
    assert (late.argmax(axis=-1) > peak.argmax(axis=-1)).all()
    cpn = transitions()
    moved = thermal_lag(cpn, 5.0, temperature=TEMPERATURE, heating_rate=RATES)
    by = equal_area_temperature(moved, TEMPERATURE) - equal_area_temperature(cpn, TEMPERATURE)
    np.testing.assert_allclose(by, np.broadcast_to(RATES / 60 * 5.0, by.shape), rtol=1e-9)


def test_lags_commute() -> None:
    def lag(signals: np.ndarray, tau: float) -> np.ndarray:
        return thermal_lag(signals, tau, temperature=TEMPERATURE, heating_rate=RATES)

    cpn = transitions()
    np.testing.assert_allclose(lag(lag(cpn, 1.0), 5.0), lag(lag(cpn, 5.0), 1.0), atol=1e-12)


def test_equal_area_is_the_limiting_fictive_temperature() -> None:
    """The integral of CpN over a heating scan is T[last] - Tf'."""
    temperature = np.linspace(273.0, 673.0, 4001)
    limiting = np.empty((1, 6))
    cpn, _ = lehr.simulate_batch(
        [-83.2, 3.42e5, 0.7, 0.7], temperature=temperature, dtype="float64", limiting_fictive_temperature=limiting
    )
    np.testing.assert_allclose(equal_area_temperature(cpn, temperature), limiting, atol=5e-3)


def test_slope_is_one_line_for_all_scans_and_zero_in_the_middle_of_the_transition() -> None:
    cpn = transitions()
    line = baseline_slope(cpn, 0.03, temperature=TEMPERATURE) - cpn
    np.testing.assert_allclose(line[:, 0], line[:, 1], atol=1e-15)
    np.testing.assert_allclose(line[..., 200] - line[..., 0], 0.03, atol=1e-14)  # 200 points are 100 K
    middle = equal_area_temperature(cpn, TEMPERATURE).mean(axis=1)
    zero = [np.interp(0.0, row, TEMPERATURE) for row in line[:, 0]]
    np.testing.assert_allclose(zero, middle, atol=1e-9)
    back = baseline_slope(cpn, -0.03, temperature=TEMPERATURE) - cpn
    np.testing.assert_allclose(back, -line, atol=1e-15)


def test_offset_moves_the_signal_by_whole_points_exactly_and_by_others_smoothly() -> None:
    cpn = transitions()
    moved = temperature_offset(cpn, 4 * STEP, temperature=TEMPERATURE)
    np.testing.assert_allclose(moved[..., 4:], cpn[..., :-4], atol=1e-12)
    np.testing.assert_array_equal(moved[..., :4], np.broadcast_to(cpn[..., :1], (3, 2, 4)))
    middle = equal_area_temperature(cpn, TEMPERATURE)
    for offset in (-3.3, 0.12, 1.7):
        moved = temperature_offset(cpn, offset, temperature=TEMPERATURE)
        np.testing.assert_allclose(equal_area_temperature(moved, TEMPERATURE) - middle, offset, atol=1e-8)
    there_and_back = temperature_offset(moved, -1.7, temperature=TEMPERATURE)
    np.testing.assert_allclose(there_and_back, cpn, atol=2e-4)


@pytest.mark.parametrize("name", ["white_noise", "thermal_lag"])
@pytest.mark.parametrize("level", [-0.1, np.nan, np.inf])
def test_impossible_levels_are_refused(name: str, level: float) -> None:
    with pytest.raises(LehrError, match="out of range"):
        DISTORTIONS[name](transitions(), level)


@pytest.mark.parametrize("tau", [0.5, 6.0])
def test_lag_of_one_scan_is_that_of_a_rate(tau: float) -> None:
    """A lag in points, as the estimator learns from, and a time constant on a ramp are the same filter."""
    cpn = transitions()
    by_time = thermal_lag(cpn, tau, temperature=TEMPERATURE, heating_rate=RATES)
    for cycle, rate in enumerate(RATES):
        by_points = first_order_lag(cpn[:, cycle], tau * rate / 60.0 / STEP)
        np.testing.assert_allclose(by_points, by_time[:, cycle], rtol=1e-12)


def test_unsettled_points_are_those_of_all_cycles() -> None:
    cpn = np.array([[0.0, 0.0, 0.5, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.5, 1.0, 1.0]])
    assert unsettled_points(cpn, 0.01) == (2, 3)
    assert unsettled_points(cpn[1], 0.01) == (3, 3)
    assert unsettled_points(cpn[:, :2], 0.01) is None
    # liquid from the first point on, and glass up to the last but one
    assert unsettled_points(np.ones(5), 0.01) == (0, 4)


@pytest.mark.parametrize("differences", [2, 4])
def test_noise_of_a_curve_is_seen_beside_a_peak_and_spikes(differences: int) -> None:
    at = np.linspace(-3, 3, 6001)
    rng = np.random.default_rng(5)
    curve = np.exp(-(at**2)) + 0.02 * rng.standard_normal(at.size)
    curve[::100] += 9.0
    assert white_noise_of(curve, differences) == pytest.approx(0.02, rel=0.1)
    assert white_noise_of(curve[: 2 * differences], differences) == 0.0


def test_glass_transition_of_many_is_that_of_each() -> None:
    ln_a, delta_h = np.array([-79.21, -300.0, 5.0, -80.0]), np.array([318443.9, 8e5, 3e5, -1.0])
    found = glass_transition(ln_a, delta_h)
    for k in range(2):
        assert found[k] == lehr.TNMParameters(ln_a[k], delta_h[k], 0.5, 0.5).glass_transition
        assert ln_pre_exponential(delta_h[k], found[k]) == pytest.approx(ln_a[k], rel=1e-14)
    assert np.isnan(found[2:]).all()
