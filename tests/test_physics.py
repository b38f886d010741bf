"""The engine against reference values, identities, symmetries and an independent direct method."""

from __future__ import annotations

import json
from math import log
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from slow_tails import SLOW_TAILS

import lehr
from lehr.glass.tnm import GAS_CONSTANT, KWWKernel, Status, kww_table
from lehr.glass.tnm.kww import MAX_ERROR

REFERENCE = json.loads((Path(__file__).parent / "data/reference_cycles.json").read_text())["sets"]
AS2SE3 = lehr.TNMParameters(-79.21, 318443.918, 0.57, 0.71)


def random_parameters(count: int, seed: int) -> np.ndarray:
    """Quartets anywhere in the state space of Table 2, on and off the grid."""
    rng = np.random.default_rng(seed)
    delta_h, tg = rng.uniform(2e5, 12e5, count), rng.uniform(227.43, 1064.11, count)
    ln_a = log(100.0) - delta_h / (GAS_CONSTANT * tg)
    return np.stack([ln_a, delta_h, rng.uniform(0.2, 1.0, count), rng.uniform(0.2, 1.0, count)], axis=1)


@pytest.mark.parametrize("glass", REFERENCE, ids=lambda glass: glass["material"])
def test_converged_reference_values(glass: dict) -> None:
    temperature = np.linspace(250.0, 650.0, 40001)
    rates = [cycle["cooling_rate_K_per_min"] for cycle in glass["cycles"]]
    program = lehr.ThermalProgram.chr_cycles(rates, glass["heating_rate_K_per_min"])
    s = lehr.simulate(
        glass["ln_A"], glass["delta_h"], glass["x"], glass["beta"], program=program, temperature=temperature
    )
    for cpn, fictive, cycle in zip(s.cpn, s.fictive_temperature, glass["cycles"], strict=True):
        assert cpn.max() == pytest.approx(cycle["cpn_max"], abs=2e-4)  # digits of the table, 1e-4 each
        assert temperature[cpn.argmax()] == pytest.approx(
            cycle["peak_temperature_K"], abs=0.011
        )  # the grid step of 0.01 K
        assert fictive[0] == pytest.approx(cycle["fictive_temperature_K"], abs=5e-3)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-5])
def test_error_stays_below_the_tolerance(tolerance: float) -> None:
    parameters = random_parameters(60, seed=2)
    temperature = np.linspace(23.15, 1873.15, 3701)
    converged, _ = lehr.simulate_batch(parameters, temperature=temperature, dtype="float64", tolerance=1e-6)
    cpn, status = lehr.simulate_batch(parameters, temperature=temperature, dtype="float64", tolerance=tolerance)
    usual = converged.max(axis=(1, 2)) <= 6
    assert (status == Status.OK).all()
    assert usual.sum() > 40
    error = np.abs(cpn - converged)[usual]
    # ramps start and end where 1e-5 of the transition is left: below that the tolerance does not reach
    assert np.quantile(error, 0.999) < max(tolerance, 2e-5)
    assert error.max() < 3 * max(tolerance, 1e-5)


@pytest.mark.parametrize(("x", "beta"), [(0.57, 0.71), (0.9, 0.4), (0.4, 0.9), (1.0, 1.0)])
def test_direct_method_converges_to_the_engine(x: float, beta: float) -> None:
    glass = lehr.TNMParameters(-79.21, 318443.918, x, beta)
    high, low = 530.0, 330.0
    program = lehr.ThermalProgram.chr_cycles([10.0], 10.0)
    errors = []
    for step in (1.0, 0.5, 0.25):
        temperature, cpn, fictive = lehr.simulate_direct(glass, 10.0, 10.0, high=high, low=low, step=step)
        s = lehr.simulate(*glass.as_tuple(), program=program, temperature=np.linspace(low, high, 4001))
        errors.append(np.abs(cpn - np.interp(temperature, s.temperature, s.cpn[0])).max())
    # Eq. 4 in jumps is of first order: halving the jump halves the error, and the limit is the engine
    assert 1.6 < errors[0] / errors[1] < 2.6
    assert 1.6 < errors[1] / errors[2] < 2.6
    extrapolated = 2 * errors[2] - errors[1]
    assert abs(extrapolated) < 0.2 * errors[2]
    assert fictive[0] == pytest.approx(s.fictive_temperature[0, 0], abs=0.3)


def by_direct_method(
    glass: lehr.TNMParameters, rates: tuple[float, float], low: float, high: float, jumps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the jumps in K and Tf there, of two direct runs extrapolated to jumps of no size."""
    coarse, fine = (
        lehr.simulate_direct(glass, *rates, high=high, low=low, step=(high - low) / count)[2]
        for count in (jumps, 2 * jumps)
    )
    return np.linspace(low, high, jumps + 1), 2 * fine[::2] - coarse


@pytest.mark.parametrize("name", SLOW_TAILS)
def test_a_window_that_begins_in_the_slow_tail(name: str) -> None:
    glass, temperature = SLOW_TAILS[name]
    s, converged = (
        lehr.simulate(*glass.as_tuple(), temperature=temperature, tolerance=tolerance) for tolerance in (1e-4, 1e-6)
    )
    assert s.status == Status.OK
    # where cooling ends, CpN is below 1e-5; it turns there, and heating is half as fast as the fastest cooling
    assert np.abs(s.cpn[:, :5]).max() < 2e-5
    assert (
        np.abs(s.cpn - converged.cpn).max() < 2e-4
    )  # twice the tolerance, as docs/background/method.md says of single points
    size = 2 * (temperature[1] - temperature[0])
    ends, fictive = by_direct_method(glass, (20.0, 10.0), temperature[0], temperature[-1], len(temperature) // 2)
    engine = np.interp(ends, s.temperature, s.fictive_temperature[-1])
    # second order in the jump is left: with jumps of twice the size these are 2e-2
    assert np.abs(np.diff(engine - fictive)).max() < 1e-2 * size
    assert engine[0] == pytest.approx(fictive[0], abs=5e-3)


def test_a_window_may_begin_anywhere_from_the_deep_glass_to_the_transition() -> None:
    rng = np.random.default_rng(8)
    for ln_a, delta_h, x, beta in random_parameters(80, seed=8):
        glass = lehr.TNMParameters(ln_a, delta_h, x, beta if rng.random() < 0.5 else rng.uniform(0.1, 0.4))
        efold = GAS_CONSTANT * glass.glass_transition**2 / delta_h  # of tau, K
        low = max(glass.glass_transition - efold * rng.uniform(-3.0, 60.0), 20.0)
        high = glass.glass_transition + 12.0 * efold
        jumps = round(5.0 * (high - low) / efold)
        ends, fictive = by_direct_method(glass, (5.0, 10.0), low, high, jumps)
        rates = [5.0, *np.exp(rng.uniform(-3.0, 5.0, 2))]
        program = lehr.ThermalProgram.chr_cycles(rates, 10.0)
        s, converged = (
            lehr.simulate(*glass.as_tuple(), program=program, temperature=ends, tolerance=tolerance)
            for tolerance in (1e-4, 1e-7)
        )
        # CpN turns with the rate: it begins at up to -(cooling rate / heating rate)
        error = np.abs(s.cpn - converged.cpn) / np.maximum(np.abs(converged.cpn), 1.0)
        assert np.abs(s.cpn[:, 0] / np.maximum(np.array(rates) / 10.0, 1.0)).max() < 1.01
        if s.cpn.max() > 2:
            continue  # steep: the direct method needs smaller jumps
        assert error.max() < 3e-4
        # Tf at jumps of 0.2 efolds is left with second order, CpN with 0.2 ** (1 + beta) in the jump after the turn
        missed = np.abs(np.diff(s.fictive_temperature[0] - fictive)) / (ends[1] - ends[0])
        assert missed[0] < 0.1
        assert missed[1:].max() < 0.04
        assert np.abs(s.fictive_temperature[0] - fictive).max() < 0.04 * efold


@pytest.mark.parametrize("low", [560.0, 700.0])
def test_a_window_that_begins_in_the_liquid(low: float) -> None:
    program = lehr.ThermalProgram.chr_cycles([20.0, 0.5], 10.0)
    s = lehr.simulate(*AS2SE3.as_tuple(), program=program, temperature=np.linspace(low, low + 200.0, 401))
    assert s.status == Status.WINDOW
    # Tf follows T down, and still does when the heating begins; tau there is below 1 ms
    assert s.cpn[:, 0] == pytest.approx([-2.0, -0.05], abs=1e-4)
    assert s.cpn[:, 1:] == pytest.approx(1.0, abs=2e-5)
    assert s.fictive_temperature == pytest.approx(np.tile(s.temperature, (2, 1)), abs=1e-2)


def test_there_may_be_no_liquid() -> None:
    """A broad and slow transition that reaches up to delta_h / R: no temperature is hot enough to be left out."""
    glass = lehr.TNMParameters(-14.354, 168667.0, 0.2356, 0.1127)
    low, high, jumps = 2137.0, 4833.0, 800
    ends, fictive = by_direct_method(glass, (100.0, 10.0), low, high, jumps)
    s = lehr.simulate(
        *glass.as_tuple(), program=lehr.ThermalProgram.chr_cycles([100.0], 10.0), temperature=ends
    )  # fmt: skip
    assert s.fictive_temperature[0] == pytest.approx(fictive, abs=0.5)  # of a lag of 39 K where cooling ends


def test_linear_case_against_a_stiff_solver() -> None:
    """Check beta = 1 and x = 1, which is one linear equation: dTf/dt = (T - Tf) / tau(T)."""
    rate = 10.0 / 60.0
    glass = lehr.TNMParameters(-79.21, 318443.918, 1.0, 1.0)
    high, low = 520.0, 380.0

    def cool(t: float, tf: np.ndarray) -> np.ndarray:
        temperature = high - rate * t
        return (temperature - tf) / glass.relaxation_time(temperature, temperature)

    def heat(t: float, tf: np.ndarray) -> np.ndarray:
        temperature = low + rate * t
        return (temperature - tf) / glass.relaxation_time(temperature, temperature)

    duration = (high - low) / rate
    options = {"method": "Radau", "rtol": 1e-10, "atol": 1e-10}
    frozen = solve_ivp(cool, (0, duration), [high], **options).y[0, -1]
    temperature = np.linspace(low, high, 281)
    solution = solve_ivp(heat, (0, duration), [frozen], t_eval=(temperature - low) / rate, **options).y[0]
    program = lehr.ThermalProgram.chr_cycles([10.0], 10.0)
    s = lehr.simulate(*glass.as_tuple(), program=program, temperature=temperature)
    # 1e-4 in CpN over a transition of some 20 K
    assert np.abs(s.fictive_temperature[0] - solution).max() < 2e-3


def test_rates_and_pre_exponential_factor_scale_together() -> None:
    """(ln A, rates) -> (ln A + c, rates e^-c) leaves CpN(T) as it is."""
    c, temperature = 1.7, np.linspace(300.0, 650.0, 701)
    rates = np.array([0.5, 5.0, 20.0])
    one = lehr.simulate(
        *AS2SE3.as_tuple(), program=lehr.ThermalProgram.chr_cycles(rates, 10.0), temperature=temperature
    )
    other = lehr.simulate(
        AS2SE3.ln_A + c, AS2SE3.delta_h, AS2SE3.x, AS2SE3.beta,
        program=lehr.ThermalProgram.chr_cycles(rates * np.exp(-c), 10.0 * np.exp(-c)), temperature=temperature,
    )  # fmt: skip
    assert np.abs(one.cpn - other.cpn).max() < 1e-9  # the same steps, but for rounding


def test_temperature_and_energy_scale_together() -> None:
    """(T, dh, ln A) -> (s T, s dh, ln A + ln s) at fixed rates leaves CpN as it is."""
    s, temperature = 1.8, np.linspace(300.0, 650.0, 701)
    one = lehr.simulate(*AS2SE3.as_tuple(), temperature=temperature)
    other = lehr.simulate(AS2SE3.ln_A + log(s), s * AS2SE3.delta_h, AS2SE3.x, AS2SE3.beta, temperature=s * temperature)
    assert np.abs(one.cpn - other.cpn).max() < 1e-9
    assert np.abs(s * one.fictive_temperature - other.fictive_temperature).max() < 1e-6


def test_fictive_temperature_gives_the_activation_energy() -> None:
    """Moynihan et al. (1976): -d ln(q / Tf'^2) / d(1 / Tf') = dh / R; exact only in the limit of small RT/dh."""
    rates = np.array([0.5, 1.0, 2.0, 5.0, 10.0, 20.0])
    s = lehr.simulate(*AS2SE3.as_tuple())
    glassy = s.fictive_temperature[:, 0]
    slope = np.polyfit(1.0 / glassy, np.log(rates / glassy**2), 1)[0]
    assert -slope * GAS_CONSTANT == pytest.approx(AS2SE3.delta_h, rel=3e-3)


def test_area_is_the_change_of_fictive_temperature() -> None:
    s = lehr.simulate(*AS2SE3.as_tuple())
    area = np.trapezoid(s.cpn, s.temperature, axis=1)
    assert area == pytest.approx(s.temperature[-1] - s.fictive_temperature[:, 0], abs=0.01)


def test_slower_cooling_makes_a_denser_glass_and_a_higher_peak() -> None:
    s = lehr.simulate(*AS2SE3.as_tuple())
    assert (np.diff(s.fictive_temperature[:, 0]) > 0).all()
    assert (np.diff(s.cpn.max(axis=1)) < 0).all()


def test_whole_state_space_is_finite_and_complete() -> None:
    parameters = random_parameters(400, seed=1)
    temperature = np.linspace(23.15, 1873.15, 1851)
    cpn, status = lehr.simulate_batch(parameters, temperature=temperature)
    assert (status == Status.OK).all()
    assert np.isfinite(cpn).all()
    assert np.abs(cpn[:, :, 0]).max() < 1e-3
    assert np.abs(cpn[:, :, -1] - 1.0).max() < 2e-3
    assert cpn.min() > -1.0  # the exotherm after fast cooling at low x is no deeper


@pytest.mark.slow
def test_twenty_thousand_glasses() -> None:
    temperature = lehr.simulate(*AS2SE3.as_tuple()).temperature
    for seed in range(40):
        cpn, status = lehr.simulate_batch(random_parameters(500, seed=100 + seed), threads=2)
        assert (status == Status.OK).all()
        assert np.isfinite(cpn).all()
        assert np.abs(cpn[:, :, 0]).max() < 1e-3
        assert np.abs(cpn[:, :, -1] - 1.0).max() < 2e-3
    assert cpn.shape[2] == temperature.size


def test_area_over_the_state_space() -> None:
    for parameters in random_parameters(300, seed=3):
        s = lehr.simulate(*parameters)
        if s.cpn.max() <= 6:  # a sharper peak needs a finer grid for the trapezoidal rule
            area = np.trapezoid(s.cpn, s.temperature, axis=1)
            assert area == pytest.approx(s.temperature[-1] - s.fictive_temperature[:, 0], abs=0.01)


def test_corners_of_the_parameter_ranges() -> None:
    corners = [(tg, dh, x, b) for tg in (227.43, 1064.11) for dh in (2e5, 12e5) for x in (0.2, 1) for b in (0.2, 1)]
    parameters = [(log(100.0) - dh / (GAS_CONSTANT * tg), dh, x, b) for tg, dh, x, b in corners]
    cpn, status = lehr.simulate_batch(parameters, temperature=np.linspace(23.15, 1873.15, 3701))
    assert (status == Status.OK).all()
    assert np.isfinite(cpn).all()


def test_a_bad_row_harms_no_other() -> None:
    rows = np.array([AS2SE3.as_tuple()] * 4)
    rows[1, 2], rows[2, 0] = 0.0, np.nan
    cpn, status = lehr.simulate_batch(rows, temperature=np.linspace(300.0, 650.0, 351))
    assert status.tolist() == [Status.OK, Status.PARAMETER, Status.PARAMETER, Status.OK]
    assert np.isnan(cpn[1:3]).all()
    assert np.array_equal(cpn[0], cpn[3])


@pytest.mark.parametrize(("low", "high"), [(460.0, 650.0), (300.0, 465.0)], ids=["no glass", "no liquid"])
def test_a_window_that_cuts_the_transition_has_a_status(low: float, high: float) -> None:
    s = lehr.simulate(*AS2SE3.as_tuple(), temperature=np.linspace(low, high, 101))
    assert s.status == Status.WINDOW
    assert "window" in s.status.message


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"x": 1.2}, "x = 1.2"),
        ({"x": 0.0}, "x = 0.0"),
        ({"beta": 0.05}, "beta = 0.05"),
        ({"delta_h": -1.0}, "delta_h"),
        ({"ln_A": float("nan")}, "ln_A"),
        ({"ln_A": 10.0}, "ln_A"),
    ],
)
def test_bad_parameters_are_named(changes: dict[str, float], named: str) -> None:
    good = {"ln_A": -79.21, "delta_h": 318443.9, "x": 0.57, "beta": 0.71}
    with pytest.raises(lehr.LehrError, match=named):
        lehr.simulate(**{**good, **changes})


def test_bad_programs_and_temperatures_are_refused() -> None:
    with pytest.raises(lehr.LehrError, match="rate -1"):
        lehr.ThermalProgram.chr_cycles([-1.0])
    with pytest.raises(lehr.LehrError, match="one cycle"):
        lehr.ThermalProgram.chr_cycles([])
    with pytest.raises(lehr.LehrError, match="equidistant"):
        lehr.simulate(*AS2SE3.as_tuple(), temperature=[300.0, 301.0, 305.0])
    with pytest.raises(lehr.LehrError, match=r"\(n, 4\)"):
        lehr.simulate_batch(np.ones((3, 5)))


@pytest.mark.parametrize("beta", [*np.round(np.arange(0.2, 1.0, 0.02), 2), 0.1, 0.117, 0.1301, 0.4401, 0.7003, 0.999])
def test_exponential_sum(beta: float) -> None:
    kernel = KWWKernel.of(beta)
    u = np.concatenate([[0.0], np.geomspace(1e-3 / kernel.rates[-1], 1e3 / kernel.rates[0], 4001)])
    assert np.abs(kernel(u) - np.exp(-(u**beta))).max() < MAX_ERROR
    assert np.allclose(kernel.rates[kernel.chains :] / kernel.rates[: -kernel.chains], 2.0)
    assert np.abs(kernel.weights).sum() < 2.0  # weights of either sign do not cancel each other
    assert kernel.mean_time == pytest.approx((kernel.weights / kernel.rates).sum(), rel=1e-3)
    assert kernel.terms == kernel.weights.size <= 281


def test_single_exponential_is_exact() -> None:
    kernel = KWWKernel.of(1.0)
    assert (kernel.rates, kernel.weights) == (np.ones(1), np.ones(1))
    nearly = KWWKernel.of(1.0 - 1e-9)
    u = np.geomspace(1e-6, 50.0, 1001)
    assert np.abs(nearly(u) - np.exp(-u)).max() < 2e-9


def test_shipped_table_is_what_its_script_makes() -> None:
    u = np.geomspace(1e-6, 1e4, 501)
    made = kww_table.make()
    for i, (first, last, _) in enumerate(kww_table.RANGES):
        for beta, weights in zip(kww_table.chebyshev(first, last), made[f"weights_{i}"], strict=True):
            shipped = KWWKernel.of(beta)
            assert np.array_equal(shipped.rates, made[f"rates_{i}"])
            # weights may differ where they cancel, by the last bits of the linear algebra; the sums may not
            assert np.abs(shipped(u) - np.exp(-np.outer(u, shipped.rates)) @ weights).max() < 1e-10


def test_materials_are_shipped_with_sources() -> None:
    table = lehr.load_materials()
    glass = lehr.material("As2Se3")
    assert glass.name == "As2Se3 (volume)"
    assert glass.parameters.delta_h == pytest.approx(318443.918, rel=1e-6)
    assert all(row.source and row.certainty for row in table.values())
    with pytest.raises(lehr.LehrError, match="no glass 'unobtainium'"):
        lehr.material("unobtainium")
