"""Thermal programs beyond cooling and heating: jumps, holds, ageing, memory."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

import lehr
from lehr import Cycle, Hold, Jump, Ramp
from lehr.glass.tnm import GAS_CONSTANT, Status

AS2SE3 = lehr.TNMParameters(-79.21, 318443.918, 0.57, 0.71)
TG = AS2SE3.glass_transition
WINDOW = np.linspace(300.0, 650.0, 3501)


def after_jump(glass: lehr.TNMParameters, start: float, to: float, seconds: float) -> lehr.History:
    """Equilibrium, a jump, a hold; without the node before the jump."""
    return lehr.simulate_history(glass, Cycle((Jump(to), Hold(seconds)), start=start), tolerance=1e-5)


@pytest.mark.parametrize("beta", [0.2, 0.5, 0.71, 0.9, 1.0])
@pytest.mark.parametrize("step", [-5.0, 3.0])
def test_a_jump_of_a_linear_glass_relaxes_by_the_kww_function(beta: float, step: float) -> None:
    glass = lehr.TNMParameters(-79.21, 318443.918, 1.0, beta)
    start = TG - 10.0
    tau = glass.relaxation_time(start + step, start)
    history = after_jump(glass, start, start + step, 1e4 * tau)
    expected = start + step - step * np.exp(-((history.time / tau) ** beta))
    # the exponential sum is right within 3e-5 of the jump, the steps within the tolerance
    assert np.abs(history.fictive_temperature - expected).max() < 3e-5 * abs(step) + 3e-5
    assert history.time.size < 1000


def test_kovacs_asymmetry() -> None:
    """Contraction after a jump down is faster at first than expansion after a jump up: tau follows the structure."""
    down = after_jump(AS2SE3, TG + 5.0, TG, 1e8)
    up = after_jump(AS2SE3, TG - 5.0, TG, 1e8)
    left = np.interp(np.log([30.0, 100.0]), np.log(down.time[2:]), np.abs(down.fictive_temperature[2:] - TG))
    right = np.interp(np.log([30.0, 100.0]), np.log(up.time[2:]), np.abs(up.fictive_temperature[2:] - TG))
    assert (left < right - 0.3).all()
    # with x = 1 the two are mirror images
    linear = lehr.TNMParameters(AS2SE3.ln_A, AS2SE3.delta_h, 1.0, AS2SE3.beta)
    one, other = (after_jump(linear, TG + step, TG, 1e6) for step in (5.0, -5.0))
    assert one.fictive_temperature - TG == pytest.approx(TG - other.fictive_temperature, abs=1e-9)


def test_memory_hump() -> None:
    """Tf passes through equilibrium and comes back: fast and slow modes are on different sides of it (Kovacs)."""
    low, final = TG - 15.0, TG
    aged = lehr.simulate_history(AS2SE3, Cycle((Jump(low), Hold(2e3)), start=TG + 10.0))
    reached = aged.fictive_temperature[-1]
    memory = lehr.simulate_history(AS2SE3, Cycle((Jump(low), Hold(2e3), Jump(reached), Hold(1e8)), start=TG + 10.0))
    after = memory.fictive_temperature[memory.time > 2e3]
    assert low < reached < final + 5.0
    assert abs(after[0] - reached) < 0.05  # it starts in apparent equilibrium,
    assert after.max() > reached + 0.2  # rises by itself,
    assert after[-1] == pytest.approx(reached, abs=1e-3)  # and comes back
    single = lehr.TNMParameters(AS2SE3.ln_A, AS2SE3.delta_h, AS2SE3.x, 1.0)
    aged = lehr.simulate_history(single, Cycle((Jump(low), Hold(2e3)), start=TG + 10.0))
    reached = aged.fictive_temperature[-1]
    memory = lehr.simulate_history(single, Cycle((Jump(low), Hold(2e3), Jump(reached), Hold(1e8)), start=TG + 10.0))
    assert np.abs(memory.fictive_temperature[memory.time > 2e3] - reached).max() < 1e-3  # one mode has no memory


def test_ageing_for_years_lowers_tf_and_raises_the_peak() -> None:
    peaks, glassy = [], []
    for years in (1e-5, 1e-3, 1.0):
        cycle = Cycle(
            (
                Ramp("lowest", 10.0),
                Ramp(TG - 30.0, 10.0),
                Hold(years * 365.25 * 86400),
                Ramp("lowest", 10.0),
                Ramp("highest", 10.0),
            )
        )
        signals = lehr.simulate(*AS2SE3.as_tuple(), program=lehr.ThermalProgram((cycle,)), temperature=WINDOW)
        assert signals.status == Status.OK
        area = np.trapezoid(signals.cpn[0], WINDOW)
        assert area == pytest.approx(WINDOW[-1] - signals.fictive_temperature[0, 0], abs=0.01)
        peaks.append(signals.cpn[0].max())
        glassy.append(signals.fictive_temperature[0, 0])
    assert peaks == sorted(peaks)
    assert glassy == sorted(glassy, reverse=True)
    assert glassy[-1] == pytest.approx(TG - 30.0, abs=1.0)  # equilibrium at the ageing temperature


def test_a_hold_in_the_liquid_changes_nothing_and_one_in_the_deep_glass_little() -> None:
    scans = [
        lehr.simulate(*AS2SE3.as_tuple(), program=lehr.ThermalProgram((Cycle(segments),)), temperature=WINDOW)
        for segments in (
            (Ramp("lowest", 5.0), Ramp("highest", 10.0)),
            (Hold(1e5), Ramp("lowest", 5.0), Ramp("highest", 10.0)),
            (Ramp("lowest", 5.0), Hold(3e7), Ramp("highest", 10.0)),
        )
    ]
    plain, liquid, glass = (scan.fictive_temperature[0, 0] for scan in scans)
    assert np.array_equal(scans[0].cpn, scans[1].cpn)
    assert plain - 0.02 < glass < plain - 0.004  # a year at 300 K, 157 K below Tg: 8 mK at a tolerance of 1e-4 or 1e-6
    assert liquid == plain


def test_ramps_that_begin_or_end_in_the_middle_of_relaxation() -> None:
    rng = np.random.default_rng(12)
    compared = 0
    for _ in range(150):
        delta_h, tg = rng.uniform(2e5, 12e5), rng.uniform(227.43, 1064.11)
        efold = GAS_CONSTANT * tg**2 / delta_h  # of tau, K
        glass = [[log(100.0) - delta_h / (GAS_CONSTANT * tg), delta_h, rng.uniform(0.2, 1.0), rng.uniform(0.1, 1.0)]]
        low = max(20.0, tg - efold * rng.uniform(1.0, 70.0))
        high = max(tg + 40.0 * efold, low + 20.0 * efold)
        segments: list[Ramp | Hold] = []
        for _ in range(rng.integers(1, 4)):
            segments.append(Ramp(max(low + 1.0, tg + efold * rng.uniform(-20.0, 6.0)), np.exp(rng.uniform(-2.0, 4.0))))
            segments.append(Hold(10 ** rng.uniform(0.0, 6.0)))
        segments += [Ramp(end, np.exp(rng.uniform(-2.0, 4.0))) for end in ("lowest", "highest")]
        program, window = lehr.ThermalProgram((Cycle(tuple(segments)),)), np.linspace(low, high, 1001)
        (cpn, status), (converged, _) = (
            lehr.simulate_batch(
                glass, program=program, temperature=window, dtype="float64", tolerance=tolerance
            )
            for tolerance in (1e-4, 1e-7)
        )  # fmt: skip
        assert status[0] <= Status.WINDOW
        if cpn.max() <= 6:  # of sharper peaks no accuracy is promised
            compared += 1
            # CpN turns with the rate: it begins at up to -(cooling rate / heating rate)
            assert (np.abs(cpn - converged) / np.maximum(np.abs(converged), 1.0)).max() < 3e-4
    assert compared > 100


@pytest.mark.parametrize("beta", [0.25, 0.71, 1.0])
@pytest.mark.parametrize("to", [430.0, 470.0])
def test_a_ramp_right_after_a_jump_is_done_or_refused(beta: float, to: float) -> None:
    """Tf then changes as a power of time: with beta < 1 the first step may be smaller than temperatures can show."""
    program = lehr.ThermalProgram((Cycle((Jump(to), Ramp("highest", 10.0))),))
    glass = [[AS2SE3.ln_A, AS2SE3.delta_h, AS2SE3.x, beta]]
    for tolerance in (1e-3, 1e-4, 1e-5):
        cpn, status = lehr.simulate_batch(glass, program=program, temperature=WINDOW, tolerance=tolerance)
        assert np.isfinite(cpn).all() == (status[0] <= Status.WINDOW)


def test_a_history_follows_the_program() -> None:
    cycle = Cycle((Ramp(350.0, 10.0), Hold(600.0), Jump(400.0), Ramp(550.0, 20.0)), start=600.0)
    history = lehr.simulate_history(AS2SE3, cycle)
    assert (np.diff(history.time) >= 0).all()
    assert history.time[-1] <= 1500.0 + 600.0 + 450.0
    inside = history.time <= 1500.0
    assert history.temperature[inside] == pytest.approx(600.0 - history.time[inside] / 6.0, abs=1e-6)
    again = history.time > 2100.0
    assert history.temperature[again] == pytest.approx(400.0 + (history.time[again] - 2100.0) / 3.0, abs=1e-6)


def test_threads_change_nothing() -> None:
    rows = np.array([[-79.21, 318443.918, x, 0.71] for x in (0.3, 0.5, 0.7, 0.9, 1.0)])
    one, _ = lehr.simulate_batch(rows, temperature=WINDOW)
    three, status = lehr.simulate_batch(rows, temperature=WINDOW, threads=3)
    assert np.array_equal(one, three)
    assert (status == Status.OK).all()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Ramp(300.0, 0.0), "rate 0.0"),
        (lambda: Hold(-1.0), "hold of -1.0 s"),
        (lambda: Cycle(()), "at least one segment"),
        (lambda: lehr.ThermalProgram((Cycle((Hold(1.0),)),)), "must be a heating or cooling ramp"),
        (lambda: lehr.ThermalProgram((Cycle((Ramp("highest", 1.0),)),)).compiled(300.0, 600.0), "must heat or cool"),
        (lambda: lehr.simulate_history(AS2SE3, Cycle((Jump(-5.0),), start=400.0)), "-5.0 K"),
        (lambda: lehr.simulate_history(AS2SE3, Cycle((Jump("lowest"),), start=400.0)), "nan K"),
    ],
)
def test_impossible_programs_are_refused(make: object, named: str) -> None:
    with pytest.raises(lehr.LehrError, match=named):
        make()  # type: ignore[operator]
