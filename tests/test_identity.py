"""What decides a store: values compared one by one, numerics held honest, stores of format 2 read and gone on with."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import golden
import numpy as np
import pytest
import yaml
from conftest import ROOT, run
from pydantic import Field
from stores import call, untouched

from lehr import LehrError
from lehr.config import Section
from lehr.generate import cost
from lehr.generate.driver import finalise, generate, pending
from lehr.glass.config import GlassRun, SignalsConfig
from lehr.glass.source import GlassSource
from lehr.store import Store, create, open_subset
from lehr.store.layout import check_identity
from lehr.studies import load_run

FORMAT_2 = ROOT / "tests/data/format2"


@pytest.mark.parametrize("name", golden.SECTIONS)
def test_golden_samples_are_what_they_were(name: str) -> None:
    with np.load(golden.PATH) as content:
        assert json.loads(str(content["about"]))["numerics"] == GlassSource.numerics
        kept = {key.partition("/")[2]: content[key] for key in content.files if key.startswith(f"{name}/")}
    made = golden.simulate(name)
    assert made.keys() == kept.keys()
    for key, values in made.items():
        # exact: if this fails, raise GlassSource.numerics and run `python tests/golden.py`
        np.testing.assert_array_equal(values, kept[key], err_msg=key, strict=True)


def test_golden_samples_have_peaks_and_every_status() -> None:
    with np.load(golden.PATH) as content:
        assert content["paper/cpn_max"].max() > 20
        assert set(content["program/status"].tolist()) == {0, 1, 2}
        assert sum(content[f"{name}/status"].size for name in golden.SECTIONS) >= 200


# --- what orphans a store, and what does not --------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, SignalsConfig]:
    """Return an empty store of today's code, and what it was made with."""
    signals = SignalsConfig()
    run_of_c = GlassRun()
    create(tmp_path / "signals.zarr", GlassSource(signals), "C", run_of_c.storage)
    return tmp_path / "signals.zarr", signals


def again(made: tuple[Path, SignalsConfig], signals: SignalsConfig) -> None:
    """Create the store once more, as every run does that finds one."""
    create(made[0], GlassSource(signals), "C", signals.storage)


def test_the_layout_on_disk_is_no_content(made: tuple[Path, SignalsConfig]) -> None:
    before = untouched(made[0])
    again(made, SignalsConfig.model_validate({"storage": {"rows_per_part": 64, "rows_per_chunk": 4}}))
    assert untouched(made[0]) == before


def test_the_code_it_was_built_from_is_no_content(made: tuple[Path, SignalsConfig]) -> None:
    path = made[0] / "C/zarr.json"
    content = json.loads(path.read_text())
    content["attributes"]["lehr"]["code"] = {"version": "9.9.9", "git": "0123456789ab-dirty"}
    path.write_text(json.dumps(content))
    again(made, made[1])


@pytest.mark.parametrize("name", ["study", "subset", "numerics", "values", "digest", "code", "format"])
def test_a_store_that_does_not_say_what_it_is_is_damaged(made: tuple[Path, SignalsConfig], name: str) -> None:
    path = made[0] / "C/zarr.json"
    content = json.loads(path.read_text())
    del content["attributes"]["lehr"][name]
    path.write_text(json.dumps(content))
    with pytest.raises(LehrError, match="damaged, or not a subset made by lehr"):
        again(made, made[1])


class NewKey(SignalsConfig):
    """A later version: a key more, whose default means "as before"."""

    frozen_below: float | None = Field(None, description="a key that stores of today do not know")


class LaterSource(GlassSource):
    """The source of that version."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> GlassSource:
        return cls(NewKey.model_validate(values["signals"]))

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        return self.of(values).values


def test_a_new_key_with_a_default_leaves_a_store_valid(made: tuple[Path, SignalsConfig]) -> None:
    about = Store(made[0] / "C", GlassSource(made[1])).about
    check_identity(made[0], about, LaterSource(NewKey()))
    with pytest.raises(LehrError, match=r"signals\.frozen_below: None -> 20\.0"):
        check_identity(made[0], about, LaterSource(NewKey(frozen_below=20.0)))


class NewDefault(SignalsConfig):
    """A later version with another default."""

    tolerance: float = Field(3e-5, gt=0, le=0.01)


def test_a_changed_default_is_refused_with_both_values(made: tuple[Path, SignalsConfig]) -> None:
    before = untouched(made[0])
    with pytest.raises(LehrError, match=r"made with another config \(signals\.tolerance: 0\.0001 -> 3e-05\)"):
        again(made, NewDefault())
    assert untouched(made[0]) == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tolerance": 1e-3}, "signals.tolerance: 0.0001 -> 0.001"),
        ({"temperature": {"step": 0.2}}, "signals.temperature.step: 0.1 -> 0.2"),
        ({"program": {"heating_rate": 5}}, "signals.program.heating_rate: 10.0 -> 5.0"),
        ({"state_space": {"x": {"count": 9}}}, "signals.state_space.x.count: 41 -> 9"),
    ],
)
def test_another_value_is_refused_with_both(
    made: tuple[Path, SignalsConfig], change: dict[str, Any], named: str
) -> None:
    with pytest.raises(LehrError) as error:
        again(made, SignalsConfig.model_validate(change))
    assert named in error.value.what


def test_a_key_that_this_version_does_not_know_is_refused(made: tuple[Path, SignalsConfig]) -> None:
    path = made[0] / "C/zarr.json"
    path.write_text(path.read_text().replace('"tolerance":', '"tolerance_of_2030": 1, "tolerance":'))
    with pytest.raises(LehrError, match="tolerance_of_2030: no such key"):
        again(made, made[1])


def test_other_numerics_are_refused(made: tuple[Path, SignalsConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GlassSource, "numerics", 2)
    with pytest.raises(LehrError, match=r"made with numerics 1 .* this version has numerics 2"):
        again(made, made[1])


def test_a_store_of_another_study_is_refused(made: tuple[Path, SignalsConfig]) -> None:
    path = made[0] / "C/zarr.json"
    path.write_text(path.read_text().replace('"study": "glass"', '"study": "polymer"'))
    with pytest.raises(LehrError, match="of the study polymer, not glass"):
        again(made, made[1])
    assert call("dataset", "inspect", made[0] / "C").returncode == 2


class Before(Section):
    """A section, and below the same one with a key more."""

    width: int = 3
    inner: dict[str, int] = Field({"a": 1})


class After(Before):
    """As before, with a new key."""

    height: int = 7


def test_a_digest_is_of_what_differs_from_the_defaults() -> None:
    assert Before().digest() == After().digest()
    assert Before(width=4).digest() == After(width=4).digest() != Before().digest()
    assert After(height=8).digest() != After().digest()
    assert Before(inner={"a": 1, "b": 2}).digest() != Before().digest()
    assert Before(inner={"b": 2}).digest() != Before(inner={"a": 1, "b": 2}).digest()  # a mapping is one value
    written = {"state_space": {"x": {"start": 0.2, "stop": 1.0, "step": 0.02}}}
    assert SignalsConfig.model_validate(written).digest() == SignalsConfig().digest()
    assert SignalsConfig(tolerance=1e-3).digest() != SignalsConfig().digest()


# --- format 2 ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def format_2(tmp_path: Path) -> GlassRun:
    """Return the run of a copy of a store that was made at c53e3ba, the last commit that wrote format 2."""
    shutil.copytree(FORMAT_2 / "signals.zarr", tmp_path / "results/signals.zarr")
    content = yaml.safe_load((FORMAT_2 / "config.yaml").read_text())
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**content, "output": str(tmp_path / "results")}))
    return load_run(tmp_path / "config.yaml")


def shards(store: Path) -> dict[str, str]:
    """Hash of each file of signals."""
    files = sorted(path for path in (store / "cpn/c").rglob("*") if path.is_file())
    return {str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_store_of_format_2_is_read(format_2: GlassRun) -> None:
    before = untouched(format_2.store_path)
    store = open_subset(format_2, "all")
    assert (store.about["format"], store.about["numerics"], store.samples) == (2, 1, 36)
    out = {name: np.empty((36, *shape), dtype) for name, shape, dtype in (
        ("cpn", (6, 51), "float32"), ("cpn_max", (), "float32"), ("fictive_temperature", (6,), "float32"),
        ("cpn_mean", (6,), "float32"), ("cpn_mean_square", (6,), "float32"), ("status", (), "int8"),
    )}  # fmt: skip
    store.source.simulate(store.columns(("ln_A", "delta_h", "x", "beta")), out)
    np.testing.assert_array_equal(store.read(0, 36), out.pop("cpn"))
    for name, values in out.items():
        np.testing.assert_array_equal(store.column(name), values)
    for by in ("sample", "cell"):
        split = format_2.split.model_copy(update={"by": by}).build()
        np.testing.assert_array_equal(store.column(f"split_by_{by}"), store.split(split))
    assert untouched(format_2.store_path) == before


def test_a_store_of_format_2_is_verified_and_inspected(format_2: GlassRun) -> None:
    group = format_2.group_path("all")
    done = call("dataset", "verify", group, "--rows", "36")
    assert done.returncode == 0, done.stdout
    done = call("dataset", "inspect", group)
    assert "subset all, format 2" in done.stdout
    assert "3 of 3 are done" in done.stdout


def test_a_store_of_format_2_goes_on(format_2: GlassRun) -> None:
    group = format_2.group_path("all")
    before = shards(group)
    (group / "receipts/part-000001.npz").unlink()
    (group / "cpn/c/1/0/0").unlink()
    assert [part.number for part in pending(format_2, "all")] == [1]
    generate(format_2, "all")
    assert shards(group) == before
    assert call("dataset", "verify", group).returncode == 0


def test_a_store_of_format_2_of_other_code_is_read_but_not_gone_on_with(format_2: GlassRun) -> None:
    path = format_2.group_path("all") / "zarr.json"
    path.write_text(path.read_text().replace("d0d7c3725bee2058", "0123456789abcdef"))
    with pytest.raises(LehrError, match="numerics code 0123456789abcdef"):
        generate(format_2, "all")
    assert open_subset(format_2, "all").samples == 36  # to be trained on, as the build that made it would
    assert call("dataset", "inspect", path.parent).returncode == 0


def test_finalise_with_another_config_changes_nothing(format_2: GlassRun) -> None:
    """The coordinates are written anew: those of another config would lie beside the signals."""
    before = untouched(format_2.store_path)
    space = format_2.signals.state_space
    for axis in ({"start": 300_000, "stop": 400_000, "count": 3}, {"start": 300_000, "stop": 500_000, "count": 5}):
        content = {**space.model_dump(), "delta_h": axis}
        signals = SignalsConfig.model_validate({**format_2.signals.model_dump(), "state_space": content})
        other = format_2.model_copy(update={"signals": signals})
        with pytest.raises(LehrError, match=r"made with another config .*signals\.state_space\.delta_h"):
            finalise(other, "all")
        with pytest.raises(LehrError, match="made with another config"):
            pending(other, "all")
    assert untouched(format_2.store_path) == before


def test_the_layout_of_a_store_that_is_there_is_kept(format_2: GlassRun) -> None:
    storage = format_2.signals.storage.model_copy(update={"rows_per_part": 32})
    other = format_2.model_copy(update={"signals": format_2.signals.model_copy(update={"storage": storage})})
    before = shards(format_2.group_path("all"))
    generate(other, "all")
    assert finalise(other, "all")["parts"] == 3
    assert shards(format_2.group_path("all")) == before


# --- what planning costs ----------------------------------------------------------------------------------------------


def test_a_probe_is_kept_and_of_these_samples(format_2: GlassRun, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost.known_probe(format_2, "all", measure=False) is None
    first = cost.known_probe(format_2, "all", measure=True)
    monkeypatch.setattr(cost, "probe", lambda *_: pytest.fail("it is known"))
    assert cost.known_probe(format_2, "all", measure=False) == first
    other = format_2.model_copy(update={"signals": format_2.signals.model_copy(update={"tolerance": 1e-3})})
    assert cost.known_probe(other, "all", measure=False) is None


def test_a_probe_stops_after_its_time(format_2: GlassRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a sample takes, one is simulated, and none is begun when the time is over."""
    calls: list[int] = []

    def slow(_: GlassSource, rows: dict[str, Any], out: dict[str, Any]) -> None:
        calls.append(len(rows["x"]))
        out["cpn"][:] = 0

    now = iter(0.6 * step for step in range(100))
    monkeypatch.setattr(GlassSource, "simulate", slow)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(now))
    assert cost.probe(format_2, "all").samples == sum(calls) == 1


def test_a_probe_does_not_begin_what_does_not_fit(format_2: GlassRun, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def slow(_: GlassSource, rows: dict[str, Any], out: dict[str, Any]) -> None:
        clock[0] += 0.2 * len(rows["x"])
        out["cpn"][:] = 0

    monkeypatch.setattr(GlassSource, "simulate", slow)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: clock[0])
    assert cost.probe(format_2, "all").samples >= 4
    assert clock[0] < 1.0 + 1e-9


@pytest.mark.slow
def test_a_dry_run_of_the_workflow_simulates_nothing(format_2: GlassRun, tmp_path: Path) -> None:
    """The kernel is taken away: whatever simulated would fail."""
    shutil.rmtree(tmp_path / "results")
    (tmp_path / "sitecustomize.py").write_text(
        "import lehr.glass.source\n"
        "def simulate(*_): raise SystemExit('simulated')\n"
        "lehr.glass.source.GlassSource.simulate = simulate\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])),
    }
    command = ("snakemake", "-n", "--snakefile", ROOT / "Snakefile", "--configfile", tmp_path / "config.yaml")
    done = run(*command, "--cores", "2", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "simulated" not in done.stderr
    assert "Simulating the subset all" in done.stdout
    assert not (tmp_path / "results").exists()
