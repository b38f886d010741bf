"""The numbers as they are printed, the plane, and what the page says, also of what is missing."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import write_config
from stores import call
from studied import Study, answer
from trained import fake_run

from lehr.evaluation import RunReference, evaluate, predict
from lehr.figures import typeset
from lehr.figures.files import FigureFiles, Image
from lehr.generate.driver import generate
from lehr.glass.config import GlassRun
from lehr.glass.config.run import ReportConfig
from lehr.glass.quantities import BETA, DELTA_H, GLASS_TRANSITION, LN_A, QUANTITIES, X
from lehr.glass.report.material import outside
from lehr.glass.space import ScatteredSpace, StateSpace
from lehr.glass.space.plane import subset_plane
from lehr.report import write_report
from lehr.store import open_subset
from lehr.studies import load_run
from lehr.study import Columns

ANSWER = np.array([-210.0, 705e3, 0.5, 0.6])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (typeset.value(DELTA_H, 318443.9), "318 kJ/mol"),
        (typeset.value(LN_A, -79.21), "−79.2"),
        (typeset.error(X, 0.01234), "0.012"),
        (typeset.error(DELTA_H, 26432.0), "26 kJ/mol"),
        (typeset.error(DELTA_H, 273e3), "273 kJ/mol"),
        (typeset.error(LN_A, None), "–"),
        (typeset.interval(DELTA_H, 650e3, 750e3), "650 to 750 kJ/mol"),
        (typeset.threshold(GLASS_TRANSITION, 5.0), "5 K"),
        (typeset.difference(BETA, 0.0139), "+0.014"),
        (typeset.difference(BETA, -0.0761), "−0.076"),
        (typeset.ratio(5.117), "5.1 ×"),
        (typeset.ratio(26.2), "26 ×"),
        (typeset.spread([26.2, None, 5.117, 11.0]), "5.1 to 26"),
        (typeset.spread([2.0]), "2.0"),
        (typeset.percent(1.0), "100 %"),
        (typeset.percent(0.9999), "> 99.9 %"),
        (typeset.percent(0.0001), "< 0.1 %"),
        (typeset.count(13752261), "13 752 261"),
        (typeset.duration(4.25), "4.2 s"),
        (typeset.duration(211), "3 min 31 s"),
        (typeset.duration(7503), "2 h 05 min"),
        (typeset.percents(0.9, 0.9712), "90.0 to 97.1 %"),
        (typeset.percents(1.0, 1.0), "100 %"),
        (typeset.bias(DELTA_H, -4321.0), "−4.3 kJ/mol"),
        (typeset.bias(X, 0.0123), "+0.012"),
        (typeset.power(3.14e-5), "3.1 × 10⁻⁵"),
        (typeset.power(0.0317), "0.032"),
        (typeset.formula("As2Se3 (volume)"), "As₂Se₃ (volume)"),
    ],
)
def test_numbers_are_typeset(text: str, wanted: str) -> None:
    assert text.replace("\N{NARROW NO-BREAK SPACE}", " ") == wanted


def test_plane_marks_the_glass_and_the_cells() -> None:
    space = StateSpace()
    axes = subset_plane(space, [space.subset("C"), space.subset("G")], star=("As2Se3", -79.2, 318e3))
    drawn = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_allclose(drawn["C"], space.subset("C").parameters(0, 203_401)[::1681, :2] * [1.0, 1e-3])
    np.testing.assert_allclose(drawn["As2Se3"], [[-79.2, 318.0]])
    assert {"C", "G", "As2Se3"} <= {text.get_text() for text in axes.texts}
    assert axes.yaxis_inverted()
    assert "8181 cells" in axes.get_title(loc="right")


def test_plane_shows_scattered_points() -> None:
    points = ScatteredSpace(StateSpace(), "random", 50_000)
    axes = subset_plane(points, [points.subset("all")])
    np.testing.assert_allclose(axes.lines[0].get_xydata(), points.parameters(np.arange(10_000))[:, :2] * [1.0, 1e-3])
    assert "the first 10000 of 50000 points" in axes.get_title(loc="right")


def glass_of(*parameters: float) -> dict[str, float]:
    """Values of all quantities of a glass."""
    columns = {quantity.name: np.array([value]) for quantity, value in zip(QUANTITIES, parameters, strict=False)}
    return {name: float(values[0]) for name, values in GlassRun().findings().values(columns).items()}


def test_outside_says_what_is_out_of_range() -> None:
    values = glass_of(-79.21, 318443.9, 0.57, 0.71)
    assert values["glass_transition"] == pytest.approx(457.0, abs=0.05)
    ranges = {"delta_h": (650e3, 750e3), "x": (0.2, 1.0), "glass_transition": (300.0, 400.0)}
    words = [text.replace("\N{NARROW NO-BREAK SPACE}", " ") for text in outside(values, ranges)]
    assert words == ["Δh* = 318 kJ/mol is below 650 to 750 kJ/mol", "Tg = 457.0 K is above 300 to 400 K"]
    assert outside(values, {"beta": (0.71, 0.71)}) == []


class Page(HTMLParser):
    """Check that tags close, and gather ids, what is loaded, links and text."""

    VOID = ("meta", "img", "br", "link", "input", "hr")
    LOADS = ("src", "srcset", "data", "poster", "action", "background")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.alternatives: list[str | None] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [value for key, value in attrs if key == "id" and value]
        self.loaded += [value or "" for key, value in attrs if key in self.LOADS or (key == "href" and tag == "link")]
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag == "img":
            self.alternatives.append(values.get("alt"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words += data


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", Page(text).words.replace("\N{NARROW NO-BREAK SPACE}", " "))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing: what a page says is asked, not how it looks."""
    monkeypatch.setattr(FigureFiles, "add", lambda _, name, __, words, **___: Image(name, "data:,", words))


@pytest.fixture
def copy(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GlassRun:
    """GlassRun of a copy of the study, to be damaged."""
    monkeypatch.setattr(predict, "predictor", lambda *_: answer)
    shutil.copytree(study.config.output, tmp_path / "copy", symlinks=True)
    return study.config.model_copy(update={"output": str(tmp_path / "copy")})


def written(config: GlassRun, *more: Path) -> tuple[str, str]:
    """Write the report of a config; return the words of the page and what is missing."""
    path = Path(config.output).with_suffix(".yaml")
    path.write_text(config.model_dump_json())
    page, problems = write_report([path, *more], load_run)
    words, said = words_of(page.read_text(encoding="utf-8")), "\n".join(problems)
    for problem in problems:
        assert re.sub(r"\s+", " ", problem) in words
    return words, said


# --- a study that is complete ----------------------------------------------------------------------------------------


def test_report_is_one_whole_page(study: Study) -> None:
    assert study.problems == []
    assert study.path == study.config.report_path
    text = study.path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []  # every tag is closed
    assert len(page.ids) == len(set(page.ids))
    wanted = {
        "network-C",
        "network-C-cells",
        "network-G",
        "run",
        "errors",
        "transfer",
        "splits",
        "robustness",
        "limits",
    }
    assert wanted | {"glass", "missing", "provenance"} <= set(page.ids)
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)

    # one file: nothing is loaded, from the network or from disk; what is linked is there
    assert all(source.startswith(("data:image/svg+xml,", "data:image/png;base64,")) for source in page.loaded)
    assert not {"link", "iframe", "object"} & set(page.tags)
    assert not re.search(
        r"@import|https?://(?!www\.w3\.org|matplotlib\.org|purl\.org)", re.sub(r"data:image[^\"]*", "", text)
    )
    files = {link for link in page.links if not link.startswith("#")}
    assert {f"tables/{name}.csv" for name in ("summary", "thresholds", "transfer", "robustness", "limits")} <= files
    assert all((study.path.parent / file).stat().st_size > 100 for file in files)
    assert all((study.path.parent / file).with_suffix(".png").exists() for file in files if file.startswith("figures/"))
    assert len({file for file in files if file.startswith("figures/")}) == page.tags.count("img") > 70
    assert all(page.alternatives)
    assert study.path.stat().st_size < 8e6


def test_report_says_what_a_reader_must_know(study: Study) -> None:
    words = words_of(study.path.read_text(encoding="utf-8"))
    assert "temperature step: 10 K instead of 0.1 K" in words
    assert "This is not the paper’s run" in words
    assert words.count("outside the training range of") == 1  # As2Se3, of C and C-cells alike
    assert "Δh* = 318 kJ/mol is below 650 to 750 kJ/mol" in words
    assert "shares that the paper reports for these subsets are reached" in words
    assert open_subset(study.config, "C").digest in words
    metrics = json.loads((study.config.evaluation_path("G", "G") / "metrics.json").read_text())
    assert f"{metrics['samples']['evaluated']} of {metrics['samples']['all']} test samples" in words


def test_tables_have_the_numbers_of_the_evaluation(study: Study) -> None:
    tables = study.path.parent / "tables"
    summary = pd.read_csv(tables / "summary.csv").set_index("network")
    metrics = json.loads((study.config.evaluation_path("C", "C") / "metrics.json").read_text())
    assert summary.loc["C", "x_mae"] == pytest.approx(metrics["quantities"]["x"]["network"]["mae"], rel=1e-5)
    assert list(summary["split_by"]) == ["sample", "cell", "sample"]
    thresholds = pd.read_csv(tables / "thresholds.csv").set_index(["network", "quantity", "threshold"])
    assert thresholds.loc[("G", "x", 0.02), "paper"] == "97 %"
    transfer = pd.read_csv(tables / "transfer.csv")
    sides = transfer[
        (transfer["network"] == "C") & (transfer["tested_on"] == "G") & (transfer["quantity"] == "delta_h")
    ]
    counts = sides.set_index("side")["samples"]
    assert counts["all"] == counts.drop("all").sum()
    assert {"below", "above"} <= set(counts.index)
    limits = pd.read_csv(tables / "limits.csv")
    assert set(limits["subset"]) == {"C", "G"}
    text = (tables / "summary.md").read_text()
    assert len({line.count("|") for line in text.splitlines()}) == 1


def test_the_explorer_has_the_means_of_the_samples(study: Study) -> None:
    text = study.path.read_text(encoding="utf-8")
    maps = json.loads(re.search(r'id="maps">(.*?)</script>', text, re.S)[1])
    assert list(maps["networks"]) == ["C", "C-cells", "G"]
    one = maps["networks"]["C"]["x,beta"]
    assert (one["first"], one["second"][0]) == ([0.4, 0.8], [0.4, 0.8])
    metrics = json.loads((study.config.evaluation_path("C", "C") / "metrics.json").read_text())
    assert np.sum(one["count"]) == metrics["samples"]["evaluated"]
    mean = np.average(one["signals"], weights=one["count"])
    assert mean == pytest.approx(metrics["sse"]["sse_signals"]["mae"], rel=1e-3)


def test_report_of_scattered_points_and_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    ageing = [{"ramp": {"to": 430, "rate": 10}}, {"hold": {"days": 1}}, {"jump": {"to": "lowest"}}]
    heating = {"ramp": {"to": "highest", "rate": 10}}
    signals = {
        "state_space": {"scatter": {"method": "random", "count": 64}},
        "program": {"cycles": [{"segments": [*ageing, heating]}, {"segments": [ageing[2], heating]}]},
        "temperature": {"step": 10},
    }
    model = {"name": "C", "subset": "all"}
    made = GlassRun.model_validate(
        {"output": str(tmp_path / "made"), "signals": signals, "models": [model], "subsets": ["all"]}
    )
    generate(made, "all")
    run = fake_run(made, tmp_path / "run", ANSWER, monkeypatch, subset="all")
    evaluate(RunReference(run, "C"))
    words, problems = written(run)
    assert "the last segments of the cycles of another thermal program" in words
    assert "samples: 64 random points instead of a grid" in words
    assert "after cooling at" not in words
    assert "robustness.nc: no such file" in problems


# --- what is missing or damaged --------------------------------------------------------------------------------------


def test_what_is_missing_is_said_and_the_rest_is_shown(copy: GlassRun, quick: None) -> None:
    shutil.rmtree(copy.run_path("C-cells"))  # never finished
    (copy.evaluation_path("C", "G") / "metrics.json").unlink()
    copy.robustness_path("G").unlink()
    copy.limits_path("C").write_bytes(b"no netCDF")
    (copy.run_path("G") / "history.csv").write_text("epoch\n1\n")
    words, problems = written(copy)
    for said in (
        "models/C-cells/run.json: cannot be read",
        "Network C was not tested on G: run `lehr evaluate CONFIG --model C --on G`",
        "evaluation/G/robustness.nc: no such file",
        "limits/C.nc: damaged",
        "models/G/history.csv: has no column loss, val_mae",
    ):
        assert said in problems
    assert "Two multi-scale convolutional networks" in words
    assert "G, trained on subset G" in words


def test_an_evaluation_of_another_network_is_not_shown(copy: GlassRun, quick: None) -> None:
    path = copy.evaluation_path("C", "C") / "metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "network_checksum": "0"}))
    words, problems = written(copy)
    assert "an evaluation of another network" in problems
    assert "C, trained on subset C" not in words
    assert "C-cells, trained on subset C" in words


def test_predictions_that_are_not_finite_are_said(copy: GlassRun, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(columns: Columns) -> Columns:
        predicted = answer(columns)
        for values in predicted.values():
            values[::7] = np.nan
        return predicted

    monkeypatch.setattr(predict, "predictor", lambda *_: broken)
    evaluate(RunReference(copy, "C"))
    nothing = {name: np.nan * values for name, values in answer({"cpn": np.ones((1, 6, 186))}).items()}
    monkeypatch.setattr(
        predict,
        "predictor",
        lambda *_: lambda columns: {name: np.repeat(nan, len(columns["cpn"])) for name, nan in nothing.items()},
    )
    evaluate(RunReference(copy, "G"))
    monkeypatch.setattr(predict, "predictor", lambda *_: answer)
    words, problems = written(copy)
    assert re.search(r"Network C on C: \d+ of \d+ predictions are not finite", problems)
    assert "Network G on G: no test sample counts" in problems
    assert "C, trained on subset C" in words
    assert "G, trained on subset G" not in words


def test_runs_on_different_stores_are_shown_with_a_warning(
    copy: GlassRun, tiny_config: GlassRun, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tiny_config.model_copy(
        update={
            "name": "coarse",
            "output": str(tmp_path / "made"),
            "signals": tiny_config.signals.model_copy(update={"tolerance": 1e-3}),
        }
    )
    generate(other, "C")
    run = fake_run(other, tmp_path / "coarse", ANSWER, monkeypatch)
    evaluate(RunReference(run, "C"))
    path = tmp_path / "coarse.yaml"
    path.write_text(run.model_dump_json())
    words, problems = written(copy, path)
    assert "These networks learned from different signals" in problems
    assert "coarse/C, trained on subset C" in words
    assert "tiny/C, trained on subset C" in words


def test_networks_that_were_not_evaluated_have_a_page(copy: GlassRun, quick: None) -> None:
    shutil.rmtree(Path(copy.output) / "evaluation")
    words, problems = written(copy)
    assert "No network was evaluated" in words
    assert problems.count("`lehr evaluate CONFIG --model C`") == 1


def test_without_a_store_there_are_no_signals(copy: GlassRun, quick: None) -> None:
    shutil.rmtree(copy.store_path)
    words, problems = written(copy)
    assert "signals.zarr/C: " in problems
    assert "C, trained on subset C" in words
    assert "Scans, true and from the prediction" not in words


def test_a_glass_that_nobody_knows_is_missing(copy: GlassRun, quick: None) -> None:
    words, problems = written(copy.model_copy(update={"report": ReportConfig(material="unobtainium")}))
    assert "no glass 'unobtainium'" in problems
    assert "A real glass: " not in words


@pytest.mark.parametrize("made", ["a run folder", "a config without models", "a config without runs"])
def test_nothing_to_show_is_an_error(made: str, tmp_path: Path) -> None:
    path = tmp_path / "results/models/C"
    path.mkdir(parents=True)
    if made != "a run folder":
        models = {} if made == "a config without runs" else {"models": [], "subsets": ["all"]}
        path = write_config(tmp_path / "c.yaml", models)
    done = call("report", path)
    assert done.returncode == 2
    assert "no trained network is there to report on" in done.stderr
    assert not list(tmp_path.rglob("report.html"))


def test_a_page_with_something_missing_is_no_failure(copy: GlassRun, tmp_path: Path, quick: None) -> None:
    shutil.rmtree(copy.run_path("G"))
    path = tmp_path / "c.yaml"
    path.write_text(copy.model_dump_json())
    done = call("report", path, "--to", tmp_path / "there/page.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"report: {tmp_path / 'there/page.html'}\n"
    assert "lehr: missing in the report: " in done.stderr
    assert (tmp_path / "there/tables/summary.md").exists()
