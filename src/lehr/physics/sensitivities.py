"""Derivatives of DSC signals with respect to the four parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.physics.kww import BETA_RANGE
from lehr.physics.parameters import GAS_CONSTANT, TNMParameters
from lehr.physics.program import ThermalProgram
from lehr.physics.simulate import DEFAULT_TOLERANCE, Status, simulate_batch

__all__ = ["Sensitivities", "simulate_sensitivities", "simulate_sensitivities_batch"]


@dataclass(frozen=True, eq=False)
class Sensitivities:
    """Heating scans of one glass, and their derivatives with respect to its parameters.

    Attributes
    ----------
    parameters : TNMParameters
        The glass.
    program : ThermalProgram
        What was done to it.
    temperature : ndarray, shape (points,)
        Temperature in K.
    cpn : ndarray, shape (cycles, points)
        Normalised heat capacity, as `simulate` gives it within the tolerance.
    jacobian : ndarray, shape (cycles, points, 4)
        Derivatives of `cpn` at fixed temperature and program with respect to ln_A (per 1), delta_h (per J/mol), x and
        beta (per 1). ``jacobian.reshape(-1, 4)`` is the matrix of a least squares problem.
    limiting_fictive_temperature : ndarray, shape (cycles,)
        Tf' in K: the fictive temperature of the glass before each scan.
    limiting_jacobian : ndarray, shape (cycles, 4)
        Derivatives of Tf' in K, with respect to the same parameters.
    status : Status
        `Status.OK` or `Status.WINDOW`.
    """

    parameters: TNMParameters
    program: ThermalProgram
    temperature: NDArray[np.float64]
    cpn: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    limiting_fictive_temperature: NDArray[np.float64]
    limiting_jacobian: NDArray[np.float64]
    status: Status


def simulate_sensitivities(
    parameters: TNMParameters,
    *,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Sensitivities:
    """Simulate the heating scans of one glass and their derivatives with respect to ln_A, delta_h, x and beta.

    Parameters
    ----------
    parameters : TNMParameters
        The glass. At x = 1 and at the ends of the range of beta the derivatives are those from inside.
    program, temperature, tolerance
        As in `simulate`.

    Returns
    -------
    Sensitivities

    Raises
    ------
    LehrError
        If the temperatures are not equidistant or the integration fails.
    """
    from lehr.physics.simulate import _equidistant

    program = program or ThermalProgram.chr_cycles()
    grid = _equidistant(temperature)
    cpn, jacobian, status = simulate_sensitivities_batch(
        [parameters.as_tuple()], program=program, temperature=grid, tolerance=tolerance
    )
    if status[0] not in (Status.OK, Status.WINDOW):
        raise LehrError(f"{parameters}: {Status(status[0]).message}")
    limits, limiting = _differences(parameters.as_tuple(), program, grid, want_limits=True)
    return Sensitivities(parameters, program, grid, cpn[0], jacobian[0], limits, limiting, Status(status[0]))


def simulate_sensitivities_batch(
    parameters: ArrayLike,
    *,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]]:
    """Simulate the heating scans of many glasses and their derivatives.

    Parameters
    ----------
    parameters : array_like, shape (n, 4)
        Columns ln_A, delta_h (J/mol), x, beta.
    program, temperature, tolerance
        As in `simulate`.
    threads : int, optional
        Threads of this process that share the rows.

    Returns
    -------
    cpn : ndarray, shape (n, cycles, points)
        Normalised heat capacity; NaN where the status is worse than `Status.WINDOW`.
    jacobian : ndarray, shape (n, cycles, points, 4)
        Derivatives with respect to the four parameters, as in `Sensitivities`.
    status : ndarray of int8, shape (n,)
        A `Status` for each row. A bad row harms no other.
    """
    from lehr.physics.simulate import _equidistant

    program = program or ThermalProgram.chr_cycles()
    grid = _equidistant(temperature)
    rows = np.atleast_2d(np.asarray(parameters, dtype=float))
    cpn, status = simulate_batch(
        rows, program=program, temperature=grid, dtype="float64", tolerance=tolerance, threads=threads
    )
    jacobian = np.full((*cpn.shape, 4), np.nan)
    for i, row in enumerate(rows):
        if status[i] <= Status.WINDOW:
            jacobian[i] = _differences(tuple(row), program, grid)[1]
    return cpn, jacobian, status


def _differences(row, program, grid, want_limits=False):  # type: ignore[no-untyped-def]
    """Differences of runs at a tight tolerance, to be replaced by derivatives of the kernel."""
    glass = TNMParameters(*row)
    steps = (0.02, 0.02 * GAS_CONSTANT * glass.glass_transition, 2e-3, 1e-3 * glass.beta)
    lowest, highest = (-np.inf, 0.0, 0.0, BETA_RANGE[0]), (np.inf, np.inf, 1.0, BETA_RANGE[1])
    rows, shares = [row], []
    for k, h in enumerate(steps):
        if row[k] + h > highest[k]:
            places, share = (-1, -2), (1.5, -2.0, 0.5)
        elif row[k] - h < lowest[k]:
            places, share = (1, 2), (-1.5, 2.0, -0.5)
        else:
            places, share = (1, -1), (0.0, 0.5, -0.5)
        for place in places:
            rows.append(tuple(value + place * h * (k == j) for j, value in enumerate(row)))
        shares.append(np.array(share) / h)
    limits = np.empty((9, len(program.cycles)))
    cpn, _ = simulate_batch(
        rows, program=program, temperature=grid, dtype="float64", tolerance=1e-7, limiting_fictive_temperature=limits
    )
    values = limits if want_limits else cpn
    columns = [s[0] * values[0] + s[1] * values[2 * k + 1] + s[2] * values[2 * k + 2] for k, s in enumerate(shares)]
    return values[0], np.stack(columns, axis=-1)
