"""An information as a value against numpy's answers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from glmcount.engine.information import Information


def drawn(p, seed=0):
    x = np.random.default_rng(seed).normal(size=(3 * p, p))
    return x.T @ x


@pytest.mark.parametrize("p", [1, 3, 8])
def test_it_answers_as_the_matrix_does(p):
    matrix, v = drawn(p), np.arange(1.0, p + 1.0)
    own = Information(matrix)
    np.testing.assert_allclose(own.solve(v), np.linalg.solve(matrix, v), rtol=1e-10)
    np.testing.assert_allclose(own.inverse(), np.linalg.inv(matrix), rtol=1e-9, atol=1e-12)
    assert own.logdet() == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-12)
    assert own.quadratic(v) == pytest.approx(v @ matrix @ v)
    np.testing.assert_array_equal(own.diagonal(), np.diag(matrix))
    twice = own.plus(matrix)
    assert twice.logdet() == pytest.approx(own.logdet() + p * np.log(2.0))


def test_some_of_its_parameters():
    matrix = drawn(5)
    mask = np.array([True, False, True, True, False])
    by_mask, by_number = (Information(matrix).kept(k) for k in (mask, np.flatnonzero(mask)))
    np.testing.assert_array_equal(by_mask.matrix, matrix[np.ix_(mask, mask)])
    np.testing.assert_array_equal(by_mask.matrix, by_number.matrix)


def test_what_is_not_definite_says_so():
    own = Information(np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert not own.definite and own.condition() == np.inf and not own.apart(1e-12)
    with pytest.raises(np.linalg.LinAlgError):
        own.solve(np.ones(2))
    assert not Information(np.array([[np.nan]])).definite


def test_condition_is_that_of_the_equilibrated_matrix():
    scale = np.array([1e6, 1.0, 1e-6])
    assert Information(drawn(3) * np.outer(scale, scale)).condition() < 1e5
    close = np.array([[1.0, 1.0 - 1e-9], [1.0 - 1e-9, 1.0]])
    assert Information(close).condition() == pytest.approx(2e9, rel=0.1)
    # Hilbert's matrix of order 6, equilibrated: by mpmath, 1-norm times that of its inverse.
    hilbert = np.array([[1.0 / (i + j + 1) for j in range(6)] for i in range(6)])
    scaled = hilbert * np.outer(scale.repeat(2), scale.repeat(2))
    assert Information(scaled).condition() == pytest.approx(8282132.69285726, rel=1e-6)


def test_it_travels_by_its_entries():
    own = Information(drawn(3))
    own.inverse()
    other = pickle.loads(pickle.dumps(own))  # noqa: S301
    np.testing.assert_array_equal(other.inverse(), own.inverse())
