"""statsmodels beside glmcount, on the same data in one process."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import glmcount as gc
from tests.laws.problems import mixed_data

# As patsy has the terms, factors first, by which statsmodels goes.
FORMULA = "y ~ C(g) + x + z"
STRICT = {"tol": 1e-14, "maxiter": 100}


@pytest.fixture(scope="module")
def data():
    return mixed_data(2024, 400)


def assert_same(ours, theirs, tolerance=1e-8):
    assert list(ours.params.index) == list(theirs.params.index)
    np.testing.assert_allclose(ours.params, theirs.params, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours.bse, theirs.bse, rtol=tolerance)
    np.testing.assert_allclose(ours.pvalues, theirs.pvalues, rtol=1e-6, atol=1e-300)
    np.testing.assert_allclose(ours.tvalues, theirs.tvalues, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(ours.conf_int(), theirs.conf_int(), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(ours.conf_int(0.2), theirs.conf_int(0.2), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-6, atol=1e-12)
    assert ours.llf == pytest.approx(theirs.llf, rel=1e-11)
    assert ours.df_resid == theirs.df_resid
    assert ours.df_model == theirs.df_model


def glm(data, family=None, **options):
    model = smf.glm(FORMULA, data, family=family or sm.families.Poisson(), **options)
    return model.fit(**STRICT)


VARIANTS = {
    "plain": ({}, {}),
    "offset": ({"offset": "log(t)"}, {"offset": lambda d: np.log(d["t"])}),
    "exposure": ({"exposure": "t"}, {"exposure": lambda d: d["t"]}),
    "frequency": ({"weights": "w"}, {"freq_weights": lambda d: d["w"]}),
    "both": (
        {"weights": "w", "offset": "log(t)"},
        {"freq_weights": lambda d: d["w"], "offset": lambda d: np.log(d["t"])},
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_poisson(data, variant):
    ours, theirs = VARIANTS[variant]
    found = gc.fit(FORMULA, data, **ours)
    expected = glm(data, **{key: value(data) for key, value in theirs.items()})
    assert_same(found, expected)
    assert found.deviance == pytest.approx(expected.deviance, rel=1e-10)
    assert found.null_deviance == pytest.approx(expected.null_deviance, rel=1e-8)
    assert found.pearson_chi2 == pytest.approx(expected.pearson_chi2, rel=1e-9)
    assert found.aic == pytest.approx(expected.aic, rel=1e-11)
    np.testing.assert_allclose(found.fittedvalues, expected.fittedvalues, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:The .* link function does not respect")
@pytest.mark.parametrize("link", ["identity", "sqrt"])
def test_poisson_with_another_link(data, link):
    power = {"identity": sm.families.links.Identity, "sqrt": sm.families.links.Sqrt}[link]()
    formula = "y ~ C(g)"
    found = gc.fit(formula, data, link=link)
    expected = smf.glm(formula, data, family=sm.families.Poisson(power)).fit(**STRICT)
    assert_same(found, expected)


def test_poisson_with_robust_errors(data):
    """statsmodels' HC1 of discrete models and all four of its GLM are HC0."""
    model = smf.poisson(FORMULA, data)
    expected = model.fit(method="newton", tol=1e-13, disp=False, cov_type="HC0")
    hc0, hc1 = (gc.fit(FORMULA, data, cov=cov) for cov in ("HC0", "HC1"))
    np.testing.assert_allclose(hc0.bse, expected.bse, rtol=1e-9)
    factor = np.sqrt(len(data) / (len(data) - 5))
    np.testing.assert_allclose(hc1.bse, expected.bse * factor, rtol=1e-9)


def test_quasi_poisson(data):
    found = gc.fit(FORMULA, data, family="quasipoisson")
    expected = smf.glm(FORMULA, data, family=sm.families.Poisson()).fit(scale="X2", **STRICT)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)
    assert found.scale == pytest.approx(expected.scale, rel=1e-9)


@pytest.mark.parametrize("variant", ["plain", "offset", "exposure"])
def test_negative_binomial(data, variant):
    ours, theirs = VARIANTS[variant]
    found = gc.fit(FORMULA, data, family="negbin", **ours)
    model = smf.negativebinomial(
        FORMULA, data, **{key: value(data) for key, value in theirs.items()}
    )
    expected = model.fit(
        method="newton", start_params=found.params, maxiter=20, tol=1e-14, disp=False
    )
    # The interval of alpha is that of its logarithm, and its test is another one.
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-8)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-6)
    np.testing.assert_allclose(found.conf_int()[:-1], expected.conf_int()[:-1], rtol=1e-5)
    assert found.llf == pytest.approx(expected.llf, rel=1e-12)
    assert found.aic == pytest.approx(expected.aic, rel=1e-12)


def test_negative_binomial_with_alpha_held(data):
    found = gc.fit(FORMULA, data, family=gc.families.negbin(alpha=0.7))
    expected = glm(data, sm.families.NegativeBinomial(alpha=0.7))
    assert_same(found, expected)
    assert found.deviance == pytest.approx(expected.deviance, rel=1e-9)


def test_predictions_with_their_errors(data):
    found = gc.fit(FORMULA, data, exposure="t")
    expected = glm(data, exposure=data["t"])
    new = data.iloc[:7].drop(columns="y")
    ours = found.get_prediction(new).summary_frame()
    theirs = expected.get_prediction(new, exposure=new["t"]).summary_frame()
    assert {"mean", "mean_se", "mean_ci_lower", "mean_ci_upper"} <= set(ours.columns)
    for column in ("mean", "mean_se", "mean_ci_lower", "mean_ci_upper"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-7, err_msg=column)
    assert list(ours.index) == list(new.index)


def test_residuals_and_influence(data):
    found, expected = gc.fit(FORMULA, data), glm(data)
    np.testing.assert_allclose(found.resid_response, expected.resid_response, atol=1e-8)
    np.testing.assert_allclose(found.resid_pearson, expected.resid_pearson, atol=1e-8)
    np.testing.assert_allclose(found.resid_deviance, expected.resid_deviance, atol=1e-8)
    np.testing.assert_allclose(found.resid_working, expected.resid_working, atol=1e-8)
    np.testing.assert_allclose(found.resid_anscombe, expected.resid_anscombe, atol=1e-7)
    ours, theirs = found.get_influence(), expected.get_influence()
    np.testing.assert_allclose(ours.hat_matrix_diag, theirs.hat_matrix_diag, rtol=1e-7)
    np.testing.assert_allclose(ours.cooks_distance[0], theirs.cooks_distance[0], rtol=1e-6)


@pytest.mark.parametrize("hypothesis", ["x = 0", "x = 0, z = 0", "x = z", "x + 2*z = 0.1"])
def test_wald(data, hypothesis):
    found = gc.fit(FORMULA, data).wald_test(hypothesis)
    expected = glm(data).wald_test(hypothesis, scalar=True, use_f=False)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-8)
    assert found.pvalue == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.df == expected.df_denom


def test_arrays(data):
    design = sm.add_constant(data[["x", "z"]].to_numpy())
    found = gc.fit_arrays(data["y"].to_numpy(), design)
    expected = sm.GLM(data["y"].to_numpy(), design, family=sm.families.Poisson()).fit(**STRICT)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)
