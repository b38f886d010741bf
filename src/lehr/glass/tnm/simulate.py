"""DSC signals of glasses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lehr.errors import LehrError
from lehr.glass.quantities import COOLING_RATE, CPN, FICTIVE_TEMPERATURE_CURVE, HEATING_RATE, TEMPERATURE
from lehr.glass.status import Status
from lehr.glass.tnm import _tnm
from lehr.glass.tnm.kww import KWWKernel
from lehr.glass.tnm.parameters import RelaxationModel, TNMParameters
from lehr.glass.tnm.program import Cycle, ThermalProgram, compile_cycles, default_temperature

if TYPE_CHECKING:
    import xarray

__all__ = [
    "DEFAULT_TOLERANCE",
    "History",
    "Signals",
    "Status",
    "simulate",
    "simulate_batch",
    "simulate_glass",
    "simulate_history",
]

DEFAULT_TOLERANCE = 1e-4
"""Error of CpN that 99.9 % of the points stay below, where CpN,max is below 6."""


@dataclass(frozen=True, eq=False)
class Signals:
    """Scans of one glass.

    Attributes
    ----------
    parameters : TNMParameters, or another model
        The glass.
    program : ThermalProgram
        What was done to it.
    temperature : ndarray, shape (points,)
        Temperature in K.
    cpn : ndarray, shape (cycles, points)
        Normalised heat capacity dTf/dT (Eq. 3 and 5 of the paper).
    fictive_temperature : ndarray, shape (cycles, points)
        Fictive temperature in K.
    status : Status
        `Status.OK` or `Status.WINDOW`.
    """

    parameters: RelaxationModel
    program: ThermalProgram
    temperature: NDArray[np.float64]
    cpn: NDArray[np.float64]
    fictive_temperature: NDArray[np.float64]
    status: Status

    def to_xarray(self) -> xarray.Dataset:
        """Return a labelled data set with units; needs xarray (`pip install "lehr[store]"`)."""
        import xarray

        coordinates = {
            TEMPERATURE: self.temperature,
            COOLING_RATE: np.array(self.program.cooling_rates),
            HEATING_RATE: np.array(self.program.heating_rates),
        }
        data, coords = (
            {q.name: (q.dims, array, {"long_name": q.meaning, "units": q.unit}) for q, array in arrays.items()}
            for arrays in ({CPN: self.cpn, FICTIVE_TEMPERATURE_CURVE: self.fictive_temperature}, coordinates)
        )
        attributes = dict(zip(self.parameters.names(), self.parameters.as_tuple(), strict=True))
        return xarray.Dataset(data, coords, attrs=attributes)


def simulate(
    ln_A: float,
    delta_h: float,
    x: float,
    beta: float,
    *,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Signals:
    """Simulate the scans of one glass.

    Parameters
    ----------
    ln_A, delta_h, x, beta : float
        See `TNMParameters`: natural logarithm of A in s, activation energy in J/mol, non-linearity, non-exponentiality.
    program : ThermalProgram, optional
        Default: the six cycles of Table 1 of the paper.
    temperature : array_like, shape (points,), optional
        Equidistant ascending temperatures in K. Default: -250 to 1600 degC every 0.1 K. They are the window of the
        program: its "lowest" and "highest" are the first and the last of them.
    tolerance : float, optional
        Error of CpN that 99.9 % of the points stay below, where CpN,max is below 6.

    Returns
    -------
    Signals

    Raises
    ------
    LehrError
        If a parameter is out of range, the temperatures are not equidistant, or the integration fails.
    """
    glass = TNMParameters(float(ln_A), float(delta_h), float(x), float(beta))
    return simulate_glass(glass, program=program, temperature=temperature, tolerance=tolerance)


def simulate_glass(
    parameters: RelaxationModel,
    *,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Signals:
    """Simulate the scans of one glass of any model of the relaxation time.

    Parameters
    ----------
    parameters : TNMParameters, AdamGibbsParameters or MAPParameters
        The glass.
    program, temperature, tolerance
        As in `simulate`.

    Returns
    -------
    Signals

    Raises
    ------
    LehrError
        If the temperatures are not equidistant, or the integration fails.
    """
    program = program or ThermalProgram.chr_cycles()
    grid = equidistant(temperature)
    cpn = np.empty((len(program.cycles), grid.size))
    fictive = np.empty_like(cpn)
    scan = _Scanner(program, grid, tolerance)
    status = scan(parameters, cpn, fictive)
    if status not in (Status.OK, Status.WINDOW):
        raise LehrError(f"{parameters}: {status.message}")
    return Signals(parameters, program, grid, cpn, fictive, status)


def simulate_batch(
    parameters: ArrayLike,
    *,
    program: ThermalProgram | None = None,
    temperature: ArrayLike | None = None,
    dtype: str = "float32",
    tolerance: float = DEFAULT_TOLERANCE,
    threads: int = 1,
    out: NDArray[Any] | None = None,
    limiting_fictive_temperature: NDArray[np.float64] | None = None,
    model: type[RelaxationModel] = TNMParameters,
) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """Simulate the scans of many glasses.

    Parameters
    ----------
    parameters : array_like, shape (n, 4)
        Columns ln_A, delta_h (J/mol), x, beta; of another model, those that its `names` says.
    program, temperature, tolerance
        As in `simulate`.
    dtype : str, optional
        Type of the signals, float32 or float64; the computation is in float64.
    threads : int, optional
        Threads of this process that share the rows.
    out : ndarray, shape (n, cycles, points), optional
        Where to write the signals instead of into a new array; its type takes the place of `dtype`.
    limiting_fictive_temperature : ndarray of float64, shape (n, cycles), optional
        Where to write Tf' in K as well: the fictive temperature of the glass before each heating scan, after
        each cooling scan.
    model : type, optional
        `TNMParameters`, `AdamGibbsParameters` or `MAPParameters`.

    Returns
    -------
    cpn : ndarray, shape (n, cycles, points)
        Normalised heat capacity; NaN where the status is worse than `Status.WINDOW`.
    status : ndarray of int8, shape (n,)
        A `Status` for each row. A bad row harms no other.
    """
    rows = parameter_rows(parameters, model)
    if dtype not in ("float32", "float64"):
        raise LehrError(f"dtype '{dtype}' is not offered", "Take float32 or float64.")
    program = program or ThermalProgram.chr_cycles()
    grid = equidistant(temperature)
    shape = (len(rows), len(program.cycles), grid.size)
    cpn = np.empty(shape, dtype=dtype) if out is None else _writable(out, shape, ("float32", "float64"))
    limiting = limiting_fictive_temperature
    if limiting is not None:
        _writable(limiting, shape[:2], ("float64",))
    scan = _Scanner(program, grid, tolerance)

    def one(i: int, glass: RelaxationModel | None) -> Status:
        if glass is not None:
            return scan(glass, cpn[i], limiting=None if limiting is None else limiting[i])
        cpn[i] = np.nan
        if limiting is not None:
            limiting[i] = np.nan
        return Status.PARAMETER

    return cpn, each_row(rows, one, threads, model)


def parameter_rows(parameters: ArrayLike, model: type[RelaxationModel]) -> NDArray[np.float64]:
    """Return parameters as an array of the shape (n, parameters), (n, 4) for TNM."""
    names = model.names()
    rows: NDArray[np.float64] = np.atleast_2d(np.asarray(parameters, dtype=float))
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise LehrError(f"parameters have the shape {rows.shape}", f"Give (n, {len(names)}): {', '.join(names)}.")
    return rows


def each_row(
    rows: NDArray[np.float64],
    one: Callable[[int, RelaxationModel | None], Status],
    threads: int,
    model: type[RelaxationModel],
) -> NDArray[np.int8]:
    """Call `one` with the index of each row and its glass, None if there is no such glass; return the statuses."""
    if threads < 1:
        raise LehrError(f"threads = {threads} is out of range", "Give at least one.")
    status = np.empty(len(rows), dtype=np.int8)

    def work(share: range) -> None:
        for i in share:
            try:
                glass = model(*rows[i].tolist())
            except LehrError:
                glass = None
            status[i] = one(i, glass)

    if threads == 1:
        work(range(len(rows)))
    else:
        with ThreadPoolExecutor(threads) as pool:  # the kernel releases the GIL
            list(pool.map(work, [range(first, len(rows), threads) for first in range(threads)]))
    return status


@dataclass(frozen=True, eq=False)
class History:
    """What a glass does along a cycle, at the steps of the integration.

    Attributes
    ----------
    time : ndarray, shape (nodes,)
        Time in s.
    temperature, fictive_temperature : ndarray, shape (nodes,)
        T and Tf in K. Ranges in which nothing happens have no nodes.
    """

    time: NDArray[np.float64]
    temperature: NDArray[np.float64]
    fictive_temperature: NDArray[np.float64]


def simulate_history(parameters: RelaxationModel, cycle: Cycle, *, tolerance: float = DEFAULT_TOLERANCE) -> History:
    """Simulate one cycle and return all of it: ramps, holds and jumps.

    Parameters
    ----------
    parameters : TNMParameters, or another model
        The glass.
    cycle : Cycle
        What is done to it; temperatures in K.
    tolerance : float, optional
        As in `simulate`; in a hold, about the error of Tf in K.

    Raises
    ------
    LehrError
        If the integration fails.
    """
    programs = compile_cycles([cycle], nan, nan, recorded=False)
    check_tolerance(tolerance)
    code, columns = _tnm.history(parameters.compiled(), compiled_kernel(parameters.beta), programs, tolerance)
    if code != Status.OK:
        raise LehrError(f"{parameters}: {Status(code).message}")
    return History(*(np.array(column) for column in columns))


@lru_cache(maxsize=256)
def compiled_kernel(beta: float) -> _tnm.Kernel:
    """Return the exponential sum of one beta as the compiled kernel takes it."""
    kernel = KWWKernel.of(beta)
    return _tnm.Kernel(kernel.rates, kernel.weights, kernel.chains, kernel.mean_time)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is not an error of CpN."""
    if not 0 < tolerance < 1:
        raise LehrError(f"tolerance = {tolerance} is out of range", "It is an error of CpN between 0 and 1.")


ScanTarget = tuple[_tnm.Programs, float, float, float]
"""What the compiled kernel has to know of a scan: program, first temperature, step (K), tolerance."""


def scan_target(program: ThermalProgram, grid: NDArray[np.float64], tolerance: float) -> ScanTarget:
    """Check the tolerance and put together a scan for the compiled kernel."""
    check_tolerance(tolerance)
    return program.compiled(grid[0], grid[-1]), grid[0], (grid[-1] - grid[0]) / (grid.size - 1), tolerance


class _Scanner:
    """Simulates the scans of a program on a temperature grid, for one glass after the other."""

    def __init__(self, program: ThermalProgram, grid: NDArray[np.float64], tolerance: float) -> None:
        self._target = scan_target(program, grid, tolerance)

    def __call__(
        self,
        glass: RelaxationModel,
        cpn: NDArray[Any],
        fictive: NDArray[np.float64] | None = None,
        limiting: NDArray[np.float64] | None = None,
    ) -> Status:
        kernel = compiled_kernel(glass.beta)
        return Status(_tnm.scans(glass.compiled(), kernel, *self._target, cpn, fictive, limiting))


def _writable(array: NDArray[Any], shape: tuple[int, ...], dtypes: tuple[str, ...]) -> NDArray[Any]:
    """Check an array that the kernel will write into."""
    if array.shape != shape or array.dtype not in dtypes or not array.flags.c_contiguous:
        raise LehrError(
            f"an output array is {array.dtype} of the shape {array.shape}",
            f"It must be contiguous {' or '.join(dtypes)} of the shape {shape}.",
        )
    return array


def equidistant(temperature: ArrayLike | None) -> NDArray[np.float64]:
    """Return the temperatures in K if they are equidistant and ascending; the default for None."""
    if temperature is None:
        return default_temperature()
    grid = np.asarray(temperature, dtype=float)
    if grid.ndim != 1 or grid.size < 2 or not np.isfinite(grid).all():
        raise LehrError("temperature must be a one-dimensional array of at least two finite values in K")
    steps = np.diff(grid)
    if not (grid[0] > 0 and steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=1e-9)):
        raise LehrError("temperature must be ascending and equidistant, in K", "Interpolate the result yourself.")
    return grid
