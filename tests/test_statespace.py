"""The grid, its subsets and the splits."""

from __future__ import annotations

import numpy as np
import pytest

from lehr import LehrError
from lehr.statespace import SPLITS, Axis, Split, StateSpace

PAPER = StateSpace()


def test_paper_sizes() -> None:
    assert PAPER.size == 13_752_261
    sizes = {name: PAPER.subset(name).size for name in ("LU", "RU", "LB", "RB", "C", "G", "all")}
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
    assigned = Split(0.7, 0.15).assign(PAPER.subset("C").parameters(0, 200_000))
    # three standard deviations of a binomial share of 0.7 of 200,000
    assert np.bincount(assigned) / 200_000 == pytest.approx([0.7, 0.15, 0.15], abs=3.1e-3)
    assert len(SPLITS) == 3


def test_growing_the_grid_moves_no_sample() -> None:
    coarse = StateSpace(x=Axis(0.2, 1.0, 9), beta=Axis(0.2, 1.0, 9))
    parameters = coarse.parameters(np.arange(0, coarse.size, 97))
    again = PAPER.parameters(PAPER.index(parameters))
    split = Split(0.7, 0.15, seed=3)
    assert np.array_equal(split.assign(parameters), split.assign(again))
    assert np.array_equal(split.assign(parameters), split.assign(parameters * (1 + 1e-15)))


def test_seeds_draw_different_splits() -> None:
    parameters = PAPER.parameters(np.arange(5000))
    one, other = (Split(0.5, 0.25, seed=seed).assign(parameters) for seed in (0, 1))
    # independent draws agree in 0.5^2 + 2 * 0.25^2 of the samples
    assert (one == other).mean() == pytest.approx(0.375, abs=0.03)
