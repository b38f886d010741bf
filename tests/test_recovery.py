"""Relaxation at constant temperature: Tf after holds of many lengths, and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from test_relaxation_models import ADAM_GIBBS, MAP, STEPS

import lehr
from lehr import Cycle, Hold, Jump, Ramp
from lehr.glass.tnm import RelaxationModel, ThermalProgram, simulate_recovery

AS2SE3 = lehr.TNMParameters(-79.21, 318443.918, 0.57, 0.71)
TG = AS2SE3.glass_transition
COOLED = Cycle((Ramp(TG - 12.0, 10.0),), start=TG + 60.0)
HOURS = np.array([0.0, 0.1, 1.0, 10.0, 100.0])
each = pytest.mark.parametrize("glass", [AS2SE3, ADAM_GIBBS, MAP], ids=["tnm", "adam-gibbs", "map"])


@each
def test_many_times_at_once_are_a_cycle_each(glass: RelaxationModel) -> None:
    recovery = simulate_recovery(glass, COOLED, 3600.0 * HOURS, tolerance=1e-5)
    for hours, tf, by in zip(HOURS[1:], recovery.fictive_temperature[1:], recovery.jacobian[1:], strict=True):
        # the scan follows by jumps to the window, in which nothing relaxes
        cycle = Cycle((*COOLED.segments, Hold(3600.0 * hours), Jump("lowest"), Ramp("highest", 60.0)), start=TG + 60.0)
        s = lehr.simulate_sensitivities(
            glass, program=ThermalProgram((cycle,)), temperature=np.linspace(250.0, 560.0, 63), tolerance=1e-5
        )
        assert tf == pytest.approx(s.limiting_fictive_temperature[0], abs=2e-3)
        error = np.abs(by - s.limiting_jacobian[0]) / np.abs(recovery.jacobian).max(axis=0)
        assert (error < 1e-3).all()


@each
def test_derivatives_against_differences(glass: RelaxationModel) -> None:
    recovery = simulate_recovery(glass, COOLED, 3600.0 * HOURS)
    steps = STEPS.get(glass, (0.03, 100.0, 0.006, 0.006))
    assert recovery.jacobian.shape == (HOURS.size, len(glass.names()))
    for k, step in enumerate(steps):
        values = []
        for sign in (1.0, -1.0):
            row = list(glass.as_tuple())
            row[k] += sign * step
            values.append(simulate_recovery(type(glass)(*row), COOLED, 3600.0 * HOURS, tolerance=1e-7))
        expected = (values[0].fictive_temperature - values[1].fictive_temperature) / (2.0 * step)
        assert recovery.jacobian[:, k] == pytest.approx(expected, rel=5e-3, abs=2e-3 * np.abs(expected).max())
        assert np.array_equal(recovery.recovered_jacobian, recovery.jacobian[0] - recovery.jacobian)


def test_a_linear_glass_recovers_by_the_kww_function() -> None:
    glass = lehr.TNMParameters(-79.21, 318443.918, 1.0, 0.6)
    jumped = Cycle((Jump(TG - 8.0),), start=TG)
    tau = glass.relaxation_time(TG - 8.0, TG)
    seconds = tau * np.array([3.0, 0.01, 0.3, 0.1, 1.0, 30.0])  # in any order
    recovery = simulate_recovery(glass, jumped, seconds, tolerance=1e-5)
    assert recovery.start == pytest.approx(TG, abs=1e-5)
    u = seconds / tau
    assert recovery.recovered == pytest.approx(8.0 * (1.0 - np.exp(-(u**0.6))), abs=5e-4)
    # u^beta exp(-u^beta) times -beta by ln tau, and times ln u by beta
    power = u**0.6
    assert recovery.jacobian[:, 0] == pytest.approx(8.0 * 0.6 * power * np.exp(-power), abs=2e-3)
    assert recovery.jacobian[:, 3] == pytest.approx(-8.0 * np.log(u) * power * np.exp(-power), abs=2e-3)


def test_times_are_checked_and_may_repeat() -> None:
    recovery = simulate_recovery(AS2SE3, COOLED, [60.0, 0.0, 60.0])
    assert recovery.fictive_temperature[0] == recovery.fictive_temperature[2] < recovery.start
    assert recovery.fictive_temperature[1] == recovery.start
    assert simulate_recovery(AS2SE3, COOLED, [0.0]).start == pytest.approx(recovery.start, abs=1e-9)
    for seconds in ([], [-1.0], [np.inf], [[1.0]]):
        with pytest.raises(lehr.LehrError, match="times of a hold"):
            simulate_recovery(AS2SE3, COOLED, seconds)
    with pytest.raises(lehr.LehrError, match="nan K"):
        simulate_recovery(AS2SE3, Cycle((Ramp("lowest", 10.0),), start=500.0), [1.0])
