"""Compare networks on the same glasses, six scans without noise, for the same processor time."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lehr.glass.config import StateSpaceConfig
from lehr.glass.config.run import LossWeights
from lehr.glass.estimator.augmentation import Acquisition, make_batch
from lehr.glass.estimator.constants import CONDITIONS, FEATURES, OUTPUTS
from lehr.glass.estimator.glasses import Glasses, simulate_glasses
from lehr.glass.estimator.layers import build_estimator, negative_log_likelihood
from lehr.glass.networks import TargetScaling
from lehr.glass.networks.loss import WeightedSquaredError
from lehr.glass.networks.mcnn import build_mcnn
from lehr.glass.space import ScatteredSpace
from lehr.glass.tnm import default_temperature, simulate_batch

Array = NDArray[Any]

BATCH = 128
EVERY = 10  # of the temperatures of the paper: the time is short for all of them, every 0.1 K


def perceptron(width: int) -> keras.Model:
    """A plain network of the six scans in the order of their rates."""
    scans, conditions = keras.Input((6, FEATURES)), keras.Input((CONDITIONS,))
    hidden = keras.layers.Concatenate()([keras.layers.Flatten()(scans), conditions])
    for _ in range(3):
        hidden = keras.layers.Dense(width, "silu")(hidden)
    last = keras.layers.Dense(OUTPUTS, kernel_initializer=keras.initializers.VarianceScaling(0.1))
    return keras.Model([scans, conditions], last(hidden))


def train(network: keras.Model, inputs: list[Array], targets: Array, seconds: float) -> int:
    """Train for some processor time; returns how many samples were seen."""
    rng, seen = np.random.default_rng(0), 0
    network.train_on_batch([values[:BATCH] for values in inputs], targets[:BATCH])  # compiled
    started, done = time.process_time(), 0.0
    while done < 1.0:
        network.optimizer.learning_rate.assign(2e-3 * min(1.0, seen / 2e4) * (0.5 + 0.5 * np.cos(np.pi * done)))
        rows = rng.choice(len(targets), BATCH)
        network.train_on_batch([values[rows] for values in inputs], targets[rows])
        seen += BATCH
        done = (time.process_time() - started) / seconds
    return seen


def in_window(glasses: Glasses) -> tuple[list[Array], Array]:
    """What the networks of a window are given, scans in the order of their cooling rates, and should answer."""
    rows, rng = np.arange(len(glasses.parameters)), np.random.default_rng(0)
    batch = make_batch(glasses, rows, 6, rng, Acquisition(0.0))
    order = np.argsort(batch.scans[..., -2], axis=1)
    return [np.take_along_axis(batch.scans, order[..., None], axis=1), batch.conditions], batch.targets


def signals(glasses: Glasses) -> Array:
    """What the network of the paper is given."""
    cpn, _ = simulate_batch(glasses.parameters, temperature=default_temperature()[::EVERY], dtype="float32")
    return cpn


def report(name: str, network: keras.Model, seen: int, error: Array) -> None:
    quantiles = np.quantile(np.abs(error), [0.5, 0.99], axis=0).round(5).tolist()
    print(
        f"{name}: {network.count_params():,} parameters, {seen:,} samples seen; median and 99 %: {quantiles}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="128 glasses, a second for each network: does it run")
    parser.add_argument("--glasses", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    if options.quick:
        options.glasses, options.seconds = BATCH, 1.0
    space = StateSpaceConfig().grid()
    learnt, unseen = (
        simulate_glasses(ScatteredSpace(space, "random", n, seed).parameters(np.arange(n)), seed, 1.0, 6.0, threads=1)
        for n, seed in ((options.glasses, 1), (50 if options.quick else 500, 2))
    )
    (inputs, targets), (test, test_targets) = in_window(learnt), in_window(unseen)
    middle, spread = inputs[0].mean(axis=(0, 1)), np.maximum(inputs[0].std(axis=(0, 1)), 1e-3)
    inputs[0], test[0] = (inputs[0] - middle) / spread, (test[0] - middle) / spread
    shift, scale = targets.mean(axis=0), targets.std(axis=0)
    builds: dict[str, Callable[[], keras.Model]] = {
        "set network": lambda: build_estimator(128, 192),
        "perceptron": lambda: perceptron(384),
    }
    print("errors of ln dh, x, beta")
    for name, build in builds.items():
        keras.utils.set_random_seed(0)
        network = build()
        network.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), loss=negative_log_likelihood)
        seen = train(network, inputs, (targets - shift) / scale, options.seconds)
        answers = network.predict(test, verbose=0)[:, :4] * scale + shift
        report(name, network, seen, (answers - test_targets)[:, [0, 2, 3]])

    keras.utils.set_random_seed(0)
    cpn, scaling = signals(learnt), TargetScaling()
    network = build_mcnn(*cpn.shape[1:])
    network.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), loss=WeightedSquaredError.from_section(LossWeights()))
    seen = train(network, [cpn], scaling.normalise(learnt.parameters), options.seconds)
    answers = scaling.denormalise(network.predict(signals(unseen), verbose=0))
    error = answers - unseen.parameters
    error[:, 1] = np.log(answers[:, 1] / unseen.parameters[:, 1])
    report(f"MCNN of the paper, every {EVERY / 10:g} K", network, seen, error[:, 1:])


if __name__ == "__main__":
    main()
