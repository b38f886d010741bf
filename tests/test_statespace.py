"""The grid, scattered points, subsets and splits."""

from __future__ import annotations

import hashlib
import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from lehr import LehrError
from lehr.glass.config import GlassRun
from lehr.glass.space import PAPER_SUBSETS, Axis, ScatteredSpace, StateSpace
from lehr.split import SPLITS, Split

PAPER = StateSpace()


def keys(parameters: Any, by: str = "sample") -> np.ndarray:
    """What a split hashes of quartets."""
    columns = dict(zip(("ln_A", "delta_h", "x", "beta"), np.transpose(parameters), strict=True))
    return GlassRun().source().keys(columns)[by]


def test_paper_sizes() -> None:
    assert PAPER.size == 13_752_261
    sizes = {name: PAPER.subset(name).size for name in (*PAPER_SUBSETS, "all")}
    assert sizes.pop("G") == 134_480
    assert sizes.pop("all") == PAPER.size
    assert set(sizes.values()) == {203_401}


def test_one_rule_gives_both_extremes_of_ln_a() -> None:
    delta_h, ln_a = PAPER.plane([0, 80, 100 * 81, 101 * 81 - 1])
    assert delta_h.tolist() == [2e5, 2e5, 12e5, 12e5]
    assert ln_a[1] == pytest.approx(-18, abs=0.01)
    assert ln_a[2] == pytest.approx(-630, abs=0.01)


def test_index_and_parameters_are_inverse() -> None:
    index = np.random.default_rng(0).integers(0, PAPER.size, 20_000)
    assert np.array_equal(PAPER.index(PAPER.parameters(index)), index)
    everything = StateSpace(Axis(2e5, 3e5, 3), (300.0, 600.0), 4, Axis(0.2, 1.0, 5), Axis(0.3, 0.3, 1))
    assert np.array_equal(
        everything.index(everything.parameters(np.arange(everything.size))), np.arange(everything.size)
    )


def test_all_of_the_grid_costs_no_memory() -> None:
    tracemalloc.start()
    everything = PAPER.subset("all")
    everything.parameters(13_000_000, 13_000_512)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000  # 8181 cells are 65 kB; the index of 13.7 million quartets alone would be 110 MB


def test_ways_to_make_an_axis() -> None:
    assert Axis.of([0.2, 0.30000000000000004, 0.4]) == Axis(0.2, 0.4, 3)
    assert Axis.of([0.3]) == Axis(0.3, 0.3, 1)
    assert Axis.of([1, 2, 4]).values.tolist() == [1.0, 2.0, 4.0]
    for wrong in ([1.0, 1.0], [2.0, 1.0], [1.0, float("nan")]):
        with pytest.raises(LehrError, match="must ascend"):
            Axis.of(wrong)
    with pytest.raises(LehrError, match="needs a value"):
        Axis.of([])


@pytest.mark.parametrize("ln_a", [None, Axis(-300.0, -50.0, 6), Axis.of([-200.0, -199.9, -20.0]), Axis.of([-50.0])])
def test_lists_are_indexed_like_grids(ln_a: Axis | None) -> None:
    space = StateSpace(
        delta_h=Axis.of([2e5, 2.1e5, 9e5]), ln_A_count=4, x=Axis.of([0.2, 0.21, 0.9]), beta=Axis.of([0.7]), ln_A=ln_a
    )
    index = np.arange(space.size)
    rows = space.parameters(index)
    assert len(np.unique(rows, axis=0)) == space.size
    assert np.array_equal(space.index(rows), index)
    assert set(rows[:, 2]) == {0.2, 0.21, 0.9}
    if ln_a is not None:
        assert space.shape[1] == ln_a.count
        assert np.unique(rows[:, 0]).tolist() == ln_a.values.tolist()
        assert np.array_equal(space.subset("all").parameters(0, space.size), rows)
    off = rows[:1] + np.array([0.0, 0.0, 0.005, 0.0])
    with pytest.raises(LehrError, match="does not lie on the grid"):
        space.index(off)


def test_outside_the_grid_is_refused() -> None:
    with pytest.raises(LehrError, match="outside"):
        PAPER.parameters([PAPER.size])
    off = PAPER.parameters([1000])
    off[0, 2] += 0.01
    with pytest.raises(LehrError, match="does not lie on the grid"):
        PAPER.index(off)


@pytest.mark.parametrize(
    ("name", "delta_h", "rightmost"),
    [
        ("LU", (2e5, 3e5), 10),
        ("RU", (2e5, 3e5), 80),
        ("LB", (11e5, 12e5), 10),
        ("RB", (11e5, 12e5), 80),
        ("C", (6.5e5, 7.5e5), 45),
    ],
)
def test_blocks_lie_where_the_paper_draws_them(name: str, delta_h: tuple[float, float], rightmost: int) -> None:
    subset = PAPER.subset(name)
    row, column = np.divmod(subset.cells, PAPER.ln_A_count)
    assert (PAPER.delta_h.values[row].min(), PAPER.delta_h.values[row].max()) == delta_h
    assert (column.min(), column.max()) == (rightmost - 10, rightmost)
    assert len(np.unique(subset.cells)) == 121
    assert (np.diff(subset.cells) > 0).all()


def test_grid_subset_spans_the_plane() -> None:
    row, column = np.divmod(PAPER.subset("G").cells, PAPER.ln_A_count)
    assert (len(np.unique(row)), len(np.unique(column))) == (10, 8)
    assert (row.min(), row.max(), column.min(), column.max()) == (0, 100, 0, 80)
    assert np.ptp(np.diff(np.unique(row))) <= 1
    assert np.ptp(np.diff(np.unique(column))) <= 1


def test_each_cell_has_all_pairs_of_x_and_beta() -> None:
    subset = PAPER.subset("G")
    first = subset.parameters(0, PAPER.quartets_per_cell)
    assert len(np.unique(first[:, :2], axis=0)) == 1
    assert len(np.unique(first[:, 2:], axis=0)) == 1681
    assert np.array_equal(subset.parameters(100, 105), subset.parameters(0, 200)[100:105])


def test_a_plane_too_small_for_a_subset_is_refused() -> None:
    with pytest.raises(LehrError, match="too small"):
        StateSpace(ln_A_count=10).subset("C")
    with pytest.raises(LehrError, match="no subset 'X'"):
        PAPER.subset("X")


def test_split_has_the_shares() -> None:
    assigned = Split(0.7, 0.15).assign(keys(PAPER.subset("C").parameters(0, 200_000)))
    # three standard deviations of a binomial share of 0.7 of 200,000
    assert np.bincount(assigned) / 200_000 == pytest.approx([0.7, 0.15, 0.15], abs=3.1e-3)
    assert len(SPLITS) == 3


def test_split_by_sample_is_the_one_it_always_was() -> None:
    """Values of version 0.1.0: networks that were trained before must not be tested on what they learned."""
    rows = PAPER.parameters([0, 1, 5_000_000, 6_876_130, 13_752_260, 1000, 777_777, 12_345_678])
    assert Split().assign(keys(rows)).tolist() == [0, 2, 0, 0, 0, 0, 2, 2]
    assert Split(0.5, 0.25, seed=7).assign(keys(rows)).tolist() == [1, 0, 2, 0, 1, 0, 0, 1]
    digest = hashlib.sha256(Split().assign(keys(PAPER.subset("C").parameters(0, 203_401))).tobytes())
    assert digest.hexdigest() == "cc2357a85bd77cae16261e3ed55aab60641de365aad05ddcb4669bd47b97fee4"


def test_split_by_cell_divides_no_cell() -> None:
    coarse = StateSpace(x=Axis(0.2, 1.0, 3), beta=Axis(0.2, 1.0, 3))
    split = Split(0.7, 0.15, by="cell")
    by_cell = split.assign(keys(coarse.parameters(np.arange(coarse.size)), "cell")).reshape(
        -1, coarse.quartets_per_cell
    )
    assert (by_cell == by_cell[:, :1]).all()
    # three standard deviations of a binomial share of 0.7 of 8181 cells
    assert np.bincount(by_cell[:, 0]) / 8181 == pytest.approx([0.7, 0.15, 0.15], abs=1.6e-2)
    fine = PAPER.parameters(np.arange(0, PAPER.size, PAPER.quartets_per_cell) + 777)
    assert np.array_equal(split.assign(keys(fine, "cell")), by_cell[:, 0])


def test_growing_the_grid_moves_no_sample() -> None:
    coarse = StateSpace(x=Axis(0.2, 1.0, 9), beta=Axis(0.2, 1.0, 9))
    parameters = coarse.parameters(np.arange(0, coarse.size, 97))
    again = PAPER.parameters(PAPER.index(parameters))
    split = Split(0.7, 0.15, seed=3)
    assert np.array_equal(split.assign(keys(parameters)), split.assign(keys(again)))
    assert np.array_equal(split.assign(keys(parameters)), split.assign(keys(parameters * (1 + 1e-15))))


def test_seeds_draw_different_splits() -> None:
    parameters = PAPER.parameters(np.arange(5000))
    one, other = (Split(0.5, 0.25, seed=seed).assign(keys(parameters)) for seed in (0, 1))
    # independent draws agree in 0.5^2 + 2 * 0.25^2 of the samples
    assert (one == other).mean() == pytest.approx(0.375, abs=0.03)


METHODS = pytest.mark.parametrize("method", ["random", "sobol"])


@METHODS
@pytest.mark.filterwarnings("error")
def test_any_slice_of_scattered_points_is_that_of_the_whole(method: Any) -> None:
    space = ScatteredSpace(PAPER, method, 3000, seed=5)
    whole = space.parameters(np.arange(3000))
    assert len(np.unique(whole, axis=0)) == 3000
    everything = space.subset("all")
    assert everything.size == 3000
    for start, stop in ((0, 1), (0, 7), (1, 2), (513, 1025), (2999, 3000), (7, 7)):
        assert np.array_equal(everything.parameters(start, stop), whole[start:stop])
        assert everything.index(start, stop).tolist() == list(range(start, stop))
    mixed = np.array([17, 2000, 18, 19, 17, 0, 2999])
    assert np.array_equal(space.parameters(mixed), whole[mixed])
    assert np.array_equal(ScatteredSpace(PAPER, method, 10**8, seed=5).parameters(np.arange(3000)), whole)
    assert not np.isin(whole[:, 1], ScatteredSpace(PAPER, method, 3000, seed=6).parameters(np.arange(3000))[:, 1]).any()


@METHODS
def test_scattered_points_fill_the_ranges(method: Any) -> None:
    rows = ScatteredSpace(PAPER, method, 4096).parameters(np.arange(4096))
    low, high = PAPER.limits_of_ln_a(rows[:, 1])
    unit = np.column_stack(
        [
            (rows[:, 0] - low) / (high - low),
            (rows[:, 1] - 2e5) / 1e6,
            (rows[:, 2] - 0.2) / 0.8,
            (rows[:, 3] - 0.2) / 0.8,
        ]
    )
    assert unit.min() >= -1e-9
    assert unit.max() <= 1 + 1e-9
    for column in unit.T:
        # five standard deviations of a count of 4096 / 16
        assert np.histogram(column, 16, (0, 1))[0] == pytest.approx(np.full(16, 256), abs=5 * 256**0.5)
    assert np.abs(np.corrcoef(unit.T) - np.eye(4)).max() < 5 / 64


def test_sobol_fills_the_space_more_evenly() -> None:
    axes = StateSpace(Axis(2e5, 12e5, 2), x=Axis(0.2, 1.0, 2), beta=Axis(0.2, 1.0, 2), ln_A=Axis(-300.0, -50.0, 2))
    lowest, highest = np.array([-300, 2e5, 0.2, 0.2]), np.array([-50, 12e5, 1.0, 1.0])
    sobol, random = (
        qmc.discrepancy((ScatteredSpace(axes, method, 1024).parameters(np.arange(1024)) - lowest) / (highest - lowest))
        for method in ("sobol", "random")
    )
    assert sobol < 0.1 * random


@METHODS
def test_an_axis_of_one_value_stays_at_it(method: Any) -> None:
    axes = StateSpace(Axis(4e5, 4e5, 1), x=Axis(0.5, 0.5, 1), beta=Axis.of([0.3, 0.4, 0.9]), ln_A=Axis(-90.0, -90.0, 1))
    rows = ScatteredSpace(axes, method, 100).parameters(np.arange(100))
    assert (rows[:, :3] == [-90.0, 4e5, 0.5]).all()
    assert (rows[:, 3].min() < 0.35, rows[:, 3].max() > 0.85) == (True, True)
    one_tg = ScatteredSpace(StateSpace(ln_A_count=1), method, 100).parameters(np.arange(100))
    assert one_tg[:, 0] == pytest.approx(np.log(100) - one_tg[:, 1] / (8.314462618 * 227.43))


def test_what_scattered_points_have_not() -> None:
    space = ScatteredSpace(PAPER, "random", 10)
    with pytest.raises(LehrError, match="the subset C needs a grid"):
        space.subset("C")
    with pytest.raises(LehrError, match="outside"):
        space.parameters([10])
    with pytest.raises(LehrError, match="the Sobol sequence has"):
        ScatteredSpace(PAPER, "sobol", 2**30 + 1)
