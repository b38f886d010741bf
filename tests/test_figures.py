"""The figures: what they draw, and that they look as they did.

The baseline images are made by `pytest tests/test_figures.py --mpl-generate-path=tests/baseline`; look at them before
they are committed. Fonts are those that Matplotlib brings, so that they are the same on each machine.
"""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lehr import figures
from lehr.figures.style import data_uri, figure_of, line_styles, picture_uri
from lehr.glass.tnm import plot

STYLES = line_styles(["C", "G"])
TOLERANCE = 3.0  # root mean square difference of grey levels: another version of a library may round otherwise


def looks_the_same(test):  # type: ignore[no-untyped-def]
    return pytest.mark.mpl_image_compare(tolerance=TOLERANCE, savefig_kwargs={"dpi": 60})(test)


def samples(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """A property of samples, and an error that falls with it."""
    order = np.random.default_rng(0)
    at = order.uniform(1.0, 6.0, count)
    return at, order.exponential(0.1 / at)


def cells() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A block of 12 x 8 cells whose ln A follow delta_h, two samples in each, and a quantity: 1, 2, 3, ..."""
    i, j, _ = np.meshgrid(np.arange(12), np.arange(8), np.arange(2), indexing="ij")
    delta_h = 650.0 + 10.0 * i.ravel()
    return delta_h, -delta_h / 3.0 + 7.0 * j.ravel(), np.arange(1.0, 193.0)


# --- what is drawn ---------------------------------------------------------------------------------------------------


def test_shown_range_is_where_the_signal_is_neither_glass_nor_liquid() -> None:
    temperature = np.arange(300.0, 500.0, 1.0)
    ramp = np.clip((temperature - 380.0) / 20.0, 0.0, 1.0)
    low, high = plot.shown_range(temperature, np.stack([ramp, ramp**2]))
    # 381 to 399 K, 12 % of these 18 K and three steps on either side
    assert (low, high) == pytest.approx((381 - 5.16, 399 + 5.16))


def test_shown_range_stays_inside_the_window() -> None:
    temperature = np.arange(300.0, 400.0, 1.0)
    cpn = np.linspace(0.2, 0.8, temperature.size)[None]
    assert plot.shown_range(temperature, cpn) == (300.0, 399.0)


def test_running_quantiles_of_few_values_are_those_at_each() -> None:
    at = np.array([0.1, 0.1, 0.1 + 1e-12, 0.5, 0.5, np.nan, 0.5])
    found = figures.running(at, np.array([1.0, 2.0, 3.0, 4.0, 4.0, 9.0, np.nan]), quantiles=(0.0, 0.5, 1.0))
    np.testing.assert_allclose([found.at, found.low, found.median, found.high], [[0.1, 0.5], [1, 4], [2, 4], [3, 4]])


def test_running_quantiles_of_many_values_have_as_many_samples() -> None:
    at = np.arange(100.0)
    found = figures.running(at, at**2, bins=4)
    np.testing.assert_allclose(found.at, [12, 37, 62, 87], atol=0.5)
    np.testing.assert_allclose(found.median, found.at**2, rtol=0.1)
    assert figures.running(np.empty(0), np.empty(0)).at.size == 0


def test_a_map_has_the_mean_of_each_cell_though_ln_a_follows_delta_h() -> None:
    delta_h, ln_a, quantity = cells()
    order = np.random.default_rng(0).permutation(delta_h.size)
    found = figures.mean_map(delta_h[order], ln_a[order], quantity[order])
    np.testing.assert_allclose(found.first, 650.0 + 10.0 * np.arange(12))
    np.testing.assert_allclose(found.second, -found.first[:, None] / 3.0 + 7.0 * np.arange(8))
    np.testing.assert_allclose(found.mean, quantity.reshape(12, 8, 2).mean(axis=2))
    assert (found.count == 2).all()


def test_a_map_of_scattered_points_has_bins_and_leaves_out_what_is_not_finite() -> None:
    order = np.random.default_rng(1)
    x, beta = order.uniform(size=(2, 40_000))
    quantity = np.where(x > 0.9, np.nan, x)
    found = figures.mean_map(x, beta, quantity)
    assert found.mean.shape == (24, 24)
    assert found.count.sum() == np.count_nonzero(x <= 0.9)
    np.testing.assert_allclose(found.mean, np.broadcast_to(found.first[:, None], (24, 24)), atol=0.02)


@pytest.mark.parametrize(
    ("rates", "names"), [([5.0, 10.0], ["5", "10"]), ([10.0, 10.0], ["1", "2"]), ([np.nan], ["1"])]
)
def test_scans_of_any_program_have_a_legend(rates: list[float], names: list[str]) -> None:
    temperature = np.linspace(400.0, 500.0, 101)
    cpn = np.repeat(1.0 / (1.0 + np.exp((450.0 - temperature) / 3.0))[None], len(rates), axis=0)
    legend = plot.scans(temperature, cpn, rates).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == names


def test_levels_stand_side_by_side() -> None:
    curve = figures.ErrorByLevel(np.array([0.0, 0.001, 0.05]), np.array([1.0, 2.0, 3.0]))
    bound = figures.ErrorByLevel(np.array([0.001, 0.01]), np.array([0.1, 0.2]))
    axes = figures.error_by_level({"C": curve}, STYLES, label="noise", error_label="error", bound=bound)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "0.001", "0.01", "0.05"]
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [0, 1, 3])
    np.testing.assert_allclose(axes.lines[1].get_xdata(), [1, 2])


def test_equal_data_give_equal_images() -> None:
    at, error = samples()
    made = [figures.error_against(at, error, STYLES["C"], label="a", error_label="b") for _ in range(2)]
    first, second = (data_uri(axes) for axes in made)
    assert first == second
    assert first.startswith("data:image/svg+xml,<svg ")
    assert not {'"', "&"} & set(first)
    assert picture_uri(made[0]) == picture_uri(made[1])


# --- how it looks ----------------------------------------------------------------------------------------------------


@looks_the_same
def test_sorted_errors() -> Figure:
    errors = np.random.default_rng(0).exponential(0.02, 400)
    curves = {name: figures.ErrorCurves(errors * scale, errors * 10) for name, scale in (("C", 1), ("G", 2))}
    axes = figures.sorted_errors(curves, STYLES, label="error", thresholds=[(0.02, "0.02")])
    network, trivial = axes.lines[:2]
    assert (np.diff(network.get_ydata()) >= 0).all()
    assert network.get_color() == trivial.get_color() != axes.lines[2].get_color()
    assert (network.get_linestyle(), trivial.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["C", "G", "training mean"]
    return figure_of(axes)


@looks_the_same
def test_error_against() -> Figure:
    at, error = samples()
    return figure_of(figures.error_against(at, error, STYLES["C"], label="CpN", error_label="error"))


@looks_the_same
def test_errors_against() -> Figure:
    at, error = samples()
    both = {"C": (np.round(at), error), "G": (np.round(at), 2 * error)}
    return figure_of(figures.errors_against(both, STYLES, label="distance", error_label="error"))


@looks_the_same
def test_true_predicted() -> Figure:
    true = np.repeat([0.2, 0.6, 1.0], 51)
    predicted = true + np.tile(np.linspace(-0.1, 0.1, 51), 3) ** 3
    axes = figures.true_predicted(true, predicted, STYLES["C"], label="x", trivial=0.6)
    median = axes.containers[0].lines[0]
    np.testing.assert_allclose(median.get_xydata(), [[v, v] for v in (0.2, 0.6, 1.0)], atol=1e-12)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x, true", "x, predicted")
    return figure_of(axes)


@looks_the_same
def test_beyond_range() -> Figure:
    at, error = samples()
    tested = {"C": (at, error), "G": (at * 2 - 5, error * 10)}
    return figure_of(figures.beyond_range(tested, (1.0, 6.0), STYLES, label="a", error_label="error"))


@looks_the_same
def test_heat_map() -> Figure:
    return figure_of(figures.heat_map(figures.mean_map(*cells()), labels=("delta_h", "ln A"), title="SSE"))


@looks_the_same
def test_surface() -> Figure:
    delta_h, _, quantity = cells()
    means = figures.mean_map(delta_h, np.tile(np.repeat(np.linspace(0.2, 0.9, 8), 2), 12), quantity**2)
    return figure_of(figures.surface(means, labels=("delta_h", "x"), title="SSE"))


@looks_the_same
def test_compared_scans() -> Figure:
    temperature = np.linspace(400.0, 500.0, 101)
    middle = np.array([[448.0], [450.0], [452.0]])
    true, simulated = (1.0 / (1.0 + np.exp((middle + shift - temperature) / 3.0)) for shift in (0.0, 2.0))
    axes: Axes = plot.compared_scans(temperature, true, simulated, title="a sample")
    return figure_of(axes)


@looks_the_same
def test_transfer_matrix() -> Figure:
    errors = np.array([[0.01, 0.2], [np.nan, 0.03]])
    axes = figures.transfer_matrix(errors, ["C", "G"], ["C", "G"], "{:.2g}".format, own=["C", "G"], title="error")
    assert [text.get_text() for text in axes.texts] == ["0.01", "0.2", "–", "0.03"]
    return figure_of(axes)


@looks_the_same
def test_error_by_level() -> Figure:
    level = np.array([0.0, 0.001, 0.01, 0.05])
    curves = {name: figures.ErrorByLevel(level, scale * (0.01 + level)) for name, scale in (("C", 1), ("G", 3))}
    lowest = figures.ErrorByLevel(level[1:], 0.1 * level[1:])
    axes = figures.error_by_level(curves, STYLES, label="noise", error_label="error", bound=lowest, fits=lowest)
    return figure_of(axes)


@looks_the_same
def test_compared_splits() -> Figure:
    shares = {"by sample": {"x": 0.05, "beta": 0.02}, "by cell": {"x": 0.1, "beta": 0.5}}
    return figure_of(figures.compared_splits(shares, labels={"x": "x", "beta": "β"}))


@looks_the_same
def test_training_curve() -> Figure:
    epoch = np.arange(1.0, 9.0)
    histories = {"C": figures.TrainingCurve(epoch, 0.5 / epoch, 8), "G": figures.TrainingCurve(epoch, 1 / epoch)}
    return figure_of(figures.training_curve(histories, STYLES, label="loss"))
