"""How far a step moves the rows, and what rounding makes of a log-likelihood."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import glmcount as gc
from glmcount.engine.sums import PREDICTOR, Sums
from glmcount.fitting.constraints import Constraints
from glmcount.fitting.problem import Problem
from glmcount.numerics import EPS
from glmcount.numerics.control import Control


def problem():
    """One over columns whose largest entries are 1, 3 and 2."""
    return Problem(
        evaluate=lambda theta, second: Sums(0.0, theta, np.eye(3), 0.0),
        reach=lambda step, decrement=np.inf: min(np.abs(step).dot([1.0, 3.0, 2.0]), decrement),
        control=Control(),
        tell=lambda iteration: None,
    )


def test_under_constraints_moves_are_those_of_all_parameters():
    held = Constraints.by(np.array([[0.0, 1.0, 1.0]]), np.zeros(1), np.ones(3))
    free = problem().free(held)
    assert held.free.tolist() == [0, 2]
    assert free.reach(np.array([0.0, 10.0])) == 50.0
    assert free.reach(np.array([0.0, 10.0]), 0.5) == 0.5


def test_a_log_likelihood_is_rounded_as_addends_are():
    own, sums = problem(), Sums(-10.0, np.zeros(3), np.eye(3), 0.0, PREDICTOR * EPS)
    assert own.slack(np.zeros(3), sums) == sums.slack
    theta = np.array([0.0, 1e6, -1e6])
    rounded = own.slack(theta, sums) - sums.slack
    assert rounded == pytest.approx(EPS * own.reach(theta), rel=1e-4)
    sums = Sums(-10.0, np.zeros(3), np.eye(3), EPS)
    assert own.floor(np.zeros(3), sums) == 4.0 * EPS
    assert own.floor(theta, sums) == EPS * own.reach(theta)


@pytest.mark.parametrize("apart", [1e-6, 3e-7])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"method": "irls", "family": "negbin"},
        {"family": "negbin"},
        {"family": "negbin", "dispersion": "x"},
        {"inflate": "1"},
    ],
    ids=str,
)
def test_near_copies_have_the_maximum_of_their_difference(options, seed, apart):
    """Their coefficients are large, of opposite signs, and finite."""
    rng = np.random.default_rng(seed)
    n = 200
    x, other = rng.normal(size=n), rng.normal(size=n)
    mean = np.exp(0.5 + 0.3 * x) * rng.gamma(2.0, 0.5, n)
    y = rng.poisson(mean * (rng.random(n) > 0.2))
    plain = gc.fit("y ~ x + z", {"y": y, "x": x, "z": other}, **options)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        near = gc.fit("y ~ x + z", {"y": y, "x": x, "z": x + apart * other}, **options)
    assert {type(one.message) for one in told} == {gc.errors.IllConditionedWarning}
    assert near.converged and len(near.history) < 30
    assert near.llf == pytest.approx(plain.llf, abs=1e-7)
    # As far as the copy itself has digits.
    assert near.params["z"] == pytest.approx(plain.params["z"] / apart, rel=1e-6)
    assert near.params["x"] + near.params["z"] == pytest.approx(
        plain.params["x"], abs=1e-9 * abs(near.params["z"])
    )
