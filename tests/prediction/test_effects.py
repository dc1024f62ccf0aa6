"""Effects against differences of predictions, closed forms and other programs."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.families.base import families
from glmcount.inference.covariance import Estimator
from glmcount.inference.setting import Needs
from glmcount.prediction.quantities import WHICH
from glmcount.records import replace
from glmcount.sources.base import Source, streamed

COLUMNS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


def counts(n=90, seed=3):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.uniform(1.0, 3.0, n)})
    frame["g"] = rng.permutation(np.resize(list("abc"), n))
    frame["t"], frame["w"] = rng.uniform(0.5, 2.0, n), rng.integers(1, 4, n).astype(float)
    mean = frame.t * np.exp(0.4 + 0.3 * frame.x - 0.2 * np.log(frame.z) + 0.4 * (frame.g == "b"))
    frame["y"] = rng.poisson(mean * rng.gamma(2.0, 0.5, n)).astype(float)
    frame.loc[rng.random(n) < 0.15, "y"] = 0.0
    return frame


@pytest.fixture(scope="module")
def data():
    return counts()


# Every effect of every model --------------------------------------------------------------

PARTS = {
    "plain": {},
    "inflate": {"inflate": "x"},
    "hurdle": {"hurdle": "x + g"},
    "truncated": {"truncated": 0},
    "censored": {"censored": 9},
}
# With lower limits that fit itself is refused, at a boundary that it tries.
LIMITS = {("compoisson", "censored"): {"censored": 14}}
FORMULA = "y ~ x * g + log(z)"
# Of the model of each: what it refuses, and by what kind.
NO_LAW = {"prob", "cdf", "prob-zero", "prob-positive", "mean-nonzero", "zero"}


def model(family, part):
    """A fit of that family and part, or the refusal of it."""
    frame = counts()
    if part == "truncated":
        frame = frame[frame.y > 0]
    if family == "bernoulli":
        frame["y"] = np.minimum(frame.y, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        options = {**PARTS[part], **LIMITS.get((family, part), {})}
        found = gc.fit(FORMULA, frame, family=family, exposure="t", weights="w", **options)
    return found, frame


def refusal(which, family, part):
    """The kind by which an effect is refused; None where it is a number."""
    if family == "quasipoisson" and which in NO_LAW:
        return "no_likelihood"
    if which == "zero" and part != "inflate":
        return "no_zero_part"
    return None


def weighted(values, frame):
    return float(np.average(values, weights=frame.w))


def by_differences(predict, frame, row, step=1e-4):
    """What a row of a table of slopes should be, from predictions alone."""
    if row.contrast == "dY/dX":
        sides = [
            predict(frame.assign(**{row.term: frame[row.term] + s * step})) for s in (-2, -1, 1, 2)
        ]
        return weighted((8 * (sides[2] - sides[1]) - (sides[3] - sides[0])) / (12 * step), frame)
    high, low = row.contrast.split(" - ")
    return weighted(predict(frame.assign(g=high)) - predict(frame.assign(g=low)), frame)


def along(state, direction):
    """A covariance of one direction: a standard error is what moves along it."""
    own = state.fit.layout.reshift(direction)[state.fit.kept]
    return Estimator("along", "along", lambda setting, bread: np.outer(own, own))


def shifted(result, direction, step):
    """The same result with its parameters moved."""
    state = result._state
    theta = state.fit.theta + step * state.fit.layout.reshift(direction)
    return gc.Results(replace(state, fit=replace(state.fit, theta=theta)), along(state, direction))


def models():
    for family in families:
        for part in PARTS:
            # Of these the fit itself is refused, as the next test says.
            if part == "plain" or family not in ("bernoulli", "quasipoisson"):
                yield family, part


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
@pytest.mark.parametrize(("family", "part"), list(models()))
def test_every_effect_is_confirmed_by_differences_or_refused(family, part):
    result, frame = model(family, part)
    state = result._state
    direction = np.zeros(state.fit.layout.size)
    direction[state.fit.kept] = np.random.default_rng(1).normal(size=len(state.fit.kept))
    direction *= 0.1
    one = result.with_cov(along(state, direction))
    up, down = (shifted(result, direction, step) for step in (1e-3, -1e-3))
    up2, down2 = (shifted(result, direction, step) for step in (2e-3, -2e-3))
    for which, quantity in WHICH.items():
        at = 2 if quantity.at else None
        kind = refusal(which, family, part)
        if kind is not None:
            with pytest.raises(gc.errors.NotDefinedError) as caught:
                result.slopes(which=which, at=at)
            assert caught.value.kind == kind
            continue
        found = one.slopes(which=which, at=at)
        step = result.comparisons("x", comparison="ratio", which=which, at=at)

        def predict(rows, which=which, at=at):
            return result.predict(rows, which=which, at=at).to_numpy()

        wanted = [by_differences(predict, frame, row) for row in found.itertuples()]
        size = np.abs(predict(frame)).max()
        np.testing.assert_allclose(
            found.estimate, wanted, rtol=1e-7, atol=1e-9 * size, err_msg=which
        )
        with np.errstate(invalid="ignore"):
            high, low = predict(frame.assign(x=frame.x + 1)), predict(frame)
            ratio = np.float64(weighted(high, frame)) / weighted(low, frame)
        np.testing.assert_allclose(step.estimate, ratio, rtol=1e-9, err_msg=which)
        # The scale of a quasi-likelihood is held; a moved result has one of its own.
        sides = [
            r.slopes(which=which, at=at).estimate
            * (result.scale / r.scale if which == "var" else 1.0)
            for r in (up, down, up2, down2)
        ]
        moved = (8 * (sides[0] - sides[1]) - (sides[2] - sides[3])) / 12e-3
        np.testing.assert_allclose(
            found.std_error, np.abs(moved), rtol=1e-5, atol=1e-8 * size, err_msg=which
        )


@pytest.mark.parametrize("family", ["bernoulli", "quasipoisson"])
@pytest.mark.parametrize("part", ["inflate", "hurdle", "truncated", "censored"])
def test_models_without_effects_are_not_fitted(family, part):
    with pytest.raises((gc.errors.UsageError, gc.errors.DataError)):
        model(family, part)


# Published and closed-form numbers ---------------------------------------------------------

RATES = {
    "t": list("AAAABBBB"),
    "g": list("abcdabcd"),
    "y": [1338, 36, 2555, 402, 1281, 38, 2495, 382],
    "N": [20669, 1237, 39438, 5713, 19986, 1224, 36749, 5646],
}


def numbers(table, row=0):
    return table.estimate[row], table.std_error[row]


def test_a_comparison_of_rates():
    # By R: emmeans' and by hand; the offset as observed, left out, and weighing the rows.
    result = gc.fit("y ~ t + g", RATES, exposure="N")
    np.testing.assert_allclose(
        numbers(result.comparisons("t")), [23.08226, 23.10167], rtol=0, atol=6e-6
    )
    rate = result.comparisons("t", which="rate")
    np.testing.assert_allclose(numbers(rate), [0.00124396, 0.00124505], rtol=0, atol=6e-9)
    assert "Offset as observed in each row: N." in result.comparisons("t").attrs["caption"]
    assert "Per unit of exposure: N left out." in rate.attrs["caption"]


@pytest.mark.parametrize("family", ["poisson", "quasipoisson"])
@pytest.mark.parametrize("by", [True, "g", False])
def test_intervals_of_another_level(family, by):
    r = gc.fit("y ~ t + g", RATES, exposure="N", family=family)
    law = stats.norm if family == "poisson" else stats.t(r.df_resid)
    for ask in (r.slopes, r.comparisons):
        usual, wide = ask("t", by=by), ask("t", by=by, alpha=0.2)
        reach = law.isf(0.1) * usual.std_error
        np.testing.assert_allclose(wide.conf_low, usual.estimate - reach, rtol=1e-9)
        np.testing.assert_allclose(wide.conf_high, usual.estimate + reach, rtol=1e-9)
        pd.testing.assert_frame_equal(wide.iloc[:, :-2], usual.iloc[:, :-2])
        assert "intervals of 80 %" in wide.attrs["caption"]
    found = r.predictions(by=by, alpha=0.2)
    half = law.isf(0.1) * found.std_error / found.estimate
    np.testing.assert_allclose(found.conf_low, found.estimate * np.exp(-half), rtol=1e-9)
    if by is False:
        ends = r.get_prediction().conf_int(0.2)
        np.testing.assert_allclose(found[["conf_low", "conf_high"]], ends, rtol=1e-12)


def test_an_alpha_that_is_none():
    r = gc.fit("y ~ t", RATES, exposure="N")
    with pytest.raises(gc.errors.UsageError) as caught:
        r.slopes("t", alpha=90)
    assert caught.value.kind == "alpha"
    with pytest.warns(gc.errors.IntervalWarning, match="write alpha=0.05"):
        r.comparisons("t", alpha=0.95)


def test_the_logarithm_of_a_ratio_has_the_interval_of_its_coefficient():
    small = pd.DataFrame({"y": [0, 1, 0, 0, 4, 3, 5, 4], "g": list("aaaabbbb")})
    r = gc.fit("y ~ g", small)
    log = r.comparisons("g", comparison="lnratio").iloc[0]
    low, high = r.conf_int().loc["g[T.b]"]
    assert (log.conf_low, log.conf_high) == pytest.approx((low, high), rel=1e-7)
    ratio = r.comparisons("g", comparison="ratio").iloc[0]
    assert ratio.estimate == pytest.approx(np.exp(log.estimate)) and ratio.conf_low < 0


def test_frequency_and_probability_weights_weigh_and_importance_weights_do_not():
    frame = pd.DataFrame(RATES)
    frame["r"] = frame.y / frame.N
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        fits = {
            kind: gc.fit("r ~ t + g", frame, weights="N", weights_type=kind, cov="HC1")
            for kind in ("frequency", "probability", "importance")
        }
    wanted = {"frequency": 0.00141325, "probability": 0.00141325, "importance": 0.00124396}
    for kind, result in fits.items():
        table = result.comparisons("t")
        assert table.estimate[0] == pytest.approx(wanted[kind], abs=6e-9), kind
        told = "not weighted by N" if kind == "importance" else "weighted by N"
        assert told in table.attrs["caption"]
    plain = fits["frequency"].with_cov("nonrobust").comparisons("t")
    np.testing.assert_allclose(numbers(plain), [0.00141325, 0.00141444], rtol=0, atol=6e-9)


def test_a_weight_is_so_many_rows(data):
    frame = data.assign(w=data.w.astype(int))
    repeated = frame.loc[frame.index.repeat(frame.w)]
    for unconditional in (False, True):
        options = {"unconditional": unconditional, "by": "g"}
        weighted = gc.fit("y ~ x * g", frame, weights="w", cov="HC0").slopes("x", **options)
        longer = gc.fit("y ~ x * g", repeated, cov="HC0").slopes("x", **options)
        pd.testing.assert_frame_equal(
            weighted.drop(columns=["term", "contrast"]),
            longer.drop(columns=["term", "contrast"]),
            rtol=1e-8,
        )


def test_the_average_slope_of_a_poisson_model_is_its_coefficient_times_the_mean_count(data):
    result = gc.fit("y ~ x + z", data)
    table = result.slopes()
    b = result.params[["x", "z"]].to_numpy()
    np.testing.assert_allclose(table.estimate, b * data.y.mean(), rtol=1e-12)
    # d(b ybar) / d theta = e_j mean(mu) + b mean(mu x), by hand.
    design = result.design_matrix()
    slopes = np.outer(b, (design.T @ result.fittedvalues) / len(data))
    slopes[0, 1] += data.y.mean()
    slopes[1, 2] += data.y.mean()
    wanted = np.sqrt(np.diag(slopes @ result.cov_params().to_numpy() @ slopes.T))
    np.testing.assert_allclose(table.std_error, wanted, rtol=1e-10)


def influences(result, data):
    """Of b ybar in a Poisson model: ybar IF_b + b (y - ybar) / n, each row's."""
    own = result.score_obs() @ result.with_cov("nonrobust").cov_params()["x"]
    b, mean = result.params["x"], data.y.mean()
    return (mean * own + b * (data.y - mean) / len(data)).to_numpy()


def test_standard_errors_with_the_rows_sampled(data):
    result = gc.fit("y ~ x + z", data, cov="HC0")
    table = result.slopes("x", unconditional=True)
    own = influences(result, data)
    assert table.std_error[0] == pytest.approx(np.sqrt((own**2).sum()), rel=1e-10)
    assert "rows and estimates sampled" in table.attrs["caption"]
    # With the model taken for true the two vary apart.
    plain = result.with_cov("nonrobust")
    fixed = plain.slopes("x").std_error[0]
    rows = ((result.params["x"] * (result.fittedvalues - data.y.mean())) ** 2).sum() / len(
        data
    ) ** 2
    found = plain.slopes("x", unconditional=True).std_error[0]
    assert found == pytest.approx(np.sqrt(fixed**2 + rows), rel=1e-10)


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
def test_standard_errors_with_clusters_sampled(data):
    frame = data.assign(c=np.arange(len(data)) // 5, h=np.arange(len(data)) % 7)
    own = pd.Series(influences(gc.fit("y ~ x + z", frame), frame))

    def total(*columns):
        return (own.groupby([frame[c] for c in columns]).sum() ** 2).sum()

    one = gc.fit("y ~ x + z", frame, cov=gc.cluster("c", kind="CR0"))
    table = one.slopes("x", unconditional=True)
    assert table.std_error[0] == pytest.approx(np.sqrt(total("c")), rel=1e-10)
    two = one.with_cov(gc.cluster(["c", "h"], kind="CR0"))
    table = two.slopes("x", unconditional=True)
    wanted = total("c") + total("h") - total("c", "h")
    assert table.std_error[0] == pytest.approx(np.sqrt(wanted), rel=1e-10)
    beside = one.with_cov(gc.cluster(frame.c.to_numpy(), kind="CR0"))
    table = beside.slopes("x", unconditional=True)
    assert table.std_error[0] == pytest.approx(np.sqrt(total("c")), rel=1e-10)
    # With rows held fixed it is the covariance of the estimates alone.
    slopes = one.slopes("x")
    with_hc = one.with_cov("HC0").slopes("x")
    assert slopes.estimate[0] == with_hc.estimate[0] and slopes.std_error[0] != with_hc.std_error[0]


def test_rows_in_time_are_not_sampled(data):
    timed = Estimator("timed", "by time", lambda setting, bread: bread, Needs(order=("t",)))
    result = gc.fit("y ~ x + z", data, cov=timed)
    assert np.isfinite(result.slopes("x").std_error).all()
    with pytest.raises(gc.errors.NotDefinedError, match="follow each other in time"):
        result.slopes("x", unconditional=True)


# What is asked for -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(data):
    return gc.fit("y ~ x * g + log(z)", data, family="negbin", exposure="t")


def test_columns_are_those_of_marginaleffects(fitted, data):
    labels = ["term", "contrast"]
    assert list(fitted.slopes()) == [*labels, *COLUMNS]
    assert list(fitted.comparisons(by="g", which="prob", at=[0, 1])) == [
        *labels,
        "g",
        "at",
        *COLUMNS,
    ]
    assert list(fitted.predictions(by=["g"])) == ["g", *COLUMNS]
    assert list(fitted.slopes("x", by=False)) == [*labels, "rowid", *COLUMNS]
    assert fitted.slopes().term.tolist() == ["x", "g", "g", "z"]
    assert fitted.slopes(["z", "x"]).term.tolist() == ["z", "x"]
    assert fitted.slopes("g").contrast.tolist() == ["b - a", "c - a"]


def test_statistics_follow_from_estimates(fitted):
    table = fitted.slopes()
    np.testing.assert_allclose(table.statistic, table.estimate / table.std_error)
    np.testing.assert_allclose(table.p_value, 2 * stats.norm.sf(np.abs(table.statistic)))
    half = stats.norm.ppf(0.975) * table.std_error
    np.testing.assert_allclose(table.conf_high - table.estimate, half)
    np.testing.assert_allclose(table.estimate - table.conf_low, half)


def test_averages_are_those_of_single_rows(fitted, data):
    rows = fitted.slopes(["x", "g"], by=False)
    assert rows.rowid.tolist() == data.index.tolist() * 3
    merged = rows.assign(g=data.g.loc[rows.rowid].to_numpy())
    means = merged.groupby(["term", "contrast", "g"]).estimate.mean()
    found = fitted.slopes(["x", "g"], by="g").set_index(["term", "contrast", "g"]).estimate
    np.testing.assert_allclose(found.sort_index(), means.sort_index(), rtol=1e-12)


def test_single_rows_have_the_errors_of_averages_over_one(fitted, data):
    for which, at in (("mean", None), ("prob", 1), ("linear", None)):
        for call in (fitted.slopes, fitted.comparisons):
            rows = call(by=False, newdata=data.head(3), which=which, at=at)
            for k in range(3):
                one = call(newdata=data.iloc[[k]], which=which, at=at)
                mine = rows[rows.rowid == data.index[k]]
                np.testing.assert_allclose(mine.estimate, one.estimate, rtol=1e-12)
                np.testing.assert_allclose(mine.std_error, one.std_error, rtol=1e-9)


def test_predictions_are_those_of_get_prediction(fitted, data):
    table = fitted.predictions(by=False, newdata=data.head(4))
    frame = fitted.get_prediction(data.head(4)).summary_frame()
    np.testing.assert_array_equal(table[["estimate", "std_error", "conf_low", "conf_high"]], frame)
    assert table.x.tolist() == data.x.head(4).tolist()
    average = fitted.predictions(variables={"x": [0.0, 2.0]}, by="g")
    wanted = [
        fitted.predict(data.assign(x=x)).groupby(data.g).mean().to_numpy() for x in (0.0, 2.0)
    ]
    np.testing.assert_allclose(average.estimate, np.concatenate(wanted), rtol=1e-12)
    assert fitted.predictions("g").contrast.tolist() == ["a", "b", "c"]
    # An average over one row is that row, its interval too; probabilities stay below 1.
    for which, at in (("mean", None), ("prob", 1), ("cdf", 6), ("linear", None)):
        one = fitted.predictions(newdata=data.iloc[[5]], which=which, at=at)
        row = fitted.get_prediction(data.iloc[[5]], which=which, at=at).summary_frame()
        wanted = one[["estimate", "std_error", "conf_low", "conf_high"]]
        np.testing.assert_allclose(wanted, row, rtol=1e-9)


COVARIANCES = ["nonrobust", "opg", "HC0", "HC1", "HC2", "HC3"]


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
def test_every_covariance_is_carried_into_effects(data):
    frame = data.assign(c=np.arange(len(data)) // 3, i=np.arange(len(data)))
    result = gc.fit("y ~ x + z", frame)
    others = [gc.cluster("c", kind=kind) for kind in ("CR0", "CR1", "CR2", "CR3")]
    others += [gc.cluster(["c", "g"]), gc.hac("i"), gc.hac("i", panel="g")]
    for cov in (*COVARIANCES, *others):
        own = result.with_cov(cov)
        # Of a log link without interactions eY/dX is the coefficient.
        table = own.slopes(["x", "z"], slope="eydx")
        np.testing.assert_allclose(table.std_error, own.bse[["x", "z"]], rtol=1e-9)


def test_elasticities(fitted, data):
    slopes = fitted.slopes("x", by=False).estimate.to_numpy()
    mean = fitted.fittedvalues.to_numpy()
    for kind, factor in {"eyex": data.x / mean, "eydx": 1 / mean, "dyex": data.x}.items():
        table = fitted.slopes("x", slope=kind, by=False)
        np.testing.assert_allclose(table.estimate, slopes * factor, rtol=1e-11, atol=1e-14)
        assert table.contrast[0] == {"eyex": "eY/eX", "eydx": "eY/dX", "dyex": "dY/eX"}[kind]
    # Of a log link without interactions eY/dX is the coefficient, and so is its standard error.
    plain = gc.fit("y ~ x + z", data, family="negbin")
    table = plain.slopes("x", slope="eydx")
    np.testing.assert_allclose(numbers(table), [plain.params["x"], plain.bse["x"]], rtol=1e-10)
    times = plain.slopes("x", slope="eyex")
    np.testing.assert_allclose(
        numbers(times),
        [plain.params["x"] * data.x.mean(), plain.bse["x"] * abs(data.x.mean())],
        rtol=1e-9,
    )


def test_comparisons_of_numbers_and_levels(fitted, data):
    def mean(frame):
        return fitted.predict(frame).mean()

    high, low = mean(data.assign(g="c")), mean(data.assign(g="b"))
    wanted = {"difference": high - low, "ratio": high / low, "lift": high / low - 1}
    wanted["lnratio"] = np.log(high / low)
    for comparison, value in wanted.items():
        table = fitted.comparisons({"g": ("b", "c")}, comparison=comparison)
        assert table.estimate[0] == pytest.approx(value, rel=1e-11)
    log, ratio = (fitted.comparisons("g", comparison=c) for c in ("lnratio", "ratio"))
    np.testing.assert_allclose(ratio.std_error / ratio.estimate, log.std_error, rtol=1e-10)
    np.testing.assert_allclose(ratio.statistic * ratio.std_error, ratio.estimate - 1)
    five = fitted.comparisons({"x": 5}).estimate[0]
    assert five == pytest.approx(mean(data.assign(x=data.x + 5)) - mean(data), rel=1e-11)
    ends = fitted.comparisons({"x": (0, 1)}).estimate[0]
    assert ends == pytest.approx(mean(data.assign(x=1.0)) - mean(data.assign(x=0.0)), rel=1e-11)
    pairs = fitted.comparisons({"g": "pairwise"})
    assert pairs.contrast.tolist() == ["b - a", "c - a", "c - b"]
    assert fitted.comparisons({"g": "sequential"}).contrast.tolist() == ["b - a", "c - b"]


def test_levels_of_booleans_and_of_numbers_made_levels(data):
    frame = data.assign(b=data.x > 0, k=np.arange(len(data)) % 3)
    result = gc.fit("y ~ b + C(k) + C(g, Treatment('b')) + z", frame)
    table = result.comparisons(["b", "k", "g"])
    assert table.contrast.tolist() == ["True - False", "1 - 0", "2 - 0", "b - a", "c - a"]

    def mean(**columns):
        return result.predict(frame.assign(**columns)).mean()

    wanted = [mean(b=True) - mean(b=False), mean(k=1) - mean(k=0), mean(k=2) - mean(k=0)]
    np.testing.assert_allclose(table.estimate[:3], wanted, rtol=1e-11)
    # A condition on a column of text compares that column's levels.
    other = gc.fit("y ~ (g == 'b') + x", data)
    assert other.comparisons("g").contrast.tolist() == ["b - a", "c - a"]
    assert other.comparisons("g").estimate[1] == pytest.approx(0.0, abs=1e-15)


def test_several_points_at_once(fitted, data):
    table = fitted.predictions(which="prob", at=[0, 1, 2])
    assert table["at"].tolist() == [0, 1, 2]
    wanted = [fitted.predict(which="prob", at=k).mean() for k in range(3)]
    np.testing.assert_allclose(table.estimate, wanted, rtol=1e-12)
    both = fitted.get_prediction(data.head(2), which="prob", at=[0, 1])
    one = fitted.get_prediction(data.head(2), which="prob", at=1)
    np.testing.assert_array_equal(both.summary_frame().loc[1], one.summary_frame())


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
@pytest.mark.parametrize("family", ["poisson", "negbin"])
@pytest.mark.parametrize("which", ["mean", "rate"])
def test_what_rows_add_goes_by_the_scores_of_the_fit(family, which):
    """By influences: a rate leaves the exposure out, of which the rows' scores take account."""
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"x": rng.normal(size=200), "u": rng.integers(25, size=200)})
    frame["t"] = np.exp(rng.normal(size=200))
    frame["y"] = rng.negative_binomial(2, 2 / (2 + frame.t * np.exp(0.3 + 0.4 * frame.x)))
    result = gc.fit("y ~ x", frame, family=family, exposure="t")
    inverse, scores = result.cov_params().to_numpy(), result.score_obs().to_numpy()
    rates = result.predict(which=which).to_numpy()
    slopes = np.zeros(len(result.params))
    slopes[:2] = rates.mean(), (rates * frame.x).mean()
    each = (rates - rates.mean()) / len(rates) + scores @ inverse @ slopes
    both = pd.Series(each).groupby(frame.u).sum()
    for cov, wanted in (("HC0", each), (gc.cluster("u", "CR0"), both)):
        table = result.with_cov(cov).predictions(which=which, unconditional=True)
        assert table.std_error[0] == pytest.approx(np.sqrt((wanted**2).sum()), rel=1e-6)


@pytest.mark.parametrize("name", ["estimate", "term", "at", "conf_low"])
def test_groups_are_not_called_as_a_column_of_the_table(data, name):
    result = gc.fit("y ~ x", data.assign(**{name: data.g}))
    for by in (name, ["g", name]):
        with pytest.raises(
            gc.errors.UsageError, match=f"by='{name}' is the name of a column"
        ) as one:
            result.slopes("x", by=by)
        assert one.value.kind == "by"


def test_hypotheses_of_effects(fitted):
    table = fitted.predictions(by="g")
    pairs = fitted.predictions(by="g", hypothesis="pairwise")
    assert pairs.term.tolist() == ["(b) - (a)", "(c) - (a)", "(c) - (b)"]
    e = table.estimate.to_numpy()
    np.testing.assert_allclose(pairs.estimate, [e[1] - e[0], e[2] - e[0], e[2] - e[1]])
    matrix = [[-1, 1, 0], [-1, 0, 1], [0, -1, 1]]
    by_matrix = fitted.predictions(by="g", hypothesis=matrix)
    np.testing.assert_allclose(by_matrix[COLUMNS], pairs[COLUMNS], rtol=1e-12)
    text = fitted.predictions(by="g", hypothesis="b2 = b1")
    np.testing.assert_allclose(text[COLUMNS], pairs[COLUMNS].head(1), rtol=1e-12)
    assert text.term.tolist() == ["b2 = b1"]
    for name, rows in {"reference": [0, 1], "sequential": [0, 2]}.items():
        own = fitted.predictions(by="g", hypothesis=name)
        np.testing.assert_allclose(own[COLUMNS], pairs[COLUMNS].iloc[rows], rtol=1e-12)
    # An estimate is that of its combination, whatever value it is tested against.
    against = fitted.predictions(by="g", hypothesis="b2 - b1 = 0.7, b3 - b1 = 0.1")
    same = ["estimate", "std_error", "conf_low", "conf_high"]
    np.testing.assert_allclose(against[same], pairs[same].head(2), rtol=1e-12)
    tested = (pairs.estimate[:2] - [0.7, 0.1]) / pairs.std_error[:2]
    np.testing.assert_allclose(against.statistic, tested, rtol=1e-12)
    moved = fitted.predictions(by="g", hypothesis=2.0)
    np.testing.assert_allclose(moved.statistic, (e - 2.0) / table.std_error)
    with pytest.raises(gc.errors.FormulaError):
        fitted.predictions(by="g", hypothesis="b7 = b1")
    with pytest.raises(gc.errors.UsageError, match="rows of the table, and this one has 1"):
        fitted.predictions(hypothesis="pairwise")


def test_a_hypothesis_of_single_rows(fitted):
    grid = fitted.grid(x=[0.0, 1.0], g="b")
    table = fitted.predictions(newdata=grid, by=False, hypothesis="b2 - b1 = 0")
    mean = fitted.predict(grid)
    assert table.estimate[0] == pytest.approx(mean[1] - mean[0], rel=1e-12)


def test_a_grid_takes_levels_of_all_kinds(data):
    """Intervals and dates have more than one spelling; what predictions take a grid takes."""
    cut = pd.cut(data.x, 3)
    r = gc.fit("y ~ cut + day", data.assign(cut=cut, day=data.x > 0))
    grid = r.grid(cut=list(cut.cat.categories), day=[True, False])
    text = r.grid(cut=[str(each) for each in cut.cat.categories], day=[True, False])
    np.testing.assert_array_equal(r.predict(grid), r.predict(text))
    with pytest.raises(gc.errors.DataError, match="no level 'yes'"):
        r.grid(day="yes")


def test_a_grid_holds_the_other_columns(fitted, data):
    grid = fitted.grid(x=[0, 1], g=["a", "b"])
    assert grid[["x", "g"]].to_numpy().tolist() == [[0, "a"], [0, "b"], [1, "a"], [1, "b"]]
    np.testing.assert_allclose(grid[["z", "t"]], [[data.z.mean(), data.t.mean()]] * 4)
    weighted = gc.fit("y ~ x + g", data, weights="w").grid()
    assert weighted.x[0] == pytest.approx(np.average(data.x, weights=data.w))
    assert weighted.g[0] == data.groupby("g").w.sum().idxmax()
    with pytest.raises(gc.errors.UnknownColumnError, match="does not read"):
        fitted.grid(q=1)


def test_new_rows_are_weighed_by_their_own_weights(data):
    result = gc.fit("y ~ x", data, weights="w")
    new = data.head(10)
    mean = result.predict(new)
    table = result.predictions(newdata=new)
    assert table.estimate[0] == pytest.approx(np.average(mean, weights=new.w))
    alike = result.predictions(newdata=new.drop(columns="w"))
    assert alike.estimate[0] == pytest.approx(mean.mean())
    assert "not weighted by w" in alike.attrs["caption"]


def test_groups_are_in_the_order_of_their_levels(data):
    order = ["c", "a", "b"]
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(data)) % 3, unit="D")
    frame = data.assign(
        k=np.arange(len(data)) % 3 * 5, d=days, g=pd.Categorical(data.g, categories=order)
    )
    result = gc.fit("y ~ x", frame)
    assert result.predictions(by="g").g.tolist() == order
    assert result.predictions(by="k").k.tolist() == [0, 5, 10]
    assert result.predictions(by="d").d.tolist() == sorted(set(days))
    both = result.predictions(by=["k", "g"])
    assert both.k.tolist() == [0] * 3 + [5] * 3 + [10] * 3 and both.g.tolist() == order * 3
    with pytest.raises(gc.errors.DataError, match="is missing in rows"):
        result.predictions(
            by="m", newdata=frame.assign(m=[None, *"ab" * (len(frame) // 2 - 1), "a"])
        )


def test_steps_beyond_the_knots_are_refused_with_what_to_do(data):
    result = gc.fit("y ~ bs(x, df=4)", data)
    with pytest.raises(gc.errors.DataError, match=r"Here x \+1 takes it there: compare values"):
        result.comparisons("x")
    assert np.isfinite(result.comparisons({"x": (0, 0.5)}).std_error).all()
    assert np.isfinite(result.slopes("x").std_error).all()


def test_slopes_with_respect_to_the_exposure(fitted, data):
    table = fitted.slopes("t", by=False)
    np.testing.assert_allclose(table.estimate, fitted.fittedvalues / data.t, rtol=1e-12)
    with pytest.raises(gc.errors.UnknownColumnError):
        fitted.slopes("t", which="rate")


def test_functions_of_the_users_are_told_by_differences(data):
    def bend(x):
        return np.tanh(x)

    result = gc.fit("y ~ bend(x)", data, env={"bend": bend})
    table = result.slopes("x")
    assert "by central differences" in table.attrs["caption"]
    inner = result.params["bend(x)"] * (1 - np.tanh(data.x) ** 2) * result.fittedvalues
    assert table.estimate[0] == pytest.approx(inner.mean(), rel=1e-8)


def test_partitions_do_not_matter(data):
    frame = pd.concat([data] * 4, ignore_index=True)
    frame.loc[3, "x"] = np.nan
    source = Source(
        tuple(frame.columns),
        len(frame),
        None,
        lambda first, last, names: {n: frame[n].to_numpy()[first:last] for n in names},
        77,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.MissingRowsWarning)
        cut, whole = (
            gc.fit("y ~ x * g", rows, family="negbin", exposure="t") for rows in (source, frame)
        )
    for options in ({"by": "g"}, {"by": False}, {"unconditional": True}):
        a, b = cut.slopes(**options), whole.slopes(**options)
        pd.testing.assert_frame_equal(a, b, rtol=1e-9)


def counted(frame, rows):
    """A frame in partitions, and a list of those that were read."""
    read = []

    def columns(first, last, names):
        read.append(first)
        return {name: frame[name].to_numpy()[first:last] for name in names}

    return Source(tuple(frame.columns), len(frame), None, columns, rows), read


def test_all_slopes_take_one_pass_and_sampled_rows_another(data):
    frame = pd.concat([data] * 4, ignore_index=True)
    source, read = counted(frame, 90)
    result = gc.fit("y ~ x * g + log(z)", source, control=gc.Control(memory=0), cov="HC1")
    assert np.isfinite(result.bse).all()
    for options, passes in (({}, 1), ({"by": "g"}, 1), ({"unconditional": True}, 2)):
        read.clear()
        result.slopes(["x", "z"], **options)
        # Beside the passes the first partition tells of what kind columns are.
        assert len([first for first in read if first]) == passes * 3, options
        assert len(read) <= passes * 4 + 2


def test_rows_in_a_stream(data):
    frame = pd.concat([data] * 3, ignore_index=True)

    def parts(names):
        for first in range(0, len(frame), 100):
            yield {name: frame[name].to_numpy()[first : first + 100] for name in names}

    stream = gc.fit("y ~ x * g", streamed(frame.columns, parts), family="negbin")
    whole = gc.fit("y ~ x * g", frame, family="negbin")
    for options in ({}, {"by": "g", "unconditional": True}):
        a, b = stream.slopes(**options), whole.slopes(**options)
        pd.testing.assert_frame_equal(a, b, rtol=1e-8)


def test_arrays_have_effects_too(data):
    matrix = data[["x", "z"]].to_numpy()
    by_arrays = gc.fit_arrays(
        data.y.to_numpy(), matrix, names=["x", "z"], exposure=data.t.to_numpy()
    )
    by_formula = gc.fit("y ~ x + z - 1", data, exposure="t")
    for which in ("mean", "rate", "prob-zero"):
        pd.testing.assert_frame_equal(
            by_arrays.slopes(which=which), by_formula.slopes(which=which), rtol=1e-9
        )
    np.testing.assert_allclose(
        by_arrays.predict(matrix[:3], exposure=2.0), by_formula.predict(data.head(3), exposure=2.0)
    )
    grid = by_arrays.grid(x=[0, 1])
    assert np.isfinite(by_arrays.predictions(newdata=grid, by=False).estimate).all()


# What is not a number ----------------------------------------------------------------------


def test_empty_cells_are_not_estimated():
    frame = pd.DataFrame({"g": list("aabbab"), "h": list("uvuuuu"), "y": [1, 2, 3, 4, 2, 3]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ g * h", frame)
    with pytest.warns(gc.errors.NotEstimableWarning, match=r"h v - u"):
        table = result.comparisons(["g", "h"])
    assert np.isnan(table.estimate).tolist() == [True, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cell = result.comparisons("h", newdata=frame[frame.g == "a"])
    assert np.isfinite(cell.std_error).all()


def test_a_column_that_others_give_has_no_slope_of_its_own(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ x + x2 + z", data.assign(x2=2.0 * data.x))
    with pytest.warns(gc.errors.NotEstimableWarning):
        table = result.slopes(["x", "x2", "z"])
    assert np.isnan(table.estimate).tolist() == [True, True, False]


@pytest.mark.parametrize("contrast", ["Sum", "Poly", "Helmert", "Diff"])
def test_slopes_under_contrasts_know_what_is_left_out(data, contrast):
    frame = data.assign(twice=2.0 * data.x)
    formula = f"y ~ C(g, {contrast}) * x"
    with pytest.warns(gc.errors.DroppedColumnWarning):
        r = gc.fit(f"{formula} + C(g, {contrast}):I(2 * x)", frame)
    whole = gc.fit(formula, frame)
    for by in (True, False):
        found, right = r.slopes("x", by=by), whole.slopes("x", by=by)
        np.testing.assert_allclose(found["estimate"], right["estimate"], rtol=1e-8)
        np.testing.assert_allclose(found["std_error"], right["std_error"], rtol=1e-8)
    with pytest.warns(gc.errors.DroppedColumnWarning):
        apart = gc.fit(f"{formula} + C(g, {contrast}):twice", frame)
    with pytest.warns(gc.errors.NotEstimableWarning):
        assert apart.slopes("x", by=False)["estimate"].isna().all()


def test_limits_have_no_standard_error():
    frame = pd.DataFrame({"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1], "x": [1, 2, 4, 3, 3]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ C(d) + x", frame)
    with pytest.warns(gc.errors.PredictionWarning, match="without a standard error"):
        table = result.predictions(by="d")
    np.testing.assert_allclose(table.estimate, [2.0, 0.0], atol=1e-12)
    assert np.isnan(table.std_error).tolist() == [False, True]
    # Where some rows are limits they count as without doubt: the model of the others, over all.
    with pytest.warns(gc.errors.PredictionWarning, match="counts as without doubt"):
        slope = result.slopes("x")
    rest = gc.fit("y ~ x", frame[frame.d == 0]).slopes("x")
    np.testing.assert_allclose(numbers(slope), 0.6 * np.array(numbers(rest)), rtol=1e-6)
    with pytest.warns(gc.errors.NotEstimableWarning, match="infinite"):
        numeric = gc.fit("y ~ d + x", frame, separation="ignore").slopes("d")
    assert np.isnan(numeric.estimate).all()


def test_tables_beyond_memory_are_refused(data):
    result = gc.fit("y ~ x * g", data, control=gc.Control(memory_limit=9_000))
    for options in ({"by": False}, {"by": "t"}):
        with pytest.raises(gc.errors.MemoryLimitError, match="memory_limit"):
            result.slopes(**options)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda r: r.slopes("q"), "unknown_column"),
        (lambda r: r.slopes({"x": 1}), "variables"),
        (lambda r: r.slopes(slope="up"), "unknown_slope"),
        (lambda r: r.slopes("g", slope="eyex"), "no_derivative"),
        (lambda r: r.comparisons(comparison="odds"), "unknown_comparison"),
        (lambda r: r.comparisons({"g": "all"}), "variables"),
        (lambda r: r.comparisons({"g": ("a", "q")}), "variables"),
        (lambda r: r.comparisons({"x": "pairwise"}), "variables"),
        (lambda r: r.predictions(["x", "z"]), "variables"),
        (lambda r: r.slopes(by="q"), "unknown_column"),
        (lambda r: r.slopes(by=3), "by"),
        (lambda r: r.slopes(which="quantile", at=0.5), "no_standard_error"),
        (lambda r: r.slopes(which="medium"), "unknown_which"),
        (lambda r: r.slopes(by=False, unconditional=True), "unconditional"),
        (lambda r: r.slopes(newdata={"x": 1, "z": 1, "g": "a", "t": 1}, unconditional=True),
         "unconditional"),
        (lambda r: r.slopes(newdata={"x": [np.nan], "z": 1, "g": "a", "t": 1}), "no_rows"),
        (lambda r: r.predict({"x": 1, "z": 1, "g": "a"}, which="rate", exposure=1), "usage"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_by_name(fitted, call, kind):
    with pytest.raises(gc.errors.GlmcountError) as caught:
        call(fitted)
    assert caught.value.kind == kind


def test_effects_of_new_rows_need_no_fitted_ones(fitted, data):
    found = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    new = data.head(5)
    pd.testing.assert_frame_equal(found.slopes(newdata=new), fitted.slopes(newdata=new))
    with pytest.raises(gc.errors.NoRowsError):
        found.slopes()
