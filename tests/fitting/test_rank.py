"""Columns that repeat others: which are dropped, what is said of them, which are kept."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.errors import DroppedColumnWarning, RankError
from glmcount.fitting.rank import dependences
from glmcount.numerics.factor import factor


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(12)
    frame = pd.DataFrame({"x": rng.normal(size=200), "z": rng.normal(size=200)})
    frame["g"] = rng.choice(list("abc"), 200)
    mean = np.exp(0.4 + 0.3 * frame.x - 0.2 * frame.z)
    frame["y"] = rng.poisson(mean * rng.gamma(1.5, 1 / 1.5, 200))
    return frame


def fitted(formula, data, **options):
    """A fit and the warnings of dropped columns; any other warning is an error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = gc.fit(formula, data, **options)
    assert {type(one.message) for one in caught} <= {DroppedColumnWarning}
    return result, [str(one.message) for one in caught]


@pytest.mark.parametrize("family", ["poisson", "negbin", "quasipoisson"])
@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_an_exact_combination_is_left_out(data, family, method):
    double = data.assign(c=3.0 * data.x - 2.0 * data.z + 0.5)
    full, told = fitted("y ~ x + z + c", double, family=family, method=method)
    plain = gc.fit("y ~ x + z", data, family=family, method=method)
    np.testing.assert_allclose(full.params, plain.params, rtol=1e-8)
    np.testing.assert_allclose(full.bse, plain.bse, rtol=1e-8)
    assert list(full.params.index) == list(plain.params.index)
    assert full.df_resid == plain.df_resid == 197
    (message,) = told
    assert "'c'" in message and "nearly" not in message


def test_the_combination_rebuilds_the_column(data):
    double = data.assign(c=3.0 * data.x - 2.0 * data.z + 500.0)
    result, _ = fitted("y ~ x + z + c", double)
    found = result.aliased["c"]
    assert set(found) == {"Intercept", "x", "z"}
    assert found["x"] == pytest.approx(3.0, rel=1e-9)
    assert found["z"] == pytest.approx(-2.0, rel=1e-9)
    assert found["Intercept"] == pytest.approx(500.0, rel=1e-9)


def test_columns_far_from_zero_and_of_any_size_are_recognised(data):
    double = data.assign(far=1e6 + data.x, big=1e9 * data.x, tiny=1e-9 * data.x)
    result, told = fitted("y ~ x + far + big + tiny", double)
    assert list(result.params.index) == ["Intercept", "x"]
    (message,) = told
    assert all(repr(name) in message for name in ("far", "big", "tiny"))
    assert result.aliased["big"]["x"] == pytest.approx(1e9, rel=1e-9)
    assert result.aliased["tiny"]["x"] == pytest.approx(1e-9, rel=1e-9)
    assert result.aliased["far"]["Intercept"] == pytest.approx(1e6, rel=1e-9)


@pytest.mark.parametrize(
    ("formula", "dropped"),
    [("y ~ x + z + c", "c"), ("y ~ c + z + x", "x"), ("y ~ x + c + z", "z")],
)
def test_the_last_of_a_dependent_set_goes(data, formula, dropped):
    result, _ = fitted(formula, data.assign(c=data.x + data.z))
    assert list(result.aliased) == [dropped]
    assert dropped not in result.params.index


def test_a_near_copy_is_left_out_with_a_word(data):
    noise = np.random.default_rng(0).normal(size=200)
    result, told = fitted("y ~ x + c", data.assign(c=data.x + 1e-8 * noise))
    (message,) = told
    assert "nearly" in message and "'c'" in message
    assert result.aliased["c"]["x"] == pytest.approx(1.0, abs=1e-7)
    np.testing.assert_allclose(result.params, gc.fit("y ~ x", data).params, rtol=1e-12)


def test_noise_of_one_in_a_hundred_thousand_is_kept(data):
    noise = np.random.default_rng(0).normal(size=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.IllConditionedWarning)
        result = gc.fit("y ~ x + c", data.assign(c=data.x + 1e-5 * noise))
        separate = gc.fit("y ~ x + c", data.assign(c=noise))
    assert not result.aliased
    # The same column space: the same maximum, in other coordinates.
    assert result.llf == pytest.approx(separate.llf, rel=1e-12)
    assert result.params["c"] == pytest.approx(1e5 * separate.params["c"], rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 1.0, -7.25, 1e-12, 1e12])
def test_a_constant_beside_the_intercept_goes(data, value):
    result, told = fitted("y ~ k + x", data.assign(k=value))
    (message,) = told
    assert "constant" in message or "Intercept" in message
    assert list(result.params.index) == ["Intercept", "x"]
    assert result.aliased["k"].get("Intercept", 0.0) == pytest.approx(value)


def test_a_constant_without_an_intercept_is_the_intercept(data):
    result, told = fitted("y ~ 0 + k + x", data.assign(k=4.0))
    plain = gc.fit("y ~ x", data)
    assert not told and not result.aliased
    assert result.params["k"] == pytest.approx(plain.params["Intercept"] / 4, rel=1e-10)
    assert result.llf == pytest.approx(plain.llf, rel=1e-13)


def test_a_zero_column_without_an_intercept_goes(data):
    result, told = fitted("y ~ 0 + k + x", data.assign(k=0.0))
    assert list(result.params.index) == ["x"] and len(told) == 1
    assert result.aliased["k"] == {}


def test_indicators_of_every_level_beside_a_factor_go(data):
    double = data.assign(isb=(data.g == "b").astype(float), isa=(data.g == "a") * 1.0)
    result, told = fitted("y ~ C(g) + isb + isa", double)
    assert list(result.params.index) == ["Intercept", "C(g)[T.b]", "C(g)[T.c]"]
    assert len(told) == 1 and "'isa'" in told[0] and "'isb'" in told[0]
    assert result.aliased["isb"] == pytest.approx({"C(g)[T.b]": 1.0})
    assert result.aliased["isa"] == pytest.approx(
        {"Intercept": 1.0, "C(g)[T.b]": -1.0, "C(g)[T.c]": -1.0}
    )


def test_an_absent_cell_of_an_interaction_goes(data):
    few = data.assign(h=np.where(data.g == "c", "p", np.where(data.x > 0, "q", "p")))
    result, told = fitted("y ~ C(g) * C(h)", few)
    assert len(told) == 1
    assert list(result.aliased) == ["C(g)[T.c]:C(h)[T.q]"]
    cells = few.groupby(["g", "h"]).y.transform("mean")
    np.testing.assert_allclose(result.fittedvalues, cells, rtol=1e-9)


def test_weights_of_zero_can_make_columns_depend(data):
    double = data.assign(k=np.where(np.arange(200) < 5, 3.0, 1.0), w=np.arange(200) >= 5)
    result, _ = fitted("y ~ x + k", double.assign(w=double.w * 1.0), weights="w")
    assert list(result.aliased) == ["k"]
    kept, _ = fitted("y ~ x + k", double)
    assert not kept.aliased


def test_everything_below_a_dropped_column_still_answers(data):
    double = data.assign(c=data.x + data.z)
    result, _ = fitted("y ~ x + z + c + C(g)", double)
    plain = gc.fit("y ~ x + z + C(g)", data)
    for cov in ("HC0", "HC3", "opg"):
        np.testing.assert_allclose(result.with_cov(cov).bse, plain.with_cov(cov).bse, rtol=1e-8)
    new = double.head(5)
    np.testing.assert_allclose(result.predict(new), plain.predict(new), rtol=1e-9)
    np.testing.assert_allclose(
        result.get_prediction(new).se, plain.get_prediction(new).se, rtol=1e-8
    )
    np.testing.assert_allclose(
        result.get_influence().hat_matrix_diag, plain.get_influence().hat_matrix_diag, rtol=1e-8
    )
    assert result.wald_test("x = z").statistic == pytest.approx(
        plain.wald_test("x = z").statistic, rel=1e-8
    )
    assert result.aic == pytest.approx(plain.aic, rel=1e-12)
    assert "c" in str(result.summary())


def test_a_design_without_any_column_is_refused(data):
    with pytest.raises(RankError) as caught:
        gc.fit_arrays(data.y, np.ones((200, 0)))
    assert caught.value.kind == "no_parameters"


@pytest.mark.parametrize("near", [1.0, 1e-3, 1e-6, 0.0])
def test_a_factor_that_is_known_decides_as_the_matrix_does(data, near):
    frame = data.assign(c=data.x + near * data.z)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = gc.fit("y ~ x + c", frame)._state
    rows = np.stack([np.ones(200), data.x - data.x.mean(), frame.c - frame.c.mean()])
    gram = np.dot(rows, rows.T)
    plain = dependences(state.rows, state.fit.layout, gram)
    known = dependences(state.rows, state.fit.layout, gram, definite=factor(gram))
    assert [one.column for one in plain] == [one.column for one in known]
    assert len(plain) == (near == 0.0)


@pytest.mark.parametrize("rows", ["all", "few"])
def test_the_columns_of_the_constant_stay(data, rows):
    """Numeric columns are shifted by them, wherever the formula has them."""
    some = data if rows == "all" else data.head(8)
    found, _ = fitted("y ~ 0 + x + z + I(1 + 2 * x) + C(g)", some)
    wanted, _ = fitted("y ~ C(g) + x + z", some)
    assert list(found.params.index)[-3:] == ["C(g)[a]", "C(g)[b]", "C(g)[c]"]
    assert list(found.aliased) == ["I(1 + 2 * x)"]
    np.testing.assert_allclose(found.fittedvalues, wanted.fittedvalues, rtol=1e-9)
    design = found.design_matrix()
    own = np.exp(design[found.params.index] @ found.params)
    np.testing.assert_allclose(own, found.fittedvalues, rtol=1e-10)
    (combination,) = found.aliased.values()
    rebuilt = design[list(combination)] @ pd.Series(combination)
    np.testing.assert_allclose(rebuilt, design["I(1 + 2 * x)"], rtol=1e-9)
