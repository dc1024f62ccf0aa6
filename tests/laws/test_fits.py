"""Laws of fits: what must not change, and what must change just so, for every family."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glmcount as gc
from glmcount.families import families
from tests.laws import problems
from tests.laws.problems import EVERY, FEW, FITTED, ONE_EQUATION, SEEDS, small_strips, suited

FORMULA = "y ~ x + z + g + g:x"
NAMES = FITTED
LOG = [name for name in NAMES if EVERY[name].mean_log]
SATURATED = [n for n in families if families[n].deviance and families[n].domain == "log"]
RATES = [name for name in NAMES if EVERY[name].collapse == "mean"]
COVARIANCES = ("nonrobust", "opg", "HC0", "HC1", "HC2", "HC3")


def suitable(name, seed):
    return suited(name, problems.mixed_data(seed))


def asked(name):
    """Options a family needs beside its own value."""
    return {"censored": 9} if EVERY[name].columns else {}


def fit(data, name="poisson", formula=FORMULA, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.BoundaryWarning)
        return gc.fit(formula, data, family=EVERY[name], **asked(name), **options)


def errors(result):
    """Standard errors; 0 for a parameter on its boundary, which must be there in both fits."""
    return result.bse.fillna(0.0)


def same(found, expected, tolerance=1e-10):
    """Estimates within `tolerance` of a standard error, standard errors to as many digits."""
    assert list(found.params.index) == list(expected.params.index)
    assert np.all(np.abs(found.params - expected.params) <= tolerance * errors(expected))
    np.testing.assert_allclose(found.bse, expected.bse, rtol=tolerance)


def same_llf(found, expected, name):
    if EVERY[name].likelihood:
        assert found.llf == pytest.approx(expected.llf, rel=1e-12)
        assert found.aic == pytest.approx(expected.aic, rel=1e-12)
    if EVERY[name].deviance:
        assert found.deviance == pytest.approx(expected.deviance, rel=1e-10)


def covariances(name):
    return [c for c in COVARIANCES if name in ONE_EQUATION or c not in {"HC2", "HC3"}]


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS)
def test_the_order_of_rows(name, seed):
    data = suitable(name, seed)
    order = np.random.default_rng(seed).permutation(len(data))
    straight, mixed = fit(data, name), fit(data.iloc[order], name)
    same(mixed, straight)
    same_llf(mixed, straight, name)
    for cov in covariances(name):
        np.testing.assert_allclose(
            mixed.with_cov(cov).bse, straight.with_cov(cov).bse, rtol=1e-9, err_msg=cov
        )
    pd.testing.assert_series_equal(
        mixed.fittedvalues.sort_index(), straight.fittedvalues, rtol=1e-10
    )


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS)
def test_the_order_of_columns_of_the_data(name, seed):
    data = suitable(name, seed)
    turned = fit(data[list(reversed(data.columns))], name)
    np.testing.assert_array_equal(turned.params, fit(data, name).params)


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS, rows=st.sampled_from([8, 31, 50]))
def test_threads_do_not_change_a_bit(name, seed, rows):
    data = suitable(name, seed)
    with pytest.MonkeyPatch.context() as patch:
        small_strips(patch, rows)
        one, two, many = (
            fit(data, name, control=gc.Control(threads=threads)) for threads in (1, 2, 5)
        )
        for other in (two, many):
            np.testing.assert_array_equal(other.params, one.params)
            np.testing.assert_array_equal(other.cov_params(), one.cov_params())
            np.testing.assert_array_equal(
                other.with_cov("HC1").cov_params(), one.with_cov("HC1").cov_params()
            )
            np.testing.assert_array_equal(other.fittedvalues, one.fittedvalues)
            if EVERY[name].deviance:
                assert other.deviance == one.deviance
            if EVERY[name].likelihood:
                assert other.llf == one.llf


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS, rows=st.sampled_from([20, 64, 119]), block=st.sampled_from([5, 16_384]))
def test_strips_and_blocks_change_nothing(name, seed, rows, block):
    data = suitable(name, seed)
    whole = fit(data, name)
    # What is lazy is asked for while the strips are those of the fit.
    errors = {cov: whole.with_cov(cov).bse for cov in covariances(name)}
    chi2 = whole.pearson_chi2
    deviance = whole.deviance if EVERY[name].deviance else None
    with pytest.MonkeyPatch.context() as patch:
        small_strips(patch, rows)
        cut = fit(data, name, control=gc.Control(block_rows=block, memory=0))
        for cov, expected in errors.items():
            np.testing.assert_allclose(cut.with_cov(cov).bse, expected, rtol=1e-9, err_msg=cov)
        if deviance is not None:
            assert cut.deviance == pytest.approx(deviance, rel=1e-12)
        assert cut.pearson_chi2 == pytest.approx(chi2, rel=1e-12)
    same(cut, whole, 1e-11)
    if EVERY[name].likelihood:
        assert cut.llf == pytest.approx(whole.llf, rel=1e-13)


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS)
def test_frequency_weights_are_repetition(name, seed):
    data = suitable(name, seed)
    weighted = fit(data, name, weights="w")
    repeated = fit(data.loc[data.index.repeat(data["w"])].reset_index(drop=True), name)
    same(weighted, repeated)
    same_llf(weighted, repeated, name)
    assert weighted.nobs == repeated.nobs
    assert weighted.df_resid == repeated.df_resid
    assert weighted.pearson_chi2 == pytest.approx(repeated.pearson_chi2, rel=1e-10)
    if EVERY[name].deviance:
        assert weighted.null_deviance == pytest.approx(repeated.null_deviance, rel=1e-10)
    for cov in covariances(name):
        np.testing.assert_allclose(
            weighted.with_cov(cov).bse, repeated.with_cov(cov).bse, rtol=1e-9, err_msg=cov
        )
    if EVERY[name].likelihood:
        assert weighted.bic == pytest.approx(repeated.bic, rel=1e-12)
        assert weighted.llnull == pytest.approx(repeated.llnull, rel=1e-12)


@pytest.mark.parametrize("weights_type", ["frequency", "importance", "probability"])
@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS)
def test_zero_weights_are_absent_rows(name, weights_type, seed):
    data = suitable(name, seed)
    data["v"] = np.where(data.index % 5 == 0, 0, data["w"])
    weighted = fit(data, name, weights="v", weights_type=weights_type)
    absent = fit(data[data["v"] > 0], name, weights="v", weights_type=weights_type)
    same(weighted, absent, 1e-11)
    assert weighted.nobs == absent.nobs
    assert weighted.df_resid == absent.df_resid


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS, factor=st.sampled_from([0.25, 3.0, 1000.0]))
def test_importance_weights_times_a_factor(name, seed, factor):
    """Estimates stay; the model's own errors shrink by the root; the sandwich stays."""
    data = suitable(name, seed)
    data["v"] = factor * data["w"]
    one = fit(data, name, weights="w", weights_type="importance")
    more = fit(data, name, weights="v", weights_type="importance")
    assert np.all(np.abs(more.params - one.params) <= 1e-9 * errors(one))
    shrunk = 1.0 if EVERY[name].scale == "pearson" else np.sqrt(factor)
    np.testing.assert_allclose(more.bse * shrunk, one.bse, rtol=1e-9)
    np.testing.assert_allclose(more.with_cov("HC0").bse, one.with_cov("HC0").bse, rtol=1e-9)
    assert more.nobs == one.nobs


@pytest.mark.parametrize("name", LOG)
@FEW
@given(seed=SEEDS, shift=st.floats(-300, 300))
def test_a_constant_offset_moves_the_intercept_only(name, seed, shift):
    data = suitable(name, seed)
    data["o"] = shift
    plain, moved = fit(data, name), fit(data, name, offset="o")
    expected = plain.params.copy()
    expected["Intercept"] -= shift
    allowed = 1e-10 * errors(plain) + 1e-14 * abs(shift)
    assert np.all(np.abs(moved.params - expected) <= allowed)
    np.testing.assert_allclose(moved.bse, plain.bse, rtol=1e-10)
    same_llf(moved, plain, name)
    if EVERY[name].deviance:
        assert moved.null_deviance == pytest.approx(plain.null_deviance, rel=1e-10)


@pytest.mark.parametrize("name", LOG)
@FEW
@given(seed=SEEDS)
def test_exposure_and_offset_are_one_thing(name, seed):
    data = suitable(name, seed)
    ways = (
        fit(data, name, exposure="t"),
        fit(data, name, offset="log(t)"),
        fit(data, name, offset=np.log(data["t"].to_numpy())),
        fit(data, name, offset=np.log(data["t"])),
        fit(data, name, formula=f"{FORMULA} + offset(log(t))"),
        fit(data, name, formula=f"{FORMULA} + offset(np.log(t))"),
    )
    for way in ways[1:]:
        same(way, ways[0], 1e-11)
        np.testing.assert_allclose(way.fittedvalues, ways[0].fittedvalues, rtol=1e-12)


@pytest.mark.parametrize("name", RATES)
@FEW
@given(seed=SEEDS, factor=st.sampled_from([2.0, 7.0, 1e6, 1e12]))
def test_counts_times_a_factor(name, seed, factor):
    """Rates: only the intercept moves, by log c; errors shrink by the root of c."""
    data = suitable(name, seed)
    plain, scaled = fit(data, name), fit(data.assign(y=factor * data["y"]), name)
    expected = plain.params.copy()
    expected["Intercept"] += np.log(factor)
    assert np.all(np.abs(scaled.params - expected) <= 1e-10 * plain.bse + 1e-14 * np.log(factor))
    shrunk = 1.0 if EVERY[name].scale == "pearson" else np.sqrt(factor)
    np.testing.assert_allclose(scaled.bse * shrunk, plain.bse, rtol=1e-9)
    np.testing.assert_allclose(scaled.with_cov("HC3").bse, plain.with_cov("HC3").bse, rtol=1e-8)
    assert scaled.deviance == pytest.approx(factor * plain.deviance, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS)
def test_levels_by_other_names(name, seed):
    """Names that sort in another order: another base level, the same fit."""
    data = suitable(name, seed)
    other = data.assign(g=data["g"].map({"a": "zz", "b": "m", "c": "f"}))
    plain, renamed = fit(data, name, "y ~ x + g"), fit(other, name, "y ~ x + g")
    kept = fit(other, name, "y ~ x + C(g, Treatment('zz'))")
    np.testing.assert_allclose(renamed.fittedvalues, plain.fittedvalues, rtol=1e-9)
    same_llf(renamed, plain, name)
    assert renamed.params["g[T.zz]"] == pytest.approx(-plain.params["g[T.c]"], abs=1e-9)
    assert kept.params["C(g, Treatment('zz'))[T.m]"] == pytest.approx(
        plain.params["g[T.b]"], abs=1e-9
    )
    assert kept.bse["x"] == pytest.approx(plain.bse["x"], rel=1e-9)


@pytest.mark.parametrize("kind", ["category", "ordered", "object", "string", "codes"])
@FEW
@given(seed=SEEDS)
def test_a_factor_by_any_type_is_the_same_factor(kind, seed):
    data = problems.mixed_data(seed)
    held = {
        "category": lambda g: g.astype("category"),
        "ordered": lambda g: pd.Categorical(g, ["a", "b", "c", "never"], ordered=True),
        "object": lambda g: g.astype(object),
        "string": lambda g: g.astype("string"),
        "codes": lambda g: g.map({"a": 1, "b": 2, "c": 3}),
    }[kind]
    other = fit(data.assign(g=held(data["g"])), "poisson", "y ~ x + C(g)")
    np.testing.assert_array_equal(other.params, fit(data, "poisson", "y ~ x + C(g)").params)


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=SEEDS, power=st.integers(-30, 30), shift=st.sampled_from([0.0, 1e3, -1e5]))
def test_columns_scaled_and_shifted(name, seed, power, shift):
    data = suitable(name, seed)
    scale = 10.0**power
    plain = fit(data, name, "y ~ x + z + g")
    moved = fit(data.assign(x=scale * (data["x"] + shift)), name, "y ~ x + z + g")
    # The data themselves lose as many digits as the shift has before the point.
    tolerance = 1e-10 if shift == 0 else 1e-13 * abs(shift) * 10
    rest = [n for n in plain.params.index if n not in {"Intercept", "x"}]
    gap = np.abs(moved.params[rest] - plain.params[rest])
    assert np.all(gap <= tolerance * errors(plain)[rest])
    assert abs(scale * moved.params["x"] - plain.params["x"]) <= tolerance * plain.bse["x"]
    assert scale * moved.bse["x"] == pytest.approx(plain.bse["x"], rel=tolerance)
    np.testing.assert_allclose(moved.bse[rest], plain.bse[rest], rtol=tolerance)
    same_llf(moved, plain, name)


@pytest.mark.parametrize("method", ["newton", "irls", "lbfgs", "gradient"])
@pytest.mark.parametrize("name", NAMES)
def test_every_method_reaches_the_same_maximum(name, method):
    data = suitable(name, 3)
    formula = "y ~ x + g"
    found = fit(data, name, formula, method=method)
    expected = fit(data, name, formula)
    assert found.converged
    assert found.method == method
    assert len(found.history) > 1
    assert np.all(np.abs(found.params - expected.params) <= 1e-8 * errors(expected))
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-7)


@pytest.mark.parametrize("link", ["log", "identity", "sqrt"])
@pytest.mark.parametrize("name", SATURATED)
def test_a_saturated_factor_has_the_means_of_its_cells(name, link):
    data = suitable(name, 9)
    result = fit(data, name, "y ~ 0 + g", link=link)
    means = data.groupby("g")["y"].mean()
    inverse = {"log": np.log, "identity": np.asarray, "sqrt": np.sqrt}[link]
    np.testing.assert_allclose(result.params.iloc[:3], inverse(means), rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_are_the_formula(name):
    data = suitable(name, 4)
    design = np.column_stack([np.ones(len(data)), data["x"], data["z"]])
    options = {"family": EVERY[name], **asked(name)}
    bare = gc.fit_arrays(data["y"].to_numpy(), design, **options)
    named = gc.fit_arrays(data["y"], design, names=["Intercept", "x", "z"], **options)
    formula = fit(data, name, "y ~ x + z")
    assert list(bare.params.index[:3]) == ["x0", "x1", "x2"]
    same(named, formula, 1e-11)
    np.testing.assert_allclose(bare.params, named.params, rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_quantity_is_what_its_parts_make(name):
    result = fit(suitable(name, 12), name)
    k = len(result.params)
    np.testing.assert_allclose(result.bse, np.sqrt(np.diag(result.cov_params())), rtol=1e-13)
    if EVERY[name].deviance:
        assert result.deviance == pytest.approx(np.sum(result.resid_deviance**2), rel=1e-11)
    assert result.pearson_chi2 == pytest.approx(np.sum(result.resid_pearson**2), rel=1e-11)
    if not EVERY[name].parts:
        assert result.get_influence().hat_matrix_diag.sum() == pytest.approx(result.df_model + 1)
    if EVERY[name].likelihood:
        assert result.aic == pytest.approx(2 * k - 2 * result.llf, rel=1e-13)
        assert result.bic == pytest.approx(k * np.log(result.nobs) - 2 * result.llf, rel=1e-13)
        assert result.prsquared == pytest.approx(1 - result.llf / result.llnull, rel=1e-10)
        assert result.llr == pytest.approx(2 * (result.llf - result.llnull), rel=1e-12)
