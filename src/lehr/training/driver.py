"""Train one model of a config."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from lehr.config import Config
from lehr.errors import LehrError
from lehr.models import PARAMETERS, TargetScaling
from lehr.statespace import SPLITS
from lehr.store import SequentialReader, ShuffledReader, SignalStore
from lehr.training.horovod import World, start

if TYPE_CHECKING:
    from lehr.training.record import Samples

__all__ = ["train"]

_KEPT_BYTES = 2**27  # of validation signals, on each rank


def train(config: Config, model: str, *, ranks: int | None = None) -> None:
    """Train a model and write its run folder, `config.run_path(model)`. Call it on all ranks.

    Parameters
    ----------
    config : Config
        The run.
    model : str
        Name of one of its models.
    ranks : int, optional
        Number of Horovod ranks that must have been started; ``config.ranks.train`` if not given.

    Raises
    ------
    LehrError
        If another number of ranks was started, the config asks for what Keras does not have, the signals are missing
        or of another config, or the training diverges. Nothing is written then.
    """
    began = time.perf_counter()
    world = start(config.ranks.train if ranks is None else ranks)
    with world.together():
        _train(config, model, world, began)


def _train(config: Config, model: str, world: World, began: float) -> None:
    from lehr.training.tensorflow import Feed, use_share_of_machine

    use_share_of_machine(world)  # before anything makes TensorFlow compute

    import keras

    from lehr.models import build_mcnn
    from lehr.training.callbacks import Broadcast, Chronicle, Guard, Validation
    from lehr.training.objective import WeightedSquaredError, build_optimizer
    from lehr.training.record import Record, write_run

    training, subset, weights = config.training, config.model(model).subset, config.loss_weights(model)
    optimizer = world.optimizer(build_optimizer(training))
    points, cycles = config.signals.temperature.points, config.signals.program.cycle_count
    # Ranks draw different weights and different dropout; the weights of rank 0 then go to all.
    seed = np.random.SeedSequence(training.seed, spawn_key=(world.rank,)).generate_state(1)[0]
    keras.utils.set_random_seed(int(seed))
    network = build_mcnn(points, cycles, config.network)

    store = _open(config, subset)
    samples = _samples(store, config)
    split, scaling = config.split.build(), TargetScaling()
    reader = ShuffledReader(
        store,
        split,
        "train",
        batch_size=training.batch_size,
        seed=training.seed,
        rank=world.rank,
        size=world.size,
        streams=training.streams,
    )
    validation_reader = SequentialReader(
        store, split, "validation", batch_size=training.batch_size, rank=world.rank, size=world.size
    )

    # A few validation samples are read once; they lie in nearly all chunks, so reading them is reading everything.
    small = validation_reader.samples * points * cycles * 4 <= _KEPT_BYTES
    validation_batches = list(validation_reader) if small else validation_reader

    # Horovod's operations cannot be compiled by XLA, which Keras would turn on by itself on a GPU.
    network.compile(optimizer, WeightedSquaredError.from_section(weights), metrics=["mae"], jit_compile=False)
    validation = Validation(world, validation_batches, scaling, [getattr(weights, name) for name in PARAMETERS])
    chronicle = Chronicle(world, model, reader.steps * training.batch_size, training.epochs, reader.steps)
    feed = Feed(reader, scaling, (points, cycles), training.epochs)
    try:
        network.fit(
            feed.dataset,
            epochs=training.epochs,
            steps_per_epoch=reader.steps,
            shuffle=False,  # the reader has shuffled
            verbose=0,
            callbacks=[Broadcast(world), Guard(validation), validation, chronicle],
        )
    except Exception as error:
        if isinstance(feed.error, LehrError):
            raise feed.error from error
        raise
    if world.rank == 0:
        record = Record(config, model, samples, world.size, validation.best_epoch, validation.best_mae)
        network.set_weights(validation.best_weights)
        write_run(record, network, chronicle.rows, time.perf_counter() - began)


def _open(config: Config, subset: str) -> SignalStore:
    store = SignalStore.open(config.store_path, subset=subset)
    if store.config_digest != config.signals.digest():
        raise LehrError(
            f"{store.path}: made with another signals section (digest {store.config_digest}) than the config has "
            f"({config.signals.digest()})",
            "Set another `output` in the config, or delete the store and generate it anew.",
        )
    return store


def _samples(store: SignalStore, config: Config) -> Samples:
    """Count the samples, and look at the training split: what the trivial predictor knows."""
    from lehr.training.record import Samples

    part, good = config.split.build().assign(store.parameters), store.status == 0
    counts = {name: int(np.count_nonzero(good & (part == number))) for number, name in enumerate(SPLITS)}
    for name in ("train", "validation"):
        if counts[name] == 0:
            raise LehrError(
                f"{store.path}: no good sample in the {name} split",
                "Simulate more samples, or take another split.seed.",
            )
    learned = store.parameters[good & (part == SPLITS.index("train"))]
    return Samples(
        counts=counts,
        left_out=int(np.count_nonzero(~good)),
        mean=learned.mean(axis=0),
        lowest=learned.min(axis=0),
        highest=learned.max(axis=0),
    )
