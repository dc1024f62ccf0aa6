"""Contrast tables against the matrices they are of, dense and sparse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glmcount.engine.level_table import LevelTable
from glmcount.language.contrasts import contrast

SMALL = st.integers(-3, 3).map(float)
MATRICES = st.one_of(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(1, 5)), elements=SMALL),
    # One level for each column, and a few rows beside these: kept without their zeros.
    st.integers(1, 6).flatmap(
        lambda k: arrays.arrays(
            np.float64, st.tuples(st.integers(0, 4), st.just(k)), elements=SMALL
        ).map(
            lambda rest: np.vstack([rest[:1], np.eye(len(rest[0]) if len(rest) else k), rest[1:]])
        )
    ),
)


@given(MATRICES, MATRICES, st.integers(1, 3), st.integers(1, 2), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_products_are_those_of_the_matrices(one, other, va, vb, seed):
    levels = min(len(one), len(other))
    one, other = one[:levels], other[:levels]
    rng = np.random.default_rng(seed)
    left, right = LevelTable.of(one), LevelTable.of(other)
    beta, sums = rng.normal(size=(one.shape[1], va)), rng.normal(size=(levels, va, vb))
    near = {"rtol": 0, "atol": 1e-11}
    np.testing.assert_allclose(left.spread(beta), one @ beta, **near)
    np.testing.assert_allclose(left.fold(sums), np.einsum("lp,lab->pab", one, sums), **near)
    turned = np.moveaxis(sums, 0, 1)
    np.testing.assert_allclose(
        left.fold(turned, axis=1), np.einsum("lp,alb->apb", one, turned), **near
    )
    expected = np.einsum("lp,lab,lq->paqb", one, sums, other)
    np.testing.assert_allclose(left.between(sums, right), expected, **near)
    own = np.einsum("lp,lab,lq->paqb", one, sums**2, one)
    np.testing.assert_allclose(left.between(sums**2, left), own, **near)


def test_what_codes_a_level_by_itself_is_kept_without_zeros():
    treatment = LevelTable.of(np.eye(9)[:, 1:])
    assert treatment.picked.tolist() == list(range(1, 9)) and treatment.dense is None
    sums = LevelTable.of(np.vstack([np.eye(3), -np.ones(3)]))
    assert sums.rest.tolist() == [3] and sums.rows.tolist() == [[-1.0, -1.0, -1.0]]
    many = np.vstack([np.eye(2), np.full((20, 2), 2.0)])
    held = LevelTable.of(many)
    assert held.picked is None
    np.testing.assert_array_equal(held.full, many)
    with pytest.raises(AssertionError):
        _ = treatment.full


@pytest.mark.parametrize("name", ["Treatment", "Sum", "Helmert", "Diff", "Poly"])
def test_tables_are_their_matrices(name):
    rng = np.random.default_rng(1)
    matrix = contrast(name).matrix(tuple("abcdefgh"), full=False)
    table = LevelTable.of(matrix)
    beta = rng.normal(size=(7, 2))
    np.testing.assert_allclose(table.spread(beta), matrix @ beta, rtol=0, atol=1e-13)
    sums = rng.normal(size=(8, 3))
    np.testing.assert_allclose(table.fold(sums), matrix.T @ sums, rtol=0, atol=1e-13)
