"""lehr: glass-transition signals of the Tool-Narayanaswamy-Moynihan model, simulated, learned and read back.

>>> import lehr
>>> signals = lehr.simulate(ln_A=-79.21, delta_h=318443.9, x=0.57, beta=0.71)
>>> signals.cpn.shape
(6, 18501)
"""

from importlib.metadata import version

from lehr.errors import LehrError
from lehr.physics import (
    Cycle,
    History,
    Hold,
    Jump,
    Ramp,
    Sensitivities,
    Signals,
    Status,
    ThermalProgram,
    TNMParameters,
    load_materials,
    material,
    simulate,
    simulate_batch,
    simulate_direct,
    simulate_history,
    simulate_sensitivities,
    simulate_sensitivities_batch,
)

__version__ = version("lehr")

__all__ = [
    "Cycle",
    "History",
    "Hold",
    "Jump",
    "LehrError",
    "Ramp",
    "Sensitivities",
    "Signals",
    "Status",
    "TNMParameters",
    "ThermalProgram",
    "__version__",
    "load_materials",
    "material",
    "simulate",
    "simulate_batch",
    "simulate_direct",
    "simulate_history",
    "simulate_sensitivities",
    "simulate_sensitivities_batch",
]
