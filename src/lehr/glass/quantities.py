"""The quantities of the glass study: the one place for their names, units, labels, scales and rounding."""

from __future__ import annotations

from lehr.glass.tnm import Status
from lehr.study import Quantity

__all__ = [
    "BASELINES",
    "BETA",
    "COOLING_RATE",
    "CPN",
    "CPN_MAX",
    "CPN_MEAN",
    "CPN_MEAN_SQUARE",
    "DELTA_H",
    "FICTIVE_TEMPERATURE",
    "GLASS_TRANSITION",
    "HEATING_RATE",
    "INSTRUMENT",
    "LN_A",
    "PARAMETERS",
    "QUANTITIES",
    "QUANTITY_NAMES",
    "RELATIVE_DELTA_H",
    "STATUS",
    "TEMPERATURE",
    "TEMPERATURE_OFFSET",
    "THERMAL_LAG",
    "X",
]

LN_A = Quantity(
    "ln_A",
    meaning="natural logarithm of the pre-exponential factor A in seconds",
    label="ln A",
    symbol="ln $A$",
    decimals=1,
)
DELTA_H = Quantity(
    "delta_h",
    unit="J/mol",
    meaning="activation energy",
    label="Δh*",
    symbol="$\\Delta h^*$",
    shown_unit="kJ/mol",
    factor=1e-3,
    decimals=0,
)
X = Quantity("x", meaning="non-linearity", symbol="$x$")
BETA = Quantity("beta", meaning="non-exponentiality", label="β", symbol="$\\beta$")

PARAMETERS = (LN_A, DELTA_H, X, BETA)
"""The four TNM parameters in the one order that all arrays and columns have."""

GLASS_TRANSITION = Quantity(
    "glass_transition",
    unit="K",
    meaning="temperature where the equilibrium relaxation time is 100 s",
    label="Tg",
    symbol="$T_g$",
    decimals=1,
)

QUANTITIES = (*PARAMETERS, GLASS_TRANSITION)
"""What errors are given for: the four parameters and the Tg that ln A and delta_h give together."""

QUANTITY_NAMES = tuple(quantity.name for quantity in QUANTITIES)
"""Their names, in their order."""

RELATIVE_DELTA_H = Quantity(
    "relative_delta_h", meaning="error of the activation energy by its true value", label="Δh*, relative",
    shown_unit="%", factor=100.0,
)  # fmt: skip

CPN = Quantity(
    "cpn",
    meaning="normalised heat capacity dTf/dT of the heating scan",
    label="CpN",
    symbol="$C_p^N$",
    dtype="float32",
    dims=("cycle", "temperature"),
    step=2.0**-13,
    attributes={
        "comment": "rounded to multiples of 2^-13 after a simulation of the tolerance in the attributes of the group"
    },
)
CPN_MAX = Quantity(
    "cpn_max",
    meaning="largest cpn over cycles and temperatures",
    label="CpN,max",
    symbol="$C_p^{N,max}$",
    dtype="float32",
)
FICTIVE_TEMPERATURE = Quantity(
    "fictive_temperature",
    unit="K",
    meaning="limiting fictive temperature Tf' of the glass before the scan",
    label="Tf'",
    symbol="$T_f'$",
    dtype="float32",
    dims=("cycle",),
)
CPN_MEAN = Quantity("cpn_mean", meaning="mean of cpn over the temperatures of a scan", dtype="float32", dims=("cycle",))
CPN_MEAN_SQUARE = Quantity(
    "cpn_mean_square",
    meaning="mean of the square of cpn over the temperatures of a scan",
    dtype="float32",
    dims=("cycle",),
)
STATUS = Quantity(
    "status",
    meaning="outcome of the simulation",
    dtype="int8",
    attributes={
        "flag_values": [-1, *(int(status) for status in Status)],
        "flag_meanings": " ".join(["not_computed", *(status.name.lower() for status in Status)]),
    },
)

THERMAL_LAG = Quantity(
    "thermal_lag", unit="s", meaning="time constant of the first-order lag of the sensor", label="thermal lag"
)
TEMPERATURE_OFFSET = Quantity(
    "temperature_offset",
    unit="K",
    meaning="what the thermometer reads too high",
    label="temperature offset",
)
BASELINES = tuple(
    Quantity(f"{line}_{term}", unit=unit, meaning=f"{term} of the {line}, in CpN", label=f"{line} {term}", decimals=4)
    for line in ("baseline", "glass", "liquid")
    for term, unit in (("offset", "1"), ("slope", "1/K"))
)
"""Lines in CpN that are added to a scan: one, or what CpN errs by in the glass and in the liquid."""

INSTRUMENT = (*BASELINES, THERMAL_LAG, TEMPERATURE_OFFSET)
"""What an instrument does to scans, as a fit finds it; a baseline of each scan has its number behind the name."""

TEMPERATURE = Quantity(
    "temperature",
    unit="K",
    meaning="temperature",
    label="temperature",
    dims=("temperature",),
    attributes={"standard_name": "temperature"},
)
COOLING_RATE = Quantity("cooling_rate", unit="K/min", meaning="rate of the first segment", dims=("cycle",))
HEATING_RATE = Quantity("heating_rate", unit="K/min", meaning="rate of the recorded scan", dims=("cycle",))
