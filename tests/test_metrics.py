"""Each metric against numbers worked out by hand, and what the paper claims."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import xarray

from lehr import simulate
from lehr.evaluation import Evaluation, interval, share_below, transfer
from lehr.evaluation.metrics import signed_errors as errors_of_quantities
from lehr.evaluation.metrics import summarise, worst
from lehr.figures.errors import percentiles
from lehr.glass.config import GlassRun
from lehr.glass.config.run import GlassModel
from lehr.glass.measures import clamp, edge_distance, half_width, signal_sse, signed_errors, squared_errors
from lehr.glass.networks.scaling import TargetScaling
from lehr.glass.paper import claims, differences_from_paper, thresholds
from lehr.glass.quantities import PARAMETERS
from lehr.glass.tnm import GAS_CONSTANT, glass_transition

TRUE = [[-100.0, 4e5, 0.5, 0.6], [-80.0, 3e5, 0.2, 1.0]]
PREDICTED = [[-101.5, 3.9e5, 0.53, 0.6], [-70.0, 3e5, 0.1, 0.75]]


def test_errors_are_predicted_less_true() -> None:
    errors = signed_errors(TRUE, PREDICTED)
    np.testing.assert_allclose(errors[:, :4], [[-1.5, -1e4, 0.03, 0.0], [10.0, 0.0, -0.1, -0.25]], atol=1e-12)
    # 4e5 / (8.314462618 * (4.605170 + 100)) = 459.910 K and so on, with three decimals
    np.testing.assert_allclose(errors[:, 4], [442.073 - 459.910, 483.635 - 426.472], atol=2e-3)


def test_errors_of_columns_are_those_of_arrays() -> None:
    true, predicted = (
        {quantity.name: column for quantity, column in zip(PARAMETERS, np.transpose(rows), strict=True)}
        for rows in (TRUE, PREDICTED)
    )
    errors = errors_of_quantities(GlassRun().findings(), true, predicted)
    np.testing.assert_array_equal(errors, signed_errors(TRUE, PREDICTED))


def test_one_prediction_serves_all_samples() -> None:
    errors = signed_errors(TRUE, [-90.0, 3.5e5, 0.4, 0.7])
    np.testing.assert_allclose(errors[:, 1], [-5e4, 5e4])
    np.testing.assert_allclose(errors[:, 3], [0.1, -0.3])


def test_glass_transition_is_where_tau_is_100_s() -> None:
    ln_a = log(100.0) - 5e5 / (GAS_CONSTANT * 500.0)
    np.testing.assert_allclose(glass_transition([ln_a], [5e5]), [500.0])


@pytest.mark.parametrize("row", [[5.0, 2e5, 0.5, 0.5], [-50.0, -1e3, 0.5, 0.5], [log(100.0), 2e5, 0.5, 0.5]])
def test_impossible_predictions_have_no_glass_transition(row: list[float]) -> None:
    assert np.isnan(glass_transition(*row[:2])).all()


def test_squared_errors_are_of_the_normalised_parameters() -> None:
    # Table 3: ln A from -756 to -15, delta_h from 166.7 to 1440 kJ/mol, x and beta from 1/6 to 1.2
    width = TargetScaling().width
    np.testing.assert_allclose(width, [741.0, 1440e3 - 2e5 / 1.2, 1.2 - 1 / 6, 1.2 - 1 / 6])
    wanted = [(1.5 / 741.0) ** 2, (1e4 / 1273333.333) ** 2, (0.03 / 1.0333333) ** 2, 0.0]
    np.testing.assert_allclose(squared_errors(TRUE[:1], PREDICTED[:1], width), [wanted], rtol=1e-6)


def test_what_the_engine_cannot_simulate_is_clamped() -> None:
    values, moved = clamp([[5.0, -1.0, 1.2, 0.05], [-100.0, 4e5, 0.5, 0.6], [-100.0, np.nan, 0.5, 2.0]])
    assert moved.tolist() == [[True] * 4, [False] * 4, [False, False, False, True]]
    assert values[0].tolist() == [log(100.0) - 0.01, 1e3, 1.0, 0.1]
    assert values[1].tolist() == [-100.0, 4e5, 0.5, 0.6]
    assert np.isnan(values[2, 1])


def test_signals_are_compared_by_the_mean_over_temperatures_and_the_sum_over_scans() -> None:
    true = np.zeros((2, 2, 4), np.float32)
    other = true.copy()
    other[0, 0] = [0.0, 0.5, 0.0, 0.0]  # 0.25 / 4
    other[0, 1] = [0.0, 0.0, 1.0, 1.0]  # 2 / 4
    other[1, 0, 0] = np.nan
    np.testing.assert_allclose(signal_sse(true, other), [0.0625 + 0.5, np.nan])


def test_half_width_is_from_the_first_crossing_to_the_peak() -> None:
    temperature = np.array([300.0, 310.0, 320.0, 330.0, 340.0, 350.0])
    low, high = [0.0, 0.2, 1.1, 1.2, 1.0, 1.0], [0.0, 0.0, 0.6, 1.4, 2.0, 1.0]
    none, tiny = [0.0, 0.2, 0.6, 0.9, 1.0, 1.0], [0.0, 0.2, 0.6, 0.9, 1.0005, 1.0]
    cpn = np.array([[low, high], [high, low], [low, low], [none, none], [none, tiny]], np.float32)
    # `high` is 1 at 325 K, between 0.6 and 1.4, and has its peak at 340 K; `low` from 310 + 10 * 0.8 / 0.9 K to 330 K
    np.testing.assert_allclose(half_width(cpn, temperature), [15.0, 15.0, 20 - 80 / 9, np.nan, np.nan], rtol=1e-5)


def test_half_width_of_a_simulated_glass_is_that_of_its_largest_peak() -> None:
    signals = simulate(-79.21, 318443.9, 0.57, 0.71, temperature=np.arange(300.0, 700.0, 0.5))
    scan = signals.cpn[signals.cpn.max(axis=1).argmax()]
    peak = scan.argmax()
    rising = np.interp(
        1.0, scan[: peak + 1][scan[: peak + 1] > 0.5], signals.temperature[: peak + 1][scan[: peak + 1] > 0.5]
    )
    np.testing.assert_allclose(half_width(signals.cpn[None], signals.temperature), [signals.temperature[peak] - rising])


def test_edge_distance_is_the_smallest_share_of_a_range() -> None:
    subset = np.array([[-100.0, 2e5, 0.2, 0.4], [-50.0, 4e5, 1.0, 0.4]])  # one value of beta, which does not count
    samples = np.array([[-75.0, 3e5, 0.6, 0.4], [-60.0, 3e5, 0.6, 0.4], [-75.0, 2e5, 0.6, 0.4], [-75.0, 3e5, 0.9, 0.4]])
    np.testing.assert_allclose(edge_distance(samples, subset, ln_a_follows=False), [0.5, 0.2, 0.0, 0.125], atol=1e-12)
    assert np.isnan(edge_distance(samples[:1], samples[:1])).all()


def test_edge_distance_follows_the_skewed_plane_of_the_paper() -> None:
    """In the block C the outer cells of each row are on the edge, and most have no extreme ln A."""
    subset = GlassRun().signals.state_space.build().subset("C")
    cells = subset.parameters(0, subset.size)[:: 41 * 41].copy()
    cells[:, 2:] = 0.6
    both = np.concatenate([cells, cells * [1, 1, 0.5, 0.5], cells * [1, 1, 1.5, 1.5]])
    distance = edge_distance(cells, both).reshape(11, 11)
    place = np.minimum(np.arange(11), 10 - np.arange(11)) / 10
    np.testing.assert_allclose(distance, np.minimum(place[:, None], place), atol=1e-9)


def test_share_is_of_errors_below_the_threshold() -> None:
    # 0.02 itself is not below 0.02, the sign does not matter, and what has no error is not below anything
    assert share_below([0.0, -0.01, 0.02, -0.03, np.nan], 0.02) == 2 / 5
    assert np.isnan(share_below([], 0.02))


def test_interval_of_a_share_is_that_of_many_resamples() -> None:
    random = np.random.default_rng(0)
    hits = np.arange(200) < 150
    means = random.choice(hits, (20_000, 200)).mean(axis=1)
    np.testing.assert_allclose(interval(0.75, 200), np.percentile(means, [2.5, 97.5]), atol=0.005)
    assert interval(1.0, 200) == (1.0, 1.0)
    assert np.isnan(interval(np.nan, 0)).all()


def test_summary_leaves_out_nan() -> None:
    summary = summarise([1.0, -2.0, 3.0, -10.0, np.nan])
    assert (summary.mae, summary.median, summary.bias) == (4.0, 2.5, -2.0)
    assert summary.p90 == pytest.approx(3.0 + 0.7 * 7.0)  # linear between the third and the fourth of four
    assert summarise([np.nan]).as_dict() == dict.fromkeys(("mae", "median", "p90", "bias"))


def test_percentiles_sort_the_errors() -> None:
    percent, value = percentiles([3.0, -1.0, 2.0, -4.0, 0.0, np.nan], count=5)
    assert percent.tolist() == [0.0, 25.0, 50.0, 75.0, 100.0]
    assert value.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_the_worst_come_first() -> None:
    assert worst([1.0, -3.0, np.nan, 2.0], 2).tolist() == [1, 3]


# --- transfer --------------------------------------------------------------------------------------------------------


def evaluation(model: str, subset: str, true: list[list[float]], error: list[list[float]]) -> Evaluation:
    """Return an evaluation of a network that was trained on delta_h of 300 to 400 kJ/mol; one sample is left out."""
    tg = ("glass_transition", (400.0, 500.0))
    ranges = {"ln_A": (-120.0, -80.0), "delta_h": (3e5, 4e5), "x": (0.2, 1.0), "beta": (0.2, 1.0), tg[0]: tg[1]}
    data = xarray.Dataset(
        {
            "true": (("sample", "parameter"), true),
            "error": (("sample", "quantity"), error),
            "sse_signals": ("sample", [0.5, 0.25, np.nan, 9.0]),
            "state": ("sample", np.array([0, 0, 0, 1], np.int8)),
            "trained_range": (("quantity", "limit"), list(ranges.values())),
        },
        {"parameter": list(ranges)[:4], "quantity": list(ranges)},
    )
    return Evaluation({"model": model, "subset": subset}, data)


def test_transfer_keeps_the_sides_of_a_range_apart() -> None:
    true = [[-100.0, 2.5e5, 0.5, 0.6], [-100.0, 4e5, 0.5, 0.6], [-100.0, 5e5, 0.5, 0.6], [-100.0, 9e5, 0.5, 0.6]]
    error = [[1.0, 1e3, 0.1, 0.1, 1.0], [-2.0, -2e3, 0.0, 0.1, 2.0], [3.0, 6e3, 0.0, 0.1, np.nan], [9.0] * 5]
    matrix = transfer(
        [evaluation("C", "C", true, error), evaluation("C", "G", true, error), evaluation("G", "G", true, error)],
        GlassRun().findings(),
    )
    assert (matrix["model"].to_numpy().tolist(), matrix["subset"].to_numpy().tolist()) == (["C", "G"], ["C", "G"])
    assert matrix["samples"].to_numpy().tolist() == [[3, 3], [0, 3]]
    assert np.isnan(matrix["error"].sel(model="G", subset="C")).all()
    one = matrix.sel(model="C", subset="G")
    assert float(one["sse_signals"]) == 0.375
    assert float(one["error"].sel(quantity="delta_h", statistic="mae")) == 3e3
    assert float(one["error"].sel(quantity="delta_h", statistic="bias")) == pytest.approx(5e3 / 3)
    # 400 kJ/mol is the end of the range, inside; all ln A are inside; Tg = 287, 460 and 575 K
    sides = one.sel(statistic="mae")["error_by_side"]
    assert sides.sel(ranged="delta_h").to_numpy().tolist() == [1e3, 2e3, 6e3]
    assert one["samples_by_side"].to_numpy().tolist() == [[1, 1, 1], [0, 3, 0], [1, 1, 1]]
    np.testing.assert_array_equal(sides.sel(ranged="ln_A"), [np.nan, 2.0, np.nan])
    np.testing.assert_array_equal(sides.sel(ranged="glass_transition"), [1.0, 2.0, np.nan])


# --- the paper -------------------------------------------------------------------------------------------------------


def test_claims_are_those_of_the_paper() -> None:
    """The table of section 3.2: shares of x, beta, delta_h and ln A for the subsets that it names."""
    said = {
        (subset, claim.quantity, claim.threshold): (claim.low, claim.high)
        for subset in ("LU", "RU", "LB", "RB", "C", "G")
        for claim in claims(subset)
    }
    assert said["C", "beta", 0.02] == said["G", "beta", 0.02] == (0.90, 0.90)
    assert said["G", "beta", 0.05] == (0.98, 0.98)
    assert said["C", "x", 0.02] == (0.99, 1.0)
    assert said["G", "x", 0.02] == (0.97, 0.97)
    assert said["RU", "delta_h", 10e3] == (0.70, 0.70)
    assert said["C", "delta_h", 10e3] == (0.20, 0.20)
    assert said["C", "ln_A", 2.0] == (0.10, 0.20)
    assert said["LB", "ln_A", 10.0] == (0.50, 0.50)
    assert ("LU", "ln_A", 2.0) not in said
    assert ("C", "beta", 0.05) not in said


@pytest.mark.parametrize("subset", ["LU", "RU", "LB", "RB", "C", "G"])
def test_every_claim_has_its_threshold_measured(subset: str) -> None:
    assert {(claim.quantity, claim.threshold) for claim in claims(subset)} <= set(thresholds(subset))


def test_the_default_config_is_the_paper() -> None:
    assert differences_from_paper(GlassRun()) == []


def test_a_reduction_is_named(tiny_config: GlassRun) -> None:
    lines = differences_from_paper(tiny_config)
    assert "temperature step: 10 K instead of 0.1 K" in lines
    assert "values of x: 2 instead of 41" in lines
    assert "epochs: 3 instead of 200" in lines
    schedule = {"class_name": "CosineDecay", "config": {"decay_steps": 600, "alpha": 0.04}}
    training = tiny_config.training.model_copy(update={"optimizer_options": {"learning_rate": schedule}})
    lines = differences_from_paper(tiny_config.model_copy(update={"training": training}))
    expected = (
        "optimiser: adam (learning rate CosineDecay: decay steps 600, alpha 0.04) instead of sgd (learning rate 0.01)"
    )
    assert expected in lines
    cells = tiny_config.model_copy(update={"models": (GlassModel(name="C-cells", subset="C", split_by="cell"),)})
    assert "network C-cells: split by cell" in differences_from_paper(cells)
