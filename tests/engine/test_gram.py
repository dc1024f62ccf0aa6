"""Weighted products of dense columns."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine import gram as dense
from glmcount.engine.gram import RUN, gram, squared


@pytest.fixture(params=[True, False], ids=["small products", "whole products"])
def products(request, monkeypatch):
    """Both ways to multiply, whatever this machine's BLAS does best."""
    monkeypatch.setattr(dense, "multiplies_small", lambda: request.param)


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("n", [1, RUN - 1, RUN, RUN + 1, 3000])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("p", "q"),
    [
        (3, 2),
        (6, 6),
        (8, 8),
        (9, 9),
        (21, 21),
        (24, 7),
        (7, 24),
        (41, 41),
        (41, 7),
        (7, 41),
        (70, 70),
    ],
)
def test_products_are_those_of_einsum(p, q, sign, n):
    rng = np.random.default_rng(p)
    left, right = rng.standard_normal((p, n)), rng.standard_normal((q, n))
    right = left if p == q else right
    weights = sign * rng.random(n)
    exact = np.einsum("in,n,jn->ij", left, weights, right)
    size = np.sqrt(np.outer(np.square(left).sum(axis=1), np.square(right).sum(axis=1)))
    held = left.copy()
    found = gram(held, held if p == q else right, weights, p == q)
    assert (np.abs(found - exact) <= 1e-14 * size).all()
    if p == q and sign > 0:
        assert (found == found.T).all()


def test_weights_whose_squares_overflow():
    columns = np.random.default_rng(1).standard_normal((41, 50))
    weights = np.full(50, 1e200)
    found = gram(columns.copy(), columns.copy(), weights, False)
    np.testing.assert_allclose(found, 1e200 * columns @ columns.T, rtol=1e-10, atol=1e188)


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("n", [RUN - 1, RUN, 3 * RUN + 7])
@pytest.mark.parametrize("p", range(1, 14))
def test_squares_of_any_number_of_columns(p, n):
    columns = np.random.default_rng(p).standard_normal((p, n))
    found = squared(columns)
    np.testing.assert_allclose(found, np.einsum("in,jn->ij", columns, columns), atol=1e-11)
    assert (found == found.T).all()
