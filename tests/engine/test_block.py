"""A block's columns, predictors and bounds against the columns written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glmcount.engine.block import Block, BlockRows, add_linear
from glmcount.engine.level_table import LevelTable

CODING = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])


def drawn(seed, coded, scale):
    """A block of ones and two numeric columns, its rows, and its columns written out."""
    rng = np.random.default_rng(seed)
    n, codes = 30, rng.integers(0, 3, 30) if coded else None
    x = rng.normal(3.0, 2.0, (2, n))
    numbers, shift = (None, x[0], x[1]), np.array([0.0, 1.5, -2.0])
    scales = np.array([1.0, 0.5, 4.0]) if scale else None
    wide = np.stack([np.ones(n), x[0] - 1.5, x[1] + 2.0], axis=1) * (
        1.0 if scales is None else scales
    )
    table = LevelTable.of(CODING) if coded else None
    design = (CODING[codes][:, :, None] * wide[:, None, :]).reshape(n, -1) if coded else wide
    places = rng.permutation(design.shape[1] + 2)[: design.shape[1]]
    size = np.abs(wide).max(axis=0)
    block = Block(0, places, table, shift, size, scales, (False, True, True), 0 if coded else -1)
    return block, BlockRows(codes, numbers), design, wide, rng


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_predictors_and_their_bound(seed, coded, scale):
    block, rows, design, wide, rng = drawn(seed, coded, scale)
    theta = rng.normal(size=design.shape[1] + 2)
    total = np.ones(30)
    add_linear(block, rows, block.beta(theta), total)
    exact = design @ theta[block.positions]
    np.testing.assert_allclose(total, 1.0 + exact, rtol=0, atol=1e-12)
    assert np.abs(exact).max() <= block.reach(theta) * (1 + 1e-12)
    by_level = theta[block.positions].reshape(-1, 3)
    by_level = np.abs(CODING @ by_level if coded else by_level)
    expected = (by_level @ block.size).max()
    assert block.reach(theta) == pytest.approx(expected)
    out = np.full((3, 12), np.nan)
    np.testing.assert_allclose(rows.fill(out, block, 5, 15), wide[5:15].T, rtol=1e-14)
    assert np.isnan(out[:, 10:]).all()
    assert rows.column(0, block) is None
    np.testing.assert_allclose(rows.column(2, block), wide[:, 2], rtol=1e-14)


def test_whole_numbers_become_doubles():
    block = Block(0, np.array([0]), None, np.array([0.5]), np.ones(1), None, (True,))
    rows = BlockRows(None, (np.array([1, 2], np.uint8),))
    assert rows.column(0, block).tolist() == [0.5, 1.5]
    assert rows.fill(np.empty((1, 2)), block, 0, 2).tolist() == [[0.5, 1.5]]


def test_places_are_a_slice_where_they_follow_each_other():
    def of(*places):
        v = len(places)
        return Block(0, np.array(places, np.intp), None, np.zeros(v), np.ones(v))

    assert of(2, 3, 4).places == slice(2, 5)
    assert of().places == slice(0, 0)
    assert of(2, 4).places.tolist() == [2, 4] and of(3, 2).places.tolist() == [3, 2]
    assert of(3, 2).v == 2
