import numpy as np
from numpy.typing import NDArray

def heating_scans(
    ln_a: float,
    delta_h_over_r: float,
    x: float,
    rates: NDArray[np.float64],
    weights: NDArray[np.float64],
    chains: int,
    mean_time: float,
    cycles: NDArray[np.float64],
    first: float,
    step: float,
    tolerance: float,
    cpn: NDArray[np.float64],
    fictive_temperature: NDArray[np.float64],
) -> int: ...
