from typing import Any

import numpy as np
from numpy.typing import NDArray

class Programs:
    cycles: int
    def __init__(self, start: NDArray[np.float64], count: NDArray[np.int64], rows: NDArray[np.float64]) -> None: ...

class Kernel:
    def __init__(
        self, rates: NDArray[np.float64], weights: NDArray[np.float64], chains: int, mean_time: float
    ) -> None: ...

def heating_scans(
    ln_a: float,
    delta_h_over_r: float,
    x: float,
    kernel: Kernel,
    programs: Programs,
    first: float,
    step: float,
    tolerance: float,
    cpn: NDArray[Any],
    fictive_temperature: NDArray[np.float64] | None = None,
    limiting: NDArray[np.float64] | None = None,
) -> int: ...
def sensitivities(
    ln_a: float,
    delta_h_over_r: float,
    x: float,
    kernel: Kernel,
    by_beta: Kernel,
    programs: Programs,
    first: float,
    step: float,
    tolerance: float,
    cpn: NDArray[np.float64],
    jacobian: NDArray[np.float64],
    limiting: NDArray[np.float64],
    limiting_jacobian: NDArray[np.float64],
) -> int: ...
def history(
    ln_a: float, delta_h_over_r: float, x: float, kernel: Kernel, programs: Programs, tolerance: float
) -> tuple[int, list[list[float]]]: ...
def direct(
    ln_a: float,
    delta_h_over_r: float,
    x: float,
    beta: float,
    start: float,
    jump: NDArray[np.float64],
    hold: NDArray[np.float64],
    fictive_temperature: NDArray[np.float64],
) -> int: ...
