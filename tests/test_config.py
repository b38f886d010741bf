"""Configs: what is checked, how errors read, generated files."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, run

from lehr import Hold, Jump, LehrError, Ramp
from lehr.config import differences
from lehr.glass.config import GlassRun, StateSpaceConfig
from lehr.glass.config.program import load_program
from lehr.glass.estimator.config import load_estimator_config
from lehr.glass.estimator.network import read_weights
from lehr.glass.paper import differences_from_paper
from lehr.studies import load_run

CONFIGS = sorted(set((ROOT / "workflow/config").glob("*.yaml")) - {ROOT / "workflow/config/estimator.yaml"})


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_are_valid(path: Path) -> None:
    load_run(path)


def test_shipped_config_of_the_estimator_is_that_of_its_weights() -> None:
    with resources.as_file(resources.files("lehr.glass.estimator") / "estimator.npz") as path:
        _, record = read_weights(path)
    config = load_estimator_config(ROOT / "workflow/config/estimator.yaml")
    assert not differences(record["config"], config.model_dump(mode="json"))


def test_default_config_is_the_paper() -> None:
    config = load_run(ROOT / "workflow/config/default.yaml")
    assert config == GlassRun()
    assert config.signals.temperature.points == 18501
    assert config.subsets == ("LU", "RU", "LB", "RB", "C", "G")
    assert len(config.models) == 7
    assert config.split.by == "sample"
    assert config.loss_weights("C").ln_A == 0.1
    assert config.loss_weights("C-lnA").ln_A == 1.0


def test_each_network_is_tested_on_each_subset() -> None:
    models = [{"name": "C", "subset": "C"}, {"name": "cells", "subset": "C", "split_by": "cell"}]
    config = GlassRun.model_validate({"models": models, "subsets": ["G", "C"]})
    assert config.tests == [(model, subset) for model in ("C", "cells") for subset in ("C", "G")]
    own = GlassRun.model_validate({"models": models, "subsets": ["G", "C"], "evaluation": {"transfer": False}})
    assert own.tests == [("C", "C"), ("cells", "C")]
    assert (config.split_of("C"), config.split_of("cells").by) == (config.split, "cell")


def _sizes(config: GlassRun) -> list[int]:
    space = config.signals.state_space.build()
    return [space.subset(name).size for name in config.subsets]


def test_paper_and_full_have_the_sizes_of_the_paper() -> None:
    paper, full = (load_run(ROOT / f"workflow/config/{name}.yaml") for name in ("paper", "full"))
    assert _sizes(paper) == [203_401] * 5 + [134_480]
    assert paper.digest() == GlassRun().digest()
    assert (full.subsets, full.models, _sizes(full)) == (("all",), (), [13_752_261])
    assert full.signals.model_copy(update={"storage": paper.signals.storage}) == paper.signals


def test_generated_files_are_current() -> None:
    made = run("python", ROOT / "workflow/schemas/generate.py", "--root", ROOT, "--check")
    assert made.returncode == 0, made.stderr


def test_generator_checks_and_writes(tmp_path: Path) -> None:
    command = ("python", ROOT / "workflow/schemas/generate.py", "--root", tmp_path)
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
        ("signals: {state_space: {x: {strt: 0.3}}}", "signals.state_space.x.strt: no such key; did you mean 'start'?"),
        ("signals: {state_space: {ln_A: {value: [-9]}}}", "ln_A.value: no such key; did you mean 'values'?"),
        ("signals: {state_space: {x: {step: 0.3}}}", "signals.state_space.x: step 0.3 does not divide"),
        (
            "signals: {state_space: {x: {step: 0.1, count: 9}}}",
            "signals.state_space.x: an axis is {start, stop, count}",
        ),
        ("signals: {state_space: {x: {values: [0.3], start: 0.3}}}", "state_space.x: an axis is {start, stop, count}"),
        ("signals: {state_space: {ln_A: {start: -90}}}", "state_space.ln_A: an axis is {start, stop, count}"),
        (
            "signals: {state_space: {x: {values: [0.3, 0.2]}}}",
            "state_space.x: .* must ascend, but 0.3 is followed by 0.2",
        ),
        ("signals: {state_space: {x: [0.2, 0.3]}}", "signals.state_space.x: an axis is {start, stop, count}"),
        ("signals: {state_space: {x: {values: []}}}", "state_space.x.values"),
        ("signals: {state_space: {beta: {values: [0.05, 0.5]}}}", "state_space.beta.values.0: .* (it is 0.05)"),
        ("signals: {state_space: {ln_A: {values: [-90, 5]}}}", "state_space.ln_A.values.1: .* less than 4.6"),
        (
            "signals: {state_space: {ln_A: {values: [-90]}, ln_A_count: 3}}",
            "state_space: give ln_A, or glass_transition",
        ),
        ("signals: {state_space: {scatter: {method: sobl, count: 3}}}", "scatter.method: .* 'random' or 'sobol'"),
        ("signals: {state_space: {scatter: {method: sobol, cuont: 3}}}", "scatter.cuont: .* did you mean 'count'?"),
        ("signals: {state_space: {scatter: {method: sobol}}}", "scatter.count: Field required"),
        ("signals: {state_space: {scatter: {method: random, count: 9}}}", "scattered points have the subset all only"),
        ("split: {by: row}", "split.by: .* 'sample' or 'cell'"),
        ("subsets: [C]", "subsets: the subset LU of the model LU is missing"),
        ("subsets: [X]", "subsets.0"),
        ("models: []", "there is nothing to simulate"),
        ("{models: [], subsets: []}", "there is nothing to simulate"),
        ("signals: {program: {cycle: []}}", "signals.program.cycle: no such key; did you mean 'cycles'?"),
        ("signals: {program: {coolng_rates: [1]}}", "program.coolng_rates: no such key; did you mean 'cooling_rates'?"),
        ("signals: {program: {cycles: [], heating_rate: 1}}", "signals.program: a program is {cooling_rates"),
        (
            "signals: {program: {cycles: [{segments: [{ramp: {to: highest, rat: 1}}]}]}}",
            "signals.program.cycles.0.segments.0.ramp.rat: no such key; did you mean 'rate'?",
        ),
        (
            "signals: {program: {cycles: [{segments: [{jump: {to: 300}}]}]}}",
            "signals.program: the last segment of a cycle must be a heating or cooling ramp",
        ),
        (
            "signals: {program: {cycles: [{segments: [{ramp: {to: lowest, rate: 10}}]}]}}",
            "signals: program: the recorded scan of cycle 1 cools",
        ),
        ("signals: {program: {heating_rate: -1}}", "signals.program.heating_rate: "),
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
        load_run(path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert all(piece in message for piece in named.split(" .* ")), message


def test_a_missing_config_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LehrError, match="cannot read the file"):
        load_run(tmp_path / "none.yaml")


def test_digest_follows_the_content_only() -> None:
    base = GlassRun()
    changed = GlassRun.model_validate({"training": {"optimizer_options": {"learning_rate": 0.02}}})
    assert base.signals.digest() == changed.signals.digest()
    assert base.training.digest() != changed.training.digest()
    assert base.digest() == GlassRun.model_validate(base.model_dump()).digest()


def _state_space(**content: Any) -> StateSpaceConfig:
    return StateSpaceConfig.model_validate(content)


@pytest.mark.parametrize(
    "ways",
    [
        [{"x": way} for way in ({}, {"step": 0.02}, {"start": 0.2, "stop": 1.0, "count": 41})],
        [{"x": {"step": 0.4}}, {"x": {"count": 3}}, {"x": {"values": [0.2, 0.6, 1]}}],
        [{"beta": {"values": [0.3]}}, {"beta": {"start": 0.3, "stop": 0.3, "count": 1}}],
        [{"ln_A": {"start": -90, "stop": -50, "step": 20}}, {"ln_A": {"values": [-90, -70, -50]}}],
        [{"scatter": {"method": "sobol", "count": 8}, "x": way} for way in ({}, {"values": [0.2, 0.3, 1.0]})],
        [{"scatter": {"method": "sobol", "count": 8}}, {"scatter": {"method": "sobol", "count": 8}, "ln_A_count": 9}],
    ],
)
def test_ways_to_write_the_same_have_one_digest(ways: list[dict[str, Any]]) -> None:
    written = [_state_space(**way) for way in ways]
    assert len({section.digest() for section in written}) == 1
    if written[0].scatter is None:
        assert len({section.build() for section in written}) == 1
    for section in written:
        assert _state_space(**section.model_dump(mode="json")).digest() == section.digest()
        assert _state_space(**section.model_dump()).digest() == section.digest()


def test_different_state_spaces_have_different_digests() -> None:
    ways: list[dict[str, Any]] = [
        {},
        {"x": {"values": [0.2, 0.3, 1.0]}},
        {"ln_A": {"values": [-90, -20]}},
        {"ln_A_count": 2},
        *({"scatter": {"method": method, "count": 8}} for method in ("random", "sobol")),
        {"scatter": {"method": "random", "count": 8, "seed": 1}},
        {"scatter": {"method": "random", "count": 8}, "x": {"stop": 0.9}},
        {"scatter": {"method": "random", "count": 8}, "ln_A_count": 1},
    ]
    assert len({_state_space(**way).digest() for way in ways}) == len(ways)


def test_subsets_besides_those_of_the_models() -> None:
    models = [{"name": "one", "subset": "G"}]
    assert GlassRun.model_validate({"models": models}).subsets == ("G",)
    assert GlassRun.model_validate({"models": models, "subsets": None}).subsets == ("G",)
    both = GlassRun.model_validate({"models": models, "subsets": ["all", "G", "LU", "G"]})
    assert both.subsets == ("LU", "G", "all")
    assert both.digest() == GlassRun.model_validate(both.model_dump(mode="json")).digest()
    assert GlassRun.model_validate({"models": [{"name": "one", "subset": "all"}]}).subsets == ("all",)


def test_scattered_config() -> None:
    scatter = {"method": "sobol", "count": 64, "seed": 3}
    config = GlassRun.model_validate(
        {"signals": {"state_space": {"scatter": scatter, "x": {"values": [0.5]}}}, "models": [], "subsets": ["all"]}
    )
    subset = config.signals.state_space.build().subset("all")
    assert subset.size == 64
    assert (subset.parameters(0, 64)[:, 2] == 0.5).all()


def test_any_program_in_a_config() -> None:
    signals = {"program": yaml.safe_load(PROGRAM), "temperature": {"step": 10}}
    config = GlassRun.model_validate({"signals": signals})
    assert config.signals.program.cycle_count == 2
    assert config.signals.program.build().heating_rates == (5.0, 10.0)
    in_seconds = yaml.safe_load(PROGRAM.replace("hours: 2", "seconds: 7200"))
    same = GlassRun.model_validate({"signals": {**signals, "program": in_seconds}})
    assert same.digest() == config.digest() == GlassRun.model_validate(config.model_dump(mode="json")).digest()
    assert config.signals.digest() != GlassRun().signals.digest()
    assert GlassRun().signals.program.cycle_count == 6
    assert any(line.startswith("thermal program: another one, of 2 cycles") for line in differences_from_paper(config))


def test_what_differs_from_the_paper_is_said() -> None:
    assert differences_from_paper(GlassRun()) == []
    spaces: list[tuple[dict[str, Any], str]] = [
        ({"x": {"step": 0.1}}, "values of x: 9 instead of 41"),
        ({"x": {"values": [0.3, 0.4, 0.9]}}, "values of x: not evenly spaced"),
        ({"ln_A": {"values": [-90, -20]}}, "ln A: -90 to -20 for each Δh* instead of a range of Tg"),
    ]
    for content, line in spaces:
        assert line in differences_from_paper(GlassRun.model_validate({"signals": {"state_space": content}}))
    scattered = {
        "signals": {"state_space": {"scatter": {"method": "random", "count": 9}}},
        "subsets": ["all"],
        "models": [],
    }
    assert "samples: 9 random points instead of a grid" in differences_from_paper(GlassRun.model_validate(scattered))
    by_cell = GlassRun.model_validate({"split": {"by": "cell"}})
    assert differences_from_paper(by_cell) == ["split by: cell instead of sample"]
    assert by_cell.split.build().by == "cell"


def test_examples_of_the_page_are_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/state-space.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    without = [line for line in example.splitlines() if not line.strip().startswith(("glass_transition", "ln_A_count"))]
    listed = "\n".join(without).replace("# ln_A:", "ln_A:")
    scattered = [
        listed.replace("# scatter: {" + method, "scatter: {" + method) for method in ("method: r", "method: s")
    ]
    for i, text in enumerate([example, listed]):
        (tmp_path / f"{i}.yaml").write_text(text)
        load_run(tmp_path / f"{i}.yaml")
    for text in scattered:
        assert yaml.safe_load(text)["signals"]["state_space"]["scatter"]["count"] > 0
        StateSpaceConfig.model_validate(yaml.safe_load(text)["signals"]["state_space"])


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
        (("hours: 2", "hours: 2, days: 1"), "give one of seconds, minutes, hours, days or years"),
        (("hold: {hours: 2}", "hold: {hours: 2}, jump: {to: 300}"), "one of ramp, hold or jump"),
        (("rate: 5", "rate: -5"), "cycles.0.segments.3.ramp.rate"),
        (("to: 400", "to: coldest"), "cycles.0.segments.0.ramp.to"),
        (("cycles", "cycle"), "did you mean 'cycles'?"),
        ((", {ramp: {to: highest, rate: 5}}]", "]"), "must be a heating or cooling ramp"),
    ],
)
def test_errors_in_a_program_are_named(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    path = tmp_path / "program.yaml"
    path.write_text(PROGRAM.replace(*change, 1))
    with pytest.raises(LehrError) as error:
        load_program(path)
    assert named in str(error.value)
