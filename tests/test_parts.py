"""Models of several parts: names, refusals, identities between parts, boundaries, predictions."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import special

import glmcount as gc

COLUMNS = ["x", "z"]


def simulated(seed=1, n=600, zeros=0.3, alpha=0.5):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    t = rng.uniform(0.5, 3.0, n)
    mean = t * np.exp(0.6 + 0.4 * x)
    y = rng.poisson(mean * (rng.gamma(1 / alpha, alpha, n) if alpha else 1.0))
    if zeros:
        y[rng.uniform(size=n) < special.expit(special.logit(zeros) + 0.8 * z)] = 0
    g = np.resize(["a", "b", "c"], n)
    return pd.DataFrame({"y": y, "x": x, "z": z, "t": t, "g": g})


DATA = simulated()
SIMPLE = simulated(seed=4, zeros=0, alpha=0.2)


def kinds(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, {w.message.kind for w in caught}


def same(found, expected, tolerance=1e-9):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_names_and_their_order():
    result = gc.fit("y ~ x + g", DATA, family="negbin", inflate="z + g", dispersion="x")
    assert list(result.params.index) == [
        *("Intercept", "x", "g[T.b]", "g[T.c]"),
        *("inflate_Intercept", "inflate_z", "inflate_g[T.b]", "inflate_g[T.c]"),
        *("dispersion_Intercept", "dispersion_x"),
    ]
    plain = gc.fit("y ~ x", DATA, family="negbin", hurdle="1")
    assert list(plain.params.index) == ["Intercept", "x", "hurdle_Intercept", "alpha"]


@pytest.mark.parametrize("family", ["poisson", "negbin", "geometric", "compoisson"])
@pytest.mark.parametrize("zero", ["logit", "probit", "cloglog"])
def test_a_hurdle_is_its_two_halves(family, zero):
    result = gc.fit("y ~ x", DATA, family=family, hurdle="z", zero=zero)
    some = DATA.assign(y=(DATA.y > 0).astype(int))
    passed = gc.fit("y ~ z", some, family="bernoulli", link=zero, information="observed")
    above = gc.fit("y ~ x", DATA[DATA.y > 0], family=family, truncated=0, information="observed")
    assert result.llf == pytest.approx(passed.llf + above.llf, rel=1e-12)
    halves = {f"hurdle_{name}": value for name, value in passed.params.items()}
    errors = {f"hurdle_{name}": value for name, value in passed.bse.items()}
    for name, value in {**above.params, **halves}.items():
        assert result.params[name] == pytest.approx(value, rel=1e-8, abs=1e-10), name
    for name, value in {**above.bse, **errors}.items():
        assert result.bse[name] == pytest.approx(value, rel=1e-7), name


def test_a_cloglog_hurdle_is_a_poisson_censored_at_one():
    link = gc.fit("y ~ x", DATA, hurdle="z", zero="cloglog")
    count = gc.fit("y ~ x", DATA, hurdle="z", zero="poisson")
    same(count.params, link.params)
    logit = gc.fit("y ~ x", DATA, hurdle="z")
    geometric = gc.fit("y ~ x", DATA, hurdle="z", zero="geometric")
    same(geometric.params, logit.params, 1e-8)


def test_a_hurdle_of_equal_halves_is_the_count_family():
    """With the count family as zero part and equal predictors nothing is left of the hurdle."""
    family = gc.families.hurdle(gc.families.poisson, gc.families.poisson)
    eta = np.linspace(-1, 2, 7)
    y = np.arange(7.0)[None, :]
    plain = gc.families.poisson.terms(y, (eta,)).value
    np.testing.assert_allclose(family.terms(y, (eta, eta)).value, plain, rtol=1e-13)


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_zero_inflation_by_a_mixture_written_out(family):
    result = gc.fit("y ~ x", DATA, family=family, inflate="z")
    share = special.expit(result.params["inflate_Intercept"] + result.params["inflate_z"] * DATA.z)
    mean = np.exp(result.params["Intercept"] + result.params["x"] * DATA.x)
    y = DATA.y.to_numpy()
    if family == "poisson":
        mass = np.exp(y * np.log(mean) - mean - special.gammaln(y + 1))
    else:
        r = 1 / result.params["alpha"]
        log = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1)
        mass = np.exp(log + r * np.log(r / (r + mean)) + y * np.log(mean / (r + mean)))
    total = np.log(np.where(y == 0, share, 0.0) + (1 - share) * mass).sum()
    assert result.llf == pytest.approx(total, rel=1e-12)
    same(result.predict(which="zero"), share)
    same(result.predict(which="mean-main"), mean)
    same(result.predict(), (1 - share) * mean)


MODELS = {
    "inflated": {"family": "negbin", "inflate": "z"},
    "hurdle": {"family": "negbin", "hurdle": "z"},
    "plain": {"family": "compoisson"},
    "truncated": {"family": "negbin", "truncated": 0},
    "censored": {"family": "negbin", "censored": 8},
}


def fitted(name):
    # Without structural zeros, unless the model has a part for them.
    data = DATA if name in ("inflated", "hurdle") else SIMPLE
    rows = data[data.y > 0] if name == "truncated" else data
    return gc.fit("y ~ x", rows, exposure="t", **MODELS[name])


@pytest.mark.parametrize("name", MODELS)
def test_predictions_belong_together(name):
    result = fitted(name)
    new = pd.DataFrame({"x": [-1.0, 0.0, 1.5], "z": [0.5, 0.0, -2.0], "t": [1.0, 2.0, 0.7]})

    def of(which, **options):
        return result.predict(new, which=which, **options).to_numpy()

    masses = np.stack([of("prob", at=k) for k in range(400)])
    counts = np.arange(400)
    same(masses.sum(axis=0), 1.0)
    same(masses[0], of("prob-zero"))
    same(1 - masses[0], of("prob-positive"))
    same(counts @ masses, of("mean"))
    same((counts**2) @ masses - of("mean") ** 2, of("var"), 1e-7)
    same(of("mean") / of("prob-positive"), of("mean-nonzero"))
    same(masses[:6].sum(axis=0), of("cdf", at=5))
    for share in (0.1, 0.5, 0.9):
        found = of("quantile", at=share).astype(int)
        total = np.cumsum(masses, axis=0)
        assert np.all(total[found, range(3)] >= share - 1e-12)
        assert np.all((found == 0) | (total[np.maximum(found - 1, 0), range(3)] < share))


@pytest.mark.parametrize("which", ["mean", "var", "prob-zero", "prob-positive", "mean-nonzero"])
@pytest.mark.parametrize("name", MODELS)
def test_delta_method_errors_of_predictions(name, which):
    """Against the differences that one standard error's thousandth of each parameter makes."""
    if name == "truncated" and which.startswith("prob"):
        return
    result = fitted(name)
    new = pd.DataFrame({"x": [0.7], "z": [-0.4], "t": [1.3]})
    found = result.get_prediction(new, which=which).summary_frame()
    internal = result._state.estimates
    start = internal.internal
    changes = []
    for j in range(len(start)):
        step = 1e-4 * result.bse.iloc[j] / internal.slope[j]
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[j] += sign * step
            ends.append(_at(result, moved, new, which))
        changes.append((ends[0] - ends[1]) / (2 * step) / internal.slope[j])
    expected = np.sqrt(np.array(changes) @ result.cov_params().to_numpy() @ np.array(changes))
    assert found["mean_se"].iloc[0] == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert found["mean_ci_lower"].iloc[0] < found["mean"].iloc[0] < found["mean_ci_upper"].iloc[0]


def _at(result, internal, new, which):
    """A prediction at other parameters, through the same path."""
    from dataclasses import replace

    from glmcount.prediction.predict import predict_rows, target

    state = result._state
    fit = replace(state.fit, theta=state.fit.layout.reshift(internal))
    rows, label = target(state, new, {})
    return label(predict_rows(rows, fit, which, None)).iloc[0]


REFUSED = [
    ({"inflate": "z", "hurdle": "z"}, "incompatible_parts"),
    ({"inflate": "z", "truncated": 0}, "incompatible_parts"),
    ({"hurdle": "z", "censored": 5}, "incompatible_parts"),
    ({"truncated": 0, "censored": 5}, "incompatible_parts"),
    ({"zero": "probit"}, "zero_without_part"),
    ({"inflate": "z", "zero": "poisson"}, "unknown_zero"),
    ({"hurdle": "z", "zero": "logti"}, "unknown_zero"),
    ({"family": "quasipoisson", "inflate": "z"}, "no_likelihood"),
    ({"family": "bernoulli", "inflate": "z"}, "incompatible_parts"),
    ({"dispersion": "z"}, "no_dispersion"),
    ({"family": gc.families.negbin(alpha=1.0), "dispersion": "z"}, "no_dispersion"),
    ({"truncated": 1.5}, "truncation"),
    ({"truncated": -1}, "truncation"),
    ({"inflate": "y ~ z"}, "response"),
    ({"inflate": "y"}, "response_as_predictor"),
    ({"inflate": ""}, "formula_syntax"),
    ({"inflate": 3}, "formula_syntax"),
    ({"hurdle": "0"}, "no_parameters"),
    ({"inflate": "z +* x"}, "formula_syntax"),
    ({"inflate": "z + zz"}, "unknown_column"),
    ({"link": "probit"}, "unknown_link"),
    ({"family": gc.families.censored(gc.families.poisson)}, "censored"),
    ({"inflate": "z", "information": "expected"}, "no_expected_information"),
    ({"truncated": 2}, "outside_support"),
]


@pytest.mark.parametrize(("options", "kind"), REFUSED, ids=[str(o) for o, _ in REFUSED])
def test_what_is_no_model_is_refused_by_name(options, kind):
    with pytest.raises(gc.errors.GlmcountError) as caught:
        gc.fit("y ~ x", DATA, **options)
    assert caught.value.kind == kind, str(caught.value)


def test_a_caret_points_into_the_part():
    with pytest.raises(gc.errors.FormulaError) as caught:
        gc.fit("y ~ x", DATA, inflate="z + wrong")
    assert "z + wrong" in str(caught.value) and "^^^^^" in str(caught.value)


def test_counts_outside_the_support_are_named_by_row():
    with pytest.raises(gc.errors.DataError, match=r"1 or more.*Zero-truncated") as caught:
        gc.fit("y ~ x", DATA, truncated=0)
    first = int(np.flatnonzero(DATA.y == 0)[0])
    assert f" {first}," in str(caught.value)
    with pytest.raises(gc.errors.DataError, match="0 to 1"):
        gc.fit("y ~ x", DATA, family="bernoulli")


def test_missing_values_of_every_part_are_counted():
    data = DATA.copy()
    data.loc[3, "z"] = np.nan
    data.loc[5, "x"] = np.nan
    result, told = kinds(lambda: gc.fit("y ~ x", data, inflate="z"))
    assert told == {"missing_rows"}
    assert result.n_dropped == 2
    assert result.dropped == {"x missing": 1, "z missing": 1}
    assert len(result.resid_quantile(1)) == len(data) - 2


def test_offsets_of_each_part_are_remembered():
    result = gc.fit("y ~ x + offset(log(t))", DATA, inflate="z + offset(log(t))", family="negbin")
    new = pd.DataFrame({"x": [0.3], "z": [0.1], "t": [2.0]})
    share = special.expit(
        result.params["inflate_Intercept"] + 0.1 * result.params["inflate_z"] + np.log(2.0)
    )
    assert result.predict(new, which="zero").iloc[0] == pytest.approx(share, rel=1e-12)
    with pytest.raises(gc.errors.UnknownColumnError) as caught:
        result.predict(new.drop(columns="t"))
    assert caught.value.kind == "offset_required"
    null = gc.fit("y ~ 1 + offset(log(t))", DATA, inflate="1 + offset(log(t))", family="negbin")
    assert result.llnull == pytest.approx(null.llf, rel=1e-12)


def test_the_null_model_has_a_constant_in_each_part():
    result = gc.fit("y ~ x", DATA, family="negbin", inflate="z")
    null = gc.fit("y ~ 1", DATA, family="negbin", inflate="1")
    assert result.llnull == pytest.approx(null.llf, rel=1e-12)
    assert null.llf == pytest.approx(null.llnull, rel=1e-12)


def test_arrays_for_a_part():
    X = np.column_stack([np.ones(len(DATA)), DATA.x])
    Z = np.column_stack([np.ones(len(DATA)), DATA.z])
    arrays = gc.fit_arrays(DATA.y, X, inflate=Z, family="negbin")
    formula = gc.fit("y ~ x", DATA, inflate="z", family="negbin")
    assert list(arrays.params.index) == ["x0", "x1", "inflate_z0", "inflate_z1", "alpha"]
    same(arrays.params, formula.params, 1e-8)
    one = gc.fit_arrays(DATA.y, X, hurdle="1")
    same(one.params, gc.fit("y ~ x", DATA, hurdle="1").params, 1e-8)
    with pytest.raises(gc.errors.UsageError, match="knows no names"):
        gc.fit_arrays(DATA.y, X, hurdle="z")


def test_censoring_beyond_every_count_changes_nothing():
    plain = gc.fit("y ~ x", DATA, family="negbin")
    far = gc.fit("y ~ x", DATA, family="negbin", censored=10_000)
    same(far.params, plain.params, 1e-8)
    assert far.llf == pytest.approx(plain.llf, rel=1e-12)


def test_censoring_by_a_column_by_hand():
    limits = np.where(DATA.index % 2 == 0, 3.0, np.inf)
    data = DATA.assign(limit=limits, y=np.minimum(DATA.y, limits).astype(int))
    column = gc.fit("y ~ x", data, censored="limit")
    array = gc.fit("y ~ x", data, censored=limits)
    same(column.params, array.params, 1e-12)
    mean = np.exp(column.params["Intercept"] + column.params["x"] * data.x)
    log = data.y * np.log(mean) - mean - special.gammaln(data.y + 1)
    rows = np.where(data.y >= limits, np.log(special.pdtrc(2, mean)), log)
    assert column.llf == pytest.approx(rows.sum(), rel=1e-12)
    missing = data.assign(limit=data.limit.where(data.index > 4))
    result, told = kinds(lambda: gc.fit("y ~ x", missing, censored="limit"))
    assert told == {"missing_rows"} and result.dropped == {"limit missing": 5}


@pytest.mark.parametrize("limit", [0, -3, 0.5, np.resize([5.0, 0.0], 600)])
def test_a_limit_that_censors_every_count_is_refused(limit):
    with pytest.raises(gc.errors.DataError, match="1 or more") as caught:
        gc.fit("y ~ x", DATA, censored=limit)
    assert caught.value.kind == "censored"


def test_a_limit_may_be_a_number_in_a_string():
    same(gc.fit("y ~ x", DATA, censored="4").params, gc.fit("y ~ x", DATA, censored=4).params)
    data = DATA.assign(**{"4": 9.0})
    by_column = gc.fit("y ~ x", data, censored="4")
    same(by_column.params, gc.fit("y ~ x", DATA, censored=9).params)


def test_no_inflation_is_named():
    data = simulated(seed=5, zeros=0, alpha=0.8, n=400)
    result, told = kinds(lambda: gc.fit("y ~ x", data, family="negbin", inflate="1"))
    plain = gc.fit("y ~ x", data, family="negbin")
    if result.certificate.boundary:
        assert told == {"inflation_boundary"}
        assert result.params["inflation"] == 0 and np.isnan(result.bse["inflation"])
        assert result.llf == pytest.approx(plain.llf, rel=1e-12)
        assert "inflation = 0" in str(result.summary())
    assert result.llf >= plain.llf - 1e-9


def test_boundaries_of_the_published_example():
    """bioChemists art ~ . | 1: no inflation beyond what the negative binomial has."""
    data = gc.datasets.load("biochemists")
    formula = "art ~ fem + mar + kid5 + phd + ment"
    result, told = kinds(lambda: gc.fit(formula, data, family="negbin", inflate="1"))
    assert told == {"inflation_boundary"}
    assert round(result.llf, 4) == -1560.9583
    assert result.certificate.boundary == "inflation = 0"


def test_both_boundaries_at_once():
    rng = np.random.default_rng(11)
    x = rng.normal(size=500)
    data = pd.DataFrame({"x": x, "y": rng.binomial(8, special.expit(0.3 * x))})
    result, told = kinds(lambda: gc.fit("y ~ x", data, family="negbin", inflate="1"))
    assert told == {"inflation_boundary", "alpha_boundary"}
    poisson = gc.fit("y ~ x", data)
    same(result.params[["Intercept", "x"]], poisson.params, 1e-9)
    assert result.predict(data.head(2)).notna().all()


def test_a_dispersion_that_the_zeros_explain():
    data = simulated(seed=3, zeros=0.4, alpha=0)
    result, told = kinds(lambda: gc.fit("y ~ x", data, family="negbin", inflate="z"))
    simple = gc.fit("y ~ x", data, inflate="z")
    if told:
        assert told == {"alpha_boundary"}
        assert result.llf == pytest.approx(simple.llf, rel=1e-12)
        assert result.params["alpha"] == 0
    assert result.llf >= simple.llf - 1e-8


def test_a_maximum_at_infinity_is_named():
    """A zero-truncated negative binomial of ones and twos runs to the logarithmic series."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"y": rng.logseries(0.6, 300)})
    result, told = kinds(lambda: gc.fit("y ~ 1", data, family="negbin", truncated=0))
    assert told <= {"boundary"}
    assert np.isinf(result.bse).all() == bool(told)
    frequencies = np.bincount(data.y)[1:]
    k = np.arange(1, len(frequencies) + 1)
    shares = np.linspace(0.3, 0.9, 6001)
    series = [frequencies @ (k * np.log(s) - np.log(k) - np.log(-np.log1p(-s))) for s in shares]
    assert result.llf >= max(series) - 1e-4


@pytest.mark.parametrize("name", MODELS)
def test_quantile_residuals_are_standard_normal(name):
    result = fitted(name)
    residuals = result.resid_quantile(3)
    assert np.isfinite(residuals).all()
    assert abs(residuals.mean()) < 4.5 / np.sqrt(len(residuals))
    assert residuals.std() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("name", ["inflated", "hurdle"])
def test_what_has_no_meaning_for_several_parts_is_refused(name):
    result = fitted(name)
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        _ = result.deviance
    assert caught.value.kind == "no_deviance"
    for ask in (result.get_influence, lambda: result.with_cov("HC3").bse):
        with pytest.raises(gc.errors.NotDefinedError) as caught:
            ask()
        assert caught.value.kind == "no_leverage"
    with pytest.raises(gc.errors.NotDefinedError):
        _ = result.resid_anscombe
    assert list(result.augment()) == ["fitted", "resid", "resid_pearson"]
    assert "Deviance" not in str(result.summary())


@pytest.mark.parametrize("name", ["inflated", "hurdle", "truncated"])
def test_the_sandwich_against_scores_by_differences(name):
    """HC0 from row scores that are differences of row log-likelihoods."""
    result = fitted(name)
    state = result._state
    internal, family, fit = state.estimates.internal, state.family, state.fit
    from dataclasses import replace

    from glmcount.fitting.sums import by_row

    def rows(at):
        moved = replace(fit, theta=fit.layout.reshift(at))
        return by_row(state.rows, moved, lambda s, r: family.terms(r.y, r.etas).value)

    scores = []
    for j in range(len(internal)):
        step = np.zeros(len(internal))
        step[j] = 1e-5
        scores.append((rows(internal + step) - rows(internal - step)) / 2e-5)
    scores = np.array(scores)
    slope = state.estimates.slope
    bread = result.cov_params().to_numpy() / np.outer(slope, slope)
    expected = np.sqrt(np.diag(bread @ (scores @ scores.T) @ bread)) * np.abs(slope)
    np.testing.assert_allclose(result.with_cov("HC0").bse, expected, rtol=1e-5)


def test_which_is_asked_rightly():
    result = fitted("hurdle")
    for options, kind in (
        ({"which": "prob"}, "at"),
        ({"which": "prob", "at": 1.5}, "at"),
        ({"which": "mean", "at": 1}, "at"),
        ({"which": "quantile"}, "at"),
        ({"which": "quantile", "at": 1.0}, "at"),
        ({"which": "zeros"}, "unknown_which"),
        ({"which": "zero"}, "no_zero_part"),
    ):
        with pytest.raises(gc.errors.GlmcountError) as caught:
            result.predict(**options)
        assert caught.value.kind == kind
    quasi = gc.fit("y ~ x", DATA, family="quasipoisson")
    with pytest.raises(gc.errors.NotDefinedError):
        quasi.predict(which="prob", at=0)


def test_weights_repeat_rows_in_every_part():
    data = DATA.assign(w=np.resize([1, 2, 3], len(DATA)))
    weighted = gc.fit("y ~ x", data, family="negbin", inflate="z", weights="w")
    repeated = data.loc[data.index.repeat(data.w)].reset_index(drop=True)
    whole = gc.fit("y ~ x", repeated, family="negbin", inflate="z")
    same(weighted.params, whole.params, 1e-8)
    same(weighted.bse, whole.bse, 1e-8)
    assert weighted.bic == pytest.approx(whole.bic, rel=1e-12)


def test_a_column_left_out_of_a_part_is_named_with_the_part():
    data = DATA.assign(double=2 * DATA.z)
    result, told = kinds(lambda: gc.fit("y ~ x + z", data, inflate="z + double"))
    assert told == {"column"}
    assert list(result.aliased) == ["inflate_double"]
    assert result.aliased["inflate_double"] == pytest.approx({"inflate_z": 2.0})
    assert "inflate_double" not in result.params


def test_a_level_that_only_zeros_have_is_left_out_of_the_count_part():
    """A zero says nothing of a hurdle's count part, so its column there is not estimable."""
    data = DATA.assign(only=((DATA.y == 0) & (DATA.index % 3 == 0)).astype(float))
    result, told = kinds(lambda: gc.fit("y ~ x + only", data, hurdle="z"))
    assert told == {"column"} and list(result.aliased) == ["only"]
    same(result.params, gc.fit("y ~ x", data, hurdle="z").params, 1e-9)


def test_a_dispersion_with_an_offset_is_a_regression():
    result = gc.fit("y ~ x", DATA, family="negbin", dispersion="1 + offset(log(t))")
    assert list(result.params.index) == ["Intercept", "x", "dispersion_Intercept"]
    assert "Dispersion: log(alpha)" in str(result.summary())
    one = gc.fit("y ~ x", DATA, family="negbin", dispersion="1")
    assert list(one.params.index) == ["Intercept", "x", "alpha"]


def grouped(kind):
    rng = np.random.default_rng(0)
    g, x = np.repeat(["a", "b", "c"], 100), rng.normal(size=300)
    y = rng.poisson(np.exp(0.8 + 0.3 * x))
    y[rng.uniform(size=300) < 0.3] = 0
    y = {"group": np.where(g == "b", 0, y), "no zeros": np.maximum(y, 1), "nothing": 0 * y}[kind]
    return pd.DataFrame({"y": y, "x": x, "g": g})


ENDS = [
    ("group", "y ~ x", {"inflate": "g"}, {"separation"}, ["inflate_g[T.b]"]),
    ("group", "y ~ x + g", {"inflate": "1"}, {"separation"}, ["g[T.b]"]),
    ("group", "y ~ x", {"hurdle": "g"}, {"separation"}, ["hurdle_g[T.b]"]),
    ("group", "y ~ x + g", {"hurdle": "g"}, {"separation", "column"}, ["hurdle_g[T.b]"]),
    ("no zeros", "y ~ x", {"inflate": "g"}, {"inflation_boundary"}, []),
    ("no zeros", "y ~ x", {"hurdle": "g"}, {"separation"}, ["hurdle_Intercept"]),
]


@pytest.mark.parametrize(("kind", "formula", "options", "named", "infinite"), ENDS)
def test_groups_without_zeros_or_without_counts_are_named(kind, formula, options, named, infinite):
    data = grouped(kind)
    result, told = kinds(lambda: gc.fit(formula, data, **options))
    assert told == named
    assert list(result.bse.index[np.isinf(result.bse)]) == infinite
    assert np.isinf(result.params[infinite]).all() and np.isfinite(result.llf)
    assert np.isfinite(result.params[np.isfinite(result.bse)]).all()
    if kind == "group":
        rows = data.index[result.separation.rows]
        assert set(data.g[rows]) == {"b"} and len(rows) == 100


@pytest.mark.parametrize("options", [{"inflate": "g"}, {"hurdle": "1"}])
def test_no_positive_count_is_refused(options):
    with pytest.raises(gc.errors.BoundaryError) as caught:
        gc.fit("y ~ x", grouped("nothing"), **options)
    assert caught.value.kind == "all_zero_response"


def test_refit_keeps_and_changes_parts():
    first = gc.fit("y ~ x", DATA, family="negbin", inflate="z")
    again = first.refit()
    same(again.params, first.params, 1e-12)
    other = first.refit(inflate=None, hurdle="z")
    same(other.params, gc.fit("y ~ x", DATA, family="negbin", hurdle="z").params, 1e-12)


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_a_block_of_rows_without_a_zero_beside_factors(family):
    """The last rows of a strip, which are worked on by themselves, tell of fewer entries."""
    rng = np.random.default_rng(0)
    n = 12_003
    data = pd.DataFrame({f"x{j}": 0.1 * rng.normal(size=n) for j in range(5)})
    data["y"] = np.where(rng.random(n) < 0.3, 0, rng.negative_binomial(2, 0.4, n))
    data["b"] = rng.random(n) < 0.3
    data.loc[n - 3 :, "y"] = [1, 2, 3]
    formula, told = "y ~ x0 + x1 + x2 + x3 + x4", "x0 + x1 + b"
    blocks = gc.Control(block_rows=2_000)
    found = gc.fit(formula, data, family=family, inflate=told, control=blocks)
    whole = gc.fit(formula, data, family=family, inflate=told)
    assert found.llf == pytest.approx(whole.llf, rel=1e-12)
    np.testing.assert_allclose(found.bse, whole.bse, rtol=1e-8)
    numbers = gc.fit(formula, data.assign(b=1.0 * data.b), family=family, inflate=told)
    assert found.llf == pytest.approx(numbers.llf, rel=1e-12)
