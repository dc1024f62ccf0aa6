"""Every test and profile interval of every family and combinator: a number, or a named refusal.

What is compared with: fits of formulas without the term (tables), fits with a coefficient as an
offset (profiles), differences of the log-likelihood (scores).
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import patsy
import pytest
from scipy import stats

import glmcount as gc
from glmcount.errors import GlmcountError, GlmcountWarning
from glmcount.families import families
from glmcount.families.distribution import log_masses
from tests.made import patsy_design

RNG = np.random.default_rng(8)
N = 90
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.normal(size=N),
        "g": np.resize(["a", "b", "c"], N),
        "t": RNG.uniform(0.5, 2.0, N),
        "c": np.arange(N) % 18,
        "time": np.random.default_rng(1).permutation(N),
    }
)
MEAN = np.exp(0.9 + 0.25 * DATA.x) * RNG.gamma(2.0, 0.5, N)
DATA["y"] = RNG.poisson(MEAN) * (RNG.uniform(size=N) > 0.12)
# An impossible or a missing row of each kind.
DATA.loc[5, "x"] = np.nan
COUNTS = [name for name in families if families[name].support[1] > 1]
PLAIN = {
    "plain": {},
    "exposure": {"exposure": "t"},
    "weights": {"weights": "w"},
    "importance": {"weights": "t", "weights_type": "importance"},
}
PARTS = {
    "inflated": {"inflate": "1"},
    "inflated by z": {"inflate": "z"},
    "hurdle": {"hurdle": "z"},
    "truncated": {"truncated": 0},
    "censored": {"censored": 6},
}
DATA["w"] = RNG.integers(1, 4, N).astype(float)
SOME = ("poisson", "negbin", "compoisson", "genpoisson", "pig", "negbin1")
CASES = [
    *((family, "plain") for family in COUNTS),
    *((f, name) for f in ("poisson", "negbin", "compoisson") for name in PLAIN if name != "plain"),
    *((f, name) for f in SOME for name in PARTS if f != "compoisson"),
    ("compoisson", "hurdle"),
    ("negbin", "dispersion"),
    ("compoisson", "dispersion"),
    ("bernoulli", "plain"),
    ("poisson", "sqrt"),
]
MORE = {"dispersion": {"dispersion": "x"}, "sqrt": {"link": "sqrt"}}


def made(family, name, formula="y ~ x + g", **more):
    options = {**PLAIN, **PARTS, **MORE}[name]
    data = DATA[DATA.y > 0] if name == "truncated" else DATA
    data = data.assign(y=np.minimum(data.y, 1)) if family == "bernoulli" else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlmcountWarning)
        return gc.fit(formula, data, family=family, **options, **more)


@cache
def fitted(family, name):
    return made(family, name)


def attempt(ask):
    """A number, or the kind of a refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlmcountWarning)
        try:
            return ask()
        except GlmcountError as error:
            assert len(str(error)) > 40
            return error.kind


def of_quasi(family):
    return not families[family].likelihood


@pytest.mark.parametrize(("family", "name"), CASES)
def test_tables_by_likelihood(family, name):
    r = fitted(family, name)
    found = attempt(r.anova)
    if isinstance(found, str):
        assert found in ("larger_null",)
        return
    assert list(found.columns) == ["df", "statistic", "pvalue"]
    for term, formula in (("x", "y ~ g"), ("g", "y ~ x")):
        # The row without an x stays out.
        without = made(family, name, f"{formula} + I(0 * x)")
        gained = 2.0 * (r._state.fit.llf - without._state.fit.llf)
        expected = gained / found.loc[term, "df"] / r.scale if of_quasi(family) else gained
        assert found.loc[term, "statistic"] == pytest.approx(max(expected, 0.0), abs=3e-6)
        assert found.loc[term, "df"] == {"x": 1, "g": 2}[term]
        if not of_quasi(family):
            tail = stats.chi2.sf(found.loc[term, "statistic"], found.loc[term, "df"])
            assert found.loc[term, "pvalue"] == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize(("family", "name"), CASES)
def test_tables_by_estimates_and_by_scores(family, name):
    r = fitted(family, name)
    wald, score = (attempt(lambda t=t: r.anova(2, t)) for t in ("wald", "score"))
    assert not isinstance(wald, str)
    for term, formula in (("x", "y ~ g"), ("g", "y ~ x")):
        one = r.wald_test([f"{n} = 0" for n in r.params.index if n[0] == term and "_" not in n])
        assert wald.loc[term, "statistic"] == pytest.approx(one.statistic, rel=1e-8)
        without = made(family, name, f"{formula} + I(0 * x)")
        other = attempt(lambda w=without, t=term: w.score_test(t))
        if isinstance(score, str) or isinstance(other, str):
            assert score == other == "singular_information"
        elif not of_quasi(family):
            # Of a quasi-likelihood the scale is that of the model of which it is asked.
            assert score.loc[term, "statistic"] == pytest.approx(other.statistic, rel=1e-6)


@pytest.mark.parametrize(("family", "name"), CASES)
def test_profiles_of_a_slope(family, name):
    r = fitted(family, name)
    found = attempt(lambda: r.conf_int(method="profile", parameters="x"))
    if isinstance(found, str):
        assert found == "no_likelihood"
        assert of_quasi(family)
        return
    for end in found.loc["x"]:
        offset = end * DATA["x"]
        offset = offset[DATA.y > 0] if name == "truncated" else offset
        without = made(family, name, "y ~ g", offset=offset)
        assert 2.0 * (r.llf - without.llf) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=2e-5)


@pytest.mark.parametrize(("family", "name"), CASES)
def test_profiles_of_all_others(family, name):
    r = fitted(family, name)
    if of_quasi(family):
        return
    others = [each for each in r.params.index if each != "x"]
    found = attempt(lambda: r.conf_int(method="profile", parameters=others))
    assert not isinstance(found, str), found
    inside = r.params[others]
    finite = np.isfinite(inside)
    # An end that could not be followed is NaN, and a warning names it.
    assert not (found[0] > inside)[finite].any()
    assert not (found[1] < inside)[finite].any()
    assert found.notna().to_numpy().sum() >= found.size - 2


@pytest.mark.parametrize(("family", "name"), CASES)
@pytest.mark.parametrize("cov", ["nonrobust", "opg", "HC1"])
def test_scores(family, name, cov):
    r = fitted(family, name).with_cov(cov)
    found = attempt(lambda: r.score_test("z"))
    if isinstance(found, str):
        # Observed and expected informations of no use: only the outer product is left, or nothing.
        assert found in ("singular_information", "no_residuals")
        return
    assert found.df == 1
    assert 0.0 <= found.pvalue <= 1.0
    assert np.isfinite(found.statistic)
    assert "Score test of z" in str(found)


CLUSTERED = [{"cluster": "c"}, {"cluster": ["c", "g"]}, gc.cluster("c", kind="CR3", df="t")]


@pytest.mark.parametrize("cov", [*CLUSTERED, gc.hac("time"), "HC3"], ids=range(5))
@pytest.mark.parametrize(("family", "name"), CASES)
def test_under_other_covariances(family, name, cov):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlmcountWarning)
        whole = fitted(family, name)
        r = attempt(lambda: whole.with_cov(cov))
        if isinstance(r, str):
            assert r == "no_leverage" and not whole._state.fit.family.mean_equation
            return
        known = attempt(lambda: r.bse)
    # Two ways of which one has three clusters tell too little of two columns together.
    refused = (
        "no_leverage", "singular_information", "no_residuals", "cluster_information",
        "singular_hypothesis", "singular_covariance",
    )  # fmt: skip
    for ask in (
        lambda: r.anova(2, "wald"),
        lambda: r.anova(2, "score"),
        lambda: r.score_test("z"),
    ):
        found = attempt(ask)
        if isinstance(found, str):
            assert found in (*refused, known if isinstance(known, str) else "")
        elif isinstance(found, pd.DataFrame):
            assert found.df.tolist()[:2] == [1, 2]
        else:
            assert 0.0 <= found.pvalue <= 1.0
    likelihoods = (r.anova, lambda: r.conf_int(method="profile"), lambda: gc.lr_test(r, r))
    for ask in likelihoods:
        assert attempt(ask) in ("robust_likelihood", "no_likelihood")


def differences(function, theta, h=1e-4):
    """Gradient and Hessian by central differences."""
    p, unit = len(theta), np.eye(len(theta)) * h
    gradient = [(function(theta + unit[i]) - function(theta - unit[i])) / (2 * h) for i in range(p)]
    second = np.empty((p, p))
    for i in range(p):
        for j in range(p):
            a, b = unit[i], unit[j]
            second[i, j] = (
                function(theta + a + b)
                - function(theta + a - b)
                - function(theta - a + b)
                + function(theta - a - b)
            ) / (4 * h * h)
    return np.array(gradient), second


@pytest.mark.parametrize("family", [f for f in SOME if f != "compoisson"])
@pytest.mark.parametrize("name", ["plain", "inflated by z", "hurdle", "truncated"])
def test_scores_by_differences(family, name):
    r = fitted(family, name)
    state = r._state
    if state.fit.limits or state.fit.falling is not None:
        return
    data = (DATA[DATA.y > 0] if name == "truncated" else DATA).dropna()
    own = np.asarray(patsy_design("x + g + z + I(z**2)", data))
    other = np.asarray(patsy.dmatrix("z", data)) if name in ("inflated by z", "hurdle") else None
    fit, y = state.fit, data.y.to_numpy(float)
    sizes = [own.shape[1], *([] if other is None else [2])]

    def loglik(theta):
        ends = np.cumsum(sizes)
        etas = [own @ theta[: ends[0]]]
        etas += [] if other is None else [other @ theta[ends[0] : ends[1]]]
        etas += [np.full(len(y), value) for value in theta[ends[-1] :]]
        return log_masses(fit.family, etas, y)[0].sum()

    internal = fit.layout.unshift(fit.theta)
    # Four columns of the mean are fitted; z and its square come behind.
    theta = np.concatenate([internal[:4], [0.0, 0.0], internal[4:]])
    gradient, second = differences(loglik, theta)
    with np.errstate(all="ignore"):
        definite = np.linalg.eigvalsh(-second)[0] > 0
    found = r.score_test("z + I(z**2)")
    if state.options.information == "observed" and definite:
        assert "observed" in found.note
        expected = gradient @ np.linalg.solve(-second, gradient)
        assert found.statistic == pytest.approx(expected, rel=2e-4, abs=1e-6)
    assert found.df == 2


@pytest.mark.parametrize("family", SOME)
@pytest.mark.parametrize("name", ["plain", "inflated", "inflated by z", "hurdle", "truncated"])
def test_ratios_of_a_family_within_another(family, name):
    if family == "poisson":
        return
    small, large = fitted("poisson", name), fitted(family, name)
    test = gc.lr_test(small, large)
    assert test.df == 1
    assert test.statistic == pytest.approx(max(2.0 * (large.llf - small.llf), 0.0), abs=1e-9)
    inner = family == "compoisson"
    assert test.distribution == ("chi2" if inner else "half chi2")
    tail = stats.chi2.sf(test.statistic, 1)
    assert test.pvalue == pytest.approx(tail if inner else 0.5 * tail, rel=1e-9)


@pytest.mark.parametrize("family", SOME)
def test_zero_parts_against_none(family):
    plain = fitted(family, "plain")
    one, two = fitted(family, "inflated"), fitted(family, "inflated by z")
    assert attempt(lambda: gc.lr_test(plain, one)).distribution == "half chi2"
    assert attempt(lambda: gc.lr_test(plain, two)) in ("unidentified_null", "not_nested")
    assert attempt(lambda: gc.lr_test(plain, fitted(family, "hurdle"))) == "not_nested"
    assert attempt(lambda: gc.lr_test(one, plain)) == "not_nested"
