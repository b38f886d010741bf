"""Reading glasses from scans: recovery, uncertainties, what the instrument does, what the data cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

import lehr
from lehr import signals
from lehr.fitting import Nuisance, Scans, cramer_rao, fisher_information, fit_scans
from lehr.fitting.coordinates import Coordinates
from lehr.physics import GAS_CONSTANT

AS2SE3 = lehr.material("As2Se3").parameters
PROGRAM = lehr.ThermalProgram.chr_cycles()


def random_glasses(count: int, seed: int) -> list[tuple[lehr.TNMParameters, lehr.Signals]]:
    """Glasses of the whole state space with CpN,max <= 6, simulated on 900 points around their transitions."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        delta_h, glass_transition = rng.uniform(2e5, 12e5), rng.uniform(227.43, 1064.11)
        ln_a = np.log(100.0) - delta_h / (GAS_CONSTANT * glass_transition)
        glass = lehr.TNMParameters(ln_a, delta_h, *rng.uniform(0.2, 1.0, 2).tolist())
        # the widest transitions, at beta = 0.2, take 60 units of R Tg^2/dh
        unit = GAS_CONSTANT * glass_transition**2 / delta_h
        low, high = max(glass_transition - 40 * unit, 10.0), glass_transition + 20 * unit
        scans = lehr.simulate(*glass.as_tuple(), temperature=np.linspace(low, high, 900))
        if scans.cpn.max() <= 6 and scans.status == lehr.Status.OK:
            found.append((glass, scans))
    return found


def noisy(scans: lehr.Signals, noise: float, seed: int) -> Scans:
    rng = np.random.default_rng(seed)
    return Scans.of(scans.temperature, scans.cpn + noise * rng.standard_normal(scans.cpn.shape), scans.program)


def errors(result: lehr.fitting.FitResult, glass: lehr.TNMParameters) -> np.ndarray:
    return np.asarray(result.parameters.as_tuple()) - glass.as_tuple()


def test_coordinates_go_there_and_back() -> None:
    coordinates = Coordinates(450.0)
    theta = coordinates.theta(AS2SE3.as_tuple())
    assert coordinates.parameters(theta) == pytest.approx(AS2SE3.as_tuple(), rel=1e-13)
    for k, step in enumerate(np.diag([1e-6] * 4)):
        difference = (coordinates.values(theta + step) - coordinates.values(theta - step)) / 2e-6
        assert coordinates.derivatives(theta)[:, k] == pytest.approx(difference, rel=1e-6, abs=1e-7)


def test_bound_of_as2se3() -> None:
    """The bound at noise 0.01 on the paper's grid: 0.2 kJ/mol, 0.05, 0.0004, 0.0004; and Tg to some mK."""
    bound = cramer_rao(AS2SE3, noise=0.01)
    assert bound.delta_h == pytest.approx(200.0, rel=0.1)
    assert bound.ln_A == pytest.approx(0.05, rel=0.1)
    assert (bound.x, bound.beta) == pytest.approx((0.0004, 0.0004), rel=0.2)
    assert 0.002 < bound.glass_transition < 0.005
    assert np.array(cramer_rao(AS2SE3, noise=0.02)) == pytest.approx(2 * np.array(bound), rel=1e-9)
    # a coarser grid says less, as the square root of the number of points
    coarse = cramer_rao(AS2SE3, temperature=np.arange(300.0, 600.0, 0.4), noise=0.01)
    assert np.array(coarse) == pytest.approx(2 * np.array(bound), rel=0.02)


def test_information_is_the_sum_of_that_of_the_scans() -> None:
    grid = np.arange(380.0, 520.0, 0.5)
    one = fisher_information(AS2SE3, lehr.ThermalProgram.chr_cycles([1.0]), grid)
    other = fisher_information(AS2SE3, lehr.ThermalProgram.chr_cycles([20.0]), grid)
    both = fisher_information(AS2SE3, lehr.ThermalProgram.chr_cycles([1.0, 20.0]), grid)
    assert (one + other).bound == pytest.approx(both.bound, rel=1e-3)
    assert one.matrix + other.matrix == pytest.approx(both.matrix, rel=1e-3)
    assert np.sqrt(np.diag(np.linalg.inv(both.matrix)))[2:] == pytest.approx([both.bound.x, both.bound.beta], rel=1e-3)
    assert both.log_volume < one.log_volume


def test_glasses_of_the_whole_state_space_come_back() -> None:
    """Without noise, from a start that is off, and from none: 1e-3 of each parameter."""
    rng = np.random.default_rng(11)
    for glass, scans in random_glasses(15, seed=3):
        coordinates = Coordinates(glass.glass_transition)
        theta = coordinates.theta(glass.as_tuple()) + np.array([0.15, 0.5, 0.08, 0.08]) * rng.uniform(-1, 1, 4)
        start = coordinates.parameters(np.clip(theta, -np.inf, [np.inf, np.inf, 1.0, 1.0]))
        for starts in (start, None):
            error = errors(fit_scans(Scans.from_signals(scans), starts=starts), glass)
            assert (np.abs(error) < 1e-3 * np.abs(glass.as_tuple())).all(), glass


def test_scatter_is_that_of_the_bound() -> None:
    """Noise of 0.01: normalised errors of 100 fits follow chi-square, and standard errors are the bound."""
    distances = []
    for number, (glass, scans) in enumerate(random_glasses(25, seed=4)):
        bound = cramer_rao(glass, temperature=scans.temperature, noise=0.01)
        for repeat in range(4):
            result = fit_scans(noisy(scans, 0.01, seed=100 * number + repeat))
            assert result.noise == pytest.approx(0.01, rel=0.1)
            assert list(result.standard_errors.values()) == pytest.approx(list(bound), rel=0.2)
            error = result.point[:4] - result.objective.model.coordinates.theta(glass.as_tuple())
            distances.append(error @ np.linalg.solve(result.theta_covariance, error))
    # the sum has mean 400 and standard deviation 28
    assert sum(distances) == pytest.approx(400, abs=4 * 28)
