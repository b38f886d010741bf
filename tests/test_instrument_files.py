"""Files as instruments write them: the right column, scans, temperatures, rate and direction."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_scans import CELSIUS, COOLED, CPN, FLOW, KELVIN, MINUTES, RATE, check, read, rows

from lehr import LehrError
from lehr.glass.scans import normalise_as, read_recording, read_scans
from lehr.glass.scans.options import ScanOptions
from lehr.glass.scans.table import headings
from lehr.glass.scans.units import parse_heading, tidy_unit

Lehr = Callable[..., subprocess.CompletedProcess[str]]

# --- which column is what --------------------------------------------------------------------------------------------

OTHERS: Mapping[str, Any] = {
    "Heater Temp (°C)": CELSIUS + 5,
    "Tzero Temperature (°C)": CELSIUS + 4,
    "Flange Temperature (°C)": CELSIUS + 3,
    "Program Temperature (°C)": CELSIUS + 2,
    "Reference Temperature (°C)": CELSIUS + 1,
    "Cell Temp. (°C)": CELSIUS + 6,
    "Furnace Temperature (°C)": CELSIUS + 7,
    "Set Point Temperature (°C)": CELSIUS + 8,
    "Tr (°C)": CELSIUS + 9,
    "Rev Heat Flow (mW)": FLOW + 1,
    "Nonrev Heat Flow (mW)": 0 * FLOW + 0.1,
    "Non-Reversing Heat Flow (mW)": 0 * FLOW + 0.2,
    "Rev Cp (J/(g·°C))": 6 * FLOW,
    "Reversing Heat Capacity (J/g/°C)": 6 * FLOW,
    "Heat Flow Calibration": 0 * FLOW + 0.9,
    "Heat Flow Phase (rad)": 0 * FLOW + 0.1,
    "Uncorrected Heat Flow (mW)": FLOW + 3,
    "Unsubtracted Heat Flow (mW)": FLOW + 2,
    "Baseline Heat Flow (mW)": 0 * FLOW,
    "Deriv. Heat Flow (mW/min)": 0 * FLOW + 1,
    "Mass/%": 100 - 0.1 * FLOW,
    "TG/mg": 10 - 0.1 * FLOW,
    "dL/Lo (%)": FLOW,
    "Gas Flow(purge2)/(ml/min)": 0 * FLOW + 50,
    "Cell Purge Flow (mL/min)": 0 * FLOW + 50,
    "Sensit./(uV/mW)": 0 * FLOW + 3.4,
    "Modulated Heat Flow (mW)": FLOW + 4,
    "Heat Flow Error (mW)": 0 * FLOW + 0.01,
}


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("beside", OTHERS)
def test_a_column_beside_the_signal_is_not_taken(tmp_path: Path, beside: str, first: bool) -> None:
    """Neither where it stands before the right columns nor where it stands behind them."""
    names, columns = ["Temperature (°C)", "Heat Flow (mW)"], [CELSIUS, FLOW]
    names, columns = (
        ([beside, *names], [OTHERS[beside], *columns]) if first else ([*names, beside], [*columns, OTHERS[beside]])
    )
    check(read(tmp_path / "scan.csv", ",".join(["Time (min)", *names]) + "\n" + rows(MINUTES, *columns)))


def test_all_of_them_at_once(tmp_path: Path) -> None:
    names = [*list(OTHERS)[:12], "Sample Temperature (°C)", *list(OTHERS)[12:], "Heat Flow (mW)", "Time (min)"]
    columns = [
        {**OTHERS, "Sample Temperature (°C)": CELSIUS, "Heat Flow (mW)": FLOW, "Time (min)": MINUTES}[name]
        for name in names
    ]
    scan = read(tmp_path / "scan.csv", ",".join(names) + "\n" + rows(*columns))
    check(scan)
    assert any("temperature: Sample Temperature" in note for note in scan.notes)


def test_the_only_thermometer_is_named_where_it_is_not_that_of_the_sample(tmp_path: Path) -> None:
    scan = read(tmp_path / "scan.csv", "Time (min),Program Temperature (°C),DSC (mW)\n" + rows(MINUTES, CELSIUS, FLOW))
    check(scan)
    assert "Program Temperature (°C) is not the temperature of the sample; the file has no other" in scan.notes


@pytest.mark.parametrize("column", ["Mass/%", "Rev Cp (J/(g·°C))", "Nonrev Heat Flow (W/g)", "dL/Lo/%", "Weight (mg)"])
def test_a_file_without_a_heat_flow_is_refused_by_name(tmp_path: Path, column: str) -> None:
    path = tmp_path / "tg.txt"
    path.write_text(f"##Temp./°C;Time/min;{column}\n" + rows(CELSIUS, MINUTES, 100 - CPN, delimiter=";"))
    with pytest.raises(LehrError, match="no heat flow and no heat capacity, only") as caught:
        read_scans([path])
    assert column in caught.value.what
    assert "heat flow" in caught.value.then
    assert (
        len(
            read_scans(
                [path], options=ScanOptions.model_validate({"columns": {"signal": 3}, "units": {"signal": "mW"}})
            )
        )
        == 1
    )


def test_one_measurement_in_two_units_is_one_scan(tmp_path: Path) -> None:
    """Heat flow, and the same normalised by the mass, neither of which says its unit."""
    text = "Time (min),Temperature (°C),Heat Flow,Heat Flow (Normalized)\n" + rows(MINUTES, CELSIUS, FLOW, FLOW / 8.3)
    check(read(tmp_path / "scan.csv", text))


def test_scans_side_by_side_have_times_and_temperatures_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "scans.csv"
    path.write_text("t (min),T (°C),HF (mW),t (min),T (°C),HF (mW)\n"
                    + rows(MINUTES, CELSIUS, FLOW, 2 * MINUTES, CELSIUS + 1, FLOW**2))  # fmt: skip
    one, two = read_scans([path])
    check(one)
    check(two, flow=FLOW**2, celsius=CELSIUS + 1, rate=RATE / 2)


@pytest.mark.parametrize("kind", ["csv", "universal analysis"])
def test_a_line_of_text_within_a_scan_does_not_make_two_of_it(tmp_path: Path, kind: str) -> None:
    head = "Time (min)\tTemperature (°C)\tHeat Flow (mW)\tNote\n"
    if kind != "csv":
        head = UNIVERSAL_ANALYSIS.format(exotherm="Down")
    lines = (head + rows(MINUTES, CELSIUS, FLOW, FLOW, delimiter="\t")).splitlines()
    lines[200:200] = ["gas switched on"]
    scan = read(tmp_path / "scan.txt", "\n".join(lines))
    check(scan)
    assert "line 201 within the table: no numbers" in scan.notes


def test_a_time_that_starts_anew_is_not_the_time(tmp_path: Path) -> None:
    """Of the time within a segment and that of the run, the one that goes on is taken."""
    again = np.concatenate([MINUTES, MINUTES])
    text = "Segment time (min),Time (min),Temperature (°C),DSC (mW)\n"
    text += rows(
        again, np.concatenate([MINUTES, MINUTES + 20]), np.concatenate([CELSIUS[::-1], CELSIUS]), np.tile(FLOW, 2)
    )
    check(read(tmp_path / "scan.csv", text))


# --- units and cells -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit", ["℃", "Cel", "deg C", "oC", "° C", "degC", "C", "ºC", "degrees C", ">C", "Â°C", "Celsius"]
)
def test_spellings_of_degrees_celsius(tmp_path: Path, unit: str) -> None:
    assert tidy_unit(unit) == "degC"
    check(read(tmp_path / "1.csv", f"Time/min,Temp./{unit},DSC/(mW/mg)\n" + rows(MINUTES, CELSIUS, FLOW)))
    check(read(tmp_path / "2.csv", f"Time (min),Temp ({unit}),DSC (mW)\n" + rows(MINUTES, CELSIUS, FLOW)))
    check(
        read(tmp_path / "3.txt", f"Time\tTemp\tDSC\nmin\t{unit}\tmW\n" + rows(MINUTES, CELSIUS, FLOW, delimiter="\t"))
    )


@pytest.mark.parametrize(
    ("unit", "kind", "tidy"),
    [
        ("J/gK", "cp", "J/g/K"),
        ("J/g°C", "cp", "J/g/K"),
        ("J/(g·℃)", "cp", "J/g/K"),
        ("J/g-K", "cp", "J/g/K"),
        ("kJ/kgK", "cp", "kJ/kg/K"),
        ("Jg^-1K^-1", "cp", "J/g/K"),
        ("J·g⁻¹·K⁻¹", "cp", "J/g/K"),
        ("mJ/°C", "cp", "mJ/K"),
        ("cal/(g·°C)", "cp", "cal/g/K"),
        ("mcal/s", "heat_flow", "mcal/s"),
        ("mcal/(s mg)", "heat_flow", "mcal/s/mg"),
        ("Wg^-1", "heat_flow", "W/g"),
        ("mJ/s", "heat_flow", "mJ/s"),
        ("W/g (exo up)", "heat_flow", "W/g"),
        ("mW, endo down", "heat_flow", "mW"),
    ],
)
def test_spellings_of_the_unit_of_the_signal(tmp_path: Path, unit: str, kind: str, tidy: str) -> None:
    scan = read(
        tmp_path / "scan.csv",
        f"Time (min);Temperature (°C);Signal ({unit})\n" + rows(MINUTES, CELSIUS, -FLOW, delimiter=";"),
    )
    check(scan, flow=-FLOW)
    assert (scan.kind, scan.unit) == (kind, tidy)
    assert scan.endotherm == ("down" if "exo up" in unit or "endo down" in unit else None)


def test_a_line_of_units_of_which_some_are_not_known(tmp_path: Path) -> None:
    text = "Time\tTemperature\tHeat Flow\tHeat Flow Phase\tCell Purge\tStage\nmin\t°C\tmW\trad\tmL/min\tfurlong\n"
    ones = np.ones_like(FLOW)
    scan = read(tmp_path / "scan.txt", text + rows(MINUTES, CELSIUS, FLOW, ones, ones, ones, delimiter="\t"))
    check(scan)
    assert scan.unit == "mW"


def test_names_are_not_taken_for_units() -> None:
    assert headings([["Time", "Temperature", "K"], ["a", "b", "c"]], 3)[1].quantity == "temperature"
    assert [each.unit for each in headings([["s", "K", "mW"], ["t", "T", "HF"]], 3)] == ["s", "K", "mW"]


@pytest.mark.parametrize("texts", [["S1"] * KELVIN.size, [f"S{i // 90} heating" for i in range(KELVIN.size)]])
@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_columns_of_text_are_left_out(tmp_path: Path, texts: list[str], place: int, delimiter: str) -> None:
    names, columns = ["##Temp./°C", "Time/min", "DSC/(mW/mg)"], [CELSIUS, MINUTES, FLOW]
    names.insert(place, "Segment")
    columns.insert(place, texts)  # type: ignore[arg-type]
    text = delimiter.join(names) + "\n" + rows(*columns, delimiter=delimiter)
    check(read(tmp_path / "scan.txt", text, "latin-1"))
    lines = text.splitlines()
    at = 90
    lines[at] = lines[at].replace(lines[at].split(delimiter)[3 if place < 3 else 2], "spilt coffee")
    (tmp_path / "scan.txt").write_text("\n".join(lines), encoding="latin-1")
    with pytest.raises(LehrError, match=f"line {at + 1}: 'spilt coffee' is not a number"):
        read_scans([tmp_path / "scan.txt"])


def test_numbers_below_a_heading_of_clock_times_are_refused(tmp_path: Path) -> None:
    """Such as days, as Excel writes them."""
    (tmp_path / "days.csv").write_text("Time (hh:mm:ss),Temp. (°C),DSC (mW)\n" + rows(MINUTES / 1440, CELSIUS, FLOW))
    with pytest.raises(LehrError, match="'hh:mm:ss' is not a unit of time"):
        read_scans([tmp_path / "days.csv"])


@pytest.mark.parametrize("comma", [False, True])
def test_clock_times(tmp_path: Path, comma: bool) -> None:
    """hh:mm:ss, also over midnight when the clock started late."""
    seconds = 60 * MINUTES + 23 * 3600 + 55 * 60
    clock = [f"{int(s // 3600):02d}:{int(s // 60) % 60:02d}:{s % 60:04.1f}" for s in seconds]
    text = "Time (hh:mm:ss);Temperature (°C);DSC (mW)\n" + rows(clock, CELSIUS, FLOW, delimiter=";")
    check(read(tmp_path / "scan.txt", text.replace(".", ",") if comma else text))
    of_day = [f"{int(s // 3600) % 24:02d}:{each[3:]}" for s, each in zip(seconds, clock, strict=True)]
    check(read(tmp_path / "day.txt", "Clock;Temp. (°C);DSC (mW)\n" + rows(of_day, CELSIUS, FLOW, delimiter=";")))


# --- programs of instruments -----------------------------------------------------------------------------------------

PYRIS_HEAD = """Filename:\tC:\\Program Files\\Pyris\\Data\\glass.dsd
Operator ID:
Sample ID:\tglass
Display Weight:\t8.300 mg
1)\tHeat from -5.00°C to 85.00°C at 10.00°C/min
"""
PYRIS_NAMES = """
\t          \tUnsubtracted\tBaseline\tProgram\tSample\tApprox. Gas\tHeat Flow\tUncorrected
\tTime\tHeat Flow\tHeat Flow\tTemperature\tTemperature\tFlow\tCalibration\tHeat Flow
"""
PYRIS_END = """
\tDSC8500 CALIBRATION VALUES:
\tMaterial\tMeasured\tExpected
\tIndium\t156.70\t156.60
\tZinc\t419.50\t419.47
\tTin\t231.90\t231.93
\tLead\t327.40\t327.46
\tWater\t0.10\t0.00
\tDecane\t-29.60\t-29.66
"""


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_pyris(tmp_path: Path, steps: int, encoding: str) -> None:
    """Names over two lines, a tab before each row, no units, gaps of a program, a table of calibrations at the end."""

    def step(number: int, start: float, celsius: Any, flow: Any) -> str:
        empty, zero = [""] * flow.size, 0 * flow
        names = PYRIS_NAMES if number == 1 else "\n"
        bad = ["-1.#IND00"] * flow.size
        columns = (empty, start + MINUTES, flow, zero, celsius + 0.1, celsius, bad, zero + 0.9, flow + 1)
        part = rows(*columns, delimiter="\t")
        return f"{number}) DSC 8500 Temperature Scan {names}{part}"

    cooling = step(1, 0.0, CELSIUS[::-1], COOLED[::-1]) if steps == 2 else ""
    text = PYRIS_HEAD + cooling + step(steps, 20.0, CELSIUS, FLOW) + PYRIS_END
    scan = read(tmp_path / "pyris.txt", text, encoding)
    check(scan)
    assert any("temperature in degC" in note for note in scan.notes)
    assert any(note.startswith("left out: lines") for note in scan.notes)


UNIVERSAL_ANALYSIS = """CLOSED
Version\t2.0
Instrument\tDSC Q2000 V24.11 Build 124
Size\t8.3000\tmg
Exotherm\t{exotherm}
TempRange\t9.92 to 79.11 °C at 4.99 °C/min Heat Only
Nsig\t4
Sig1\tTime (min)
Sig2\tTemperature (°C)
Sig3\tHeat Flow (mW)
Sig4\tRev Cp (mJ/°C)
OrgMethod\t1: Ramp 10.00 °C/min to 85.00 °C
StartOfData
"""


@pytest.mark.parametrize("exotherm", ["Up", "UP", "Down"])
@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_universal_analysis(tmp_path: Path, exotherm: str, restart: bool, encoding: str) -> None:
    """Names one a line, rows that mark the ends of segments, and a direction."""
    sign = 1.0 if exotherm == "Down" else -1.0
    marks = [f"{mark:.6f}\t{celsius:.2f}\t0.000000\t0.000000\n" for mark, celsius in ((-1, 85), (-2, -5), (-3, -5))]
    text = UNIVERSAL_ANALYSIS.format(exotherm=exotherm) + marks[0]
    text += rows(MINUTES, CELSIUS[::-1], -sign * COOLED[::-1], 6 * COOLED, delimiter="\t") + marks[1] + marks[2]
    text += rows(MINUTES + (0 if restart else 12), CELSIUS, sign * FLOW, 6 * FLOW, delimiter="\t") + marks[0]
    scan = read(tmp_path / "ua.txt", text, encoding)
    check(scan, flow=sign * FLOW)
    assert scan.endotherm == ("up" if exotherm == "Down" else "down")
    assert normalise_as(scan, ScanOptions()).endotherm == scan.endotherm


@pytest.mark.parametrize(("exo", "sign"), [(1, -1.0), (-1, 1.0)])
def test_netzsch_text(tmp_path: Path, exo: int, sign: float) -> None:
    """A hold of 20 points beside the scan; the sign of exothermic effects stands in the head."""
    ones = np.ones(20)
    head = f"#EXPORTTYPE:DATA ALL\n#SEPARATOR:SEMICOLON\n#EXO:{exo}\n#RANGE:-5°C/10,0(K/min)/85°C\n"
    names = "##Temp./°C;Time/min;DSC/(mW/mg);Sensit./(uV/mW);Segment\n"
    hold = rows(CELSIUS[0] * ones, np.arange(20) / 60, ones, ones, ["S1"] * 20, delimiter=";")
    scan = read(
        tmp_path / "n.txt",
        head
        + names
        + hold
        + names
        + rows(CELSIUS, MINUTES + 1, sign * FLOW, 3 * CPN, ["S2"] * FLOW.size, delimiter=";"),
        "latin-1",
    )
    check(scan, flow=sign * FLOW)
    assert scan.endotherm == ("down" if exo == 1 else "up")
    assert "left out: lines 6 to 25: 20 points are too few" in scan.notes


def test_a_direction_that_the_step_contradicts_gives_way(tmp_path: Path) -> None:
    scan = read(
        tmp_path / "n.txt", "#EXO:1\n##Temp./°C;Time/min;DSC/mW\n" + rows(CELSIUS, MINUTES, FLOW, delimiter=";")
    )
    result = normalise_as(scan, ScanOptions())
    assert result.endotherm == "up"
    assert any("endothermic effects point down, but the step" in note for note in result.notes)
    with pytest.raises(LehrError, match=r"wrong sign|no glass transition"):
        normalise_as(scan, ScanOptions(endotherm="down"))


def test_an_odd_table_beside_a_scan_is_left_out_by_name(tmp_path: Path) -> None:
    """Results in other columns, however many; a scan that is damaged is refused all the same."""
    results = "Results;mean;error\n" + rows([f"step {i}" for i in range(40)], np.arange(40), np.ones(40), delimiter=";")
    scan = "Temp. (°C);Time (min);DSC (mW)\n" + rows(CELSIUS, MINUTES, FLOW, delimiter=";")
    for text in (results + "\n" + scan, scan + "\n" + results, scan + "\n" + results.replace("step 3;", "3;")):
        found = read(tmp_path / "scan.txt", text)
        check(found)
        assert any(note.startswith("left out: lines") and "which column" in note for note in found.notes)
    damaged = "Temp. (°C);Time (min);DSC (mW)\n" + rows(
        CELSIUS, MINUTES, ["x" if i == 50 else f"{y}" for i, y in enumerate(FLOW)], delimiter=";"
    )
    (tmp_path / "two.txt").write_text(scan + "\n" + damaged)
    with pytest.raises(LehrError, match=f"line {FLOW.size + 54}: 'x' is not a number"):
        read_scans([tmp_path / "two.txt"])


def stare(number: int, name: str, unit: str, values: Any, value: str = "Value", curve: str = "Curve Name") -> str:
    """Return a curve of a Mettler STARe export."""
    heads = (("Index", "t", "Ts", "Tr", value), ("", "[s]", "[°C]", "[°C]", unit))
    names = "".join("".join(f"{each:>15}" for each in head) + "\n" for head in heads)
    part = "".join(
        f"{i:15d}{60 * t:15.4f}{c:15.3f}{c + 2:15.3f}{y:15.6g}\n"
        for i, (t, c, y) in enumerate(zip(MINUTES, CELSIUS, values, strict=True))
    )
    return f"{curve}:\n  []]{number}[${name}\nCurve Values:\n{names}{part}\n\nResults:\n  {name}, 0.1 mg\n\n"


def test_german_stare(tmp_path: Path) -> None:
    curves = "".join(stare(n, "Glas", "[mW]", FLOW, "Wert", "Kurvenname") for n in (1, 2)).replace(".", ",")
    path = tmp_path / "stare.txt"
    path.write_bytes(f"Titel                      01.01.2025 12:00\n____\n\n{curves}".encode("latin-1"))
    for scan, name in zip(read_scans([path]), ("[1] Glas", "[2] Glas"), strict=True):
        check(scan)
        assert scan.source.endswith(name)


def test_a_curve_of_the_mass_beside_one_of_the_heat_flow(tmp_path: Path) -> None:
    scan = read(tmp_path / "stare.txt", stare(1, "TGA", "[mg]", 10 - CPN) + stare(2, "DSC", "[mW]", FLOW))
    check(scan)
    assert scan.source.endswith("[2] DSC")
    (note,) = [each for each in scan.notes if each.startswith("left out")]
    assert note.startswith("left out: [1] TGA, lines 6 to ")
    assert "'Value [mg]'" in note


def test_universal_analysis_with_the_temperature_first(tmp_path: Path) -> None:
    """A temperature of -1 degC is not a marker."""
    celsius = CELSIUS - CELSIUS[0] - 30.0
    marks = "-1.000000\t0.0\t0.0\n-2.000000\t0.0\t0.0\n"
    text = "Nsig\t3\nSig1\tTemperature (°C)\nSig2\tTime (min)\nSig3\tHeat Flow (mW)\nStartOfData\n" + marks
    text += rows(celsius[::-1], MINUTES, -COOLED, delimiter="\t") + marks
    check(read(tmp_path / "ua.txt", text + rows(celsius, MINUTES + 12, FLOW, delimiter="\t") + marks), celsius=celsius)


def test_the_direction_of_a_file_is_that_of_its_heat_flow(tmp_path: Path) -> None:
    """Cp is what it is, whichever way the heat flow points."""
    text = UNIVERSAL_ANALYSIS.format(exotherm="Up").replace("Rev Cp", "Heat Capacity")
    scan = read(tmp_path / "ua.txt", text + rows(MINUTES, CELSIUS, -FLOW, 6 * FLOW, delimiter="\t"))
    check(scan, flow=6 * FLOW)
    assert (scan.kind, scan.endotherm) == ("cp", None)


class _NetzschTable:
    """What pyngb gives: columns with units, and a run that is corrected if the file holds a correction."""

    def __init__(self, offset: float) -> None:
        self.columns = {"time": 60 * MINUTES, "sample_temperature": CELSIUS, "dsc_signal": FLOW + offset}
        self.column_names = [*self.columns, "mass"]

    def column(self, name: str) -> Any:
        values = self.columns[name]
        return type("Column", (), {"to_numpy": lambda _: values})()


@pytest.mark.parametrize("runs", [1, 2])
def test_netzsch_corrected_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: int) -> None:
    """A double of pyngb, which need not be here: the corrected run is taken where the file has one."""

    class Double:
        @staticmethod
        def read_ngb(_: Path, run: str = "sample") -> _NetzschTable:
            if run == "corrected" and runs == 1:
                raise ValueError("contains no embedded correction run")
            return _NetzschTable(0.0 if run == "corrected" or runs == 1 else 5.0)

        @staticmethod
        def apply_dsc_calibration(table: _NetzschTable) -> _NetzschTable:
            return table

        @staticmethod
        def get_column_units(_: _NetzschTable, name: str) -> str:
            return {"time": "s", "sample_temperature": "°C", "dsc_signal": "mW"}[name]

    monkeypatch.setitem(sys.modules, "pyngb", Double)  # type: ignore[arg-type]
    import zipfile

    with zipfile.ZipFile(tmp_path / "run.ngb-ds3", "w") as archive:
        archive.writestr("Streams/stream_1.table", b"")
    (scan,) = read_scans([tmp_path / "run.ngb-ds3"])
    check(scan)
    assert any(("corrected by" if runs == 2 else "no correction run") in note for note in scan.notes)


# --- Excel -----------------------------------------------------------------------------------------------------------

_BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # B; a dense sheet of this size takes more than 100 GiB
from lehr.glass.scans import read_scans
(scan,) = read_scans([sys.argv[1]])
print(scan.temperature.size, scan.signal[0])
"""


@pytest.mark.parametrize("far", ["XFD1048576", "XFD20", "B1048576"])
def test_a_stray_far_cell_does_not_eat_the_memory(tmp_path: Path, far: str) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Temperature (°C)", "Heat flow (mW)", "Segment"])
    for row in zip(CELSIUS.tolist(), FLOW.tolist(), strict=True):
        book.active.append([*row, "heating"])
    book.active[far] = 1
    book.save(tmp_path / "far.xlsx")
    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, tmp_path / "far.xlsx"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == str(FLOW.size)


def test_excel_with_clock_times_and_two_tables(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    from datetime import timedelta

    book = openpyxl.Workbook()
    sheet = book.active
    for i in range(8):
        sheet.append([f"result {i}", 1.0 * i, 2.0 * i])
    sheet.append([])
    sheet.append(["Time", "Temperature", "Heat Flow"])
    sheet.append([None, "°C", "mW"])
    for t, c, y in zip(MINUTES.tolist(), CELSIUS.tolist(), FLOW.tolist(), strict=True):
        sheet.append([timedelta(minutes=t), c, y])
    book.save(tmp_path / "two.xlsx")
    (scan,) = read_scans([tmp_path / "two.xlsx"])
    check(scan)
    assert any("left out" in note for note in scan.notes)


# --- messages --------------------------------------------------------------------------------------------------------


def test_the_command_shows_what_was_left_out(lehr: Lehr, tmp_path: Path) -> None:
    path = tmp_path / "scan.txt"
    path.write_text(
        "Temp. (°C);Time (min);DSC (mW)\n"
        + rows(CELSIUS, MINUTES, FLOW, delimiter=";")
        + "\nTg;2\n"
        + rows([f"{i}" for i in range(6)], np.arange(6.0), delimiter=";")
    )
    done = lehr("read", path)
    assert done.returncode == 0, done.stderr
    assert "1 heating scan" in done.stdout
    assert "left out: lines" in done.stdout
    assert read_recording(path).measurements[0].kind == "heat_flow"


def test_directions_in_headings() -> None:
    for text, endotherm in {
        "Heat Flow (Endo Up)": "up",
        "DSC exo ↑ (mW)": "down",
        "^exo [mW]": "down",
        "HF, exo down": "up",
    }.items():
        assert parse_heading(text).endotherm == endotherm, text
    assert parse_heading("Heat Flow (W/g) (exo up)").unit == "W/g"
