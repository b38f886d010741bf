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
from lehr.evaluation.measure import compare_signals, simulation_threads
from table import Results, begin, options_of

import lehr
from lehr.evaluation.metrics import clamp
from lehr.evaluation.predict import Network, predict
from lehr.generate.driver import generate
from lehr.glass.config import GlassRun
from lehr.glass.networks import TargetScaling
from lehr.glass.networks.mcnn import build_mcnn
from lehr.store import SequentialReader, SignalStore

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


def batches(store: SignalStore, config: GlassRun) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield signals and parameters of the training split."""
    size = config.evaluation.batch_size
    for _, signals, parameters in SequentialReader(store, config.split.build(), "train", batch_size=size):
        yield signals, parameters


def predictions(results: Results, store: SignalStore, config: GlassRun, rounds: int) -> None:
    keras.utils.set_random_seed(SEED)
    model = build_mcnn(store.cycles, store.points, config.network)
    network = Network(model, TargetScaling(), store.temperature, {})
    memory = np.concatenate([signals for signals, _ in batches(store, config)])
    size = config.evaluation.batch_size

    def from_store() -> np.ndarray:
        return np.concatenate([predict(network, signals) for signals, _ in batches(store, config)])

    def from_memory() -> np.ndarray:
        return network.scaling.denormalise(model.predict(memory, batch_size=size, verbose=0))

    difference = np.abs(from_store() - from_memory()) / network.scaling.width  # and traces both
    assert difference.max() < 1e-5, "not the same predictions"
    turns = np.array([[fastest(work, 1) for work in (from_store, from_memory)] for _ in range(rounds)]).min(axis=0)
    results.add("predictions_per_s", len(memory) / turns[0], "1/s", len(memory) / turns[1])


def resimulations(results: Results, store: SignalStore, config: GlassRun, rounds: int) -> None:
    random = np.random.default_rng(SEED)
    signals, true = (np.concatenate(parts) for parts in zip(*batches(store, config), strict=True))
    cpn = signals.swapaxes(1, 2)
    predicted = true * (1 + OFF * random.normal(size=true.shape))
    program, temperature = config.signals.program.build(), config.signals.temperature.kelvin()

    def compared(threads: int) -> Callable[[], np.ndarray]:
        return lambda: compare_signals(config.signals, cpn, predicted, threads)

    def alone() -> object:
        return lehr.simulate_batch(clamp(predicted)[0], program=program, temperature=temperature)

    assert np.isfinite(compared(1)()).all(), "not all could be simulated"
    works = (compared(1), alone, compared(simulation_threads()))
    one, engine, threaded = np.array([[fastest(work, 1) for work in works] for _ in range(rounds)]).min(axis=0)
    results.add("resimulations_per_s", len(true) / one, "1/s", len(true) / engine)
    results.add("resimulation_threads", len(true) / threaded, "1/s", len(true) / one)


def main() -> None:
    options = options_of(__doc__, "temperatures every 1 K and fewer rounds")
    quick, start, results = options.quick, time.perf_counter(), begin()
    with tempfile.TemporaryDirectory() as name:
        config = small_store(Path(name), kelvin=1.0 if quick else 0.1, values=3)
        store = SignalStore.open(config.store_path, SUBSET)
        predictions(results, store, config, rounds=2 if quick else 4)
        resimulations(results, store, config, rounds=2 if quick else 4)
    results.add("load_average_after", os.getloadavg()[0], "1")
    print(f"{time.perf_counter() - start:.0f} s")
    results.write(options.json)


if __name__ == "__main__":
    main()
