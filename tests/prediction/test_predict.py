"""Predictions take their offsets from the new rows, keep their place, and say what is missing."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"x": rng.normal(size=90), "t": rng.uniform(1, 9, 90), "g": rng.choice(list("abc"), 90)},
        index=np.arange(90) * 2,
    )
    frame["y"] = rng.poisson(frame.t * np.exp(0.3 * frame.x))
    return frame


def test_new_rows_are_the_old_ones(data):
    result = gc.fit("y ~ center(x) * g", data, exposure="t")
    np.testing.assert_allclose(result.predict(data.iloc[7:9]), result.fittedvalues.iloc[7:9])
    np.testing.assert_allclose(result.predict(data.iloc[[5]]), result.fittedvalues.iloc[[5]])
    assert list(result.predict(data.iloc[7:9]).index) == [14, 16]
    as_dict = result.predict({"x": [0.0], "g": ["b"], "t": [2.0]})
    assert as_dict.shape == (1,)
    np.testing.assert_allclose(
        result.predict({"x": [0.0], "g": ["b"], "t": [4.0]}), 2 * as_dict, rtol=1e-13
    )


def test_missing_values_stay_in_place(data):
    result = gc.fit("y ~ x + g", data, exposure="t")
    rows = data.head(4).copy()
    rows.loc[2, "x"] = np.nan
    rows.loc[6, "g"] = None
    found = result.predict(rows)
    assert list(found.isna()) == [False, True, False, True]
    frame = result.get_prediction(rows).summary_frame()
    assert frame.isna().any(axis=1).tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"exposure": "t"}, "exposure_required"), ({"offset": "log(t)"}, "offset_required")],
)
def test_exposure_and_offset_are_asked_for(data, options, kind):
    result = gc.fit("y ~ x", data, **options)
    with pytest.raises(gc.errors.UnknownColumnError, match="'t'") as caught:
        result.predict(data[["x"]])
    assert caught.value.kind == kind


def test_an_offset_given_as_an_array_is_asked_for_again(data):
    by_name = gc.fit("y ~ x", data, exposure="t")
    by_array = gc.fit("y ~ x", data, exposure=data.t.to_numpy())
    np.testing.assert_array_equal(by_name.params, by_array.params)
    with pytest.raises(gc.errors.UnknownColumnError, match="exposure="):
        by_array.predict(data.head(2))
    found = by_array.predict(data.head(2), exposure=data.t.head(2))
    np.testing.assert_allclose(found, by_name.predict(data.head(2)), rtol=1e-14)


def test_a_level_that_was_not_there_is_named(data):
    result = gc.fit("y ~ g", data)
    with pytest.raises(gc.errors.DataError, match="'zz'") as caught:
        result.predict({"g": ["a", "zz"]})
    assert caught.value.kind == "unseen_level"


@pytest.mark.parametrize("which", ["mean", "linear", "var"])
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_standard_errors_are_the_delta_method(data, which, family):
    result = gc.fit("y ~ x + g", data, family=family, cov="HC0")
    rows = data.head(3)
    found = result.get_prediction(rows, which=which)
    # Differences in each estimated parameter, ancillary ones on the logarithm.
    from glmcount.results import Results

    state = result._state
    fit, step = state.fit, 1e-6
    gradients = []
    for j in range(len(fit.theta)):
        ends = []
        for sign in (1, -1):
            theta = fit.theta.copy()
            theta[j] += sign * step
            moved = Results(_with_theta(state, theta), result._held.cov)
            ends.append(moved.predict(rows, which=which).to_numpy())
        gradients.append((ends[0] - ends[1]) / (2 * step))
    matrix = state.reshifted(result._held.covariance)
    gradients = np.array(gradients)
    truth = np.sqrt(np.einsum("jn,jk,kn->n", gradients, matrix, gradients))
    np.testing.assert_allclose(found.se, truth, rtol=1e-5)


def _with_theta(state, theta):
    from dataclasses import replace

    return replace(state, fit=replace(state.fit, theta=theta))


def test_intervals_of_means_stay_positive(data):
    frame = gc.fit("y ~ x", data).get_prediction({"x": [-50.0, 0.0]}).summary_frame()
    assert (frame.mean_ci_lower > 0).all()
    assert (frame.mean_ci_lower < frame["mean"]).all()
    assert (frame["mean"] < frame.mean_ci_upper).all()


def test_unknown_quantities_are_refused(data):
    with pytest.raises(gc.errors.UsageError, match="mean"):
        gc.fit("y ~ x", data).predict(which="meen")


def test_without_new_rows_the_fitted_ones_are_predicted(data):
    result = gc.fit("y ~ x + g", data, exposure="t")
    pd.testing.assert_series_equal(result.predict(), result.fittedvalues)
    pd.testing.assert_series_equal(result.predict(data), result.fittedvalues, rtol=1e-13)
    linear = result.predict(which="linear")
    np.testing.assert_allclose(np.exp(linear), result.fittedvalues, rtol=1e-13)


def test_rows_that_were_left_out_can_be_predicted(data):
    holed = data.copy()
    holed.loc[[4, 8], "y"] = np.nan
    with pytest.warns(gc.errors.MissingRowsWarning):
        result = gc.fit("y ~ x", holed)
    assert len(result.predict()) == 88
    every = result.predict(holed)
    assert len(every) == 90 and every.notna().all()
    np.testing.assert_allclose(every.drop(index=[4, 8]), result.predict(), rtol=1e-13)


@pytest.mark.parametrize("family", ["poisson", "quasipoisson", "geometric", "negbin"])
def test_the_variance_is_that_of_the_family(data, family):
    result = gc.fit("y ~ x", data, family=family)
    mu, var = result.predict(), result.predict(which="var")
    alpha = {"geometric": 1.0}.get(family, result.params.get("alpha", 0.0))
    np.testing.assert_allclose(var, result.scale * (mu + alpha * mu**2), rtol=1e-12)


def test_intervals_of_the_mean_are_those_of_the_predictor(data):
    from scipy import stats

    for family, reach in (
        ("poisson", stats.norm.ppf(0.95)),
        ("quasipoisson", stats.t.ppf(0.95, 88)),
    ):
        result = gc.fit("y ~ x", data, family=family)
        rows = data.head(5)
        X = np.column_stack([np.ones(5), rows.x])
        error = np.sqrt(np.einsum("ij,jk,ik->i", X, result.cov_params(), X))
        eta = X @ result.params.to_numpy()
        mean = result.get_prediction(rows)
        np.testing.assert_allclose(mean.se, np.exp(eta) * error, rtol=1e-10)
        ends = mean.conf_int(0.1)
        np.testing.assert_allclose(ends[0], np.exp(eta - reach * error), rtol=1e-10)
        np.testing.assert_allclose(ends[1], np.exp(eta + reach * error), rtol=1e-10)
        linear = result.get_prediction(rows, which="linear")
        np.testing.assert_allclose(linear.se, error, rtol=1e-10)
        np.testing.assert_allclose(linear.conf_int(0.1)[0], eta - reach * error, rtol=1e-9)
        with pytest.raises(gc.errors.UsageError, match="alpha"):
            mean.conf_int(1.5)


def test_other_covariances_make_other_intervals(data):
    plain = gc.fit("y ~ x + g", data)
    robust = plain.with_cov("HC3")
    rows = data.head(3)
    pd.testing.assert_series_equal(plain.predict(rows), robust.predict(rows))
    X = np.column_stack([np.ones(3), rows.x, rows.g == "b", rows.g == "c"]).astype(float)
    error = np.sqrt(np.einsum("ij,jk,ik->i", X, robust.cov_params(), X))
    np.testing.assert_allclose(robust.get_prediction(rows, which="linear").se, error, rtol=1e-10)


def test_any_table_can_be_predicted_for(data):
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    result = gc.fit("y ~ x + C(g)", data, exposure="t")
    rows = data.head(6)[["x", "g", "t"]]
    truth = result.predict(rows).to_numpy()
    columns = rows.to_dict("list")
    for table in (columns, pl.DataFrame(columns), pl.DataFrame(columns).lazy(), pa.table(columns)):
        found = result.predict(table)
        np.testing.assert_array_equal(found, truth)
        assert list(found.index) == list(range(6))


def test_no_rows_give_no_predictions(data):
    result = gc.fit("y ~ x + g", data)
    assert len(result.predict(data.head(0))) == 0
    assert result.get_prediction(data.head(0)).summary_frame().shape == (0, 4)


def test_rows_without_a_value_of_a_factor(data):
    result = gc.fit("y ~ x + g", data)
    none = data.astype({"g": object}).head(0)
    assert len(result.predict(none)) == 0
    assert result.predict(data.head(3).assign(g=np.nan)).isna().all()
    some = result.predict(data.head(3).assign(g=["a", None, None]))
    assert some.isna().tolist() == [False, True, True]


def test_numbers_in_the_place_of_levels_are_refused(data):
    result = gc.fit("y ~ x + g", data)
    message = r"'g' has the levels .* row 1 .* number 2\.0"
    with pytest.raises(gc.errors.DataError, match=message) as caught:
        result.predict(data.head(3).assign(g=[np.nan, 2.0, 1.0]))
    assert caught.value.kind == "unseen_level"


def test_an_offset_array_goes_with_an_offset(data):
    log = np.log(data.t)
    result = gc.fit("y ~ x", data, offset=log)
    with pytest.raises(gc.errors.UnknownColumnError) as caught:
        result.predict(data.head(3))
    assert caught.value.kind == "offset_required"
    found = result.predict(data.head(3), offset=log.head(3))
    np.testing.assert_allclose(found, result.fittedvalues.head(3), rtol=1e-13)
    zero = result.predict({"x": [0.0]}, offset=[0.0])
    assert zero.iloc[0] == pytest.approx(np.exp(result.params["Intercept"]), rel=1e-13)
    with pytest.raises(gc.errors.DataError) as caught:
        result.predict(data.head(3), offset=log.tail(3))
    assert caught.value.kind == "index_mismatch"
    with pytest.raises(gc.errors.DataError) as caught:
        result.predict(data.head(3), offset=[0.0])
    assert caught.value.kind == "offset_length"


def test_a_model_without_offset_takes_none(data):
    result = gc.fit("y ~ x", data)
    for options in ({"offset": [0.0, 0.0]}, {"exposure": [1.0, 1.0]}):
        with pytest.raises(gc.errors.UsageError, match="has no"):
            result.predict(data.head(2), **options)


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_an_exposure_must_be_positive_in_new_rows_too(data, value):
    result = gc.fit("y ~ x", data, exposure="t")
    with pytest.raises(gc.errors.DataError) as caught:
        result.predict(data.head(2).assign(t=value))
    assert caught.value.kind == "nonpositive_exposure"


def test_what_is_learnt_is_kept_for_new_rows(data):
    for term in ("standardize(x)", "bs(x, df=4)", "cr(x, df=3) - 1", "I(Q('x') ** 2)", "I(x > 0)"):
        result = gc.fit(f"y ~ {term}", data)
        np.testing.assert_allclose(
            result.predict(data.iloc[10:12]), result.fittedvalues.iloc[10:12], rtol=1e-10
        )


def test_a_response_is_not_needed(data):
    result = gc.fit("y ~ x", data)
    found = result.predict(data[["x"]])
    np.testing.assert_allclose(found, result.fittedvalues, rtol=1e-13)


def test_arrays_are_predicted_for_by_their_names(data):
    X = np.column_stack([np.ones(90), data.x])
    result = gc.fit_arrays(data.y, X, names=["one", "slope"], exposure=data.t)
    found = result.predict({"one": [1.0, 1.0], "slope": [0.0, 1.0]}, exposure=[2.0, 2.0])
    truth = 2 * np.exp(result.params["one"] + np.array([0.0, 1.0]) * result.params["slope"])
    np.testing.assert_allclose(found, truth, rtol=1e-12)


def test_an_offset_array_leaves_those_in_the_formula(data):
    log = np.log(data.t)
    by_array = gc.fit("y ~ x + offset(x / 3)", data, offset=log)
    by_name = gc.fit("y ~ x + offset(x / 3) + offset(log(t))", data)
    found = by_array.predict(data.head(4), offset=log.head(4))
    np.testing.assert_allclose(found, by_array.fittedvalues.head(4), rtol=1e-13)
    np.testing.assert_allclose(found, by_name.predict(data.head(4)), rtol=1e-11)


def test_words_where_numbers_were_are_named(data):
    result = gc.fit("y ~ x", data)
    with pytest.raises(gc.errors.DataError, match="'x'") as caught:
        result.predict({"x": ["a", "b"]})
    assert caught.value.kind == "design_dtype"


# Rates, single values, arrays ---------------------------------------------------------------


def test_a_rate_leaves_the_exposure_out(data):
    result = gc.fit("y ~ x * g + offset(0.5 * x)", data, exposure="t")
    rate = result.predict(which="rate")
    np.testing.assert_allclose(rate, result.fittedvalues / data.t / np.exp(0.5 * data.x))
    without = data.drop(columns="t")
    np.testing.assert_array_equal(result.predict(without, which="rate"), rate)
    found = result.get_prediction(which="rate")
    plain = result.get_prediction(data, exposure=1.0, offset=0.0)
    np.testing.assert_allclose(found.summary_frame(), plain.summary_frame(), rtol=1e-12)
    # Of a zero part the offset is not that of the mean.
    thinned = data.assign(y=data.y * (np.arange(90) % 4 > 0))
    inflated = gc.fit("y ~ x", thinned, exposure="t", inflate="g + offset(0.1 * t)")
    zero = inflated.predict(data, which="zero")
    wanted = inflated.predict() / data.t
    np.testing.assert_allclose(inflated.predict(data, which="rate"), wanted, rtol=1e-12)
    assert zero.between(0, 1).all()
    with pytest.raises(gc.errors.UsageError, match="per unit of exposure"):
        result.predict(data, which="rate", exposure=2.0)


def test_single_values_are_one_row_or_those_of_all(data):
    result = gc.fit("y ~ x + g", data, exposure="t")
    wanted = result.predict(pd.DataFrame({"x": [0.5], "g": ["b"], "t": [2.0]}))
    row = {"x": 0.5, "g": "b", "t": 2.0}
    for new in (row, pd.Series(row), {"x": [0.5], "g": "b", "t": np.float64(2.0)}):
        np.testing.assert_array_equal(result.predict(new), wanted)
    np.testing.assert_array_equal(result.predict(row | {"t": 9.0}, exposure=2.0), wanted)
    np.testing.assert_array_equal(result.predict({"x": 0.5, "g": "b"}, exposure=2), wanted)
    assert result.predict(data.loc[28]).index.tolist() == [28]
    several = result.predict({"x": [0.1, 0.5], "g": "b", "t": 2.0})
    assert several[1] == wanted[0] and len(several) == 2
    offset = gc.fit("y ~ x", data, offset=np.log(data.t))
    np.testing.assert_allclose(
        offset.predict({"x": [0.1, 0.5]}, offset=1.0),
        np.exp(1.0) * offset.predict({"x": [0.1, 0.5]}, offset=0.0),
    )


def test_arrays_are_predicted_from_arrays(data):
    x = data[["x", "t"]].to_numpy()
    result = gc.fit_arrays(data.y.to_numpy(), x)
    np.testing.assert_array_equal(result.predict(x[5:9]), result.predict()[5:9])
    np.testing.assert_array_equal(result.predict({"X": x[5:9]}), result.predict()[5:9])
    parts = gc.fit_arrays(data.y.to_numpy() * (np.arange(90) % 4 > 0), x, inflate=x[:, 1:])
    np.testing.assert_array_equal(
        parts.predict({"X": x[5:9], "inflate": x[5:9, 1:]}), parts.predict()[5:9]
    )
    with pytest.raises(gc.errors.UsageError, match="'inflate'"):
        parts.predict(x)
    # Of a part that is gone at a boundary new rows need no columns, but may have them.
    with pytest.warns(gc.errors.BoundaryWarning):
        gone = gc.fit_arrays(np.maximum(data.y.to_numpy(), 1.0), x, inflate=x[:, 1:])
    for new in (x[5:9], {"X": x[5:9], "inflate": x[5:9, 1:]}):
        np.testing.assert_array_equal(gone.predict(new), gone.predict()[5:9])
    with pytest.raises(gc.errors.UsageError, match="no columns for"):
        result.predict({"X": x, "hurdle": x})
    with pytest.raises(gc.errors.DataError, match="1 column, and 2"):
        result.predict(x[:, :1])


def test_one_row_of_an_array(data):
    x = data[["x", "t"]].to_numpy()
    result = gc.fit_arrays(data.y.to_numpy(), x, exposure=data.t.to_numpy())
    wanted = result.predict(x[3:4], exposure=1.0)
    for new in (x[3], x[3].tolist(), [x[3].tolist()], {"X": x[3]}, {"x0": x[3, 0], "x1": x[3, 1]}):
        np.testing.assert_array_equal(result.predict(new, exposure=1), wanted)
    np.testing.assert_array_equal(result.predict(x[3], which="rate"), wanted)
    frame = result.get_prediction(x[3], exposure=1).summary_frame()
    assert frame["mean"].tolist() == wanted.tolist()
    alone = gc.fit_arrays(data.y.to_numpy(), x[:, :1])
    assert len(alone.predict(x[:5, 0])) == 5
    parts = gc.fit_arrays(data.y.to_numpy() * (np.arange(90) % 4 > 0), x, inflate=x)
    np.testing.assert_array_equal(
        parts.predict({"X": x[3], "inflate": x[3]}), parts.predict()[3:4].to_numpy()
    )


def test_tables_for_a_fit_to_arrays_go_by_their_names(data):
    frame = data[["x", "t"]]
    named = gc.fit_arrays(data.y, frame)
    np.testing.assert_array_equal(named.predict(frame[["t", "x"]].head(3)), named.predict()[:3])
    assert named.predict(frame.iloc[3]).tolist() == [named.predict().iloc[3]]
    plain = gc.fit_arrays(data.y.to_numpy(), frame.to_numpy())
    for new in (frame, frame.iloc[3]):
        with pytest.raises(gc.errors.UsageError, match=r"x0, x1; this one has .*to_numpy\(\)"):
            plain.predict(new)
    thinned = data.y * (np.arange(90) % 4 > 0)
    parts = gc.fit_arrays(thinned, frame, inflate=frame)
    with pytest.raises(gc.errors.UsageError, match="'inflate'"):
        parts.predict(frame)


def test_labels_of_one_row(data):
    result = gc.fit("y ~ x + g", data, exposure="t")
    row = {"x": 0.5, "g": "b", "t": 2.0}
    assert result.predict(row).index.tolist() == [0]
    assert result.predict(pd.Series(row)).index.tolist() == [0]
    assert result.predict(pd.Series(row, name="Oslo")).index.tolist() == ["Oslo"]
    several = {"x": pd.Series([0.1, 0.5], index=["u", "v"]), "g": "b", "t": 2.0}
    assert result.predict(several).index.tolist() == ["u", "v"]
    for effects in (result.predictions, result.comparisons):
        assert np.isfinite(effects(newdata=row).estimate).all()
        assert np.isfinite(effects(newdata=pd.Series(row)).estimate).all()
    strata = result.standardised_rate({"x": 0.5, "weight": 1}, by="g")
    np.testing.assert_allclose(strata.estimate[1], result.predict(row, which="rate")[0])


@pytest.mark.parametrize("exposure", [0, -1, np.nan, np.inf, True, [[1.0]]])
def test_an_exposure_that_is_none(data, exposure):
    result = gc.fit("y ~ x", data, exposure="t")
    with pytest.raises(gc.errors.GlmcountError, match="exposure must be"):
        result.predict({"x": 1}, exposure=exposure)


def test_what_to_pass_where_new_rows_have_no_exposure(data):
    result = gc.fit("y ~ x", data, exposure="t")
    with pytest.raises(gc.errors.UnknownColumnError, match=r"exposure=1 .* which='rate'"):
        result.predict({"x": 1})
    with pytest.raises(gc.errors.UsageError, match=r"no offset\. It has an exposure"):
        result.predict({"x": 1}, offset=0)
    result = gc.fit("y ~ x", data, offset="log(t)")
    with pytest.raises(gc.errors.UnknownColumnError, match=r"'t'.*offset=0"):
        result.predict({"x": 1})
    with pytest.raises(gc.errors.UsageError, match=r"no exposure\. It has an offset"):
        result.predict({"x": 1}, exposure=1)
    arrays = gc.fit_arrays(data.y.to_numpy(), data[["x"]], exposure=data.t.to_numpy())
    with pytest.raises(gc.errors.UnknownColumnError) as caught:
        arrays.predict({"x": 1})
    assert "<" not in str(caught.value)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ (x + I(2 * x)):C(k) + C(g, Sum) * cr(x, knots=[-0.3, 0.4], lower_bound=-4, "
        "upper_bound=4)",
        "y ~ (bs(x, degree=2, knots=[-0.5, 0.5], include_intercept=True) + x) * C(k, Poly) * z",
        "y ~ 0 + (bs(z, df=4) + center(z) + I(x > 0) : x) * cc(x, df=3, constraints='center')",
    ],
)
def test_the_rows_of_a_fit_have_their_fitted_values_whatever_was_left_out(formula):
    # Splines are zero in many rows: what the combination has there is rounding of other rows.
    for seed in range(4):
        rng = np.random.default_rng(seed)
        n = 60
        data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.uniform(0.5, 3.0, n)})
        data["g"], data["k"] = np.resize(list("abc"), n), rng.permutation(np.resize([1, 2, 3], n))
        data["y"] = rng.poisson(2.0, n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            r = gc.fit(formula, data)
            slopes = r.slopes("z" if "z" in formula else "x", by=False)
        assert r.aliased
        if r.separation is not None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error", gc.errors.NotEstimableWarning)
            for found in (r.predict(), r.predict(data)):
                np.testing.assert_allclose(found, r.fittedvalues, rtol=1e-12)
        assert not slopes["estimate"].isna().any()


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_an_inflation_at_its_boundary_leaves_no_structural_zeros(family):
    y = [0, 1, 2, 1, 3, 2, 1, 4, 2, 1, 1, 2]
    with pytest.warns(gc.errors.BoundaryWarning):
        r = gc.fit("y ~ 1", {"y": y}, family=family, inflate="1")
    assert r.params["inflation"] == 0.0
    assert (r.predict(which="zero") == 0.0).all()
    assert (r.get_prediction(which="zero").summary_frame() == 0.0).all(axis=None)
    assert r.predictions(which="zero").loc[0, ["estimate", "std_error"]].tolist() == [0.0, 0.0]
    with pytest.raises(gc.errors.NotDefinedError, match="fit with inflate="):
        gc.fit("y ~ 1", {"y": y}).predict(which="zero")


@pytest.mark.parametrize("family", ["poisson", "negbin", "geometric"])
def test_parts_of_tiny_and_huge_means_keep_their_digits(family):
    rng = np.random.default_rng(11)
    x = rng.normal(size=150)
    y = rng.poisson(np.exp(0.6 + 0.5 * x) * rng.gamma(2.0, 0.5, 150)) * (rng.random(150) < 0.7)
    data = pd.DataFrame({"y": y, "x": x})
    inflated = gc.fit("y ~ x", data, family=family, inflate="1")
    hurdle = gc.fit("y ~ x", data, family=family, hurdle="1")
    truncated = gc.fit("y ~ x", data[data.y > 0], family=family, truncated=0)

    def at(r, eta, which):
        new = {"x": [(eta - r.params["Intercept"]) / r.params["x"]]}
        return float(r.predict(new, which=which).iloc[0])

    # P(Y > 0) = (1 - pi) mu as mu -> 0, and a count above 0 is 1.
    share = 1.0 - at(inflated, 0.0, "zero")
    for eta in (-690.0, -300.0, -40.0):
        assert at(inflated, eta, "prob-positive") == pytest.approx(share * np.exp(eta), rel=1e-9)
        assert at(inflated, eta, "mean-nonzero") == pytest.approx(1.0, rel=1e-9)
        positive = at(hurdle, eta, "prob-positive")
        assert at(hurdle, eta, "var") == pytest.approx(positive * (1.0 - positive), rel=1e-9)
    # Without zeros to take off the variance is the family's own.
    mean = np.exp(27.6)
    alpha = {"poisson": 0.0, "geometric": 1.0}.get(family, truncated.params.get("alpha"))
    zero = 1.0 / (1.0 + alpha * mean) ** (1.0 / alpha) if alpha else 0.0
    right = mean + alpha * mean**2
    right = right / (1.0 - zero) - zero * (mean / (1.0 - zero)) ** 2
    assert at(truncated, 27.6, "var") == pytest.approx(right, rel=1e-10)


@pytest.mark.parametrize("family", ["negbin", "negbin1", "genpoisson2", "pig"])
def test_moments_beyond_doubles_leak_no_warnings_of_numpy(family):
    data = {"y": np.eye(30)[4], "x": np.random.default_rng(1).normal(size=30)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        r = gc.fit("y ~ x", data, family=family, dispersion="x")
        assert str(r.summary())
        assert len(r.fittedvalues) == len(r.resid_pearson) == 30


def test_a_parameter_beyond_doubles_leaks_no_warnings_of_numpy():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        r = gc.fit("y ~ x", {"y": [3, 5, 0], "x": [1.0, 2.0, 4.0]}, family="negbinp")
        assert np.isinf(r.params["alpha"])
        assert str(r.summary())
