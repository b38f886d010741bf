"""Make docs/images/measured.png and print how far the lines shift CpN: `python docs/figures/measured.py`. Seconds.

Scans as an instrument might record them: heat flow with endothermic effects down, drifting lines, a transient at the
start, noise, spikes, and a crystallisation and melting above the transition. They are simulated: the truth is known.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import lehr
from lehr.figures.style import save
from lehr.glass.scans import MeasuredScan, NormalisedScan, normalise
from lehr.glass.scans.plot import scan_lines

OUTPUT = Path(__file__).parent.parent / "images" / "measured.png"
STEP = 0.25  # mW, from glass to liquid
DISTURBANCES = {
    "drifting lines, a transient": {},
    "curved lines": {"curvature": 0.005},
    "spikes": {"spikes": 6},
    "a jump in the glass": {"jump": -0.08},
    "crystallisation, 1.4 widths above": {"crystallises": 1.4},
    "crystallisation, 0.8 widths above": {"crystallises": 0.8},
    "0.8 widths below, 0.6 above": {"below": 0.8, "above": 0.6},
}


def scan(
    glass: lehr.TNMParameters,
    cooling_rate: float,
    *,
    below: float = 2.0,
    above: float = 1.2,
    curvature: float = 0.0,
    spikes: int = 0,
    jump: float = 0.0,
    crystallises: float = 0.0,
) -> tuple[MeasuredScan, np.ndarray, np.ndarray]:
    """Return a scan, its flow without noise, and its CpN; lengths are in widths of the transition."""
    rng = np.random.default_rng(0)
    wide = np.linspace(max(glass.glass_transition - 250, 20), glass.glass_transition + 200, 6001)
    program = lehr.ThermalProgram.chr_cycles([cooling_rate])
    cpn = lehr.simulate(*glass.as_tuple(), program=program, temperature=wide, tolerance=1e-5).cpn[0]
    low = wide[np.argmax(np.abs(cpn) > 0.02)]
    high = wide[np.flatnonzero(np.abs(cpn - 1) > 0.02)[-1]]
    temperature = np.linspace(low - below * (high - low), high + (4.0 if crystallises else above) * (high - low), 2000)
    true = np.interp(temperature, wide, cpn)
    x = (temperature - high) / (high - low)
    flow = (
        1.0
        + 0.03 * x
        + curvature * x**2
        + true * (STEP - 0.008 * x)
        - 0.5 * np.exp((temperature[0] - temperature) / (0.07 * (high - low)))
    )
    if crystallises:
        flow -= 2.0 * np.exp(-0.5 * ((x - crystallises) / 0.12) ** 2) + 0.1 / (1 + np.exp((crystallises - x) / 0.1))
        flow += 3.0 * np.exp(-0.5 * ((x - crystallises - 1.5) / 0.15) ** 2)
    clean = -flow
    noisy = clean + 0.003 * STEP * rng.normal(size=flow.size)
    noisy[rng.integers(100, flow.size, spikes)] += 1.0
    noisy[:300] -= jump
    return MeasuredScan(temperature, noisy, "heat_flow", "mW", None, 10.0, f"after {cooling_rate:g} K/min"), clean, true


def shift(result: NormalisedScan, clean: np.ndarray, true: np.ndarray) -> float:
    """Return the largest shift of CpN through the transition by the lines alone."""
    t = result.measured.temperature
    inside = (t >= result.glass.high) & (t <= result.liquid.low)
    glass, liquid = result.glass(t[inside]), result.liquid(t[inside])
    return float(np.abs((clean[inside] - glass) / (liquid - glass) - true[inside]).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two glasses: does it run")
    parser.add_argument("--to", type=Path, default=OUTPUT, metavar="FILE", help="the figure (default: %(default)s)")
    options = parser.parse_args()
    print(f"{'largest shift of CpN':34} median    90 %  refused")
    glasses = [row.parameters for row in lehr.load_materials().values()][: 2 if options.quick else None]
    for name, disturbance in DISTURBANCES.items():
        shifts = []
        cases = [scan(glass, rate, **disturbance) for glass in glasses for rate in (0.5, 20.0)]
        for measured, clean, true in cases:
            try:
                shifts.append(shift(normalise(measured), clean, true))
            except lehr.LehrError:
                continue
        refused = f"{len(cases) - len(shifts)}/{len(cases)}"
        print(f"{name:34} {np.median(shifts):6.3f}  {np.quantile(shifts, 0.9):6.3f}  {refused}")
    glass = lehr.material("As2Se3").parameters
    save(scan_lines([normalise(scan(glass, rate, crystallises=1.0)[0]) for rate in (1.0, 5.0)]), options.to)


if __name__ == "__main__":
    main()
