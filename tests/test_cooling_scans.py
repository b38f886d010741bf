"""Scans that are recorded on cooling."""

from __future__ import annotations

import json
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from test_relaxation_models import ADAM_GIBBS

import lehr
from lehr import Cycle, Hold, Jump, Ramp
from lehr.cli import main
from lehr.glass.fit import Nuisance
from lehr.glass.fit.least_squares.starts import cooling_rates
from lehr.glass.instrument import thermal_lag
from lehr.glass.tnm import RelaxationModel, Status, ThermalProgram, simulate_glass

AS2SE3 = lehr.TNMParameters(-79.21, 318443.918, 0.57, 0.71)
TG = AS2SE3.glass_transition
WINDOW = np.linspace(340.0, 560.0, 2201)
RATES = (0.5, 20.0)
COOLED = ThermalProgram.cooling_scans(RATES)
GLASSES = [AS2SE3, lehr.TNMParameters(-79.21, 318443.918, 0.4, 0.35), ADAM_GIBBS]
each = pytest.mark.parametrize("glass", GLASSES, ids=["As2Se3", "slow tail", "Adam-Gibbs"])


@each
def test_a_cooling_scan_is_the_derivative_of_the_history(glass: RelaxationModel) -> None:
    s = simulate_glass(glass, program=COOLED, temperature=WINDOW, tolerance=1e-6)
    assert s.status <= Status.WINDOW  # the slow tail goes on below the window
    for cpn, fictive, rate in zip(s.cpn, s.fictive_temperature, RATES, strict=True):
        history = lehr.simulate_history(glass, Cycle((Ramp(WINDOW[0], rate),), start=WINDOW[-1]), tolerance=1e-6)
        t, tf = history.temperature[::-1], history.fictive_temperature[::-1]
        inside = (t[0] < WINDOW) & (t[-1] > WINDOW)
        assert inside.sum() > 300
        assert fictive[inside] == pytest.approx(CubicSpline(t, tf)(WINDOW[inside]), abs=1e-3)
        middle = (t[1:] + t[:-1]) / 2.0
        slope = np.interp(middle, WINDOW, cpn)
        # the middle of a chord is off by the third derivative times the square of the step
        assert np.abs(np.diff(tf) / np.diff(t) - slope).max() < 2e-4
        liquid = t[-1] <= WINDOW
        assert fictive[liquid] == pytest.approx(WINDOW[liquid], abs=1e-3)
        assert cpn[-1] == 1.0


@each
def test_enthalpy_identity(glass: RelaxationModel) -> None:
    """The area under CpN is what Tf falls by, and Tf' is that of the same glass heated again."""
    s = lehr.simulate_sensitivities(glass, program=COOLED, temperature=WINDOW)
    assert WINDOW[-1] - np.trapezoid(s.cpn, WINDOW) == pytest.approx(s.limiting_fictive_temperature, abs=5e-3)
    again = lehr.simulate_sensitivities(
        glass, program=ThermalProgram.chr_cycles(RATES, 10.0), temperature=WINDOW
    )  # fmt: skip
    assert s.limiting_fictive_temperature == pytest.approx(again.limiting_fictive_temperature, abs=2e-3)
    scale = np.abs(again.limiting_jacobian)
    assert (np.abs(s.limiting_jacobian - again.limiting_jacobian) < 1e-3 * scale).all()
    area = np.trapezoid(s.jacobian, WINDOW, axis=1)
    assert (np.abs(area + s.limiting_jacobian) < 2e-3 * scale).all()


def test_linear_case_against_a_stiff_solver() -> None:
    """Check beta = 1 and x = 1, which is one linear equation: dTf/dT = (T - Tf) / (q tau)."""
    glass = lehr.TNMParameters(-79.21, 318443.918, 1.0, 1.0)
    high, low, rate = 540.0, 400.0, 10.0 / 60.0
    temperature = np.linspace(low, high, 561)

    def slope(t: float, tf: np.ndarray) -> np.ndarray:
        return -(t - tf) / (rate * glass.relaxation_time(t, t))

    options = {"method": "Radau", "rtol": 1e-10, "atol": 1e-10}
    tf = solve_ivp(slope, (high, low), [high], t_eval=temperature[::-1], **options).y[0, ::-1]
    expected = np.array([slope(t, value) for t, value in zip(temperature, tf, strict=True)])
    s = simulate_glass(glass, program=ThermalProgram.cooling_scans([10.0]), temperature=temperature)
    seen = temperature < 530.0  # above, the solver loses T - Tf
    assert np.abs(s.cpn[0] - expected)[seen].max() < 2e-4
    assert s.fictive_temperature[0] == pytest.approx(tf, abs=2e-3)


@each
def test_derivatives_against_differences(glass: RelaxationModel) -> None:
    s = lehr.simulate_sensitivities(glass, program=COOLED, temperature=WINDOW)
    energy = glass.as_tuple()[1]
    third = 0.006 if glass.model == "tnm" else 0.3
    for k, step in enumerate((0.03, 0.001 * energy, third, 0.006)):
        rows = np.array([glass.as_tuple()] * 4)
        rows[:, k] += step * np.array([-2, -1, 1, 2])
        cpn, _ = lehr.simulate_batch(
            rows, program=COOLED, temperature=WINDOW, dtype="float64", tolerance=1e-8, model=type(glass)
        )
        expected = np.einsum("i,ijk->jk", np.array([1, -8, 8, -1]) / (12.0 * step), cpn)
        # differences see where the ramp leaves the liquid change from run to run, by 1e-5 in CpN
        assert np.abs(s.jacobian[..., k] - expected).max() < 6e-3 * np.abs(expected).max()


def test_cooling_from_the_middle_of_the_transition() -> None:
    program = ThermalProgram((Cycle((Jump(TG), Hold(30.0), Ramp("lowest", 10.0)), start=TG + 5.0),))
    window = np.linspace(340.0, TG, 1201)
    history = lehr.simulate_history(AS2SE3, Cycle((Jump(TG), Hold(30.0)), start=TG + 5.0))
    s = simulate_glass(AS2SE3, program=program, temperature=window, tolerance=1e-5)
    assert s.status == Status.WINDOW  # the scan shows no liquid
    # Tf was falling in the hold and goes on: dTf/dT begins at the same dTf/dt
    slope = np.diff(history.fictive_temperature[-2:]) / np.diff(history.time[-2:])
    assert s.cpn[0, -1] == pytest.approx(-60.0 / 10.0 * slope[0], rel=0.04)  # of the last step
    assert s.fictive_temperature[0, -1] == pytest.approx(history.fictive_temperature[-1], abs=1e-3)
    assert s.fictive_temperature[0, -1] - np.trapezoid(s.cpn[0], window) == pytest.approx(
        s.fictive_temperature[0, 0], abs=5e-3
    )


def test_programs_say_which_scans_cool() -> None:
    program = ThermalProgram(
        (
            Cycle((Ramp("lowest", 5.0),)),
            Cycle((Ramp("lowest", 5.0), Ramp("highest", 10.0))),
            Cycle((Ramp(300.0, 5.0), Hold(10.0), Ramp(310.0, 7.0)), start=400.0),
            Cycle((Jump("highest"), Hold(60.0), Ramp(310.0, 7.0)), start=400.0),
        )
    )
    assert program.scan_rates == (-5.0, 10.0, 7.0, -7.0)
    assert program.heating_rates[1:3] == (10.0, 7.0)
    assert isnan(program.heating_rates[0])
    s = simulate_glass(AS2SE3, program=ThermalProgram(program.cycles[:2]), temperature=WINDOW)
    assert s.cpn[0].max() < 1.01  # no overshoot on cooling
    assert s.cpn[1].max() > 1.3
    assert s.fictive_temperature[0, 0] == pytest.approx(s.fictive_temperature[1, 0], abs=2e-3)


@pytest.mark.parametrize("lag", [0.0, 8.0])
def test_a_fit_takes_cooling_scans_beside_heating_scans(lag: float) -> None:
    program = ThermalProgram(
        (*ThermalProgram.cooling_scans([2.0, 20.0]).cycles, *ThermalProgram.chr_cycles([2.0]).cycles)
    )
    window = np.arange(350.0, 550.0, 0.5)
    cpn = simulate_glass(AS2SE3, program=program, temperature=window).cpn
    measured = thermal_lag(cpn[None], lag, temperature=window, heating_rate=program.scan_rates)[0]
    if lag:  # delayed towards where each scan goes
        shift = measured.sum(axis=1) - cpn.sum(axis=1)
        assert shift[0] > 0.0
        assert shift[1] > 5.0 * shift[0]
        assert shift[2] < 0.0
    noise = 0.005 * np.random.default_rng(6).standard_normal(cpn.shape)
    result = lehr.fit(
        [(window, row) for row in measured + noise], program, nuisance=Nuisance(thermal_lag=bool(lag))
    )  # fmt: skip
    for name, value in zip(("ln_A", "delta_h", "x", "beta"), AS2SE3.as_tuple(), strict=True):
        assert abs(getattr(result.parameters, name) - value) < 3.5 * result.standard_errors[name]
    assert result.standard_errors["x"] < 5e-3
    assert result.standard_errors["glass_transition"] < 0.05
    if lag:
        assert result.values[result.names.index("thermal_lag")] == pytest.approx(lag, abs=0.3)
    assert [line.split()[1:3] for line in result.report().splitlines() if line[:4].strip() in ("1", "3")] == [
        ["2", "-"],
        ["2", "10"],
    ]


def test_a_fit_of_cooling_scans_alone() -> None:
    """Without a peak, x and beta are known far worse than ln A and dh: a fit says so."""
    window = np.arange(350.0, 550.0, 0.5)
    cpn = simulate_glass(AS2SE3, program=COOLED, temperature=window).cpn
    noise = 0.005 * np.random.default_rng(6).standard_normal(cpn.shape)
    result = lehr.fit([(window, row) for row in cpn + noise], COOLED)
    assert result.parameters.delta_h == pytest.approx(AS2SE3.delta_h, rel=0.02)
    assert 3e-3 < result.standard_errors["x"] < 0.1
    assert abs(result.parameters.x - AS2SE3.x) < 3.5 * result.standard_errors["x"]


def test_rates_of_cooling_scans_are_cooling_rates() -> None:
    assert cooling_rates(COOLED) == pytest.approx(RATES)
    assert np.isnan(cooling_rates(ThermalProgram((Cycle((Ramp("highest", 10.0),), start="lowest"),)))).all()


def test_scans_on_cooling_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--direction cooling` takes them, and a fit of three rates finds the glass."""
    glass, rates = lehr.material("As2Se3").parameters, (2.0, 10.0, 40.0)
    kelvin = np.arange(360.0, 540.0, 0.25)
    program = lehr.ThermalProgram.cooling_scans(rates)
    cpn = lehr.simulate_batch([glass.as_tuple()], program=program, temperature=kelvin, dtype="float64")[0][0]
    rng, files = np.random.default_rng(0), []
    for rate, row in zip(rates, cpn, strict=True):
        flow = rate / 60.0 * (1.0 + 0.001 * (kelvin - 450.0) + 0.3 * (row + 0.003 * rng.standard_normal(row.size)))
        minutes = (kelvin[-1] - kelvin) / rate
        rows = "\n".join(
            f"{m:.5f},{t:.3f},{f:.8f}" for m, t, f in zip(minutes[::-1], kelvin[::-1], flow[::-1], strict=True)
        )
        files.append(tmp_path / f"cooled{rate:g}.csv")
        files[-1].write_text(f"Time (min),Temperature (K),Heat Flow (mW)\n{rows}\n")
    assert main(["read", str(files[0])]) == 2
    assert "no heating segment" in capsys.readouterr().err
    words = ["fit", *map(str, files), "--direction", "cooling", "--json", str(tmp_path / "fit.json")]
    assert main(words) == 0
    record = json.loads((tmp_path / "fit.json").read_text())
    for name, true in zip(("ln_A", "delta_h", "x", "beta"), glass.as_tuple(), strict=True):
        assert abs(record["values"][name] - true) < 3.0 * record["standard_errors"][name]
    assert "cooled" in capsys.readouterr().out
