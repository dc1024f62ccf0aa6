"""Constraints as a point and the ways that stay within them."""

from __future__ import annotations

import numpy as np
import pytest

import glmcount as gc
from glmcount.engine.sums import Sums
from glmcount.fitting.constraints import Constraints


def test_points_meet_the_constraints():
    rng = np.random.default_rng(0)
    matrix, values = rng.normal(size=(3, 7)), rng.normal(size=3)
    sizes = 10.0 ** rng.integers(-6, 6, 7)
    held = Constraints.by(matrix, values, sizes)
    point = held.point(rng.normal(size=4))
    np.testing.assert_allclose(matrix @ point, values, rtol=1e-9, atol=1e-9 * np.abs(point).max())
    np.testing.assert_array_equal(held.point(point[held.free]), point)


def test_a_held_value_leaves_the_others_as_they_are():
    held = Constraints.by(np.array([[0.0, 3.0, 0.0]]), np.array([6.0]), np.array([1.0, 1e-5, 1e5]))
    np.testing.assert_array_equal(held.point(np.array([5.0, 7.0])), [5.0, 2.0, 7.0])
    sums = Sums(-1.0, np.array([1.0, 2.0, 3.0]), np.diag([1.0, 2.0, 3.0]), 0.0)
    inner = held.sums(sums)
    np.testing.assert_array_equal(inner.score, [1.0, 3.0])
    np.testing.assert_array_equal(inner.information.matrix, np.diag([1.0, 3.0]))


def test_what_is_said_twice_counts_once_and_what_contradicts_is_refused():
    matrix = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [1.0, 0.0, -1.0]])
    held = Constraints.by(matrix, np.zeros(3), np.ones(3))
    assert len(held.free) == 1
    with pytest.raises(gc.errors.UsageError, match="contradicts those before it"):
        Constraints.by(matrix, np.array([0.0, 0.0, 1.0]), np.ones(3))
    with pytest.raises(gc.errors.UsageError, match="holds nothing"):
        Constraints.by(np.zeros((1, 2)), np.ones(1), np.ones(2))
