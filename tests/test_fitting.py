"""Reading glasses from scans: recovery, uncertainties, what the instrument does, what the data cannot tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fitted import AS2SE3, KELVIN, PROGRAM, errors, fit, measured

import lehr
from lehr.cli import main
from lehr.glass import instrument
from lehr.glass.config.program import ProgramFile
from lehr.glass.fit import FitStatus, Nuisance, Scans, cramer_rao, fisher_information, fit_scans, propose, random_starts
from lehr.glass.fit.least_squares.model import ScanModel
from lehr.glass.scans import MeasuredScan, normalise
from lehr.glass.tnm import GAS_CONSTANT
from lehr.glass.tnm.coordinates import Coordinates


def random_glasses(count: int, seed: int) -> list[tuple[lehr.TNMParameters, lehr.Signals]]:
    """Glasses of the whole state space with CpN,max <= 6, simulated on 900 points around their transitions."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        delta_h, glass_transition = rng.uniform(2e5, 12e5), rng.uniform(227.43, 1064.11)
        ln_a = np.log(100.0) - delta_h / (GAS_CONSTANT * glass_transition)
        glass = lehr.TNMParameters(ln_a, delta_h, *rng.uniform(0.2, 1.0, 2).tolist())
        # the widest transitions, at beta = 0.2, take 60 units of R Tg^2/dh
        unit = GAS_CONSTANT * glass_transition**2 / delta_h
        low, high = max(glass_transition - 40 * unit, 10.0), glass_transition + 20 * unit
        scans = lehr.simulate(*glass.as_tuple(), temperature=np.linspace(low, high, 900))
        if scans.cpn.max() <= 6 and scans.status == lehr.Status.OK:
            found.append((glass, scans))
    return found


def noisy(scans: lehr.Signals, noise: float, seed: int) -> Scans:
    rng = np.random.default_rng(seed)
    return Scans.of(scans.temperature, scans.cpn + noise * rng.standard_normal(scans.cpn.shape), scans.program)


def test_coordinates_go_there_and_back() -> None:
    coordinates = Coordinates(450.0)
    theta = coordinates.theta(AS2SE3.as_tuple())
    assert coordinates.parameters(theta) == pytest.approx(AS2SE3.as_tuple(), rel=1e-13)
    for k, step in enumerate(np.diag([1e-6] * 4)):
        difference = (coordinates.values(theta + step) - coordinates.values(theta - step)) / 2e-6
        assert coordinates.derivatives(theta)[:, k] == pytest.approx(difference, rel=1e-6, abs=1e-7)


def test_bound_of_as2se3() -> None:
    """The bound at noise 0.01 on the paper's grid: 0.2 kJ/mol, 0.05, 0.0004, 0.0004; and Tg to some mK."""
    bound = cramer_rao(AS2SE3, noise=0.01)
    assert bound.delta_h == pytest.approx(200.0, rel=0.1)
    assert bound.ln_A == pytest.approx(0.05, rel=0.1)
    assert (bound.x, bound.beta) == pytest.approx((0.0004, 0.0004), rel=0.2)
    assert 0.002 < bound.glass_transition < 0.005
    assert np.array(cramer_rao(AS2SE3, noise=0.02)) == pytest.approx(2 * np.array(bound), rel=1e-9)
    # a coarser grid says less, as the square root of the number of points
    coarse = cramer_rao(AS2SE3, temperature=np.arange(300.0, 600.0, 0.4), noise=0.01)
    assert np.array(coarse) == pytest.approx(2 * np.array(bound), rel=0.02)


def test_information_is_the_sum_of_that_of_the_scans() -> None:
    grid = np.arange(380.0, 520.0, 0.5)
    one = fisher_information(AS2SE3, lehr.ThermalProgram.chr_cycles([1.0]), grid)
    other = fisher_information(AS2SE3, lehr.ThermalProgram.chr_cycles([20.0]), grid)
    both = fisher_information(AS2SE3, lehr.ThermalProgram.chr_cycles([1.0, 20.0]), grid)
    assert (one + other).bound == pytest.approx(both.bound, rel=1e-3)
    assert one.matrix + other.matrix == pytest.approx(both.matrix, rel=1e-3)
    assert np.sqrt(np.diag(np.linalg.inv(both.matrix)))[2:] == pytest.approx([both.bound.x, both.bound.beta], rel=1e-3)
    assert both.log_volume < one.log_volume


def test_glasses_of_the_whole_state_space_come_back() -> None:
    """Without noise, from a start that is off, and from none: 1e-3 of each parameter."""
    rng = np.random.default_rng(11)
    for glass, scans in random_glasses(15, seed=3):
        coordinates = Coordinates(glass.glass_transition)
        theta = coordinates.theta(glass.as_tuple()) + np.array([0.15, 0.5, 0.08, 0.08]) * rng.uniform(-1, 1, 4)
        start = coordinates.parameters(np.clip(theta, -np.inf, [np.inf, np.inf, 1.0, 1.0]))
        for starts in (start, None):
            error = errors(fit_scans(Scans.from_signals(scans), starts=starts), glass)
            assert (np.abs(error) < 1e-3 * np.abs(glass.as_tuple())).all(), glass


def test_scatter_is_that_of_the_bound() -> None:
    """Noise of 0.01: normalised errors of 100 fits follow chi-square, and standard errors are the bound."""
    distances = []
    for number, (glass, scans) in enumerate(random_glasses(25, seed=4)):
        bound = cramer_rao(glass, temperature=scans.temperature, noise=0.01)
        for repeat in range(4):
            result = fit_scans(noisy(scans, 0.01, seed=100 * number + repeat))
            assert result.noise == pytest.approx(0.01, rel=0.1)
            assert list(result.standard_errors.values()) == pytest.approx(list(bound), rel=0.2)
            error = result.point[:4] - result.objective.model.coordinates.theta(glass.as_tuple())
            distances.append(error @ np.linalg.solve(result.theta_covariance, error))
    # the sum has mean 400 and standard deviation 28
    assert sum(distances) == pytest.approx(400, abs=4 * 28)


# --- what a reader is told ---------------------------------------------------------------------------------


def test_result_answers_everything() -> None:
    result = fit(measured())
    assert result.status is FitStatus.DETERMINED
    assert {note.status for note in result.notes} <= {FitStatus.DETERMINED}  # what it rests on most
    assert (np.abs(errors(result, AS2SE3)) < 4 * np.array(list(result.standard_errors.values())[:4])).all()
    low, high = result.intervals["delta_h"][0.95]
    assert high - low == pytest.approx(2 * 1.96 * result.standard_errors["delta_h"], rel=1e-3)
    limits = lehr.simulate_sensitivities(AS2SE3, temperature=KELVIN).limiting_fictive_temperature
    assert (np.abs(result.fictive_temperatures - limits) < 4 * result.fictive_temperature_errors).all()
    assert result.fictive_temperature_errors.max() < 0.05
    assert abs(result.glass_transition - AS2SE3.glass_transition) < 0.05
    assert np.diag(result.correlation) == pytest.approx(1.0)
    assert [rest.size for rest in result.residuals] == [scan.cpn.size for scan in result.fitted_scans.scans]
    document = json.loads(json.dumps(result.document()))
    assert document["status"] == "determined"
    assert ProgramFile.model_validate(document["program"]).build() == result.fitted_scans.program
    assert "Δh* (kJ/mol)" in result.report()
    assert len(result.plot().axes) == 2


def test_errors_of_limiting_fictive_temperatures_are_those_of_many_fits() -> None:
    results = [fit(measured(seed=seed)) for seed in range(60)]
    found = np.std([result.fictive_temperatures for result in results], axis=0)
    assert found == pytest.approx(results[0].fictive_temperature_errors, rel=0.35)


@pytest.mark.parametrize(
    ("order", "hint"),
    [([1, 0, 2, 3, 4, 5], "scan 1 looks as if it was cooled at 1 K/min"), ([5, 4, 3, 2, 1, 0], "in another order")],
)
def test_scans_out_of_order(order: list[int], hint: str) -> None:
    result = fit(measured()[order])
    assert result.status is FitStatus.MISFIT
    assert hint in result.report()


@pytest.mark.parametrize(
    ("rates", "hint"),
    [
        ({"cooling_rates": [0.5, 1, 2, 5, 10, 50]}, "scan 6 looks as if it was cooled at 2"),
        ({"heating_rate": 20.0}, "check the order and the rates"),
    ],
)
def test_wrong_rates(rates: dict, hint: str) -> None:
    result = fit(measured(), program=lehr.ThermalProgram.chr_cycles(**rates))
    assert result.status is FitStatus.MISFIT
    assert hint in result.report()


def test_heating_rate_of_the_files_contradicts_the_program() -> None:
    measured_scan = MeasuredScan(KELVIN, measured()[4], "cpn", "", None, 20.0, "a.csv")
    with pytest.raises(lehr.LehrError, match="heated at 20 K/min by its own times"):
        lehr.fit([normalise(measured_scan)], lehr.ThermalProgram.chr_cycles([10.0]))


def test_partial_scans() -> None:
    assert fit(measured()[:, 165:], KELVIN[165:]).status is FitStatus.PARTIAL
    early = fit(measured()[:, :210], KELVIN[:210])
    assert early.status in (FitStatus.PARTIAL, FitStatus.MISFIT)
    assert "measure a wider range" in early.report()
    with pytest.raises(lehr.LehrError, match="shows no glass transition"):
        fit(measured()[:, :100], KELVIN[:100])


def test_crystallisation_above_the_transition() -> None:
    result = fit(measured() - 1.5 * np.exp(-0.5 * ((KELVIN - 510) / 5) ** 2))
    assert result.status is FitStatus.MISFIT
    assert "crystallisation" in result.report()


def test_two_materials() -> None:
    other = lehr.TNMParameters(AS2SE3.ln_A + 2, *AS2SE3.as_tuple()[1:])
    result = fit(np.concatenate([measured()[:3], measured(other)[3:]]))
    assert result.status is FitStatus.MISFIT


def test_few_points_and_holes() -> None:
    rows = measured()[:, ::4]
    rows[:, 7::9] = np.nan
    result = fit(rows, KELVIN[::4])
    assert result.status is FitStatus.DETERMINED
    assert (np.abs(errors(result, AS2SE3)) < 4 * np.array(list(result.standard_errors.values())[:4])).all()


def test_coarse_grid_and_wide_window_with_noise() -> None:
    """Starts at random find a place where the scans have hardly a width, and where noise is all over them."""
    for axis, noise in ((np.arange(200.0, 800.0, 10.0), 0.01), (np.arange(100.0, 900.0, 0.5), 0.05)):
        scans = lehr.simulate(*AS2SE3.as_tuple(), temperature=axis)
        given = noisy(scans, noise, 5)
        low, high = given.transition
        assert 380 < low < high < 530
        starts = random_starts(given, 5, np.random.default_rng(0))
        assert np.isfinite(starts).all()
        result = fit_scans(given)
        assert (np.abs(errors(result, AS2SE3)) < 4 * np.array(list(result.standard_errors.values())[:4])).all()


def test_one_cooling_rate_is_said() -> None:
    result = fit(measured()[4:5], program=lehr.ThermalProgram.chr_cycles([10.0]))
    assert result.status is FitStatus.ONE_RATE
    assert "lehr design" in result.report()


def test_spikes_count_for_little_with_a_robust_loss() -> None:
    rows = measured()
    rows[np.random.default_rng(1).random(rows.shape) < 0.01] += 3.0
    assert fit(rows).status is FitStatus.MISFIT
    result = fit(rows, loss="soft_l1")
    assert (np.abs(errors(result, AS2SE3)) < 4 * np.array(list(result.standard_errors.values())[:4])).all()
    assert result.standard_errors["delta_h"] < 1.3 * cramer_rao(AS2SE3, temperature=KELVIN).delta_h


def test_lag_slope_and_offset_are_fitted() -> None:
    """Median error below one standard error, with what the instrument did switched on."""
    nuisance = Nuisance("line", thermal_lag=True, temperature_offset=1.0)
    distances = []
    for seed in range(8):
        cpn = lehr.simulate(*AS2SE3.as_tuple(), temperature=KELVIN).cpn[None]
        cpn = instrument.thermal_lag(cpn, 2.0, temperature=KELVIN, heating_rate=[10.0] * 6)
        cpn = instrument.baseline_slope(cpn, 0.01, temperature=KELVIN)
        cpn = instrument.temperature_offset(cpn, 1.0, temperature=KELVIN)
        cpn = instrument.white_noise(cpn, 0.01, seed=seed, rows=[0])
        result = fit(cpn[0], nuisance=nuisance)
        lag = result.values[result.names.index("thermal_lag")]
        assert lag == pytest.approx(2.0, abs=4 * result.standard_errors["thermal_lag"])
        distances.append(errors(result, AS2SE3) / list(result.standard_errors.values())[:4])
    assert (np.abs(np.median(distances, axis=0)) < 1.0).all()


@pytest.mark.parametrize("baseline", ["line", "lines"])
@pytest.mark.parametrize("per_scan", [True, False])
def test_derivatives_by_what_the_instrument_did(baseline: str, per_scan: bool) -> None:
    nuisance = Nuisance(baseline, per_scan=per_scan, thermal_lag=True, temperature_offset=1.0)
    scans = Scans.of(KELVIN, measured(), PROGRAM)
    model = ScanModel(scans, Coordinates(450.0), nuisance, 1e-6)
    rng = np.random.default_rng(2)
    values = {"slope": 1e-4, "offset": 0.02, "thermal_lag": 2.0}
    known = [next(value for name, value in values.items() if name in full) for full in model.names]
    point = np.array([*model.coordinates.theta(AS2SE3.as_tuple()), *known * rng.uniform(0.5, 1.5, len(known))])
    jacobian = model.jacobian(point)
    for k in range(4, model.size):
        step = 1e-3 * np.eye(model.size)[k]
        difference = (model.predict(point + step) - model.predict(point - step)) / 2e-3
        assert np.abs(jacobian[:, k] - difference).max() < 0.01 * np.abs(difference).max(), model.names[k - 4]


def test_lines_drawn_wrongly_are_fitted() -> None:
    """What the normalisation of a scan with short lines does to CpN is many standard errors of x, and found."""
    scans = [normalise(MeasuredScan(KELVIN, 2.0 + 0.5 * row, "cp", "J/g/K", None, 10.0, "a.csv")) for row in measured()]
    trusted = lehr.fit(scans, PROGRAM, nuisance=Nuisance())
    assert trusted.status is FitStatus.MISFIT
    result = lehr.fit(scans, PROGRAM)
    assert result.status is FitStatus.DETERMINED
    assert abs(result.parameters.x - AS2SE3.x) < 0.2 * abs(trusted.parameters.x - AS2SE3.x)
    assert (np.abs(errors(result, AS2SE3)) < 4 * np.array(list(result.standard_errors.values())[:4])).all()


def test_design_breaks_the_ridge_of_one_rate() -> None:
    now, proposals = propose(AS2SE3, lehr.ThermalProgram.chr_cycles([10.0]), quantity="delta_h")
    assert proposals[0].bound.delta_h < 0.5 * now.delta_h
    assert [p.score for p in proposals] == sorted(p.score for p in proposals)
    # another scan of the same kind says what doubling the points says
    again = next(p for p in proposals if p.name == "cool at 10 K/min")
    assert np.array(again.bound) == pytest.approx(np.array(now) / np.sqrt(2), rel=1e-6)


# --- lehr fit ---------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = []
    for number, row in enumerate(measured()):
        path = tmp_path / f"scan{number}.csv"
        time = (KELVIN - KELVIN[0]) / 10.0
        table = np.column_stack([time, KELVIN - 273.15, 2.0 + 0.5 * row])
        np.savetxt(path, table, delimiter=",", header="time (min),temperature (degC),Cp (J/g/K)", comments="")
        paths.append(str(path))
    return paths


def test_lehr_fit_and_design(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "fit.json"
    rates = ["--cooling-rates", "0.5", "1", "2", "5", "10", "20"]
    more = ["--profile", "--json", str(out), "--plot", str(tmp_path / "fit.png")]
    assert main(["fit", *files, *rates, *more]) == 0
    assert "profile intervals" in capsys.readouterr().out
    document = json.loads(out.read_text())
    values, (low, high) = document["values"], document["profile_intervals"]["x"]["0.68"]
    assert low < values["x"] < high
    assert values["delta_h"] == pytest.approx(AS2SE3.delta_h, rel=0.02)
    assert (tmp_path / "fit.png").stat().st_size > 10_000
    assert main(["design", str(out), "--count", "3"]) == 0
    assert "cool at" in capsys.readouterr().out


def test_lehr_fit_writes_samples(files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = np.arange(6.0).reshape(2, 3) / 7.0
    monkeypatch.setattr(lehr.glass.fit.FitResult, "sample", lambda _: drawn)
    path = tmp_path / "samples.csv"
    assert main(["fit", *files, "--cooling-rates", "0.5", "1", "2", "5", "10", "20", "--mcmc", str(path)]) == 0
    lines = path.read_text().splitlines()
    assert lines[0].startswith("ln_A,delta_h,x,beta,glass_transition,glass_offset_1")
    assert np.loadtxt(lines[1:], delimiter=",") == pytest.approx(drawn, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "not clear"),
        (["--cooling-rates", "1", "2"], "6 scans, but 2 cooling rates"),
        (["--cooling-rates", "1", "1", "1", "1", "1", "-1"], "rate -1"),
        (["--cooling-rates", "1", "2", "3", "4", "5", "6", "--heating-rate", "30"], "heated at 10 K/min"),
        (["--program", "missing.yaml"], "missing.yaml"),
    ],
)
def test_lehr_fit_refuses(
    files: list[str], arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", *files, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_lehr_fit_names_the_line_of_a_text(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    lines = Path(files[0]).read_text().splitlines()
    lines[20] = "abc" + lines[20][lines[20].index(",") :]
    Path(files[0]).write_text("\n".join(lines))
    assert main(["fit", *files, "--cooling-rates", *"123456"]) == 2
    assert "scan0.csv" in capsys.readouterr().err
