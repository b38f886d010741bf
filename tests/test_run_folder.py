"""The run folder of a training: read, applied to scans, and refused where it is damaged or of another config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from conftest import ROOT

from lehr.errors import LehrError
from lehr.glass.config import GlassRun, NetworkConfig
from lehr.glass.networks import TargetScaling
from lehr.glass.networks.mcnn import build_mcnn
from lehr.glass.quantities import PARAMETERS
from lehr.glass.source import as_rows
from lehr.studies import load_network
from lehr.training.checkpoints import TrainingState
from lehr.training.record import write_run
from lehr.training.samples import Samples

SMALL = NetworkConfig(attention_points=32, filters=(3, 2), pool_sizes=(2, 4), branch_width=5, dense_widths=(6,))


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Run folder of an untrained network on 186 temperatures."""
    config = GlassRun.model_validate(
        {
            "output": str(tmp_path),
            "signals": {"temperature": {"start": -250, "stop": 1600, "step": 10}},
            "network": SMALL.model_dump(),
            "models": [{"name": "C", "subset": "C"}],
        }
    )
    keras.utils.set_random_seed(3)
    names = [quantity.name for quantity in PARAMETERS]
    counts = {"train": 3, "validation": 1, "test": 1}
    samples = Samples(counts, 0, dict.fromkeys(names, 0.0), {name: [0.0, 1.0] for name in names})
    row = {"epoch": 1, "val_mae": 0.1, **{f"val_mae_{name}": 0.1 for name in names}}
    weights = build_mcnn(6, 186, config.network).get_weights()
    state = TrainingState([row], [{"ranks": 1, "seconds": 1.0}], weights)
    store: Any = SimpleNamespace(digest="0" * 16, about={"code": {"version": "1"}, "packages": {}})
    write_run(config, "C", store, samples, state, "0" * 16)
    return config.run_path("C")


class TestRunFolder:
    def test_load_and_predict(self, run_folder: Path) -> None:
        network = load_network(run_folder, temperature=np.linspace(-250, 1600, 186) + 273.15)
        assert network.run["model"] == "C"
        assert network.task.axes["temperature"][1][[0, -1]] == pytest.approx([23.15, 1873.15])
        signals = np.random.default_rng(0).uniform(0, 1, (7, 6, 186))
        found = as_rows(network.predict(signals, batch_size=3))
        # Another batch size sums in another order, in single precision: some 1e-7 of the range of each parameter,
        # in which a value may well be 0.
        expected = np.asarray(network.keras(signals.astype(np.float32)))
        np.testing.assert_allclose(TargetScaling().normalise(found), expected, rtol=1e-5, atol=1e-6)
        assert as_rows(network.predict(signals[:0])).shape == (0, len(PARAMETERS))

    def test_keras_alone_knows_neither_loss_nor_optimizer(self, run_folder: Path) -> None:
        assert not keras.saving.load_model(run_folder / "model.keras").compiled

    def test_signals_of_another_shape(self, run_folder: Path) -> None:
        network = load_network(run_folder)
        with pytest.raises(LehrError, match=r"takes \(n, 6, 186\), samples x cycles x temperatures"):
            network.predict(np.zeros((2, 186, 6)))

    def test_other_temperatures(self, run_folder: Path) -> None:
        with pytest.raises(LehrError, match=r"takes 186 temperatures from 23\.15 to 1873\.15 K"):
            load_network(run_folder, temperature=np.linspace(-240, 1600, 186) + 273.15)

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda folder: (folder / "run.json").unlink(), "run.json: cannot be read"),
            (lambda folder: (folder / "run.json").write_text("{}"), "damaged, or of another version"),
            (lambda folder: (folder / "model.keras").unlink(), "model.keras: cannot be read"),
            (lambda folder: (folder / "model.keras").write_bytes(b"half"), "or damaged"),
        ],
    )
    def test_missing_and_damaged_files(self, run_folder: Path, spoil: Callable[[Path], Any], words: str) -> None:
        spoil(run_folder)
        with pytest.raises(LehrError, match=words) as caught:
            load_network(run_folder)
        assert "lehr train" in caught.value.then

    def test_of_another_network_than_the_config_says(self, run_folder: Path) -> None:
        config = run_folder / "config.yaml"
        config.write_text(config.read_text().replace("branch_width: 5", "branch_width: 6"))
        with pytest.raises(LehrError, match=r"trained with another config \(network\.branch_width: 5 -> 6\)"):
            load_network(run_folder)

    def test_the_example_of_the_model_card_runs(self, run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        text = (run_folder / "README.md").read_text()
        example = text.partition("```python\n")[2].partition("```")[0]
        assert "(n, 6, 186) -> ln_A, delta_h (J/mol), x, beta, each of shape (n,)" in example
        names: dict[str, Any] = {"cpn": np.zeros((2, 6, 186))}
        monkeypatch.chdir(run_folder)
        exec(example, names)
        assert {name: values.shape for name, values in names["answers"].items()} == {
            quantity.name: (2,) for quantity in PARAMETERS
        }


def test_a_run_folder_of_the_first_format_answers_as_it_did() -> None:
    """Written by lehr 0.1.0 at c53e3ba, whose network took signals of shape (temperatures, cycles)."""
    folder = ROOT / "tests/data/format1_run"
    with np.load(folder / "samples.npz") as samples:
        network = load_network(folder, samples["temperature"])
        assert "format" not in network.run
        found, expected = as_rows(network.predict(samples["signals"])), samples["predicted"]
    assert np.ptp(expected, axis=0).min() > 0
    # single precision of outputs of up to 1
    np.testing.assert_allclose(found / TargetScaling().width, expected / TargetScaling().width, rtol=0, atol=1e-6)
