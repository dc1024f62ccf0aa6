"""Rao's test: published figures, sandwich forms by hand, what cannot be added."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.errors import GlmcountError
from glmcount.inference.covariance.estimator import estimator
from glmcount.records import replace
from tests.made import counts

DATA = pd.DataFrame(counts(90, 6))


def test_dobson_s_interaction_is_pearson_s():
    # R's anova(test = "Rao"): 5.1732 on 4, p 0.27; the interaction saturates the model.
    r = gc.fit("counts ~ C(outcome) + C(treatment)", gc.datasets.load("dobson"))
    found = r.score_test("C(outcome):C(treatment)")
    assert round(found.statistic, 4) == 5.1732
    assert round(found.pvalue, 2) == 0.27
    assert found.df == 4
    assert found.statistic == pytest.approx(r.pearson_chi2, rel=1e-10)
    assert found.title == "Score test"
    assert found.conf_int is None


def by_hand(mean, weights, importance=False):
    """Rao's statistic of z beside 1, x under Poisson, by the sandwich of the scores."""
    X = np.column_stack([np.ones(90), DATA.x, DATA.z])
    scores = (DATA.y.to_numpy() - mean)[:, None] * X
    H = X.T @ ((weights * mean)[:, None] * X)
    w = weights**2 if importance else weights
    meat = scores.T @ (w[:, None] * scores)
    n, x = [0, 1], [2]
    # Efficient scores.
    turn = np.array([[*(-H[np.ix_(x, n)] @ np.linalg.inv(H[np.ix_(n, n)]))[0], 1.0]])
    s, v = turn @ (scores.T @ weights), turn @ meat @ turn.T
    plain = turn @ H @ turn.T
    return float(s @ np.linalg.solve(v, s)), float(s @ np.linalg.solve(plain, s))


@pytest.mark.parametrize("kind", [None, "frequency", "importance"])
def test_sandwich_and_plain(kind):
    options = {} if kind is None else {"weights": "w", "weights_type": kind}
    r = gc.fit("y ~ x", DATA, **options)
    weights = np.ones(90) if kind is None else DATA.w.to_numpy()
    robust, plain = by_hand(r.fittedvalues.to_numpy(), weights, kind == "importance")
    assert r.score_test("z").statistic == pytest.approx(plain, rel=1e-9)
    found = r.with_cov("HC0").score_test("z")
    assert found.statistic == pytest.approx(robust, rel=1e-9)
    n = r.nobs
    assert r.with_cov("HC1").score_test("z").statistic == pytest.approx(
        robust * (n - 3) / n, rel=1e-9
    )
    assert "HC0" in found.note


def test_opg_is_n_r_squared():
    # Davidson & MacKinnon (1984): n R^2 of ones on the scores.
    r = gc.fit("y ~ x", DATA, cov="opg")
    X = np.column_stack([np.ones(90), DATA.x, DATA.z])
    scores = (DATA.y - r.fittedvalues).to_numpy()[:, None] * X
    fitted = scores @ np.linalg.lstsq(scores, np.ones(90), rcond=None)[0]
    assert r.score_test("z").statistic == pytest.approx(fitted @ fitted, rel=1e-9)
    # By what a covariance says of itself, not by its name.
    mine = replace(estimator("opg", "opg"), name="mine")
    assert r.with_cov(mine).score_test("z").statistic == r.score_test("z").statistic
    other = r.with_cov(replace(mine, name="opg", outer=False)).score_test("z")
    assert other.statistic != pytest.approx(fitted @ fitted, rel=1e-6)


def test_quasi_likelihoods_have_an_f():
    r, plain = (gc.fit("y ~ x", DATA, family=f) for f in ("quasipoisson", "poisson"))
    found = r.score_test("z + g")
    assert found.distribution == "F"
    assert found.df_denom == r.df_resid
    expected = plain.score_test("z + g").statistic / 3 / r.scale
    assert found.statistic == pytest.approx(expected, rel=1e-9)


def test_arrays_are_as_terms():
    X = np.column_stack([np.ones(90), DATA.x])
    r = gc.fit_arrays(DATA.y.to_numpy(), X, family="negbin")
    Z = np.column_stack([DATA.z, DATA.t])
    expected = gc.fit("y ~ x", DATA, family="negbin").score_test("z + t")
    assert r.score_test(Z).statistic == pytest.approx(expected.statistic, rel=1e-8)
    assert r.score_test(pd.DataFrame(Z, columns=["a", "b"])).df == 2


def test_transforms_learn_of_the_rows_that_were_fitted():
    data = DATA.assign(x=np.where(np.arange(90) < 5, np.nan, DATA.x))
    with pytest.warns(gc.errors.MissingRowsWarning):
        r = gc.fit("y ~ x", data)
    found = r.score_test("center(z) + bs(t, df=4)")
    expected = gc.fit("y ~ x", data.dropna()).score_test("center(z) + bs(t, df=4)")
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.df == 5


def test_another_response_and_offsets():
    r = gc.fit("y ~ x", DATA, exposure="t").refit(y=DATA.y.to_numpy()[::-1].copy())
    expected = gc.fit("y ~ x", DATA.assign(y=DATA.y.to_numpy()[::-1]), exposure="t")
    assert r.score_test("z").statistic == pytest.approx(
        expected.score_test("z").statistic, rel=1e-9
    )


def kind_of(ask):
    with pytest.raises(GlmcountError) as caught:
        ask()
    return caught.value.kind


def test_refusals():
    r = gc.fit("y ~ x + g", DATA)
    lacking = DATA.assign(m=np.where(np.arange(90) < 3, np.nan, DATA.z))
    with_missing = gc.fit("y ~ x", lacking)
    with pytest.raises(GlmcountError, match="no value in 3 of the rows") as caught:
        with_missing.score_test("m")
    assert caught.value.kind == "missing_in_terms"
    assert kind_of(lambda: r.score_test("x")) == "no_terms"
    assert kind_of(lambda: r.score_test("offset(z)")) == "no_terms"
    assert kind_of(lambda: r.score_test("y ~ z")) == "no_terms"
    assert kind_of(lambda: r.score_test("")) == "no_terms"
    assert kind_of(lambda: r.score_test("I(3 * x)")) == "nothing_added"
    assert kind_of(lambda: r.score_test("zz")) == "unknown_column"
    arrays = gc.fit_arrays(DATA.y.to_numpy(), np.ones((90, 1)))
    assert kind_of(lambda: arrays.score_test("z")) == "names"
    assert kind_of(lambda: arrays.score_test(np.ones((89, 1)))) == "length"
    assert kind_of(lambda: arrays.score_test(np.full((90, 1), np.nan))) == "missing_in_terms"
    other = pd.DataFrame({"z": DATA.z}, index=range(5, 95))
    assert kind_of(lambda: r.score_test(other)) == "different_index"


def test_clusters():
    with pytest.warns(gc.errors.CovarianceWarning):
        r = gc.fit("y ~ x", DATA.assign(c=np.arange(90) % 15), cov={"cluster": "c"})
    mean, n = r.fittedvalues.to_numpy(), 90
    X = np.column_stack([np.ones(n), DATA.x, DATA.z])
    scores = (DATA.y.to_numpy() - mean)[:, None] * X
    sums = np.stack([scores[np.arange(90) % 15 == c].sum(axis=0) for c in range(15)])
    H = X.T @ (mean[:, None] * X)
    turn = np.append(-H[2, :2] @ np.linalg.inv(H[:2, :2]), 1.0)
    expected = (turn @ scores.sum(axis=0)) ** 2 / (turn @ sums.T @ sums @ turn) * 14 / 15
    assert r.score_test("z").statistic == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
@pytest.mark.parametrize("kind", ["CR1", "CR2"])
def test_own_degrees_of_freedom_of_what_is_added_are_refused_by_name(kind):
    # The larger model has more coefficients than there are estimates.
    cov = gc.cluster(np.arange(90) % 15, kind, df="satterthwaite")
    r = gc.fit("y ~ x", DATA).with_cov(cov)
    with pytest.raises(gc.errors.CovarianceError, match="Satterthwaite") as caught:
        r.score_test("z")
    assert caught.value.kind == "score_freedom"


def test_columns_that_are_no_numbers_are_refused_by_name():
    r = gc.fit("y ~ x", DATA)
    with pytest.raises(gc.errors.DataError, match="column 'g' to be added does not hold numbers"):
        r.score_test(DATA[["z", "g"]])
