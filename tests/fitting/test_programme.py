"""Programmes of separation against scipy's linprog over all rows, and cones known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import linprog

from glmcount.fitting.programme import apart, combined, distinct, strictest, ways

CONES = st.tuples(st.integers(1, 8), st.integers(1, 4)).flatmap(
    lambda shape: arrays.arrays(np.float64, shape, elements=st.integers(-2, 2).map(float))
)
FEW = settings(deadline=None, max_examples=50)


def moved_by_any(cone):
    """Rows that some z with cone z <= 0 takes below 0, each by a programme of its own."""
    out = []
    for row in cone:
        found = linprog(row, A_ub=cone, b_ub=np.zeros(len(cone)), bounds=(-1, 1), method="highs")
        out.append(found.fun < -1e-9)
    return np.array(out)


@FEW
@given(CONES)
def test_the_strictest_direction_moves_every_row_that_any_moves(cone):
    expected = moved_by_any(cone)
    z = strictest(cone)
    if z is None:
        assert not expected.any()
        return
    moves = cone @ z / np.abs(z).max()
    assert moves.max() <= 1e-9
    np.testing.assert_array_equal(moves < -1e-9, expected)


@FEW
@given(CONES, st.data())
def test_functions_go_one_way_where_no_direction_takes_them_back(cone, data):
    width = cone.shape[1]
    functions = data.draw(
        arrays.arrays(np.float64, (3, width), elements=st.integers(-2, 2).map(float))
    )
    if strictest(cone) is None or np.linalg.matrix_rank(cone) < width:
        return
    ends = []
    for function in functions:
        low, high = (
            linprog(s * function, A_ub=cone, b_ub=np.zeros(len(cone)), bounds=(-1, 1)).fun * s
            for s in (1, -1)
        )
        if not function.any():
            ends.append(0.0)
        elif high <= 1e-9:
            ends.append(-1.0)
        else:
            ends.append(1.0 if low >= -1e-9 else np.nan)
    inner = moved_by_any(cone)
    if inner.all():
        np.testing.assert_array_equal(ways(cone, functions), ends)


@FEW
@given(CONES)
def test_a_change_of_basis_keeps_the_cone(cone):
    change, out = apart(cone)
    np.testing.assert_allclose(out, cone @ change, rtol=0, atol=1e-9)
    assert np.linalg.matrix_rank(change) == cone.shape[1]


def test_groups_that_go_each_their_own_way_share_no_column():
    blocks = np.kron(np.eye(3), -np.ones((2, 1)))
    mixed = blocks @ np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 2]])
    _, out = apart(mixed)
    assert ((out != 0).sum(axis=1) == 1).all()


def test_rows_that_differ_by_rounding_are_one():
    rows = np.array([[1.0, 0.1 + 0.2], [1.0, 0.3], [1.0, 0.3 + 1e-9], [0.0, -0.0], [0.0, 0.0]])
    assert sorted(distinct(rows)) == [0, 2, 3]
    assert combined(np.array([[1e20, -1e20, 1.0]]), np.array([1.0, 1.0, 1.0])).tolist() == [0.0]


@pytest.mark.parametrize("width", [2, 5])
def test_opposite_rows_leave_only_what_is_across(width):
    cone = np.zeros((3, width))
    cone[0, 0], cone[1, 0], cone[2, 1] = 1.0, -1.0, 1.0
    cone = cone[:, :2] if width == 2 else cone
    z = strictest(cone)
    assert z[0] == 0.0 and z[1] < 0.0
