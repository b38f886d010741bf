"""The Snakemake workflow: end to end at a small size, and what is rerun after a change."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, TINY, run, write_config
from stores import tree

from lehr.glass.config import GlassRun

MEASURED = ("evaluate", "robustness", "limits")
FEW = {"robustness": {"samples": 8}, "limits": {"samples": 2, "noise": [0.01]}}


def snakemake(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow in the folder of the config, where Snakemake keeps its own records."""
    # --configfile takes all that follows it, so it comes last
    return run(
        "snakemake", *words, "--snakefile", ROOT / "Snakefile", "--directory", config.parent, "--cores", "2",
        "--configfile", config, timeout=600,
    )  # fmt: skip


def planned(config: Path, *words: str) -> set[str]:
    """Rules that a dry run would run, from the table of its jobs."""
    done = snakemake(config, *words, "--dry-run")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    return {row[0] for row in rows if len(row) == 2 and row[0].isalpha() and row[1].isdigit()} - {"total"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the whole workflow once."""
    config = write_config(tmp_path_factory.mktemp("flow") / "c.yaml", {**TINY, "name": "flow", "evaluation": FEW})
    assert planned(config) == {"simulate", "finalise", "train", *MEASURED, "report", "all"}
    done = snakemake(config)
    assert done.returncode == 0, done.stdout + done.stderr
    return config


def edited(finished: Path, section: str, key: str, value: Any) -> Path:
    """Change one key of the config in place."""
    content = yaml.safe_load(finished.read_text())
    content[section] = {**content.get(section, {}), key: value}
    finished.write_text(yaml.safe_dump(content))
    return finished


@pytest.mark.horovod
@pytest.mark.mpi
@pytest.mark.slow
class TestFinished:
    def test_everything_is_there(self, finished: Path) -> None:
        results = finished.parent / "results"
        assert (results / "report.html").stat().st_size > 10_000
        assert (results / "models/C/model.keras").exists()
        assert (results / "logs/train-C.log").stat().st_size > 0

    def test_snakemake_makes_its_report_of_the_same_figures(self, finished: Path, tmp_path: Path) -> None:
        done = snakemake(finished, "--report", str(tmp_path / "page.html"))
        assert done.returncode == 0, done.stderr
        text = (tmp_path / "page.html").read_text()
        assert all(f"{name}.png" in text for name in ("sorted-x", "C-maps", "robustness"))
        assert "thresholds.csv" in text
        assert "Networks that read the four parameters" in text

    def test_a_second_run_has_nothing_to_do(self, finished: Path) -> None:
        assert planned(finished) == set()
        assert "Nothing to be done" in snakemake(finished).stdout + snakemake(finished).stderr

    @pytest.mark.parametrize(
        ("section", "key", "value", "rules"),
        [
            (
                "training",
                "optimizer_options",
                {"learning_rate": 0.001},
                {"train", "evaluate", "robustness", "report", "all"},
            ),
            ("evaluation", "cpn_max", 5.0, {*MEASURED, "report", "all"}),
            ("evaluation", "robustness", {"samples": 3}, {"robustness", "report", "all"}),
            ("evaluation", "limits", {"samples": 3}, {"limits", "report", "all"}),
            ("evaluation", "transfer", False, {"report", "all"}),
            ("report", "material", "a-Se (enthalpy)", {"report", "all"}),
            ("signals", "tolerance", 1e-3, {"simulate", "finalise", "train", *MEASURED, "report", "all"}),
            ("split", "seed", 1, {"finalise", "train", *MEASURED, "report", "all"}),
            ("ranks", "simulate", 1, {"report", "all"}),
        ],
    )
    def test_a_change_reruns_what_depends_on_it(
        self, finished: Path, section: str, key: str, value: Any, rules: set[str]
    ) -> None:
        before = finished.read_text()
        try:
            assert planned(edited(finished, section, key, value)) == rules
        finally:
            finished.write_text(before)

    def test_what_is_lost_is_made_again_and_no_more(self, finished: Path, tmp_path: Path) -> None:
        copy = Path(shutil.copytree(finished.parent, tmp_path / "copy"))
        content = yaml.safe_load((copy / "c.yaml").read_text())
        config = write_config(copy / "c.yaml", {**content, "output": str(copy / "results")})
        group = copy / "results/signals.zarr/C"
        before = tree(group)
        (group / "manifest.json").unlink()
        log = copy / "results/logs/simulate-C-1.log"
        log.unlink()
        done = snakemake(config, "dataset")
        assert done.returncode == 0, done.stderr
        assert tree(group) == before
        assert not log.exists()

        (group / "manifest.json").unlink()
        (group / "receipts/part-000007.npz").unlink()
        (group / "receipts/block-1-of-1").unlink()
        done = snakemake(config, "dataset")
        assert done.returncode == 0, done.stderr
        assert tree(group) == before
        assert "15 of 16 parts are already done" in log.read_text()

    def test_a_deleted_subset_is_simulated_again(self, finished: Path, tmp_path: Path) -> None:
        """It is what lehr says to do with a subset of another config; its finished blocks go with it."""
        copy = Path(shutil.copytree(finished.parent, tmp_path / "copy"))
        content = yaml.safe_load((copy / "c.yaml").read_text())
        config = write_config(copy / "c.yaml", {**content, "output": str(copy / "results")})
        shutil.rmtree(copy / "results/signals.zarr/C")
        assert planned(config, "dataset") == {"simulate", "finalise", "dataset"}


@pytest.mark.mpi
@pytest.mark.slow
def test_blocks_of_two_subsets_are_jobs_of_their_own(tmp_path: Path, tiny_config: GlassRun) -> None:
    config = write_config(
        tmp_path / "c.yaml", {**TINY, "subsets": ["C", "G"], "ranks": {"simulate": 1, "blocks": 2}, "name": "blocks"}
    )
    assert planned(config, "dataset") == {"simulate", "finalise", "dataset"}
    done = snakemake(config, "dataset")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(tmp_path / "results/signals.zarr/C") == tree(tiny_config.group_path("C"))
    assert (tmp_path / "results/signals.zarr/G/manifest.json").exists()
    assert len(list((tmp_path / "results/logs").glob("simulate-[CG]-[12].log"))) == 4
    assert not (tmp_path / "results/models").exists()
    assert planned(config, "dataset") == set()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "Give one config file"),
        (("--configfile", str(ROOT / "workflow/config/demo.yaml"), "--config", "name=x"), "Give one config file"),
    ],
)
def test_the_snakefile_says_what_it_needs(tmp_path: Path, words: tuple[str, ...], named: str) -> None:
    done = run("snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path, "-n", *words)
    assert done.returncode != 0
    assert named in done.stdout + done.stderr


def test_a_bad_config_stops_before_anything_runs(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", {**TINY, "trainning": {}})
    done = snakemake(config, "--dry-run")
    assert done.returncode != 0
    assert "did you mean 'training'?" in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()
