"""A fit in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lehr.glass.tnm import ZERO_CELSIUS

if TYPE_CHECKING:
    from lehr.glass.fit.result import FitResult

__all__ = ["report"]

_SHOWN = {
    "ln_A": ("ln A (A in s)", 1.0),
    "delta_h": ("dh (kJ/mol)", 1e-3),
    "x": ("x", 1.0),
    "beta": ("beta", 1.0),
    "glass_transition": ("Tg, tau = 100 s (K)", 1.0),
    "thermal_lag": ("thermal lag (s)", 1.0),
    "temperature_offset": ("temperature offset (K)", 1.0),
}
_DIGITS = 2  # of a standard error that are shown


def report(result: FitResult, *, profile: bool = False) -> str:
    """Return the result as text, with profile intervals if wanted."""
    lines = [f"{result.status.name.lower()}: {result.status.value}", ""]
    lines.append(f"{'':24}{'value':>12}{'std. error':>12}{'68 %':>26}{'95 %':>26}")
    single = [name for name in result.names if not name[-1].isdecimal()]
    for name in single:
        value = float(result.values[result.names.index(name)])
        label, unit = _SHOWN.get(name, (name.replace("_", " "), 1.0))
        error = unit * result.standard_errors[name]
        ends = [" .. ".join(_number(unit * end, error) for end in result.intervals[name][p]) for p in (0.68, 0.95)]
        lines.append(f"{label:24}{_number(unit * value, error):>12}{error:12.2g}{ends[0]:>26}{ends[1]:>26}")
    if profile:
        lines += _profiles(result)
    lines += [
        "",
        f"{'scan':>4}{'cooled, K/min':>15}{'heated, K/min':>15}{'Tf prime, K':>15}{'std. error':>12}{'rms':>10}",
    ]
    rates = zip(result.scans.program.cooling_rates, result.scans.program.heating_rates, strict=True)
    limits = zip(result.fictive_temperatures.tolist(), result.fictive_temperature_errors.tolist(), strict=True)
    for number, ((cooled, heated), (limit, error), rest) in enumerate(
        zip(rates, limits, result.residuals, strict=True), 1
    ):
        before = "-" if np.isnan(cooled) else f"{cooled:g}"
        rms = float(np.sqrt(np.mean(rest**2)))
        lines.append(f"{number:4d}{before:>15}{heated:>15g}{_number(limit, error):>15}{error:12.2g}{rms:10.2g}")
    low = min(scan.temperature[0] for scan in result.fitted_scans.scans) - ZERO_CELSIUS
    high = max(scan.temperature[-1] for scan in result.fitted_scans.scans) - ZERO_CELSIUS
    points = f"{result.fitted.size} points from {low:.1f} to {high:.1f} degC, noise {result.noise:.2g} in CpN"
    ties = f"correlation of ln A and dh {result.correlation[0, 1]:.5f}, of x and beta {result.correlation[2, 3]:.3f}"
    effort = f"{result.starts} start{'s' * (result.starts > 1)}, {result.seconds:.2g} s"
    lines += _of_scans(result)
    lines += ["", f"{points}; {ties}; {effort}"]
    return "\n".join([*lines, *(f"note: {note}" for note in result.notes)])


def _profiles(result: FitResult) -> list[str]:
    """Return a table of the profile intervals."""
    lines = ["", f"{'profile intervals':48}{'68 %':>26}{'95 %':>26}"]
    for name, levels in result.profile_intervals.items():
        label, unit = _SHOWN[name]
        error = unit * result.standard_errors[name]
        shown = (
            " .. ".join(_number(unit * end, error) if np.isfinite(end) else "open" for end in ends)
            for ends in levels.values()
        )
        lines.append(f"{label:48}" + "".join(f"{interval:>26}" for interval in shown))
    return lines


def _of_scans(result: FitResult) -> list[str]:
    """Return the parameters that each scan has of its own, from the least to the largest."""
    found: dict[str, list[float]] = {}
    for name, value in zip(result.names, result.values.tolist(), strict=True):
        if name[-1].isdecimal():
            found.setdefault(name.rpartition("_")[0].replace("_", " "), []).append(value)
    lines = [f"{name} {min(each):.2g} .. {max(each):.2g}" for name, each in found.items()]
    return ["", f"in CpN, and CpN/K, by scan: {', '.join(lines)}"] if lines else []


def _number(value: float, error: float) -> str:
    """Return a value with as many decimals as its error has a meaning for."""
    if not (np.isfinite(error) and error > 0):
        return f"{value:.6g}"
    decimals = int(np.clip(_DIGITS - 1 - np.floor(np.log10(error)), 0, 9))
    return f"{value:.{decimals}f}"
