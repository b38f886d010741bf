"""Speed of an evaluation: `python benchmarks/evaluation.py [--quick] [--json FILE]`.

From a store that is made for it, a network with its first weights reads all samples of the training split. The engine
simulates what a good one would have read: the true parameters, each a little off. Each rate stands beside another of
the same run:

- `predictions_per_s`: from the store, batch by batch; baseline: `keras.Model.predict` on an array in memory.
- `resimulations_per_s`: simulated, and compared with the signals; baseline: `lehr.simulate_batch` alone.
- `resimulation_threads`: the same with all threads of the machine; baseline: with one.

Of several rounds the fastest counts. The load average is printed before and after.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
from table import Results, begin, options_of

import lehr
from lehr.evaluation.evaluate import threads_allowed
from lehr.evaluation.predict import Network
from lehr.generate.driver import generate
from lehr.glass.config import GlassRun
from lehr.glass.findings import GlassFindings
from lehr.glass.measures import clamp
from lehr.glass.networks.scaling import TargetScaling
from lehr.glass.quantities import CPN, PARAMETERS
from lehr.glass.source import as_rows
from lehr.store import SequentialReader, Store, open_subset
from lehr.study import Columns

SUBSET = "C"
SEED = 0
OFF = np.array([0.002, 0.002, 0.01, 0.01])  # errors of a good network, as shares of the values


def small_store(folder: Path, kelvin: float, values: int) -> GlassRun:
    """Generate a store and return its config."""
    axis = {"start": 0.2, "stop": 1.0, "count": values}
    signals = {"state_space": {"x": axis, "beta": axis}, "temperature": {"step": kelvin}}
    models = [{"name": SUBSET, "subset": SUBSET}]
    config = GlassRun.model_validate({"output": str(folder), "signals": signals, "models": models})
    generate(config, SUBSET)
    return config


def fastest(work: Callable[[], object], rounds: int) -> float:
    """Return the seconds of the fastest round."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def batches(store: Store, config: GlassRun) -> Iterator[Columns]:
    """Yield signals and parameters of the training split."""
    names = [CPN.name, *(quantity.name for quantity in PARAMETERS)]
    wanted = store.usable(config.split.build(), "train")
    yield from SequentialReader(store, wanted, names, batch_size=config.evaluation.batch_size)


def predictions(results: Results, store: Store, config: GlassRun, rounds: int) -> None:
    keras.utils.set_random_seed(SEED)
    task = config.task(SUBSET)
    model = task.build()
    network = Network(model, task, {})
    memory = np.concatenate([columns[CPN.name] for columns in batches(store, config)])
    size = config.evaluation.batch_size

    def from_store() -> np.ndarray:
        return np.concatenate([as_rows(network.predict(columns)) for columns in batches(store, config)])

    def from_memory() -> np.ndarray:
        return as_rows(task.decode(model.predict(memory, batch_size=size, verbose=0)))

    difference = np.abs(from_store() - from_memory()) / TargetScaling().width  # and traces both
    assert difference.max() < 1e-5, "not the same predictions"
    turns = np.array([[fastest(work, 1) for work in (from_store, from_memory)] for _ in range(rounds)]).min(axis=0)
    results.add("predictions_per_s", len(memory) / turns[0], "1/s", len(memory) / turns[1])


def resimulations(results: Results, store: Store, config: GlassRun, rounds: int) -> None:
    random, findings = np.random.default_rng(SEED), GlassFindings(config)
    parts = [(columns[CPN.name], as_rows(columns)) for columns in batches(store, config)]
    cpn, true = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    predicted = true * (1 + OFF * random.normal(size=true.shape))
    program, temperature = config.signals.program.build(), config.signals.temperature.kelvin()

    def compared(threads: int) -> Callable[[], np.ndarray]:
        return lambda: findings.compare_signals(cpn, predicted, threads)

    def alone() -> object:
        return lehr.simulate_batch(clamp(predicted)[0], program=program, temperature=temperature)

    assert np.isfinite(compared(1)()).all(), "not all could be simulated"
    works = (compared(1), alone, compared(threads_allowed()))
    one, engine, threaded = np.array([[fastest(work, 1) for work in works] for _ in range(rounds)]).min(axis=0)
    results.add("resimulations_per_s", len(true) / one, "1/s", len(true) / engine)
    results.add("resimulation_threads", len(true) / threaded, "1/s", len(true) / one)


def main() -> None:
    options = options_of(__doc__, "temperatures every 1 K and fewer rounds")
    quick, start, results = options.quick, time.perf_counter(), begin()
    with tempfile.TemporaryDirectory() as name:
        config = small_store(Path(name), kelvin=1.0 if quick else 0.1, values=3)
        store = open_subset(config, SUBSET)
        predictions(results, store, config, rounds=2 if quick else 4)
        resimulations(results, store, config, rounds=2 if quick else 4)
    results.add("load_average_after", os.getloadavg()[0], "1")
    print(f"{time.perf_counter() - start:.0f} s")
    results.write(options.json)


if __name__ == "__main__":
    main()
