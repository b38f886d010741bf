"""Train the estimator and write its weights."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lehr.glass.estimator.augmentation import Acquisition, Batch, make_batch
from lehr.glass.estimator.config import EstimatorConfig
from lehr.glass.estimator.glasses import Glasses, simulate_glasses
from lehr.glass.estimator.layers import build_estimator, estimator_weights, negative_log_likelihood
from lehr.glass.estimator.network import posterior
from lehr.glass.scans.scans import MAX_CYCLES
from lehr.glass.space import ScatteredSpace
from lehr.provenance import code, packages

__all__ = ["train_estimator"]

_PAPER_CYCLES = 6
_PAPER_SHARE = 0.4  # of the batches, with the six scans of the paper; the others have any number of scans
_WARM_UP_STEPS = 200  # in which the learning rate rises to its highest
_FINAL_RATE = 1e-3  # learning rate at the end, as a share of the highest
_PROGRESS_LINES = 20  # that a training prints
_LEAST_SPREAD = 1e-3  # standard deviation of a feature: rates that are all the same have none
_SCALING_BATCHES = 40  # from which means and standard deviations of features and answers are taken


def train_estimator(config: EstimatorConfig) -> Path:
    """Simulate glasses, train the network on them and write its weights and their record.

    Returns
    -------
    Path
        ``estimator.npz``, which `lehr.glass.estimator.estimate` reads.
    """
    started, threads = time.perf_counter(), len(os.sched_getaffinity(0))
    learnt = simulate_glasses(
        _draw(config, config.glasses, config.seed), config.seed, config.paper_share, config.cpn_max, threads=threads
    )
    unseen = simulate_glasses(
        _draw(config, config.validation, config.seed + 1), config.seed + 1, 1.0, config.cpn_max, threads=threads
    )
    _say(f"{len(learnt.parameters):,} glasses, {len(learnt.scans):,} scans, {time.perf_counter() - started:.0f} s")
    weights = _fit(config, learnt)
    errors = {str(noise): _measure(weights, unseen, noise) for noise in (0.0, 0.01, 0.05)}
    for noise, found in errors.items():
        _say(f"noise {noise}: {found}")
    record = {
        "config": config.model_dump(mode="json"),
        "digest": config.digest(),
        "seed": config.seed,
        "errors": errors,
        "versions": {"python": platform.python_version(), **packages("keras", "tensorflow", "tensorflow-cpu", "numpy")},
        "code": code(),
        "seconds": round(time.perf_counter() - started),
    }
    path = config.output / "estimator.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, record=json.dumps(record), **weights)
    return path


def _draw(config: EstimatorConfig, count: int, seed: int) -> NDArray[np.float64]:
    return ScatteredSpace(config.state_space.grid(), "random", count, seed).parameters(np.arange(count))


def _fit(config: EstimatorConfig, glasses: Glasses) -> dict[str, NDArray[np.float32]]:
    keras.utils.set_random_seed(config.seed)
    network = build_estimator(config.width, config.head)
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate * _FINAL_RATE,
        decay_steps=max(config.steps - _WARM_UP_STEPS, 1),
        alpha=_FINAL_RATE,
        warmup_target=config.learning_rate,
        warmup_steps=_WARM_UP_STEPS,
    )
    network.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss=negative_log_likelihood)
    rng, started, losses = np.random.default_rng(config.seed), time.perf_counter(), []
    first = [_batch(config, glasses, rng) for _ in range(_SCALING_BATCHES)]
    shift, scale = _mean_and_spread([batch.targets for batch in first])
    middle, spread = _mean_and_spread([batch.scans for batch in first])
    spread = np.maximum(spread, _LEAST_SPREAD)
    with ThreadPoolExecutor(1) as other:  # one thread makes all batches, in their order: the same ones in every run
        coming = other.submit(_batch, config, glasses, rng)
        for step in range(config.steps):
            batch = coming.result()
            coming = other.submit(_batch, config, glasses, rng)
            scans = ((batch.scans - middle) / spread).astype(np.float32)
            losses.append(network.train_on_batch([scans, batch.conditions], (batch.targets - shift) / scale))
            if (step + 1) % max(config.steps // _PROGRESS_LINES, 1) == 0:
                recent = np.mean([float(loss) for loss in losses[-50:]])
                _say(f"step {step + 1}: {recent:.2f}, {time.perf_counter() - started:.0f} s")
    scales = {"answers/shift": shift, "answers/scale": scale, "scans/shift": middle, "scans/scale": spread}
    return {**estimator_weights(network), **{name: values.astype(np.float32) for name, values in scales.items()}}


def _mean_and_spread(parts: list[NDArray[np.floating[Any]]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the columns of many arrays."""
    rows = np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts])
    return rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)


def _batch(config: EstimatorConfig, glasses: Glasses, rng: np.random.Generator) -> Batch:
    """Draw glasses that have enough scans, and as many scans of each."""
    paper = bool(glasses.paper.any()) and rng.random() < _PAPER_SHARE
    count = _PAPER_CYCLES if paper else int(rng.integers(1, MAX_CYCLES + 1))
    possible = np.flatnonzero(glasses.paper if paper else glasses.counts >= count)
    if not possible.size:
        return _batch(config, glasses, rng)
    return make_batch(glasses, rng.choice(possible, config.batch_size), count, rng)


def _measure(weights: dict[str, NDArray[np.float32]], glasses: Glasses, noise: float) -> dict[str, Any]:
    """Return medians and 99 % quantiles of errors of the answers, and how often they lie in the stated intervals."""
    rng, rows = np.random.default_rng(0), np.arange(len(glasses.parameters))
    batch = make_batch(glasses, rows, _PAPER_CYCLES, rng, Acquisition(noise))
    mean, root = posterior(weights, batch.scans, batch.conditions)
    error = np.abs(mean - batch.targets)
    deviations = error / np.sqrt(np.square(root).sum(axis=-1))
    return {
        "median": np.median(error, axis=0).round(6).tolist(),
        "99 %": np.quantile(error, 0.99, axis=0).round(6).tolist(),
        "within 68 %": (deviations < 1.0).mean(axis=0).round(3).tolist(),
        "within 95 %": (deviations < 1.96).mean(axis=0).round(3).tolist(),
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
