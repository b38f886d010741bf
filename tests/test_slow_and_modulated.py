"""Scans whose temperature does not simply rise: slow ones that were rounded, and modulated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from written_scans import CELSIUS, CPN, FLOW, KELVIN, MINUTES, check, read, rows

from lehr import LehrError
from lehr.glass.scans import normalise_as, read_normalised, read_scans
from lehr.glass.scans.modulation import modulation_period
from lehr.glass.scans.options import ScanOptions
from lehr.glass.scans.segments import find_segments
from lehr.glass.tnm import ZERO_CELSIUS, equal_area_temperature


@pytest.mark.parametrize("rate", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("digits", [1, 2])
@pytest.mark.parametrize("noise", [0.0, 0.004])
def test_slow_scans_with_rounded_temperatures(rate: float, digits: int, noise: float) -> None:
    """Most neighbours are equal: 40 to 90 degC at 0.1 K/min, a point a second."""
    time = np.arange(0.0, 50 / rate * 60)
    rng = np.random.default_rng(1)
    heated = 40 + rate / 60 * time + rng.normal(0, noise, time.size)
    (segment,) = find_segments(np.round(heated, digits) + ZERO_CELSIUS, time)
    assert (segment.kind, segment.start, segment.stop) == ("heating", 0, time.size)
    assert segment.rate == pytest.approx(rate, rel=1e-3)
    cooled = np.concatenate(
        [np.full(900, 90.0), np.linspace(90, 40, 600), np.full(900, 40.0), heated, np.full(900, 90.0)]
    )
    found = find_segments(np.round(cooled, digits) + ZERO_CELSIUS, np.arange(0.0, cooled.size))
    (heating,) = [each for each in found if each.kind == "heating"]
    assert heating.rate == pytest.approx(rate, rel=0.01)
    assert heating.first < 40.5 + ZERO_CELSIUS
    assert heating.last > 89.5 + ZERO_CELSIUS


@pytest.mark.parametrize("digits", [2, 5])
def test_a_slow_rounded_scan_is_normalised(tmp_path: Path, digits: int) -> None:
    celsius = np.arange(CELSIUS[0], CELSIUS[-1], 0.5 / 60)  # a point a second at 0.5 K/min
    flow = np.interp(celsius, CELSIUS, FLOW) + np.random.default_rng(2).normal(0, 0.001, celsius.size)
    path = tmp_path / "slow.csv"
    path.write_text(
        "Time (s),Temperature (°C),DSC (mW)\n" + rows(np.arange(celsius.size) * 1.0, np.round(celsius, digits), flow)
    )
    (scan,) = read_normalised([path])
    assert scan.measured.heating_rate == pytest.approx(0.5, rel=1e-3)
    assert np.abs(np.interp(KELVIN[40:-40], scan.temperature, scan.cpn) - CPN[40:-40]).max() < 0.05
    assert not any("modulated" in note for note in scan.notes)  # its digits have a beat of 6 s


@pytest.mark.parametrize("amplitude", [0.2, 1.0])
@pytest.mark.parametrize("period", [40.0, 60.0])
@pytest.mark.parametrize("program", [False, True])
def test_a_modulated_temperature_is_averaged_over_whole_periods(
    tmp_path: Path, amplitude: float, period: float, program: bool
) -> None:
    """2 K/min with an oscillation that goes back by itself; total heat flow comes out."""
    time = np.arange(0.0, 45 * 60, 1.0)
    mean = CELSIUS[0] + 2 / 60 * time
    turn = 2 * np.pi * time / period
    flow = np.interp(mean, CELSIUS, FLOW) + 0.8 * amplitude * np.cos(turn)
    celsius = mean + amplitude * np.sin(turn)
    if program:
        down = np.linspace(CELSIUS[-1], celsius[0], 600, endpoint=False)
        celsius, flow = np.concatenate([down, celsius]), np.concatenate([-np.ones(600), flow])
    names = "Time (s),Modulated Temperature (°C),Modulated Heat Flow (mW)\n"
    for head in (names, names.replace("Modulated ", "")):
        path = tmp_path / "modulated.csv"
        path.write_text(head + rows(np.arange(celsius.size) * 1.0, np.round(celsius, 3), flow))
        (scan,) = read_scans([path])
        assert any(f"period {period:.3g}" in note for note in scan.notes)
        inside = slice(150, -150)
        assert scan.heating_rate == pytest.approx(2.0, rel=0.01)
        # a mean over 60 s is one over 2 K, in which the peak of CpN bends by less than 0.03 mW
        np.testing.assert_allclose(scan.signal[inside], np.interp(scan.temperature[inside], KELVIN, FLOW), atol=0.03)
        whole = normalise_as(scan, ScanOptions())
        true = equal_area_temperature(CPN, KELVIN)
        assert equal_area_temperature(whole.cpn, whole.temperature) == pytest.approx(true, abs=0.3)


def test_a_plain_temperature_is_not_modulated() -> None:
    rng = np.random.default_rng(4)
    time = np.arange(0.0, 3000.0)
    ramp = 300 + time / 30
    assert modulation_period(ramp, time) is None
    assert modulation_period(ramp + rng.normal(0, 0.02, time.size), time) is None
    assert modulation_period(np.round(ramp, 2), time) is None
    assert modulation_period(np.round(ramp, 1), time) is None
    for rate in (0.1, 0.3, 0.5, 1.0, 1.5, 2.0):  # K/min; a point a second, or every five
        for apart in (1.0, 5.0):
            assert modulation_period(np.round(300 + rate / 60 * apart * time, 2), apart * time) is None
    assert modulation_period(ramp + 2 * np.exp(-time / 60), time) is None
    steps = np.concatenate([np.tile(np.concatenate([np.linspace(300, 400, 300), np.linspace(400, 300, 300)]), 5)])
    assert modulation_period(steps, time) is None  # five cycles of heating and cooling
    assert modulation_period(np.repeat(ramp[::30], 30), time) is None


def test_a_modulated_heat_flow_beside_a_smooth_temperature_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_text("Time (min),Temperature (°C),Modulated Heat Flow (mW)\n" + rows(MINUTES, CELSIUS, FLOW))
    with pytest.raises(LehrError, match=r"'Modulated Heat Flow .mW.' is modulated, the temperature is not"):
        read_scans([path])


def test_total_heat_flow_rather_than_the_heat_capacity_of_a_modulation(tmp_path: Path) -> None:
    text = "Time (min),Temperature (°C),Heat Capacity (J/(g·°C)),Heat Flow (W/g),Rev Heat Flow (W/g)\n"
    scan = read(tmp_path / "m.csv", text + rows(MINUTES, CELSIUS, 6 * FLOW, FLOW, FLOW + 1))
    check(scan)
    assert scan.kind == "heat_flow"


def test_cycles_of_a_program_are_not_a_modulation() -> None:
    """Ten cycles of 60 K at 10 and 20 K/min, with holds: their rate repeats as that of a modulation does."""
    cycle = np.concatenate(
        [np.linspace(300, 360, 360), np.full(60, 360.0), np.linspace(360, 300, 180), np.full(60, 300.0)]
    )
    temperature = np.tile(cycle, 10)
    time = np.arange(0.0, temperature.size)
    assert modulation_period(temperature, time) is None
    heating = [each for each in find_segments(temperature, time) if each.kind == "heating"]
    np.testing.assert_allclose([each.rate for each in heating], np.full(10, 10.0), rtol=0.01)


@pytest.mark.parametrize("digits", [1, 2])
def test_a_fast_rounded_scan_beside_a_long_hold(digits: int) -> None:
    """72 s at 50 K/min after two hours at 20 degC, a point a second; none of the hold counts as heating."""
    rng = np.random.default_rng(6)
    celsius = np.concatenate([np.full(7200, 20.0), np.linspace(20, 80, 72), np.full(7200, 80.0)])
    celsius = np.round(celsius + rng.normal(0, 0.002, celsius.size), digits)
    found = find_segments(celsius + ZERO_CELSIUS, np.arange(0.0, celsius.size))
    assert [each.kind for each in found] == ["hold", "heating", "hold"]
    assert found[1].rate == pytest.approx(50, rel=0.03)


def test_a_hold_that_drifts_is_not_heated() -> None:
    celsius = 80 + 0.2 * np.linspace(0, 1, 600) + np.random.default_rng(7).normal(0, 0.01, 600)
    assert [each.kind for each in find_segments(celsius + ZERO_CELSIUS, np.arange(600.0))] == ["hold"]
