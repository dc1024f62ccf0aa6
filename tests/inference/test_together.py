"""The largest of correlated statistics against laws that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glmcount.inference.together import largest


def pairwise(k, precisions=None):
    """All differences of k independent estimates, and the covariance of these."""
    c = np.array([np.eye(k)[j] - np.eye(k)[i] for i in range(k) for j in range(i + 1, k)])
    return c, np.diag(np.ones(k) if precisions is None else 1.0 / np.asarray(precisions))


# All pairwise differences of equally precise estimates: Tukey's studentised range / sqrt(2), which
# scipy integrates by its own quadrature.
@pytest.mark.parametrize("k", [2, 3, 4, 6])
@pytest.mark.parametrize("df", [None, 12.0])
@pytest.mark.parametrize("size", [0.5, 1.5, 2.5, 4.0])
def test_pairwise_differences_have_the_studentised_range(k, df, size):
    value, error = largest(*pairwise(k), df).tail(size)
    truth = stats.studentized_range.sf(size * np.sqrt(2), k, np.inf if df is None else df)
    assert abs(value - truth) <= (1e-8 if k < 4 else max(6 * error, 1e-9))
    assert error < 1e-4 and (error == 0.0) == (k < 4)


@pytest.mark.parametrize("df", [None, 5.0])
def test_independent_statistics(df):
    value, error = largest(np.eye(3), np.diag([1.0, 4.0, 0.25]), df).tail(2.0)
    if df is None:
        truth = -np.expm1(3 * np.log1p(-2 * stats.norm.sf(2.0)))
    else:
        # Given the scale they are independent: one integral over it.
        s = np.sqrt(stats.chi2.ppf((np.arange(200_000) + 0.5) / 200_000, df) / df)
        truth = np.mean(-np.expm1(3 * np.log1p(-2 * stats.norm.sf(2.0 * s))))
    assert value == pytest.approx(truth, abs=max(6 * error, 1e-6))


@pytest.mark.parametrize("df", [None, 9.0])
def test_copies_of_one_statistic_are_one(df):
    alone = stats.norm.sf(1.7) if df is None else stats.t.sf(1.7, df)
    for copies in ([1, 1, 1, 1], [1, -1, 3]):
        one = np.array(copies, dtype=float)[:, None]
        assert largest(one, np.array([[0.7]]), df).tail(1.7) == (
            pytest.approx(2 * alone, rel=1e-12),
            0.0,
        )


def test_a_small_tail_keeps_its_digits():
    """Far out the events hardly overlap, and the tail is the sum of their chances."""
    law = largest(*pairwise(5, [1, 2, 3, 4, 5]), None)
    for size in (8.0, 20.0, 35.0):
        assert law.tail(size)[0] == pytest.approx(10 * 2 * stats.norm.sf(size), rel=2e-2)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_quantile_is_the_inverse_of_the_tail(k):
    law = largest(*pairwise(k, np.arange(k) + 1.0), 30.0)
    assert law.tail(law.quantile(0.05))[0] == pytest.approx(0.05, rel=1e-9)


def test_the_same_question_has_the_same_answer_and_its_error_is_honest():
    asked = pairwise(6, [1, 1, 2, 3, 5, 8])
    first, second = (largest(*asked, None).tail(2.2) for _ in range(2))
    assert first == second
    # By plain simulation, a hundred times the points.
    rng = np.random.default_rng(0)
    u = rng.normal(size=(400_000, 6)) / np.sqrt([1, 1, 2, 3, 5, 8])
    z = np.abs(u[:, :, None] - u[:, None, :]) / np.sqrt(
        np.add.outer(1 / np.array([1, 1, 2, 3, 5, 8]), 1 / np.array([1, 1, 2, 3, 5, 8]))
    )
    share = (z.max(axis=(1, 2)) > 2.2).mean()
    assert abs(first[0] - share) < 4 * np.sqrt(share * (1 - share) / 400_000)
