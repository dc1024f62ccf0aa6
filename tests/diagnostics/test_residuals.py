"""Residuals and influence against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"x": rng.normal(size=300), "g": rng.choice(list("ab"), 300)})
    frame["y"] = rng.poisson(np.exp(0.5 + 0.4 * frame.x) * rng.gamma(2, 0.5, 300))
    return frame


def test_anscombe_residuals_of_poisson_have_a_closed_form(data):
    result = gc.fit("y ~ x", data)
    mu = result.fittedvalues
    truth = 1.5 * (data.y ** (2 / 3) - mu ** (2 / 3)) / mu ** (1 / 6)
    np.testing.assert_allclose(result.resid_anscombe, truth, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("family", ["poisson", "negbin", "geometric"])
def test_quantile_residuals_are_normal_for_data_of_the_family(data, family):
    result = gc.fit("y ~ x", data, family=gc.families.resolve(family))
    again = gc.fit("y ~ x", data.assign(y=result.simulate(1, rng=3)[0]), family=family)
    found = again.resid_quantile(rng=5)
    pd.testing.assert_series_equal(found, again.resid_quantile(rng=5))
    assert abs(found.mean()) < 0.15
    assert abs(found.std() - 1) < 0.15


def test_far_tails_stay_finite():
    data = {"y": [0, 1, 2, 3, 5000], "x": [0, 1, 0, 1, 0]}
    result = gc.fit("y ~ x", data)
    moved = result.resid_quantile(rng=1)
    assert np.isfinite(moved).all()
    assert moved.iloc[-1] > 30


def test_deviance_residuals_add_up(data):
    for family in ("poisson", "negbin", "geometric"):
        result = gc.fit("y ~ x", data, family=family)
        assert (result.resid_deviance**2).sum() == pytest.approx(result.deviance, rel=1e-12)
        assert (np.sign(result.resid_deviance) == np.sign(result.resid_response)).all()
        assert (result.resid_pearson**2).sum() == pytest.approx(result.pearson_chi2, rel=1e-12)


def test_leverage_is_the_hat_matrix(data):
    result = gc.fit("y ~ x * g", data)
    X = np.column_stack([np.ones(300), data.g == "b", data.x, data.x * (data.g == "b")])
    root = np.sqrt(result.fittedvalues.to_numpy())[:, None] * X
    hat = np.diag(root @ np.linalg.inv(root.T @ root) @ root.T)
    influence = result.get_influence()
    np.testing.assert_allclose(influence.hat_matrix_diag, hat, rtol=1e-10)
    assert influence.hat_matrix_diag.sum() == pytest.approx(4.0, rel=1e-12)
    cooks = (result.resid_pearson / (1 - hat)) ** 2 * hat / 4
    np.testing.assert_allclose(influence.cooks_distance[0], cooks, rtol=1e-9)
    assert list(influence.summary_frame()) == ["hat_diag", "cooks_d", "standard_resid"]
    assert list(result.augment())[:2] == ["fitted", "resid"]
