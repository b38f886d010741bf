"""What the jobs of the workflow ask of a cluster: ranks, memory and time, from what a config says.

Memory was measured on CPUs (docs/scaling.md, docs/training.md); the time to simulate is measured now, as `lehr dataset
plan` does. A job asks for more than it is expected to need, and for more at each attempt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from lehr.generate.cost import Estimate, estimate
from lehr.glass.config import GlassRun
from lehr.store.reader import BUFFER_BYTES

__all__ = ["Job", "job", "jobs", "training_flops"]

_LONGEST = 24 * 60  # minutes; what is cut off goes on at the next attempt
_RANK_FLOPS = 1e10  # operations a second of a rank that trains on one CPU core; a GPU does many times more
_START = 60.0  # seconds until all imports are done on a network file system
_SNAKEMAKE = 300e6  # bytes of the Snakemake that runs inside a job
_LEARNING = 700e6  # bytes of a rank with Keras and TensorFlow
_KEPT = 2**27  # bytes of validation samples in memory
_FIT = 0.5  # seconds of a least-squares fit from one start
_DISTORT = 0.01  # seconds to distort the scans of a sample


@dataclass(frozen=True)
class Job:
    """A job, and what it is expected to need.

    Attributes
    ----------
    rule : str
        Its rule in the workflow.
    tasks : int
        Processes that its launcher starts.
    seconds : float
        Wall time, where a task has a CPU core.
    memory : float
        Bytes, of all tasks together.
    """

    rule: str
    tasks: int
    seconds: float
    memory: float

    def mem_mb(self, attempt: int = 1) -> int:
        """Memory to ask for, in MB: half as much again as expected, times the attempt."""
        return attempt * math.ceil((1.5 * self.memory + _SNAKEMAKE) / 1e8) * 100

    def runtime(self, attempt: int = 1) -> int:
        """Minutes to ask for: twice as many as expected and ten, times the attempt; at most a day."""
        return min(attempt * (10 + math.ceil(2 * (self.seconds + _START) / 60)), _LONGEST)


def job(config: GlassRun, rule: str, subset: str = "", model: str = "") -> Job:
    """Return the job of a rule of the workflow, for a subset or a model if it goes by them."""
    return _RULES[rule](config, subset, model)


def jobs(config: GlassRun) -> list[Job]:
    """Return all jobs of a run."""
    found = [job(config, "simulate", subset) for subset in config.subsets for _ in range(config.ranks.blocks)]
    found += [job(config, "finalise", subset) for subset in config.subsets]
    if config.models:
        found += [job(config, "train", model=model.name) for model in config.models]
        found += [job(config, "evaluate", subset, model) for model, subset in config.tests]
        found += [job(config, "robustness", model=model.name) for model in config.models]
        found += [job(config, "limits", subset) for subset in config.subsets]
        found += [job(config, "report")]
    return found


def training_flops(config: GlassRun) -> float:
    """Return the operations of a gradient step for a sample, as `networks.summary` counts them, without Keras."""
    network, cycles = config.network, config.signals.program.cycle_count
    total, last = 0.0, 0.0
    for name, lengths in network.lengths(config.signals.temperature.points).items():
        kernel, channels = getattr(network.kernel_sizes, name), 1
        for number, filters in enumerate(network.filters):
            flops = 2.0 * cycles * lengths[number] * kernel * channels * filters
            total += (3 if number else 2) * flops  # the first layer has no gradient of its inputs
            channels = filters
        total += 3 * 2.0 * cycles * lengths[-1] * channels * network.branch_width
        last += network.branch_width
    for width in (*network.dense_widths, 4):
        total += 3 * 2.0 * last * width
        last = width
    return total


def _simulate(config: GlassRun, subset: str, _model: str) -> Job:
    cost, tasks = _estimate(config, subset), config.ranks.simulate
    parts = math.ceil(cost.parts / config.ranks.blocks)
    seconds = math.ceil(parts / tasks) * cost.core_hours * 3600 / cost.parts
    memory = 110e6 + config.signals.storage.rows_per_part * _sample_bytes(config)
    return Job("simulate", tasks, seconds, tasks * memory)


def _finalise(config: GlassRun, subset: str, _model: str) -> Job:
    cost = _estimate(config, subset)
    return Job("finalise", 1, 0.005 * cost.parts, 200e6 + 260 * cost.samples)


def _train(config: GlassRun, _subset: str, model: str) -> Job:
    tasks, training = config.ranks.train, config.training
    samples = config.split.train * _estimate(config, config.model(model).subset).samples * training.epochs
    sample = 3 * _activation_bytes(config) + 7 * _sample_bytes(config)
    memory = tasks * (_LEARNING + _KEPT) + training.batch_size * sample + training.streams * BUFFER_BYTES
    return Job("train", tasks, samples * training_flops(config) / (tasks * _RANK_FLOPS), memory)


def _evaluate(config: GlassRun, subset: str, _model: str) -> Job:
    split, cost, tasks = config.split, _estimate(config, subset), config.ranks.evaluate
    share = 1 - split.train - split.validation
    # forward only, and the glasses of the predictions are simulated
    seconds = share * (cost.samples * training_flops(config) / 3 / _RANK_FLOPS + 3600 * cost.core_hours)
    return Job("evaluate", tasks, seconds / tasks, tasks * _reading_bytes(config))


def _robustness(config: GlassRun, _subset: str, _model: str) -> Job:
    levels, about = 0, config.evaluation.robustness
    for distortion in ("white_noise", "thermal_lag", "baseline_slope", "temperature_offset"):
        levels += len(getattr(about, distortion)) + 1
    seconds = levels * about.samples * (training_flops(config) / 3 / _RANK_FLOPS + _DISTORT)
    return Job("robustness", 1, seconds, _reading_bytes(config))


def _limits(config: GlassRun, _subset: str, _model: str) -> Job:
    tasks, about = config.ranks.evaluate, config.evaluation.limits
    seconds = about.samples * len(about.noise) * about.starts * _FIT
    return Job("limits", tasks, seconds / tasks, tasks * (200e6 + 100 * _sample_bytes(config)))


def _report(config: GlassRun, _subset: str, _model: str) -> Job:
    return Job("report", 1, 60.0 * len(config.models), 2e9)


_RULES: dict[str, Callable[[GlassRun, str, str], Job]] = {
    "simulate": _simulate,
    "finalise": _finalise,
    "train": _train,
    "evaluate": _evaluate,
    "robustness": _robustness,
    "limits": _limits,
    "report": _report,
}


def _reading_bytes(config: GlassRun) -> float:
    """Return the memory of a process that lets a network read signals."""
    return _LEARNING + config.evaluation.batch_size * (2 * _activation_bytes(config) + 4 * _sample_bytes(config))


def _sample_bytes(config: GlassRun) -> int:
    return config.signals.program.cycle_count * config.signals.temperature.points * 4


def _activation_bytes(config: GlassRun) -> float:
    """Return the size of the outputs of all convolutions for a sample."""
    network, cycles = config.network, config.signals.program.cycle_count
    branches = network.lengths(config.signals.temperature.points).values()
    return 4.0 * cycles * sum(a * b for lengths in branches for a, b in zip(lengths, network.filters, strict=False))


def _estimate(config: GlassRun, subset: str) -> Estimate:
    """Estimate once: Snakemake asks for each job, and each time for memory and for minutes."""
    key = (config.signals.digest(), subset)
    if key not in _ESTIMATES:
        _ESTIMATES[key] = estimate(config, subset)
    return _ESTIMATES[key]


_ESTIMATES: dict[tuple[str, str], Estimate] = {}
