"""Problems whose answers are known without any program."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from scipy import special

import glmcount as gc

RNG = np.random.default_rng(20)


def design(n=40):
    return pd.DataFrame({"x": RNG.normal(size=n), "z": RNG.uniform(size=n)})


@pytest.mark.parametrize("family", ["quasipoisson", "geometric", gc.families.negbin(alpha=0.3)])
def test_a_response_that_is_its_mean_gives_the_coefficients_back(family):
    data = design()
    beta = np.array([0.4, -0.8, 1.5])
    data["y"] = np.exp(beta[0] + beta[1] * data.x + beta[2] * data.z)

    expected = gc.errors.ResponseWarning
    with nullcontext() if family == "quasipoisson" else pytest.warns(expected):
        result = gc.fit("y ~ x + z", data, family=family)
    np.testing.assert_allclose(result.params, beta, rtol=1e-12)
    assert result.deviance < 1e-20


@pytest.mark.parametrize("link", ["identity", "sqrt"])
def test_other_links_give_the_coefficients_back(link):
    data = design()
    linear = 4.0 + 0.5 * data.x + 2.0 * data.z
    data["y"] = linear if link == "identity" else linear**2
    result = gc.fit("y ~ x + z", data, family="quasipoisson", link=link)
    np.testing.assert_allclose(result.params, [4.0, 0.5, 2.0], rtol=1e-11)


@pytest.mark.parametrize("family", ["poisson", "geometric", "negbin"])
def test_a_factor_alone_gives_group_means(family):
    data = pd.DataFrame({"g": list("aaabbbbcc"), "y": [1, 0, 5, 2, 9, 7, 0, 4, 11]})
    result = gc.fit("y ~ 0 + g", data, family=family)
    means = data.groupby("g").y.mean()
    np.testing.assert_allclose(np.exp(result.params.to_numpy()[:3]), means, rtol=1e-12)


def test_poisson_standard_error_of_a_rate():
    result = gc.fit("y ~ 1", {"y": [3, 4, 5], "t": [1.0, 2.0, 3.0]}, exposure="t")
    assert result.params["Intercept"] == pytest.approx(np.log(12 / 6), rel=1e-14)
    assert result.bse["Intercept"] == pytest.approx(1 / np.sqrt(12), rel=1e-14)
    rate = np.array([2.0, 4.0, 6.0])
    y = np.array([3, 4, 5])
    llf = (y * np.log(rate) - rate - special.gammaln(y + 1)).sum()
    assert result.llf == pytest.approx(llf, rel=1e-14)


def test_geometric_is_success_counting():
    # With an intercept alone 1 / (1 + mean) is the share of successes.
    result = gc.fit("y ~ 1", {"y": [0, 1, 2, 5]}, family="geometric")
    p = 1 / (1 + 2.0)
    llf = sum(np.log(p) + k * np.log1p(-p) for k in (0, 1, 2, 5))
    assert result.llf == pytest.approx(llf, rel=1e-14)


def test_two_by_two_odds():
    data = {"y": [10, 20, 30, 90], "a": [0, 0, 1, 1], "b": [0, 1, 0, 1]}
    with pytest.warns(gc.errors.SampleWarning):
        result = gc.fit("y ~ a * b", data)
    assert result.params["a:b"] == pytest.approx(np.log(10 * 90 / (20 * 30)), rel=1e-12)
    assert result.bse["a:b"] == pytest.approx(np.sqrt(sum(1 / n for n in data["y"])), rel=1e-12)


def test_a_mean_that_goes_to_the_edge_of_the_identity_link_is_named():
    data = {"x": [0, 0, 0, 1, 2, 3, 4], "y": [0, 0, 0, 1, 2, 3, 4]}
    with pytest.raises(gc.errors.BoundaryError, match=r"row [012]") as caught:
        gc.fit("y ~ x", data, link="identity")
    assert caught.value.kind == "mean_boundary"
