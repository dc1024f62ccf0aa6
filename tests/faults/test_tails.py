"""Tails, quantiles, draws, residuals and intervals, against sums at 50 digits and brute force."""

import time
import warnings

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

import glmcount as gc

mp.mp.dps = 50
quine = gc.datasets.load("quine")

# Probabilities at 50 digits ---------------------------------------------------------------


def poisson_mass(y, mu):
    return mp.exp(y * mp.log(mu) - mu - mp.loggamma(y + 1))


def negbin_mass(y, mu, alpha):
    r, t = 1 / mp.mpf(alpha), mp.mpf(alpha) * mu
    choose = mp.loggamma(y + r) - mp.loggamma(r) - mp.loggamma(y + 1)
    return mp.exp(choose + y * mp.log(t / (1 + t)) - r * mp.log(1 + t))


def genpoisson_mass(y, mu, a):
    share, swell = 1 + mp.mpf(a) * mu, 1 + mp.mpf(a) * y
    value = y * mp.log(mu / share) + (y - 1) * mp.log(swell) - mu * swell / share
    return mp.exp(value - mp.loggamma(y + 1))


def pig_mass(y, mu, alpha):
    lam = 1 / mp.mpf(alpha)
    root = mp.sqrt(lam * (lam + 2 * mu))
    value = mp.log(2 * lam / mp.pi) / 2 + lam + y * mp.log(mu) - mp.loggamma(y + 1)
    value += (y - mp.mpf(1) / 2) / 2 * mp.log(lam / (lam + 2 * mu))
    return mp.exp(value) * mp.besselk(y - mp.mpf(1) / 2, root)


def negbin_below(y, mu, alpha):
    """P(Y <= y), as a sum of a finite number of terms by their ratios."""
    r, t = 1 / mp.mpf(alpha), mp.mpf(alpha) * mu
    term = total = (1 + t) ** -r
    for j in range(1, int(y) + 1):
        term *= (r + j - 1) / j * t / (1 + t)
        total += term
    return total


def normal(value):
    return float(mp.ncdf(value))


# Fitted models with parameters that are known --------------------------------------------


def at_mean(mu, **options):
    """Poisson or one with a held parameter, fitted to two counts of that mean."""
    return gc.fit("y ~ 1", {"y": [mu - 1, mu + 1]}, **options)


def etas_of(mu, *rest):
    return [np.array([np.log(mu)]), *(np.array([value]) for value in rest)]


QUANTITIES = ("prob", "cdf")
MIXED = {"y": [0, 0, 0, 1, 0, 2, 5, 3, 0, 9, 1, 4, 0, 2, 7, 0], "x": [0, 1] * 8}
MODELS = {
    "poisson": {},
    "negbin": {"family": "negbin"},
    "negbin1": {"family": "negbin1"},
    "negbinp": {"family": gc.families.negbinp(power=1.5)},
    "canonical": {"family": gc.families.negbin_canonical(alpha=0.7)},
    "geometric": {"family": "geometric"},
    "genpoisson": {"family": "genpoisson"},
    "genpoisson2": {"family": "genpoisson2"},
    "compoisson": {"family": "compoisson"},
    "pig": {"family": "pig"},
    "zip": {"inflate": "1"},
    "zinb": {"inflate": "1", "family": "negbin"},
    "hurdle": {"hurdle": "1"},
    "hurdle negbin": {"hurdle": "1", "family": "genpoisson"},
    "identity": {"link": "identity"},
}


def model(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        return gc.fit("y ~ x", MIXED, **MODELS[name])


@pytest.mark.parametrize("name", MODELS)
def test_cumulative_probabilities_are_sums_and_end_at_one(name):
    result = model(name)
    new = {"x": [0, 1]}
    counts = list(range(25))
    mass = result.predict(new, which="prob", at=counts).to_numpy()
    found = result.predict(new, which="cdf", at=counts).to_numpy()
    np.testing.assert_allclose(found, np.cumsum(mass, axis=1), rtol=0, atol=1e-12)
    assert np.all(np.diff(found, axis=1) >= -1e-16) and np.all((found >= 0) & (found <= 1))
    begin = time.process_time()
    far = result.predict(new, which="cdf", at=[10**6, 10**15]).to_numpy()
    assert time.process_time() - begin < 4
    assert np.all((far >= found[:, -1:]) & (far <= 1)) and np.all(far == 1)


@pytest.mark.parametrize("name", MODELS)
def test_quantiles_are_the_first_counts_that_reach_the_share(name):
    result = model(name)
    shares = [1e-9, 0.5, 0.999]
    found = result.predict({"x": [0, 1]}, which="quantile", at=shares)
    assert list(found.columns) == shares
    for share in shares:
        for row in range(2):
            count, one = int(found[share].iloc[row]), {"x": [row]}
            assert result.predict(one, which="cdf", at=count)[0] >= share * (1 - 1e-13)
            assert count == 0 or result.predict(one, which="cdf", at=count - 1)[0] < share


def test_truncated_tails():
    y = [1, 2, 1, 3, 1, 5, 2, 1, 9, 1, 1, 4]
    for family in ("poisson", "negbin", "genpoisson2"):
        result = gc.fit("y ~ 1", {"y": y}, truncated=0, family=family)
        mass = result.predict(which="prob", at=list(range(40))).iloc[0].to_numpy()
        found = result.predict(which="cdf", at=list(range(40))).iloc[0].to_numpy()
        assert mass[0] == 0 and found[0] == 0
        np.testing.assert_allclose(found, np.cumsum(mass), atol=1e-13)
        interval = result.get_prediction(which="prob-zero").conf_int()
        assert (interval == 0).all(axis=None)
        interval = result.get_prediction(which="prob-positive").conf_int()
        assert (interval == 1).all(axis=None)


def test_a_heavy_tail_is_whole():
    # One unit of information in a truncated count: log P(Y > 1) at mean 20, alpha 1e4.
    family = gc.families.truncated(gc.families.negbin(alpha=1e4), 1)
    count = gc.families.negbin(alpha=1e4)
    eta, y = etas_of(20.0), np.array([[2.0]])
    lacks = (count.terms(y, eta).value - family.terms(y, eta).value)[0]
    right = float(mp.log(1 - negbin_below(1, mp.mpf(20), mp.mpf(10) ** 4)))
    assert right == pytest.approx(-6.79444, abs=1e-5)
    assert lacks == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("family", ["genpoisson", "genpoisson2", "pig"])
def test_truncated_heavy_tails_take_no_longer(family):
    count = gc.families.resolve(family)
    above = gc.families.truncated(count, 3)
    y, eta = np.array([[4.0, 90.0]]), etas_of(3.0, np.log(300.0))
    begin = time.process_time()
    jet = above.terms(y, eta)
    assert time.process_time() - begin < 2
    mass = {
        "genpoisson": lambda j: genpoisson_mass(mp.mpf(j), mp.mpf(3), mp.mpf(300) / 3),
        "genpoisson2": lambda j: genpoisson_mass(mp.mpf(j), mp.mpf(3), mp.mpf(300)),
        "pig": lambda j: pig_mass(mp.mpf(j), mp.mpf(3), mp.mpf(300)),
    }[family]
    right = float(mp.log(1 - sum(mass(j) for j in range(4))))
    assert count.terms(y, eta).value[0] - jet.value[0] == pytest.approx(right, rel=1e-10)
    # Derivatives of the sum are differences of it.
    for k in (0, 1):
        step = 1e-5
        values = [
            above.terms(y, [e + sign * step * (j == k) for j, e in enumerate(eta)]).value
            for sign in (-1, 1)
        ]
        slope = (values[1] - values[0]) / (2 * step)
        np.testing.assert_allclose(np.broadcast_to(jet.d1[k], 2), slope, rtol=1e-5, atol=1e-7)


# Small, large and far ------------------------------------------------------------------------


@pytest.mark.parametrize("mu", [3.0, 1e3, 1e6, 1e9, 1e15])
@pytest.mark.parametrize("deviations", [-8, -1, 0, 3, 5])
def test_poisson_tails_of_any_size(mu, deviations):
    result = at_mean(mu)
    y = np.floor(max(mu + deviations * np.sqrt(mu), 0.0))
    found = result.predict(which="cdf", at=y).iloc[0]
    mean = mp.mpf(float(result.predict().iloc[0]))
    if mu <= 1e6:
        right = mp.gammainc(mp.mpf(y) + 1, mean, regularized=True)
        assert float(found) == pytest.approx(float(right), rel=1e-11)
    else:
        # The uniform expansion of Temme (1979) to its first term, which is off by O(1 / mu).
        a = mp.mpf(y) + 1
        ratio = mean / a
        eta = mp.sign(ratio - 1) * mp.sqrt(2 * (ratio - 1 - mp.log(ratio)))
        right = mp.erfc(eta * mp.sqrt(a / 2)) / 2
        first = -mp.mpf(1) / 3 if eta == 0 else 1 / (ratio - 1) - 1 / eta
        right += mp.exp(-a * eta**2 / 2) / mp.sqrt(2 * mp.pi * a) * first
        assert float(found) == pytest.approx(float(right), rel=1e-8)


@pytest.mark.parametrize(
    ("mu", "alpha", "count"),
    [(20.0, 1e4, 0), (20.0, 1e4, 3000), (3.0, 0.5, 40), (1000.0, 1e-10, 990), (50.0, 2.0, 2500)],
)
def test_negative_binomial_tails(mu, alpha, count):
    result = at_mean(mu, family=gc.families.negbin(alpha=alpha))
    mean = mp.mpf(float(result.predict().iloc[0]))
    right = negbin_below(count, mean, mp.mpf(alpha))
    found = result.predict(which="cdf", at=count).iloc[0]
    assert found == pytest.approx(float(right), rel=1e-12)


@pytest.mark.parametrize("count", [1, 100, 2000])
def test_upper_tails_keep_their_digits_in_residuals(count):
    # A quantile residual far above is minus the normal quantile of an upper tail.
    data = {"y": [1, 3, 2, 4, 0, 2]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ 1", {"y": [*data["y"], count]}, family=gc.families.negbin(alpha=0.1))
    mean = mp.mpf(float(result.predict().iloc[0]))
    alpha = mp.mpf(0.1)
    above = [mp.nsum(lambda j: negbin_mass(j, mean, alpha), [count + k, mp.inf]) for k in (0, 1)]
    residual = mp.mpf(float(result.resid_quantile(rng=1).iloc[-1]))
    between = mp.erfc(residual / mp.sqrt(2)) / 2
    assert above[1] * (1 - mp.mpf("1e-9")) <= between <= above[0] * (1 + mp.mpf("1e-9"))


@pytest.mark.parametrize(
    ("family", "mass", "rest"),
    [
        ("negbin", negbin_mass, 0.5),
        ("genpoisson2", genpoisson_mass, 1e-3),
        ("pig", pig_mass, 0.2),
    ],
)
def test_probabilities_of_large_counts_keep_their_digits(family, mass, rest):
    law = gc.families.resolve(family)
    for mu, y in ((1e4, 9e3), (1e7, 1.1e7), (1e12, 9e11)):
        if family == "pig" and y > 1e5:
            continue
        fitted = at_held(law, mu, rest)
        found = float(fitted(y))
        right = float(mp.log(mass(mp.mpf(y), mp.mpf(mu), mp.mpf(rest))))
        assert found == pytest.approx(right, rel=1e-11)


def at_held(law, mu, rest):
    """log P(Y = y) through the public family."""
    etas = etas_of(np.float64(mu), np.log(rest))
    if law.mass is not None:
        return lambda y: law.mass(np.array([[y]]), etas)[0]
    return lambda y: (law.terms(np.array([[y]]), etas).value + law.constant(np.array([[y]])))[0]


@pytest.mark.parametrize("share", [1e-12, 0.5, 0.975])
def test_quantiles_beyond_the_whole_numbers_of_a_double(share):
    for options in ({}, {"family": gc.families.negbin(alpha=1e-6)}):
        for mu in (1e15, 1e18):
            result = at_mean(mu, **options)
            begin = time.process_time()
            found = float(result.predict(which="quantile", at=share).iloc[0])
            assert time.process_time() - begin < 3
            alpha = 1e-6 if options else 0.0
            deviation = np.sqrt(mu + alpha * mu * mu)
            z = float(mp.sqrt(2) * mp.erfinv(2 * mp.mpf(share) - 1))
            assert abs((found - mu) / deviation - z) < 0.02 + z * z * 1e-3
            cdf = float(result.predict(which="cdf", at=found).iloc[0])
            assert cdf == pytest.approx(share, rel=0.02)


def test_quantiles_of_a_heavy_tail():
    result = at_mean(20.0, family=gc.families.negbin(alpha=1e4))
    found = result.predict(which="quantile", at=[0.999, 0.99999, 1 - 1e-9]).iloc[0]
    assert np.isfinite(found).all() and found.iloc[2] > 200_000
    for share, count in found.items():
        here = result.predict(which="cdf", at=[count - 1, count] if count else [0]).iloc[0]
        assert here.iloc[-1] >= share * (1 - 1e-13) and (count == 0 or here.iloc[0] < share)


def test_underdispersed_probabilities_add_up_to_a_law():
    y = [2, 3, 2, 3, 3, 2, 2, 3, 1, 3, 4, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ 1", {"y": y}, family=gc.families.genpoisson(under=True))
    assert result.params["alpha"] < 0
    found = result.predict(which="cdf", at=list(range(60))).iloc[0].to_numpy()
    assert np.all(np.diff(found) >= 0) and np.all(found <= 1) and found[-1] == 1
    top = result.predict(which="quantile", at=1 - 1e-12).iloc[0]
    assert found[int(top)] >= 1 - 1e-11


# Intervals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["prob", "cdf", "prob-zero", "prob-positive"])
def test_certain_probabilities_have_intervals(which):
    result = at_mean(2000.0)
    at = {"prob": 10**7, "cdf": 10**7}.get(which)
    frame = result.get_prediction(which=which, at=at).summary_frame()
    sure = 1.0 if which in ("cdf", "prob-positive") else 0.0
    assert (frame[["mean", "mean_ci_lower", "mean_ci_upper"]] == sure).all(axis=None)


@pytest.mark.parametrize("link", ["identity", "sqrt"])
def test_intervals_of_means_near_zero_end_at_zero(link):
    data = {"y": [1, 0, 3, 2, 1, 4, 7, 5], "x": np.arange(8.0)}
    result = gc.fit("y ~ x", data, link=link)
    linear = result.get_prediction(which="linear").conf_int(alpha=1e-6)
    ends = result.get_prediction().conf_int(alpha=1e-6)
    assert not ends.isna().any(axis=None)
    power = {"identity": 1, "sqrt": 2}[link]
    below = linear[0] <= 0
    assert below.any()
    np.testing.assert_allclose(ends[0], np.maximum(linear[0], 0) ** power, rtol=1e-12)
    np.testing.assert_allclose(ends[1], linear[1] ** power, rtol=1e-12)


def test_means_outside_a_links_domain_are_told():
    data = {"y": [1, 0, 3, 2, 1, 4, 7, 5], "x": np.arange(8.0)}
    result = gc.fit("y ~ x", data, link="identity")
    with pytest.warns(gc.errors.PredictionWarning, match="rows") as seen:
        found = result.predict({"x": [-100.0, 3.0]})
    assert seen[0].message.kind == "outside_link" and np.isnan(found[0]) and found[1] > 0


def test_means_beyond_the_numbers_are_told():
    result = gc.fit("y ~ x", {"y": [1, 2, 3, 5], "x": [0, 1, 2, 3]})
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = result.predict({"x": [1.0, 1e5, 2.0, 1e6]})
    assert [type(w.message) for w in seen] == [gc.errors.PredictionWarning]
    assert seen[0].message.kind == "overflow" and "1, 3" in str(seen[0].message)
    assert np.isinf(found[[1, 3]]).all() and np.isfinite(found[[0, 2]]).all()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        frame = result.get_prediction({"x": [1e5]}).summary_frame()
        result.predict({"x": [1e5]}, which="var")
    assert {w.message.kind for w in seen} == {"overflow"}
    assert np.isinf(frame["mean"][0]) and not frame.isna().any(axis=None)


# Quasi-likelihoods and weights ------------------------------------------------------------


def test_a_quasi_variance_is_scaled():
    formula = "Days ~ Eth + Sex + Age + Lrn"
    quasi = gc.fit(formula, quine, family="quasipoisson")
    plain = gc.fit(formula, quine)
    chi2 = ((quine["Days"] - plain.predict()) ** 2 / plain.predict()).sum()
    right = plain.predict() * chi2 / (146 - 7)
    np.testing.assert_allclose(quasi.predict(which="var"), right, rtol=1e-8)
    np.testing.assert_allclose(quasi.get_prediction(which="var").predicted, right, rtol=1e-8)


@pytest.mark.parametrize(
    ("which", "at"),
    [
        ("prob", 1),
        ("cdf", 1),
        ("quantile", 0.5),
        ("prob-zero", None),
        ("prob-positive", None),
        ("mean-nonzero", None),
    ],
)
def test_a_quasi_likelihood_has_no_probabilities(which, at):
    quasi = gc.fit("Days ~ Eth", quine, family="quasipoisson")
    for ask in (quasi.predict, quasi.get_prediction):
        with pytest.raises(gc.errors.NotDefinedError) as error:
            ask(which=which, at=at)
        assert error.value.kind == "no_likelihood"


def test_a_quasi_likelihood_draws_nothing():
    with pytest.raises(gc.errors.NotDefinedError) as error:
        gc.fit("Days ~ Eth", quine, family="quasipoisson").simulate()
    assert error.value.kind == "no_likelihood"


@pytest.mark.parametrize(
    "family", ["poisson", "negbin", "negbin1", "geometric", "genpoisson", "genpoisson2", "pig"]
)
def test_a_frequency_weight_draws_a_sum(family):
    weights = {"w": np.repeat([1, 20], 60)}
    data = {"y": np.tile([0, 1, 2, 3, 9, 1, 2, 5, 0, 4], 12), **weights}
    result = gc.fit("y ~ 1", data, weights="w", family=family)
    drawn = result.simulate(400, rng=1).to_numpy()
    mean, variance = result.predict().iloc[0], result.predict(which="var").iloc[0]
    for rows, w in ((slice(0, 60), 1), (slice(60, 120), 20)):
        n = drawn[rows].size
        assert abs(drawn[rows].mean() - w * mean) < 5 * np.sqrt(w * variance / n)
        assert drawn[rows].var() == pytest.approx(w * variance, rel=0.12)
    # Importances are no copies.
    alone = gc.fit("y ~ 1", data, weights="w", weights_type="importance", family=family)
    assert alone.simulate(300, rng=1).to_numpy()[60:].mean() == pytest.approx(mean, rel=0.1)


@pytest.mark.parametrize("options", [{"inflate": "1"}, {"hurdle": "1"}, {"truncated": 0}])
def test_sums_that_leave_the_family_are_refused(options):
    data = {"y": [y + ("truncated" in options) for y in MIXED["y"]], "w": [2] * 16}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ 1", data, weights="w", **options)
    with pytest.raises(gc.errors.NotDefinedError) as error:
        result.simulate()
    assert error.value.kind == "sums_leave_family"


@pytest.mark.parametrize("weight", [1e300, 1e308, 1e100])
def test_weights_whose_squares_are_no_numbers_are_refused(weight):
    data = {"y": [1, 3, 2, 6], "x": [0, 1, 2, 3], "w": [weight] * 4}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(gc.errors.DataError) as error:
            gc.fit("y ~ x", data, weights="w", weights_type="importance")
    assert error.value.kind == "weights_range"


@pytest.mark.parametrize("cov", ["HC0", "HC1", "opg"])
def test_squares_of_weights_that_vanish_are_named(cov):
    data = {"y": [1, 3, 2, 6, 4], "x": [0, 1, 2, 3, 1], "w": [1e-290] * 5}
    result = gc.fit("y ~ x", data, weights="w", weights_type="importance")
    with pytest.raises(gc.errors.CovarianceError) as error:
        _ = result.with_cov(cov).bse
    assert error.value.kind == "weights_range"


# Residuals -----------------------------------------------------------------------------------


def censored_data(limit, seed=3, n=2000):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    counts = rng.poisson(np.exp(1 + 0.5 * x))
    return pd.DataFrame({"x": x, "c": limit, "y": np.minimum(counts, limit)})


def test_censored_pearson_residuals_are_against_the_censored_moments():
    data = censored_data(4.0)
    result = gc.fit("y ~ x", data, censored="c")
    j = np.arange(60)
    logs = np.array([float(mp.loggamma(k + 1)) for k in j])
    mean = result.predict().to_numpy()
    mass = np.exp(j[:, None] * np.log(mean) - mean - logs[:, None])
    seen = np.minimum(j, 4)[:, None]
    centre = (seen * mass).sum(axis=0)
    variance = (seen**2 * mass).sum(axis=0) - centre**2
    right = (data["y"] - centre) / np.sqrt(variance)
    np.testing.assert_allclose(result.resid_pearson, right, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.resid_response, data["y"] - centre, atol=1e-10)
    assert result.pearson_chi2 / result.df_resid == pytest.approx(1.0, abs=0.1)
    assert abs(result.resid_pearson.mean()) < 0.1
    assert result.resid_quantile(rng=2).std() == pytest.approx(1.0, abs=0.07)


@pytest.mark.parametrize("family", ["negbin", "genpoisson", "pig"])
def test_limits_by_row_some_of_them_infinite(family):
    data = censored_data(np.inf, n=600)
    data["c"] = np.where(np.arange(600) % 2, 3.5, np.inf)
    data["y"] = np.where(data["y"] >= data["c"], 4.0, data["y"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ x", data, censored="c", family=family)
    assert result.pearson_chi2 / result.df_resid == pytest.approx(1.0, abs=0.2)
    assert abs(result.resid_response.mean()) < 0.1


@pytest.mark.parametrize("name", ["resid_working", "resid_anscombe"])
def test_residuals_of_counts_refuse_censored_ones(name):
    result = gc.fit("y ~ x", censored_data(4.0, n=200), censored="c")
    with pytest.raises(gc.errors.NotDefinedError) as error:
        getattr(result, name)
    assert error.value.kind == "censored"


def test_anscombe_residuals_take_the_root_of_importances():
    data = {"y": [1, 3, 2, 6, 4, 2], "x": [0, 1, 2, 3, 1, 2], "w": [1.0, 4.0, 2.0, 0.5, 3.0, 1.0]}
    weighted = gc.fit("y ~ x", data, weights="w", weights_type="importance")
    mu = weighted.fittedvalues
    y, w = np.array(data["y"]), np.array(data["w"])
    plain = 1.5 * (y ** (2 / 3) - mu ** (2 / 3)) / mu ** (1 / 6)
    np.testing.assert_allclose(weighted.resid_anscombe, np.sqrt(w) * plain, rtol=1e-9)


# Covariances ---------------------------------------------------------------------------------


def test_a_singular_product_of_scores_is_named():
    data = {"y": [1, 3, 2, 6, 4], "x": [0, 1, 0, 1, 2], "z": [0, 0, 0, 0, 1]}
    result = gc.fit("y ~ x + z", data)
    with pytest.raises(gc.errors.CovarianceError) as error:
        _ = result.with_cov("opg").bse
    assert error.value.kind == "singular_information"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("Days ~ Eth*Sex*Age*Lrn", quine)
    # One of its cells holds a single child.
    with pytest.raises(gc.errors.CovarianceError):
        _ = result.with_cov("opg").bse


@pytest.mark.parametrize("cov", ["HC0", "HC1", "HC2", "HC3", "opg"])
def test_a_variance_of_rounding_is_named(cov):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ 0 + C(g)", {"y": [1, 3, 2, 6, 4], "g": list("ababc")})
    with pytest.raises(gc.errors.CovarianceError) as error:
        _ = result.with_cov(cov).bse
    assert error.value.kind in ("no_residuals", "leverage_one", "singular_information")


@pytest.mark.parametrize("weight", [1e-30, 1.0, 1e30])
def test_small_importances_are_no_lack_of_residuals(weight):
    data = {"y": [1, 3, 2, 6, 4, 2, 7], "x": [0, 1, 2, 3, 1, 2, 0], "w": [weight] * 7}
    found = gc.fit("y ~ x", data, weights="w", weights_type="importance", cov="HC0").bse
    right = gc.fit("y ~ x", data, cov="HC0").bse
    np.testing.assert_allclose(found, right, rtol=1e-8)


# What is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize("which", QUANTITIES)
@pytest.mark.parametrize(
    "at", [np.inf, np.nan, "1", -1, 1.5, True, 10**400, None, [], [0, "1"], {1}, [[1]]]
)
def test_counts_that_are_none_are_refused(which, at):
    result = gc.fit("Days ~ Eth", quine)
    for ask in (result.predict, result.get_prediction):
        with pytest.raises(gc.errors.UsageError) as error:
            ask(which=which, at=at)
        assert error.value.kind == "at"


@pytest.mark.parametrize("at", [0, 1, np.nan, "a", None, True, [0.5, 2]])
def test_shares_that_are_none_are_refused(at):
    with pytest.raises(gc.errors.UsageError) as error:
        gc.fit("Days ~ Eth", quine).predict(which="quantile", at=at)
    assert error.value.kind == "at"


@pytest.mark.parametrize("at", [[0, 1, 2], (0, 1, 2), range(3), np.arange(3), pd.Series([0, 1, 2])])
def test_several_counts_give_a_column_each(at):
    result = gc.fit("Days ~ Eth", quine)
    found = result.predict(which="prob", at=at)
    assert list(found.columns) == [0, 1, 2] and list(found.index) == list(quine.index)
    for count in range(3):
        alone = result.predict(which="prob", at=count)
        np.testing.assert_array_equal(found[count], alone)


@pytest.mark.parametrize("which", [["mean"], None, 5, "men", {"mean"}])
def test_quantities_that_are_none_are_refused(which):
    result = gc.fit("Days ~ Eth", quine)
    for ask in (result.predict, result.get_prediction):
        with pytest.raises(gc.errors.UsageError) as error:
            ask(which=which)
        assert error.value.kind == "unknown_which"


def test_a_quantile_has_no_standard_error():
    with pytest.raises(gc.errors.NotDefinedError) as error:
        gc.fit("Days ~ Eth", quine).get_prediction(which="quantile", at=0.5)
    assert error.value.kind == "no_standard_error" and "Did you mean" not in str(error.value)


# Draws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1.5, -1, 0, True, "3", None])
def test_numbers_of_draws_that_are_none(n):
    with pytest.raises(gc.errors.UsageError) as error:
        gc.fit("Days ~ Eth", quine).simulate(n)
    assert error.value.kind == "draws"


@pytest.mark.parametrize("rng", ["a", -1, True, 1.5, {}])
def test_sources_of_random_numbers_that_are_none(rng):
    result = gc.fit("Days ~ Eth", quine)
    for draw in (lambda: result.simulate(rng=rng), lambda: result.resid_quantile(rng=rng)):
        with pytest.raises(gc.errors.UsageError) as error:
            draw()
        assert error.value.kind == "rng"


def test_draws_beyond_the_memory_are_refused():
    result = gc.fit("Days ~ Eth", quine, control=gc.Control(memory_limit=10_000))
    for n in (10**12, 100):
        with pytest.raises(gc.errors.MemoryLimitError):
            result.simulate(n)
    assert result.simulate(2).shape == (146, 2)


@pytest.mark.parametrize("mu", [1e15, 1e20, 1e100])
@pytest.mark.parametrize("alpha", [0.0, 0.25])
def test_draws_of_large_means(mu, alpha):
    options = {"family": gc.families.negbin(alpha=alpha)} if alpha else {}
    result = at_mean(mu, **options)
    drawn = result.simulate(3000, rng=4).to_numpy().ravel()
    mean = float(result.predict().iloc[0])
    deviation = np.sqrt(mean + alpha * mean**2)
    assert abs(drawn.mean() / mean - 1) < 5 * deviation / mean / np.sqrt(drawn.size) + 1e-12
    if deviation > 1e3 * np.spacing(mean):
        assert drawn.std() == pytest.approx(deviation, rel=0.06)


def test_draws_of_truncated_heavy_tails_end():
    law = gc.families.truncated(gc.families.negbin(alpha=1e4), 3)
    begin = time.process_time()
    drawn = law.sample(np.random.default_rng(1), [np.full(300, np.log(20.0))])
    assert time.process_time() - begin < 5
    above = 1 - negbin_below(3, mp.mpf(20), mp.mpf(10) ** 4)
    for count in (3, 10, 1000):
        share = float((1 - negbin_below(count, mp.mpf(20), mp.mpf(10) ** 4)) / above)
        assert abs((drawn > count).mean() - share) < 5 * np.sqrt(0.25 / 300)


@pytest.mark.parametrize("family", ["negbin", "negbin1", "pig"])
@pytest.mark.parametrize("size", [1e155, 1e200])
def test_counts_whose_squares_overflow_are_refused_by_name(family, size):
    y = size * np.array([0.0, 1.0, 1.0, 0.0, 2.0, 1.0, 1.0, 0.0])
    with pytest.raises(gc.errors.ConvergenceError, match="starting values"):
        gc.fit("y ~ x", {"x": np.arange(8.0), "y": y}, family=family)
