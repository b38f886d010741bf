"""The TNM model: parameters, thermal programs, exponential sum, simulation and the direct reference method."""

from lehr.physics.direct import simulate_direct
from lehr.physics.kww import KWWKernel
from lehr.physics.materials import Material, load_materials, material
from lehr.physics.parameters import (
    GAS_CONSTANT,
    LN_REFERENCE_TIME,
    ZERO_CELSIUS,
    TNMParameters,
    ln_pre_exponential,
)
from lehr.physics.program import Cycle, Hold, Jump, Ramp, ThermalProgram, default_temperature
from lehr.physics.sensitivities import Sensitivities, simulate_sensitivities, simulate_sensitivities_batch
from lehr.physics.simulate import (
    DEFAULT_TOLERANCE,
    History,
    Signals,
    Status,
    simulate,
    simulate_batch,
    simulate_history,
)

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
    "Material",
    "Ramp",
    "Sensitivities",
    "Signals",
    "Status",
    "TNMParameters",
    "ThermalProgram",
    "default_temperature",
    "ln_pre_exponential",
    "load_materials",
    "material",
    "simulate",
    "simulate_batch",
    "simulate_direct",
    "simulate_history",
    "simulate_sensitivities",
    "simulate_sensitivities_batch",
]
