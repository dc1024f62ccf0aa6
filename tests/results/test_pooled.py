"""Rubin's rules: identities, and refusals. Numbers from R are in test_golden_comparisons."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.inference.pooling import rubin


def completed(m=4, seed=0, n=80):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = rng.negative_binomial(3, 3 / (3 + np.exp(0.5 + 0.4 * x)))
    for _ in range(m):
        yield pd.DataFrame({"y": y, "x": np.where(np.arange(n) < 20, rng.normal(size=n), x)})


@pytest.fixture(scope="module", params=["poisson", "negbin", "zip"])
def fits(request):
    call = {"family": "negbin"} if request.param == "negbin" else {}
    if request.param == "zip":
        call = {"inflate": "1"}
    return [gc.fit("y ~ x", data, **call) for data in completed()]


def test_rubins_rules(fits):
    pooled, m = gc.pool(fits), len(fits)
    names = [name for name in pooled.params.index if name != "alpha"]
    q = pd.concat([fit.params[names] for fit in fits], axis=1)
    u = pd.concat([fit.bse[names] ** 2 for fit in fits], axis=1)
    total = u.mean(axis=1) + (1 + 1 / m) * q.var(axis=1, ddof=1)
    np.testing.assert_allclose(pooled.params[names], q.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(pooled.bse[names], np.sqrt(total), rtol=1e-10)
    z = pooled.params / pooled.bse
    np.testing.assert_allclose(pooled.tvalues, z)
    p = 2 * stats.t.sf(np.abs(z), pooled.df)
    np.testing.assert_allclose(pooled.pvalues[names], p[[*map(z.index.get_loc, names)]], rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(pooled.cov_params())), pooled.bse, rtol=1e-12)
    assert ((pooled.fmi > 0) & (pooled.fmi < 1)).all() and (pooled.df < fits[0].df_resid).all()


def test_alpha_is_pooled_on_the_scale_on_which_it_is_estimated(fits):
    pooled = gc.pool(fits)
    if "alpha" not in pooled.params:
        return
    logs = np.array([np.log(fit.params["alpha"]) for fit in fits])
    own = np.array([(fit.bse["alpha"] / fit.params["alpha"]) ** 2 for fit in fits])
    total = own.mean() + 1.25 * logs.var(ddof=1)
    alpha = np.exp(logs.mean())
    assert pooled.params["alpha"] == pytest.approx(alpha, rel=1e-12)
    assert pooled.bse["alpha"] == pytest.approx(alpha * np.sqrt(total), rel=1e-9)
    reach = stats.t.isf(0.025, pooled.df["alpha"]) * np.sqrt(total)
    ends = alpha * np.exp([-reach, reach])
    np.testing.assert_allclose(pooled.conf_int().loc["alpha"], ends, rtol=1e-8)
    assert np.isnan(pooled.pvalues["alpha"])


def test_copies_of_one_fit_are_that_fit(fits):
    pooled, one = gc.pool([fits[0]] * 3), fits[0]
    np.testing.assert_allclose(pooled.params, one.params, rtol=1e-12)
    np.testing.assert_allclose(pooled.bse, one.bse, rtol=1e-9)
    # Barnard & Rubin's degrees of freedom of complete data.
    nu = one.df_resid
    np.testing.assert_allclose(pooled.df, (nu + 1) / (nu + 3) * nu, rtol=1e-12)
    np.testing.assert_allclose(pooled.riv, 0.0, atol=1e-25)


def test_robust_covariances_are_pooled_as_they_are():
    fits = [gc.fit("y ~ x", data, cov="HC1") for data in completed()]
    within = np.mean([fit.cov_params().to_numpy() for fit in fits], axis=0)
    np.testing.assert_allclose(gc.pool(fits).rubin.within, within, rtol=1e-10)


def test_each_parameter_has_its_own_degrees_of_freedom_where_its_tests_have():
    """Barnard & Rubin of copies: nu (nu + 1) / (nu + 3) of the t that each test is of."""
    rng = np.random.default_rng(5)
    unit = np.sort(rng.integers(9, size=120))
    data = {"x": rng.normal(size=120), "z": (unit < 3) * 1.0, "y": rng.poisson(2.0, 120)}
    fit = gc.fit("y ~ x + z", data).with_cov(gc.cluster(unit, "CR2", df="satterthwaite"))
    nu = []
    for name in fit.params.index:
        # By the interval, whose half is a quantile of this t.
        reach = (fit.conf_int(0.2)[1] - fit.params)[name] / fit.bse[name]
        grid = np.linspace(1.0, 200.0, 400_000)
        nu.append(grid[np.argmin(np.abs(stats.t.ppf(0.9, grid) - reach))])
    assert max(nu) > 1.5 * min(nu)
    nu = np.array(nu)
    np.testing.assert_allclose(gc.pool([fit, fit]).df, nu * (nu + 1) / (nu + 3), rtol=1e-3)


def test_covariances_of_other_kinds_or_columns_are_not_pooled(fits):
    """An array of clusters is one of the data set that it belongs to."""
    n = int(fits[0].nobs)
    groups, others = np.arange(n) % 12, np.arange(n) % 15

    def of(cov):
        return fits[0].with_cov(cov)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.CovarianceWarning)
        first = of(gc.cluster(groups))
        assert gc.pool([first, of(gc.cluster(groups))]).m == 2
        for other, told in (
            (gc.cluster(groups, "CR2"), r"cluster \(CR2\) by an array, the first cluster \(CR1\)"),
            (gc.cluster([groups, others], psd=True), "by an array, an array"),
        ):
            with pytest.raises(gc.errors.UsageError, match=told):
                gc.pool([first, of(other)])


def test_tables(fits):
    pooled = gc.pool(fits)
    frame = pooled.summary(alpha=0.1)
    assert list(frame.columns) == [
        "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "fmi"
    ]  # fmt: skip
    np.testing.assert_allclose(frame.conf_low, pooled.conf_int(0.1)[0])
    assert repr(pooled).startswith("Pooled over 4 data sets of 80 observations (Rubin's rules)\n")


def test_larger_complete_data_tend_to_rubins_own_degrees_of_freedom():
    q = np.array([[0.1], [0.3], [0.2]])
    u = np.full((3, 1, 1), 0.02)
    found = rubin(q, u, 1e12)
    share = found.increase / (1 + found.increase)
    np.testing.assert_allclose(found.df, 2 / share**2, rtol=1e-6)


def test_usage(fits):
    for bad in ([fits[0]], [], None, [fits[0], "a"], fits[0]):
        with pytest.raises(gc.errors.UsageError) as caught:
            gc.pool(bad)
        assert caught.value.kind == "pool"
    data = next(completed())
    others = [gc.fit("y ~ 1", data), gc.fit("y ~ x", data, family="geometric")]
    others.append(fits[0].with_cov("HC0"))
    for other in others:
        with pytest.raises(gc.errors.UsageError, match="Result 1") as caught:
            gc.pool([fits[0], other])
        assert caught.value.kind == "pool"


def test_infinite_and_boundary_estimates_are_not_pooled():
    far = gc.fit("y ~ x", {"y": [0, 0, 3, 4], "x": [0, 0, 1, 1]}, separation="ignore")
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        gc.pool([far, far])
    assert caught.value.kind == "pool_boundary" and "x" in str(caught.value)
    with pytest.warns(gc.errors.BoundaryWarning):
        edge = gc.fit("y ~ 1", {"y": [2, 2, 2, 3, 2, 2]}, family="negbin")
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        gc.pool([edge, edge])
    assert caught.value.kind == "pool_boundary"


def test_ratios_of_pooled_parameters(fits):
    pooled = gc.pool(fits)
    plain, found = pooled.summary(0.1), pooled.summary(0.1, exponentiate=True)
    scales = {"Intercept": "IRR", "x": "IRR", "alpha": "coef", "inflate_Intercept": "OR"}
    assert found.pop("scale").to_dict() == {name: scales[name] for name in pooled.params.index}
    own = [name for name in pooled.params.index if name != "alpha"]
    for column in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(found.loc[own, column], np.exp(plain.loc[own, column]))
    np.testing.assert_allclose(
        found.loc[own, "std_error"], np.exp(pooled.params[own]) * pooled.bse[own]
    )
    rest = [name for name in pooled.params.index if name == "alpha"]
    pd.testing.assert_frame_equal(found.loc[rest], plain.loc[rest])
    same = ["statistic", "df", "p_value", "fmi"]
    pd.testing.assert_frame_equal(found[same], plain[same])


def test_pooled_parameters_without_ratios():
    pooled = gc.pool([gc.fit("y ~ x", data, link="sqrt") for data in completed()])
    with pytest.raises(gc.errors.NotDefinedError, match="exponentiate=False"):
        pooled.summary(exponentiate=True)
    with pytest.raises(gc.errors.UsageError, match="exponentiate"):
        pooled.summary(exponentiate="yes")


def test_an_alpha_that_is_a_level_is_told(fits):
    with pytest.warns(gc.errors.IntervalWarning, match="write alpha=0.05"):
        gc.pool(fits).conf_int(0.95)
