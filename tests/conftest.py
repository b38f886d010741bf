"""What several test modules share: the command line as a user runs it, and a small real store."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: tests share few cores with the ranks that they start

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lehr.glass.config import GlassRun
from lehr.studies import load_run

if TYPE_CHECKING:
    from studied import Study

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

TINY: dict[str, Any] = {
    "name": "tiny",
    "signals": {
        "state_space": {"x": {"count": 2, "start": 0.4, "stop": 0.8}, "beta": {"count": 2, "start": 0.4, "stop": 0.8}},
        "temperature": {"start": -250, "stop": 1600, "step": 10},
        "storage": {"rows_per_part": 32, "rows_per_chunk": 8},
    },
    "network": {"attention_points": 64, "filters": [4, 4], "pool_sizes": [4, 4], "branch_width": 8, "dropout": 0.0},
    "training": {"optimizer": "adam", "optimizer_options": {"learning_rate": 0.003}, "batch_size": 32, "epochs": 3},
    "models": [{"name": "C", "subset": "C"}],
}
"""484 samples of the subset C, 186 temperatures: seconds to simulate and to train."""


@pytest.fixture(scope="session", autouse=True)
def _environment() -> None:
    """Put the commands of this environment first, as `make` does."""
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"


def write_config(path: Path, content: dict[str, Any]) -> Path:
    """Write a config whose results lie beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"output": str(path.parent / "results"), **content}))
    return path


def run(*command: str | Path, timeout: float = 300, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed; it is not checked."""
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=timeout, check=False, **options
    )


@pytest.fixture(scope="session")
def lehr() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the installed command line."""
    return lambda *words, **options: run("lehr", *words, **options)


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the config of a small complete store; tests must not change the store."""
    path = write_config(tmp_path_factory.mktemp("tiny") / "tiny.yaml", TINY)
    done = run("mpiexec", "-n", "2", "lehr", "dataset", "generate", path, "--subset", "C", "--ranks", "2")
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="session")
def tiny_config(tiny_path: Path) -> GlassRun:
    """GlassRun of the small complete store."""
    return load_run(tiny_path)


@pytest.fixture(scope="session")
def longer_tree(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Tree of a store that tests interrupt, here made without interruption."""
    from stores import LONGER, tree

    path = write_config(tmp_path_factory.mktemp("longer") / "longer.yaml", LONGER)
    done = run("mpiexec", "-n", "2", "lehr", "dataset", "generate", path, "--subset", "C")
    assert done.returncode == 0, done.stderr
    return tree(path.parent / "results/signals.zarr")


@pytest.fixture(scope="session")
def slurm() -> None:
    """Need the Slurm for tests, which nobody wants to be installed by surprise."""
    if run(ROOT / "slurm/ci/slurm.sh", "status").returncode != 0:
        pytest.skip("needs the Slurm that `make test-slurm` starts")


@pytest.fixture(scope="session")
def study(tiny_config: GlassRun, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three networks with all that is measured of them, and their report; tests must not change it."""
    from studied import reported  # TensorFlow takes seconds to load

    return reported(tiny_config, tmp_path_factory.mktemp("study"))
