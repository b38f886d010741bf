"""Least squares within bounds, beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import least_squares

from lehr.glass.fit.least_squares.solver import minimise

Vector = NDArray[np.float64]
TIMES = np.linspace(0.0, 4.0, 60)
TRUE = np.array([2.0, 1.3, 0.5])
DATA = TRUE[0] * np.exp(-TRUE[1] * TIMES) + TRUE[2] + 0.01 * np.random.default_rng(0).standard_normal(60)
FREE = np.array([-np.inf, -np.inf, -np.inf]), np.array([np.inf, np.inf, np.inf])


def decay(point: Vector) -> tuple[Vector, Vector]:
    """Return residuals of a decay and a constant, in units of the noise, and their derivatives."""
    fall = np.exp(np.minimum(-point[1] * TIMES, 300.0))
    columns = np.column_stack([fall, -point[0] * TIMES * fall, np.ones_like(fall)])
    return (point[0] * fall + point[2] - DATA) / 0.01, columns / 0.01


def spoilt(point: Vector) -> tuple[Vector, Vector]:
    """The same with a spike."""
    residuals, columns = decay(point)
    return residuals - 500.0 * (np.arange(60) == 20), columns


@pytest.mark.parametrize("start", [(1.0, 1.0, 0.0), (5.0, 0.1, -3.0), (0.1, 4.0, 2.0)])
@pytest.mark.parametrize("soft", [None, 2.0])
@pytest.mark.parametrize("upper", [np.inf, 1.2])
def test_it_finds_the_minimum_that_scipy_finds(start: tuple[float, ...], soft: float | None, upper: float) -> None:
    evaluate = decay if soft is None else spoilt
    begin = np.minimum(start, [np.inf, upper - 0.01, np.inf])
    bounds = FREE[0], np.array([np.inf, upper, np.inf])
    found = minimise(evaluate, begin, *bounds, soft=soft, tolerance=1e-10, evaluations=100)
    expected = least_squares(
        lambda p: evaluate(p)[0], begin, lambda p: evaluate(p)[1], bounds=bounds, x_scale="jac",
        loss="linear" if soft is None else "soft_l1", f_scale=soft or 1.0, ftol=1e-12, xtol=1e-12, gtol=1e-12,
    )  # fmt: skip
    assert found is not None
    assert found.status > 0
    errors = np.sqrt(np.diag(np.linalg.inv(expected.jac.T @ expected.jac)))
    assert np.abs(found.x - expected.x) / errors == pytest.approx(0.0, abs=1e-3)
    assert found.cost == pytest.approx(expected.cost, rel=1e-7)
    assert found.jac.T @ found.jac == pytest.approx(expected.jac.T @ expected.jac, rel=1e-2)
    assert found.nfev <= max(30, expected.nfev)


def test_a_point_without_residuals_is_not_the_end() -> None:
    tried = []

    def evaluate(point: Vector) -> tuple[Vector, Vector] | None:
        tried.append(point[1])
        return None if point[1] < 0.2 or point[1] > 1.6 else decay(point)

    found = minimise(evaluate, np.array([9.0, 0.25, 0.0]), *FREE, soft=None, tolerance=1e-8, evaluations=100)
    assert found is not None
    assert min(tried) < 0.2 or max(tried) > 1.6
    assert found.x == pytest.approx(TRUE, abs=0.05)
    assert minimise(lambda _: None, TRUE, *FREE, soft=None, tolerance=1e-8, evaluations=9) is None


def test_it_stops_when_the_evaluations_are_used_up() -> None:
    found = minimise(decay, np.array([9.0, 0.1, 5.0]), *FREE, soft=None, tolerance=1e-12, evaluations=3)
    assert found is not None
    assert found.status == 0
    assert found.nfev == 3


def test_a_parameter_that_nothing_depends_on_stays() -> None:
    def evaluate(point: Vector) -> tuple[Vector, Vector]:
        residuals, columns = decay(point[:3])
        return residuals, np.column_stack([columns, np.zeros(60)])

    bounds = np.append(FREE[0], -1.0), np.append(FREE[1], 1.0)
    found = minimise(evaluate, np.array([1.0, 1.0, 0.0, 0.3]), *bounds, soft=None, tolerance=1e-8, evaluations=50)
    assert found is not None
    assert found.x[:3] == pytest.approx(TRUE, abs=0.05)
    assert found.x[3] == pytest.approx(0.3)


def test_without_a_free_parameter_it_ends_at_once() -> None:
    corner = np.array([2.0, 1.3, 0.5])
    found = minimise(decay, corner, corner, corner, soft=None, tolerance=1e-8, evaluations=50)
    assert found is not None
    assert found.nfev == 1
    assert found.x == pytest.approx(corner)
