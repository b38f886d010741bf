"""Train one model of a config."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from lehr.errors import LehrError
from lehr.files import in_turn
from lehr.glass.config import GlassRun
from lehr.glass.networks import PARAMETERS, TargetScaling
from lehr.split import SPLITS, Split
from lehr.store import SequentialReader, ShuffledReader, SignalStore
from lehr.training.history import best, last_epoch
from lehr.training.horovod import World, start

if TYPE_CHECKING:
    import keras

    from lehr.training.checkpoints import Checkpoints, State
    from lehr.training.record import Samples

__all__ = ["train"]


def train(config: GlassRun, model: str, *, ranks: int | None = None, restart: bool = False) -> None:
    """Train a model and write its run folder, `config.run_path(model)`. Call it on all ranks.

    A training that was interrupted goes on from its last checkpoint.

    Parameters
    ----------
    config : GlassRun
        The run.
    model : str
        Name of one of its models.
    ranks : int, optional
        Number of Horovod ranks that must have been started; ``config.ranks.train`` if not given.
    restart : bool
        Remove the checkpoints of this training and begin anew.

    Raises
    ------
    LehrError
        If another number of ranks was started, the config asks for what Keras does not have, the signals are missing
        or of another config, no checkpoint can be used, or the training diverges. The files of the run folder stay as
        they were then.
    """
    began = time.perf_counter()
    world = start(config.ranks.train if ranks is None else ranks)
    with world.together():
        _train(config, model, world, began, restart)


def _train(config: GlassRun, model: str, world: World, began: float, restart: bool) -> None:
    from lehr.training.tensorflow import use_share_of_machine

    use_share_of_machine(world)  # before anything makes TensorFlow compute

    import keras

    from lehr.glass.networks.loss import WeightedSquaredError
    from lehr.glass.networks.mcnn import build_mcnn
    from lehr.training.checkpoints import Checkpoints, State, identity
    from lehr.training.optimizer import build_optimizer
    from lehr.training.precision import in_precision
    from lehr.training.record import is_written

    training = config.training
    optimizer = world.optimizer(build_optimizer(training))
    # Ranks draw different weights; those of rank 0 then go to all.
    seed = np.random.SeedSequence(training.seed, spawn_key=(world.rank,)).generate_state(1)[0]
    keras.utils.set_random_seed(int(seed))
    cycles, points = config.signals.program.cycle_count, config.signals.temperature.points
    network = in_precision(build_mcnn(cycles, points, config.network), training.precision)
    store = _open(config, config.model(model).subset)
    samples = _samples(store, config.split_of(model).build())
    # Horovod's operations cannot be compiled by XLA, which Keras would turn on by itself on a GPU.
    loss = WeightedSquaredError.from_section(config.loss_weights(model))
    network.compile(optimizer, loss, metrics=["mae"], jit_compile=False)

    checkpoints = Checkpoints(config.run_path(model), identity(config, model))
    # A job that outlived the Snakemake that submitted it may be at work here: this one then has less to do, or nothing.
    with _turn(config, model) if world.rank == 0 else nullcontext():
        if restart and world.rank == 0:
            checkpoints.clear()
            shutil.rmtree(_tensorboard(config, model, checkpoints), ignore_errors=True)
        state = _resume(config, model, checkpoints, network) if world.rank == 0 else State([], [], [])
        rows, starts = world.share((state.rows, state.starts))
        state = State(rows, starts, state.best_weights)
        unfinished = last_epoch(rows, training) is None
        if unfinished:
            state = _fit(config, model, world, store, network, checkpoints, state, began)
        elif world.rank == 0:
            _say(f"{model}: nothing left to train, {_reached(rows)}")
        # What is there is left alone if nothing was trained: a new model.keras would put an evaluation out of date.
        if world.rank == 0 and (unfinished or not is_written(config, model, checkpoints.name, len(state.rows))):
            _write(config, model, samples, store, network, checkpoints, state)


def _turn(config: GlassRun, model: str) -> AbstractContextManager[None]:
    """Keep a second training of a model from writing among the checkpoints of the first."""
    return in_turn(config.run_path(model) / ".lock", lambda who: _say(f"{model}: waiting for {who}, which trains it"))


def _resume(config: GlassRun, model: str, checkpoints: Checkpoints, network: keras.Model) -> State:
    """Load the last checkpoint, and say what is done."""
    from lehr.training.checkpoints import State

    state, refused = checkpoints.load(network)
    for reason in refused:
        _say(f"{model}: passed over the checkpoint {reason}")
    if state is None:
        other = checkpoints.others()
        if other is not None:
            _say(f"{model}: {other}")
        return State([], [], [])
    done, end = len(state.rows), last_epoch(state.rows, config.training)
    if end is not None and end < done:
        raise LehrError(
            f"{checkpoints.path(done)}: has done {done} epochs, the config ends the training after {end}",
            "Set training.epochs and training.early_stopping back, or begin anew with --restart, which removes the "
            "checkpoints.",
        )
    if end is None:
        _say(f"{model}: going on after {_reached(state.rows)}, from {checkpoints.path(done)}")
    return state


def _reached(rows: list[dict[str, float]]) -> str:
    smallest = best(rows)
    return f"epoch {len(rows)} (best: epoch {smallest['epoch']}, val_mae {smallest['val_mae']:.4g})"


def _fit(
    config: GlassRun,
    model: str,
    world: World,
    store: SignalStore,
    network: keras.Model,
    checkpoints: Checkpoints,
    state: State,
    began: float,
) -> State:
    """Train from a state to the end; return what was reached."""
    from lehr.training.callbacks import Broadcast, Dropout, Guard, Validation
    from lehr.training.chronicle import Chronicle, Keeper
    from lehr.training.memory import KEPT_BYTES, Memory
    from lehr.training.tensorflow import Feed, TensorBoard

    training, split, scaling = config.training, config.split_of(model).build(), TargetScaling()
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
    small = validation_reader.samples * store.points * store.cycles * 4 <= KEPT_BYTES
    if world.rank == 0:
        kept = validation_reader.samples if small else 0
        batch, streams = training.batch_size // world.size, training.streams // world.size
        _say(f"{model}: {Memory.of(store, batch=batch, streams=streams, kept=kept)}")
    loss_weights = config.loss_weights(model)
    validation = Validation(
        world,
        list(validation_reader) if small else validation_reader,
        scaling,
        [getattr(loss_weights, name) for name in PARAMETERS],
    )
    rows, first = state.rows, len(state.rows)
    if rows:
        validation.best_mae, validation.best_weights = best(rows)["val_mae"], state.best_weights
    keeper = Keeper(checkpoints, validation, rows, state.starts, world.size, began)
    callbacks: list[Any] = [
        Broadcast(world),
        Dropout(world, training.seed),
        validation,
        Guard(checkpoints, rows),
        Chronicle(world, model, training, reader.steps, rows),
    ]
    if world.rank == 0:
        callbacks += [keeper, TensorBoard(_tensorboard(config, model, checkpoints))]
    feed = Feed(reader, scaling, (store.cycles, store.points), range(first, training.epochs))
    try:
        network.fit(
            feed.dataset,
            initial_epoch=first,
            epochs=training.epochs,
            steps_per_epoch=reader.steps,
            shuffle=False,  # the reader has shuffled
            verbose=0,
            callbacks=callbacks,
        )
    except Exception as error:
        if isinstance(feed.error, LehrError):
            raise feed.error from error
        raise
    return keeper.state


def _write(
    config: GlassRun,
    model: str,
    samples: Samples,
    store: SignalStore,
    network: keras.Model,
    checkpoints: Checkpoints,
    state: State,
) -> None:
    """Write the run folder."""
    from lehr.training.record import Record, write_run

    epochs = len(state.rows)
    smallest = best(state.rows)
    ranks = state.starts[-1]["ranks"]
    record = Record(config, model, samples, ranks, int(smallest["epoch"]), smallest["val_mae"])
    network.set_weights(state.best_weights)
    origin = {
        "identity": checkpoints.name,
        "epochs_done": epochs,
        "cycles": store.cycles,
        "starts": state.starts,
        "data": {name: store.about[name] for name in ("digest", "code", "packages")},
    }
    write_run(record, network, state.rows, sum(start["seconds"] for start in state.starts), origin)


def _tensorboard(config: GlassRun, model: str, checkpoints: Checkpoints) -> Any:
    return config.run_path(model) / "tensorboard" / checkpoints.name


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _open(config: GlassRun, subset: str) -> SignalStore:
    store = SignalStore.open(config.store_path, subset=subset)
    if store.config_digest != config.signals.digest():
        raise LehrError(
            f"{store.path}: made with another signals section (digest {store.config_digest}) than the config has "
            f"({config.signals.digest()})",
            "Set another `output` in the config, or delete the store and generate it anew.",
        )
    return store


def _samples(store: SignalStore, split: Split) -> Samples:
    """Count the samples, and look at the training split: what the trivial predictor knows."""
    from lehr.training.record import Samples

    part, good = split.assign(store.parameters), store.status == 0
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
