"""Configs: what is checked, how errors read, generated files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conftest import ROOT, run

from lehr import Hold, Jump, LehrError, Ramp
from lehr.config import Config, load_config, load_program
from lehr.config.generate import default_yaml, json_schema

CONFIGS = sorted((ROOT / "workflow/config").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_are_valid(path: Path) -> None:
    load_config(path)


def test_default_config_is_the_paper() -> None:
    config = load_config(ROOT / "workflow/config/default.yaml")
    assert config == Config()
    assert config.signals.temperature.points == 18501
    assert config.subsets == ("LU", "RU", "LB", "RB", "C", "G")
    assert len(config.models) == 7
    assert config.loss_weights("C").ln_A == 0.1
    assert config.loss_weights("C-lnA").ln_A == 1.0


def test_generated_files_are_current() -> None:
    assert (ROOT / "workflow/config/default.yaml").read_text() == default_yaml()
    assert (ROOT / "workflow/schemas/config.schema.json").read_text() == json_schema()


def test_generator_checks_and_writes(tmp_path: Path) -> None:
    command = ("python", "-m", "lehr.config", "--root", tmp_path)
    assert run(*command, "--check").returncode == 1
    assert run(*command).returncode == 0
    assert run(*command, "--check").returncode == 0
    assert yaml.safe_load((tmp_path / "workflow/config/default.yaml").read_text())["name"] == "paper"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nam: x", "nam: no such key; did you mean 'name'?"),
        ("training: {epoch: 3}", "training.epoch: no such key; did you mean 'epochs'?"),
        ("models: [{name: a, subset: C, loss_weights: {bta: 1}}]", "did you mean 'beta'?"),
        ("training: {epochs: 0}", "training.epochs: .* (it is 0)"),
        ("signals: {state_space: {x: {stop: 1.2}}}", "signals.state_space.x.stop: .* (it is 1.2)"),
        ("signals: {state_space: {beta: {start: 0.05}}}", "signals.state_space.beta.start"),
        ("signals: {program: {heating_rate: -1}}", "signals.program.heating_rate"),
        ("signals: {program: {cooling_rates: [1, nan]}}", "signals.program.cooling_rates.1"),
        ("signals: {temperature: {step: 0.3}}", "step 0.3 does not divide"),
        ("signals: {storage: {rows_per_chunk: 7}}", "rows_per_chunk 7 does not divide"),
        ("split: {train: 0.9, validation: 0.1}", "leave something for the test split"),
        ("network: {filters: [8, 8]}", "same number of entries"),
        ("training: {batch_size: 100}", "streams 8 does not divide batch_size 100"),
        ("ranks: {train: 3}", "ranks.train 3 does not divide"),
        ("models: [{name: C}]", "models.0.subset: Field required"),
        ("models: [{name: a, subset: X}]", "models.0.subset"),
        ("models: [{name: ../a, subset: C}]", "models.0.name"),
        ("models: [{name: a, subset: C}, {name: a, subset: G}]", "two models have the same name"),
        ("- a list", "must be a mapping"),
        ("x: [", "not valid YAML"),
        ("", "must be a mapping"),
    ],
)
def test_errors_name_file_key_and_value(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(LehrError) as error:
        load_config(path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert all(piece in message for piece in named.split(" .* ")), message


def test_a_missing_config_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LehrError, match="cannot read the file"):
        load_config(tmp_path / "none.yaml")


def test_digest_follows_the_content_only() -> None:
    base = Config()
    changed = Config.model_validate({"training": {"optimizer_options": {"learning_rate": 0.02}}})
    assert base.signals.digest() == changed.signals.digest()
    assert base.training.digest() != changed.training.digest()
    assert base.digest() == Config.model_validate(base.model_dump()).digest()


PROGRAM = """
cycles:
  - segments: [{ramp: {to: 400, rate: 10}}, {hold: {hours: 2}}, {jump: {to: lowest}}, {ramp: {to: highest, rate: 5}}]
  - {start: 600, segments: [{ramp: {to: lowest, rate: 1}}, {ramp: {to: highest, rate: 10}}]}
"""


def test_program_file(tmp_path: Path) -> None:
    path = tmp_path / "program.yaml"
    path.write_text(PROGRAM)
    program = load_program(path)
    assert program.cycles[0].segments == (Ramp(400.0, 10.0), Hold(7200.0), Jump("lowest"), Ramp("highest", 5.0))
    assert program.cycles[1].start == 600.0
    assert program.heating_rates == (5.0, 10.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("ramp: {to: 400, rate: 10}", "ramp: {to: 400, rat: 10}"), "did you mean 'rate'?"),
        (("hours: 2", "hours: 2, days: 1"), "give one of seconds, hours, days or years"),
        (("hold: {hours: 2}", "hold: {hours: 2}, jump: {to: 300}"), "one of ramp, hold or jump"),
        (("rate: 5", "rate: -5"), "cycles.0.segments.3.ramp.rate"),
        (("to: 400", "to: coldest"), "cycles.0.segments.0.ramp.to"),
        (("cycles", "cycle"), "did you mean 'cycles'?"),
        ((", {ramp: {to: highest, rate: 5}}]", "]"), "must be a heating ramp"),
    ],
)
def test_errors_in_a_program_are_named(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    path = tmp_path / "program.yaml"
    path.write_text(PROGRAM.replace(*change, 1))
    with pytest.raises(LehrError) as error:
        load_program(path)
    assert named in str(error.value)
