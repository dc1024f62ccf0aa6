"""The law of cells: rows that share what a model sees, fitted as one, change no result."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glmcount as gc
from glmcount.families import families, links
from tests.laws.problems import (
    EVERY,
    FEW,
    FITTED,
    SEEDS,
    composed,
    counts,
    small_strips,
    suited,
    typical_etas,
    with_link,
)

ROBUST = ("HC0", "HC1", "opg")
LINKED = [
    (name, link.name)
    for name, family in families.items()
    for link in links.values()
    if family.domain == link.domain and link.name not in ("log", "logit")
]


def by_value(name, link):
    """Whether rows of one cell share the count."""
    return with_link(name, link).collapse == "value"


def repeated_data(seed, n=400):
    """Counts that vary more than Poisson's, and columns of few values."""
    rng = np.random.default_rng(seed)
    g = rng.permutation(np.resize(["a", "b", "c"], n))
    h = rng.permutation(np.resize(["p", "q"], n))
    k = rng.integers(0, 4, n)
    f = rng.choice([0.5, 1.25, 2.0], n)
    t = rng.choice([0.5, 1.0, 3.0], n)
    mean = t * np.exp(0.6 + 0.4 * (g == "b") + 0.1 * k + 0.2 * f)
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, n)) + rng.integers(0, 2, n)
    w = rng.integers(1, 4, n)
    v = rng.uniform(0.3, 2.0, n)
    return pd.DataFrame({"y": y, "g": g, "h": h, "k": k, "f": f, "t": t, "w": w, "v": v})


def both(data, formula="y ~ g + k", **options):
    """The fit to rows and the fit to cells."""
    options = {"exposure": "t", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        rows = gc.fit(formula, data, compress=False, **options)
        cells = gc.fit(formula, data, compress=True, **options)
    return rows, cells


def agree(rows, cells, robust=ROBUST, tolerance=1e-10):
    """Everything that a fit tells; standard errors also robust."""
    assert rows.n_cells is None
    assert 0 < cells.n_cells <= len(rows.fittedvalues)
    assert list(cells.params.index) == list(rows.params.index)
    finite = np.isfinite(rows.bse)
    moved = np.abs(cells.params - rows.params)[finite]
    assert np.all(moved <= tolerance * rows.bse[finite])
    np.testing.assert_allclose(cells.bse, rows.bse, rtol=tolerance)
    for cov in robust:
        np.testing.assert_allclose(
            cells.with_cov(cov).bse, rows.with_cov(cov).bse, rtol=tolerance, err_msg=cov
        )
    assert (cells.nobs, cells.df_resid, cells.df_model) == (rows.nobs, rows.df_resid, rows.df_model)
    assert cells.converged == rows.converged
    assert [str(w) for w in cells.warnings] == [str(w) for w in rows.warnings]
    family = rows._state.family
    if family.likelihood:
        assert cells.llf == pytest.approx(rows.llf, rel=1e-12)
        assert cells.llnull == pytest.approx(rows.llnull, rel=1e-12)
        assert cells.history[-1].llf == pytest.approx(rows.history[-1].llf, rel=1e-9)
    assert cells.pearson_chi2 == pytest.approx(rows.pearson_chi2, rel=1e-9)
    if rows._state.fit.family.deviance:
        assert cells.deviance == pytest.approx(rows.deviance, rel=1e-10)
    pd.testing.assert_series_equal(cells.fittedvalues, rows.fittedvalues, rtol=1e-9)


@pytest.mark.parametrize("name, link", [c for c in composed() if not by_value(*c)])
@FEW
@given(seed=SEEDS)
def test_a_mean_of_counts_stands_for_them(name, link, seed):
    """Where rows need not share the count, the log-likelihood is linear in it."""
    family, n = with_link(name, link), 50
    etas = typical_etas(name, link, seed, n)
    y = np.stack([counts(name, seed + i, n)[0] for i in range(3)])
    share = np.array([0.2, 0.5, 0.3])
    jets = [family.terms(row[None, :], etas) for row in y]
    jet = family.terms(np.dot(share, y)[None, :], etas)
    parts = [lambda j: j.value, lambda j: j.d1[0], lambda j: j.d2[0][0]]
    for part in parts:
        of_rows = [np.broadcast_to(part(one), (n,)) for one in jets]
        largest = np.abs(of_rows).max(axis=0) + 1.0
        gap = np.abs(part(jet) - np.dot(share, of_rows))
        assert np.all(gap <= 1e-13 * largest * (1.0 + np.abs(etas[0])))
    mean, variance = family.moments(etas)
    score = (y[0] - mean.value) * mean.d1[0] / variance.value
    np.testing.assert_allclose(jets[0].d1[0], score, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", FITTED)
@FEW
@given(seed=SEEDS)
def test_every_family(name, seed):
    data = suited(name, repeated_data(seed))
    options = {"censored": 9} if EVERY[name].columns else {}
    if EVERY[name].domain == "logit":
        options["exposure"] = None
    rows, cells = both(data, family=EVERY[name], **options)
    agree(rows, cells)
    assert cells.n_cells < len(data)
    if rows._state.fit.family.deviance and not rows._state.fit.family.parts:
        assert cells.null_deviance == pytest.approx(rows.null_deviance, rel=1e-10)


@pytest.mark.parametrize("name, link", LINKED)
@FEW
@given(seed=SEEDS)
def test_every_link(name, link, seed):
    data = suited(name, repeated_data(seed))
    agree(*both(data, "y ~ g", family=name, link=link, exposure=None))


# Every covariance is compared, those that go by the size of sampling weights too.
@pytest.mark.filterwarnings("ignore:cov=.* takes probability weights")
@pytest.mark.parametrize("kind", ["frequency", "importance", "probability"])
@pytest.mark.parametrize("name", ["poisson", "quasipoisson", "geometric", "negbin", "genpoisson"])
@pytest.mark.parametrize("weights", ["w", "v"])
@FEW
@given(seed=SEEDS)
def test_weights(name, kind, weights, seed):
    data = repeated_data(seed)
    data.loc[data.index % 7 == 0, weights] = 0
    agree(*both(data, family=name, weights=weights, weights_type=kind))


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ 1",
        "y ~ g*h + f",
        "y ~ 0 + g:h",
        "y ~ C(g, Sum)*k",
        "y ~ g:f + k:f + h",
        "y ~ bs(k, df=4, degree=2) + h + offset(f)",
        "y ~ C(k, Poly) + np.log(t)",
        "y ~ h + k + I(2 * k)",
        "y ~ 0 + k + f",
        "y ~ g + 0.25*k + sqrt(f)",
    ],
)
@pytest.mark.parametrize("name", ["poisson", "negbin"])
@FEW
@given(seed=SEEDS)
def test_designs(name, formula, seed):
    formula = formula.replace("0.25*k", "I(0.25*k)")
    agree(*both(repeated_data(seed), formula, family=name))


@pytest.mark.parametrize(
    "options",
    [
        {"inflate": "h + k"},
        {"inflate": "h + offset(f)", "family": "negbin"},
        {"hurdle": "h + f"},
        {"hurdle": "1", "zero": "poisson", "family": "negbin"},
        {"dispersion": "h", "family": "negbin"},
        {"dispersion": "h + k", "family": "negbin1"},
        {"censored": "9 + k"},
        {"truncated": 0},
    ],
    ids=lambda options: "-".join(options),
)
@FEW
@given(seed=SEEDS)
def test_models_of_several_parts(options, seed):
    data = repeated_data(seed)
    if "inflate" in options or "hurdle" in options:
        data.loc[data.index % 4 == 0, "y"] = 0
    if "truncated" in options:
        data["y"] += 1
    agree(*both(data, **options))


@pytest.mark.parametrize("name", ["poisson", "negbin", "zero-inflated poisson"])
@FEW
@given(seed=SEEDS)
def test_missing_rows(name, seed):
    data = suited(name, repeated_data(seed))
    data.loc[data.index % 11 == 0, "g"] = None
    data["k"] = data["k"].astype("Int64")
    data.loc[data.index % 13 == 0, "k"] = pd.NA
    rows, cells = both(data, family=EVERY[name])
    agree(rows, cells)
    assert cells.n_dropped == rows.n_dropped > 0


@pytest.mark.parametrize("name", ["poisson", "negbin", "hurdle poisson"])
@FEW
@given(seed=SEEDS, rows=st.sampled_from([16, 37, 150]))
def test_strips_and_threads(name, seed, rows):
    data = suited(name, repeated_data(seed))
    whole = both(data, family=EVERY[name])[1]
    with pytest.MonkeyPatch.context() as patch:
        small_strips(patch, rows)
        one, two = (
            both(data, family=EVERY[name], control=gc.Control(threads=threads))
            for threads in (1, 2)
        )
        agree(*one, tolerance=2e-10)
        for cov in ("nonrobust", "HC0"):
            np.testing.assert_array_equal(
                one[1].with_cov(cov).cov_params(), two[1].with_cov(cov).cov_params()
            )
        np.testing.assert_array_equal(one[1].params, two[1].params)
        assert one[1].llf == two[1].llf
    assert one[1].n_cells == whole.n_cells
    assert np.all(np.abs(one[1].params - whole.params) <= 1e-10 * whole.bse)


@FEW
@given(seed=SEEDS)
def test_arrays(seed):
    data = repeated_data(seed)
    X = np.column_stack([np.ones(len(data)), data["k"], data["f"], data["g"] == "b"])
    for family, more in (("poisson", {}), ("negbin", {"dispersion": X[:, 1:2]})):
        options = {"family": family, "exposure": data["t"].to_numpy(), **more}
        rows, cells = (gc.fit_arrays(data["y"], X, compress=c, **options) for c in (False, True))
        agree(rows, cells)
        assert cells.n_cells < len(data)
