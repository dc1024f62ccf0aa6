"""The jackknife and bootstraps against refits by hand, and laws that they obey."""

from __future__ import annotations

import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import glmcount as gc
from glmcount.inference.watch import Watch


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(21)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=150),
            "f": rng.choice(list("abc"), 150),
            "e": rng.uniform(0.5, 2.0, 150),
            "w": rng.integers(1, 4, 150),
            "g": rng.integers(15, size=150),
        }
    )
    frame["y"] = rng.negative_binomial(2.0, 2.0 / (2.0 + frame.e * np.exp(0.5 + 0.3 * frame.x)))
    frame.loc[[3, 70], "x"] = np.nan
    return frame


MODELS = {
    "poisson": {},
    "quasi": {"family": "quasipoisson"},
    "negbin": {"family": "negbin"},
    "zinb": {"family": "negbin", "inflate": "1"},
    "hurdle": {"family": "negbin", "hurdle": "x"},
    "dispersion": {"family": "negbin", "dispersion": "x"},
}


def fitted(frame, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gc.fit("y ~ x + f", frame, exposure="e", **options)


def inner(result):
    return result._state.estimates.internal


@pytest.mark.parametrize("model", ["poisson", "quasi", "negbin", "hurdle"])
def test_the_jackknife_by_hand(data, model):
    result = fitted(data, **MODELS[model])
    parts = np.array([inner(fitted(data[data.g != g], **MODELS[model])) for g in range(15)])
    gaps = parts - parts.mean(axis=0)
    found = result.with_cov(gc.jackknife("g"))
    np.testing.assert_allclose(found._held.covariance, 14 / 15 * gaps.T @ gaps, rtol=1e-5)
    assert "Jackknife of clusters of g: 15 refits." in str(found.summary())


def test_single_rows_are_left_out(data):
    used = data.dropna()
    result = fitted(data)
    parts = np.array([fitted(used.drop(index=row)).params for row in used.index])
    gaps = parts - parts.mean(axis=0)
    n = len(used)
    found = result.with_cov(gc.jackknife())
    np.testing.assert_allclose(found.cov_params(), (n - 1) / n * gaps.T @ gaps, rtol=1e-7)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["pairs", "cluster", "bayesian", "parametric"])
def test_every_model_is_near_its_own_theory(data, model, kind):
    frame = pd.concat([data.dropna()] * 4, ignore_index=True)
    frame["g"] = np.arange(len(frame)) // 4
    if model == "quasi" and kind == "parametric":
        pytest.skip("nothing to draw from")
    result = fitted(frame, **MODELS[model])
    groups = "g" if kind == "cluster" else None
    found = result.with_cov(gc.bootstrap(120, kind, groups, rng=5))
    draws = found._held.found.draws
    assert draws.asked == 120 and len(draws.values) + draws.lost + draws.failed == 120
    theory = {"parametric": "nonrobust", "cluster": {"cluster": "g"}}.get(kind, "HC0")
    wanted = result.with_cov(theory).bse
    ratio = (found.bse / wanted)[["Intercept", "x", "f[T.b]", "f[T.c]"]]
    # 120 draws tell a standard error to 6.5 %; small samples take more.
    assert ratio.between(0.7, 1.5).all()


def test_draws_are_what_they_say(data):
    # Without regressors the estimate is the logarithm of a mean: draws by hand.
    y = data.y.to_numpy(float)
    result = gc.fit("y ~ 1", data)
    found = result.with_cov(gc.bootstrap(400, rng=3))
    seed = found._held.cov.compute.seed
    means = []
    for number in range(400):
        rng = np.random.default_rng([seed, number])
        counts = np.bincount(rng.integers(len(y), size=len(y)), minlength=len(y))
        means.append(np.log(counts @ y / len(y)))
    means = np.array(means)
    np.testing.assert_allclose(found._held.found.draws.values[:, 0], means, rtol=1e-9)
    assert found.bse["Intercept"] == pytest.approx(means.std(ddof=1), rel=1e-9)
    ends = found.conf_int(0.1, method="bootstrap").loc["Intercept"]
    np.testing.assert_allclose(ends, np.quantile(means, [0.05, 0.95], method="weibull"))
    # BCa, by its definition with the empirical influence of a mean's logarithm.
    estimate = result.params["Intercept"]
    influence = (y - y.mean()) / y.mean()
    a = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    # A draw of the same total is the estimate itself, and lies half on either side.
    tied = np.isclose(means, estimate, rtol=1e-12)
    assert tied.any()
    z = stats.norm.ppf((means[~tied] < estimate).sum() / 400 + 0.5 * tied.mean())
    reach = z + stats.norm.ppf([0.05, 0.95])
    levels = stats.norm.cdf(z + reach / (1 - a * reach))
    ends = found.conf_int(0.1, method="bootstrap", kind="bca").loc["Intercept"]
    np.testing.assert_allclose(ends, np.quantile(means, levels, method="weibull"), rtol=1e-8)


def test_studentised_ends_by_hand(data):
    y = data.y.to_numpy(float)
    result = gc.fit("y ~ 1", data)
    found = result.with_cov(gc.bootstrap(200, rng=3, studentised=True))
    seed = found._held.cov.compute.seed
    ratios = []
    for number in range(200):
        rng = np.random.default_rng([seed, number])
        drawn = y[rng.integers(len(y), size=len(y))]
        error = np.sqrt(((drawn - drawn.mean()) ** 2).sum()) / drawn.sum()
        ratios.append((np.log(drawn.mean()) - result.params["Intercept"]) / error)
    low, high = np.quantile(ratios, [0.025, 0.975], method="weibull")
    own = np.sqrt(((y - y.mean()) ** 2).sum()) / y.sum()
    ends = found.conf_int(method="bootstrap", kind="studentised").loc["Intercept"]
    wanted = result.params["Intercept"] - own * np.array([high, low])
    np.testing.assert_allclose(ends, wanted, rtol=1e-7)


def test_alpha_has_ends_on_its_own_scale(data):
    result = fitted(data, family="negbin").with_cov(gc.bootstrap(60, rng=2))
    ends = result.conf_int(method="bootstrap").loc["alpha"]
    logs = result._held.found.draws.values[:, -1]
    np.testing.assert_allclose(ends, np.exp(np.quantile(logs, [0.025, 0.975], method="weibull")))


@pytest.mark.parametrize("kind", ["pairs", "bayesian"])
def test_frequency_weights_are_copies(data, kind):
    frame = data.dropna()
    many = frame.loc[frame.index.repeat(frame.w)].reset_index(drop=True)
    cov = gc.bootstrap(300, kind, rng=7)
    a = fitted(frame, weights="w").with_cov(cov).bse
    b = fitted(many).with_cov(cov).bse
    # Different draws of one law.
    assert (a / b).between(0.8, 1.25).all()
    importance = fitted(frame, weights="w", weights_type="importance").with_cov(cov)
    wanted = fitted(frame, weights="w", weights_type="importance").with_cov("HC0").bse
    assert (importance.bse / wanted).between(0.75, 1.3).all()


LAWS = {
    "poisson": {},
    "hurdle": {"family": "negbin", "hurdle": "x"},
    "censored": {"family": "negbin", "censored": "top"},
}


@pytest.fixture(scope="module")
def limited(data):
    """Whole rows, weighted, with a limit for most, and counts as they would be without it."""
    rng = np.random.default_rng(8)
    return data.dropna().assign(top=rng.choice([2.0, 3.5, 6.0, np.inf], len(data.dropna())))


@pytest.mark.parametrize("model", LAWS)
def test_parametric_draws_of_weighted_rows_are_those_of_their_copies(limited, model):
    many = limited.loc[limited.index.repeat(limited.w)].reset_index(drop=True)
    cov = gc.bootstrap(60, "parametric", rng=7, studentised=True)
    weighted = fitted(limited, weights="w", **LAWS[model]).with_cov(cov)
    single = fitted(many, **LAWS[model]).with_cov(cov)
    # The same draws, row by row: only where the fits stop differs.
    a, b = weighted._held.found.draws, single._held.found.draws
    np.testing.assert_allclose(a.values, b.values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(a.errors, b.errors, rtol=1e-4)
    np.testing.assert_allclose(a.acceleration, b.acceleration, rtol=1e-6)
    np.testing.assert_allclose(weighted.bse, single.bse, rtol=1e-4)
    assert np.isfinite(a.values).all()
    assert len(a.values) > 50
    # And another seed's are of the same law: 400 draws tell an error to 3.5 %.
    other = fitted(many, **LAWS[model]).with_cov(gc.bootstrap(400, "parametric", rng=8)).bse
    own = fitted(limited, weights="w", **LAWS[model])
    own = own.with_cov(gc.bootstrap(400, "parametric", rng=9)).bse
    assert (own / other)[["Intercept", "x", "f[T.b]", "f[T.c]"]].between(0.85, 1.18).all()


def test_parametric_draws_of_importance_weights_are_rows(limited):
    # One count a row, of the variance mu: B sum(w^2 mu x x') B.
    result = fitted(limited, weights="w", weights_type="importance")
    found = result.with_cov(gc.bootstrap(600, "parametric", rng=3)).bse
    columns = [np.ones(len(limited)), limited.x, limited.f == "b", limited.f == "c"]
    X = np.column_stack(columns).astype(float)
    mu, w = result.fittedvalues.to_numpy(), limited.w.to_numpy(float)
    bread = np.linalg.inv(X.T @ (X * (w * mu)[:, None]))
    middle = X.T @ (X * (w * w * mu)[:, None])
    wanted = np.sqrt((bread @ middle @ bread).diagonal())
    ratio = found[["Intercept", "x", "f[T.b]", "f[T.c]"]].to_numpy() / wanted
    # 600 draws tell an error to 3 %; the information alone would be a third less.
    assert np.all((ratio > 0.9) & (ratio < 1.12))
    assert np.all(result.bse.to_numpy() < 0.85 * wanted)


def test_parametric_draws_of_censored_counts_by_hand(limited):
    X = np.column_stack([np.ones(len(limited)), limited.x])
    limit = np.ceil(limited.top.to_numpy())
    frame = limited.assign(y=np.minimum(limited.y, limit))
    result = gc.fit("y ~ x", frame, censored="top")
    found = result.with_cov(gc.bootstrap(25, "parametric", rng=3))
    seed = found._held.cov.compute.seed

    def refit(y):
        hit = y >= limit

        def minus(b):
            mean = np.exp(X @ b)
            above = stats.poisson.logsf(limit[hit] - 1.0, mean[hit])
            return -(stats.poisson.logpmf(y, mean)[~hit].sum() + above.sum())

        return optimize.minimize(minus, result.params.to_numpy(), tol=1e-10).x

    wanted = []
    for number in range(25):
        rng = np.random.default_rng([seed, number])
        wanted.append(refit(np.minimum(rng.poisson(np.exp(X @ result.params)), limit)))
    np.testing.assert_allclose(found._held.found.draws.values, wanted, atol=2e-5)
    np.testing.assert_allclose(found.bse, np.std(wanted, axis=0, ddof=1), rtol=1e-3)


def test_parametric_errors_of_many_censored_counts_are_those_of_the_information():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"x": rng.normal(size=3000), "w": rng.integers(0, 3, 3000)})
    frame["y"] = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(0.6 + 0.4 * frame.x)))
    options = {"family": "negbin", "censored": 4, "control": gc.Control(threads=1)}
    for weights in (None, "w"):
        result = gc.fit("y ~ x", frame, weights=weights, **options)
        ratio = result.with_cov(gc.bootstrap(300, "parametric", rng=2)).bse / result.bse
        # 300 draws tell an error to 4 %.
        assert ratio.between(0.88, 1.13).all()


def test_threads_and_rows_in_strips_change_nothing(data):
    found = [
        fitted(data, family="negbin", control=gc.Control(threads=threads)).with_cov(
            gc.bootstrap(30, kind, rng=9)
        )
        for kind in ("pairs", "parametric")
        for threads in (1, 2)
    ]
    for one, two in ((found[0], found[1]), (found[2], found[3])):
        np.testing.assert_array_equal(one.bse, two.bse)


def test_lost_levels_and_failures_are_counted(data):
    frame = data.dropna().head(40).reset_index(drop=True)
    frame["rare"] = (frame.index < 2) * 1.0
    frame.loc[0, "y"] = 4
    frame.loc[1, "y"] = 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("y ~ x + rare", frame)
    found = result.with_cov(gc.bootstrap(200, rng=1))
    with pytest.warns(gc.errors.CovarianceWarning, match="take no part"):
        draws = found._held.found.draws
    # A row of two is there in all but (1 - 2/40)^40 = 13 % of draws.
    assert 10 < draws.lost < 45
    assert f"{draws.lost} of them without rows that identify every coefficient" in " ".join(
        str(found.summary()).split()
    )
    with pytest.raises(gc.errors.CovarianceError, match="bayesian") as caught:
        _ = gc.fit("y ~ x + rare", frame.iloc[1:]).with_cov(gc.jackknife("rare")).bse
    assert caught.value.kind == "bootstrap_failed"
    assert result.with_cov(gc.bootstrap(50, "bayesian", rng=1))._held.found.draws.lost == 0


def test_draws_travel(data):
    result = fitted(data, family="negbin", cov=gc.bootstrap(40, rng=1))
    again = pickle.loads(pickle.dumps(result))  # noqa: S301
    np.testing.assert_array_equal(again.bse, result.bse)
    np.testing.assert_array_equal(
        again.conf_int(method="bootstrap"), result.conf_int(method="bootstrap")
    )


def test_what_is_refused(data):
    def kind(call):
        with pytest.raises(gc.errors.GlmcountError) as caught:
            _ = call()
        return caught.value.kind

    def no_copies(frame, **options):
        weighted = fitted(frame, weights="w", **options)
        return kind(lambda: weighted.with_cov(gc.bootstrap(30, "parametric", rng=1)).bse)

    result = fitted(data)
    assert kind(lambda: gc.bootstrap(99, "cluster")) == "bootstrap_kind"
    assert kind(lambda: gc.bootstrap(99, "pairs", "g")) == "bootstrap_kind"
    assert kind(lambda: gc.bootstrap(99, "rows")) == "bootstrap_kind"
    assert kind(lambda: gc.bootstrap(3)) == "reps"
    assert kind(lambda: gc.bootstrap(99, "cluster", ["g", "f"])) == "several_clusters"
    assert kind(lambda: gc.bootstrap(rng="a")) == "rng"
    assert kind(lambda: result.conf_int(method="bootstrap")) == "no_bootstrap"
    assert kind(lambda: result.conf_int(kind="bca")) == "interval_kind"
    drawn = result.with_cov(gc.bootstrap(30, rng=1))
    assert kind(lambda: drawn.conf_int(method="bootstrap", kind="studentised")) == "no_errors"
    assert kind(lambda: drawn.conf_int(method="bootstrap", kind="plain")) == "interval_kind"
    leave = result.with_cov(gc.jackknife("g"))
    assert kind(lambda: leave.conf_int(method="bootstrap")) == "no_bootstrap"
    quasi = fitted(data, family="quasipoisson")
    assert kind(lambda: quasi.with_cov(gc.bootstrap(30, "parametric")).bse) == "no_likelihood"
    assert no_copies(data.assign(w=data.w + 0.5)) == "weighted_bootstrap"
    assert no_copies(data, weights_type="probability") == "weighted_bootstrap"
    assert no_copies(data.assign(w=10_000_000)) == "memory_limit"
    reached = np.where(data.y >= 3, 3.0, np.inf)
    cut = fitted(data.assign(y=data.y.clip(upper=3), top=reached), censored="top")
    assert kind(lambda: cut.with_cov(gc.bootstrap(30, "parametric")).bse) == "censored_bootstrap"
    with pytest.raises(gc.errors.UsageError, match=r"glmcount\.bootstrap\(\)"):
        result.with_cov("bootstrap")


def test_progress_is_told():
    told = io.StringIO()
    watch = Watch(10, "refits", told)
    watch.said -= 5.0
    watch.tell(3)
    assert told.getvalue().startswith("3/10 refits, ")
    assert "s left" in told.getvalue()
