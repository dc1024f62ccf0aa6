"""Right-censored counts at the boundaries of their family."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy import stats

from glmcount.families import censored, resolve, zero_inflated
from glmcount.families.combine.censored import _score_above


@pytest.mark.parametrize(
    ("mean", "top"),
    [(5.0, 7), (5.0, 2), (5e3, 5_100), (4.9e3, 6_000), (30.0, 5_000), (1e6, 999_000), (5e8, 10**9)],
)
def test_the_score_at_a_boundary_is_the_mean_of_those_from_the_limit_on(mean, top):
    (limit,) = censored(resolve("negbin")).limits
    reached = np.full((2, 3), float(top))
    found = limit.score(reached, [np.log(np.full(3, mean))])[0]
    # d log f / d alpha at alpha = 0 is ((y - mu)^2 - y) / 2; its mean over the counts in the tail.
    y = np.arange(top, top + 400 + int(80 * np.sqrt(mean) + max(mean - top, 0)), dtype=np.float64)
    mass = stats.poisson.logpmf(y, mean)
    mass = np.exp(mass - mass.max())
    right = np.sum(mass * ((y - mean) ** 2 - y) / 2) / mass.sum()
    np.testing.assert_allclose(found, right, rtol=1e-6)


@pytest.mark.parametrize(("mean", "sigmas"), [(10**13, 1), (10**12, -1), (10**13, 4)])
def test_the_score_at_a_boundary_of_more_counts_than_are_added_up_one_by_one(mean, sigmas):
    top = mean + sigmas * math.isqrt(mean)
    (limit,) = censored(resolve("negbin")).limits
    found = limit.score(np.full((2, 1), float(top)), [np.log(np.array([float(mean)]))])[0]
    # E[((Y - mu)^2 - Y) / 2 | Y >= t] by factorial moments, which are shifted tails, at 40 digits.
    with mpmath.workdps(40):
        m, s = mpmath.mpf(mean), mpmath.sqrt(mean)

        def mass(y):
            return mpmath.exp(y * mpmath.log(m) - m - mpmath.loggamma(y + 1))

        ends = [top - mpmath.mpf(1) / 2, *(top + k * s for k in (0.5, 1, 2, 4, 8, 12))]
        right = m * mass(top - 1) * (top - 1 - m) / 2 / mpmath.quad(mass, ends)
    np.testing.assert_allclose(found, float(right), rtol=1e-6)


@pytest.mark.parametrize(
    ("mean", "top"), [(1e3, 3_000), (1e7, 3 * 10**7), (1e9, 10**6), (1e13, 10**9)]
)
def test_the_score_of_an_inflation_is_minus_one_beyond_zero(mean, top):
    """However long the tail of a negative binomial is, or however much lies below the limit."""
    (limit,) = [one for one in zero_inflated(resolve("negbin")).limits if one.name == "inflation"]
    with np.errstate(over="ignore"):
        found = _score_above(limit, [np.log(np.array([mean])), np.zeros(1)], top, 1)
    np.testing.assert_allclose(found, -1.0, rtol=1e-6)
