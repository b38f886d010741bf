"""Make the make-spans and the figure of docs/results/scaling.md: `python docs/figures/scaling.py`.

Three minutes of one core, some 20 s with --quick. Measured is the processor time of samples all over the grid and of
whole parts; simulated from it the make-span on 2 to 1,024 ranks. docs/figures/ranks.py makes the other numbers.
"""

# ruff: noqa: E402

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import heapq
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lehr import simulate_batch
from lehr.figures.style import GREY, figure_style, line_styles, sequence_colours
from lehr.generate.driver import part_plan
from lehr.glass.config import GlassRun
from lehr.glass.quantities import CPN
from lehr.glass.source import moments
from lehr.glass.space import PAPER_SUBSETS, StateSpace
from lehr.store import PartPlan, encoded_bytes
from lehr.studies import load_run

OUTPUT = Path(__file__).parent.parent / "images" / "scaling.png"
CONFIGS = Path(__file__).parent.parent.parent / "workflow" / "config"
RANKS = [2**i for i in range(1, 11)]
STEP = 64  # samples between two moves of the progress bar
SEED = 0
ENCODE_MS = 0.4  # a sample, to round, compress, write and describe it: benchmarks/dataset.py on an idle core

Costs = NDArray[np.float64]


def say(text: str) -> None:
    print(text, flush=True)


# --- cost of samples and parts ---------------------------------------------------------------------------------------


def cost_of_samples(quick: bool) -> tuple[Costs, dict[str, Any]]:
    """Return the milliseconds of the simulation of every sample of the grid, from some thousands that are measured.

    Measured are all beta at a few x in a few cells, the others are interpolated linearly in x and over the plane.
    """
    space = StateSpace()
    counts = (2, 2, 3) if quick else (7, 6, 9)
    nodes = [np.rint(np.linspace(0, n - 1, k)).astype(int) for n, k in zip(space.shape, counts, strict=False)]
    row, column, x, beta = np.meshgrid(*nodes, np.arange(space.beta.count), indexing="ij")
    flat = ((row * space.shape[1] + column) * space.x.count + x) * space.beta.count + beta
    parameters = space.parameters(flat.ravel())
    out, limiting = np.empty((STEP, 6, 18501), np.float32), np.empty((STEP, 6))

    def simulate(rows: NDArray[np.float64]) -> float:
        started = time.thread_time()
        simulate_batch(rows, out=out[: len(rows)], limiting_fictive_temperature=limiting[: len(rows)])
        return 1e3 * (time.thread_time() - started)

    for kernel in range(space.beta.count):  # make the table of each beta
        simulate(space.parameters([kernel]))
    shortest = np.full(len(parameters), np.inf)
    rng = np.random.default_rng(SEED)
    for _ in range(2):  # other work on the machine only adds; it comes and goes, so that the order must not matter
        for i in rng.permutation(len(parameters)).tolist():
            shortest[i] = min(shortest[i], simulate(parameters[i : i + 1]))
    some = rng.permutation(len(parameters))[: 32 * STEP]
    batches = [parameters[some[i : i + STEP]] for i in range(0, some.size - STEP + 1, STEP)]
    used = some[: len(batches) * STEP]
    together = np.mean([min(simulate(rows) for _ in range(3)) / STEP for rows in batches])
    call = float(shortest[used].mean() - together)  # what a call costs that has one sample only
    measured = (shortest - call).reshape(flat.shape)
    full = measured
    for axis, (node, size) in enumerate(zip(nodes, space.shape, strict=False)):
        weights = np.array([np.interp(np.arange(size), node, unit) for unit in np.eye(node.size)])
        full = np.moveaxis(np.tensordot(weights.T, full, (1, axis)), 0, axis)
    found = {
        "samples": int(measured.size),
        "call_ms": call,
        "mean_ms": float(full.mean()),
        "quantiles_ms": dict(
            zip(("1 %", "50 %", "99 %"), np.quantile(measured, [0.01, 0.5, 0.99]).tolist(), strict=True)
        ),
        "largest_ms": float(measured.max()),
        "x": {f"{space.x.values[i]:g}": float(v) for i, v in zip(nodes[2], measured.mean((0, 1, 3)), strict=True)},
        "beta": {f"{space.beta.values[i]:g}": float(measured[..., i].mean()) for i in (0, 5, 12, 25, 39, 40)},
        "cells_ms": [float(v) for v in np.quantile(measured.mean((2, 3)), [0, 0.5, 1])],
        "x_beta_ms": measured.mean((0, 1)).tolist(),
        "x_nodes": space.x.values[nodes[2]].tolist(),
    }
    say(f"cost of {measured.size} samples: mean over the grid {full.mean():.3f} ms, {found['quantiles_ms']}")
    return full.reshape(-1), found


def whole_parts(config: GlassRun, samples_ms: Costs, count: int, rounds: int) -> dict[str, Any]:
    """Measure whole parts of the plan of the full grid, from parameters to bytes, and compare with the model."""
    subset, plan = config.signals.state_space.build().subset("all"), part_plan(config, "all")
    chosen = np.linspace(0, len(plan) - 2, count).round().astype(int)
    memory = np.zeros((plan.rows_per_part, 6, 18501), np.float32)
    mean, mean_square = np.empty((2, plan.rows_per_part, 6), np.float32)

    def simulate_rows(parameters: NDArray[np.float64]) -> None:
        for first in range(0, len(parameters), STEP):
            simulate_batch(parameters[first : first + STEP], out=memory[first : first + STEP])

    def encode_rows() -> int:
        size = encoded_bytes(CPN.rounded(memory), config.storage.rows_per_chunk)
        moments(memory, mean, mean_square)
        memory.max(axis=(1, 2))
        return size

    shortest = np.full((count, 2), np.inf)
    model, sizes = np.empty(count), np.empty(count)
    for _ in range(rounds):
        for i, part in enumerate(plan.part(number) for number in chosen.tolist()):
            parameters = subset.parameters(part.start, part.stop)
            times = [time.thread_time()]
            simulate_rows(parameters)
            times.append(time.thread_time())
            sizes[i] = encode_rows()
            times.append(time.thread_time())
            shortest[i] = np.minimum(shortest[i], np.diff(times))
            model[i] = samples_ms[part.start : part.stop].sum() / 1e3
    simulate, encode = shortest.T
    factor = simulate.sum() / model.sum()
    found = {
        "parts": count,
        "simulate_ms": 1e3 * simulate.mean() / plan.rows_per_part,
        "encode_ms": 1e3 * encode.mean() / plan.rows_per_part,
        "encode_ms_spread": [1e3 * float(v) / plan.rows_per_part for v in (encode.min(), encode.max())],
        "measured_over_model": float(factor),
        "rms_of_the_rest": float(np.std(simulate / model / factor)),
        "kB_per_sample": float(sizes.mean() / plan.rows_per_part / 1e3),
        "MB_per_shard": [float(v) / 1e6 for v in (sizes.min(), sizes.mean(), sizes.max())],
    }
    say(f"{count} whole parts: {json.dumps(found)}")
    return found


def part_costs(samples_ms: Costs, plan: PartPlan) -> Costs:
    """Seconds of each part."""
    return np.add.reduceat(samples_ms, np.arange(0, plan.rows, plan.rows_per_part)) / 1e3


# --- make-span -------------------------------------------------------------------------------------------------------


def in_blocks(costs: Costs, ranks: int) -> float:
    bounds = np.arange(ranks + 1) * costs.size // ranks
    return float(np.diff(np.concatenate([[0.0], np.cumsum(costs)])[bounds]).max())


def in_turn(costs: Costs, ranks: int) -> float:
    return max(float(costs[first::ranks].sum()) for first in range(min(ranks, costs.size)))


def drawn(costs: Costs, ranks: int) -> float:
    """Each rank that is free takes the next part: what lehr does."""
    free = [0.0] * ranks
    for cost in costs.tolist():
        heapq.heapreplace(free, free[0] + cost)
    return max(free)


def with_slow_ranks(costs: Costs, ranks: int) -> dict[str, float]:
    """Efficiency where every sixteenth rank runs at half the speed, against what the ranks could do together."""
    speed = np.where(np.arange(ranks) % 16 == 0, 0.5, 1.0)
    best = costs.sum() / speed.sum()
    turn = max(float(costs[first::ranks].sum() / speed[first]) for first in range(ranks))
    free = [(0.0, rank) for rank in range(ranks)]
    for cost in costs.tolist():
        ready, rank = free[0]
        heapq.heapreplace(free, (ready + cost / speed[rank], rank))
    return {"static, in turn": float(best / turn), "drawn (lehr)": float(best / max(free)[0])}


def longest_first(costs: Costs, ranks: int) -> float:
    return drawn(np.sort(costs)[::-1], ranks)


WAYS: dict[str, Callable[[Costs, int], float]] = {
    "static, blocks": in_blocks,
    "static, in turn": in_turn,
    "drawn (lehr)": drawn,
    "drawn, longest first": longest_first,
}


def efficiencies(groups: list[Costs]) -> dict[str, list[float]]:
    """Efficiency at all numbers of ranks of groups of parts that are computed one after the other."""
    work = sum(float(costs.sum()) for costs in groups)
    return {
        name: [work / ranks / sum(way(costs, ranks) for costs in groups) for ranks in RANKS]
        for name, way in WAYS.items()
    }


# --- figure and main -------------------------------------------------------------------------------------------------


@figure_style
def draw(results: dict[str, Any], to: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    figure = Figure(figsize=(9.6, 3.3), layout="constrained")
    FigureCanvasAgg(figure)
    cost, *panels = figure.subplots(1, 3)
    samples = results["samples"]
    beta = StateSpace().beta.values
    count = len(samples["x_nodes"])
    shown = [0, 2, 4, 8] if count > 8 else list(range(count))
    for node, colour in zip(shown, sequence_colours(len(shown)), strict=True):
        values = np.array(samples["x_beta_ms"][node]) * results["parts"]["measured_over_model"]
        cost.plot(beta, values, color=colour, label=f"x = {samples['x_nodes'][node]:.1f}")
    cost.legend(loc="lower left")
    cost.set(xlabel="β", ylabel="ms of processor time", title="To simulate a sample, mean of 42 cells", ylim=(0, None))
    styles = line_styles(list(WAYS))
    titles = {"full": "full.yaml: {} parts", "paper": "paper.yaml: {} parts in six subsets"}
    for axes, lowest, (name, title) in zip(panels, (0.86, 0.3), titles.items(), strict=True):
        data = results["makespan"][name]
        axes.plot(RANKS, data["equal parts"], ":", color=GREY, label="parts of equal cost", zorder=3)
        for way, style in styles.items():
            axes.plot(RANKS, data["efficiency"][way], color=style.colour, marker=style.marker, markersize=4, label=way)
        axes.set_xscale("log", base=2)
        axes.set_xticks(RANKS, [f"{ranks:,}" if i % 2 else "" for i, ranks in enumerate(RANKS)])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="MPI ranks", ylabel="efficiency", title=title.format(f"{data['parts']:,}"))
        axes.set_ylim(lowest, 1 + 0.03 * (1 - lowest))
    panels[0].legend(loc="lower left")
    figure.savefig(to, dpi=200, metadata={"Software": None})


def makespans(samples_ms: Costs, encode_ms: float) -> dict[str, Any]:
    """Simulate the make-span of both configs, and of other sizes of a part."""
    space, total = StateSpace(), samples_ms + encode_ms

    def groups(name: str, rows: int) -> list[Costs]:
        if name == "full":
            return [part_costs(total, PartPlan(total.size, rows))]
        subsets = [space.subset(subset) for subset in PAPER_SUBSETS]
        return [part_costs(total[s.index(0, s.size)], PartPlan(s.size, rows)) for s in subsets]

    found: dict[str, Any] = {}
    for name, rows in (("full", 1024), ("paper", 512)):
        parts = groups(name, rows)
        together = np.concatenate(parts)
        equal = [np.ones(costs.size) for costs in parts]
        found[name] = {
            "parts": together.size,
            "core_hours": together.sum() / 3600,
            "part_s": [float(v) for v in (together.min(), together.mean(), together.max())],
            "max_over_mean_of_parts": float(together.max() / together.mean()),
            "efficiency": efficiencies(parts),
            "equal parts": efficiencies(equal)["drawn (lehr)"],
            "drawn_s": {ranks: sum(drawn(costs, ranks) for costs in parts) for ranks in (64, 256, 1024)},
            "drawn_s_of_a_subset": {ranks: max(drawn(costs, ranks) for costs in parts) for ranks in (64, 1024)},
        }
        if name == "full":
            found["slow ranks"] = {ranks: with_slow_ranks(together, ranks) for ranks in (64, 1024)}
        say(f"{name}: {together.size} parts, {found[name]['part_s']} s, {found[name]['core_hours']:.2f} core-hours")
        for way, values in (*found[name]["efficiency"].items(), ("equal parts", found[name]["equal parts"])):
            say(f"  {way:<22}" + " ".join(f"{value:6.3f}" for value in values))
    sums = np.diff(np.concatenate([[0.0], np.cumsum(groups("full", 1024)[0])])[np.arange(65) * 13430 // 64])
    found["max_over_mean_of_64_blocks"] = float(sums.max() / sums.mean())
    quarter = [np.array(q) for q in np.array_split(groups("full", 1024)[0], 4)]
    found["four_jobs_of_64_s"] = [drawn(costs, 64) for costs in quarter]
    found["sizes"] = {}
    for rows in (256, 512, 1024, 2048):
        costs = groups("full", rows)[0]
        found["sizes"][rows] = {
            "parts": costs.size,
            "efficiency": {ranks: float(costs.sum() / ranks / drawn(costs, ranks)) for ranks in (64, 1024)},
        }
    say(f"sizes: {json.dumps(found['sizes'])}; four jobs of 64 ranks: {found['four_jobs_of_64_s']}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few samples and parts: does it run")
    parser.add_argument("--to", type=Path, default=OUTPUT, metavar="FILE", help="the figure (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    options = parser.parse_args()
    say(f"load average at the start: {os.getloadavg()[0]:.2f}")
    samples_ms, found = cost_of_samples(options.quick)
    results: dict[str, Any] = {"samples": found}
    results["parts"] = whole_parts(load_run(CONFIGS / "full.yaml"), samples_ms, *((1, 1) if options.quick else (12, 3)))
    results["makespan"] = makespans(samples_ms * results["parts"]["measured_over_model"], ENCODE_MS)
    draw(results, options.to)
    say(f"load average at the end: {os.getloadavg()[0]:.2f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
