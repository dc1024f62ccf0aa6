"""Parameters in shifted columns and in the user's, equations cut out, bounds of columns."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.block import Block
from glmcount.engine.layout import Layout, linear
from glmcount.engine.level_table import LevelTable
from tests.engine.test_tables import drawn

SHIFT, SCALE = np.array([0.0, 4.0, -2.5]), np.array([1.0, 0.25, 8.0])


def shifted(scale=SCALE):
    """1 and two numeric columns, shifted and scaled, then a factor by a second equation."""
    numeric = (False, True, True)
    dense = Block(0, np.arange(3), None, SHIFT, np.array([1.0, 3.0, 8.0]), scale, numeric)
    table = LevelTable.of(np.vstack([np.eye(2), -np.ones(2)]))
    coded = Block(1, np.arange(3, 5), table, np.zeros(1), np.array([2.0]), None, (True,), 0)
    constant = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    return Layout((dense, coded), (slice(0, 3), slice(3, 5)), (constant, None))


@pytest.mark.parametrize("scale", [None, SCALE])
def test_estimates_are_carried_to_the_columns_of_the_user(scale):
    layout = shifted(scale)
    rng = np.random.default_rng(2)
    theta, x = rng.normal(size=5), rng.normal(size=(20, 2))
    held = np.column_stack([np.ones(20), x])
    inside = (held - SHIFT) * (1.0 if scale is None else scale)
    own = layout.unshift(theta)
    np.testing.assert_allclose(held @ own[:3], inside @ theta[:3], rtol=0, atol=1e-12)
    np.testing.assert_allclose(layout.reshift(own), theta, rtol=0, atol=1e-13)
    to_user = np.array([layout.unshift(e) for e in np.eye(5)]).T
    matrix = rng.normal(size=(5, 5))
    matrix = matrix @ matrix.T
    kept = np.arange(5)
    expected = to_user @ matrix @ to_user.T
    np.testing.assert_allclose(layout.unshifted(matrix, kept), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layout.reshifted(expected, kept), matrix, rtol=1e-9, atol=1e-11)
    sizes = np.abs(theta[:3] * (1.0 if scale is None else scale))
    assert layout.carried(theta) == pytest.approx(np.abs(SHIFT) @ sizes)


def test_a_layout_without_shifts_changes_nothing():
    layout, _, _, rng = drawn(3)
    plain = Layout(
        tuple(
            Block(b.equation, b.positions, b.table, 0 * b.shift, b.size, None, b.numeric, b.code)
            for b in layout.blocks
        ),
        layout.slices,
        (None, None),
    )
    theta, matrix = rng.normal(size=layout.size), np.eye(layout.size)
    assert plain.unshift(theta) is theta
    assert plain.unshifted(matrix, np.arange(layout.size)) is matrix


def test_equations_that_are_gone():
    layout, strip, design, rng = drawn(50)
    first = layout.slices[0].stop
    assert layout.places([0]).tolist() == list(range(first, layout.size))
    second = layout.without([0])
    assert (second.q, second.size) == (1, layout.size - first)
    theta = rng.normal(size=layout.size)
    part = strip.of([5, 6, 7], [1])
    expected = design[:, first:] @ theta[first:]
    np.testing.assert_allclose(linear(second, part, theta[first:], 0), expected, atol=1e-12)
    np.testing.assert_allclose(linear(layout, strip, theta, 1), expected, atol=1e-12)
    assert not linear(layout.within(0), strip, theta, 1).any()
    assert layout.without([]).slices == layout.slices
    assert layout.without([0, 1]).size == 0


def test_sizes_tables_and_bounds():
    layout = shifted()
    assert layout.sizes.tolist() == [1.0, 3.0, 8.0, 2.0, 2.0]
    assert layout.tables[0] is None
    assert layout.tables[1].tolist() == [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]
    assert layout.coded and layout.dense_columns == 3
    theta = np.array([1.0, -2.0, 0.5, 3.0, -1.0])
    # The largest of two equations; of the second the level of minus both.
    assert layout.reach(theta) == max(1.0 + 6.0 + 4.0, 2.0 * 3.0)
    bound = np.abs(layout.bound.matrix @ theta)
    assert bound.tolist() == [1.0, 6.0, 4.0, 6.0, 2.0, 4.0]


def test_columns_that_are_constant_to_rounding():
    numeric, shift = (False, True, True, True), np.array([0.0, 1e6, 1e6, 0.0])
    size = np.array([1.0, 1e-10, 1.0, 0.0])
    dense = Block(0, np.arange(4), None, shift, size, None, numeric)
    constant = np.array([1.0, 0.0, 0.0, 0.0])
    assert Layout((dense,), (slice(0, 4),), (constant,)).flat == {1, 3}
    assert Layout((dense,), (slice(0, 4),), (None,)).flat == frozenset()
