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
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml
from numcodecs import blosc
from table import Results

from lehr import store
from lehr.generate.driver import finalise, generate, initialise, part_plan
from lehr.glass.config import GlassRun
from lehr.glass.source import as_rows
from lehr.glass.tnm import simulate_batch
from lehr.studies import load_run

SUBSET = "G"
BATCH = 128
HIGHEST_USUAL_PEAK = 6.0
SEED = 0


def seconds(action: Callable[[], object]) -> float:
    """Wall time of an action."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def write_config(folder: Path, name: str, values: int, rows_per_part: int) -> tuple[GlassRun, Path]:
    """Write a config of the subset with `values` values of x and beta each, and read it."""
    axis = {"start": 0.2, "stop": 1.0, "count": values}
    content = {
        "output": str(folder / name),
        "signals": {"state_space": {"x": axis, "beta": axis}, "storage": {"rows_per_part": rows_per_part}},
        "subsets": [SUBSET],
        "models": [],
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_run(path), path


# --- making ----------------------------------------------------------------------------------------------------------


class Stopwatch:
    """Adds up wall and processor time of the steps of a part."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.processor: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall[step] = self.wall.get(step, 0.0) + time.perf_counter() - wall
        self.processor[step] = self.processor.get(step, 0.0) + time.process_time() - processor


def making(results: Results, config: GlassRun, parts: int) -> None:
    """Time the steps from parameters to disk, part after part."""
    source = config.source()
    subset = source.subset(SUBSET)
    plan, group = part_plan(config, SUBSET), config.group_path(SUBSET)
    initialise(config, SUBSET)
    writer = store.PartWriter(group, source, plan)
    per_chunk = config.storage.rows_per_chunk
    memory = store.samples_to_fill(source, plan.rows_per_part)  # as `generate` has it
    watch = Stopwatch()
    samples, worst, worst_relative, size, raw_size = 0, 0.0, 0.0, 0, 0
    for number in np.linspace(0, len(plan) - 1, parts).astype(int).tolist():
        part = plan.part(number)
        columns, out = subset.rows(part.start, part.stop), {name: all_[: part.rows] for name, all_ in memory.items()}
        with watch("simulate"):
            source.simulate(columns, out)
        raw, _ = simulate_batch(
            as_rows(columns),
            program=config.signals.program.build(),
            temperature=config.signals.temperature.kelvin(),
            tolerance=config.signals.tolerance,
        )
        with watch("raw"):  # the defaults of zarr.codecs.BloscCodec
            for first in range(0, part.rows, per_chunk):
                chunk = raw[first : first + per_chunk]
                raw_size += len(blosc.compress(chunk, b"zstd", 5, blosc.SHUFFLE, typesize=4))
        with watch("round"):
            source.array.rounded(raw.copy())
        with watch("encode"):
            store.encoded_bytes(out["cpn"], per_chunk)
        with watch("encode and write"):
            writer.write(part, out["cpn"])
        with watch("receipt"):
            writer.write_receipt(part, out, 0.0)
        stored = store.Store(group, source).read(part.start, part.stop)
        error, height = np.abs(stored - raw), np.abs(raw)
        usual = raw.max(axis=(1, 2)) <= HIGHEST_USUAL_PEAK
        worst = max(worst, float(error[usual].max(initial=0.0)))
        peaks = height[~usual] > HIGHEST_USUAL_PEAK
        worst_relative = max(worst_relative, float((error[~usual][peaks] / height[~usual][peaks]).max(initial=0.0)))
        shards = (group / "cpn" / "c" / str(part.number)).rglob("*")
        size += sum(path.stat().st_size for path in shards if path.is_file())
        samples += part.rows
    wall, processor = (
        {step: 1e3 * total / samples for step, total in times.items()} for times in (watch.wall, watch.processor)
    )
    made = ("simulate", "encode and write", "receipt")
    results.add("generate_ms_per_sample", sum(processor[step] for step in made), "ms", 1.5)
    results.add("generate_wall_ms_per_sample", sum(wall[step] for step in made), "ms")
    results.add("simulate_round_describe_ms_per_sample", processor["simulate"], "ms")
    results.add("encode_ms_per_sample", processor["round"] + processor["encode"], "ms", processor["raw"])
    results.add("write_ms_per_sample", processor["encode and write"] - processor["encode"], "ms")
    results.add("receipt_ms_per_sample", processor["receipt"], "ms")
    results.add("bytes_per_sample", size / samples, "B", raw_size / samples)
    results.add("max_abs_error", worst, "1", 1e-4)
    results.add("max_relative_error_above_6", worst_relative, "1", 1e-4)
    print("  encode and bytes: against the raw float32 array with the codec's defaults; others: against what is asked")


def rank(path: Path) -> None:
    """Generate on the ranks of this program, from the first part to the last; rank 0 prints the wall time."""
    from mpi4py import MPI

    config = load_run(path)
    if MPI.COMM_WORLD.rank == 0:
        initialise(config, SUBSET)
    MPI.COMM_WORLD.Barrier()
    elapsed = seconds(lambda: generate(config, SUBSET, block=(1, 1)))
    if MPI.COMM_WORLD.rank == 0:
        print(f"elapsed {elapsed}")


def efficiency(results: Results, config: GlassRun, path: Path, repeats: int) -> GlassRun:
    """Time whole runs with one and two ranks, and leave a complete store."""
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for ranks, measured in times.items():
            shutil.rmtree(config.output, ignore_errors=True)
            command = ["mpiexec", "-n", str(ranks), sys.executable, __file__, "--rank", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            measured.append(float(done.stdout.split("elapsed ")[1].split()[0]))
    samples = part_plan(config, SUBSET).rows
    one, two = min(times[1]), min(times[2])
    results.add("generate_samples_per_s_1_rank", samples / one, "1/s")
    results.add("generate_samples_per_s_2_ranks", samples / two, "1/s", samples / one)
    results.add("mpi_efficiency_2", one / (2.0 * two), "1", 0.9)
    finalise(config, SUBSET)
    return config


# --- reading ---------------------------------------------------------------------------------------------------------


def reading(results: Results, config: GlassRun, folder: Path, batches: int) -> None:
    """Time batches of 128 from the store and from the raw array."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    signals = store.open_subset(config, SUBSET)
    train = signals.usable(config.split.build(), "train")
    names = ("cpn", *(quantity.name for quantity in signals.source.parameters))
    reader = store.ShuffledReader(signals, train, names, batch_size=BATCH, seed=SEED)
    everything = store.SequentialReader(signals, train, names, batch_size=BATCH)
    count = min(batches, reader.steps)

    def shuffled() -> None:
        for _, batch in zip(range(count), reader.epoch(0), strict=False):
            assert len(batch["cpn"]) == BATCH

    def in_order() -> None:
        for _, batch in zip(range(count), everything, strict=False):
            assert batch["row"].size

    shuffled()  # the files are in the page cache now
    rate = count * BATCH / min(seconds(shuffled) for _ in range(3))

    rows = min(signals.samples, 2048)
    raw_path = folder / "raw.npy"
    raw = np.lib.format.open_memmap(raw_path, "w+", np.float32, (rows, *signals.sample_shape))
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
    from_memmap = count * BATCH / min(seconds(memmap) for _ in range(3))
    few = order.choice(signals.samples, 256, replace=False).tolist()

    def gather() -> None:
        for row in few:
            signals.read(row, row + 1)

    gather()
    gathered = len(few) / min(seconds(gather) for _ in range(3))
    results.add("read_samples_per_s", rate, "1/s", 3000)
    results.add("read_over_memmap", rate, "1/s", from_memmap)
    results.add("read_over_random_gather", rate, "1/s", gathered)
    in_order()
    ordered = count * BATCH / min(seconds(in_order) for _ in range(3))
    results.add("read_in_order_samples_per_s", ordered, "1/s")
    print("  reading: training samples on one core; memmap: random rows of the raw array, all of it in the page cache")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer samples, under 50 s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to make stores (default: a temporary one)")
    parser.add_argument("--rank", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rank:
        rank(options.rank)
        return
    results = Results()
    print(f"load average at the start: {os.getloadavg()[0]:.2f}")
    results.head()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        values = 3 if options.quick else 9
        making(results, write_config(folder, "making", values, rows_per_part=512)[0], parts=1 if options.quick else 12)
        # small parts, so that both ranks end at about the same time also in this small subset
        config = efficiency(results, *write_config(folder, "ranks", values, 64), repeats=1 if options.quick else 3)
        reading(results, config, folder, batches=3 if options.quick else 24)
    print(f"load average at the end: {os.getloadavg()[0]:.2f}")
    results.write(options.json)


if __name__ == "__main__":
    main()
