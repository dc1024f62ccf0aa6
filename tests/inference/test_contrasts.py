"""Contrasts of factor levels against predictions over a grid of cells, by brute force."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.inference.contrasts import comparison

KINDS = ("pairwise", "reference", "sequential", "mean")


def made(n=300, seed=2):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "x": rng.normal(2.0, 1.0, n),
            "z": rng.uniform(1.0, 3.0, n),
            "g": rng.choice(list("abc"), n),
            "h": rng.choice(["u", "v"], n),
            "k": rng.choice([1, 2, 3, 4], n),
            "t": rng.uniform(0.5, 2.0, n),
            "w": rng.integers(1, 4, n),
        }
    )
    mean = data.t * np.exp(0.4 + 0.3 * (data.g == "b") - 0.1 * data.x * (data.h == "u"))
    data["y"] = rng.poisson(mean * rng.gamma(2.0, 0.5, n))
    data["v"] = rng.poisson(3.0 * mean * rng.gamma(3.0, 1 / 3, n))
    data.loc[rng.uniform(size=n) < np.where(data.g == "b", 0.4, 0.2), "v"] = 0
    return data


DATA = made()


def cells(data, factors, numbers, weights=None):
    """Every combination of levels, numbers at their means."""
    levels = [sorted(data[name].unique()) for name in factors]
    grid = pd.DataFrame(list(product(*levels)), columns=factors)
    for name in numbers:
        grid[name] = np.average(data[name], weights=weights)
    return grid.assign(t=1.0)


def brute(result, grid, term):
    return result.predict(grid, which="linear").groupby(grid[term]).mean()


FORMULAS = {
    "y ~ g": ["g"],
    "y ~ g + x": ["g"],
    "y ~ g * h": ["g", "h"],
    "y ~ C(g, Sum) * h * x": ["g", "h"],
    "y ~ g:h + x": ["g", "h"],
    "y ~ 0 + g + g:np.log(z)": ["g"],
    "y ~ h + g * x * np.log(z)": ["g", "h"],
    "y ~ g * bs(x, df=4) + h": ["g", "h"],
    "y ~ C(g, Helmert) * C(k, Poly)": ["g", "k"],
    "y ~ g * (x + h) + offset(np.log(t))": ["g", "h"],
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_contrasts_are_differences_of_averaged_predictions(formula):
    missing = DATA.assign(x=DATA.x.where(DATA.index != 5), z=DATA.z.where(DATA.index != 5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.MissingRowsWarning)
        result = gc.fit(formula, missing)
    means = brute(result, cells(missing.dropna(), FORMULAS[formula], ["x", "z"]), "g")
    found = result.contrasts("g")
    assert list(found.contrast) == ["b - a", "c - a", "c - b"]
    truth = [means.b - means.a, means.c - means.a, means.c - means.b]
    np.testing.assert_allclose(found.estimate, truth, rtol=1e-9, atol=1e-11)
    mean = result.contrasts("g", kind="mean")
    np.testing.assert_allclose(mean.estimate, means - means.mean(), rtol=1e-9, atol=1e-11)


def test_frequency_and_probability_weights_weigh_the_means_of_numbers():
    used = DATA
    repeated = used.loc[np.repeat(used.index, used.w)]
    whole = gc.fit("y ~ g * x", repeated).contrasts("g")
    for kind in ("frequency", "probability", "importance"):
        result = gc.fit("y ~ g * x", used, weights="w", weights_type=kind)
        grid = cells(used, ["g"], ["x"], None if kind == "importance" else used.w)
        means = brute(result, grid, "g")
        found = result.contrasts("g")
        assert found.estimate[0] == pytest.approx(means.b - means.a, rel=1e-9)
        if kind == "frequency":
            for name in ("estimate", "std_error", "p_value"):
                np.testing.assert_allclose(found[name], whole[name], rtol=1e-7)


@pytest.mark.parametrize("cov", ["nonrobust", "HC0", "HC3"])
def test_errors_and_tests_are_those_of_the_covariance(cov):
    result = gc.fit("y ~ g + x", DATA, cov=cov)
    v = result.cov_params().to_numpy()
    r = np.zeros((3, 4))
    b, c = (result.params.index.get_loc(f"g[T.{level}]") for level in "bc")
    r[0, b] = r[1, c] = r[2, c] = 1.0
    r[2, b] = -1.0
    found = result.contrasts("g", alpha=0.1)
    error = np.sqrt(np.diag(r @ v @ r.T))
    np.testing.assert_allclose(found.std_error, error, rtol=1e-10)
    z = r @ result.params.to_numpy() / error
    np.testing.assert_allclose(found.p_value, 2 * stats.norm.sf(np.abs(z)), rtol=1e-8)
    reach = stats.norm.isf(0.05) * error
    np.testing.assert_allclose(found.conf_high - found.estimate, reach, rtol=1e-10)


def test_quasi_likelihoods_have_students_t():
    result = gc.fit("y ~ g + x", DATA, family="quasipoisson")
    found = result.contrasts("g")
    truth = 2 * stats.t.sf(np.abs(found.statistic), result.df_resid)
    np.testing.assert_allclose(found.p_value, truth, rtol=1e-9)


def test_coding_does_not_matter():
    first = gc.fit("y ~ g * h + x", DATA).contrasts("g", adjust="single-step")
    for formula in ("y ~ C(g, Sum) * C(h, Helmert) + x", "y ~ 0 + g:h + x"):
        other = gc.fit(formula, DATA).contrasts("g", adjust="single-step")
        for name in ("estimate", "std_error", "statistic", "p_value", "conf_low"):
            np.testing.assert_allclose(other[name], first[name], rtol=1e-6, atol=1e-9)


def test_ratios_are_exp_and_named_so():
    result = gc.fit("y ~ g", DATA)
    plain, ratio = result.contrasts("g"), result.contrasts("g", exponentiate=True)
    assert list(ratio.contrast) == ["b / a", "c / a", "c / b"]
    np.testing.assert_allclose(ratio.estimate, np.exp(plain.estimate), rtol=1e-14)
    np.testing.assert_allclose(ratio.std_error, ratio.estimate * plain.std_error, rtol=1e-12)
    np.testing.assert_allclose(ratio.conf_low, np.exp(plain.conf_low), rtol=1e-13)
    np.testing.assert_array_equal(ratio.p_value, plain.p_value)
    means = DATA.groupby("g").y.mean()
    assert ratio.estimate[0] == pytest.approx(means.b / means.a, rel=1e-9)
    assert ratio.attrs["scale"] == "rate ratio" and plain.attrs["scale"] == "link"


def test_columns_and_what_is_kept_beside():
    found = gc.fit("y ~ g", DATA).contrasts("g", adjust="single-step", alpha=0.1)
    assert list(found.columns) == [
        "term", "contrast", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"
    ]  # fmt: skip
    assert set(found.term) == {"g"}
    assert found.attrs["conf_level"] == 0.9 and found.attrs["adjust"] == "single-step"
    assert found.attrs["intervals"] == "simultaneous" and found.attrs["error"] < 1e-8


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [
        ("pairwise", ["b - a", "c - a", "d - a", "c - b", "d - b", "d - c"]),
        ("reference", ["a - b", "c - b", "d - b"]),
        ("sequential", ["b - a", "c - b", "d - c"]),
        ("mean", ["a - mean", "b - mean", "c - mean", "d - mean"]),
    ],
)
def test_which_contrasts_a_kind_has(kind, pairs):
    found = comparison(kind, list("abcd"), 1)
    assert list(found.differences) == pairs
    np.testing.assert_allclose(found.weights.sum(axis=1), 0.0, atol=1e-15)
    for row, name in zip(found.weights, pairs, strict=True):
        assert row["abcd".index(name[0])] == (0.75 if kind == "mean" else 1.0)


def test_the_reference_is_that_of_the_formula_or_the_one_named():
    coded = gc.fit("y ~ C(g, Treatment('b'))", DATA)
    assert list(coded.contrasts("g", kind="reference").contrast) == ["a - b", "c - b"]
    named = coded.contrasts("g", kind="reference", reference="c")
    assert list(named.contrast) == ["a - c", "b - c"]
    number = gc.fit("y ~ C(k)", DATA).contrasts("k", kind="reference", reference=2)
    assert list(number.contrast) == ["1 - 2", "3 - 2", "4 - 2"]


def test_other_equations_are_named_by_their_prefix():
    result = gc.fit("v ~ x", DATA, family="negbin", inflate="g", dispersion="h")
    assert result.contrasts("inflate_g").estimate[0] == result.params["inflate_g[T.b]"]
    odds = result.contrasts("inflate_g", exponentiate=True)
    assert odds.attrs["scale"] == "odds ratio"
    alpha = result.contrasts("dispersion_h", exponentiate=True)
    assert alpha.estimate[0] == pytest.approx(np.exp(result.params["dispersion_h[T.v]"]))
    assert alpha.attrs["scale"] == "ratio of alpha"
    with pytest.raises(gc.errors.UsageError) as caught:
        result.contrasts("g")
    assert "'inflate_g'" in str(caught.value) and caught.value.kind == "no_factor"


def test_empty_cells_are_not_estimable():
    some = DATA[~((DATA.g == "c") & (DATA.h == "v"))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("y ~ g * h", some)
    with pytest.warns(gc.errors.NotEstimableWarning, match="c - a, c - b") as caught:
        found = result.contrasts("g", adjust="holm")
    assert len(caught) == 1
    assert np.isnan(found.estimate[1]) and np.isnan(found.p_value[2])
    # As though it were the only contrast.
    assert found.p_value[0] == pytest.approx(2 * stats.norm.sf(abs(found.statistic[0])), rel=1e-9)
    a, b = (np.log(some[some.g == level].groupby("h").y.mean()).mean() for level in "ab")
    assert found.estimate[0] == pytest.approx(b - a, rel=1e-8)


def test_an_infinite_level_is_infinite_and_the_others_have_their_values():
    data = DATA.assign(y=DATA.y.where(DATA.g != "b", 0))
    result = gc.fit("y ~ g", data, separation="ignore")
    found = result.contrasts("g", adjust="bonferroni")
    assert found.estimate[0] == -np.inf and found.estimate[2] == np.inf
    assert np.isnan(found.p_value[0]) and np.isnan(found.conf_low[2])
    means = data.groupby("g").y.mean()
    assert found.estimate[1] == pytest.approx(np.log(means.c / means.a), rel=1e-8)


def test_pickled_results_compare_what_needs_no_rows():
    import pickle

    result = pickle.loads(pickle.dumps(gc.fit("y ~ g * h + x", DATA)))  # noqa: S301
    assert len(result.contrasts("g")) == 3
    result = pickle.loads(pickle.dumps(gc.fit("y ~ g * x", DATA)))  # noqa: S301
    with pytest.raises(gc.errors.NoRowsError):
        result.contrasts("g")


@pytest.mark.parametrize(
    ("formula", "call", "kind"),
    [
        ("y ~ x", {"term": "x"}, "no_factor"),
        ("y ~ g", {"term": "gg"}, "no_factor"),
        ("y ~ g", {"term": ["g"]}, "no_factor"),
        ("y ~ C(k) + k:x", {"term": "k"}, "entangled_factor"),
        ("y ~ C(g, Sum) + C(g):x", {"term": "g"}, "entangled_factor"),
        ("y ~ C(g, Sum) + C(g):x", {"term": "C(g)"}, "entangled_factor"),
        ("y ~ g", {"term": "g", "kind": "tukey"}, "contrast_kind"),
        ("y ~ g", {"term": "g", "adjust": "scheffe"}, "contrast_adjust"),
        ("y ~ g", {"term": "g", "reference": "a"}, "contrast_reference"),
        ("y ~ g", {"term": "g", "kind": "reference", "reference": "q"}, "contrast_reference"),
        ("y ~ g", {"term": "g", "alpha": 2}, "alpha"),
        ("y ~ g", {"term": "g", "exponentiate": "yes"}, "exponentiate"),
    ],
)
def test_what_cannot_be_compared_is_named(formula, call, kind):
    result = gc.fit(formula, DATA)
    with pytest.raises(gc.errors.UsageError) as caught:
        result.contrasts(**call)
    assert caught.value.kind == kind


def test_more_contrasts_than_memory_or_time_allows_are_refused():
    data = {"y": np.resize([1.0, 2.0, 3.0], 240), "g": np.repeat(np.arange(80), 3)}
    small = gc.fit("y ~ C(g)", data, control=gc.Control(memory_limit=2**20))
    with pytest.raises(gc.errors.MemoryLimitError) as caught:
        small.contrasts("g")
    assert caught.value.kind == "memory_limit" and len(small.contrasts("g", kind="mean")) == 80
    result = gc.fit("y ~ C(g)", data)
    with pytest.raises(gc.errors.MemoryLimitError, match="3,160") as caught:
        result.contrasts("g", adjust="single-step")
    assert caught.value.kind == "single_step_size"
    assert len(result.contrasts("g", adjust="holm")) == 3160


def test_a_root_link_has_no_ratios():
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        gc.fit("y ~ g", DATA, link="sqrt").contrasts("g", exponentiate=True)
    assert caught.value.kind == "no_rate_ratio"


def test_arrays_have_no_factors():
    result = gc.fit_arrays(DATA.y, np.ones((len(DATA), 1)))
    with pytest.raises(gc.errors.UsageError, match="t_test") as caught:
        result.contrasts("x0")
    assert caught.value.kind == "no_factor"
