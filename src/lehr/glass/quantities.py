"""The quantities of the glass study: the one place for their names, units, labels, scales and rounding."""

from __future__ import annotations

from lehr.glass.status import Status
from lehr.study import Quantity

__all__ = [
    "BASELINES",
    "BASELINE_SLOPE",
    "BETA",
    "CELSIUS",
    "CLAMPED",
    "COOLING_RATE",
    "CPN",
    "CPN_MAX",
    "CPN_MEAN",
    "CPN_MEAN_SQUARE",
    "CURVATURE",
    "DELTA_H",
    "EDGE_DISTANCE",
    "FICTIVE_TEMPERATURE",
    "FICTIVE_TEMPERATURE_CURVE",
    "GLASS_TRANSITION",
    "HALF_WIDTH",
    "HEATING_RATE",
    "HOLD_TEMPERATURE_ERROR",
    "HOLD_TIME_ERROR",
    "INSTRUMENT",
    "LN_A",
    "PARAMETERS",
    "PEAK_BY_WIDTH",
    "QUANTITIES",
    "QUANTITY_NAMES",
    "RATE_ERROR",
    "RELATIVE_DELTA_H",
    "SSE_PAIR",
    "SSE_PARAMETERS",
    "SSE_SIGNALS",
    "STATED",
    "STATUS",
    "TEMPERATURE",
    "TEMPERATURE_OFFSET",
    "THERMAL_LAG",
    "WHITE_NOISE",
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
FICTIVE_TEMPERATURE_CURVE = Quantity(
    "fictive_temperature", unit="K", meaning="fictive temperature along the scan", label="Tf", dims=CPN.dims
)  # fmt: skip
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

CURVATURE = Quantity(
    "curvature", meaning="CpN that the baseline bends by at 50 K", label="curvature at 50 K", decimals=4
)  # fmt: skip
RATE_ERROR = Quantity(
    "rate", meaning="logarithm of the rate that was, over the one that the program says", label="rate"
)
HOLD_TEMPERATURE_ERROR = Quantity(
    "hold_temperature", unit="K", meaning="what a hold was warmer than the program says", label="hold temperature"
)
HOLD_TIME_ERROR = Quantity(
    "hold_time",
    meaning="logarithm of the time of a hold that was, over the one that the program says",
    label="hold time",
)

INSTRUMENT = (*BASELINES, CURVATURE, THERMAL_LAG, TEMPERATURE_OFFSET)
"""What an instrument does to scans, as a fit finds it; what each scan has of its own has its number behind the name."""

STATED = (RATE_ERROR, HOLD_TEMPERATURE_ERROR, HOLD_TIME_ERROR)
"""What may be wrong in a thermal program, as a fit finds it; with the number of the statement behind the name."""

TEMPERATURE = Quantity(
    "temperature",
    unit="K",
    meaning="temperature",
    label="temperature",
    dims=("temperature",),
    attributes={"standard_name": "temperature"},
)
CELSIUS = Quantity("temperature_celsius", unit="degC", meaning="temperature", label="temperature", shown_unit="°C")
"""The temperature as a person reads it: on the axes of figures of scans."""

COOLING_RATE = Quantity("cooling_rate", unit="K/min", meaning="rate of the first segment", dims=("cycle",))
HEATING_RATE = Quantity("heating_rate", unit="K/min", meaning="rate of the recorded scan", dims=("cycle",))

# What is measured on predictions.

SSE_PARAMETERS = Quantity(
    "sse_parameters",
    meaning="sum of squared errors of the four normalised parameters",
    label="SSE of the four normalised parameters",
    symbol="SSE of the parameters",
)
SSE_PAIR = Quantity(
    "sse_pair", meaning="sum of squared errors of two normalised parameters", label="SSE", dims=("pair",)
)
SSE_SIGNALS = Quantity(
    "sse_signals",
    meaning="squared difference of CpN, sum over the scans of the mean over the temperatures",
    label="SSE of the signals",
    attributes={"comment": "signals of the store against those simulated from the clamped prediction"},
)
CLAMPED = Quantity(
    "clamped",
    meaning="prediction outside the range of the engine, clamped for the simulation only",
    dtype="bool",
    dims=("parameter",),
)
HALF_WIDTH = Quantity(
    "delta_t_hw",
    unit="K",
    meaning="peak temperature less that of the first crossing of CpN = 1, of the scan with the highest peak",
    symbol="$\\Delta T^{hw}$",
    attributes={"comment": "NaN where no scan rises above 1"},
)
PEAK_BY_WIDTH = Quantity(
    "cpn_max_over_delta_t_hw",
    unit="1/K",
    meaning="cpn_max / delta_t_hw",
    symbol="$C_p^{N,max}/\\Delta T^{hw}$",
)
EDGE_DISTANCE = Quantity(
    "edge_distance",
    meaning="distance from the edge of the subset, smallest over the parameters as a share of their ranges",
    label="distance from the edge of the subset",
    attributes={"comment": "0 on the edge, 0.5 in the middle of all; ln_A by Tg where its range follows delta_h"},
)

# What is done to test scans, besides a thermal lag and an offset of the temperature; the quantity is the level.

WHITE_NOISE = Quantity(
    "white_noise",
    meaning="standard deviation of white noise",
    label="white noise",
    shown_unit=CPN.symbol,
)
BASELINE_SLOPE = Quantity(
    "baseline_slope",
    unit="1/(100 K)",
    meaning="rise of the baseline",
    label="baseline",
    shown_unit=f"{CPN.symbol}/100 K",
)
