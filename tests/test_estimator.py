"""The estimator that comes with lehr: what it must not depend on, and what it reaches."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from lehr.errors import LehrError
from lehr.glass.estimator import estimate
from lehr.glass.estimator.constants import CONDITIONS, FEATURES, OUTPUTS
from lehr.glass.estimator.network import forward, inverse_root, load_weights, read_weights
from lehr.glass.estimator.windows import bin_averages, interpolate, refine, settle, window_of
from lehr.glass.fit import Scans, initial_estimate
from lehr.glass.materials import Material, load_materials
from lehr.glass.tnm import Cycle, Hold, Ramp, Signals, ThermalProgram, TNMParameters, simulate

GLASS = TNMParameters(-100.0, 4.0e5, 0.4, 0.6)


@pytest.fixture(scope="module")
def signals() -> Signals:
    middle = GLASS.glass_transition
    return simulate(*GLASS.as_tuple(), temperature=np.linspace(middle - 120, middle + 120, 2401))


def scans_of(signals: Signals, cpn: np.ndarray | None = None) -> Scans:
    return Scans.of(signals.temperature, np.asarray(signals.cpn if cpn is None else cpn, float), signals.program)


def scaled(program: ThermalProgram, factor: float) -> ThermalProgram:
    cycles = []
    for cycle in program.cycles:
        segments = tuple(replace(s, rate=s.rate * factor) if isinstance(s, Ramp) else s for s in cycle.segments)
        cycles.append(Cycle(segments, cycle.start))
    return ThermalProgram(tuple(cycles))


def test_rates_scale_with_a(signals: Signals) -> None:
    """(ln A, rates) -> (ln A + c, rates e^-c) leaves the scans as they are; so must the estimate say."""
    scans = scans_of(signals)
    one, two = estimate(scans), estimate(Scans(scans.scans, scaled(scans.program, np.exp(-3.0))))
    expected = np.add(one.mean.as_tuple(), [3.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(two.mean.as_tuple(), expected, rtol=1e-5)
    np.testing.assert_allclose(two.standard_errors[:4], one.standard_errors[:4], rtol=1e-4)


def test_temperatures_scale_with_dh(signals: Signals) -> None:
    """(T, dh, A) -> s (T, dh, A) at the same rates leaves the scans as they are."""
    one = estimate(scans_of(signals))
    two = estimate(Scans.of(1.7 * signals.temperature, np.asarray(signals.cpn, float), signals.program))
    ln_a, delta_h, x, beta = one.mean.as_tuple()
    np.testing.assert_allclose(two.mean.as_tuple(), [ln_a + np.log(1.7), 1.7 * delta_h, x, beta], rtol=1e-5)
    np.testing.assert_allclose(two.standard_errors[2:4], one.standard_errors[2:4], rtol=1e-4)


def test_order_of_scans_says_nothing(signals: Signals) -> None:
    order = [3, 0, 5, 1, 4, 2]
    scans = scans_of(signals)
    program = ThermalProgram(tuple(scans.program.cycles[k] for k in order))
    other = Scans(tuple(scans.scans[k] for k in order), program)
    np.testing.assert_allclose(estimate(other).theta, estimate(scans).theta, atol=1e-5)


def test_window_moves_little_with_noise_and_offset(signals: Signals) -> None:
    rng = np.random.default_rng(1)
    cpn = np.asarray(signals.cpn, float)
    clean = window_of([(signals.temperature, scan) for scan in cpn])
    noisy = [cpn + 0.05 * rng.standard_normal(cpn.shape) for _ in range(5)]
    for changed, centre, width in [
        *((scans, 0.01, 0.05) for scans in noisy),
        (cpn + 0.02, 0.03, 0.15),
        (cpn - 0.02, 0.03, 0.15),
    ]:
        window = window_of([(signals.temperature, scan) for scan in changed])
        assert abs(window.centre - clean.centre) < centre * clean.width
        assert abs(window.width / clean.width - 1) < width
    assert window_of([(signals.temperature, scan) for scan in cpn]).noise < 1e-4


@pytest.mark.parametrize("unsettled", [0.005, 0.02])
def test_scans_that_end_in_a_tail_have_the_same_window(signals: Signals, unsettled: float) -> None:
    """Glass and liquid go on beyond the ends; a window that grew into them once was three times as wide."""
    cpn = np.asarray(signals.cpn, float)
    low = int(np.argmax((np.abs(cpn) > unsettled).any(axis=0)))
    high = cpn.shape[1] - int(np.argmax((np.abs(cpn - 1) > unsettled).any(axis=0)[::-1]))
    whole = window_of([(signals.temperature, scan) for scan in cpn])
    short = window_of([(signals.temperature[low:high], scan[low:high]) for scan in cpn])
    assert abs(short.centre - whole.centre) < 1e-3 * whole.width
    assert abs(short.width / whole.width - 1) < 1e-3
    np.testing.assert_allclose(short.scans, whole.scans, atol=unsettled)


def test_windows_of_training_are_those_of_use(signals: Signals) -> None:
    """From another start and other points, the same window; what is learnt of one is true of the other."""
    cpn = np.asarray(signals.cpn, float)
    one = window_of([(signals.temperature, scan) for scan in cpn])
    at = np.linspace(one.centre - 2.1 * one.width, one.centre + 1.6 * one.width, 288)
    points = np.stack([interpolate(signals.temperature, scan, at) for scan in cpn])[None].astype(np.float32)
    centre, width, scans = settle(bin_averages(points), *refine(points))
    step = at[1] - at[0]
    np.testing.assert_allclose(at[0] + step * centre, one.centre, atol=2e-4 * one.width)
    np.testing.assert_allclose(step * width, one.width, rtol=5e-4)
    np.testing.assert_allclose(scans[0], one.scans, atol=2e-3)


def test_curves_stay_as_they_are_beyond_their_points() -> None:
    points = np.array([[[0.25, 0.5, 1.0, 1.0, 0.75]]], np.float32)
    found = bin_averages(points)(np.array([[-9.0, -1.0, 0.0, 4.0, 5.0, 30.0]]))
    np.testing.assert_allclose(found[0, 0, [0, 1, 3, 4]], [0.25, 0.25, 0.75, 0.75], atol=1e-6)


def test_noise_is_seen(signals: Signals) -> None:
    rng = np.random.default_rng(2)
    noisy = np.asarray(signals.cpn, float) + 0.05 * rng.standard_normal(signals.cpn.shape)
    assert (estimate(scans_of(signals, noisy)).standard_errors > estimate(scans_of(signals)).standard_errors).all()


@pytest.mark.parametrize("material", load_materials().values(), ids=lambda material: material.name)
def test_materials_within_stated_errors(material: Material) -> None:
    glass = material.parameters
    kelvin = glass.glass_transition + np.linspace(-0.35, 0.25, 1501) * glass.glass_transition
    signals = simulate(*glass.as_tuple(), temperature=kelvin)
    found = estimate(scans_of(signals))
    error = found.theta - found.coordinates.theta(glass.as_tuple())
    assert error @ np.linalg.solve(found.theta_covariance, error) < 23.5  # chi squared of 4: 1 of 10,000 is above
    assert abs(found.mean.glass_transition - glass.glass_transition) < 0.01 * glass.glass_transition


def test_any_number_of_scans(signals: Signals) -> None:
    scans = scans_of(signals)
    for count in (1, 2, 6):
        found = estimate(Scans(scans.scans[:count], ThermalProgram(scans.program.cycles[:count])))
        assert np.isfinite(found.covariance).all()
        assert abs(found.mean.glass_transition - GLASS.glass_transition) < 3.0


def test_first_start_of_a_fit(signals: Signals) -> None:
    scans = scans_of(signals)
    starts = initial_estimate(scans, 3)
    assert starts.shape == (3, 4)
    np.testing.assert_allclose(starts[0], estimate(scans).mean.as_tuple())


def test_numpy_is_keras() -> None:
    from lehr.glass.estimator.layers import build_estimator, estimator_weights

    network = build_estimator(24, 32)
    rng = np.random.default_rng(3)
    scans = rng.normal(size=(5, 4, FEATURES)).astype(np.float32)
    conditions = rng.normal(size=(5, CONDITIONS)).astype(np.float32)
    kept = forward(estimator_weights(network), scans, conditions)
    np.testing.assert_allclose(kept, np.asarray(network([scans, conditions])), atol=1e-5)


def test_likelihood_is_that_of_the_covariance() -> None:
    from lehr.glass.estimator.layers import negative_log_likelihood

    rng = np.random.default_rng(4)
    outputs, truth = 0.5 * rng.normal(size=(3, OUTPUTS)), rng.normal(size=(3, 4))
    root = inverse_root(outputs)
    error, covariance = truth - outputs[:, :4], root @ root.transpose(0, 2, 1)
    expected = 0.5 * np.einsum("ni,nij,nj->n", error, np.linalg.inv(covariance), error)
    expected += 0.5 * np.linalg.slogdet(covariance)[1]
    found = np.asarray(negative_log_likelihood(truth.astype(np.float32), outputs.astype(np.float32)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_weights_are_small_and_say_where_they_come_from() -> None:
    with resources.as_file(resources.files("lehr.glass.estimator") / "estimator.npz") as path:
        assert path.stat().st_size < 5e6
        weights, record = read_weights(path)
    assert set(weights) == set(load_weights())
    assert {"digest", "seed", "errors", "versions"} <= set(record)


def test_scans_that_it_cannot_take(signals: Signals) -> None:
    scans = scans_of(signals)
    held = Cycle((*scans.program.cycles[0].segments[:1], Hold(60.0), *scans.program.cycles[0].segments[1:]))
    with pytest.raises(LehrError, match="cycle 1 does not just cool and heat"):
        estimate(Scans(scans.scans[:1], ThermalProgram((held,))))
    with pytest.raises(LehrError, match="does not go from 0 to 1"):
        estimate(scans_of(signals, np.ones(signals.cpn.shape)))
    slow = Cycle((Ramp("lowest", 1e-5), Ramp("highest", 10.0)))
    with pytest.raises(LehrError, match="a rate is"):
        estimate(Scans(scans.scans[:1], ThermalProgram((slow,))))


def test_training_learns(tmp_path: Path) -> None:
    from lehr.glass.estimator.config import load_estimator_config
    from lehr.glass.estimator.training import train_estimator

    written = tmp_path / "tiny.yaml"
    written.write_text(
        f"output: {tmp_path}\nglasses: 150\nvalidation: 20\nsteps: 40\nbatch_size: 64\nwidth: 32\nhead: 32\n"
    )
    config = load_estimator_config(written)
    weights, record = read_weights(train_estimator(config))
    assert record["digest"] == config.digest()
    assert record["errors"]["0.0"]["median"][2] < 0.2  # of x; guessing its mean gives 0.23
    assert weights["output/kernel"].shape == (32, OUTPUTS)
