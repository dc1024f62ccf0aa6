"""Fits under constraints: profiles by other programs' values, equal and absent columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import glmcount as gc
from glmcount.fitting.restrict import restricted

QUANTILE = stats.chi2.ppf(0.95, 1)


def under(result, matrix, values, near=None):
    """A fit again, under constraints on the parameters as they are estimated."""
    state = result._state
    rows, measured = state.seen_here
    given = np.atleast_2d(np.asarray(matrix, float)), np.atleast_1d(np.asarray(values, float))
    return restricted(rows, measured, state.fit, state.options, given, near)


def ends(result, place, low, high):
    """Where the deviance of a parameter's profile is that of 95 %."""
    own = np.eye(len(result.params))[place]

    def deviance(value):
        return 2.0 * (result.llf - under(result, own, value).llf) - QUANTILE

    at = result._state.fit.layout.unshift(result._state.fit.settled)[place]
    return [
        None if end is None else optimize.brentq(deviance, end, at, xtol=1e-9)
        for end in (low, high)
    ]


def test_a_profile():
    result = gc.fit("y ~ 1", {"y": [1, 0, 2, 1]})
    np.testing.assert_allclose(ends(result, 0, -5.0, 3.0), [-1.169732, 0.842891], atol=6e-7)
    truncated = gc.fit("y ~ 1", {"y": [1, 1, 2, 1, 3, 2, 1, 1, 4, 2]}, truncated=0)
    np.testing.assert_allclose(ends(truncated, 0, -5.0, 3.0), [-0.462985, 0.841316], atol=6e-7)


@pytest.mark.filterwarnings("ignore::glmcount.errors.SeparationWarning")
def test_a_profile_of_an_infinite_coefficient():
    result = gc.fit("y ~ d", {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]})
    own = np.array([0.0, 1.0])
    found = optimize.brentq(
        lambda value: 2.0 * (result.llf - under(result, own, value).llf) - QUANTILE, -20.0, 2.0
    )
    assert found == pytest.approx(-0.569262, abs=6e-7)


def test_a_profile_whose_ancillary_parameter_is_estimated_each_time():
    a = [0, 1, 0, 2, 5, 0, 1, 3, 0, 0, 7, 1] * 5
    b, c = [0, 0, 1, 0, 4, 0, 2, 0, 0, 1, 0, 9], [0, 3, 0]
    groups = ["A"] * len(a) + ["B"] * len(b) + ["C"] * len(c)
    result = gc.fit("y ~ g", {"y": a + b + c, "g": groups}, family="negbin")
    np.testing.assert_allclose(ends(result, 0, -2.0, 4.0), [0.139413, 0.906392], atol=6e-7)
    np.testing.assert_allclose(ends(result, 1, -4.0, 4.0), [-1.083828, 0.849192], atol=6e-7)
    np.testing.assert_allclose(ends(result, 2, -6.0, 6.0), [-2.372619, 1.674027], atol=6e-7)
    alpha = np.exp(ends(result, 3, -2.0, 3.0))
    np.testing.assert_allclose(alpha, [0.892467, 2.731108], atol=2e-6)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(8)
    n = 400
    frame = pd.DataFrame(
        {
            "a": rng.normal(900.0, 1.0, n),
            "b": rng.normal(-3.0, 0.1, n),
            "g": rng.choice(list("uvw"), n),
        }
    )
    mean = np.exp(0.4 + 0.3 * (frame.a - 900.0) + 0.5 * (frame.g == "v"))
    frame["y"] = rng.negative_binomial(2.0, 2.0 / (2.0 + mean)) * (rng.random(n) > 0.15)
    return frame


MODELS = {
    "poisson": {},
    "irls": {"method": "irls"},
    "lbfgs": {"method": "lbfgs"},
    "gradient": {"method": "gradient"},
    "negbin": {"family": "negbin"},
    "zip": {"inflate": "1"},
    "hurdle": {"hurdle": "a", "family": "negbin"},
    "cells": {"compress": True},
}


@pytest.mark.parametrize("model", MODELS)
def test_equal_coefficients_are_a_sum_of_columns(data, model):
    options = MODELS[model]
    frame = data.assign(s=data.a + data.b)
    full = gc.fit("y ~ a + b + g", frame, **options)
    equal = np.zeros(len(full.params))
    names = list(full.params.index)
    equal[[names.index("a"), names.index("b")]] = 1.0, -1.0
    found, one = under(full, equal, 0.0), gc.fit("y ~ s + g", frame, **options)
    assert found.status == "final"
    assert found.llf == pytest.approx(one.llf, rel=1e-12)
    estimate = dict(zip(names, found.estimate, strict=True))
    for name in ("Intercept", "g[T.v]", "g[T.w]"):
        assert estimate[name] == pytest.approx(one.params[name], rel=1e-7)
    assert estimate["a"] == pytest.approx(estimate["b"], rel=1e-12) == one.params["s"]
    # By what is held the log-likelihood still rises: a score test is made of that.
    inner = full._state.fit.layout.functions(equal[None], full._state.fit.kept)[0]
    shares = found.score / np.where(inner != 0, inner, 1.0)
    assert np.ptp(shares[inner != 0]) < 1e-4 * np.abs(shares[inner != 0]).max()


@pytest.mark.parametrize("model", MODELS)
def test_a_coefficient_held_at_zero_is_a_column_left_out(data, model):
    options = MODELS[model]
    full, without = (gc.fit(f, data, **options) for f in ("y ~ a + b + g", "y ~ a + g"))
    names = list(full.params.index)
    found = under(full, np.eye(len(names))[names.index("b")], 0.0)
    assert found.llf == pytest.approx(without.llf, rel=1e-12)
    assert found.estimate[names.index("b")] == 0.0
    again = under(full, np.eye(len(names))[names.index("b")], 0.01, near=found.theta)
    assert again.estimate[names.index("b")] == pytest.approx(0.01, rel=1e-12)


def test_all_of_them_held_is_one_pass(data):
    full = gc.fit("y ~ a", data)
    found = under(full, np.eye(2), full.params + 0.001)
    assert found.passes <= 3 and found.llf < full.llf
    np.testing.assert_allclose(found.estimate, full.params + 0.001, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_a_constraint_on_a_column_left_out(data):
    full = gc.fit("y ~ a + I(2 * a)", data)
    with pytest.raises(gc.errors.UsageError, match="left out because others give it"):
        under(full, [0.0, 1.0, 1.0], 0.0)
    assert under(full, [0.0, 1.0, 0.0], 0.0).status == "final"
