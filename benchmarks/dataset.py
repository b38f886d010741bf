"""Speed and size of the data set: `python benchmarks/dataset.py [--quick] [--json FILE]`.

A sample is one glass under the six cycles of the paper at 18501 temperatures: 444 kB as float32. The samples are those
of the subset G, whose cells lie all over the plane, with x and beta in coarser steps; its signals are wider than those
of the zoomed subsets, and cost more bytes.

Making is timed on one core in this process, part after part, by processor time and by wall time; then whole runs of
`lehr dataset generate` with one and two MPI ranks are timed from the first part to the last, in turn. Reading is timed
on one core, the files in the page cache. The load average is printed before and after: compare ratios, not times.
"""

# ruff: noqa: E402

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from numcodecs import blosc

from lehr import store
from lehr.config import Config, load_config
from lehr.generate import finalise, generate, initialise, part_plan
from lehr.physics import simulate_batch

SUBSET = "G"
BATCH = 128
HIGHEST_USUAL_PEAK = 6.0
SEED = 0


class Results:
    """Rows of the table and of the JSON file."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, name: str, value: float, unit: str, baseline: float | None = None) -> None:
        ratio = None if baseline is None else float(value) / baseline
        self.rows.append({"name": name, "value": float(value), "unit": unit, "baseline": baseline, "ratio": ratio})
        against = "" if baseline is None else f"{baseline:>10.4g} {ratio:>10.3g}"
        print(f"{name:<36} {value:>12.5g} {unit:<10} {against}", flush=True)


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time of an action."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


# --- making ----------------------------------------------------------------------------------------------------------


def making(results: Results, config: Config, parts: int) -> None:
    """Time the steps from parameters to disk, part after part."""
    subset = config.signals.state_space.build().subset(SUBSET)
    plan, group = part_plan(config, SUBSET), config.group_path(SUBSET)
    initialise(config, SUBSET)
    writer = store.PartWriter(group, plan)
    program, temperature = config.signals.program.build(), config.signals.temperature.kelvin()
    per_chunk = config.signals.storage.rows_per_chunk
    steps: dict[str, list[tuple[float, float]]] = {}
    samples, worst, worst_relative, size, raw_size = 0, 0.0, 0.0, 0, 0

    def timed(step: str, action: Callable[[], object]) -> None:
        steps.setdefault(step, []).append(seconds(action))

    chosen = np.linspace(0, len(plan) - 1, parts).astype(int)
    for part in (plan.part(number) for number in chosen.tolist()):
        parameters = subset.parameters(part.start, part.stop)
        cpn = np.empty((part.rows, len(program.cycles), temperature.size), np.float32)
        fictive = np.empty(cpn.shape[:2])
        status = np.empty(part.rows, np.int8)

        def simulate() -> None:
            _, status[:] = simulate_batch(
                parameters,
                program=program,
                temperature=temperature,
                tolerance=config.signals.tolerance,
                out=cpn,
                limiting_fictive_temperature=fictive,
            )

        timed("simulate", simulate)
        raw = cpn.copy()
        chunks = [raw[first : first + per_chunk] for first in range(0, part.rows, per_chunk)]
        sizes: list[int] = []
        # the defaults of zarr.codecs.BloscCodec
        timed("raw", lambda: sizes.extend(len(blosc.compress(c, b"zstd", 5, blosc.SHUFFLE, typesize=4)) for c in chunks))
        raw_size += sum(sizes)
        timed("round", lambda: store.round_signals(cpn))
        timed("encode", lambda: store.encoded_bytes(cpn, per_chunk))
        timed("encode and write", lambda: writer.write(part, cpn))

        def describe() -> None:
            mean, square = store.moments(cpn)
            found = {"cpn_max": cpn.max(axis=(1, 2)), "cpn_mean": mean, "cpn_mean_square": square}
            found |= {"fictive_temperature": fictive.astype(np.float32), "status": status}
            writer.write_receipt(part, found, 0.0)

        timed("describe", describe)
        stored = store.SignalStore(group.parent, SUBSET).read(part.start, part.stop)
        error = np.abs(stored.astype(np.float64) - raw)
        usual = raw.max(axis=(1, 2)) <= HIGHEST_USUAL_PEAK
        worst = max(worst, float(error[usual].max(initial=0.0)))
        above = np.abs(raw[~usual]) > 1.0
        worst_relative = max(worst_relative, float((error[~usual][above] / np.abs(raw[~usual][above])).max(initial=0.0)))
        size += sum(path.stat().st_size for path in (group / "cpn" / "c" / str(part.number)).rglob("*") if path.is_file())
        samples += part.rows
    wall = {step: 1e3 * sum(w for w, _ in times) / samples for step, times in steps.items()}
    processor = {step: 1e3 * sum(p for _, p in times) / samples for step, times in steps.items()}
    made = ("simulate", "round", "encode and write", "describe")
    results.add("generate_ms_per_sample", sum(processor[step] for step in made), "ms", 1.5)
    results.add("generate_wall_ms_per_sample", sum(wall[step] for step in made), "ms")
    results.add("simulate_ms_per_sample", processor["simulate"], "ms")
    results.add("encode_ms_per_sample", processor["round"] + processor["encode"], "ms", processor["raw"])
    results.add("write_ms_per_sample", processor["encode and write"] - processor["encode"], "ms")
    results.add("describe_ms_per_sample", processor["describe"], "ms")
    results.add("bytes_per_sample", size / samples, "B", raw_size / samples)
    results.add("max_abs_error", worst, "1", 1e-4)
    results.add("max_relative_error_above_6", worst_relative, "1", 1e-4)
    print("  encode and bytes: against the raw float32 array with the codec's defaults; others: against what is asked")


def rank(path: Path) -> None:
    """Generate on the ranks of this program, from the first part to the last; rank 0 prints the wall time."""
    from mpi4py import MPI

    config = load_config(path)
    if MPI.COMM_WORLD.rank == 0:
        initialise(config, SUBSET)
    MPI.COMM_WORLD.Barrier()
    elapsed, _ = seconds(lambda: generate(config, SUBSET, block=(1, 1)))
    if MPI.COMM_WORLD.rank == 0:
        print(f"elapsed {elapsed}")


def efficiency(results: Results, folder: Path, content: dict[str, object], repeats: int) -> Config:
    """Time whole runs with one and two ranks, and leave a complete store."""
    times: dict[int, list[float]] = {1: [], 2: []}
    path = folder / "mpi.yaml"
    path.write_text(yaml.safe_dump({**content, "output": str(folder / "mpi")}))
    for _ in range(repeats):
        for ranks in times:
            shutil.rmtree(folder / "mpi", ignore_errors=True)
            command = ["mpiexec", "-n", str(ranks), sys.executable, __file__, "--rank", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times[ranks].append(float(done.stdout.split("elapsed ")[1].split()[0]))
    config = load_config(path)
    samples = part_plan(config, SUBSET).rows
    one, two = min(times[1]), min(times[2])
    results.add("generate_samples_per_s_1_rank", samples / one, "1/s")
    results.add("generate_samples_per_s_2_ranks", samples / two, "1/s", samples / one)
    results.add("mpi_efficiency_2", one / (2.0 * two), "1", 0.9)
    finalise(config, SUBSET)
    return config


# --- reading ---------------------------------------------------------------------------------------------------------


def reading(results: Results, config: Config, folder: Path, batches: int) -> None:
    """Time batches of 128 from the store and from the raw array."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    signals = store.SignalStore.open(config.store_path, SUBSET)
    reader = store.ShuffledReader(signals, config.split.build(), "train", batch_size=BATCH, seed=SEED)
    everything = store.SequentialReader(signals, config.split.build(), "train", batch_size=BATCH)
    count = min(batches, reader.steps)

    def shuffled() -> None:
        for _, (batch, _parameters) in zip(range(count), reader.epoch(0), strict=False):
            assert batch.shape[0] == BATCH

    def in_order() -> None:
        for _, (rows, _batch, _parameters) in zip(range(count), everything, strict=False):
            assert rows.size

    shuffled()  # the files are in the page cache now
    rate = count * BATCH / min(seconds(shuffled)[0] for _ in range(3))

    rows = min(signals.samples, 2048)
    raw_path = folder / "raw.npy"
    raw = np.lib.format.open_memmap(raw_path, "w+", np.float32, (rows, signals.cycles, signals.points))
    for start in range(0, rows, 256):
        raw[start : start + 256] = signals.read(start, min(start + 256, rows))
    raw.flush()
    raw = np.load(raw_path, mmap_mode="r")
    order = np.random.default_rng(SEED)
    chosen = [np.sort(order.choice(rows, BATCH, replace=False)) for _ in range(count)]

    def memmap() -> None:
        for wanted in chosen:
            assert raw[wanted].shape[0] == BATCH

    memmap()
    from_memmap = count * BATCH / min(seconds(memmap)[0] for _ in range(3))
    few = order.choice(signals.samples, 256, replace=False).tolist()

    def gather() -> None:
        for row in few:
            signals.read(row, row + 1)

    gather()
    gathered = len(few) / min(seconds(gather)[0] for _ in range(3))
    results.add("read_samples_per_s", rate, "1/s", 3000)
    results.add("read_over_memmap", rate, "1/s", from_memmap)
    results.add("read_over_random_gather", rate, "1/s", gathered)
    in_order()
    ordered = count * BATCH / min(seconds(in_order)[0] for _ in range(3))
    results.add("read_in_order_samples_per_s", ordered, "1/s")
    print("  reading: training samples on one core; memmap: random rows of the raw array, 64 times the bytes, in the cache")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer samples, under 50 s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to make the stores (default: a temporary one)")
    parser.add_argument("--rank", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rank:
        rank(options.rank)
        return
    values = 5 if options.quick else 9
    axis = {"start": 0.2, "stop": 1.0, "count": values}
    content = {
        "signals": {"state_space": {"x": axis, "beta": axis}, "storage": {"rows_per_part": 128, "rows_per_chunk": 8}},
        "subsets": [SUBSET],
        "models": [],
    }
    results = Results()
    print(f"load average at the start: {os.getloadavg()[0]:.2f}")
    print(f"{'':<36} {'value':>12} {'unit':<10} {'baseline':>10} {'ratio':>10}")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        path = folder / "making.yaml"
        path.write_text(yaml.safe_dump({**content, "output": str(folder / "making")}))
        making(results, load_config(path), parts=6 if options.quick else 24)
        config = efficiency(results, folder, content, repeats=1 if options.quick else 3)
        reading(results, config, folder, batches=8 if options.quick else 24)
    print(f"load average at the end: {os.getloadavg()[0]:.2f}")
    if options.json:
        options.json.write_text(json.dumps(results.rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
