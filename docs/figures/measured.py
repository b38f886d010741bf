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


def heat_flow(
    glass: lehr.TNMParameters, program: lehr.ThermalProgram, slope: float, temperature: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return heat flows whose step from glass to liquid falls with temperature, CpN and Tf, a row for each cycle.

    The flow is -(2 + 0.002 (T - Tg) + D(Tf) dTf/dT) with D(t) = 0.5 (1 + slope (t - Tg)).
    """
    cpn = lehr.simulate(*glass.as_tuple(), program=program, temperature=temperature, tolerance=1e-6).cpn
    areas = 0.5 * (cpn[:, 1:] + cpn[:, :-1]) * np.diff(temperature)
    fictive = temperature[-1] - np.pad(np.cumsum(areas[:, ::-1], axis=1)[:, ::-1], ((0, 0), (0, 1)))
    tg = glass.glass_transition
    flow = -(2 + 0.002 * (temperature - tg) + 0.5 * (1 + slope * (fictive - tg)) * cpn)
    return flow, cpn, fictive


def annealed(glass: lehr.TNMParameters, hours: float) -> lehr.ThermalProgram:
    """Return a cycle that holds the glass 12 K below Tg."""
    held = glass.glass_transition - 12.0
    segments = (lehr.Ramp(held, 20.0), lehr.Hold(3600.0 * hours), lehr.Ramp("lowest", 20.0), lehr.Ramp("highest", 10.0))
    return lehr.ThermalProgram((lehr.Cycle(segments),))


def divided() -> None:
    """Print what it changes to divide by the step at T instead of at Tf, and how near the latter comes."""
    print(f"{'':10} {'scan':>18} {'slope (1/K)':>11} {'CpN, max':>9}  at Tf: CpN     Tf' (K)  at T: CpN     Tf' (K)")
    for name in ("PS", "As2Se3"):
        glass = lehr.material(name).parameters
        tg = glass.glass_transition
        temperature = np.arange(tg - 260, tg + 160, 0.05)
        programs = {f"cooled at {rate:g} K/min": lehr.ThermalProgram.chr_cycles([rate]) for rate in (0.5, 20.0)}
        programs |= {f"held {hours} h": annealed(glass, hours) for hours in (1, 10, 100)}
        for label, program in programs.items():
            for slope in (0.0, -0.003, -0.006):
                flow, cpn, fictive = (rows[0][::5] for rows in heat_flow(glass, program, slope, temperature))
                t = temperature[::5]
                measured = MeasuredScan(t, flow, "heat_flow", "mW", None, 10.0, label)
                middle = t[np.flatnonzero(np.abs(cpn - 1) > 1e-4)[-1]]
                glassy = t[np.flatnonzero(np.abs(cpn) > 1e-4)[0]]
                errors = []
                for divide_at in ("fictive", "temperature"):
                    lines = {"glass": (glassy - 30, glassy), "liquid": (middle, middle + 30)}
                    found = normalise(measured, **lines, divide_at=divide_at)
                    true = np.interp(found.temperature, t, cpn)
                    errors.append(
                        f"{np.abs(found.cpn - true).max():11.5f} {found.fictive_temperature[0] - fictive[0]:11.3f}"
                    )
                print(f"{name:10} {label:>18} {slope:11g} {cpn.max():9.3f} {' '.join(errors)}")


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
    if not options.quick:
        divided()
    glass = lehr.material("As2Se3").parameters
    save(scan_lines([normalise(scan(glass, rate, crystallises=1.0)[0]) for rate in (1.0, 5.0)]), options.to)


if __name__ == "__main__":
    main()
