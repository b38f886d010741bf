"""TNM and two other models: parameters, thermal programs, exponential sum, simulation, the direct reference method."""

from lehr.glass.tnm.direct import simulate_direct
from lehr.glass.tnm.kww import KWWKernel
from lehr.glass.tnm.models import MODELS, AdamGibbsParameters, MAPParameters
from lehr.glass.tnm.parameters import (
    GAS_CONSTANT,
    LN_REFERENCE_TIME,
    ZERO_CELSIUS,
    RelaxationModel,
    TNMParameters,
    efold_width,
    glass_transition,
    ln_pre_exponential,
)
from lehr.glass.tnm.program import Cycle, Hold, Jump, Ramp, ThermalProgram, default_temperature
from lehr.glass.tnm.recovery import Recovery, simulate_recovery
from lehr.glass.tnm.sensitivities import Sensitivities, simulate_sensitivities, simulate_sensitivities_batch
from lehr.glass.tnm.simulate import (
    DEFAULT_TOLERANCE,
    History,
    Signals,
    Status,
    simulate,
    simulate_batch,
    simulate_glass,
    simulate_history,
)
from lehr.glass.tnm.transition import equal_area_temperature

__all__ = [
    "DEFAULT_TOLERANCE",
    "GAS_CONSTANT",
    "LN_REFERENCE_TIME",
    "MODELS",
    "ZERO_CELSIUS",
    "AdamGibbsParameters",
    "Cycle",
    "History",
    "Hold",
    "Jump",
    "KWWKernel",
    "MAPParameters",
    "Ramp",
    "Recovery",
    "RelaxationModel",
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
    "simulate_glass",
    "simulate_history",
    "simulate_recovery",
    "simulate_sensitivities",
    "simulate_sensitivities_batch",
]
