"""Maxima at the end of a support, where these are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.families import genpoisson
from glmcount.fitting.walls import at_wall, touching
from tests.fitting.test_run import fit_of
from tests.made import run_of

UNDER = {power: genpoisson(power=power, under=True) for power in (1, 2)}


def begun(y, power=1, formula="y ~ 1", **columns):
    """A run, what a solver came to that the wall refused, and a start inside."""
    run = run_of(formula, {"y": np.array(y, float), **columns}, UNDER[power])
    theta = np.zeros(run.size)
    theta[0] = np.log(np.mean(y))
    return run, fit_of(run, status="stuck", llf=-np.inf), theta


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("y", [[1, 1, 1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1]])
def test_of_zeros_and_ones_the_maximum_is_where_the_next_count_ends(power, y):
    # There log f(1) = log(mu / (1 - mu)) and log f(0) = -mu / (1 - mu).
    run, fit, theta = begun(y, power)
    found = at_wall(run, fit, theta)
    ones, zeros = sum(y), len(y) - sum(y)
    odds = ones / zeros
    assert found.llf == pytest.approx(ones * np.log(odds) - zeros * odds, abs=1e-5)
    assert found.status == "edge" and found.converged
    assert touching(run, found.theta) and not touching(run, theta)
    assert found.passes == run.passes > 10
    np.testing.assert_array_equal(found.theta[2:], theta[2:])


def test_a_fit_that_is_better_stays():
    run, _fit, theta = begun([1, 1, 0, 1])
    better = fit_of(run, llf=10.0)
    assert at_wall(run, better, theta) is better


def test_a_likelihood_without_bound_is_told():
    x = np.arange(6.0)
    run, fit, theta = begun(np.round(np.exp(0.3 + 0.4 * x)), 2, "y ~ x", x=x)
    found = at_wall(run, fit, theta)
    assert found.status == "unbounded" and not found.converged
    begun_at = run.reduced(theta, False, expected=False).llf + run.measured.constant
    assert np.isfinite(found.llf) and found.llf > begun_at + 1.0
