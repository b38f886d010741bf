"""Fits of many sets of scans: order, failures, what is fitted again, and the table."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lehr
from lehr.cli import main
from lehr.glass.fit import Scans, ScanSet, fit_many
from lehr.glass.fit.many_table import RESULTS, read_sets
from lehr.glass.quantities import QUANTITY_NAMES
from lehr.glass.scans.options import ScanOptions

RATES = (0.5, 5.0, 20.0)
PROGRAM = lehr.ThermalProgram.chr_cycles(RATES)
GLASSES = {"PVAc": lehr.material("PVAc").parameters, "PS": lehr.material("PS").parameters}
NOISE = 0.003


def measured(glass: lehr.TNMParameters, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return temperatures in K and noisy CpN of three scans."""
    kelvin = np.arange(glass.glass_transition - 60.0, glass.glass_transition + 40.0, 0.5)
    cpn = lehr.simulate_batch([glass.as_tuple()], program=PROGRAM, temperature=kelvin, dtype="float64")[0][0]
    return kelvin, cpn + NOISE * np.random.default_rng(seed).standard_normal(cpn.shape)


def write_scans(folder: Path, name: str, glass: lehr.TNMParameters, seed: int = 0) -> None:
    kelvin, scans = measured(glass, seed)
    for number, cpn in enumerate(scans, 1):
        table = np.column_stack([kelvin, cpn])
        np.savetxt(folder / f"{name}_{number}.csv", table, "%.7g", ",", header="T (K),CpN", comments="")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two good sets, one whose scans are in the wrong order, one damaged, one of files that are not there."""
    for name, glass in GLASSES.items():
        write_scans(tmp_path, name, glass)
    write_scans(tmp_path, "damaged", GLASSES["PS"])
    (tmp_path / "damaged_2.csv").write_text("T (K),CpN\nnot,numbers\n")
    rows = [
        "name,files,cooling_rates,heating_rate",
        "PVAc,PVAc_?.csv,0.5 5 20,10",
        "damaged,damaged_?.csv,0.5 5 20,10",
        "missing,nothing_*.csv,0.5 5 20,10",
        "turned,PS_3.csv;PS_2.csv;PS_1.csv,0.5;5;20,10",
        "PS,PS_1.csv PS_2.csv PS_3.csv,0.5 5 20,10",
    ]
    path = tmp_path / "glasses.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(tuple(row) == RESULTS for row in rows)
    return rows


def test_a_set_that_fails_is_a_row(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = table.parent / "fits.csv"
    assert main(["fit-many", str(table), "--out", str(out), "--cores", "2"]) == 1
    shown = capsys.readouterr()
    assert "5 sets: " in shown.out
    assert "2 failed" in shown.out
    assert "5/5" in shown.err
    assert "set/s" in shown.err
    rows = {row["name"]: row for row in rows_of(out)}
    assert list(rows) == ["PVAc", "damaged", "missing", "turned", "PS"]
    for name, glass in GLASSES.items():
        true = np.array([*glass.as_tuple(), glass.glass_transition])
        values = np.array([float(rows[name][quantity]) for quantity in QUANTITY_NAMES])
        errors = np.array([float(rows[name][f"{quantity}_error"]) for quantity in QUANTITY_NAMES])
        assert rows[name]["status"] == "determined"
        assert rows[name]["error"] == ""
        assert (np.abs(values - true) < 4 * errors).all()
    assert rows["damaged"]["status"] == rows["missing"]["status"] == "failed"
    assert "damaged_2.csv" in rows["damaged"]["error"]
    assert "nothing_*.csv" in rows["missing"]["error"]
    assert rows["damaged"]["x"] == ""
    assert rows["turned"]["status"] == "misfit"
    assert "order" in rows["turned"]["notes"]


def test_only_what_has_changed_is_fitted_again(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = table.parent
    out, words = folder / "fits.csv", ["fit-many", str(table), "--out", str(folder / "fits.csv"), "--cores", "1"]
    main(words)
    first = out.read_text()
    capsys.readouterr()
    assert main(words) == 1
    assert "5 of 5 sets are already in" in capsys.readouterr().err
    assert out.read_text() == first
    write_scans(folder, "damaged", GLASSES["PS"], seed=1)
    write_scans(folder, "nothing", GLASSES["PS"], seed=2)
    assert main(words) == 0
    assert "3 of 5 sets are already in" in capsys.readouterr().err
    kept, again = {row["name"]: row for row in csv.DictReader(first.splitlines())}, rows_of(out)
    assert [row["name"] for row in again if row == kept[row["name"]]] == ["PVAc", "turned", "PS"]
    assert "failed" not in {row["status"] for row in again}
    main([*words, "--robust"])  # another option: all are
    assert "already" not in capsys.readouterr().err


def test_ctrl_c_leaves_a_whole_table_of_what_is_done(table: Path) -> None:
    folder, out = table.parent, table.parent / "fits.csv"
    many = [f"{number},PS_?.csv,0.5 5 20,10" for number in range(2000)]
    table.write_text("\n".join(["name,files,cooling_rates,heating_rate", *many]) + "\n")
    words = [sys.executable, "-c", "from lehr.cli import main; import sys; sys.exit(main(sys.argv[1:]))"]
    with subprocess.Popen(
        [*words, "fit-many", str(table), "--out", str(out), "--cores", "2"],
        cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        seen = b""
        end = time.monotonic() + 60.0
        while b"/2000" not in seen or b" 0/2000" in seen[-200:]:
            assert time.monotonic() < end
            seen += os.read(process.stderr.fileno(), 4096)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in seen + rest
    rows = rows_of(out)
    assert 0 < len(rows) < 2000
    assert [row["name"] for row in rows] == [str(number) for number in range(len(rows))]
    assert not list(folder.glob(".fits*"))


def test_results_come_in_order_and_are_those_of_a_fit() -> None:
    sets = [([(kelvin, cpn) for cpn in scans], PROGRAM) for kelvin, scans in (measured(g, 3) for g in GLASSES.values())]
    before = dict(os.environ)
    found = list(lehr.fit_many([*sets, ([], PROGRAM), *sets], cores=2))
    assert dict(os.environ) == before
    assert [each.name for each in found] == ["1", "2", "3", "4", "5"]
    assert found[2].status == "failed"
    assert found[2].record is None
    assert "no scans" in found[2].error
    for place in (0, 1, 3, 4):
        record = found[place].record
        assert record is not None
        # the same fit, to rounding of linear algebra with another number of threads
        expected = lehr.fit(*sets[place % 3]).record()
        assert record.values == pytest.approx(expected.values, rel=1e-9)
        assert record.standard_errors == pytest.approx(expected.standard_errors, rel=1e-6)


def test_options_are_those_of_a_fit(table: Path) -> None:
    one = ScanSet("PS", tuple(table.parent / f"PS_{i}.csv" for i in (1, 2, 3)), RATES, 10.0)
    found = next(fit_many([one], cores=1, nuisance={"thermal_lag": True}, noise=NOISE))
    assert found.record is not None
    assert "thermal_lag" in found.record.values
    assert found.record.options["noise"] == NOISE
    with pytest.raises(lehr.LehrError, match="0 cores"):
        fit_many([one], cores=0)
    with pytest.raises(lehr.LehrError, match="set 1 is not a set"):
        list(fit_many([3], cores=1))


@dataclass(frozen=True, eq=False)
class Deadly(ScanSet):
    """A set whose process ends, as one that the system kills for its memory."""

    def as_scans(self, reading: ScanOptions) -> tuple[Scans, Any]:
        os._exit(1)


def test_a_process_that_dies_takes_no_other_set_with_it() -> None:
    kelvin, scans = measured(GLASSES["PS"], 0)
    good = ([(kelvin, cpn) for cpn in scans], PROGRAM)
    found = list(fit_many([good, Deadly("deadly"), good], cores=2))
    assert [each.status for each in found] == ["determined", "failed", "determined"]
    assert "ended from outside" in found[1].error


def test_a_bug_in_one_set_is_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(ScanSet, "as_scans", broken)
    found = next(fit_many([ScanSet("one")], cores=1))
    assert found.error == "ZeroDivisionError: by nothing"


def test_tables_of_spreadsheets_are_read(tmp_path: Path) -> None:
    for name in ("a 1.csv", "s1.csv", "s2.csv", "s10.csv"):
        (tmp_path / name).touch()
    path = tmp_path / "table.csv"
    lines = [
        "name\tfiles\tcooling_rates\theating_rate\tprogram",
        "space\ta 1.csv\t5\t10\t",
        "order\ts*.csv\t1;2 5\t\t",
        "program\ts1.csv\t\t\tageing.yaml",
        "",
        "rate\ts1.csv\t5,0\t10\t",
        "empty\t\t5\t10\t",
    ]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    space, order, program, rate, empty = read_sets(path)
    assert space.files == (tmp_path / "a 1.csv",)
    assert [file.name for file in order.files] == ["s1.csv", "s2.csv", "s10.csv"]
    assert order.cooling_rates == (1.0, 2.0, 5.0)
    assert order.heating_rate is None
    assert program.program == tmp_path / "ageing.yaml"
    assert "'5,0' is not a rate" in rate.error
    assert "no files" in empty.error
    assert read_sets_of(path, "name;files\na;s1.csv s2.csv\n")[0].files == (tmp_path / "s1.csv", tmp_path / "s2.csv")


def read_sets_of(path: Path, text: str) -> list[ScanSet]:
    path.write_text(text)
    return read_sets(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,files,cooling_rate\na,b,1\n", "Did you mean cooling_rates"),
        ("name,cooling_rates\na,1\n", "'files' is missing"),
        ("name,files\n", "no rows"),
        ("", "no rows"),
        ("name,files\na,b\na,c\n", "twice"),
        ("name,files\na,b,c\n", "row 2 has 3 cells"),
    ],
)
def test_tables_that_cannot_be_understood_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(lehr.LehrError, match=message):
        read_sets_of(tmp_path / "table.csv", text)


def test_another_file_is_not_overwritten(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit-many", str(table), "--out", str(table)]) == 2
    assert "not a table of results" in capsys.readouterr().err
    assert table.read_text().startswith("name,files")
