"""What is known of a glass from elsewhere: values that are fixed, priors, ranges, enthalpy recovery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fitted import AS2SE3, KELVIN, errors, measured

import lehr
from lehr.cli import main
from lehr.errors import LehrError
from lehr.glass.config.recovery import load_recovery
from lehr.glass.fit import FitStatus, Known, fit_recovery
from lehr.glass.scans import MeasuredRecovery
from lehr.glass.tnm import Cycle, Ramp, ThermalProgram, simulate_recovery

ONE = ThermalProgram.chr_cycles([10.0])
PARAMETERS = dict(zip(("ln_A", "delta_h", "x", "beta"), AS2SE3.as_tuple(), strict=True))
TRUE = {**PARAMETERS, "glass_transition": AS2SE3.glass_transition}


def fit_one(**options: object) -> lehr.glass.fit.FitResult:
    """Fit one scan, which leaves ln A and dh on a ridge."""
    return lehr.fit([(KELVIN, measured()[4])], ONE, **options)


@pytest.mark.parametrize("name", list(TRUE))
def test_what_is_fixed_stays(name: str) -> None:
    result = fit_one(fix={name: TRUE[name]})
    found = dict(zip(result.names, result.values.tolist(), strict=True))
    assert found[name] == pytest.approx(TRUE[name], rel=3e-6)
    assert "fixed" in result.report()
    assert result.record().fixed == {name: TRUE[name]}
    free = [other for other in ("ln_A", "delta_h", "x", "beta") if other != name]
    z = [abs(found[other] - TRUE[other]) / result.standard_errors[other] for other in free]
    assert max(z) < 3.0


def test_dh_that_is_fixed_ends_the_ridge() -> None:
    free, fixed = fit_one(), fit_one(fix={"delta_h": AS2SE3.delta_h})
    assert fixed.standard_errors["ln_A"] < 0.05 * free.standard_errors["ln_A"]


def test_a_prior_adds_its_information() -> None:
    """Errors add as those of independent measurements do: the prior is sharper than the scan."""
    free = fit_one()
    error = 0.1 * free.standard_errors["delta_h"]
    result = fit_one(priors={"delta_h": (AS2SE3.delta_h, error)})
    both = 1.0 / np.sqrt(1.0 / error**2 + 1.0 / free.standard_errors["delta_h"] ** 2)
    assert result.standard_errors["delta_h"] == pytest.approx(both, rel=0.03)
    assert abs(result.parameters.delta_h - AS2SE3.delta_h) < 3.0 * error


def test_a_range_is_not_left() -> None:
    result = fit_one(bounds={"beta": (0.72, 0.9), "delta_h": (2e5, 4e5)})
    assert result.parameters.beta == pytest.approx(0.72, abs=1e-3)
    assert result.status is FitStatus.AT_BOUND


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"fixed": {"xx": 0.5}}, "'xx' is not a quantity"),
        ({"fixed": {"x": 1.5}}, "x = 1.5 is out of range"),
        ({"fixed": {"delta_h": 318.0}}, "318 J/mol is not that of a glass"),
        ({"fixed": {"beta": float("nan")}}, "beta = nan is out of range"),
        ({"priors": {"delta_h": (3e5, 0.0)}}, "an error of 0"),
        ({"fixed": {"x": 0.5}, "priors": {"x": (0.5, 0.1)}}, "fixed and has a prior"),
        ({"bounds": {"ln_A": (-90.0, -70.0)}}, "ln_A has none of its own"),
        ({"bounds": {"beta": (0.8, 0.4)}}, "must be below"),
        ({"bounds": {"beta": (0.4, 0.6)}, "fixed": {"beta": 0.7}}, "outside its bounds"),
        ({"fixed": {"ln_A": -79.0, "delta_h": 3e5, "glass_transition": 450.0}}, "cannot all be fixed"),
    ],
)
def test_what_cannot_be_known_is_refused(known: dict, message: str) -> None:
    with pytest.raises(LehrError, match=message):
        Known(**known)


@pytest.fixture(scope="module")
def scan_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("scans") / "scan.csv"
    rows = "\n".join(f"{t:.6g},{y:.6g}" for t, y in zip(KELVIN, measured()[4], strict=True))
    path.write_text(f"temperature (K),cpn\n{rows}\n")
    return str(path)


def test_lehr_fit_takes_it(scan_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", scan_file, "--cooling-rates", "10", "--heating-rate", "10"]
    assert main([*words, "--fix", "x=0.57", "--prior", "delta_h=318kJ:3kJ", "--bounds", "beta=0.4:0.8"]) == 0
    out = capsys.readouterr().out
    assert "fixed" in out
    for wrong, message in (
        (["--fix", "x"], "not understood"),
        (["--fix", "x=a"], "not a number"),
        (["--fix", "x=0.5", "x=0.6"], "given twice"),
        (["--prior", "x=0.5"], "not understood"),
        (["--rate-error", "-1"], "rate_error = -1.0 is out of range"),
        (["--recovery", "missing.yaml"], "missing.yaml"),
    ):
        assert main([*words, *wrong]) == 2
        assert message in capsys.readouterr().err


def _recovery(at: float, noise: float, seed: int) -> MeasuredRecovery:
    seconds = 3600.0 * np.geomspace(0.02, 200.0, 12)
    before = Cycle((Ramp(at, 10.0),), AS2SE3.glass_transition + 100.0)
    found = simulate_recovery(AS2SE3, before, seconds, tolerance=1e-6).fictive_temperature
    values = found + noise * np.random.default_rng(seed).standard_normal(12)
    return MeasuredRecovery(Cycle((Ramp(at, 10.0),)), seconds, values, np.full(12, noise))


def test_recovery_beside_a_scan_breaks_the_ridge() -> None:
    tg = AS2SE3.glass_transition
    recoveries = [_recovery(tg - below, 0.1, i) for i, below in enumerate((10.0, 20.0, 30.0))]
    alone, both = fit_one(), fit_one(recoveries=recoveries)
    assert both.standard_errors["delta_h"] < 0.5 * alone.standard_errors["delta_h"]
    z = errors(both, AS2SE3) / [both.standard_errors[name] for name in both.names[:4]]
    assert np.abs(z).max() < 3.0
    assert both.status is FitStatus.DETERMINED


def test_recovery_alone_gives_a_glass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Holds at three temperatures tell dh, and their shape x and beta."""
    tg = AS2SE3.glass_transition
    recoveries = tuple(_recovery(tg - below, 0.05, i) for i, below in enumerate((5.0, 12.0, 20.0)))
    result = fit_recovery(Known(recoveries=recoveries))
    away = [(result.values[name] - true) / result.standard_errors[name] for name, true in TRUE.items()]
    assert np.abs(away).max() < 3.0
    assert result.follows
    assert 0.5 < result.chi_square < 1.5  # 36 values: 1 +- 0.24
    assert result.standard_errors["delta_h"] < 0.05 * AS2SE3.delta_h

    path = tmp_path / "hold.yaml"
    one = recoveries[1]
    path.write_text(
        f"before: {{segments: [{{ramp: {{to: {one.hold_temperature}, rate: 10}}}}]}}\nseconds: {one.seconds.tolist()}\n"
        f"fictive_temperature: {one.values.tolist()}\nerror: 0.05\n"
    )
    assert main(["fit", "--recovery", str(path), "--fix", "x=0.57"]) == 0
    assert "chi-square" in capsys.readouterr().out
    assert main(["fit", "--recovery", str(path), "--plot", "x.png"]) == 2
    assert main(["fit"]) == 2
    assert "there is nothing to fit" in capsys.readouterr().err


def test_recovery_that_the_model_does_not_follow() -> None:
    """Tf that rises in a hold below it."""
    measured = _recovery(AS2SE3.glass_transition - 12.0, 0.05, 0)
    rising = replace(measured, values=measured.values[::-1].copy())
    assert not fit_recovery(Known(recoveries=(rising,))).follows
    few = replace(measured, seconds=measured.seconds[:2], values=measured.values[:2], errors=measured.errors[:2])
    with pytest.raises(LehrError, match="2 values cannot tell 4 parameters"):
        fit_recovery(Known(recoveries=(few,)))


def test_recovery_as_enthalpy_is_that_of_tf(tmp_path: Path) -> None:
    tg = AS2SE3.glass_transition
    seconds = np.array([60.0, 3600.0, 360000.0])
    before = Cycle((Ramp(tg - 15.0, 10.0),), tg + 135.0)
    found = simulate_recovery(AS2SE3, before, seconds, tolerance=1e-6)
    path = tmp_path / "recovery.yaml"
    path.write_text(
        f"before: {{segments: [{{ramp: {{to: {tg - 15.0}, rate: 10}}}}]}}\nseconds: {seconds.tolist()}\n"
        f"enthalpy: {(0.2 * found.recovered).tolist()}\nstep: 0.2\nerror: 0.01\n"
    )
    away, by = load_recovery(path).deviations(AS2SE3, 1e-6)
    assert np.abs(away).max() < 1e-3  # errors of 0.01 J/g are 0.05 K; the engine is right to 1e-6 K and "highest" far
    assert by == pytest.approx(0.2 * found.recovered_jacobian / 0.01, rel=1e-3, abs=1e-6 * np.abs(by).max())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": "[1, 2]"}, "one of seconds and hours"),
        ({"enthalpy": "[1, 2]"}, "one of fictive_temperature and enthalpy"),
        ({"seconds": "[1, 2, 3]"}, "differ in number"),
        ({"seconds": "[-1, 2]"}, "greater than or equal to 0"),
        ({"before": "{segments: [{hold: {hours: 1}}]}"}, "no temperature"),
        ({"error": "0"}, "greater than 0"),
        ({"fictive_temperature": "[160, 161]"}, "Tf is in K, or written as '160 degC'"),
    ],
)
def test_recovery_that_is_wrong_is_refused(change: dict[str, str], message: str, tmp_path: Path) -> None:
    keys = {
        "before": "{segments: [{ramp: {to: 440 K, rate: 10}}]}", "seconds": "[60, 3600]",
        "fictive_temperature": "[450, 445]", "error": "0.1",
    }  # fmt: skip
    path = tmp_path / "recovery.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in {**keys, **change}.items()))
    with pytest.raises(LehrError) as caught:
        load_recovery(path)
    assert message in str(caught.value)


def test_a_tg_that_is_not_known_is_not_called_determined() -> None:
    """Thirty points of noise 0.1 about one transition."""
    rows = measured(noise=0.1)[4]
    result = lehr.fit([(KELVIN[180:240:2], rows[180:240:2])], ONE)
    assert result.standard_errors["glass_transition"] > 1.0
    assert "is determined" not in result.report()
    assert "which is not known either" in result.report()
