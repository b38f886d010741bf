"""What measured scans have and simulated ones have not: noise, thermal lag, a sloping baseline, an offset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lehr.glass.config import GlassRun
from lehr.glass.instrument import baseline_slope, temperature_offset, thermal_lag, white_noise
from lehr.glass.quantities import BASELINE_SLOPE, CPN, TEMPERATURE_OFFSET, THERMAL_LAG, WHITE_NOISE
from lehr.study import Columns, Distortion

__all__ = ["DISTORTIONS", "NOISE_SEED", "distortions"]

NOISE_SEED = 0
"""The noise of a sample depends on it and on the number of the sample alone: networks and fits see the same."""

DISTORTIONS = (WHITE_NOISE, THERMAL_LAG, BASELINE_SLOPE, TEMPERATURE_OFFSET)
"""What is done to the scans; each is a key of `evaluation.robustness` in a config."""


def distortions(config: GlassRun) -> list[Distortion]:
    """Return the distortions of a config with their levels.

    Parameters
    ----------
    config : GlassRun
        The run: its levels, and the temperatures and rates of its scans.
    """
    temperature: Any = config.signals.temperature.kelvin()
    rate = config.signals.program.build().heating_rates
    functions: dict[str, Callable[[Columns, float], Any]] = {
        WHITE_NOISE.name: lambda columns, level: white_noise(
            columns[CPN.name], level, seed=NOISE_SEED, rows=columns["row"]
        ),
        THERMAL_LAG.name: lambda columns, level: thermal_lag(
            columns[CPN.name], level, temperature=temperature, heating_rate=rate
        ),
        BASELINE_SLOPE.name: lambda columns, level: baseline_slope(columns[CPN.name], level, temperature=temperature),
        TEMPERATURE_OFFSET.name: lambda columns, level: temperature_offset(
            columns[CPN.name], level, temperature=temperature
        ),
    }

    def applied(name: str) -> Callable[[Columns, float], Columns]:
        return lambda columns, level: columns | {CPN.name: functions[name](columns, level)}

    levels = config.evaluation.robustness
    return [
        Distortion(quantity, tuple(sorted(set(getattr(levels, quantity.name)))), applied(quantity.name))
        for quantity in DISTORTIONS
    ]
