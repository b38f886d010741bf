"""Derivatives of DSC signals with respect to the parameters of a glass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.tnm import _tnm
from lehr.glass.tnm.kww import KWWKernel
from lehr.glass.tnm.parameters import RelaxationModel, TNMParameters
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
    """Scans of one glass, and their derivatives with respect to its parameters.

    Attributes
    ----------
    parameters : TNMParameters, or another model
        The glass.
    program : ThermalProgram
        What was done to it.
    temperature : ndarray, shape (points,)
        Temperature in K.
    cpn : ndarray, shape (cycles, points)
        Normalised heat capacity, as `simulate` gives it within the tolerance.
    jacobian : ndarray, shape (cycles, points, 4)
        Derivatives of `cpn` at fixed temperature and program with respect to ln_A (per 1), delta_h (per J/mol), x and
        beta (per 1); of another model, to its parameters in their order. ``jacobian.reshape(-1, 4)`` is the matrix of a
        least squares problem.
    limiting_fictive_temperature : ndarray, shape (cycles,)
        Tf' in K: the fictive temperature of the glass before each heating scan, after each cooling scan.
    limiting_jacobian : ndarray, shape (cycles, 4)
        Derivatives of Tf' in K, with respect to the same parameters.
    status : Status
        `Status.OK` or `Status.WINDOW`.
    """

    parameters: RelaxationModel
    program: ThermalProgram
    temperature: NDArray[np.float64]
    cpn: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    limiting_fictive_temperature: NDArray[np.float64]
    limiting_jacobian: NDArray[np.float64]
    status: Status


def simulate_sensitivities(
    parameters: RelaxationModel,
    *,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Sensitivities:
    """Simulate the scans of one glass and their derivatives with respect to its parameters.

    Parameters
    ----------
    parameters : TNMParameters, or another model
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
    arrays = _empty((), len(program.cycles), grid.size, len(parameters.names()))
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
    model: type[RelaxationModel] = TNMParameters,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]]:
    """Simulate the scans of many glasses and their derivatives.

    Parameters
    ----------
    parameters : array_like, shape (n, 4)
        Columns ln_A, delta_h (J/mol), x, beta; of another model, those that its `names` says.
    program, temperature, tolerance
        As in `simulate`.
    threads : int, optional
        Threads of this process that share the rows.
    model : type, optional
        As in `simulate_batch`.

    Returns
    -------
    cpn : ndarray, shape (n, cycles, points)
        Normalised heat capacity; NaN where the status is worse than `Status.WINDOW`.
    jacobian : ndarray, shape (n, cycles, points, 4)
        Derivatives with respect to the parameters, as in `Sensitivities`.
    status : ndarray of int8, shape (n,)
        A `Status` for each row. A bad row harms no other.
    """
    rows = parameter_rows(parameters, model)
    program = program or ThermalProgram.chr_cycles()
    grid = equidistant(temperature)
    arrays = _empty((len(rows),), len(program.cycles), grid.size, rows.shape[1])
    target = scan_target(program, grid, tolerance)

    def one(i: int, glass: RelaxationModel | None) -> Status:
        if glass is not None:
            cpn, jacobian, limiting, limiting_jacobian = arrays
            return _differentiate(target, glass, (cpn[i], jacobian[i], limiting[i], limiting_jacobian[i]))
        for array in arrays:
            array[i] = np.nan
        return Status.PARAMETER

    status = each_row(rows, one, threads, model)
    return arrays[0], arrays[1], status


_Arrays = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""cpn, jacobian, limiting fictive temperature and its jacobian."""


def _empty(rows: tuple[int, ...], cycles: int, points: int, parameters: int) -> _Arrays:
    cpn, limiting = np.empty((*rows, cycles, points)), np.empty((*rows, cycles))
    return cpn, np.empty((*cpn.shape, parameters)), limiting, np.empty((*limiting.shape, parameters))


LANES = 3
"""How many parameters beside beta one run of the kernel differentiates by."""


@lru_cache(maxsize=256)
def compiled_kernels(beta: float) -> tuple[_tnm.Kernel, _tnm.Kernel]:
    """Return the exponential sum of one beta and its derivative as the compiled kernel takes them."""
    both = KWWKernel.with_derivative(beta)
    kernel, by_beta = (_tnm.Kernel(k.rates, k.weights, k.chains, k.mean_time) for k in both)
    return kernel, by_beta


def in_own_units(glass: RelaxationModel, jacobian: NDArray[np.float64]) -> None:
    """Turn derivatives, shape (..., parameters), from the units of the kernel to those of the model, in place."""
    for k, unit in enumerate(glass.kernel_units):
        if unit != 1.0:
            jacobian[..., k] /= unit


def _differentiate(target: ScanTarget, glass: RelaxationModel, arrays: _Arrays) -> Status:
    programs, first, step, tolerance = target
    cpn, jacobian, limiting, limiting_jacobian = arrays
    kernel, by_beta = compiled_kernels(glass.beta)

    def run(start: int, by: NDArray[np.float64], limiting_by: NDArray[np.float64]) -> int:
        return _tnm.sensitivities(
            glass.compiled(start), kernel, by_beta, programs, first, step, tolerance, cpn, by, limiting, limiting_by
        )

    others = len(glass.kernel_units)
    if others == LANES:
        status = run(0, jacobian, limiting_jacobian)
    else:  # a run for each three parameters; all take the same steps
        status = 0
        for start in range(0, others, LANES):
            by, limiting_by = np.empty((*cpn.shape, LANES + 1)), np.empty((*limiting.shape, LANES + 1))
            status = max(status, run(start, by, limiting_by))
            share = slice(start, min(start + LANES, others))
            for whole, part in ((jacobian, by), (limiting_jacobian, limiting_by)):
                whole[..., share] = part[..., : share.stop - start]
                whole[..., -1] = part[..., -1]
    in_own_units(glass, jacobian)
    in_own_units(glass, limiting_jacobian)
    return Status(status)
