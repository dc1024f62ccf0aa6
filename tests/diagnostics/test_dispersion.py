"""Tests of dispersion against their formulas, with weights and links; sizes by simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.diagnostics.dispersion import KINDS, PAIRS


def made(n=200, seed=0, alpha=0.0, level=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    mean = level * np.exp(0.3 * x)
    y = rng.poisson(mean * (rng.gamma(1 / alpha, alpha, n) if alpha else 1.0))
    w = rng.integers(1, 4, n)
    return pd.DataFrame({"y": y, "x": x, "w": w, "t": rng.uniform(0.5, 2, n)})


DATA = made(alpha=0.3, level=2.0)


@pytest.fixture(params=["poisson", "quasipoisson", "sqrt", "offset"])
def result(request):
    if request.param == "sqrt":
        return gc.fit("y ~ x", DATA, link="sqrt")
    if request.param == "offset":
        return gc.fit("y ~ x", DATA, exposure="t")
    return gc.fit("y ~ x", DATA, family=request.param)


def test_regression_forms_are_their_formulas(result):
    y, mu = DATA.y.to_numpy(), result.fittedvalues.to_numpy()
    d, n = (y - mu) ** 2 - y, len(y)
    found = result.test_dispersion("nb1")
    aux = d / mu
    z = np.sqrt(n) * aux.mean() / aux.std(ddof=1)
    assert found.statistic == pytest.approx(z, rel=1e-9)
    assert found.estimate == pytest.approx(1 + aux.mean(), rel=1e-10)
    assert found.pvalue == pytest.approx(stats.norm.sf(z), rel=1e-8)
    reach = stats.norm.isf(0.025) * aux.std(ddof=1) / np.sqrt(n)
    assert found.conf_int == pytest.approx((found.estimate - reach, found.estimate + reach))
    # Least squares of aux on mu without a constant.
    slope = (aux * mu).sum() / (mu**2).sum()
    error = np.sqrt(((aux - slope * mu) ** 2).sum() / (n - 1) / (mu**2).sum())
    found = result.test_dispersion("nb2", alternative="two-sided")
    assert found.estimate == pytest.approx(slope, rel=1e-9)
    assert found.statistic == pytest.approx(slope / error, rel=1e-9)
    assert found.pvalue == pytest.approx(2 * stats.norm.sf(slope / error), rel=1e-8)


def test_score_forms_are_their_formulas(result):
    y, mu = DATA.y.to_numpy(), result.fittedvalues.to_numpy()
    d = (y - mu) ** 2 - y
    dean = d.sum() / np.sqrt(2 * (mu**2).sum())
    assert result.test_dispersion("dean").statistic == pytest.approx(dean, rel=1e-9)
    assert result.test_dispersion("lm_nb2").statistic == pytest.approx(dean**2, rel=1e-9)
    h = result.get_influence().hat_matrix_diag.to_numpy()
    corrected = (d + h * mu).sum() / np.sqrt(2 * (mu**2).sum())
    assert result.test_dispersion("dean_c").statistic == pytest.approx(corrected, rel=1e-9)
    first = (d / mu).sum() / np.sqrt(2 * len(y))
    for kind in ("lm_nb1", "katz"):
        found = result.test_dispersion(kind, alternative="two-sided")
        assert found.statistic == pytest.approx(first**2, rel=1e-9)
        assert found.pvalue == pytest.approx(stats.chi2.sf(first**2, 1), rel=1e-8)
    robust = np.sqrt(((d - d.sum() / (mu**2).sum() * mu**2) ** 2).sum()) / (mu**2).sum()
    low, high = result.test_dispersion("dean").conf_int
    assert high - low == pytest.approx(2 * stats.norm.isf(0.025) * robust, rel=1e-8)


def test_pearson_accounts_for_the_estimated_mean(result):
    """Its variance is that of P less its projection on the scores, by brute force."""
    mu = result.fittedvalues.to_numpy()
    x = np.column_stack([np.ones(len(mu)), DATA.x])
    # d mu / d eta: mu under a log link, 2 sqrt(mu) under a square root.
    slope = 2 * np.sqrt(mu) if result.model.link == "sqrt" else mu
    u = x * (slope / mu)[:, None]
    information = (x * (slope**2 / mu)[:, None]).T @ x
    a = u.sum(axis=0)
    variance = (2 + 1 / mu).sum() - a @ np.linalg.solve(information, a)
    chi2 = ((DATA.y - mu) ** 2 / mu).sum()
    found = result.test_dispersion("pearson")
    assert found.statistic == pytest.approx((chi2 - 198) / np.sqrt(variance), rel=1e-9)
    assert found.estimate == pytest.approx(chi2 / 198, rel=1e-10)
    low, high = found.conf_int
    assert low < found.estimate < high


def test_a_constant_mean_makes_pearson_the_index_of_dispersion():
    """Its variance is then that of chi-squared with n - 1 degrees of freedom, up to 1 / n."""
    result = gc.fit("y ~ 1", DATA)
    index = ((DATA.y - DATA.y.mean()) ** 2).sum() / DATA.y.mean()
    z = (index - 199) / np.sqrt(2 * 200)
    assert result.test_dispersion("pearson").statistic == pytest.approx(z, rel=1e-10)


def test_the_likelihood_ratio_is_that_of_the_negative_binomial():
    poisson, wide = gc.fit("y ~ x", DATA), gc.fit("y ~ x", DATA, family="negbin")
    gained = 2 * (wide.llf - poisson.llf)
    for result in (poisson, wide):
        found = result.test_dispersion("lr")
        assert found.statistic == pytest.approx(gained, rel=1e-8)
        assert found.pvalue == pytest.approx(0.5 * stats.chi2.sf(gained, 1), rel=1e-6)
        assert found.estimate == pytest.approx(wide.params["alpha"], rel=1e-6)
        assert found.conf_int == pytest.approx(tuple(wide.conf_int().loc["alpha"]), rel=1e-5)
        assert found.distribution == "half chi2"


def test_no_more_variance_than_the_mean_is_no_evidence():
    rng = np.random.default_rng(0)
    under = gc.fit("y ~ 1", {"y": rng.binomial(4, 0.7, 300)})
    found = under.test_dispersion("lr")
    assert (found.statistic, found.pvalue, found.estimate, found.conf_int) == (0, 1, 0, None)
    with pytest.warns(gc.errors.BoundaryWarning):
        there = under.refit(family="negbin")
    assert there.test_dispersion("lr").pvalue == 1
    for kind in PAIRS:
        assert under.test_dispersion(kind).pvalue > 0.999
        assert under.test_dispersion(kind, alternative="less").pvalue < 1e-6
        assert under.test_dispersion(kind).estimate < 1
    assert under.test_dispersion("pearson", alternative="less").pvalue < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_a_frequency_weight_is_copies(kind):
    weighted = gc.fit("y ~ x", DATA, weights="w")
    repeated = gc.fit("y ~ x", DATA.loc[np.repeat(DATA.index, DATA.w)])
    found, truth = weighted.test_dispersion(kind), repeated.test_dispersion(kind)
    assert found.statistic == pytest.approx(truth.statistic, rel=1e-7)
    assert found.estimate == pytest.approx(truth.estimate, rel=1e-6)
    assert found.conf_int == pytest.approx(truth.conf_int, rel=1e-5)


@pytest.mark.parametrize("kind", PAIRS)
def test_the_scale_of_importance_weights_does_not_matter(kind):
    tests = [
        gc.fit("y ~ x", DATA.assign(w=DATA.w * c), weights="w", weights_type=which).test_dispersion(
            kind
        )
        for c in (1.0, 7.0)
        for which in ("importance", "probability")
    ]
    for other in tests[1:]:
        assert other.statistic == pytest.approx(tests[0].statistic, rel=1e-8)
        assert other.conf_int == pytest.approx(tests[0].conf_int, rel=1e-8)


@pytest.mark.parametrize("kind", ["pearson", "lr"])
def test_what_weights_do_not_allow_is_named(kind):
    result = gc.fit("y ~ x", DATA, weights="w", weights_type="probability")
    with pytest.raises(gc.errors.GlmcountError) as caught:
        result.test_dispersion(kind)
    assert caught.value.kind in ("weighted_dispersion", "no_likelihood")


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ({"family": "negbin"}, "no_dispersion_test"),
        ({"family": "geometric"}, "no_dispersion_test"),
        ({"inflate": "1"}, "no_dispersion_test"),
        ({"hurdle": "x"}, "no_dispersion_test"),
        ({"censored": "9"}, "no_dispersion_test"),
    ],
)
def test_a_model_with_a_variance_of_its_own_is_refused(call, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("y ~ x", DATA, **call)
    for each in ("nb1", "dean_c", "pearson"):
        with pytest.raises(gc.errors.NotDefinedError, match="family='poisson'") as caught:
            result.test_dispersion(each)
        assert caught.value.kind == kind


def test_usage():
    result = gc.fit("y ~ x", DATA)
    for call, kind in (
        ({"kind": "nb3"}, "dispersion_kind"),
        ({"alternative": "more"}, "alternative"),
        ({"kind": "lr", "alternative": "less"}, "alternative"),
        ({"alpha": 1.5}, "alpha"),
    ):
        with pytest.raises(gc.errors.UsageError) as caught:
            result.test_dispersion(**call)
        assert caught.value.kind == kind
    with pytest.raises(gc.errors.NoLikelihoodError):
        result.refit(family="quasipoisson").test_dispersion("lr")


def test_its_text_tells_the_effect():
    text = str(gc.fit("y ~ x", DATA).test_dispersion("nb2"))
    assert text.startswith(
        "Dispersion test (nb2) of Var(Y) = mu against mu + alpha mu^2, alpha > 0"
    )
    assert ": z = " in text and ", estimate 0." in text


REPS = 1_000


@pytest.mark.parametrize("level", [0.5, 3.0])
def test_sizes_are_five_per_cent_under_the_true_model(level):
    """At n = 1,000 within 99.9 % binomial limits of 5 %."""
    start = gc.fit("y ~ x", made(1000, 3, 0.0, level))
    mu = level * np.exp(0.3 * made(1000, 3).x.to_numpy())
    rng = np.random.default_rng(17)
    kinds = [kind for kind in KINDS if kind != "lr"]
    hits = dict.fromkeys(kinds, 0)
    for _ in range(REPS):
        result = start.refit(y=rng.poisson(mu))
        for kind in kinds:
            hits[kind] += result.test_dispersion(kind, alternative="two-sided").pvalue <= 0.05
    low, high = stats.binom.ppf([0.0005, 0.9995], REPS, 0.05)
    assert all(low <= count <= high for count in hits.values()), hits
