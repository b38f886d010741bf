"""Compare networks on the same glasses, six scans without noise, for the same processor time."""

from __future__ import annotations

import argparse
import time

import keras
import numpy as np

from lehr.config import StateSpaceConfig
from lehr.fitting.features import CONDITIONS, FEATURES
from lehr.fitting.network import OUTPUTS
from lehr.models.estimator import build_estimator, negative_log_likelihood
from lehr.statespace import ScatteredSpace
from lehr.training.augment import Measurement, make_batch
from lehr.training.glasses import simulate_glasses

BATCH = 128


def perceptron(width: int) -> keras.Model:
    """A plain network of the six scans in the order of their rates."""
    scans, conditions = keras.Input((6, FEATURES)), keras.Input((CONDITIONS,))
    hidden = keras.layers.Concatenate()([keras.layers.Flatten()(scans), conditions])
    for _ in range(3):
        hidden = keras.layers.Dense(width, "silu")(hidden)
    last = keras.layers.Dense(OUTPUTS, kernel_initializer=keras.initializers.VarianceScaling(0.1))
    return keras.Model([scans, conditions], last(hidden))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--glasses", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    space, data = StateSpaceConfig().grid(), []
    for count, seed in ((options.glasses, 1), (500, 2)):
        drawn = ScatteredSpace(space, "random", count, seed).parameters(np.arange(count))
        glasses = simulate_glasses(drawn, seed, 1.0, 6.0, threads=1)
        batch = make_batch(glasses, np.arange(len(glasses.parameters)), 6, np.random.default_rng(0), Measurement(0.0))
        order = np.argsort(batch.scans[..., -2], axis=1)  # by the cooling rate
        data.append((np.take_along_axis(batch.scans, order[..., None], axis=1), batch.conditions, batch.targets))
    (scans, conditions, targets), (test_scans, test_conditions, test_targets) = data
    shift, scale = targets.mean(axis=0), targets.std(axis=0)
    for name, build in {
        "set network": lambda: build_estimator(FEATURES, CONDITIONS, 128, 192),
        "perceptron": lambda: perceptron(384),
    }.items():
        keras.utils.set_random_seed(0)
        network, rng, seen = build(), np.random.default_rng(0), 0
        network.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), loss=negative_log_likelihood)
        network.train_on_batch([scans[:BATCH], conditions[:BATCH]], (targets[:BATCH] - shift) / scale)  # compiled
        started, done = time.process_time(), 0.0
        while done < 1.0:
            network.optimizer.learning_rate.assign(2e-3 * min(1.0, seen / 2e4) * (0.5 + 0.5 * np.cos(np.pi * done)))
            rows = rng.choice(len(scans), BATCH)
            network.train_on_batch([scans[rows], conditions[rows]], (targets[rows] - shift) / scale)
            seen += BATCH
            done = (time.process_time() - started) / options.seconds
        answers = network.predict([test_scans, test_conditions], verbose=0)[:, :4] * scale + shift
        error = np.abs(answers - test_targets)
        quantiles = np.quantile(error, [0.5, 0.99], axis=0).round(5).tolist()
        print(f"{name}: {network.count_params():,} parameters, {seen:,} samples seen; median and 99 %: {quantiles}")


if __name__ == "__main__":
    main()
