"""Robust covariances against their plain formulas, with each type of weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"x": rng.normal(size=80), "z": rng.uniform(size=80)})
    frame["y"] = rng.negative_binomial(2, 0.4, 80)
    frame["w"] = rng.integers(1, 5, 80).astype(float)
    return frame


def plain(result, data, cov, weights_type):
    X = np.column_stack([np.ones(len(data)), data.x, data.z])
    mu = np.exp(X @ result.params.to_numpy())
    w = data.w.to_numpy() if weights_type else np.ones(len(data))
    bread = np.linalg.inv((X * (w * mu)[:, None]).T @ X)
    copies = np.ones(len(data)) if weights_type == "frequency" else w
    leverage = mu * copies * np.einsum("ij,jk,ik->i", X, bread, X)
    square = (data.y - mu) ** 2 * (w if weights_type == "frequency" else w * w)
    nobs = w.sum() if weights_type == "frequency" else len(data)
    square = {
        "HC0": square,
        "HC1": square * nobs / (nobs - 3),
        "HC2": square / (1 - leverage),
        "HC3": square / (1 - leverage) ** 2,
    }[cov]
    return bread @ (X * square.to_numpy()[:, None]).T @ X @ bread


@pytest.mark.parametrize("cov", ["HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("weights_type", [None, "frequency", "importance", "probability"])
def test_sandwiches(data, cov, weights_type):
    options = {"weights": "w", "weights_type": weights_type} if weights_type else {}
    result = gc.fit("y ~ x + z", data, cov=cov, **options)
    np.testing.assert_allclose(
        result.cov_params(), plain(result, data, cov, weights_type), rtol=1e-9, atol=1e-13
    )


def test_opg_is_the_inverse_of_the_scores_products(data):
    result = gc.fit("y ~ x + z", data, cov="opg")
    X = np.column_stack([np.ones(len(data)), data.x, data.z])
    scores = X * (data.y - result.fittedvalues).to_numpy()[:, None]
    np.testing.assert_allclose(result.cov_params(), np.linalg.inv(scores.T @ scores), rtol=1e-9)


def test_leverage_one_is_named():
    data = {"y": [1, 3, 2, 7, 5, 12], "x": [0, 1, 2, 3, 4, 5], "d": [0, 0, 0, 0, 0, 1]}
    result = gc.fit("y ~ x + d", data)
    with pytest.raises(gc.errors.CovarianceError, match=r"\b5\b") as caught:
        _ = result.with_cov("HC3").bse
    assert caught.value.kind == "leverage_one"
    assert result.get_influence().hat_matrix_diag[5] == pytest.approx(1.0)


def test_an_unknown_covariance_lists_those_there_are(data):
    with pytest.raises(gc.errors.UsageError, match="HC1"):
        gc.fit("y ~ x", data, cov="HC9")


def test_hypotheses(data):
    result = gc.fit("y ~ x + z", data, cov="HC1")
    r = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, -1.0]])
    gap = r @ result.params
    truth = gap @ np.linalg.solve(r @ result.cov_params().to_numpy() @ r.T, gap)
    by_text = result.wald_test("x = 0, x = z")
    assert by_text.statistic == pytest.approx(truth, rel=1e-10)
    assert by_text.df == 2
    assert result.wald_test(r).pvalue == pytest.approx(by_text.pvalue, rel=1e-12)
    single = result.t_test("x = 0")
    assert single.statistic[0] == pytest.approx(result.tvalues["x"], rel=1e-12)
    with pytest.raises(gc.errors.CovarianceError, match="repeat"):
        result.wald_test("x = 0, x = 0")
