"""Non-linear least squares within bounds, by a trust region (Levenberg-Marquardt, Moré 1978) and projection.

SciPy does the same; its import takes ten times what a fit does, and it asks for the residuals of each trial before
their derivatives, although the engine gives both at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Solution", "minimise"]

Vector = NDArray[np.float64]

_POOR, _GOOD = 0.25, 0.75  # decrease over what the linear model promised: the trust region shrinks below, grows above
_SECULAR_ITERATIONS = 10  # to a step of the length of the trust region
_SECULAR_ERROR = 0.01  # relative, of that length
_NEGLIGIBLE = 0.01  # of the tolerance: a promised decrease for which no further simulation is made


@dataclass(frozen=True, eq=False)
class Solution:
    """Where a search ended.

    Attributes
    ----------
    x : ndarray, shape (parameters,)
        The best point.
    fun : ndarray, shape (residuals,)
        Residuals there.
    jac : ndarray, shape (residuals, parameters)
        Their derivatives, weighted by the loss so that jac^T jac is the curvature of the cost.
    cost : float
        Half the sum of squares, by the loss.
    status : int
        Positive if it is a minimum, 0 if the evaluations were used up.
    nfev : int
        Evaluations.
    """

    x: Vector
    fun: Vector
    jac: NDArray[np.float64]
    cost: float
    status: int
    nfev: int


def minimise(
    evaluate: Callable[[Vector], tuple[Vector, NDArray[np.float64]] | None],
    start: Vector,
    lower: Vector,
    upper: Vector,
    *,
    soft: float | None,
    tolerance: float,
    evaluations: int,
) -> Solution | None:
    """Make half a sum of squares small within bounds.

    Parameters
    ----------
    evaluate : callable
        Residuals and their derivatives at a point, or None where there are none: no step goes there.
    start, lower, upper : ndarray, shape (parameters,)
        Where it begins, and the bounds.
    soft : float or None
        The loss is soft_l1, linear beyond so large residuals; None: squares.
    tolerance : float
        Relative decrease of the cost that ends the search.
    evaluations : int
        At most.

    Returns
    -------
    Solution or None
        None if there is nothing at the start.
    """
    point = np.clip(start, lower, upper)
    found = evaluate(point)
    if found is None:
        return None
    here = _Linear.of(*found, soft)
    used, scale = 1, here.norms
    radius = float(np.linalg.norm(scale * point)) or 1.0
    while True:
        step = here.step(point, scale, radius, lower, upper)
        promised = here.decrease(step)
        if promised <= _NEGLIGIBLE * tolerance * here.cost:
            return here.solution(point, 1, used)
        if used >= evaluations:
            return here.solution(point, 0, used)
        length = float(np.linalg.norm(scale * step))
        trial = np.clip(point + step, lower, upper)
        found = evaluate(trial)
        used += 1
        cost = np.inf if found is None else _cost(found[0], soft)
        decrease = here.cost - cost if np.isfinite(cost) else -np.inf
        if decrease < _POOR * promised:
            radius = 0.25 * length
        elif decrease > _GOOD * promised and length > 0.95 * radius:
            radius *= 2.0
        if found is not None and decrease > 0:
            small = decrease < tolerance * here.cost and decrease > _POOR * promised
            point, here = trial, _Linear.of(*found, soft)
            scale = np.maximum(scale, here.norms)
            if small:
                return here.solution(point, 2, used)
        if radius < 1e-8 * (1e-8 + float(np.linalg.norm(scale * point))):
            return here.solution(point, 3, used)


def _cost(residuals: Vector, soft: float | None) -> float:
    with np.errstate(all="ignore"):  # far off it overflows, which no step accepts
        if soft is None:
            return 0.5 * float(residuals @ residuals)
        return float(np.sum(soft**2 * (np.sqrt(1.0 + (residuals / soft) ** 2) - 1.0)))


class _Linear:
    """Residuals about a point as a linear function, of which a triangle keeps all that a step needs."""

    def __init__(self, residuals: Vector, weighted: Vector, jacobian: NDArray[np.float64], cost: float) -> None:
        self.residuals, self.jacobian, self.cost = residuals, jacobian, cost
        whole: NDArray[np.float64] = np.asarray(np.linalg.qr(np.column_stack([jacobian, weighted]), mode="r"))
        size = jacobian.shape[1]
        self._triangle, self._rest = whole[:size, :size], whole[:size, size]
        self._gradient = self._triangle.T @ self._rest
        norms = np.sqrt(np.sum(self._triangle**2, axis=0))
        self.norms = np.where(norms > 0, norms, 1.0)

    @classmethod
    def of(cls, residuals: Vector, jacobian: NDArray[np.float64], soft: float | None) -> _Linear:
        if soft is None:
            return cls(residuals, residuals, jacobian, _cost(residuals, soft))
        # residuals and derivatives whose squares have the gradient and the curvature of the loss (Triggs et al., 2000)
        square = (residuals / soft) ** 2
        root = np.sqrt(1.0 + square)
        curvature = np.sqrt(np.maximum(root**-3, np.finfo(float).eps))
        return cls(residuals, residuals / (root * curvature), jacobian * curvature[:, None], _cost(residuals, soft))

    def solution(self, point: Vector, status: int, used: int) -> Solution:
        return Solution(point, self.residuals, self.jacobian, self.cost, status, used)

    def decrease(self, step: Vector) -> float:
        """Return by how much a step lowers the cost of the linear function."""
        along = self._triangle @ step
        return float(-(self._gradient @ step) - 0.5 * (along @ along))

    def step(self, point: Vector, scale: Vector, radius: float, lower: Vector, upper: Vector) -> Vector:
        """Return the best step within the trust region; what would leave the bounds stops there."""
        held = ((point <= lower) & (self._gradient > 0)) | ((point >= upper) & (self._gradient < 0))
        step = np.zeros_like(point)
        while True:
            free = ~held
            left = radius**2 - float(np.sum((scale * step)[held] ** 2))
            if not free.any() or left <= 0:
                return step
            rest = self._rest + self._triangle[:, held] @ step[held]
            step[free] = _within(self._triangle[:, free] / scale[free], rest, np.sqrt(left)) / scale[free]
            outside = free & ((point + step < lower) | (point + step > upper))
            if not outside.any():
                return step
            step = np.where(outside | held, np.clip(point + step, lower, upper) - point, 0.0)
            held = held | outside


def _within(matrix: NDArray[np.float64], rest: Vector, radius: float) -> Vector:
    """Return the p of at most this length that makes |matrix p + rest| smallest."""
    u, singular, v = np.linalg.svd(matrix, full_matrices=False)
    projected = singular * (u.T @ rest)
    squares = singular**2
    kept = squares > (np.finfo(float).eps * matrix.shape[0] * squares[0] ** 0.5) ** 2
    if kept.all():
        full = projected / squares
        if np.linalg.norm(full) <= radius:
            return np.asarray(-full @ v)
    # Newton's method for the damping whose step has the length, between bounds of it (Moré 1978)
    low, high = 0.0, float(np.linalg.norm(projected)) / radius
    damping = 1e-3 * high
    for _ in range(_SECULAR_ITERATIONS):
        length = float(np.linalg.norm(projected / (squares + damping)))
        excess = length - radius
        if abs(excess) < _SECULAR_ERROR * radius:
            break
        if excess < 0:
            high = damping
        else:
            low = damping
        slope = -float(np.sum(projected**2 / (squares + damping) ** 3)) / length
        damping -= (length / radius) * excess / slope
        if not low < damping < high:
            damping = max(1e-3 * high, np.sqrt(low * high))
    p = projected / (squares + damping)
    return np.asarray(-p * min(1.0, radius / float(np.linalg.norm(p))) @ v)
