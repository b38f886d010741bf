"""Make docs/images/fit_instrument.png and a table of what fits hold: `python docs/figures/fit_instrument.py`.

Five hundred glasses of the state space of the paper with CpN,max up to 6, scanned after its six cycles by an instrument
as it is: a step from glass to liquid that falls with the temperature, lines that drift from scan to scan and are
curved, noise with a memory of some seconds, a thermal lag, and a thermometer that reads each scan a little off.
`lehr.glass.scans` normalises the heat flow, `lehr.fit` reads the glass. Ten minutes on two cores.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline
from scipy.signal import lfilter

import lehr
from lehr.figures.style import GREY, line_styles, new_panels, save
from lehr.glass.config import StateSpaceConfig
from lehr.glass.fit import FitStatus, likely_nuisance
from lehr.glass.instrument import first_order_lag
from lehr.glass.quantities import QUANTITIES, QUANTITY_NAMES
from lehr.glass.scans import MeasuredScan, NormalisedScan, normalise
from lehr.glass.space import ScatteredSpace
from lehr.glass.tnm import GAS_CONSTANT

OUTPUT = Path(__file__).parent.parent / "images" / "fit_instrument.png"
LABELS = [quantity.label for quantity in QUANTITIES]
PROGRAM = lehr.ThermalProgram.chr_cycles()
RATE = PROGRAM.heating_rates[0] / 60.0  # K/s
CPN_MAX, SEED = 6.0, 15
BELOW, ABOVE, POINTS = 80.0, 20.0, 4000  # R Tg^2/dh below and above Tg, and temperatures, where a transition is sought
SETTLED = 0.005  # CpN so near to 0 or to 1 is glass or liquid
MARGIN_KELVIN, MARGIN_WIDTHS = 30.0, 0.5  # of glass and liquid that is measured, the longer of the two
WIDEST = 300.0  # K, of a scan: glasses of a wider transition, a tenth, are left out
SPACING, MOST_POINTS = 0.25, 1500  # K between two points, more where a transition is wide
FINE = 5  # points of the simulation for one that is measured

GLASS, GLASS_SLOPE, STEP = 2.0, 0.002, 0.5  # Cp of the glass at Tg, its rise in a kelvin, and the step to the liquid
STEP_SLOPE = 0.006  # the step falls by up to so much of itself in a kelvin
LEAST_STEP = 0.75  # of the step at Tg that is left at the end of a scan: a wide transition has a smaller slope
NOISE = 0.003, 0.015  # standard deviation, in steps
MEMORY = 2.0, 8.0  # s, of the noise
LAG = 1.0, 3.0  # s
THERMOMETER = 0.1  # K, standard deviation of its error in a scan
OFFSET, DRIFT = 0.2, 0.05  # of the lines of a scan, in steps at Tg, and CURVED kelvin from it; standard deviations
CURVATURE, MOST_CURVATURE, CURVED = 0.01, 0.03, 50.0  # of the same, in steps so many kelvin, or half a scan, from Tg
WRONG = 4.0  # standard errors


@dataclass(frozen=True, eq=False)
class Instrument:
    """A glass, and what the instrument does to its six scans.

    Attributes
    ----------
    number : int
        Seed of the rest.
    glass : TNMParameters
        The truth.
    low, high : float
        K, between which it is scanned.
    step_slope : float
        Relative change of the step in a kelvin.
    noise, memory, lag : float
        Steps, s, s.
    """

    number: int
    glass: lehr.TNMParameters
    low: float
    high: float
    step_slope: float
    noise: float
    memory: float
    lag: float

    @classmethod
    def draw(cls, number: int, glass: lehr.TNMParameters, low: float, high: float) -> Instrument:
        rng = np.random.default_rng([SEED, number, 0])
        slope = max(rng.uniform(-STEP_SLOPE, 0.0), (LEAST_STEP - 1.0) / (high - glass.glass_transition))
        return cls(number, glass, low, high, slope, *(rng.uniform(*ends) for ends in (NOISE, MEMORY, LAG)))

    def scans(self) -> list[MeasuredScan]:
        """Return heat flow as it would stand in a file."""
        rng = np.random.default_rng([SEED, self.number, 1])
        spacing = max(SPACING, (self.high - self.low) / MOST_POINTS)
        # beyond what is measured, for the error of the thermometer and for the lag to settle
        fine = np.arange(self.low - 5.0 * spacing - 2.0, self.high + 2.0, spacing / FINE)
        cpn = lehr.simulate_batch([self.glass.as_tuple()], program=PROGRAM, temperature=fine, dtype="float64")[0][0]
        axis = np.arange(self.low, self.high, spacing)
        return [self._scan(rng, i, fine, row, axis) for i, row in enumerate(cpn, 1)]

    def _scan(
        self,
        rng: np.random.Generator,
        number: int,
        fine: NDArray[np.float64],
        cpn: NDArray[np.float64],
        axis: NDArray[np.float64],
    ) -> MeasuredScan:
        away = fine - self.glass.glass_transition
        fictive = fine[-1] + cumulative_trapezoid(cpn, fine, initial=0.0) - np.trapezoid(cpn, fine)
        step = STEP * (1.0 + self.step_slope * (fictive - self.glass.glass_transition))
        capacity = GLASS + GLASS_SLOPE * away + step * cpn
        reach = away / max(CURVED, 0.5 * (self.high - self.low))
        offset, slope = np.array([OFFSET, DRIFT]) * rng.standard_normal(2)
        curvature = np.clip(CURVATURE * rng.standard_normal(), -MOST_CURVATURE, MOST_CURVATURE)
        capacity += STEP * (offset + slope * reach + curvature * reach**2)
        seen = first_order_lag(capacity, RATE * self.lag, fine[1] - fine[0])
        there = axis - THERMOMETER * rng.standard_normal()
        seconds = (axis - axis[0]) / RATE
        kept = float(np.exp(-seconds[1] / self.memory))
        white = rng.standard_normal(axis.size + 200)  # the first are forgotten
        noise = self.noise * np.sqrt(1.0 - kept**2) * lfilter([1.0], [1.0, -kept], white)[200:]
        flow = -(CubicSpline(fine, seen)(there) + STEP * noise)
        rate = PROGRAM.heating_rates[number - 1]
        return MeasuredScan(axis, flow, "heat_flow", "W/g", seconds, rate, f"glass {self.number}, scan {number}")


def instruments(count: int) -> Iterator[Instrument]:
    """Yield glasses with CpN,max up to 6 whose transition the window holds, in the order they are drawn."""
    found = 0
    for row in ScatteredSpace(StateSpaceConfig().grid(), "random", 3 * count, SEED).parameters(np.arange(3 * count)):
        glass = lehr.TNMParameters(*row.tolist())
        unit = GAS_CONSTANT * glass.glass_transition**2 / glass.delta_h
        low = max(glass.glass_transition - BELOW * unit, 0.05 * glass.glass_transition)
        temperature = np.linspace(low, glass.glass_transition + ABOVE * unit, POINTS)
        cpn, status = lehr.simulate_batch(row, program=PROGRAM, temperature=temperature, dtype="float64")
        if status[0] != lehr.Status.OK or cpn.max() > CPN_MAX:
            continue
        unsettled = np.flatnonzero(((np.abs(cpn[0]) > SETTLED) & (np.abs(cpn[0] - 1.0) > SETTLED)).any(axis=0))
        first, last = temperature[unsettled[[0, -1]]]
        margin = max(MARGIN_KELVIN, MARGIN_WIDTHS * (last - first))
        if last - first + 2 * margin > WIDEST:
            continue
        yield Instrument.draw(found, glass, first - margin, last + margin)
        found += 1
        if found == count:
            return


def normalised(drawn: Instrument) -> list[NormalisedScan]:
    return [normalise(scan) for scan in drawn.scans()]


def read(drawn: Instrument) -> dict[str, object]:
    """Fit a glass and return a row: what was drawn, the status, and errors in standard errors."""
    row: dict[str, object] = {
        "number": drawn.number,
        **dict(zip(QUANTITY_NAMES, drawn.glass.as_tuple(), strict=False)),
        "width": drawn.high - drawn.low,
        **{name: getattr(drawn, name) for name in ("step_slope", "noise", "memory", "lag")},
    }
    started = time.perf_counter()
    try:
        scans = normalised(drawn)
        usual = likely_nuisance(scans)
        result = lehr.fit(scans, PROGRAM, nuisance=replace(usual, thermal_lag=True, repeatability=THERMOMETER))
    except lehr.LehrError as error:
        return {**row, "status": "not_read", "note": str(error).partition("\n")[0]}
    true = np.array([*drawn.glass.as_tuple(), drawn.glass.glass_transition])
    errors = np.array([result.standard_errors[name] for name in QUANTITY_NAMES])
    pulls = (result.values[: len(QUANTITY_NAMES)] - true) / errors
    return {
        **row,
        "status": result.status.name.lower(),
        **{f"z_{name}": float(pull) for name, pull in zip(QUANTITY_NAMES, pulls, strict=True)},
        **{f"se_{name}": float(error) for name, error in zip(QUANTITY_NAMES, errors, strict=True)},
        "seconds": time.perf_counter() - started,
        "note": "; ".join(map(str, result.notes)),
    }


def study(count: int, cores: int, first: int = 0) -> list[dict[str, object]]:
    """Return rows of `read`, in the order of the glasses."""
    drawn = list(instruments(first + count))[first:]
    if cores == 1:
        return [read(each) for each in drawn]
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        return list(pool.map(read, drawn))


def pulls_of(rows: list[dict[str, object]]) -> NDArray[np.float64]:
    """Return errors in standard errors, shape (fitted glasses, 5)."""
    return np.array([[row[f"z_{name}"] for name in QUANTITY_NAMES] for row in rows if "seconds" in row], dtype=float)


def report(rows: list[dict[str, object]]) -> None:
    """Print the tables of docs/results/fit.md."""
    counts = Counter(str(row["status"]) for row in rows)
    order = [*(status.name.lower() for status in FitStatus), "not_read"]
    print(f"{len(rows)} glasses: " + ", ".join(f"{name} {counts[name]}" for name in order if counts[name]))
    size = np.abs(pulls_of(rows))
    print(f"|  | {' | '.join(LABELS)} |\n|{' --- |' * (len(LABELS) + 1)}")
    for level in (0.68, 0.95):
        inside = 100 * np.mean(size < NormalDist().inv_cdf((1 + level) / 2), axis=0)
        print(f"| {100 * level:.0f} % | {' | '.join(f'{share:.1f}' for share in inside)} |")
    print("| status | glasses | of these, a value more than 4 standard errors off |\n| --- | --- | --- |")
    for name in order[:-1]:
        if counts[name]:
            wrong = np.abs(pulls_of([row for row in rows if row["status"] == name])).max(axis=1) > WRONG
            print(f"| {name} | {counts[name]} | {wrong.sum()} ({100 * wrong.mean():.1f} %) |")


def write(rows: list[dict[str, object]], path: Path) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(rows)


def draw(rows: list[dict[str, object]], example: Instrument, path: Path) -> None:
    """Draw what an instrument gives of one glass, and how often the intervals hold."""
    left, middle, right = new_panels(1, 3, 9.5, 2.9)
    for scan in example.scans():
        left.plot(scan.temperature, scan.signal, linewidth=0.8)
    left.set(xlabel="temperature (K)", ylabel="heat flow (W/g)")
    size = np.abs(pulls_of(rows))
    said = np.linspace(0.0, 1.0, 201)[1:-1]
    limits = np.array([NormalDist().inv_cdf((1 + level) / 2) for level in said])
    for (name, style), column in zip(line_styles(LABELS).items(), size.T, strict=True):
        share = np.mean(column[:, None] < limits, axis=0)
        middle.plot(100 * said, 100 * share, color=style.colour, label=name)
        right.plot(100 * said, 100 * (share - said), color=style.colour)
    middle.plot([0, 100], [0, 100], ":", color=GREY)
    middle.set(xlabel="probability of the interval (%)", ylabel="glasses whose truth it holds (%)")
    chance = 196 * np.sqrt(said * (1 - said) / len(size))  # what so many glasses scatter by, by chance
    right.fill_between(100 * said, -chance, chance, color=GREY, alpha=0.2, linewidth=0)
    right.axhline(0, color=GREY, linewidth=0.8)
    right.set(xlabel="probability of the interval (%)", ylabel="difference (points)")
    middle.legend()
    save(left, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="6 glasses: does it run")
    parser.add_argument("--to", type=Path, default=OUTPUT, metavar="FILE", help="the figure (default: %(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each glass")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, metavar="N", help="default: all")
    options = parser.parse_args()
    rows = study(6, 1) if options.quick else study(500, options.cores)
    report(rows)
    if options.csv:
        write(rows, options.csv)
    draw(rows, next(instruments(1)), options.to)


if __name__ == "__main__":
    main()
