"""Bounds of moves, block by block, against the largest move of any row there could be."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from glmcount.engine.block import Block
from glmcount.engine.level_table import LevelTable
from glmcount.engine.reach import Bound


def blocks_of(coding, v=1):
    dense = Block(0, np.array([0, 1]), None, np.zeros(2), np.array([1.0, 3.0]), None, (False, True))
    p = coding.shape[1] * v
    table = LevelTable.of(coding)
    coded = Block(0, np.arange(2, 2 + p), table, np.zeros(v), np.full(v, 2.0), None, (True,) * v, 0)
    other = Block(1, np.array([2 + p]), None, np.zeros(1), np.array([5.0]), None, (True,))
    return [[dense, coded], [other]], 3 + p


def farthest(bound, theta):
    """By the matrix as it is laid out: sums over blocks of the largest move, by equation."""
    moves = np.abs(bound.matrix @ theta)
    by_block = [part.max() for part in np.split(moves, bound.blocks[1:])]
    return max(part.sum() for part in np.split(np.array(by_block), bound.equations[1:]))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_largest_move_of_rows_at_the_ends_of_their_columns(seed):
    coding = np.vstack([np.eye(2), -np.ones(2)])
    equations, size = blocks_of(coding)
    bound = Bound.of(equations, [None, coding, None], size)
    assert bound.equations.tolist() == [0, 3] and bound.matrix.shape == (6, 5)
    theta = np.random.default_rng(seed).normal(size=size)
    rows = [
        [one, 3.0 * x, *(2.0 * u * row), 0.0]
        for one, x, u, row in product((-1, 1), (-1, 1), (-1, 1), coding)
    ]
    mean, second = np.abs(np.array(rows) @ theta).max(), 5.0 * abs(theta[-1])
    assert farthest(bound, theta) == pytest.approx(max(mean, second), rel=1e-14)
    assert farthest(bound, theta) == pytest.approx(
        max(sum(b.reach(theta) for b in own) for own in equations), rel=1e-14
    )


def test_several_numeric_columns_by_level_have_no_such_matrix():
    coding = np.eye(3)
    equations, size = blocks_of(coding, v=2)
    assert Bound.of(equations, [None, coding, None], size) is None


def test_an_equation_without_blocks_begins_nowhere():
    equations, size = blocks_of(np.eye(2))
    bound = Bound.of([[], *equations], [None, np.eye(2), None], size)
    assert bound.equations.tolist() == [0, 3]
