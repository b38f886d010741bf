"""Heat flow as an instrument records it, of glasses that are known: what tests of fits of real scans share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import lfilter

import lehr
from lehr.glass.scans import MeasuredScan, NormalisedScan, normalise
from lehr.glass.tnm import Cycle, Hold, Ramp, ThermalProgram

PS = lehr.TNMParameters(-216.0, 80000 * 8.314462618, 0.46, 0.71)
AS2SE3 = lehr.material("As2Se3").parameters
CYCLES = ThermalProgram.chr_cycles()


def annealed(glass: lehr.TNMParameters, hours: Sequence[float] = (1, 10, 100), below: float = 12.0) -> ThermalProgram:
    """Return cycles that cool at 10 K/min to a temperature below Tg, hold, go on cooling and are heated."""
    at = glass.glass_transition - below
    return ThermalProgram(
        tuple(
            Cycle((Ramp(at, 10.0), Hold(3600.0 * hour), Ramp("lowest", 10.0), Ramp("highest", 10.0))) for hour in hours
        )
    )


def heat_flow(
    glass: lehr.TNMParameters,
    program: ThermalProgram = CYCLES,
    *,
    slope: float = -0.003,
    noise: float = 0.003,
    smooth_points: float = 0.0,
    bow: float = 0.0,
    offset: Sequence[float] | float = 0.0,
    settling: tuple[float, float] = (0.0, 6.0),
    spacing: float = 0.25,
    below: float = 50.0,
    above: float = 30.0,
    seed: int = 0,
) -> list[MeasuredScan]:
    """Return heat flow -(2 + 0.002 (T - Tg) + D(Tf) dTf/dT), D(t) = 0.5 (1 + slope (t - Tg)).

    Noise, white or filtered over some points, the bow of the line at 50 K and the height of a settling at the start,
    exp(-t/seconds), are in units of the step of 0.5; the offset of the thermometer in K is of each scan.
    """
    tg = glass.glass_transition
    kelvin = np.arange(tg - below, tg + above, spacing)
    fine = np.linspace(kelvin[0] - 2.0, kelvin[-1] + 2.0, 8001)
    rng = np.random.default_rng(seed)
    cpn = lehr.simulate_batch([glass.as_tuple()], program=program, temperature=fine, dtype="float64", tolerance=1e-6)[0]
    offsets = np.broadcast_to(offset, len(program.cycles))
    scans = []
    for row, rate, away in zip(cpn[0], program.heating_rates, offsets.tolist(), strict=True):
        pieces = 0.5 * (row[1:] + row[:-1]) * np.diff(fine)
        fictive = fine[-1] - np.concatenate([np.cumsum(pieces[::-1])[::-1], [0.0]])
        excess = CubicSpline(fine, (1.0 + slope * (fictive - tg)) * row)(kelvin - away)
        drawn = rng.standard_normal(kelvin.size + 200)
        if smooth_points:
            keep = np.exp(-1.0 / smooth_points)
            drawn = lfilter([1.0], [1.0, -keep], drawn) * np.sqrt(1.0 - keep**2)
        minutes = (kelvin - kelvin[0]) / rate
        rest = bow * ((kelvin - tg) / 50.0) ** 2 + settling[0] * np.exp(-minutes * 60.0 / settling[1])
        signal = -(2.0 + 0.002 * (kelvin - tg) + 0.5 * (excess + noise * drawn[200:] + rest))
        scans.append(MeasuredScan(kelvin, signal, "heat_flow", "W/g", 60.0 * minutes, rate, "made"))
    return scans


def normalised(scans: Sequence[MeasuredScan]) -> list[NormalisedScan]:
    return [normalise(scan) for scan in scans]


def deviations(result: lehr.glass.fit.FitResult, glass: lehr.TNMParameters) -> NDArray[np.float64]:
    """Return the errors of ln A, dh, x, beta and Tg in standard errors."""
    true = [*glass.as_tuple(), glass.glass_transition]
    errors = np.array([result.standard_errors[name] for name in result.names[:5]])
    return (result.values[:5] - true) / errors
