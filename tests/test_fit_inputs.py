"""Fits of what people bring: each glass of the table, and scans that no fit can follow."""

from __future__ import annotations

import numpy as np
import pytest
from fitted import AS2SE3, KELVIN, PROGRAM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lehr
from lehr.glass.fit import FitStatus
from lehr.glass.quantities import QUANTITY_NAMES
from lehr.glass.tnm import GAS_CONSTANT


def rows(glass: lehr.TNMParameters = AS2SE3, kelvin: np.ndarray = KELVIN, noise: float = 0.01) -> np.ndarray:
    scans = lehr.simulate(*glass.as_tuple(), temperature=kelvin)
    assert scans.status == lehr.Status.OK
    return scans.cpn + noise * np.random.default_rng(3).standard_normal(scans.cpn.shape)


@pytest.mark.parametrize("name", lehr.load_materials())
def test_every_glass_of_the_table_comes_back(name: str) -> None:
    """Six scans with noise of 0.01: the truth lies within four standard errors, and these are small."""
    glass = lehr.load_materials()[name].parameters
    unit = GAS_CONSTANT * glass.glass_transition**2 / glass.delta_h
    # a glass of low x relaxes far below Tg
    below = 80.0 * max(1.0, 0.2 / glass.x)
    kelvin = np.linspace(glass.glass_transition - below * unit, glass.glass_transition + 20.0 * unit, 1000)
    result = lehr.fit([(kelvin, row) for row in rows(glass, kelvin)], PROGRAM)
    assert result.status is FitStatus.DETERMINED
    true = np.array([*glass.as_tuple(), glass.glass_transition])
    errors = np.array([result.standard_errors[quantity] for quantity in QUANTITY_NAMES])
    assert (np.abs(result.values - true) < 4 * errors).all()
    assert result.standard_errors["delta_h"] < 0.01 * glass.delta_h
    assert max(result.standard_errors["x"], result.standard_errors["beta"]) < 0.005


@pytest.mark.parametrize(("first", "last"), [(185, 400), (0, 210)])
def test_one_scan_that_is_only_partly_through_the_transition(first: int, last: int) -> None:
    """Five whole scans, and the third begins late or ends early: said, with its number, and no wrong answer."""
    pairs = [(KELVIN, row) for row in rows()]
    pairs[2] = (KELVIN[first:last], pairs[2][1][first:last])
    result = lehr.fit(pairs, PROGRAM)
    assert result.status is FitStatus.PARTIAL
    assert "scan 3: scan 3" in result.report()
    true = np.array([*AS2SE3.as_tuple(), AS2SE3.glass_transition])
    errors = np.array([result.standard_errors[quantity] for quantity in QUANTITY_NAMES])
    assert (np.abs(result.values - true) < 4 * errors).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_scan_of_no_numbers(value: float) -> None:
    cpn = rows()
    cpn[3] = value
    with pytest.raises(lehr.LehrError, match="scan 4: 0 points are left"):
        lehr.fit([(KELVIN, row) for row in cpn], PROGRAM)


def test_a_scan_of_another_glass_among_six() -> None:
    """Tg 3 K higher, in one scan of six."""
    shifted = lehr.TNMParameters(
        AS2SE3.ln_A + AS2SE3.delta_h / (GAS_CONSTANT * 457.0) * 3.0 / 457.0, *AS2SE3.as_tuple()[1:]
    )
    cpn = rows()
    cpn[2] = rows(shifted)[2]
    result = lehr.fit([(KELVIN, row) for row in cpn], PROGRAM)
    assert result.status is FitStatus.MISFIT
    assert "scan 3" in result.report()


def test_cpn_that_was_never_normalised() -> None:
    """Heat capacity in J/(g K), passed for CpN."""
    result = lehr.fit([(KELVIN, 1.2 + 0.3 * row) for row in rows()], PROGRAM)
    assert result.status in (FitStatus.MISFIT, FitStatus.NOT_CONVERGED)


_SPOILT = st.sampled_from(["nothing", "noise", "zero", "one", "reversed", "huge", "spikes", "holes", "step", "falling"])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(_SPOILT, min_size=1, max_size=3), st.integers(10, 60), st.integers(0, 99))
def test_any_scans_give_a_word_or_a_message(kinds: list[str], points: int, seed: int) -> None:
    """Whatever is wrong with them: a LehrError, or a status; and never that all is determined if a scan is nonsense."""
    rng = np.random.default_rng(seed)
    kelvin = np.linspace(380.0, 520.0, points)
    whole = rows()
    pairs = []
    for number, kind in enumerate(kinds):
        cpn = np.interp(kelvin, KELVIN, whole[number])
        cpn = {
            "nothing": cpn,
            "noise": rng.standard_normal(points),
            "zero": np.zeros(points),
            "one": np.ones(points),
            "reversed": cpn[::-1],
            "huge": 1e30 * cpn,
            "spikes": cpn + 50.0 * (rng.random(points) < 0.1),
            "holes": np.where(rng.random(points) < 0.4, np.nan, cpn),
            "step": (kelvin > 450.0).astype(float),
            "falling": np.linspace(1.0, 0.0, points),
        }[kind]
        pairs.append((kelvin, cpn))
    program = lehr.ThermalProgram.chr_cycles([0.5, 1.0, 2.0][: len(kinds)])
    try:
        result = lehr.fit(pairs, program)
    except lehr.LehrError:
        return
    assert np.isfinite(result.values).all()
    assert result.report()
    result.document()
    if set(kinds) & {"noise", "zero", "one", "reversed", "huge", "falling"}:
        assert result.status is not FitStatus.DETERMINED
