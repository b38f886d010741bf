"""The figures, the numbers as they are printed, and the page as a reader's browser takes it."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from trained import fake_run

from lehr.config import Config
from lehr.errors import LehrError
from lehr.evaluation import RunReference, evaluate
from lehr.generate import generate
from lehr.report import figures, typeset, write_report
from lehr.report.glass import outside, quantities
from lehr.report.plane import subset_plane
from lehr.report.style import data_uri, line_styles
from lehr.statespace import ScatteredSpace, StateSpace

ANSWER = np.array([-210.0, 705e3, 0.5, 0.6])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (typeset.value("delta_h", 318443.9), "318 kJ/mol"),
        (typeset.value("ln_A", -79.21), "−79.2"),
        (typeset.error("x", 0.01234), "0.012"),
        (typeset.error("delta_h", 26432.0), "26 kJ/mol"),
        (typeset.error("delta_h", 273e3), "273 kJ/mol"),
        (typeset.error("ln_A", None), "–"),
        (typeset.interval("delta_h", 650e3, 750e3), "650 to 750 kJ/mol"),
        (typeset.threshold("glass_transition", 5.0), "5 K"),
        (typeset.difference("beta", 0.0139), "+0.014"),
        (typeset.difference("beta", -0.0761), "−0.076"),
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
        (typeset.formula("As2Se3 (volume)"), "As₂Se₃ (volume)"),
    ],
)
def test_numbers_are_typeset(text: str, wanted: str) -> None:
    assert text.replace("\N{NARROW NO-BREAK SPACE}", " ") == wanted


def test_transition_is_where_the_signal_is_neither_glass_nor_liquid() -> None:
    temperature = np.arange(300.0, 500.0, 1.0)
    ramp = np.clip((temperature - 380.0) / 20.0, 0.0, 1.0)
    low, high = figures.transition(temperature, np.stack([ramp, ramp**2]))
    # 381 to 399 K, 12 % of these 18 K and three steps on either side
    assert (low, high) == pytest.approx((381 - 5.16, 399 + 5.16))


def test_transition_stays_inside_the_window() -> None:
    temperature = np.arange(300.0, 400.0, 1.0)
    cpn = np.linspace(0.2, 0.8, temperature.size)[None]
    assert figures.transition(temperature, cpn) == (300.0, 399.0)


def test_sorted_errors_draws_network_and_trivial_predictor_of_each_model() -> None:
    errors = np.random.default_rng(0).exponential(0.02, 400)
    curves = {name: figures.ErrorCurves(errors * scale, errors * 10) for name, scale in (("C", 1), ("G", 2))}
    axes = figures.sorted_errors(curves, line_styles(["C", "G"]), label="error", thresholds=[(0.02, "0.02")])
    network, trivial = axes.lines[:2]
    assert axes.get_yscale() == "log"
    assert (np.diff(network.get_ydata()) >= 0).all()
    assert network.get_color() == trivial.get_color() != axes.lines[2].get_color()
    assert (network.get_linestyle(), trivial.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["C", "G", "training mean"]


def test_true_predicted_shows_the_median_at_each_true_value() -> None:
    true = np.repeat([0.2, 0.6, 1.0], 51)
    predicted = true + np.tile(np.linspace(-0.1, 0.1, 51), 3) ** 3
    style = line_styles(["C"])["C"]
    axes = figures.true_predicted(true, predicted, style, label="x", trivial=0.6)
    median = axes.containers[0].lines[0]
    np.testing.assert_allclose(median.get_xydata(), [[v, v] for v in (0.2, 0.6, 1.0)], atol=1e-12)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x, true", "x, predicted")


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


@pytest.mark.parametrize(
    ("rates", "names"), [([5.0, 10.0], ["5", "10"]), ([10.0, 10.0], ["1", "2"]), ([np.nan], ["1"])]
)
def test_scans_of_any_program_have_a_legend(rates: list[float], names: list[str]) -> None:
    temperature = np.linspace(400.0, 500.0, 101)
    cpn = np.repeat(1.0 / (1.0 + np.exp((450.0 - temperature) / 3.0))[None], len(rates), axis=0)
    legend = figures.scans(temperature, cpn, rates).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == names


def test_equal_data_give_equal_figures() -> None:
    temperature = np.linspace(400.0, 500.0, 101)
    cpn = 1.0 / (1.0 + np.exp((450.0 - temperature) / 3.0))[None]
    first, second = (data_uri(figures.scans(temperature, cpn, [10.0], title="one")) for _ in range(2))
    assert first == second
    assert b"<svg" in base64.b64decode(first.split(",", 1)[1])


def test_outside_says_what_is_out_of_range() -> None:
    values = quantities([-79.21, 318443.9, 0.57, 0.71])
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


@pytest.fixture
def config(tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    made = fake_run(tiny_config, tmp_path, ANSWER, monkeypatch, models=("C", "C-lnA"))
    evaluate(RunReference(made, "C"))
    return made


def test_report_of_scattered_points_and_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ageing = [{"ramp": {"to": 430, "rate": 10}}, {"hold": {"days": 1}}, {"jump": {"to": "lowest"}}]
    heating = {"ramp": {"to": "highest", "rate": 10}}
    signals = {
        "state_space": {"scatter": {"method": "random", "count": 64}},
        "program": {"cycles": [{"segments": [*ageing, heating]}, {"segments": [ageing[2], heating]}]},
        "temperature": {"step": 10},
    }
    network = {"name": "C", "subset": "all"}
    made = Config.model_validate(
        {"output": str(tmp_path / "made"), "signals": signals, "models": [network], "subsets": ["all"]}
    )
    generate(made, "all")
    (tmp_path / "run").mkdir()
    run = fake_run(made, tmp_path / "run", ANSWER, monkeypatch, subset="all")
    evaluate(RunReference(run, "C"))
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert page.open == []
    assert "2 heating scans, the last segments of the cycles of another thermal program" in page.words
    assert "samples: 64 random points instead of a grid" in page.words
    assert "after cooling at" not in page.words


def test_a_run_without_networks_has_no_report() -> None:
    with pytest.raises(LehrError, match="this run has none"):
        write_report(Config.model_validate({"models": [], "subsets": ["all"]}))


def test_report_is_one_whole_page(config: Config) -> None:
    evaluate(RunReference(config, "C-lnA"))
    path = write_report(config)
    assert path == config.report_path
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []  # every tag is closed
    assert len(page.ids) == len(set(page.ids))
    assert {"model-C", "model-C-lnA", "signals", "training", "errors", "glass", "left-out", "provenance"} <= set(
        page.ids
    )
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)

    # one file: nothing is loaded, from the network or from disk
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.loaded)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"url\(|@import", text)
    # plane, three samples, two training curves, four panels, two for each model, the glass
    assert page.tags.count("img") == 1 + 3 + 2 + 4 + 2 * 2 + 1
    assert all(page.alternatives)

    words = re.sub(r"\s+", " ", page.words)
    assert "temperature step: 10 K instead of 0.1 K" in words
    assert "not comparable with this run" in words
    assert words.count("outside the training range") == 2  # As2Se3, for each of the two networks of the subset C
    assert "Δh* = 318 kJ/mol is below 650 to 750 kJ/mol" in words
    assert "the mean of the training samples" in words
    assert config.signals.digest() in words


def test_report_without_an_evaluation_names_the_command(config: Config) -> None:
    with pytest.raises(
        LehrError, match=r"C-lnA/C/metrics\.json: cannot be read(.|\n)*lehr evaluate CONFIG --model C-lnA"
    ):
        write_report(config)
    assert not config.report_path.exists()


def test_report_of_an_unknown_glass_is_refused(config: Config) -> None:
    evaluate(RunReference(config, "C-lnA"))
    other = config.model_copy(update={"report": config.report.model_copy(update={"material": "unobtainium"})})
    with pytest.raises(LehrError, match="no glass 'unobtainium'"):
        write_report(other)
    assert not config.report_path.exists()
