"""Weighted products of dense columns."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.gram import gram


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("p", "q"), [(3, 2), (9, 9), (21, 21), (24, 7), (7, 24), (41, 41), (41, 7), (7, 41)]
)
def test_products_are_those_of_einsum(p, q, sign):
    rng = np.random.default_rng(p)
    left, right = rng.standard_normal((p, 3000)), rng.standard_normal((q, 3000))
    right = left if p == q else right
    weights = sign * rng.random(3000)
    exact = np.einsum("in,n,jn->ij", left, weights, right)
    size = np.sqrt(np.outer(np.square(left).sum(axis=1), np.square(right).sum(axis=1)))
    held = left.copy()
    found = gram(held, held if p == q else right, weights, p == q)
    assert (np.abs(found - exact) <= 1e-14 * size).all()


def test_weights_whose_squares_overflow():
    columns = np.random.default_rng(1).standard_normal((41, 50))
    weights = np.full(50, 1e200)
    found = gram(columns.copy(), columns.copy(), weights, False)
    np.testing.assert_allclose(found, 1e200 * columns @ columns.T, rtol=1e-10, atol=1e188)
