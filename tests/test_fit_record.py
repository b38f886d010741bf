"""fit.json: what it holds, what reads it, and what is not read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from fitted import AS2SE3, KELVIN, PROGRAM, fit, measured

import lehr
from lehr.cli import main
from lehr.glass.fit import FitRecord, FitResult, Nuisance

FORMAT_0 = Path(__file__).parent / "data" / "format0_fit.json"
RATES = ["0.5", "1", "2", "5", "10", "20"]


@pytest.fixture(scope="module")
def result() -> FitResult:
    return fit(measured(), noise=0.01, nuisance=Nuisance("line", per_scan=False))


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, list[Path]]:
    """What `lehr fit` writes of six files whose CpN starts at 0.2, which is worth a note."""
    files = [tmp_path / f"scan{number}.csv" for number in range(6)]
    for path, row in zip(files, measured(), strict=True):
        np.savetxt(path, np.column_stack([KELVIN, row + 0.2]), "%.6f", ",", header="temperature (K),cpn", comments="")
    path = tmp_path / "fit.json"
    options = ["--cooling-rates", *RATES, "--heating-rate", "10", "--baseline", "offset", "--robust"]
    main(["fit", *map(str, files), *options, "--json", str(path)])
    return path, files


def test_what_is_written_is_read(result: FitResult, tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    result.to_json(path, profile=True)
    record = FitResult.from_json(path)
    assert record == FitRecord.from_json(path)
    assert (record.format, record.version, record.lehr) == ("lehr fit", 1, lehr.__version__)
    assert record.glass == result.parameters
    assert record.program.build() == result.fitted_scans.program
    assert record.program_given is not None
    assert record.program_given.build() == PROGRAM
    assert record.options["noise"] == 0.01
    assert (record.options["baseline"], record.options["per_scan"]) == ("line", False)
    assert record.covariance is not None
    np.testing.assert_array_equal(record.covariance.matrix, result.covariance)
    assert list(record.values) == list(result.names)
    assert record.document() == json.loads(path.read_text())
    # a person is told the same of a fit and of its file
    from lehr.glass.fit.output.text import report

    assert report(record) == result.report(profile=True)


def test_a_value_that_is_not_finite_is_null(result: FitResult) -> None:
    document = result.record().document()
    document["standard_errors"]["x"] = float("inf")
    assert FitRecord.model_validate(document).standard_errors["x"] is None
    assert "profile_intervals" not in document


def test_lehr_fit_says_files_options_and_notes(written: tuple[Path, list[Path]]) -> None:
    path, files = written
    record = FitRecord.from_json(path)
    assert [file.path for file in record.files] == [str(file) for file in files]
    assert record.files[2].sha256 == hashlib.sha256(files[2].read_bytes()).hexdigest()
    assert (record.options["loss"], record.options["noise"]) == ("soft_l1", None)
    assert record.options["reading"] == {}
    assert [scan.kind for scan in record.scans] == ["cpn"] * 6
    assert "scan3.csv" in record.scans[3].source
    assert any("instead of 0" in note for note in record.scans[0].notes)
    assert all(scan.lowest < AS2SE3.glass_transition < scan.highest for scan in record.scans)


@pytest.mark.parametrize("source", ["today", "format 0"])
def test_design_and_report_read_it(
    source: str, written: tuple[Path, list[Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written[0] if source == "today" else FORMAT_0
    capsys.readouterr()
    assert main(["design", str(path), "--count", "2"]) == 0
    assert "cool at" in capsys.readouterr().out
    page = tmp_path / "fits.html"
    assert main(["report", str(path), str(path), "--to", str(page)]) == 0
    text = page.read_text()
    assert text.count("<h2>") == 2
    assert "Δh* (kJ/mol)" in text
    assert "data:image/svg+xml" in text
    assert ("SHA-256" in text) == (source == "today")


def test_files_are_kept_with_what_was_read(tmp_path: Path) -> None:
    """The checksum is that of the content when it was read, and a fit made in Python has it too."""
    from lehr.glass.scans import read_scans

    path = tmp_path / "scan.csv"
    np.savetxt(path, np.column_stack([KELVIN, measured()[0]]), "%.6f", ",", header="temperature (K),cpn", comments="")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    scans = read_scans([path])
    path.write_text("something else")
    (scan,) = scans
    assert scan.file is not None
    assert (scan.file.path, scan.file.sha256) == (path, before)


def test_a_file_of_format_0_says_what_it_said() -> None:
    """Written by lehr before fit.json had a format, of six simulated scans of As2Se3."""
    content, record = json.loads(FORMAT_0.read_text()), FitRecord.from_json(FORMAT_0)
    assert record.version == 0
    assert record.values == content["values"]
    assert record.intervals["x"]["0.95"] == tuple(content["intervals"]["x"]["0.95"])
    assert record.profile_intervals is not None
    assert record.glass.delta_h == pytest.approx(AS2SE3.delta_h, rel=0.01)
    assert record.program.build().cooling_rates == PROGRAM.cooling_rates


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "damaged: not"),
        ('{"format": "lehr fit", "ver', "damaged: not"),
        ("[]", "damaged: not"),
        ("{}", "not the result of a fit"),
        ('{"format": "another", "version": 1}', "not the result of a fit"),
        ('{"format": "lehr fit", "version": "1"}', "not the result of a fit"),
        ('{"format": "lehr fit", "version": 2, "lehr": "9.0"}', "version 2; this lehr reads up to version 1"),
    ],
)
def test_what_is_not_a_fit_is_refused(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fit.json"
    path.write_text(content)

    with pytest.raises(lehr.LehrError, match=message):
        FitRecord.from_json(path)
    assert main(["design", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize(("key", "value"), [("delta_h", -1.0), ("x", "much"), ("beta", None)])
def test_a_fit_of_an_impossible_glass_is_refused(key: str, value: object, tmp_path: Path) -> None:
    content = json.loads(FORMAT_0.read_text())
    content["values"][key] = value
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(content))
    with pytest.raises(lehr.LehrError, match="not the result of a fit"):
        FitRecord.from_json(path)


def test_fits_and_runs_are_reported_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(FORMAT_0), str(tmp_path / "run.yaml")]) == 2
    assert "fits and runs" in capsys.readouterr().err
