"""Random formulas: what is summed by blocks and tables is X'WX of patsy's dense design."""

from __future__ import annotations

import warnings

import numpy as np
import patsy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glmcount as gc
from tests.laws.problems import QUICK, SEEDS, mixed_data, small_strips
from tests.made import patsy_design

TERMS = (
    "x",
    "z",
    "g",
    "h",
    "x:z",
    "I(x**2)",
    "g:x",
    "h:z",
    "g:h",
    "g:h:x",
    "C(h, Sum)",
    "C(g, Poly)",
    "C(g, Helmert):u",
    "center(u)",
    "standardize(z)",
    "np.log(z)",
    "bs(z, df=4)",
    "C(u > 5)",
)
FORMULAS = st.tuples(
    st.sampled_from(["", "0 + ", "-1 + "]), st.lists(st.sampled_from(TERMS), min_size=1, max_size=5)
).map(lambda parts: parts[0] + " + ".join(dict.fromkeys(parts[1])))


def quiet_fit(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        return gc.fit(formula, data, **options)


def dense_design(formula, data, kept):
    design = patsy_design(formula, data)
    names = list(design)
    return np.asarray(design)[:, [names.index(name) for name in kept]], names


@QUICK
@given(formula=FORMULAS, seed=SEEDS)
def test_names_are_those_of_patsy(formula, seed):
    data = mixed_data(seed)
    result = quiet_fit(f"y ~ {formula}", data)
    names = patsy_design(formula, data)
    assert list(result.params.index) == [name for name in names if name not in result.aliased]


@QUICK
@given(formula=FORMULAS, seed=SEEDS)
def test_rank_is_that_of_the_dense_design(formula, seed):
    data = mixed_data(seed)
    result = quiet_fit(f"y ~ {formula}", data)
    design = np.asarray(patsy.dmatrix(formula, data))
    assert len(result.params) == np.linalg.matrix_rank(design / np.linalg.norm(design, axis=0))


@QUICK
@given(formula=FORMULAS, seed=SEEDS)
def test_fitted_values_are_those_of_the_dense_design(formula, seed):
    data = mixed_data(seed)
    result = quiet_fit(f"y ~ {formula}", data)
    design, _ = dense_design(formula, data, list(result.params.index))
    expected = np.exp(design @ result.params.to_numpy())
    np.testing.assert_allclose(result.fittedvalues, expected, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
@QUICK
@given(formula=FORMULAS, seed=SEEDS)
def test_the_information_is_x_w_x(formula, weighted, seed):
    data = mixed_data(seed)
    options = {"weights": "w"} if weighted else {}
    result = quiet_fit(f"y ~ {formula}", data, **options)
    design, _ = dense_design(formula, data, list(result.params.index))
    w = result.fittedvalues.to_numpy() * (data["w"].to_numpy() if weighted else 1)
    gram = design.T @ (design * w[:, None])
    unit = gram @ result.cov_params().to_numpy()
    scale = np.sqrt(np.diag(gram))
    np.testing.assert_allclose(unit / scale[:, None] * scale, np.eye(len(unit)), atol=1e-9)


@QUICK
@given(formula=FORMULAS, seed=SEEDS)
def test_the_score_is_zero_at_the_maximum(formula, seed):
    data = mixed_data(seed)
    result = quiet_fit(f"y ~ {formula}", data)
    design, _ = dense_design(formula, data, list(result.params.index))
    score = design.T @ (data["y"].to_numpy() - result.fittedvalues.to_numpy())
    size = np.abs(design).T @ data["y"].to_numpy()
    assert np.all(np.abs(score) <= 1e-11 * size)


@QUICK
@given(formula=FORMULAS, seed=SEEDS)
def test_robust_covariance_is_the_dense_sandwich(formula, seed):
    data = mixed_data(seed)
    result = quiet_fit(f"y ~ {formula}", data)
    design, _ = dense_design(formula, data, list(result.params.index))
    mu = result.fittedvalues.to_numpy()
    residual = data["y"].to_numpy() - mu
    bread = np.linalg.inv(design.T @ (design * mu[:, None]))
    hat = np.einsum("ij,jk,ik->i", design, bread, design) * mu
    np.testing.assert_allclose(result.get_influence().hat_matrix_diag, hat, rtol=1e-8, atol=1e-12)
    for name, square in (
        ("HC0", residual**2),
        ("HC2", residual**2 / (1 - hat)),
        ("HC3", residual**2 / (1 - hat) ** 2),
    ):
        meat = design.T @ (design * square[:, None])
        expected = np.sqrt(np.diag(bread @ meat @ bread))
        np.testing.assert_allclose(result.with_cov(name).bse, expected, rtol=1e-8)


@QUICK
@given(formula=FORMULAS, seed=SEEDS)
def test_prediction_of_the_data_is_the_fit(formula, seed):
    data = mixed_data(seed)
    result = quiet_fit(f"y ~ {formula}", data)
    np.testing.assert_allclose(result.predict(data), result.fittedvalues, rtol=1e-12)
    # What transforms have learnt is kept: a part of the data gets the same rows.
    part = data.iloc[50:70].drop(columns="y")
    np.testing.assert_allclose(result.predict(part), result.fittedvalues.iloc[50:70], rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"exposure": "t"}])
@QUICK
@given(formula=FORMULAS, seed=SEEDS, row=st.integers(0, 119))
def test_prediction_of_one_row_is_that_row_of_many(formula, options, seed, row):
    data = mixed_data(seed)
    result = quiet_fit(f"y ~ {formula}", data, **options)
    for which in ("mean", "linear"):
        many, one = result.predict(data, which=which), result.predict(data.iloc[[row]], which=which)
        assert one.iloc[0] == pytest.approx(many.iloc[row], rel=1e-12, abs=1e-12)
    wide = result.get_prediction(data).summary_frame().iloc[[row]]
    single = result.get_prediction(data.iloc[[row]]).summary_frame()
    np.testing.assert_allclose(single, wide, rtol=1e-9)


@QUICK
@given(formula=FORMULAS, seed=SEEDS, rows=st.sampled_from([7, 40, 61]))
def test_strips_change_nothing(formula, seed, rows):
    data = mixed_data(seed)
    whole = quiet_fit(f"y ~ {formula}", data)
    expected = whole.with_cov("HC3").bse, whole.fittedvalues
    with pytest.MonkeyPatch.context() as patch:
        small_strips(patch, rows)
        cut = quiet_fit(f"y ~ {formula}", data)
        robust = cut.with_cov("HC3").bse
        fitted = cut.fittedvalues
    assert list(cut.params.index) == list(whole.params.index)
    assert np.all(np.abs(cut.params - whole.params) <= 1e-11 * whole.bse)
    np.testing.assert_allclose(cut.bse, whole.bse, rtol=1e-11)
    np.testing.assert_allclose(robust, expected[0], rtol=1e-9)
    np.testing.assert_allclose(fitted, expected[1], rtol=1e-11)
    assert cut.llf == pytest.approx(whole.llf, rel=1e-13)
