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
    with pytest.raises(gc.errors.UsageError, match="2 different names"):
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
