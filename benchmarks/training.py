"""Speed of training: `python benchmarks/training.py [--quick] [--json FILE]`.

Four questions, each answered by two measurements that take turns in this run, because only their ratio means something
on a machine that does other work; of repeated times the shortest counts. The load average is printed before and after.

- `ratio_to_naive`: samples/s of the network against the same function written layer by layer in Keras, as the paper
  draws it: six channels times three branches, each a stack of Conv1D, ReLU and MaxPooling1D. Equal weights, equal
  outputs to 1e-5, `model.fit` from one array, 1851 temperatures, batches of 128.
- `flops_per_s_full_resolution`: at 18501 temperatures, against a dense matrix product by Keras in this process.
- `fed_from_store_ratio`: samples/s fed from a store, with reading, decoding and shuffling, against the same network fed
  from one array in memory.
- `horovod_efficiency_2`: samples/s of two ranks with one thread each against one rank with two threads.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import yaml
from keras import layers
from table import Results, begin, options_of

from lehr.generate.driver import finalise, generate, initialise
from lehr.glass.config import GlassRun, NetworkConfig
from lehr.glass.networks.attention import AttentionSegment, Downsampling
from lehr.glass.networks.flops import training_flops
from lehr.glass.networks.mcnn import build_mcnn
from lehr.store import ShuffledReader, open_subset
from lehr.studies import load_run
from lehr.training.tensorflow import PrefetchedBatches

SUBSET = "C"
BATCH = 128
CYCLES = 6
SEED = 0


class Clock(keras.callbacks.Callback):
    """When each batch of a fit ended; fetching the batch is part of the step."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.ends.append(time.perf_counter())

    @property
    def steps(self) -> np.ndarray:
        """Seconds of each step but the first, which starts the pipeline."""
        return np.diff(self.ends)


def compiled(model: keras.Model) -> keras.Model:
    model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=False)
    return model


def steps_of_fit(model: keras.Model, *data: object, **options: object) -> np.ndarray:
    clock = Clock()
    model.fit(*data, verbose=0, callbacks=[clock], **options)
    return clock.steps


def random_signals(count: int, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Scans with a transition somewhere and some noise, and targets; their values do not change the times."""
    random = np.random.default_rng(SEED)
    places = random.uniform(0.3, 0.7, (count, CYCLES, 1))
    rise = 1 / (1 + np.exp(-60 * (np.linspace(0, 1, points) - places)))
    signals = rise + 0.001 * random.normal(size=rise.shape)
    return signals.astype(np.float32), random.uniform(0, 1, (count, 4)).astype(np.float32)


# --- the naive network -----------------------------------------------------------------------------------------------


def naive_network(points: int, network: NetworkConfig) -> keras.Model:
    """Build the network with one Conv1D, ReLU and MaxPooling1D for each channel, branch and depth."""
    signals = keras.Input((CYCLES, points))
    scales = {
        "attention": AttentionSegment(network.attention_points, network.attention_threshold)(signals),
        "downsampling": Downsampling(network.downsampling)(signals),
        "original": signals,
    }
    branches = []
    for name, scale in scales.items():
        channels = []
        for channel in range(CYCLES):
            y = layers.Reshape((-1, 1))(scale[:, channel])
            for depth, (filters, pool) in enumerate(zip(network.filters, network.pool_sizes, strict=True), start=1):
                size = getattr(network.kernel_sizes, name)
                y = layers.Conv1D(filters, size, padding="same", name=f"{name}_{channel}_{depth}")(y)
                y = layers.MaxPooling1D(pool)(layers.ReLU()(y))
            channels.append(y)
        y = layers.Flatten()(layers.Concatenate(axis=2)(channels))
        y = layers.Dense(network.branch_width, activation="tanh", name=f"{name}_dense")(y)
        branches.append(layers.Dropout(network.dropout)(y))
    y = layers.Concatenate()(branches)
    for number, width in enumerate(network.dense_widths, start=1):
        y = layers.Dense(width, activation="tanh", name=f"dense_{number}")(y)
    return keras.Model(signals, layers.Dense(4, name="parameters")(y))


def copy_weights(network: keras.Model, naive: keras.Model) -> None:
    """Give the naive network the weights of ours."""
    for layer in naive.layers:
        if isinstance(layer, layers.Dense):
            layer.set_weights(network.get_layer(layer.name).get_weights())
        elif isinstance(layer, layers.Conv1D):
            name, channel, depth = layer.name.rsplit("_", 2)
            weights = network.get_layer(f"{name}_convolution_{depth}").get_weights()
            layer.set_weights([np.split(weight, CYCLES, axis=-1)[int(channel)] for weight in weights])


def against_naive(results: Results, rounds: int) -> None:
    points, sizes = 1851, NetworkConfig()
    keras.utils.set_random_seed(SEED)
    ours = build_mcnn(CYCLES, points, sizes)
    for layer in ours.layers:  # the initial bias is zero, which would hide a mistake
        if layer.name.endswith(("_1", "_2", "_3")) and "convolution" in layer.name:
            layer.bias.assign(np.random.default_rng(SEED).normal(scale=0.1, size=layer.bias.shape))
    naive = naive_network(points, sizes)
    copy_weights(ours, naive)
    signals, targets = random_signals(3 * BATCH, points)
    outputs = [model.predict_on_batch(signals[:BATCH]) for model in (ours, naive)]
    difference = float(np.abs(outputs[0] - outputs[1]).max())
    assert difference <= 1e-5, f"not the same function: outputs differ by {difference}"
    assert outputs[0].std(axis=0).min() > 1e-4, "equal outputs for all signals show nothing"
    results.add("largest_difference_to_naive", difference, "1", 1e-5)
    shortest: dict[str, float] = {}
    models = {"ours": compiled(ours), "naive": compiled(naive)}
    for _ in range(rounds):
        for name, model in models.items():
            steps = steps_of_fit(model, signals, targets, batch_size=BATCH, epochs=2)
            shortest[name] = min(shortest.get(name, np.inf), float(steps.min()))
    results.add("ratio_to_naive", BATCH / shortest["ours"], "1/s", BATCH / shortest["naive"])


# --- the device ------------------------------------------------------------------------------------------------------


def full_resolution(results: Results, batch: int, rounds: int) -> None:
    points = 18501
    model = compiled(build_mcnn(CYCLES, points))
    signals, targets = random_signals(2 * batch, points)
    matrix = keras.ops.convert_to_tensor(np.random.default_rng(SEED).normal(size=(2048, 2048)).astype(np.float32))
    step = product = np.inf
    for _ in range(rounds):
        step = min(step, float(steps_of_fit(model, signals, targets, batch_size=batch, epochs=2).min()))
        for _ in range(4):
            start = time.perf_counter()
            np.asarray(keras.ops.matmul(matrix, matrix)[0, 0])
            product = min(product, time.perf_counter() - start)
    results.add("samples_per_s", batch / step, "1/s")
    rate = training_flops(CYCLES, points, NetworkConfig()) * batch / step
    results.add("flops_per_s_full_resolution", rate / 1e9, "GFLOP/s", 2 * 2048**3 / product / 1e9)


# --- the store -------------------------------------------------------------------------------------------------------


def small_store(folder: Path, kelvin: int, values: int, epochs: int) -> Path:
    """Generate a store, and return the path of its config."""
    axis = {"start": 0.2, "stop": 1.0, "count": values}
    content = {
        "output": str(folder / "results"),
        "signals": {"state_space": {"x": axis, "beta": axis}, "temperature": {"step": kelvin}},
        "training": {"batch_size": BATCH, "epochs": epochs},
        "models": [{"name": SUBSET, "subset": SUBSET}],
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    config = load_run(path)
    initialise(config, SUBSET)
    generate(config, SUBSET)
    finalise(config, SUBSET)
    return path


def fed_from_store(results: Results, config: GlassRun, rounds: int, epochs: int) -> None:
    store, task = open_subset(config, SUBSET), config.task(SUBSET)
    names = [quantity.name for quantity in (*task.inputs, *task.targets)]
    wanted = store.usable(config.split.build(), "train")
    reader = ShuffledReader(store, wanted, names, batch_size=BATCH, seed=SEED)
    batches = list(reader.epoch(0))
    signals = np.concatenate([task.encode_inputs(batch) for batch in batches])
    targets = np.concatenate([task.encode_targets(batch) for batch in batches])
    model = compiled(task.build())

    def from_array() -> np.ndarray:
        return steps_of_fit(model, signals, targets, batch_size=BATCH, epochs=epochs)

    def from_store() -> np.ndarray:
        dataset = PrefetchedBatches(reader, task, model, range(epochs)).dataset
        return steps_of_fit(model, dataset, steps_per_epoch=reader.steps, epochs=epochs, shuffle=False)

    from_array()
    # the mean of each fit, and not the shortest step: chunks are read in bursts
    turns = np.array([[feed().mean() for feed in (from_store, from_array)] for _ in range(rounds)])
    store_step, array_step = turns.min(axis=0)
    results.add("fed_from_store_ratio", BATCH / store_step, "1/s", BATCH / array_step)


def horovod(results: Results, path: Path, rounds: int) -> None:
    history = load_run(path).run_path(SUBSET) / "history.csv"
    launchers: dict[int, list[str]] = {1: [], 2: ["horovodrun", "-np", "2", "--gloo"]}
    fastest = dict.fromkeys(launchers, 0.0)
    binaries = Path(sys.executable).parent
    for _ in range(rounds):
        for ranks, launcher in launchers.items():
            threads = str(2 // ranks)
            names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
            environment = os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
            environment |= dict.fromkeys(names, threads)
            words = [*launcher, "lehr", "train", str(path), "--model", SUBSET, "--ranks", str(ranks), "--restart"]
            subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
            with history.open(encoding="utf-8", newline="") as file:
                rates = [float(row["samples_per_second"]) for row in csv.DictReader(file)]
            fastest[ranks] = max(fastest[ranks], *rates[1:])  # the first epoch traces
    results.add("horovod_efficiency_2", fastest[2], "1/s", fastest[1])


def main() -> None:
    options = options_of(__doc__, "fewer repeats and coarser signals")
    quick, start, results = options.quick, time.perf_counter(), begin()
    against_naive(results, rounds=1 if quick else 8)
    full_resolution(results, batch=8 if quick else 64, rounds=1 if quick else 2)
    with tempfile.TemporaryDirectory() as name:
        path = small_store(Path(name), kelvin=5 if quick else 1, values=3 if quick else 5, epochs=2 if quick else 8)
        fed_from_store(results, load_run(path), rounds=1 if quick else 4, epochs=2)
        horovod(results, path, rounds=1 if quick else 2)
    results.add("load_average_after", os.getloadavg()[0], "1")
    print(f"{time.perf_counter() - start:.0f} s")
    results.write(options.json)


if __name__ == "__main__":
    main()
