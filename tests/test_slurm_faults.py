"""What clusters do to jobs, done to real ones by a real Slurm: each run ends well in spite of it.

A fault needs the job to be in the middle of its work: there its ranks are stopped (SIGSTOP) until it has struck. All
scenarios run at once, as each mostly waits for the next time that Snakemake asks Slurm.
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cluster import BLOCK, PROFILE, Workflow, cancel, eventually, freeze, jobs_of, profile, simulating, thaw, training
from conftest import ROOT, run, write_config
from stores import LONGER, receipts_in, tree
from test_resume import SMALL, config_beside

from lehr.generate.driver import finalise
from lehr.glass.config import GlassRun
from lehr.studies import load_run

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

MODEL = "models/C/model.keras"


@dataclass(frozen=True)
class Ground:
    """Where a scenario plays.

    Attributes
    ----------
    folder : Path
        Of its own.
    tiny : GlassRun
        GlassRun of a small complete store.
    longer_tree : dict
        What the store of `LONGER` must be in the end.
    workflows : list of Workflow
        What it has started.
    """

    folder: Path
    tiny: GlassRun
    longer_tree: dict[str, str]
    workflows: list[Workflow] = field(default_factory=list)

    def start(self, config: Path, target: str, *words: str, profile: Path = PROFILE) -> Workflow:
        """Start Snakemake."""
        self.workflows.append(Workflow(config, target, *words, profile=profile))
        return self.workflows[-1]

    def clear(self) -> None:
        """End what a failure has left."""
        for workflow in self.workflows:
            workflow.process.kill()
        for job in jobs_of(self.folder):
            cancel(job)

    def to_simulate(self) -> Path:
        """Write a config to simulate a store by."""
        return write_config(self.folder / "c.yaml", LONGER)

    def to_train(self) -> Path:
        """Write a config to train a network by, on the store that is there."""
        return config_beside(self.tiny, self.folder)

    def check_store(self) -> None:
        """Complete the store, and compare it with one that was made without any fault."""
        config = load_run(self.folder / "c.yaml")
        finalise(config, "C")
        assert tree(config.store_path) == self.longer_tree
        assert not list(config.store_path.rglob("*.partial"))

    def check_begin(self, done: int) -> None:
        """See that the last job went on from the parts that were done, or a few more that were just being written."""
        already = re.match(r"C: (\d+) of 48 parts are already done", self.log("simulate-C-1.log"))
        assert already
        assert done <= int(already[1]) <= done + 2

    def check_training(self, starts: int) -> None:
        """Look for each epoch once, and for the times that the training was started."""
        run_folder = load_run(self.folder / "c.yaml").run_path("C")
        with (run_folder / "history.csv").open() as stream:
            epochs = [int(float(row["epoch"])) for row in csv.DictReader(stream)]
        assert epochs == list(range(1, SMALL["training"]["epochs"] + 1))
        assert len(json.loads((run_folder / "run.json").read_text())["starts"]) == starts

    def logs(self) -> str:
        """Return the ends of what Snakemake and its jobs have printed."""
        paths = [*self.folder.glob("*.log"), *self.folder.glob(".snakemake/slurm_logs/**/*.log")]
        return "\n".join(f"--- {path.relative_to(self.folder)}\n{path.read_text()[-3000:]}" for path in paths)

    def log(self, name: str) -> str:
        """Read the log of a rule; Snakemake removes it when the rule is run again."""
        path = self.folder / "results/logs" / name
        return path.read_text() if path.exists() else ""


def a_job_killed_by_scancel(ground: Ground) -> None:
    config = ground.to_simulate()
    workflow = ground.start(config, BLOCK)
    freeze(config, simulating(config))
    done = len(receipts_in(config))
    cancel(workflow.job("RUNNING"))
    assert workflow.end() == 0, workflow.log
    first, second = workflow.jobs
    assert (first.state, second.state) == ("CANCELLED", "COMPLETED")
    assert (first.memory, second.memory) == ("700M", "1400M")
    ground.check_begin(done)
    ground.check_store()


def a_job_over_its_time_limit(ground: Ground) -> None:
    config = ground.to_train()
    workflow = ground.start(config, MODEL, profile=profile(ground.folder / "profile", runtime="attempt + 1"))
    freeze(config, training(config))
    assert workflow.end() == 0, workflow.log
    first, second = workflow.jobs
    assert (first.state, second.state) == ("TIMEOUT", "COMPLETED")
    assert (first.limit, second.limit) == ("2:00", "3:00")
    assert "C: going on after epoch" in ground.log("train-C.log")
    ground.check_training(starts=2)


def a_full_queue_and_a_drained_node(ground: Ground) -> None:
    config = ground.to_simulate()
    submitted = run("sbatch", "--parsable", "--partition=gpu", "--ntasks=16", "--wrap=sleep 600", cwd=ground.folder)
    assert submitted.returncode == 0, submitted.stderr
    workflow = ground.start(config, BLOCK, "--default-resources", "slurm_partition=gpu")
    try:
        eventually(lambda: len(workflow.jobs) == 2 and workflow.jobs[1].reason in ("Resources", "Priority"))
        assert run("scontrol", "update", "nodename=n2", "state=drain", "reason=test").returncode == 0
        assert workflow.jobs[0].state == "RUNNING"  # what runs goes on
        cancel(workflow.jobs[0])
        eventually(lambda: "drained" in run("sinfo", "--noheader", "--nodes=n2", "--format=%T").stdout)
        assert workflow.jobs[1].state == "PENDING"
    finally:
        run("scancel", submitted.stdout.strip())
        assert run("scontrol", "update", "nodename=n2", "state=resume").returncode == 0
    assert workflow.end() == 0, workflow.log
    assert [job.state for job in workflow.jobs] == ["CANCELLED", "COMPLETED"]
    ground.check_store()


def snakemake_interrupted_by_sigint(ground: Ground) -> None:
    """It cancels its jobs; not those that it is just asking Slurm about, so here it does not ask yet."""
    config = ground.to_simulate()
    workflow = ground.start(config, BLOCK, "--slurm-init-seconds-before-status-checks=90")
    freeze(config, simulating(config))
    workflow.kill(signal.SIGINT)
    eventually(lambda: workflow.jobs[0].state == "CANCELLED")
    done = len(receipts_in(config))
    again = ground.start(config, BLOCK)
    assert again.end() == 0, again.log
    assert [job.state for job in again.jobs] == ["CANCELLED", "COMPLETED"]
    ground.check_begin(done)
    ground.check_store()


def snakemake_ended_by_sigterm(ground: Ground) -> None:
    """It waits for the jobs that run, and submits no more."""
    config = ground.to_simulate()
    manifest = "signals.zarr/C/manifest.json"
    workflow = ground.start(config, manifest)
    ranks = freeze(config, simulating(config))
    workflow.process.terminate()
    eventually(lambda: "Will exit after finishing currently running jobs" in workflow.log)
    thaw(ranks)
    assert workflow.end() != 0
    assert [job.state for job in workflow.jobs] == ["COMPLETED"]
    again = ground.start(config, manifest)
    assert again.end() == 0, again.log
    assert [job.comment for job in again.jobs] == ["rule_simulate_wildcards_C_1", "rule_finalise_wildcards_C"]
    ground.check_store()


def snakemake_killed_while_a_subset_is_simulated(ground: Ground) -> None:
    config = ground.to_simulate()
    workflow = ground.start(config, BLOCK)
    ranks = freeze(config, simulating(config))
    again = killed_and_started_again(ground, workflow, config, BLOCK)
    again.job("RUNNING", 2)
    thaw(ranks)  # both jobs are at work at the same parts
    assert again.end() == 0, again.log
    eventually(lambda: [job.state for job in again.jobs] == ["COMPLETED", "COMPLETED"])
    ground.check_store()


def snakemake_killed_while_a_network_is_trained(ground: Ground) -> None:
    config = ground.to_train()
    workflow = ground.start(config, MODEL)
    ranks = freeze(config, training(config))
    again = killed_and_started_again(ground, workflow, config, MODEL)
    eventually(lambda: "C: waiting for process" in ground.log("train-C.log"))
    assert f"Slurm job {workflow.jobs[0].number}, which trains it" in ground.log("train-C.log")
    thaw(ranks)
    assert again.end() == 0, again.log
    assert [job.state for job in again.jobs] == ["COMPLETED", "COMPLETED"]
    ground.check_training(starts=1)


def killed_and_started_again(ground: Ground, workflow: Workflow, config: Path, target: str) -> Workflow:
    """Kill Snakemake, which leaves its job alive and its folder locked; go on as docs/how-to/cluster.md says."""
    workflow.kill(signal.SIGKILL)
    assert workflow.jobs[0].state == "RUNNING"
    locked = ground.start(config, target)
    assert locked.end() != 0
    assert "--unlock" in locked.log
    assert ground.start(config, target, "--unlock").end() == 0
    return ground.start(config, target)


def a_rank_that_dies_inside_an_mpi_job(ground: Ground) -> None:
    config = ground.to_simulate()
    workflow = ground.start(config, BLOCK)
    ranks = freeze(config, simulating(config))
    os.kill(ranks[-1], signal.SIGKILL)
    thaw(ranks[:-1])
    assert workflow.end() == 0, workflow.log
    assert [job.state for job in workflow.jobs] == ["FAILED", "COMPLETED"]
    ground.check_store()


def the_profile_for_clusters(ground: Ground) -> None:
    """No fault: slurm/generic as it is, but for the seconds it waits."""
    config = config_beside(ground.tiny, ground.folder, ranks={"train": 2})
    hurry = ["--slurm-status-command=squeue", "--slurm-init-seconds-before-status-checks=7", "--latency-wait=5"]
    workflow = ground.start(config, MODEL, *hurry, profile=ROOT / "slurm/generic")
    assert workflow.end() == 0, workflow.log
    (job,) = workflow.jobs
    assert (job.state, job.partition, job.limit) == ("COMPLETED", "gpu", "4:00:00")
    assert "TresPerJob=gres:gpu:2\n" in run("scontrol", "show", "job", job.number).stdout
    ground.check_training(starts=1)


SCENARIOS: list[Callable[[Ground], None]] = [
    a_job_over_its_time_limit,
    a_job_killed_by_scancel,
    a_rank_that_dies_inside_an_mpi_job,
    a_full_queue_and_a_drained_node,
    snakemake_interrupted_by_sigint,
    snakemake_ended_by_sigterm,
    snakemake_killed_while_a_subset_is_simulated,
    snakemake_killed_while_a_network_is_trained,
    the_profile_for_clusters,
]


def play(scenario: Callable[[Ground], None], ground: Ground) -> None:
    try:
        scenario(ground)
    except BaseException as error:
        error.add_note(ground.logs())
        raise
    finally:
        ground.clear()


@pytest.fixture(scope="module")
def played(
    slurm: None,
    request: pytest.FixtureRequest,
    tiny_config: GlassRun,
    longer_tree: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Future[None]]]:
    """Start all scenarios that are to be tested."""
    chosen = {item.name for item in request.session.items}
    with ThreadPoolExecutor(len(SCENARIOS)) as pool:
        yield {
            scenario.__name__: pool.submit(
                play, scenario, Ground(tmp_path_factory.mktemp(scenario.__name__), tiny_config, longer_tree)
            )
            for scenario in SCENARIOS
            if f"test_a_run_survives[{scenario.__name__}]" in chosen
        }


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_a_run_survives(scenario: str, played: dict[str, Future[None]]) -> None:
    played[scenario].result()
