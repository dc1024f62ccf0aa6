"""Likelihood-ratio tests: published figures, laws at boundaries, what is no test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.errors import ConvergenceError, GlmcountError
from glmcount.inference.covariance.estimator import estimator
from glmcount.inference.ratio import half_tail
from tests.made import counts

DATA = pd.DataFrame(counts(80, 2))


def fit(formula, data=DATA, **options):
    return gc.fit(formula, data, **options)


def test_quine():
    # R's glm.nb at epsilon 1e-14.
    quine = gc.datasets.load("quine")
    formulas = ("Days ~ 1", "Days ~ Eth", "Days ~ Eth + Sex + Age + Lrn")
    null, eth, full = (fit(f, quine, family="negbin") for f in formulas)
    llf = [r.llf for r in (null, eth, full)]
    np.testing.assert_allclose(llf, [-559.133481, -553.316903, -546.575509], atol=5e-7)
    test = gc.lr_test(eth, full)
    assert round(test.statistic, 6) == 13.482787
    assert test.df == 5


def test_long_s_biochemists():
    # Stata's nbreg: LR chi2(5) = 97.96; of alpha = 0, chibar2(01) = 180.20.
    data = gc.datasets.load("biochemists")
    formula = "art ~ fem + mar + kid5 + phd + ment"
    full = fit(formula, data, family="negbin")
    test = gc.lr_test(fit("art ~ 1", data, family="negbin"), full)
    assert round(test.statistic, 2) == 97.96
    assert test.df == 5
    boundary = gc.lr_test(fit(formula, data), full)
    assert round(boundary.statistic, 3) == 180.196
    assert boundary.distribution == "half chi2"
    assert boundary.pvalue == pytest.approx(0.5 * stats.chi2.sf(boundary.statistic, 1), rel=1e-9)
    assert str(boundary).startswith("LR test of Poisson")
    assert boundary.conf_int is None


@pytest.mark.parametrize(("statistic", "df"), [(0.0, 1), (1.3, 1), (1.3, 2), (9.0, 3)])
def test_half_and_half(statistic, df):
    below = stats.chi2.sf(statistic, df - 1) if df > 1 else float(statistic <= 0)
    expected = 0.5 * below + 0.5 * stats.chi2.sf(statistic, df)
    assert half_tail(statistic, df) == pytest.approx(expected, rel=1e-12)


def test_a_boundary_and_slopes_are_a_mixture():
    test = gc.lr_test(fit("y ~ x"), fit("y ~ x + z", family="negbin"))
    assert test.df == 2
    assert test.pvalue == pytest.approx(half_tail(test.statistic, 2), rel=1e-12)
    assert test.distribution == "half chi2(1) + half chi2"


SPANNED = [
    ("y ~ C(g, Sum)", "y ~ 0 + g + x", {}, {}),
    ("y ~ x", "y ~ bs(x, df=4)", {}, {}),
    ("y ~ 1", "y ~ x", {"offset": "z"}, {"offset": "z"}),
    # An offset against the same with a coefficient.
    ("y ~ 1", "y ~ log(t)", {"exposure": "t"}, {}),
    ("y ~ x", "y ~ x + z", {"inflate": "z"}, {"inflate": "z + g"}),
    ("y ~ x", "y ~ x", {"family": "negbin"}, {"family": "negbin", "dispersion": "z"}),
]


@pytest.mark.parametrize(("small", "large", "of_small", "of_large"), SPANNED)
def test_columns_that_span(small, large, of_small, of_large):
    r0, r1 = fit(small, **of_small), fit(large, **of_large)
    test = gc.lr_test(r0, r1)
    assert test.df == len(r1.params) - len(r0.params)
    assert test.statistic == pytest.approx(2.0 * (r1.llf - r0.llf))
    assert test.distribution == "chi2"


def refused(r0, r1, **options):
    with pytest.raises(GlmcountError) as caught:
        gc.lr_test(r0, r1, **options)
    return caught.value.kind


def test_what_is_no_test():
    small, large = fit("y ~ x"), fit("y ~ x + z")
    assert refused(large, small) == "not_nested"
    assert refused(small, small) == "not_nested"
    assert refused(fit("y ~ g"), large) == "not_nested"
    assert refused(fit("y ~ x", exposure="t"), large) == "not_nested"
    assert refused(fit("y ~ x", family="negbin"), large) == "not_nested"
    assert refused(fit("y ~ x", link="sqrt"), large) == "not_nested"
    assert refused(fit("y ~ x", DATA[1:]), large) == "different_rows"
    assert refused(fit("y ~ x", DATA.assign(y=DATA.y + 1)), large) == "different_responses"
    assert refused(fit("y ~ x", weights="w"), large) == "different_weights"
    importance = {"weights": "w", "weights_type": "importance"}
    weighted = fit("y ~ x + z", weights="w")
    assert refused(fit("y ~ x", **importance), weighted) == "different_weights"
    assert refused(fit("y ~ x", censored=9), large) == "different_responses"
    quasi = [fit(f, family="quasipoisson") for f in ("y ~ x", "y ~ x + z")]
    assert refused(*quasi) == "no_likelihood"
    sampled = [fit(f, weights="w", weights_type="probability") for f in ("y ~ x", "y ~ x + z")]
    assert refused(*sampled) == "no_likelihood"
    assert refused(small, large.with_cov("HC1")) == "robust_likelihood"
    assert refused("y ~ x", large) == "lr_test"
    assert gc.lr_test(small, large.with_cov("opg")).df == 1


def test_rows_in_another_frame():
    data = DATA.assign(z=np.where(np.arange(80) % 7 == 0, np.nan, DATA.z))
    with pytest.warns(gc.errors.MissingRowsWarning):
        large = fit("y ~ x + z", data)
    assert refused(fit("y ~ x", data), large) == "different_rows"
    # The same rows, in a table of their own, are the same rows.
    test = gc.lr_test(fit("y ~ x", data.dropna()), large)
    assert test.df == 1


def test_a_larger_null_is_refused():
    small, large = fit("y ~ x"), fit("y ~ x + z")
    with pytest.raises(ConvergenceError) as caught:
        gc.lr_test(small, _worse(large))
    assert caught.value.kind == "larger_null"


def _worse(result):
    state = result._state
    worse = type(state.fit)(**{**state.fit.__dict__, "llf": state.fit.llf - 100.0})
    state = type(state)(**{**state.__dict__, "fit": worse})
    return type(result)(state, estimator("nonrobust", "nonrobust"))


def test_drawn_ratios():
    small, large = fit("y ~ x"), fit("y ~ x", inflate="z")
    assert refused(small, large) == "unidentified_null"
    first = gc.lr_test(small, large, bootstrap=39, rng=3)
    again = gc.lr_test(small, large, bootstrap=39, rng=3)
    assert f": T = {first.statistic:.4f}, p = " in str(first)
    assert first == again
    assert first.distribution == "bootstrap"
    assert first.note.startswith("39 draws")
    assert (first.pvalue * 40) % 1 == pytest.approx(0.0, abs=1e-9)
    assert refused(small, large, bootstrap=0) == "bootstrap"


def test_drawn_and_closed_agree():
    # Under chi2(1) the p-value of 399 draws has a standard error of 0.025 at 0.5.
    small, large = fit("y ~ x"), fit("y ~ x + t")
    closed, drawn = gc.lr_test(small, large), gc.lr_test(small, large, bootstrap=399, rng=1)
    # Extra variation makes the draws of a Poisson model no worse than their own law.
    assert drawn.pvalue == pytest.approx(closed.pvalue, abs=0.1)


def test_a_hurdle_of_the_same_law_contains_it():
    """Its zeros and its counts may differ; that they do not is an inner value, chi-squared."""
    rng = np.random.default_rng(30)
    pvalues = []
    for _ in range(200):
        frame = pd.DataFrame({"x": rng.normal(size=120)})
        frame["y"] = rng.poisson(np.exp(0.2 + 0.3 * frame.x))
        small, large = fit("y ~ x", frame), fit("y ~ x", frame, hurdle="x", zero="poisson")
        test = gc.lr_test(small, large)
        assert (test.df, test.distribution) == (2, "chi2")
        assert test.statistic == pytest.approx(2.0 * (large.llf - small.llf), abs=1e-9)
        pvalues.append(test.pvalue)
    assert stats.kstest(pvalues, "uniform").pvalue > 0.001
    assert refused(small, fit("y ~ x", frame, hurdle="1", zero="poisson")) == "not_nested"
    exposed = frame.assign(e=rng.uniform(1.0, 2.0, 120))
    small = fit("y ~ x", exposed, exposure="e")
    plain = fit("y ~ x", exposed, exposure="e", hurdle="x", zero="poisson")
    assert refused(small, plain) == "not_nested"
    both = fit("y ~ x", exposed, exposure="e", hurdle="x + offset(log(e))", zero="poisson")
    assert gc.lr_test(small, both).df == 2
