"""What `lehr read` says of a transition, lines for all scans of a sample, and files of CpN that are read again."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lehr import LehrError, ThermalProgram, fit, material, simulate
from lehr.glass.scans import (
    CpnScan,
    MeasuredScan,
    NormalisedScan,
    normalise,
    normalise_all,
    normalise_each,
    read_normalised,
    read_recording,
)
from lehr.glass.scans.characteristics import characteristics_of
from lehr.glass.scans.cpn_file import cpn_csv
from lehr.glass.scans.measured import ScanFile
from lehr.glass.scans.options import ScanOptions
from lehr.glass.tnm import ZERO_CELSIUS

Lehr = Callable[..., subprocess.CompletedProcess[str]]
T = np.arange(320.0, 440.0, 0.2)
MIDDLE, WIDTH = 375.0, 2.0  # K, of a step without overshoot


def logistic(t: np.ndarray, middle: float = MIDDLE) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-(t - middle) / WIDTH))


def scan_of(signal: np.ndarray, kind: Any = "heat_flow", unit: str = "mW", source: str = "made") -> MeasuredScan:
    return MeasuredScan(T, signal, kind, unit, None, 10.0, source)


def noise(seed: int, deviation: float) -> np.ndarray:
    return deviation * np.random.default_rng(seed).normal(size=T.size)


# --- temperatures and heights ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("deviation", [0.0, 0.003, 0.02])
def test_a_logistic_step_has_known_temperatures(deviation: float) -> None:
    """Midpoint, inflection and Tf' by equal areas are its middle; the tangent there meets the glass two widths below.

    With noise they scatter by its share of a step, over the root of some twenty points, times the width.
    """
    scan = scan_of(3.0 + 0.4 * (logistic(T) + noise(1, deviation)), "cp", "J/g/K")
    found = normalise(scan, glass=(320, 350), liquid=(400, 439)).characteristics
    within = 0.02 + 15 * deviation
    assert found.midpoint == pytest.approx(MIDDLE, abs=within)
    assert found.inflection == pytest.approx(MIDDLE, abs=3 * within)
    assert found.onset == pytest.approx(MIDDLE - 2 * WIDTH, abs=3 * within)
    assert found.fictive_temperature == pytest.approx(MIDDLE, abs=2 * within)
    assert (found.delta_cp, found.delta_cp_unit) == (pytest.approx(0.4, rel=0.02), "J/g/K")
    assert np.isnan(found.peak)
    assert np.isnan(found.peak_cpn)


@pytest.mark.parametrize(
    ("unit", "rate", "expected", "expected_unit"),
    [("W/g", 10.0, 0.5 * 6, "J/g/K"), ("mW", 20.0, 0.5 * 3, "mJ/K"), ("mW", None, 0.5, "mW"), ("uV", 10.0, 0.5, "uV")],
)
def test_a_heat_flow_over_its_rate_is_a_heat_capacity(
    unit: str, rate: float | None, expected: float, expected_unit: str
) -> None:
    scan = replace(scan_of(-1.0 - 0.5 * logistic(T), unit=unit), heating_rate=rate)
    found = normalise(scan, glass=(320, 350), liquid=(400, 439)).characteristics
    assert found.delta_cp == pytest.approx(expected, rel=1e-4)
    assert found.delta_cp_unit == expected_unit


def test_the_step_is_that_at_the_midpoint() -> None:
    """Where the step falls by 0.4 % a kelvin, dCp is its value at the midpoint, not that in the middle of the lines."""
    share = logistic(T)
    scan = scan_of(2.0 + share * 0.5 * (1 - 0.004 * (T - MIDDLE)), "cp", "J/g/K")
    found = normalise(scan, glass=(320, 345), liquid=(395, 439)).characteristics
    assert found.midpoint == pytest.approx(MIDDLE, abs=0.02)
    assert found.delta_cp == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("name", ["PS", "As2Se3"])
@pytest.mark.parametrize("deviation", [0.0, 0.005])
def test_of_a_simulated_glass(name: str, deviation: float) -> None:
    """Peak and inflection are those of the fine curve; the area gives the engine's Tf'."""
    glass = material(name).parameters
    t = np.arange(glass.glass_transition - 130, glass.glass_transition + 90, 0.25)
    cpn = simulate(*glass.as_tuple(), program=ThermalProgram.chr_cycles([0.5]), temperature=t).cpn[0]
    scan = CpnScan(t, cpn + deviation * np.random.default_rng(2).normal(size=t.size))
    found = characteristics_of(scan, (t[0] + 20, t[-1] - 20))
    assert found.fictive_temperature == pytest.approx(CpnScan(t, cpn).fictive_temperature[0], abs=0.02 + 15 * deviation)
    assert found.peak == pytest.approx(t[cpn.argmax()], abs=0.3 + 40 * deviation)
    assert found.peak_cpn == pytest.approx(cpn.max(), rel=0.01 + deviation)
    steepest = t[np.argmax(np.gradient(cpn, t))]
    assert found.inflection == pytest.approx(steepest, abs=0.5 + 60 * deviation)
    # the tangent of the rise to an overshoot may meet the glass above the half step
    assert found.onset < found.inflection < found.peak
    assert found.midpoint == pytest.approx(np.interp(0.5, cpn[: cpn.argmax()], t[: cpn.argmax()]), abs=0.3)


def test_a_scan_without_a_rise_has_none() -> None:
    found = characteristics_of(CpnScan(T, np.zeros(T.size)), (330.0, 430.0))
    assert np.isnan([found.onset, found.midpoint, found.inflection, found.peak]).all()


# --- scans of one sample ---------------------------------------------------------------------------------------------


def sample(count: int = 4) -> list[MeasuredScan]:
    """Return scans whose transitions lie 4 K apart, with noise; the first has a bump in the glass."""
    file = ScanFile(Path("sample.csv"), "")
    scans = []
    for i in range(count):
        signal = -2.0 - 0.001 * (T - 300) - 0.5 * logistic(T, MIDDLE - 6 + 4 * i) * (1 - 0.002 * (T - MIDDLE))
        if i == 0:
            signal -= 0.05 * np.exp(-0.5 * ((T - 332) / 2) ** 2)
        scans.append(replace(scan_of(signal + noise(i, 0.001), source=f"scan {i + 1}"), file=file))
    return scans


def test_one_pair_of_lines_for_all() -> None:
    scans = sample()
    own = [normalise(scan) for scan in scans]
    common = normalise_all(scans, ScanOptions(common=True))
    assert len({(scan.glass.low, scan.glass.high, scan.liquid.low, scan.liquid.high) for scan in common}) == 1
    first = common[0]
    # not over the bump, which only one scan has; not into the first or the last transition
    assert not first.glass.low < 330 < 334 < first.glass.high
    assert first.glass.high < MIDDLE - 6 - 3 * WIDTH
    assert first.liquid.low > MIDDLE + 6 + 3 * WIDTH
    assert all(any("one pair of lines" in note for note in scan.notes) for scan in common)
    steps = [[each.characteristics.delta_cp for each in scans] for scans in (own, common)]
    assert np.std(steps[1]) < np.std(steps[0])
    tf = np.array([scan.characteristics.fictive_temperature for scan in common])
    np.testing.assert_allclose(np.diff(tf), 4.0, atol=0.3)


def test_a_range_that_was_given_stays() -> None:
    common = normalise_all(sample()[1:], ScanOptions(common=True, glass=(60.0, 80.0)))
    assert {scan.glass.low for scan in common} == {60.0 + ZERO_CELSIUS}
    assert len({scan.liquid.low for scan in common}) == 1


def test_scans_with_nothing_in_common_are_refused() -> None:
    scans = sample(2)
    late = T > 365
    scans[1] = MeasuredScan(
        T[late] + 60, scans[1].signal[late] - 0.5 * logistic(T[late], 400.0), "heat_flow", "mW", None, 10.0, "late"
    )
    with pytest.raises(LehrError, match="no straight range of the glass in common"):
        normalise_all(scans, ScanOptions(common=True))


def test_one_direction_for_a_file() -> None:
    """A scan in which a jump of the baseline is larger than the transition is read as the others of its file."""
    scans = sample()
    jump = 1.5 / (1 + np.exp(-(T - 420) / 0.5))
    wrong = replace(scans[3], signal=scans[3].signal + jump * (T < 500))
    assert normalise(wrong).endotherm == "up"
    results = normalise_each([*scans[:3], wrong], ScanOptions())
    assert {result.endotherm for result in results if isinstance(result, NormalisedScan)} == {"down"}
    last = results[3]
    assert isinstance(last, NormalisedScan)
    assert any("as in the clearest scans of the file" in note for note in last.notes)
    # alone in its file it stays what it is
    (alone,) = normalise_each([wrong], ScanOptions())
    assert isinstance(alone, NormalisedScan)
    assert alone.endotherm == "up"


# --- files -----------------------------------------------------------------------------------------------------------


def written(folder: Path, scans: list[MeasuredScan]) -> list[Path]:
    paths = []
    for number, scan in enumerate(scans, 1):
        seconds = 6.0 * (scan.temperature - scan.temperature[0])
        rows = np.column_stack([seconds, scan.temperature - ZERO_CELSIUS, scan.signal])
        text = "\n".join(",".join(f"{value:.8g}" for value in row) for row in rows)
        paths.append(folder / f"{number}.csv")
        paths[-1].write_text(f"Time (s),Temperature (°C),Heat flow (mW)\n{text}\n", encoding="utf-8")
    return paths


@pytest.mark.parametrize("divide_at", ["fictive", "temperature"])
def test_cpn_that_was_written_is_read_as_it_was(tmp_path: Path, divide_at: Any) -> None:
    """Every number, the rate, the step and that there were lines."""
    scans = read_normalised(written(tmp_path, sample()), options=ScanOptions(divide_at=divide_at))
    path = tmp_path / "cpn.csv"
    path.write_text(cpn_csv(scans))
    again = read_normalised([path])
    assert len(again) == len(scans)
    for before, after in zip(scans, again, strict=True):
        np.testing.assert_array_equal(after.temperature, before.temperature)
        np.testing.assert_array_equal(after.cpn, before.cpn)
        assert (after.step, after.drawn) == (before.step, True)
        assert after.measured.heating_rate == before.measured.heating_rate == pytest.approx(10.0)
        assert after.glass.low == before.glass.low
        assert after.notes == before.notes
        assert after.characteristics.fictive_temperature == before.characteristics.fictive_temperature
        assert after.characteristics.midpoint == pytest.approx(before.characteristics.midpoint, abs=1e-6)
    # a table for anyone: the comment is one line
    table = np.genfromtxt(path, delimiter=",", comments="#", skip_header=2)
    np.testing.assert_array_equal(table[: scans[0].cpn.size, 1], scans[0].cpn)
    # written again it is the same
    assert [scan.cpn.tolist() for scan in again] == [scan.cpn.tolist() for scan in scans]
    other = {"fictive": "temperature", "temperature": "fictive"}[divide_at]
    with pytest.raises(LehrError, match=f"written with --divide-at {divide_at}"):
        read_normalised([path], options=ScanOptions(divide_at=other))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace('"version": 1', '"version": 2'), "another version"),
        (lambda text: text.replace('"step"', '"stop"'), "not understood"),
        (lambda text: text.replace("{", "", 1), "changed since"),
        (lambda text: text + "1,2,3\n", "changed since"),
        (lambda text: text + "1,2\n", "do not ascend"),
        (lambda text: "\n".join(text.splitlines()[:2]), "changed since"),
    ],
)
def test_a_file_of_cpn_that_was_changed_is_one_message(
    tmp_path: Path, spoil: Callable[[str], str], message: str
) -> None:
    path = tmp_path / "cpn.csv"
    path.write_text(spoil(cpn_csv([normalise(sample(1)[0])])))
    with pytest.raises(LehrError, match=message):
        read_recording(path)


def test_a_known_error_of_the_thermometer(tmp_path: Path) -> None:
    (path,) = written(tmp_path, sample(1))
    (plain,), (shifted,) = (read_normalised([path], options=ScanOptions(shift=shift)) for shift in (0.0, -1.5))
    np.testing.assert_allclose(shifted.temperature, plain.temperature - 1.5)
    assert shifted.characteristics.midpoint == pytest.approx(plain.characteristics.midpoint - 1.5, abs=1e-6)
    assert any("shifted by -1.5 K" in note for note in shifted.notes)
    assert not any("shifted" in note for note in plain.notes)
    # of CpN that was written, the lines move along
    cpn = tmp_path / "cpn.csv"
    cpn.write_text(cpn_csv([plain]))
    (again,) = read_normalised([cpn], options=ScanOptions(shift=-1.5))
    np.testing.assert_array_equal(again.temperature, shifted.temperature)
    assert again.step.reference == pytest.approx(shifted.step.reference)
    assert again.glass.high == pytest.approx(shifted.glass.high)


def test_sample_less_reference_temperature_is_said(tmp_path: Path) -> None:
    path = tmp_path / "both.txt"
    rows = np.column_stack([T - ZERO_CELSIUS, T - ZERO_CELSIUS + 2.0 + 0.01 * (T - T[0]), sample(1)[0].signal])
    text = "\n".join(";".join(f"{value:.7g}" for value in row) for row in rows)
    path.write_text(f"Ts (°C);Tr (°C);Heat flow (mW)\n{text}\n", encoding="utf-8")
    (scan,) = read_recording(path).scans()
    assert "Ts - Tr goes from -2.0 to -3.2 K" in scan.notes


def test_the_command_shows_and_writes_them(lehr: Lehr, tmp_path: Path) -> None:
    paths = written(tmp_path, sample())
    table, cpn = tmp_path / "table.csv", tmp_path / "cpn.csv"
    done = lehr("read", *paths, "--common", "--shift", 1, "--table", table, "--csv", cpn)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines()[1:3])) <= 120
    for word in ("Tf (area)", "onset", "midpoint", "inflection", "dCp at midpoint", "own glass line", "scatter of dCp"):
        assert word in done.stdout
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    expected = read_normalised(paths, options=ScanOptions(common=True, shift=1.0))
    for row, scan in zip(rows, expected, strict=True):
        found = scan.characteristics
        assert float(row["fictive_temperature_degC"]) == pytest.approx(found.fictive_temperature - ZERO_CELSIUS)
        assert float(row["midpoint_degC"]) == pytest.approx(found.midpoint - ZERO_CELSIUS)
        assert (float(row["delta_cp"]), row["delta_cp_unit"]) == (pytest.approx(found.delta_cp), "mJ/K")
        assert (row["endotherm"], row["peak_degC"]) == ("down", "")
    np.testing.assert_array_equal(read_normalised([cpn])[2].cpn, expected[2].cpn)


@pytest.mark.parametrize("words", [("read", "--table"), ("read", "--csv"), ("fit", "--json"), ("fit", "--mcmc")])
def test_a_measurement_is_not_written_over(lehr: Lehr, tmp_path: Path, words: tuple[str, str]) -> None:
    (path,) = written(tmp_path, sample(1))
    before = path.read_bytes()
    rates = ["--cooling-rates", 10] if words[0] == "fit" else []
    done = lehr(words[0], path, *rates, words[1], tmp_path / "." / path.name)
    assert done.returncode == 2
    assert "one of the files that are read" in done.stderr
    assert path.read_bytes() == before


def test_a_fit_of_written_cpn_is_that_of_the_measurement(tmp_path: Path) -> None:
    """The lines may move in both, and the rates are known; what differs is rounding in the last step of the fit."""
    glass = material("PS").parameters
    tg = glass.glass_transition
    t = np.arange(tg - 65, tg + 45, 0.25)
    program = ThermalProgram.chr_cycles([1.0, 20.0])
    cpn = simulate(*glass.as_tuple(), program=program, temperature=t).cpn
    rng = np.random.default_rng(5)
    scans = [
        MeasuredScan(t, -2 - 0.5 * (row + 0.003 * rng.normal(size=t.size)), "heat_flow", "mW", None, 10.0, "made")
        for row in cpn
    ]
    direct = read_normalised(written(tmp_path, scans))
    path = tmp_path / "cpn.csv"
    path.write_text(cpn_csv(direct))
    first, second = (fit(scans, program) for scans in (direct, read_normalised([path])))
    values = [dict(zip(result.names, result.values, strict=False)) for result in (first, second)]
    for name in ("ln_A", "delta_h", "x", "beta"):
        assert values[1][name] == pytest.approx(values[0][name], abs=0.02 * first.standard_errors[name]), name
