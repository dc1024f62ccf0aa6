"""Sums of weighted chi-squared variables against laws that are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glmcount.numerics.mixtures import mixture_tail


@pytest.mark.parametrize("n", [1, 2, 3, 8, 25])
@pytest.mark.parametrize("x", [0.01, 0.5, 3.0, 30.0, 150.0])
def test_equal_weights_are_chi_squared(n, x):
    truth = stats.chi2.sf(x, n)
    assert mixture_tail(2.5 * x, np.full(n, 2.5)) == pytest.approx(truth, rel=1e-10)


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.5), (3.0, 2.9), (1.0, 1e-5), (1e6, 2e5)])
@pytest.mark.parametrize("share", [0.05, 1.0, 10.0, 80.0])
def test_pairs_of_weights_are_sums_of_exponentials(a, b, share):
    x, p, q = share * (a + b), 1 / (2 * a), 1 / (2 * b)
    truth = (q * np.exp(-p * x) - p * np.exp(-q * x)) / (q - p)
    assert mixture_tail(x, np.array([a, b, a, b])) == pytest.approx(truth, rel=1e-10)


@pytest.mark.parametrize("x", [1e-30, 1e-16, 1e-8, 1e-4])
@pytest.mark.parametrize("n", [1, 2, 6])
def test_hardly_anything_is_exceeded_almost_surely(x, n):
    assert mixture_tail(x, np.ones(n)) == pytest.approx(stats.chi2.sf(x, n), abs=1e-10)


def test_ends():
    assert mixture_tail(0.0, np.ones(2)) == mixture_tail(-1.0, np.ones(2)) == 1.0
    assert mixture_tail(1.0, np.zeros(2)) == 0.0
    alone = mixture_tail(1.0, np.array([1.0, 1e-20]))
    assert alone == pytest.approx(stats.chi2.sf(1.0, 1), rel=1e-11)
