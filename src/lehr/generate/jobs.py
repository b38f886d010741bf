"""What the jobs of the workflow ask of a cluster: ranks, memory and time, from what a config says.

Memory was measured on CPUs (docs/results/scaling.md, docs/how-to/train.md); the time to simulate is that of a probe
of few samples. A job asks for more than it is expected to need, and for more at each attempt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from lehr.config import Run
from lehr.generate.cost import Cost
from lehr.store.layout import sample_bytes
from lehr.store.reader import BUFFER_BYTES

__all__ = ["KEPT_BYTES", "Costs", "Job", "job", "jobs"]

Costs = Callable[[str], Cost]

_MAX_MINUTES = 24 * 60  # what is cut off goes on at the next attempt
_RANK_FLOPS = 1e10  # operations a second of a rank that trains on one CPU core; a GPU does many times more
_START_SECONDS = 60.0  # until all imports are done on a network file system
_SNAKEMAKE_BYTES = 300e6  # of the Snakemake that runs inside a job
_RANK_BYTES = 110e6  # of a rank that simulates
_LEARNING_BYTES = 700e6  # of a rank with Keras and TensorFlow

KEPT_BYTES = 2**27
"""Validation samples that a rank which trains keeps in memory; more are read from the store in each epoch."""


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
        return attempt * math.ceil((1.5 * self.memory + _SNAKEMAKE_BYTES) / 1e8) * 100

    def runtime(self, attempt: int = 1) -> int:
        """Minutes to ask for: twice as many as expected and ten, times the attempt; at most a day."""
        return min(attempt * (10 + math.ceil(2 * (self.seconds + _START_SECONDS) / 60)), _MAX_MINUTES)


def job(run: Run, costs: Costs, rule: str, subset: str = "", model: str = "") -> Job:
    """Return the job of a rule of the workflow, for a subset or a model if it goes by them.

    Parameters
    ----------
    run : Run
        The run.
    costs : callable
        Gives what a subset costs, by name; `lehr.generate.cost.KnownCosts` is one.
    rule : str
        Name of the rule.
    subset, model : str, optional
        What it is about.
    """
    if rule in _RULES:
        return _RULES[rule](run, costs, subset, model)
    for extra in run.extra_jobs():
        if (extra.rule, extra.subset, extra.model) == (rule, subset, model):
            seconds, memory = extra.seconds, extra.memory
            if extra.predictions:
                seconds += extra.predictions * _prediction_seconds(run, model)
                memory += _reading_bytes(run, model)
            return Job(rule, extra.tasks, seconds / extra.tasks, extra.tasks * memory)
    raise KeyError(f"{rule} {subset} {model}")


def jobs(run: Run, costs: Costs) -> list[Job]:
    """Return all jobs of a run; `costs` as of `job`."""
    found = [job(run, costs, "simulate", subset) for subset in run.subsets for _ in range(run.ranks.blocks)]
    found += [job(run, costs, "finalise", subset) for subset in run.subsets]
    if run.models:
        found += [job(run, costs, "train", model=model.name) for model in run.models]
        found += [job(run, costs, "evaluate", subset, model) for model, subset in run.tests]
        found += [job(run, costs, extra.rule, extra.subset, extra.model) for extra in run.extra_jobs()]
        found += [job(run, costs, "report")]
    return found


def _simulate(run: Run, costs: Costs, subset: str, _model: str) -> Job:
    found, tasks = costs(subset), run.ranks.simulate
    parts = math.ceil(found.parts / run.ranks.blocks)
    seconds = math.ceil(parts / tasks) * found.core_hours * 3600 / found.parts
    return Job(
        "simulate", tasks, seconds, tasks * (_RANK_BYTES + run.storage.rows_per_part * sample_bytes(run.source()))
    )


def _finalise(_run: Run, costs: Costs, subset: str, _model: str) -> Job:
    found = costs(subset)
    return Job("finalise", 1, 0.005 * found.parts, 200e6 + 260 * found.samples)


def _train(run: Run, costs: Costs, _subset: str, model: str) -> Job:
    tasks, training, task = run.ranks.train, run.training, run.task(model)
    samples = run.split.train * costs(run.model(model).subset).samples * training.epochs
    sample = 3 * task.activation_bytes + 7 * sample_bytes(run.source())
    memory = tasks * (_LEARNING_BYTES + KEPT_BYTES) + training.batch_size * sample + training.streams * BUFFER_BYTES
    return Job("train", tasks, samples * task.training_flops / (tasks * _RANK_FLOPS), memory)


def _evaluate(run: Run, costs: Costs, subset: str, model: str) -> Job:
    split, found, tasks = run.split, costs(subset), run.ranks.evaluate
    share = 1 - split.train - split.validation
    # the samples of the predictions are simulated too
    seconds = share * (found.samples * _prediction_seconds(run, model) + 3600 * found.core_hours)
    return Job("evaluate", tasks, seconds / tasks, tasks * _reading_bytes(run, model))


def _report(run: Run, _costs: Costs, _subset: str, _model: str) -> Job:
    return Job("report", 1, 60.0 * len(run.models), 2e9)


_RULES: dict[str, Callable[[Run, Costs, str, str], Job]] = {
    "simulate": _simulate,
    "finalise": _finalise,
    "train": _train,
    "evaluate": _evaluate,
    "report": _report,
}


def _prediction_seconds(run: Run, model: str) -> float:
    """Return the time that a network reads a sample: it goes forward only."""
    return run.task(model).training_flops / 3 / _RANK_FLOPS


def _reading_bytes(run: Run, model: str) -> float:
    """Return the memory of a process that lets a network read samples."""
    sample = 2 * run.task(model).activation_bytes + 4 * sample_bytes(run.source())
    return _LEARNING_BYTES + run.evaluation.batch_size * sample
