"""Derivatives of the signals against differences, identities and symmetries."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from slow_tails import SLOW_TAILS

import lehr
from lehr import Cycle, Hold, Jump, Ramp
from lehr.glass.tnm import GAS_CONSTANT, KWWKernel, Status
from lehr.glass.tnm.kww_table import RANGES

AS2SE3 = lehr.TNMParameters(-79.21, 318443.918, 0.57, 0.71)
WINDOW = np.linspace(300.0, 650.0, 1401)
ONE = lehr.ThermalProgram.chr_cycles([20.0])
CENTRAL = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
BACKWARD = {-4: 1 / 4, -3: -4 / 3, -2: 3.0, -1: -4.0, 0: 25 / 12}
ANNEALED = lehr.ThermalProgram(
    (
        Cycle((Ramp(430.0, 10.0), Hold(3600.0), Ramp("lowest", 5.0), Ramp("highest", 10.0))),
        Cycle((Jump(440.0), Hold(2e3), Jump(455.0), Hold(300.0), Jump(400.0), Hold(1e5), Ramp("highest", 20.0))),
    )
)


def differences(
    glass: lehr.TNMParameters,
    k: int,
    program: lehr.ThermalProgram,
    temperature: np.ndarray,
    stencil: dict[int, float] = CENTRAL,
) -> np.ndarray:
    """Differences of fourth order of signals at a tolerance of 1e-8; a step changes ln tau by about 0.03."""
    step = np.array([0.03, 0.03 * GAS_CONSTANT * glass.glass_transition, 0.006, 0.006])[k]
    rows = np.array([glass.as_tuple()] * len(stencil))
    rows[:, k] += step * np.array(list(stencil))
    cpn, status = lehr.simulate_batch(rows, program=program, temperature=temperature, dtype="float64", tolerance=1e-8)
    assert (status <= Status.WINDOW).all()
    return np.einsum("i,ijk->jk", np.array(list(stencil.values())) / step, cpn)


def largest_error(jacobian: np.ndarray, k: int, expected: np.ndarray) -> float:
    """Largest error of one derivative in units of its largest value."""
    return float(np.abs(jacobian[..., k] - expected).max() / np.abs(expected).max())


def glasses(count: int, seed: int) -> list[lehr.TNMParameters]:
    """Glasses anywhere in the state space, off its edges x = 1 and beta = 1, with peaks up to 6."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        delta_h, tg = rng.uniform(2e5, 12e5), rng.uniform(227.43, 1064.11)
        row = (log(100.0) - delta_h / (GAS_CONSTANT * tg), delta_h, *rng.uniform(0.2, 0.985, 2))
        if lehr.simulate(*row, program=ONE).cpn.max() <= 6:
            found.append(lehr.TNMParameters(*row))
    return found


def test_derivatives_against_differences_over_the_state_space() -> None:
    temperature = np.linspace(23.15, 1873.15, 3701)
    errors = []
    for glass in glasses(40, seed=21):
        s = lehr.simulate_sensitivities(glass, program=ONE, temperature=temperature)
        assert s.status == Status.OK
        assert s.jacobian.shape == (1, 3701, 4)
        errors.append([largest_error(s.jacobian, k, differences(glass, k, ONE, temperature)) for k in range(4)])
    # Up to 2e-3 of the largest derivative is the error of the kernel, docs/background/method.md. The rest is noise of
    # the differences: where a ramp ends its passage over the frozen glass changes from run to run, by 1e-5 in CpN.
    assert np.max(errors) < 5e-3
    assert (np.median(errors, axis=0) < 1e-3).all()


@pytest.mark.parametrize(
    ("glass", "temperature"),
    [*SLOW_TAILS.values(), *((AS2SE3, np.linspace(low, 650.0, 801)) for low in (400.0, 430.0, 445.0, 460.0, 475.0))],
)
def test_derivatives_where_cooling_ends_before_all_is_frozen(
    glass: lehr.TNMParameters, temperature: np.ndarray
) -> None:
    s = lehr.simulate_sensitivities(glass, program=ONE, temperature=temperature)
    # differences enlarge the noise where the ramp reaches the liquid
    inside = temperature < temperature[np.abs(s.cpn[0] - 1.0) > 1e-3][-1]
    for k in range(4):
        expected = differences(glass, k, ONE, temperature)[:, inside]
        assert (
            largest_error(s.jacobian[:, inside], k, expected) < 2e-3
        )  # the error of the kernel (docs/background/method.md)


def test_derivatives_in_holds_and_after_jumps() -> None:
    s = lehr.simulate_sensitivities(AS2SE3, program=ANNEALED, temperature=WINDOW)
    for k in range(4):
        assert largest_error(s.jacobian, k, differences(AS2SE3, k, ANNEALED, WINDOW)) < 2e-3


@pytest.mark.parametrize(("x", "beta", "k"), [(1.0, 0.71, 2), (0.6, 1.0, 3), (1.0, 1.0, 2), (1.0, 1.0, 3)])
def test_derivatives_at_the_edges_are_those_from_inside(x: float, beta: float, k: int) -> None:
    glass = lehr.TNMParameters(-79.21, 318443.918, x, beta)
    s = lehr.simulate_sensitivities(glass, program=ONE, temperature=WINDOW)
    # one-sided differences enlarge the noise where the ramp leaves the frozen glass and reaches the liquid
    inside = (WINDOW > 400.0) & (WINDOW < 530.0)
    expected = differences(glass, k, ONE, WINDOW, BACKWARD)[:, inside]
    assert largest_error(s.jacobian[:, inside], k, expected) < 2e-3


def test_derivatives_close_to_a_single_exponential_are_continuous() -> None:
    at, near = (
        lehr.simulate_sensitivities(lehr.TNMParameters(-79.21, 318443.918, 0.57, beta), program=ONE, temperature=WINDOW)
        for beta in (1.0, 1.0 - 1e-6)
    )
    scale = np.abs(at.jacobian).max(axis=(0, 1))
    assert (np.abs(at.jacobian - near.jacobian) < 1e-4 * scale).all()


@pytest.mark.parametrize("program", [ONE, ANNEALED], ids=["ramps", "holds and jumps"])
def test_area_is_the_derivative_of_tf(program: lehr.ThermalProgram) -> None:
    """The area under CpN is the temperature at its end less Tf'."""
    s = lehr.simulate_sensitivities(AS2SE3, program=program, temperature=np.linspace(300.0, 650.0, 7001))
    area = np.trapezoid(s.jacobian, s.temperature, axis=1)
    scale = np.abs(s.limiting_jacobian).max(axis=0)
    # what the window and the trapezoidal rule leave out
    assert (np.abs(area + s.limiting_jacobian) < 1e-3 * scale).all()
    signals = lehr.simulate(*AS2SE3.as_tuple(), program=program, temperature=s.temperature)
    assert s.limiting_fictive_temperature == pytest.approx(signals.fictive_temperature[:, 0], abs=1e-4)


def test_rates_and_pre_exponential_factor_scale_together() -> None:
    """CpN is a function of ln A + ln(rates): so are its derivatives, and that by ln A is the one by ln(rates)."""
    c = 1.7
    rates, heating = np.array([0.5, 20.0]), 10.0
    glass = lehr.TNMParameters(AS2SE3.ln_A + c, AS2SE3.delta_h, AS2SE3.x, AS2SE3.beta)
    one, other = (
        lehr.simulate_sensitivities(
            g, program=lehr.ThermalProgram.chr_cycles(rates * factor, heating * factor), temperature=WINDOW
        )
        for g, factor in ((AS2SE3, 1.0), (glass, np.exp(-c)))
    )
    scale = np.abs(one.jacobian).max(axis=(0, 1))
    assert (np.abs(one.jacobian - other.jacobian) < 1e-9 * scale).all()
    faster, slower = (
        lehr.simulate(
            *AS2SE3.as_tuple(),
            program=lehr.ThermalProgram.chr_cycles(rates * np.exp(step), heating * np.exp(step)),
            temperature=WINDOW,
            tolerance=1e-7,
        ).cpn
        for step in (0.01, -0.01)
    )
    assert largest_error(one.jacobian, 0, (faster - slower) / 0.02) < 2e-3


def test_temperature_and_energy_scale_together() -> None:
    """CpN(T; ln A, dh) = CpN(s T; ln A + ln s, s dh); differentiated by s, T dCpN/dT + d/d(ln A) + dh d/d(dh) = 0."""
    s, temperature = 1.8, np.linspace(300.0, 650.0, 7001)
    glass = lehr.TNMParameters(AS2SE3.ln_A + log(s), s * AS2SE3.delta_h, AS2SE3.x, AS2SE3.beta)
    one = lehr.simulate_sensitivities(AS2SE3, program=ONE, temperature=temperature, tolerance=1e-6)
    other = lehr.simulate_sensitivities(glass, program=ONE, temperature=s * temperature, tolerance=1e-6)
    scale = np.abs(one.jacobian).max(axis=(0, 1))
    assert (np.abs(one.jacobian - other.jacobian * [1.0, s, 1.0, 1.0]) < 1e-8 * scale).all()
    by_temperature = temperature * np.gradient(one.cpn[0], temperature)
    rest = by_temperature + one.jacobian[0, :, 0] + AS2SE3.delta_h * one.jacobian[0, :, 1]
    # CpN steps to 1 by 1e-5 where the liquid begins, which np.gradient sees
    assert np.abs(rest).max() < 3e-3 * np.abs(by_temperature).max()


@pytest.mark.parametrize("beta", [*np.round(np.arange(0.1, 1.0, 0.03), 2), 0.999, 1.0, *(r[1] for r in RANGES[:-1])])
def test_derivative_of_the_exponential_sum(beta: float) -> None:
    kernel, by_beta = KWWKernel.with_derivative(beta)
    assert np.array_equal(kernel.rates, by_beta.rates)
    if beta < 1:
        assert np.array_equal(kernel.weights, KWWKernel.of(beta).weights)
    u = np.geomspace(1e-3 / kernel.rates[-1], 1e3 / kernel.rates[0], 4001)
    power = np.minimum(u**beta, 700.0)
    assert np.abs(by_beta(u) + power * np.log(u) * np.exp(-power)).max() < 1.5e-5  # of 2.7 at most
    assert abs(by_beta.weights.sum()) < 2e-6  # the sum of the weights stays 1


def test_signals_are_those_of_simulate() -> None:
    # A few more modes are kept awake. At beta = 1 the sum takes other steps than the single exponential.
    for x, beta, bound in [(0.5, 0.25, 2e-6), (0.5, 0.71, 2e-6), (1.0, 0.95, 2e-6), (0.5, 1.0, 3e-4), (1.0, 1.0, 3e-4)]:
        glass = lehr.TNMParameters(-79.21, 318443.918, x, beta)
        s = lehr.simulate_sensitivities(glass, temperature=WINDOW)
        assert np.abs(s.cpn - lehr.simulate(*glass.as_tuple(), temperature=WINDOW).cpn).max() < bound


def test_batch_is_the_single_glass_and_a_bad_row_harms_no_other() -> None:
    rows = np.array([AS2SE3.as_tuple()] * 4)
    rows[1, 2], rows[2, 0], rows[3, 3] = 0.0, np.nan, 0.65
    cpn, jacobian, status = lehr.simulate_sensitivities_batch(rows, temperature=WINDOW, threads=3)
    assert status.tolist() == [Status.OK, Status.PARAMETER, Status.PARAMETER, Status.OK]
    assert np.isnan(cpn[1:3]).all()
    assert np.isnan(jacobian[1:3]).all()
    for i in (0, 3):
        s = lehr.simulate_sensitivities(lehr.TNMParameters(*rows[i]), temperature=WINDOW)
        assert np.array_equal(s.cpn, cpn[i])
        assert np.array_equal(s.jacobian, jacobian[i])


def test_statuses_and_refusals() -> None:
    cut = lehr.simulate_sensitivities(AS2SE3, temperature=np.linspace(460.0, 650.0, 101))
    assert cut.status == Status.WINDOW
    assert np.isfinite(cut.jacobian).all()
    with pytest.raises(lehr.LehrError, match="equidistant"):
        lehr.simulate_sensitivities(AS2SE3, temperature=[300.0, 301.0, 305.0])
    with pytest.raises(lehr.LehrError, match=r"\(n, 4\)"):
        lehr.simulate_sensitivities_batch(np.ones((3, 5)))
    with pytest.raises(lehr.LehrError, match="tolerance"):
        lehr.simulate_sensitivities(AS2SE3, tolerance=0.0)
