"""Measured scans: every format from a file made here, the lines of glass and liquid, resampling, and bad input."""

from __future__ import annotations

import contextlib
import json
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lehr import LehrError, ThermalProgram, material, simulate
from lehr.glass.scans import normalise, read_normalised, read_recording, read_scans, resample
from lehr.glass.scans.measured import MeasuredScan
from lehr.glass.scans.options import ScanOptions, load_scan_options
from lehr.glass.scans.segments import find_segments
from lehr.glass.scans.units import parse_heading, tidy_unit
from lehr.glass.tnm import ZERO_CELSIUS

Lehr = Callable[..., subprocess.CompletedProcess[str]]
CELSIUS = np.linspace(100.0, 250.0, 301)
FLOW = -(1.0 + 0.001 * CELSIUS + 0.2 / (1 + np.exp(-(CELSIUS - 180) / 3)))  # a step, endothermic down
TIME = (CELSIUS - 100.0) * 6.0  # s, 10 K/min


def write(path: Path, header: str, columns: list[np.ndarray], delimiter: str = ",", comma: bool = False) -> Path:
    rows = [delimiter.join(f"{value:.6g}" for value in row) for row in np.column_stack(columns)]
    text = "\n".join(rows)
    path.write_text(header + (text.replace(".", ",") if comma else text) + "\n", encoding="utf-8")
    return path


def one(path: Path, **options: Any) -> MeasuredScan:
    (scan,) = read_scans([path], options=ScanOptions.model_validate(options))
    return scan


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "delimiter", "comma", "unit", "rate"),
    [
        ("Time/s,Temp./°C,DSC/(mW/mg)\n", ",", False, "mW/mg", 10),
        ("Zeit [s];Temperatur [°C];Wärmestrom [mW]\n", ";", True, "mW", 10),
        ("t\tTs\tValue\n[s]\t[°C]\t[mW]\n", "\t", True, "mW", 10),
        ("a prose line\n\n#Time (s) Temperature (°C) Heat_flow(W/g)\n".replace("e (", "e("), " ", False, "W/g", 10),
        ("Time (min),Temperature (K),Heat Flow (Normalized) Q (W/g)\n", ",", False, "W/g", 10 / 60),
        ('"Time (s)","Temperature (°C)","Heat flow (mW)"\n', ",", False, "mW", 10),
    ],
)
def test_text_layouts(tmp_path: Path, header: str, delimiter: str, comma: bool, unit: str, rate: float) -> None:
    scan = one(write(tmp_path / "scan.txt", header, [TIME, CELSIUS, FLOW], delimiter, comma))
    assert (scan.kind, scan.unit) == ("heat_flow", unit)
    assert scan.heating_rate == pytest.approx(rate, rel=1e-6)
    offset = 0.0 if "(K)" in header else ZERO_CELSIUS
    np.testing.assert_allclose(scan.temperature, CELSIUS + offset)
    np.testing.assert_allclose(scan.signal, FLOW, rtol=1e-5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "scan.csv", "Temperature (°C),Cp (J/(g·K))\n", [CELSIUS, FLOW])
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    scan = one(path)
    assert (scan.kind, scan.unit, scan.heating_rate) == ("cp", "J/g/K", None)


def test_columns_and_units_from_options_and_from_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "bare.txt", "", [FLOW, CELSIUS, TIME / 60], "\t")
    with pytest.raises(LehrError, match="which column is the signal"):
        read_scans([path])
    layout = tmp_path / "layout.yaml"
    layout.write_text("columns: {signal: 1, temperature: 2, time: 3}\nunits: {temperature: degC, time: s}\nkind: cp\n")
    options = load_scan_options(layout, {"units": {"time": "min"}, "endotherm": "down"})
    (scan,) = read_scans([path], options=options)
    assert scan.heating_rate == pytest.approx(10)
    assert scan.kind == "cp"
    layout.write_text("colums: {signal: 1}")
    with pytest.raises(LehrError, match="did you mean 'columns'"):
        load_scan_options(layout)


def test_a_simulated_csv_is_read_as_its_scans(lehr: Lehr, tmp_path: Path) -> None:
    lehr("simulate", "--material", "As2Se3", "--temperature", 50, 300, 0.5, "--csv", tmp_path / "out.csv")
    scans = read_normalised([tmp_path / "out.csv"])
    assert [scan.measured.kind for scan in scans] == ["cpn"] * 6
    assert not any("instead of" in note for scan in scans for note in scan.notes)


def stare(curves: list[np.ndarray]) -> str:
    """Return text in the layout of a Mettler STARe export: curves one below the other, units that miss a column."""
    parts = ["Title                      01.01.2025 12:00\n____\n\nEvaluation Categories:\n\n"]
    for number, flow in enumerate(curves, 1):
        names = f"{'Index':>15}{'t':>15}{'Ts':>15}{'Tr':>15}{'Value':>15}\n"
        units = f"{'':>15}{'[s]':>15}{'[°C]':>15}{'[°C]':>15}{'[mW]':>15}\n"
        rows = "".join(
            f"{i:15d}{0.001 * i:15.4f}{c:15.3f}{c + 2:15.3f}{y:15.6g}\n"
            for i, (c, y) in enumerate(zip(CELSIUS, flow, strict=True))
        )
        parts.append(
            f"Curve Name:\n  []]{number}[$made\nCurve Values:\n{names}{units}{rows}\n\nResults:\n  made, 0.1 mg\n\n"
        )
    return "".join(parts).replace("\n", "\r\n")


def test_mettler_export(tmp_path: Path) -> None:
    path = tmp_path / "export.txt"
    path.write_bytes(stare([FLOW, 2 * FLOW]).encode("latin-1"))
    recording = read_recording(path)
    assert "white space" in recording.format
    first, second = recording.scans()
    assert first.heating_rate == pytest.approx(0.5 / 0.001 * 60, rel=1e-6)
    np.testing.assert_allclose(first.temperature, CELSIUS + ZERO_CELSIUS)  # Ts, of the sample, not Tr
    np.testing.assert_allclose(second.signal, 2 * first.signal, rtol=1e-4)
    assert "[2] made" in second.source
    assert recording.scans(ScanOptions(take=(2,)))[0].source == second.source
    with pytest.raises(LehrError, match="no heating segment 3"):
        recording.scans(ScanOptions(take=(3,)))


def test_excel(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["a sample"])
    sheet.append([None, "Temperature", "Heat flow"])
    sheet.append([None, "°C", "mW"])
    for row in zip(CELSIUS.tolist(), FLOW.tolist(), strict=True):
        sheet.append([None, *row])
    book.save(tmp_path / "scan.xlsx")
    scan = one(tmp_path / "scan.xlsx")
    assert scan.unit == "mW"
    np.testing.assert_allclose(scan.temperature, CELSIUS + ZERO_CELSIUS)
    sheet.cell(row=100, column=3).value = "spilt coffee"
    book.save(tmp_path / "bad.xlsx")
    with pytest.raises(LehrError, match="row 100: 'spilt coffee' is not a number"):
        read_scans([tmp_path / "bad.xlsx"])


def test_trios_json(tmp_path: Path) -> None:
    pytest.importorskip("tadatakit", reason="of the extra 'instruments', which is in no lock")
    units = {"Time": "min", "Temperature": "°C", "Heat Flow": "mW"}
    rows = [
        {"Time": float(t) / 60, "Temperature": float(c), "Heat Flow": float(y)}
        for t, c, y in zip(TIME, CELSIUS, FLOW, strict=True)
    ]
    original = {
        "Classification": {"Id": "Unmodified", "Description": "Data from the original experiment"},
        "ResultsSteps": [],
        "ColumnHeaders": {
            name: {"DisplayName": name, "ValueType": "Number", "Unit": {"Name": unit}} for name, unit in units.items()
        },
        "Rows": rows,
    }
    content = {
        "Schema": {"Url": "https://software.tainstruments.com/schemas/TRIOSJSONExportSchema"},
        "Operators": [],
        "Sample": {"Name": "made"},
        "Procedure": {"Steps": [], "Configuration": {}},
        "Results": {"Original": original},
    }
    path = tmp_path / "scan.json"
    path.write_text(json.dumps(content))
    scan = one(path)
    assert (scan.kind, scan.unit) == ("heat_flow", "mW")
    assert scan.heating_rate == pytest.approx(10)
    np.testing.assert_allclose(scan.temperature, CELSIUS + ZERO_CELSIUS)
    path.write_text('{"Results": 1}')
    with pytest.raises(LehrError, match="cannot be read"):
        read_scans([path])


def test_headings() -> None:
    assert parse_heading("Cp*/(J/(g*K))").unit == "J/g/K"
    assert parse_heading("t / °C").quantity == "temperature"
    assert parse_heading("temperature_K").unit == "K"
    assert parse_heading("cpn_1_after_0.5_K_per_min").quantity == "cpn"
    assert parse_heading("Heat Flow (Endo Up)").unit is None
    assert parse_heading("Deriv. Heat Flow (W/g)").quantity is None
    for text in ("J/(g·K)", "J g^-1 K^-1", "J/g/°C", "J/(K g)"):
        assert tidy_unit(text) == "J/g/K", text


HEADER = "Temperature (°C);Heat flow (mW)"


@pytest.mark.parametrize(
    ("header", "row", "kept", "message"),
    [
        (HEADER, "150.2;oops", 301, "line 10: 'oops' is not a number"),
        (HEADER, "150.2;nan", 301, "line 10: numbers are missing"),
        (HEADER, "1;2;3", 301, "line 10: 3 columns, 2 above"),
        (HEADER, "1e7;1", 301, "line 10: 1e[+]07 degC is not a temperature"),
        (HEADER, "-300;1", 301, "line 10: -300 degC is not a temperature"),
        (HEADER, None, 20, "20 points are too few"),
        (HEADER, None, 3, "fewer than 5 rows"),
        (HEADER, None, -1, "no heating segment"),
        ("Temperature (F);Heat flow (mW)", None, 301, "'F' is not a unit of temperature"),
        ("Temperature;Heat flow (mW)", None, 301, "whether the temperature is in K or degC"),
        ("Temperature (K);Heat flow (bananas)", None, 301, "'bananas' is not a unit"),
        ("a;b;c", None, 0, "no table of numbers"),
        ("", None, 0, "the file is empty"),
    ],
)
def test_bad_text_is_one_message(tmp_path: Path, header: str, row: str | None, kept: int, message: str) -> None:
    rows = [f"{celsius:g};{flow:g}" for celsius, flow in zip(CELSIUS, FLOW, strict=True)]
    rows = rows[:kept] if kept >= 0 else rows[::-1]
    if row:
        rows.insert(8, row)
    path = tmp_path / "scan.csv"
    path.write_text("\n".join([header, *rows]).strip(), encoding="utf-8")
    with pytest.raises(LehrError, match=message) as caught:
        read_scans([path])
    assert str(path) in caught.value.what
    assert caught.value.then


def test_times_that_go_back(tmp_path: Path) -> None:
    time = TIME.copy()
    time[100] -= 60
    path = write(tmp_path / "scan.csv", "Time (s),T (°C),DSC (mW)\n", [time, CELSIUS, FLOW])
    with pytest.raises(LehrError, match="line 102: the time goes back"):
        read_scans([path])


def test_binary_files(tmp_path: Path) -> None:
    for content, message in (
        (b"\x7fELF\0\1\2\3" * 9, "neither text"),
        (b"PK\x03\x04nothing", "damaged"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "before 2007"),
    ):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(LehrError, match=message):
            read_scans([tmp_path / "file"])
    with pytest.raises(LehrError, match="cannot read the file"):
        read_scans([tmp_path / "none"])


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """Return a table of a scan, of which a few cells are spoilt."""
    columns, rows = draw(st.integers(2, 4)), draw(st.integers(25, 90))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    values = rng.normal(size=(rows, columns)) * 10.0 ** draw(st.integers(-40, 40))
    if draw(st.booleans()):
        values[:, -1] += 30 * (np.arange(rows) > rows / 2)
    values[:, 0] = np.arange(rows) + draw(st.sampled_from([-30.0, 300.0]))
    values[:, 1:-1] = 300 + 50 * np.sin(np.arange(rows) / draw(st.integers(5, 60)))[:, None]
    cells = [[f"{value:.6g}" for value in row] for row in values]
    for _ in range(draw(st.integers(0, 2))):
        bad = draw(st.sampled_from(["", "x", "nan", "inf", "1,5", "1_0", "9e999", "-1e300", "1e-310", "0", "\u0663"]))
        cells[draw(st.integers(0, rows - 1))][draw(st.integers(0, columns - 1))] = bad
    headers = ["", "T (K),y (mW)", "t/s;T/K;DSC/mW", "Temp (K)\tCp (J/g/K)", "T (°C) CpN", "[s] [K]"]
    delimiter = draw(st.sampled_from([",", ";", "\t", " "]))
    return "\n".join([draw(st.sampled_from(headers)), *map(delimiter.join, cells)]).encode()


@settings(max_examples=250, deadline=2000, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.one_of(
        st.binary(max_size=300),
        tables(),
        st.tuples(st.sampled_from([b"PK\x03\x04", b"\xff\xfe", b"{", b"Curve Name:\n"]), st.binary(max_size=99)).map(
            b"".join
        ),
    )
)
def test_any_bytes_give_scans_or_one_message(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz"
    path.write_bytes(content)
    # JSON is for a package that need not be here
    with contextlib.suppress(LehrError, ModuleNotFoundError):
        for scan in read_scans([path]):
            assert np.isfinite(scan.signal).all()
            assert (np.diff(scan.temperature) > 0).all()
            normalise(scan)


# --- segments --------------------------------------------------------------------------------------------------------


def test_heating_segments_of_a_long_program() -> None:
    """Three hundred cycles with holds and noise, rates from 0.5 to 1000 K/min."""
    rng = np.random.default_rng(3)
    rates = 10 ** rng.uniform(-0.3, 3, 300)
    time, temperature, now = [], [], 0.0
    for rate in rates:
        for first, last, seconds in ((20, 20, 30), (20, 180, 9600 / rate), (180, 180, 30), (180, 20, 480)):
            points = 80
            time.append(now + seconds * np.arange(1, points + 1) / points)
            temperature.append(first + (last - first) * np.arange(1, points + 1) / points)
            now += seconds
    clock = np.concatenate(time)
    measured = np.concatenate(temperature) + ZERO_CELSIUS + rng.normal(0, 0.02, clock.size)
    segments = find_segments(measured, clock)
    heating = [segment for segment in segments if segment.kind == "heating"]
    assert len(heating) == 300
    np.testing.assert_allclose([segment.rate for segment in heating], rates, rtol=0.02)  # 80 points: one is 1.2 %
    assert sum(segment.kind == "cooling" for segment in segments) == 300


def test_a_hold_within_heating_divides_it() -> None:
    temperature = np.concatenate([np.linspace(300, 350, 200), np.full(100, 350.0), np.linspace(350, 420, 200)])
    kinds = [segment.kind for segment in find_segments(temperature, np.arange(500.0))]
    assert kinds == ["heating", "hold", "heating"]


# --- lines -----------------------------------------------------------------------------------------------------------


def measured(
    name: str = "As2Se3",
    *,
    sign: float = -1.0,
    noise: float = 0.003,
    crystallises: bool = False,
    spikes: int = 0,
    jump: float = 0.0,
    points: int = 3000,
) -> tuple[MeasuredScan, np.ndarray, np.ndarray]:
    """Return a scan with drifting lines and a transient at its start, the same without noise, and its true CpN.

    The lines go up by 12 % (glass) and 9 % (liquid) of the step for each width of the transition; noise is in CpN.
    """
    glass = material(name).parameters
    wide = np.linspace(glass.glass_transition - 150, glass.glass_transition + 150, 6001)
    cpn = simulate(*glass.as_tuple(), program=ThermalProgram.chr_cycles([10.0]), temperature=wide).cpn[0]
    inside = np.flatnonzero(np.abs(cpn - (wide > wide[cpn.argmax()])) > 0.02)
    low, high = wide[inside[0]], wide[inside[-1]]
    width = high - low
    temperature = np.linspace(low - 2 * width, high + (4 if crystallises else 1.5) * width, points)
    true = np.interp(temperature, wide, cpn, left=0.0, right=1.0)
    x = (temperature - low) / width
    flow = 1.0 + 0.03 * x + true * (0.25 - 0.0075 * x) - 0.5 * np.exp(-(temperature - temperature[0]) / (0.07 * width))
    if crystallises:
        flow -= 1.5 * np.exp(-0.5 * ((x - 2.5) / 0.12) ** 2) + 0.1 / (1 + np.exp(-(x - 2.5) / 0.1))
        flow += 3.0 * np.exp(-0.5 * ((x - 4.0) / 0.15) ** 2)
    rng = np.random.default_rng(11)
    clean = flow.copy()
    flow = flow + 0.25 * noise * rng.normal(size=points)
    flow[rng.integers(points // 9, points, spikes)] += 1.0
    flow[: points // 5] += jump
    return MeasuredScan(temperature, sign * flow, "heat_flow", "mW", None, 10.0, name), sign * clean, true


@pytest.mark.parametrize("name", ["As2Se3", "a-Se", "PVAc", "PS"])
@pytest.mark.parametrize(
    "disturbed",
    [
        {},
        {"sign": 1.0},
        {"noise": 0.02},
        {"spikes": 5},
        {"jump": -0.06},
        {"crystallises": True},
        {"crystallises": True, "sign": 1.0},
        {"points": 150},
    ],
    ids=str,
)
def test_cpn_is_that_of_the_glass(name: str, disturbed: dict[str, Any]) -> None:
    """The lines that were found give CpN within 4 % of its peak, whatever disturbs the scan."""
    scan, clean, true = measured(name, **disturbed)
    result = normalise(scan)
    assert result.endotherm == ("up" if disturbed.get("sign", -1.0) > 0 else "down")
    inside = (scan.temperature >= result.glass.high) & (scan.temperature <= result.liquid.low)
    glass, liquid = result.glass(scan.temperature[inside]), result.liquid(scan.temperature[inside])
    error = np.abs((clean[inside] - glass) / (liquid - glass) - true[inside]).max()
    assert error < 0.04 * true.max()
    assert result.noise == pytest.approx(disturbed.get("noise", 0.003), rel=0.3)
    assert any("exothermic" in note for note in result.notes) == ("crystallises" in disturbed)
    assert any("stand out alone" in note for note in result.notes) == ("spikes" in disturbed)


def test_cpn_is_exact_on_given_ranges() -> None:
    scan, _, true = measured(noise=0.0, points=4000)
    middle = scan.temperature[true.argmax()]
    low, high = scan.temperature[[0, -1]]
    result = normalise(scan, glass=(low + 40, low + 100), liquid=(middle + 50, high))
    at = np.searchsorted(scan.temperature, result.temperature[0])
    np.testing.assert_allclose(result.cpn, true[at : at + result.cpn.size], atol=5e-3)
    with pytest.raises(LehrError, match="wrong sign"):
        normalise(scan, glass=(low + 40, low + 100), liquid=(middle + 50, high), endotherm="up")
    with pytest.raises(LehrError, match="must lie below"):
        normalise(scan, glass=(middle + 50, high), liquid=(low + 40, low + 100))


@pytest.mark.parametrize("name", ["As2Se3", "a-Se", "PS", "PMMA"])
@pytest.mark.parametrize("part", ["the glass is missing", "the liquid is missing", "no glass"])
def test_a_scan_without_both_lines_is_refused(name: str, part: str) -> None:
    scan, _, true = measured(name)
    rising = int(np.argmax(true > 0.5))
    kept = slice(rising, None) if "the glass" in part else slice(None, int(true.argmax()))
    if part == "no glass":
        kept = slice(None, int(np.argmax(true > 0.01)))
    cut = MeasuredScan(scan.temperature[kept], scan.signal[kept], scan.kind, scan.unit, None, 10.0, "cut")
    with pytest.raises(LehrError, match="cut: "):
        normalise(cut)


def test_cpn_that_does_not_reach_the_liquid_is_said() -> None:
    scan, _, true = measured()
    half = MeasuredScan(scan.temperature, 0.8 * true, "cpn", "1", None, 10.0, "half")
    assert any("CpN is 0.8 instead of 1" in note for note in normalise(half).notes)


# --- resampling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0.05, 0.5, 1.0])
def test_resampling_keeps_a_peak(step: float) -> None:
    """A peak six steps wide keeps its height within 0.1 % and its area, at uneven temperatures."""
    rng = np.random.default_rng(5)
    temperature = 300 + np.cumsum(rng.uniform(0.02, 0.08, 4000))
    sigma = 6 * step / 2.355
    values = np.exp(-0.5 * ((temperature - 400) / sigma) ** 2)
    grid, found = resample(temperature, values, step=step, low=305.0, high=395.0 + 20 * step)
    assert np.ptp(np.diff(grid)) < 1e-9
    expected = np.exp(-0.5 * ((grid - 400) / sigma) ** 2)
    # where the step is that of the data, half of a spacing of a linear course is lost, too
    np.testing.assert_allclose(found, expected, atol=1e-3 if step > 0.1 else 6e-3)


def test_resampling_lowers_noise_and_refuses_what_is_outside() -> None:
    temperature = np.linspace(300, 400, 10001)
    values = np.random.default_rng(1).normal(size=temperature.size)
    _, found = resample(temperature, values, step=1.0)
    assert found.std() == pytest.approx(np.sqrt(1.18 / 100), rel=0.25)
    for wrong in ({"low": 299.0}, {"high": 401.0}, {"step": 0.0}, {"step": 1e-9}):
        with pytest.raises(LehrError):
            resample(temperature, values, **wrong)


# --- the command -----------------------------------------------------------------------------------------------------


def test_read_command(lehr: Lehr, tmp_path: Path) -> None:
    scan, _, _ = measured(noise=0.002)
    path = write(tmp_path / "scan.csv", "T (K);DSC (mW)\n", [scan.temperature, scan.signal], ";", comma=True)
    done = lehr("read", path, "--plot", tmp_path / "look.png", "--csv", tmp_path / "cpn.csv")
    assert done.returncode == 0, done.stderr
    assert "columns separated by semicolons, decimal comma; 1 heating scan" in done.stdout
    assert " down " in done.stdout
    assert (tmp_path / "look.png").read_bytes().startswith(b"\x89PNG")
    (again,) = read_scans([tmp_path / "cpn.csv"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(again.signal, normalise(one(path)).cpn, atol=1e-5)
    done = lehr("read", path, "--glass", 0, 1)
    assert done.returncode == 1
    assert "NOT NORMALISED" in done.stdout
    done = lehr("read", path, "--columns", "temperature")
    assert done.returncode == 2
    assert "not a pair" in done.stderr
    done = lehr("read", path, "--segments")
    assert "heating" in done.stdout
