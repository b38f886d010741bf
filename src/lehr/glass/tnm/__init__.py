"""The TNM model: parameters, thermal programs, exponential sum, simulation and the direct reference method."""

from lehr.glass.tnm.direct import simulate_direct
from lehr.glass.tnm.kww import KWWKernel
from lehr.glass.tnm.parameters import (
    GAS_CONSTANT,
    LN_REFERENCE_TIME,
    ZERO_CELSIUS,
    TNMParameters,
    efold_width,
    glass_transition,
    ln_pre_exponential,
)
from lehr.glass.tnm.program import Cycle, Hold, Jump, Ramp, ThermalProgram, default_temperature
from lehr.glass.tnm.sensitivities import Sensitivities, simulate_sensitivities, simulate_sensitivities_batch
from lehr.glass.tnm.simulate import (
    DEFAULT_TOLERANCE,
    History,
    Signals,
    Status,
    simulate,
    simulate_batch,
    simulate_history,
)
from lehr.glass.tnm.transition import equal_area_temperature

__all__ = [
    "DEFAULT_TOLERANCE",
    "GAS_CONSTANT",
    "LN_REFERENCE_TIME",
    "ZERO_CELSIUS",
    "Cycle",
    "History",
    "Hold",
    "Jump",
    "KWWKernel",
    "Ramp",
    "Sensitivities",
    "Signals",
    "Status",
    "TNMParameters",
    "ThermalProgram",
    "default_temperature",
    "efold_width",
    "equal_area_temperature",
    "glass_transition",
    "ln_pre_exponential",
    "simulate",
    "simulate_batch",
    "simulate_direct",
    "simulate_history",
    "simulate_sensitivities",
    "simulate_sensitivities_batch",
]
