"""Derivatives of DSC signals with respect to the four parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.tnm import _tnm
from lehr.glass.tnm.kww import KWWKernel
from lehr.glass.tnm.parameters import GAS_CONSTANT, TNMParameters
from lehr.glass.tnm.program import ThermalProgram
from lehr.glass.tnm.simulate import (
    DEFAULT_TOLERANCE,
    ScanTarget,
    Status,
    each_row,
    equidistant,
    parameter_rows,
    scan_target,
)

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
    program = program or ThermalProgram.chr_cycles()
    grid = equidistant(temperature)
    arrays = _empty((), len(program.cycles), grid.size)
    status = _differentiate(scan_target(program, grid, tolerance), parameters, arrays)
    if status not in (Status.OK, Status.WINDOW):
        raise LehrError(f"{parameters}: {status.message}")
    cpn, jacobian, limiting, limiting_jacobian = arrays
    return Sensitivities(parameters, program, grid, cpn, jacobian, limiting, limiting_jacobian, status)


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
    rows = parameter_rows(parameters)
    program = program or ThermalProgram.chr_cycles()
    grid = equidistant(temperature)
    arrays = _empty((len(rows),), len(program.cycles), grid.size)
    target = scan_target(program, grid, tolerance)

    def one(i: int, glass: TNMParameters | None) -> Status:
        if glass is not None:
            cpn, jacobian, limiting, limiting_jacobian = arrays
            return _differentiate(target, glass, (cpn[i], jacobian[i], limiting[i], limiting_jacobian[i]))
        for array in arrays:
            array[i] = np.nan
        return Status.PARAMETER

    status = each_row(rows, one, threads)
    return arrays[0], arrays[1], status


_Arrays = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""cpn, jacobian, limiting fictive temperature and its jacobian."""


def _empty(rows: tuple[int, ...], cycles: int, points: int) -> _Arrays:
    cpn, limiting = np.empty((*rows, cycles, points)), np.empty((*rows, cycles))
    return cpn, np.empty((*cpn.shape, 4)), limiting, np.empty((*limiting.shape, 4))


@lru_cache(maxsize=256)
def _compiled_kernels(beta: float) -> tuple[_tnm.Kernel, _tnm.Kernel]:
    both = KWWKernel.with_derivative(beta)
    kernel, by_beta = (_tnm.Kernel(k.rates, k.weights, k.chains, k.mean_time) for k in both)
    return kernel, by_beta


def _differentiate(target: ScanTarget, glass: TNMParameters, arrays: _Arrays) -> Status:
    programs, first, step, tolerance = target
    cpn, jacobian, limiting, limiting_jacobian = arrays
    ln_a, delta_h, x, beta = glass.as_tuple()
    kernel, by_beta = _compiled_kernels(beta)
    status = _tnm.sensitivities(
        ln_a, delta_h / GAS_CONSTANT, x, kernel, by_beta, programs, first, step, tolerance, cpn, jacobian, limiting,
        limiting_jacobian,
    )  # fmt: skip
    jacobian[..., 1] /= GAS_CONSTANT
    limiting_jacobian[..., 1] /= GAS_CONSTANT
    return Status(status)
