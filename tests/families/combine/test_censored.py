"""Right-censored counts at the boundaries of their family."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glmcount.families import censored, resolve


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
