"""What `fit` takes, refuses and warns of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=50), "t": rng.uniform(1, 4, 50)})
    frame["y"] = rng.poisson(3, 50)
    return frame


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cov_type": "HC1"}, "cov='HC1'"),
        ({"freq_weights": "t"}, "weights="),
        ({"groups": "g"}, "cov="),
        ({"offest": "t"}, "'offset'"),
        ({"family": "posson"}, "'poisson'"),
        ({"link": "lgo"}, "'log'"),
        ({"method": "newtn"}, "'newton'"),
        ({"weights_type": "freq"}, "'frequency'"),
        ({"missing": "omit"}, "'drop'"),
        ({"separation": "drop"}, "'warn'"),
        ({"information": "fisher"}, "'expected'"),
    ],
)
def test_unknown_options_name_what_to_use(data, options, told):
    with pytest.raises(gc.errors.UsageError) as caught:
        gc.fit("y ~ x", data, **options)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "error", "told"),
    [
        ("y ~ xx", gc.errors.UnknownColumnError, "      ^^"),
        ("y ~ x +", gc.errors.FormulaSyntaxError, "^"),
        ("y ~ x + y", gc.errors.FormulaError, "response is also a predictor"),
        ("~ x", gc.errors.FormulaError, "exactly one response"),
        ("y + t ~ x", gc.errors.FormulaError, "exactly one response"),
        ("y ~ offset(t):x", gc.errors.FormulaError, "term of its own"),
        ("", gc.errors.FormulaSyntaxError, "text such as"),
        ("y ~ open('f')", gc.errors.UnsafeFormulaError, "open"),
    ],
)
def test_formula_errors_point_into_the_formula(data, formula, error, told):
    with pytest.raises(error) as caught:
        gc.fit(formula, data)
    assert told in str(caught.value)


def test_exposure_offset_and_formula_say_the_same(data):
    wanted = gc.fit("y ~ x", data, exposure="t").params
    for formula, options in [
        ("y ~ x + offset(log(t))", {}),
        ("y ~ x", {"offset": "np.log(t)"}),
        ("y ~ x", {"offset": np.log(data.t)}),
        ("y ~ x", {"exposure": data.t.to_numpy()}),
        ("y ~ x", {"exposure": "t * 2 / 2"}),
    ]:
        np.testing.assert_allclose(gc.fit(formula, data, **options).params, wanted, rtol=1e-12)


def test_a_series_must_have_the_datas_index(data):
    with pytest.raises(gc.errors.DataError, match="row 0") as caught:
        gc.fit("y ~ x", data, offset=data.t[::-1])
    assert caught.value.kind == "index_mismatch"


def test_functions_come_by_env_alone(data):
    def half(values):
        return values / 2

    with pytest.raises(gc.errors.UnsafeFormulaError):
        gc.fit("y ~ half(x)", data)
    halved = gc.fit("y ~ half(x)", data, env={"half": half})
    assert halved.params["half(x)"] == pytest.approx(2 * gc.fit("y ~ x", data).params["x"])


def test_a_function_must_work_row_by_row(data):
    with pytest.raises(gc.errors.FormulaError, match="center") as caught:
        gc.fit("y ~ f(x)", data, env={"f": lambda values: values - values.mean()})
    assert caught.value.kind == "not_by_row"


def test_missing_rows_are_counted_or_refused(data):
    holed = data.copy()
    holed.loc[[1, 4], "x"] = np.nan
    holed.loc[[4, 7, 9], "t"] = np.nan
    with pytest.warns(gc.errors.MissingRowsWarning, match="4 of 50"):
        result = gc.fit("y ~ x", holed, exposure="t")
    assert result.n_dropped == 4
    assert result.dropped == {"x missing": 2, "t missing": 3}
    assert len(result.fittedvalues) == 46 and 4 not in result.fittedvalues.index
    with pytest.raises(gc.errors.DataError, match="x missing 2"):
        gc.fit("y ~ x", holed, missing="raise")


def test_weights_of_three_types(data):
    whole = data.assign(w=np.arange(50) % 3)
    result = gc.fit("y ~ x", whole, weights="w")
    assert result.nobs == whole.w.sum()
    assert result.dropped == {"w zero": 17}
    with pytest.warns(gc.errors.WeightsWarning):
        gc.fit("y ~ x", data, weights="t")
    importance = gc.fit("y ~ x", data, weights="t", weights_type="importance")
    assert importance.nobs == 50
    sampled = gc.fit("y ~ x", data, weights="t", weights_type="probability")
    assert sampled.cov_type == "HC1"
    for name in ("aic", "bic", "llr"):
        with pytest.raises(gc.errors.NoLikelihoodError):
            getattr(sampled, name)


def test_separation_three_ways():
    data = {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]}
    with pytest.warns(gc.errors.SeparationWarning, match="3, 4"):
        warned = gc.fit("y ~ d", data)
    assert warned.separation.columns == ("d",)
    assert warned.separation.rows.tolist() == [False, False, False, True, True]
    assert np.isinf(warned.bse["d"])
    assert warned.params["Intercept"] == pytest.approx(np.log(2), rel=1e-6)
    assert "-inf" in str(warned.summary())
    with pytest.raises(gc.errors.SeparationError):
        gc.fit("y ~ d", data, separation="raise")
    assert gc.fit("y ~ d", data, separation="ignore").separation is not None


def test_quasi_likelihood_has_no_likelihood(data):
    result = gc.fit("y ~ x", data, family="quasipoisson")
    for name in ("llf", "llnull", "aic", "bic", "aicc", "llr", "prsquared"):
        with pytest.raises(gc.errors.NoLikelihoodError):
            getattr(result, name)
    assert result.scale == pytest.approx(result.pearson_chi2 / 48)
    assert "Log-likelihood" not in str(result.summary())


def test_arrays(data):
    X = np.column_stack([np.ones(50), data.x])
    by_formula = gc.fit("y ~ x", data, exposure="t")
    by_array = gc.fit_arrays(data.y, X, names=["one", "x"], exposure=data.t)
    np.testing.assert_allclose(by_array.params, by_formula.params, rtol=1e-12)
    assert list(by_array.params.index) == ["one", "x"]
    assert list(gc.fit_arrays(data.y.to_numpy(), X).params.index) == ["x0", "x1"]
    assert list(gc.fit_arrays(data.y, data[["x", "t"]]).params.index) == ["x", "t"]
    with pytest.raises(gc.errors.UsageError, match="each of the 2 columns"):
        gc.fit_arrays(data.y, X, names=["a"])
    with pytest.raises(gc.errors.DataError, match="table of numbers"):
        gc.fit_arrays(data.y, np.array([["a"], ["b"]]))
    with pytest.raises(gc.errors.DataError, match="'g'"):
        gc.fit_arrays([1, 2], pd.DataFrame({"g": ["a", "b"]}))


def test_refit_changes_what_is_asked(data):
    first = gc.fit("y ~ x", data, exposure="t")
    other = first.refit(family="geometric", cov="HC0")
    direct = gc.fit("y ~ x", data, exposure="t", family="geometric", cov="HC0")
    pd.testing.assert_series_equal(other.bse, direct.bse)
    arrays = gc.fit_arrays(data.y, np.ones((50, 1)))
    assert arrays.refit(y=data.y * 2).params["x0"] == pytest.approx(
        arrays.params["x0"] + np.log(2), rel=1e-12
    )


def test_the_summary_is_79_columns_and_says_what_was_done(data):
    text = str(gc.fit("y ~ x", data, exposure="t", cov="HC3").summary())
    assert max(map(len, text.splitlines())) == 79
    for part in ("Poisson regression, log link", "robust (HC3)", "Offset: log(t)."):
        assert part in text


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"family": 5}, "unknown_family"),
        ({"cov": 5}, "unknown_covariance"),
        ({"method": None}, "unknown_method"),
        ({"weights_type": None}, "unknown_weights_type"),
        ({"missing": True}, "unknown_missing"),
        ({"alpha": 0.5}, "unknown_option"),
        ({"maxiter": 5}, "unknown_option"),
    ],
)
def test_a_choice_of_another_type_is_a_usage_error(data, options, kind):
    with pytest.raises(gc.errors.UsageError) as caught:
        gc.fit("y ~ x", data, **options)
    assert caught.value.kind == kind


@pytest.mark.parametrize("formula", [None, 5, ["y ~ x"], b"y ~ x"])
def test_a_formula_is_text(data, formula):
    with pytest.raises(gc.errors.FormulaSyntaxError, match="fit_arrays"):
        gc.fit(formula, data)


@pytest.mark.parametrize(
    ("formula", "under"),
    [
        ("y ~ x + log(zz)", "zz"),
        ("y ~ x + (t", "("),
        ("y ~ x + np.load('f')", "np.load('f')"),
        ("y ~ x + t.real", "t.real"),
    ],
)
def test_the_caret_stands_under_the_fault(data, formula, under):
    with pytest.raises(gc.errors.FormulaError) as caught:
        gc.fit(formula, data)
    lines = str(caught.value).splitlines()
    (number,) = [i for i, line in enumerate(lines) if set(line.strip()) == {"^"}]
    above, carets = lines[number - 1], lines[number]
    marked = above[carets.index("^") : carets.rindex("^") + 1]
    assert marked and marked in under and under.startswith(marked[:1])


def test_an_array_must_have_a_value_a_row(data):
    for role in ("offset", "exposure", "weights"):
        for value in (np.ones(3), 1.0, np.ones((50, 1)), data[["t"]]):
            with pytest.raises(gc.errors.DataError) as caught:
                gc.fit("y ~ x", data, **{role: value})
            assert caught.value.kind == f"{role}_length"


def test_offset_and_exposure_together_add_up(data):
    both = gc.fit("y ~ x", data, exposure="t", offset="x / 10")
    one = gc.fit("y ~ x", data, offset=np.log(data.t) + data.x / 10)
    np.testing.assert_allclose(both.params, one.params, rtol=1e-11)
    with_formula = gc.fit("y ~ x + offset(x / 10)", data, exposure=data.t.to_numpy())
    np.testing.assert_allclose(with_formula.params, one.params, rtol=1e-11)


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        (-1.0, "negative_weights"),
        (np.nan, "missing_rows"),
        (np.inf, "negative_weights"),
    ],
)
def test_weights_that_are_none(data, weights, kind):
    column = np.where(np.arange(50) == 3, weights, 1.0)
    if kind == "missing_rows":
        with pytest.raises(gc.errors.GlmcountError, match=r"\b3\b|missing"):
            gc.fit("y ~ x", data.assign(w=column), weights="w", missing="raise")
        return
    with pytest.raises(gc.errors.DataError, match=r"\b3\b") as caught:
        gc.fit("y ~ x", data.assign(w=column), weights="w")
    assert caught.value.kind == kind


def test_all_weights_zero_leave_nothing(data):
    with pytest.raises(gc.errors.DataError) as caught:
        gc.fit("y ~ x", data, weights=np.zeros(50))
    assert caught.value.kind == "no_observations"


def test_zero_weights_take_rows_out_of_everything(data):
    w = (np.arange(50) % 5 != 0) * 1.0
    part = data[w > 0]
    for weights_type in ("frequency", "importance", "probability"):
        result = gc.fit("y ~ x", data, weights=w, weights_type=weights_type)
        plain = gc.fit("y ~ x", part, cov="HC1" if weights_type == "probability" else None)
        np.testing.assert_allclose(result.params, plain.params, rtol=1e-10)
        np.testing.assert_allclose(result.bse, plain.bse, rtol=1e-10)
        assert result.nobs == 40 and result.df_resid == 38
        assert list(result.fittedvalues.index) == list(part.index)
        assert result.deviance == pytest.approx(plain.deviance, rel=1e-10)


def test_probability_weights_take_the_covariance_asked_for(data):
    options = {"weights": "t", "weights_type": "probability"}
    assert gc.fit("y ~ x", data, cov="HC0", **options).cov_type == "HC0"
    result = gc.fit("y ~ x", data, **options)
    assert result.with_cov(None).cov_type == "HC1"
    for name in ("aic", "bic", "aicc", "llr", "llr_pvalue"):
        with pytest.raises(gc.errors.NoLikelihoodError, match="probability"):
            getattr(result, name)
    twice = gc.fit("y ~ x", data.assign(t=2 * data.t), **options)
    np.testing.assert_allclose(twice.bse, result.bse, rtol=1e-9)


def test_an_option_misspelt_for_arrays_is_named_too(data):
    X = np.ones((50, 1))
    with pytest.raises(gc.errors.UsageError, match="cov='HC1'"):
        gc.fit_arrays(data.y, X, cov_type="HC1")
    with pytest.raises(gc.errors.UsageError, match="'exposure'"):
        gc.fit_arrays(data.y, X, exposre=data.t)


def test_shapes_of_arrays(data):
    column = gc.fit_arrays(data.y, np.ones(50))
    assert column.params["x0"] == pytest.approx(np.log(data.y.mean()), rel=1e-12)
    for y, X, kind in [
        (data[["y"]], np.ones((50, 1)), "data"),
        (data.y[:5], np.ones((50, 1)), "column_length"),
        (data.y, np.ones((50, 1, 1)), "design_dtype"),
        (data.y, np.array([[1j]] * 50), "design_dtype"),
    ]:
        with pytest.raises(gc.errors.DataError) as caught:
            gc.fit_arrays(y, X)
        assert caught.value.kind == kind


def test_arrays_may_lie_in_memory_as_they_like(data):
    X = np.column_stack([np.ones(50), data.x, data.t])
    truth = gc.fit_arrays(data.y, X).params
    wide = np.zeros((100, 6))
    wide[::2, ::2] = X
    for matrix in (np.asfortranarray(X), wide[::2, ::2], X.tolist(), X[::-1][::-1]):
        np.testing.assert_array_equal(gc.fit_arrays(data.y, matrix).params, truth)
    before = X.copy()
    gc.fit_arrays(data.y, X)
    np.testing.assert_array_equal(X, before)


def test_missing_values_of_arrays_are_left_out(data):
    X = np.column_stack([np.ones(50), data.x])
    X[[2, 9], 1] = np.nan
    with pytest.warns(gc.errors.MissingRowsWarning, match="2 of 50"):
        result = gc.fit_arrays(data.y, X)
    keep = ~np.isnan(X[:, 1])
    np.testing.assert_allclose(
        result.params, gc.fit_arrays(data.y[keep], X[keep]).params, rtol=1e-11
    )
    assert len(result.fittedvalues) == 48


def test_a_response_may_have_the_name_of_a_column(data):
    result = gc.fit_arrays(data.y, np.ones((50, 1)), names=["y"])
    assert list(result.params.index) == ["y"]


def test_functions_of_env_are_remembered(data):
    result = gc.fit("y ~ capped(x)", data, env={"capped": lambda v: np.minimum(v, 1.0)})
    found = result.predict({"x": [1.0, 2.0, 9.0]})
    assert found[0] == found[1] == found[2]
    for env, error in [
        ({"capped": 3}, gc.errors.UnsafeFormulaError),
        ({"log": np.sqrt}, gc.errors.UsageError),
        ({"capped": lambda v: v[:3]}, gc.errors.FormulaError),
    ]:
        with pytest.raises(error):
            gc.fit("y ~ x + log(t)" if "log" in env else "y ~ capped(x)", data, env=env)


def test_alpha_may_be_fixed(data):
    fixed = gc.fit("y ~ x", data, family=gc.families.negbin(alpha=0.5))
    assert list(fixed.params.index) == ["Intercept", "x"]
    assert fixed.aic == pytest.approx(-2 * fixed.llf + 4, rel=1e-14)
    geometric = gc.fit("y ~ x", data, family=gc.families.negbin(alpha=1.0))
    other = gc.fit("y ~ x", data, family="geometric")
    np.testing.assert_allclose(geometric.params, other.params, rtol=1e-11)
    assert geometric.llf == pytest.approx(other.llf, rel=1e-12)


def test_separation_ignored_says_nothing_but_knows(recwarn):
    data = {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]}
    result = gc.fit("y ~ d", data, separation="ignore")
    assert not recwarn.list and not result.warnings
    assert result.separation.columns == ("d",)
    with pytest.raises(gc.errors.SeparationError, match="d -> -inf") as caught:
        gc.fit("y ~ d", data, separation="raise")
    assert caught.value.kind == "separation"


def test_what_is_written_into_a_result_changes_nothing_else(data):
    """Estimates of a design without shifts are those the fit itself holds."""
    result = gc.fit("y ~ C(t > 2)", data)
    params = result.params.copy()
    result.params.iloc[:] = 99.0
    result.bse.iloc[:] = 99.0
    assert (result.with_cov("HC0").params == params).all()
    assert result.predict().max() < 10.0
    assert (np.sqrt(np.diag(result.cov_params())) < 1.0).all()
