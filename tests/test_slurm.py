"""What jobs ask of a cluster, and ranks that a real Slurm starts, on two nodes too."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT, TINY, run, write_config
from stores import call, tree
from test_resume import SMALL, config_beside

from lehr.errors import LehrError
from lehr.generate.cost import cost, probe
from lehr.generate.jobs import Costs, Job, job, jobs
from lehr.glass.config import GlassRun
from lehr.launch import horovod_environment, launch
from lehr.studies import load_run

# --- what jobs ask for -----------------------------------------------------------------------------------------------


def costs(config: GlassRun) -> Costs:
    """What the subsets of a run cost, measured now; nothing is kept."""
    return cache(lambda subset: cost(config, subset, probe(config, subset)))


def test_the_paper_is_tens_of_jobs() -> None:
    config = load_run(ROOT / "workflow/config/paper.yaml")
    found = jobs(config, costs(config))
    assert len(found) == 6 + 6 + 7 + 7 * 6 + 7 + 6 + 1
    assert all(job.runtime() <= 90 for job in found if job.rule != "train")
    assert all(job.runtime() == 24 * 60 for job in found if job.rule == "train")  # for CPUs
    assert all(0.5e3 < job.mem_mb() < 16e3 for job in found)


def test_memory_to_simulate_is_as_measured() -> None:
    """docs/results/scaling.md: 0.34 GB for a rank with parts of 512, 0.56 GB with parts of 1,024."""
    for name, measured in (("paper", 0.34e9), ("full", 0.56e9)):
        config = load_run(ROOT / f"workflow/config/{name}.yaml")
        simulate = job(config, costs(config), "simulate", config.subsets[0])
        assert simulate.memory == pytest.approx(measured * simulate.tasks, rel=0.02)


def test_an_attempt_asks_for_more_than_the_last() -> None:
    asked = Job("train", 2, seconds=3600, memory=4e9)
    assert [asked.mem_mb(attempt) for attempt in (1, 2, 3)] == [6300, 12600, 18900]
    assert [asked.runtime(attempt) for attempt in (1, 2, 3)] == [132, 264, 396]
    assert Job("train", 2, seconds=1e6, memory=0).runtime() == 24 * 60


def test_blocks_are_jobs_and_share_the_work() -> None:
    content = load_run(ROOT / "workflow/config/full.yaml").model_dump()
    one, four = (GlassRun.model_validate({**content, "ranks": {"simulate": 16, "blocks": blocks}}) for blocks in (1, 4))
    known = costs(one)
    assert len(jobs(four, known)) == len(jobs(one, known)) + 3
    seconds, whole = (job(each, known, "simulate", "all").seconds for each in (four, one))
    assert seconds == pytest.approx(whole / 4, rel=0.01)


def test_plan_prints_the_jobs(tmp_path: Path) -> None:
    done = call("dataset", "plan", write_config(tmp_path / "c.yaml", TINY), "--slurm")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if len(line.split()) == 6}
    assert rows.keys() >= {"simulate", "finalise", "train", "evaluate", "report"}
    assert rows["simulate"][:2] == ["1", "2"]
    tiny = load_run(tmp_path / "c.yaml")
    assert not list(tmp_path.rglob("probes"))  # a plan writes nothing
    assert float(rows["simulate"][3]) == job(tiny, costs(tiny), "simulate", "C").mem_mb() / 1000
    assert "ranks.blocks" not in done.stdout

    content = load_run(ROOT / "workflow/config/full.yaml").model_dump(mode="json")
    alone = write_config(tmp_path / "full.yaml", {**content, "ranks": {"simulate": 1}})
    assert "would make jobs of about an hour" in call("dataset", "plan", alone, "--slurm").stdout


# --- numbers of ranks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "task", "expected"),
    [
        ("2", (1, 0, 1), (1, 2, 1, 2, 0, 1)),
        ("4(x2)", (5, 1, 1), (5, 8, 1, 4, 1, 2)),
        ("1,3", (3, 1, 2), (3, 4, 2, 3, 0, 1)),
        ("2(x2),1", (4, 2, 0), (4, 5, 0, 1, 2, 3)),
    ],
)
def test_the_numbers_of_a_rank(counts: str, task: tuple[int, int, int], expected: tuple[int, ...]) -> None:
    names = ("SLURM_PROCID", "SLURM_NODEID", "SLURM_LOCALID")
    step = dict(zip(names, map(str, task), strict=True))
    found = horovod_environment({**step, "SLURM_STEP_TASKS_PER_NODE": counts, "SLURMD_NODENAME": "n7"})
    names = ("RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE", "CROSS_RANK", "CROSS_SIZE")
    assert tuple(int(found[f"HOROVOD_{name}"]) for name in names) == expected
    assert found["HOROVOD_HOSTNAME"] == "n7"


def test_launch_needs_an_allocation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(LehrError, match=r"not in a Slurm allocation(.|\n)*horovodrun -np 2 --gloo lehr train"):
        launch(2, ["lehr", "train"])
    assert call("launch", "-n", "2").returncode == 2


# --- real ranks ------------------------------------------------------------------------------------------------------

BOTH = ("--partition=both", "--nodes=2", "--ntasks=2")


@pytest.fixture
def to_simulate(tmp_path: Path) -> Path:
    return write_config(tmp_path / "c.yaml", TINY)


@pytest.mark.slurm
@pytest.mark.mpi
def test_mpi_ranks_on_two_nodes_share_a_subset(slurm: None, to_simulate: Path, tiny_config: GlassRun) -> None:
    command = ("lehr", "dataset", "generate", to_simulate, "--subset", "C", "--ranks", "2")
    done = run("srun", *BOTH, "--mpi=pmi2", "--kill-on-bad-exit=1", *command)
    assert done.returncode == 0, done.stderr
    assert tree(load_run(to_simulate).group_path("C")) == tree(tiny_config.group_path("C"))


@pytest.mark.slurm
@pytest.mark.horovod
@pytest.mark.slow
def test_horovod_ranks_on_two_nodes_train_together(slurm: None, tiny_config: GlassRun, tmp_path: Path) -> None:
    config = config_beside(tiny_config, tmp_path, training={**SMALL["training"], "epochs": 2})
    places = "echo on $SLURMD_NODENAME: $HOROVOD_RANK of $HOROVOD_SIZE, $HOROVOD_LOCAL_RANK of $HOROVOD_LOCAL_SIZE"
    script = tmp_path / "job"
    script.write_text(
        f"#!/bin/bash\nlehr launch -n 2 sh -c '{places}' && lehr launch -n 2 lehr train {config} --model C --ranks 2\n"
    )
    done = run("sbatch", *BOTH, "--wait", "--output", tmp_path / "log", script)
    log = (tmp_path / "log").read_text()
    assert done.returncode == 0, log
    assert sorted(line for line in log.splitlines() if line.startswith("on ")) == [
        "on n1: 0 of 2, 0 of 1",
        "on n2: 1 of 2, 0 of 1",
    ]
    assert json.loads((tmp_path / "results/models/C/run.json").read_text())["ranks"] == 2


@pytest.mark.slurm
@pytest.mark.mpi
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("dataset", "generate", "--subset", "C"), "2 MPI ranks were asked for, but this program runs with 1"),
        (("train", "--model", "C"), "2 training ranks were asked for (ranks.train or --ranks), but 1 started"),
    ],
)
def test_a_launcher_that_does_not_fit_is_named(
    slurm: None, to_simulate: Path, words: tuple[str, ...], named: str
) -> None:
    """srun starts two programs of one rank if it speaks another language than the MPI, or Horovod has none."""
    place = 2 if words[0] == "dataset" else 1
    done = run("srun", "--ntasks=2", "--mpi=none", "lehr", *words[:place], to_simulate, *words[place:], "--ranks", "2")
    assert done.returncode != 0
    assert done.stderr.count(named) == 2
    assert "Traceback" not in done.stderr
    assert not (to_simulate.parent / "results").exists()
