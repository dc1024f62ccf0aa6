"""Robust covariances against their plain formulas, with each type of weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.rows import Rows


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


@pytest.mark.parametrize("family", ["negbin", "geometric"])
@pytest.mark.parametrize("cov", ["HC0", "HC1"])
def test_sandwiches_of_other_families(data, family, cov):
    result = gc.fit("y ~ x + z", data, family=family, cov=cov, information="observed")
    X = np.column_stack([np.ones(len(data)), data.x, data.z])
    joint = family == "negbin"
    start = result.params.to_numpy().copy()
    if joint:
        start[3] = np.log(start[3])

    def scores(theta):
        from scipy import special

        eta, alpha = X @ theta[:3], np.exp(theta[3]) if joint else 1.0
        mu, y, r = np.exp(eta), data.y.to_numpy(), 1 / alpha
        mean = X * ((y - mu) / (1 + alpha * mu))[:, None]
        inner = special.psi(y + r) - special.psi(r) - np.log1p(alpha * mu)
        log_alpha = -r * (inner + (mu - y) / (r + mu))
        return np.column_stack([mean, log_alpha]) if joint else mean

    step = 1e-6
    columns = []
    for j in range(len(start)):
        move = np.zeros(len(start))
        move[j] = step
        columns.append((scores(start - move) - scores(start + move)).sum(axis=0) / (2 * step))
    bread = np.linalg.inv(np.array(columns))
    rows = scores(start)
    truth = bread @ rows.T @ rows @ bread.T * (80 / 77 if cov == "HC1" else 1)
    if joint:
        scale = np.array([1, 1, 1, result.params["alpha"]])
        truth = truth * np.outer(scale, scale)
    np.testing.assert_allclose(result.cov_params(), truth, rtol=1e-5, atol=1e-9)


def test_a_quasi_likelihood_scales_only_the_plain_covariance(data):
    quasi, plain = gc.fit("y ~ x", data, family="quasipoisson"), gc.fit("y ~ x", data)
    np.testing.assert_allclose(quasi.cov_params(), plain.cov_params() * quasi.scale, rtol=1e-10)
    for cov in ("HC0", "HC3"):
        np.testing.assert_allclose(
            quasi.with_cov(cov).cov_params(), plain.with_cov(cov).cov_params(), rtol=1e-10
        )


def test_with_cov_leaves_the_first_as_it_was(data):
    first = gc.fit("y ~ x", data)
    before = first.bse.copy()
    other = first.with_cov("hc3")
    assert other.cov_type == "HC3" and first.cov_type == "nonrobust"
    pd.testing.assert_series_equal(first.bse, before)
    pd.testing.assert_series_equal(other.params, first.params)
    assert other.with_cov(None).cov_type == "nonrobust"
    pd.testing.assert_series_equal(other.with_cov(None).bse, before)


def test_hc1_of_a_saturated_model_is_refused():
    with pytest.warns(gc.errors.SampleWarning):
        result = gc.fit("y ~ x", {"y": [1, 4], "x": [0, 1]})
    with pytest.raises(gc.errors.CovarianceError) as caught:
        _ = result.with_cov("HC1").bse
    assert caught.value.kind == "saturated"


def test_an_estimator_of_ones_own(data):
    from glmcount.inference.covariance import Estimator

    double = Estimator("double", "twice", lambda setting, bread: 2.0 * bread)
    result = gc.fit("y ~ x", data, cov=double)
    np.testing.assert_allclose(result.cov_params(), 2 * gc.fit("y ~ x", data).cov_params())
    assert result.cov_type == "double"


@pytest.mark.parametrize("information", ["expected", "observed"])
def test_the_information_of_a_link_that_is_not_canonical(data, information):
    result = gc.fit("y ~ x", data, link="sqrt", information=information)
    X = np.column_stack([np.ones(len(data)), data.x])
    eta = X @ result.params.to_numpy()
    # mu = eta^2: expected weight 4, observed 2 (1 + y / mu).
    weight = 4.0 if information == "expected" else 2.0 * (1.0 + data.y.to_numpy() / eta**2)
    truth = np.linalg.inv((X * np.broadcast_to(weight, len(eta))[:, None]).T @ X)
    np.testing.assert_allclose(result.cov_params(), truth, rtol=1e-9)


@pytest.mark.parametrize(
    ("kind", "link", "most"),
    [
        ("HC0", "log", 1),
        ("HC1", "log", 1),
        ("HC2", "log", 1),
        ("HC3", "log", 1),
        ("HC3", "sqrt", 2),
        ("opg", "log", 1),
    ],
)
def test_passes_over_the_rows(kind, link, most, monkeypatch):
    """One for the scores, and of leverages one for an expected information that is another."""
    rng = np.random.default_rng(7)
    data = pd.DataFrame({"x": rng.normal(size=40_000), "z": rng.normal(size=40_000)})
    data["y"] = rng.poisson(np.exp(0.3 * data.x))
    fitted, passes, fold = gc.fit("y ~ x + z", data, link=link), [], Rows.fold

    def counted(self, *given, **named):
        passes.append(kind)
        return fold(self, *given, **named)

    monkeypatch.setattr(Rows, "fold", counted)
    assert np.isfinite(fitted.with_cov(kind).bse).all()
    assert 1 <= len(passes) <= most
