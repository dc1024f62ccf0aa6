"""The quadratic model of one pass: steps that climb, and steps within a region."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glmcount.engine.sums import Sums
from glmcount.fitting.quadratic import Model


def drawn(seed, shift=0.0, p=4):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3 * p, p)) * np.logspace(0, 5, p)
    matrix = x.T @ x
    return Sums(
        0.0,
        rng.normal(size=p) * np.sqrt(np.diag(matrix)),
        matrix - shift * np.diag(np.diag(matrix)),
        0.0,
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_of_a_definite_information_steps_are_newton_s(seed):
    sums = drawn(seed)
    newton = np.linalg.solve(sums.information.matrix, sums.score)
    own = Model.of(sums)
    np.testing.assert_allclose(own.turned_up(), newton, rtol=1e-7)
    # A wide region holds the step back by a share of the least curvature alone.
    wide = own.within(lambda d: 0.0, 1.0)
    size = np.abs(newton * np.sqrt(np.diag(sums.information.matrix))).max()
    gap = np.abs((wide - newton) * np.sqrt(np.diag(sums.information.matrix))).max()
    assert gap <= 5e-3 * size


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 0.9, 2.0]), st.floats(0.01, 5.0))
def test_steps_climb_where_the_information_is_not_definite(seed, shift, radius):
    sums = drawn(seed, shift)
    scale = np.sqrt(np.abs(np.diag(sums.information.matrix)))

    def reach(step):
        return float(np.abs(scale * step).max())

    own = Model.of(sums)
    assert own.turned_up() @ sums.score > 0
    step = own.within(reach, radius)
    assert step @ sums.score > 0 and reach(step) <= radius
    # It solves the trust-region problem of its own length: (H + shift D) d = g, H + shift D > 0.
    left = (sums.score - sums.information.matrix @ step) / (scale**2 * step)
    np.testing.assert_allclose(left, left[0], rtol=1e-6, atol=1e-9)
    shifted = sums.information.matrix / np.outer(scale, scale) + left[0] * np.eye(4)
    assert np.linalg.eigvalsh(shifted)[0] > -1e-12


def test_a_column_of_another_size_moves_as_far():
    sums = Sums(0.0, np.array([1.0, 1e-17]), np.diag([1.0, 1e-34]), 0.0)
    np.testing.assert_allclose(Model.of(sums).turned_up(), [1.0, 1e17], rtol=1e-12)
    empty = Sums(0.0, np.array([1.0, 0.0]), np.diag([1.0, 0.0]), 0.0)
    assert Model.of(empty).turned_up() == pytest.approx([1.0, 0.0])
