from collections.abc import Sequence
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

class Glass:
    def __init__(self, model: int, values: Sequence[float], first: int = 0) -> None: ...

def scans(
    glass: Glass,
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
    glass: Glass,
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
def recovery(
    glass: Glass,
    kernel: Kernel,
    by_beta: Kernel | None,
    programs: Programs,
    holds: int,
    tolerance: float,
    fictive_temperature: NDArray[np.float64],
    jacobian: NDArray[np.float64] | None,
) -> int: ...
def history(glass: Glass, kernel: Kernel, programs: Programs, tolerance: float) -> tuple[int, list[list[float]]]: ...
def direct(
    glass: Glass,
    beta: float,
    start: float,
    jump: NDArray[np.float64],
    hold: NDArray[np.float64],
    fictive_temperature: NDArray[np.float64],
) -> int: ...
