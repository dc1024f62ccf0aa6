"""Inference on data as they come: dates, weights, rare levels, hypotheses that say nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.errors import CovarianceError, CovarianceWarning


def quiet(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


# Times -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(3)
    moved = np.zeros(96)
    for t in range(1, 96):
        moved[t] = 0.7 * moved[t - 1] + rng.normal(0.0, 0.3)
    data = pd.DataFrame({"x": (np.arange(96) > 50).astype(float), "t": np.arange(96)})
    data["y"] = rng.poisson(np.exp(2.0 - 0.3 * data["x"] + moved))
    return data


@pytest.mark.parametrize(
    "dates",
    [
        pd.date_range("1999-01", periods=96, freq="ME"),
        pd.date_range("1999-01", periods=96, freq="QE"),
        pd.date_range("1999-01", periods=96, freq="YE"),
        pd.date_range("1999-01", periods=96, freq="MS", tz="Europe/Berlin"),
        pd.date_range("1999-01", periods=96, freq="MS", tz="Europe/London"),
        pd.date_range("1999-01", periods=96, freq="ME", tz="America/New_York"),
        pd.date_range("1999-03-20", periods=96, freq="D", tz="Europe/London"),
    ],
)
def test_ends_of_months_and_summer_time_are_steps_of_one(series, dates):
    data = series.assign(when=dates)
    r = gc.fit("y ~ x", data.sample(frac=1, random_state=1))
    # Whole numbers have no calendar.
    expected = r.with_cov(gc.hac("t", lags=4)).bse
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = r.with_cov(gc.hac("when", lags=4)).bse
    pd.testing.assert_series_equal(found, expected, rtol=1e-12)


def test_hours_of_a_day_stay_hours(series):
    hours = pd.date_range("2024-03-30 20:00", periods=96, freq="h", tz="Europe/Berlin")
    r = gc.fit("y ~ x", series.assign(when=hours))
    expected = r.with_cov(gc.hac("t", lags=4)).bse
    pd.testing.assert_series_equal(r.with_cov(gc.hac("when", lags=4)).bse, expected, rtol=1e-12)


def test_lags_that_reach_no_other_time_warn(series):
    # The last working day of each month is on no grid but that of days.
    dates = pd.date_range("1999-01", periods=96, freq="BME")
    r = gc.fit("y ~ x", series.assign(when=dates))
    with pytest.warns(CovarianceWarning, match="28 of them apart") as told:
        found = r.with_cov(gc.hac("when", lags=4)).bse
    assert told[0].message.kind == "no_lags"
    pd.testing.assert_series_equal(found, r.with_cov("HC0").bse, rtol=1e-12)


@pytest.mark.parametrize("cov", [gc.hac("t", lags=96), gc.driscoll_kraay("t", lags=500)])
def test_lags_longer_than_the_series_are_refused(series, cov):
    r = gc.fit("y ~ x", series)
    with pytest.raises(CovarianceError) as told:
        _ = r.with_cov(cov).bse
    assert told.value.kind == "lags"


@pytest.mark.parametrize("times", [3, 5])
def test_a_series_too_short_for_the_rule_is_refused_by_name(times):
    data = {"y": np.arange(times) + 1, "x": np.arange(times) % 2, "t": np.arange(times)}
    r = gc.fit("y ~ x", data)
    with pytest.raises(CovarianceError) as told:
        _ = r.with_cov(gc.hac("t")).bse
    assert told.value.kind == "bandwidth"


# Refits ------------------------------------------------------------------------------------


def test_a_jackknife_leaves_out_one_copy_of_a_row():
    data = pd.DataFrame(
        {"y": [1, 3, 2, 6, 4, 5, 2, 2, 7], "x": [0, 1, 0, 1, 0, 1, 0, 1, 2], "w": [1, 2, 3] * 3}
    )
    copied = data.loc[data.index.repeat(data["w"])].reset_index(drop=True)
    expected = gc.fit("y ~ x", copied, cov=gc.jackknife()).bse
    # By its definition, over the rows themselves.
    left = np.array(
        [gc.fit("y ~ x", copied.drop(index=i)).params.to_numpy() for i in range(len(copied))]
    )
    n = len(left)
    np.testing.assert_allclose(
        expected, np.sqrt((n - 1) ** 2 / n * left.var(axis=0, ddof=1)), rtol=1e-9
    )
    found = gc.fit("y ~ x", data, weights="w", cov=gc.jackknife()).bse
    pd.testing.assert_series_equal(found, expected, rtol=1e-9)


@pytest.fixture(scope="module")
def rare():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"x": rng.normal(size=203), "g": ["rare"] * 3 + ["b"] * 100 + ["a"] * 100})
    data["y"] = rng.poisson(np.exp(0.3 + 0.2 * data["x"]))
    data.loc[:2, "y"] = [2, 0, 0]
    return gc.fit("y ~ x + g", data)


def test_refits_that_are_left_out_warn(rare):
    # Of 3 rows of a level none is drawn in 5 % of all draws, and only zeros in some 25 %.
    with pytest.warns(CovarianceWarning, match="take no part") as told:
        q = rare.with_cov(gc.bootstrap(99, rng=1))
        _ = q.bse
    assert told[0].message.kind == "refits_left_out"
    # One of the three leave-one-out fits has an infinite coefficient.
    with pytest.warns(CovarianceWarning, match="1 without a finite maximum"):
        _ = rare.with_cov(gc.jackknife()).bse


def test_refits_of_a_separated_fit_say_so(rare):
    data = {"y": [1, 2, 3, 0, 0, 2, 1], "d": [0, 0, 0, 1, 1, 0, 0]}
    r = quiet(lambda: gc.fit("y ~ d", data))
    with pytest.raises(CovarianceError, match=r"fit itself has an infinite coefficient"):
        _ = r.with_cov(gc.jackknife()).bse


# Tables term by term -----------------------------------------------------------------------


def test_a_term_that_others_give_adds_nothing():
    data = pd.DataFrame({"a": [0, 1] * 6, "y": [1, 3, 2, 6, 4, 5, 2, 2, 1, 4, 0, 3]})
    data = data.assign(b=1 - data["a"], x=np.arange(12) % 5)
    r = quiet(lambda: gc.fit("y ~ a + b + x", data))
    # Without a or b the other spans the same columns.
    for test in ("lr", "score"):
        found = quiet(lambda test=test: r.anova(test=test))
        assert found["df"].tolist() == [0, 0, 1]
        assert np.isnan(found["pvalue"][:2]).all()
    with pytest.warns(gc.errors.BoundaryWarning, match="'b', which was left out") as told:
        found = r.anova(test="wald")
    assert len(told) == 1
    assert np.isnan(found.loc["a", "pvalue"])
    plain = gc.fit("y ~ a + x", data)
    for test in ("wald", "score"):
        found = quiet(lambda test=test: r.anova(test=test))
        expected = plain.anova(test=test)
        assert found.loc["x", "statistic"] == pytest.approx(expected.loc["x", "statistic"])


def test_a_score_of_columns_of_which_one_is_new():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": list("abc") * 20, "x": rng.normal(size=60)})
    data["b"] = (data["g"] == "b") * 1.0
    data["y"] = rng.poisson(np.exp(0.3 * data["x"] + 0.4 * data["b"]))
    r = quiet(lambda: gc.fit("y ~ g + b + x", data))
    found = r.anova(test="score")
    # Beside b the factor has one column left: that of c.
    expected = gc.fit("y ~ b + x", data).score_test("I((g == 'c') * 1)")
    assert found.loc["g", "df"] == 1
    assert found.loc["g", "statistic"] == pytest.approx(expected.statistic)


@pytest.mark.parametrize("test", ["lr", "score"])
def test_a_term_without_which_parameters_mean_nothing_has_no_p_value(test):
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": rng.normal(size=240), "z": rng.normal(size=240)})
    data["y"] = rng.poisson(np.exp(0.5 + 0.4 * data["x"]) * rng.gamma(2, 0.5, 240))
    r = gc.fit("y ~ x + z", data, family=gc.families.negbinp())
    # With a constant mean alpha and the power are one parameter.
    with pytest.warns(gc.errors.BoundaryWarning, match="alpha, power"):
        found = r.anova(1, test)
    assert np.isnan(found.loc["x", "pvalue"])
    assert found.loc["z", "pvalue"] > 0


# Effects and hypotheses --------------------------------------------------------------------


def test_an_average_that_is_a_limit_has_no_interval():
    data = {"y": [1, 2, 3, 0, 0, 2, 1], "g": list("aaabbaa")}
    r = quiet(lambda: gc.fit("y ~ g", data))
    with pytest.warns(gc.errors.PredictionWarning, match="without a standard error"):
        found = r.predictions(by="g")
    assert found.estimate.tolist()[1] == 0.0
    assert found.loc[1, ["std_error", "conf_low", "conf_high"]].isna().all()
    assert found.loc[0, ["std_error", "conf_low", "conf_high"]].notna().all()


def test_a_value_to_test_by_is_a_number():
    r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    with pytest.raises(gc.errors.UsageError) as told:
        r.predictions(hypothesis=float("nan"))
    assert told.value.kind == "hypothesis"


@pytest.mark.parametrize(
    "hypothesis", ["x = 0, 2*x = 0", [[0.0, 0.0, 0.0]], "x = 0, z = 0, x - z = 0", "x = 0, x = 1"]
)
def test_a_score_bootstrap_of_repeated_hypotheses_is_refused(hypothesis):
    data = {"y": [1, 3, 2, 6, 4, 5, 2, 2], "x": [0, 1] * 4, "z": [0, 0, 1, 1, 2, 0, 1, 2]}
    r = gc.fit("y ~ x + z", data)
    with pytest.raises(CovarianceError) as told:
        r.score_bootstrap(hypothesis, np.repeat(range(4), 2), rng=1)
    assert told.value.kind == "singular_hypothesis"


# Clusters ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(11)
    data = pd.DataFrame({"g": np.repeat([f"s{i:02d}" for i in range(14)], 8)})
    data["x"] = rng.binomial(1, 0.5, 112)
    data["y"] = rng.poisson(np.exp(0.5 + 0.2 * data["x"] + np.repeat(rng.normal(0, 0.4, 14), 8)))
    return data


def test_arrays_of_clusters_are_named_as_the_argument(panel):
    r = gc.fit("y ~ x", panel)
    for given, kind in ((np.arange(5), "groups_length"), (panel["g"].iloc[::-1], "index_mismatch")):
        with pytest.raises(gc.errors.DataError, match=r"^groups ") as told:
            _ = r.with_cov(gc.cluster(given)).bse
        assert told.value.kind == kind
    with pytest.raises(gc.errors.UsageError) as told:
        gc.cluster(list(panel["g"]))
    assert len(str(told.value)) < 250


def test_a_series_of_polars_is_an_array_of_clusters(panel):
    polars = pytest.importorskip("polars")
    r = gc.fit("y ~ x", polars.from_pandas(panel))
    found = quiet(lambda: r.with_cov(gc.cluster(polars.Series(panel["g"].tolist()))).bse)
    expected = quiet(lambda: r.with_cov(gc.cluster("g")).bse)
    pd.testing.assert_series_equal(found, expected)


def test_what_is_made_for_few_clusters_is_not_warned_of(panel):
    r = gc.fit("y ~ x", panel)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert r.with_cov(gc.cluster("g", "CR2", df="satterthwaite")).bse["x"] > 0
    # CR2 and CR3 are not too small; tests by the normal distribution reject too often.
    with pytest.warns(CovarianceWarning, match="than 50 tests reject too often. df='satt"):
        r.with_cov(gc.cluster("g", "CR2"))
    with pytest.warns(CovarianceWarning, match="covariance is too small"):
        r.with_cov(gc.cluster("g"))


def test_a_likelihood_ratio_of_alpha_under_importance_weights_is_refused_by_its_reason(panel):
    data = panel.assign(w=np.linspace(0.2, 3.0, 112))
    r = gc.fit("y ~ x", data, weights="w", weights_type="importance")
    for each in (r, r.refit(family="negbin")):
        with pytest.raises(gc.errors.NotDefinedError) as told:
            each.test_dispersion("lr")
        assert told.value.kind == "weighted_ratio"
    r = gc.fit("y ~ x", data, weights="w", weights_type="probability")
    with pytest.raises(gc.errors.NoLikelihoodError):
        r.test_dispersion("lr")


# Links and dispersions ---------------------------------------------------------------------


@pytest.mark.parametrize("link", ["sqrt", "identity"])
def test_models_of_another_link_lie_within_each_other(panel, link):
    data = panel.assign(h=np.where(panel["g"] < "s07", "a", "b"))
    small = gc.fit("y ~ x", data, link=link)
    large = gc.fit("y ~ x + h", data, link=link)
    test = gc.lr_test(small, large)
    # By the likelihoods themselves, and as the table of terms has it.
    assert test.statistic == pytest.approx(2.0 * (large.llf - small.llf), rel=1e-9)
    assert test.statistic == pytest.approx(large.anova().loc["h", "statistic"], rel=1e-6)
    wide = gc.fit("y ~ x", data, link=link, family="negbin")
    test = gc.lr_test(small, wide)
    assert (test.distribution, test.df) == ("half chi2", 1)
    assert small.test_dispersion("lr").statistic == pytest.approx(test.statistic, rel=1e-6)
    with pytest.raises(gc.errors.UsageError) as told:
        gc.lr_test(gc.fit("y ~ x", data), large)
    assert told.value.kind == "not_nested"


def test_a_dispersion_with_terms_is_not_held(panel):
    r = gc.fit("y ~ x", panel, family="negbin", dispersion="x")
    with pytest.raises(gc.errors.NotDefinedError) as told:
        r.anova(nuisance="held")
    assert told.value.kind == "held_dispersion"
    assert r.anova().loc["dispersion_x", "df"] == 1


def test_a_grid_beyond_memory_is_refused(panel):
    r = gc.fit("y ~ x + z", panel.assign(z=np.arange(112) % 3))
    with pytest.raises(gc.errors.MemoryLimitError, match="100,000,000 rows"):
        r.grid(x=range(10_000), z=range(10_000))


def test_too_many_hypotheses_for_the_clusters_are_told_from_repeated_ones(panel):
    data = panel.assign(two=panel.index % 2, z=np.arange(112) % 3)
    r = quiet(lambda: gc.fit("y ~ x + z", data, cov=gc.cluster("two")))
    for hypothesis, kind in (
        ("x = 0, z = 0", "singular_covariance"),
        ("x = 0, 2*x = 0", "singular_hypothesis"),
    ):
        with pytest.raises(CovarianceError) as told:
            quiet(lambda hypothesis=hypothesis: r.wald_test(hypothesis))
        assert told.value.kind == kind


@pytest.mark.parametrize(
    ("options", "cov", "kind"),
    [
        ({"inflate": "1"}, "HC3", "no_leverage"),
        ({"hurdle": "1"}, "HC2", "no_leverage"),
        ({}, {"cluster": "one"}, "one_cluster"),
        ({}, gc.cluster(["unit", "one"]), "one_cluster"),
        ({}, gc.cluster(np.zeros(112)), "one_cluster"),
    ],
)
def test_what_can_be_known_of_a_covariance_is_told_by_the_fit(panel, options, cov, kind):
    data = panel.assign(one=1, unit=np.arange(112) % 56, y=panel.y * (np.arange(112) % 3 > 0))
    for ask in (
        lambda: gc.fit("y ~ x", data, cov=cov, **options),
        lambda: gc.fit("y ~ x", data, **options).with_cov(cov),
    ):
        with pytest.raises(gc.errors.GlmcountError) as told:
            ask()
        assert told.value.kind == kind


@pytest.fixture(scope="module")
def few():
    """Eight clusters, and a factor of nine levels."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(np.arange(8), 40), "x": rng.normal(size=320)})
    data["year"] = np.tile(np.arange(2000, 2010), 32)
    return data.assign(y=rng.poisson(np.exp(1.0 + 0.1 * data.x + rng.normal(0, 0.3, 8)[data.g])))


@pytest.mark.parametrize(
    ("test", "cov"),
    [("wald", gc.cluster("g")), ("score", gc.cluster("g")), ("wald", gc.jackknife("g"))],
    ids=["wald", "score", "jackknife"],
)
def test_a_table_has_a_row_for_a_term_that_few_clusters_cannot_test(few, test, cov):
    r = quiet(lambda: gc.fit("y ~ x + C(year)", few, cov=cov))
    with pytest.warns(gc.errors.BoundaryWarning, match=r"C\(year\) has no joint test: .* 9 coeff"):
        table = r.anova(test=test)
    assert table.df.tolist() == [1, 9] and np.isnan(table.loc["C(year)", "pvalue"])
    assert 0.0 < table.loc["x", "pvalue"] < 1.0
    if test == "wald":
        assert table.loc["x", "pvalue"] == pytest.approx(r.wald_test("x = 0").pvalue)


def test_as_many_hypotheses_as_clusters_have_no_joint_test(few):
    """Rounding would hide that the matrix is singular, whatever the data."""
    r = quiet(lambda: gc.fit("y ~ C(year)", few, cov=gc.cluster("g")))
    names = list(r.params.index[1:])
    for count in range(7, 10):
        several = ", ".join(f"{name} = 0" for name in names[:count])
        if count > 7:
            with pytest.raises(CovarianceError) as told:
                r.wald_test(several)
            assert told.value.kind == "singular_covariance"
            with pytest.raises(CovarianceError, match="8 clusters of g leave no joint test"):
                r.score_bootstrap(several, rng=1, reps=199)
        else:
            assert r.wald_test(several).df == 7
            assert r.score_bootstrap(several, rng=1, reps=199).pvalue <= 1.0
    with pytest.raises(CovarianceError) as told:
        quiet(lambda: gc.fit("y ~ x", few, cov=gc.cluster("g"))).score_test("C(year)")
    assert told.value.kind == "singular_covariance"


def test_fits_of_different_rows_are_not_pooled(panel):
    fits = [gc.fit("y ~ x", panel), gc.fit("y ~ x", panel.iloc[:80])]
    with pytest.raises(gc.errors.UsageError, match="has 80 observations, the first 112"):
        gc.pool(fits)


def test_a_p_value_beyond_one_is_none(panel):
    r = gc.fit("y ~ x", panel)
    with pytest.raises(gc.errors.NotDefinedError, match="from 0 to 1; got 2"):
        gc.power(r, lambda result: 2.0, reps=5, rng=1)
