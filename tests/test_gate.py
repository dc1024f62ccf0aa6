"""Data that are changed in place after a fit are told by everything that reads rows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import glmcount as gc
from glmcount.errors import DataChangedError

N = 200_000

READERS = {
    "fittedvalues": lambda r: r.fittedvalues,
    "predict": lambda r: r.predict(),
    "get_prediction": lambda r: r.get_prediction(),
    "resid_response": lambda r: r.resid_response,
    "resid_pearson": lambda r: r.resid_pearson,
    "resid_deviance": lambda r: r.resid_deviance,
    "resid_anscombe": lambda r: r.resid_anscombe,
    "resid_working": lambda r: r.resid_working,
    "resid_quantile": lambda r: r.resid_quantile(1),
    "deviance": lambda r: r.deviance,
    "pearson_chi2": lambda r: r.pearson_chi2,
    "null_deviance": lambda r: r.null_deviance,
    "llnull": lambda r: r.llnull,
    "opg": lambda r: r.with_cov("opg").bse,
    "HC0": lambda r: r.with_cov("HC0").bse,
    "HC1": lambda r: r.with_cov("HC1").bse,
    "HC2": lambda r: r.with_cov("HC2").bse,
    "HC3": lambda r: r.with_cov("HC3").bse,
    "simulate": lambda r: r.simulate(1, rng=1),
    "refit y": lambda r: r.refit(y=np.ones(r._state.rows.source.n_rows)),
    "refit family": lambda r: r.refit(family="quasipoisson"),
    "influence": lambda r: r.get_influence(),
    "augment": lambda r: r.augment(),
    "summary": lambda r: r.summary(),
}


def columns(n):
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, n))
    t, w = rng.uniform(0.5, 2.0, n), rng.integers(1, 4, n).astype(float)
    y = rng.poisson(np.exp(0.2 + 0.4 * x) * t).astype(float)
    return {"y": y, "x": x, "z": z, "t": t, "w": w}


def one(values, rng):
    place = rng.integers(len(values))
    values[place] = values[place] * 1.5 + 1.0


def swapped(values, rng):
    values[:] = values[::-1].copy()


def changed(name, edit, n, **options):
    data = columns(n)
    result = gc.fit("y ~ x + z", data, exposure="t", weights="w", **options)
    edit(data[name], np.random.default_rng(5))
    return result


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("edit", [one, swapped])
def test_one_value_or_an_order_is_told_by_every_reader(read, edit):
    r = changed("x", edit, 2_000)
    with pytest.raises(DataChangedError, match="column 'x' has changed in the rows 0 to 1999"):
        read(r)


@pytest.mark.parametrize("name", ["y", "x", "z", "t", "w"])
@pytest.mark.parametrize("edit", [one, swapped])
def test_every_column_is_looked_at(name, edit):
    with pytest.raises(DataChangedError):
        _ = changed(name, edit, 500).resid_pearson


@pytest.mark.parametrize("name", ["y", "x", "t", "w"])
def test_one_value_of_200_000(name):
    r = changed(name, one, N, compress=False)
    with pytest.raises(DataChangedError, match="in the rows"):
        _ = r.pearson_chi2


@pytest.mark.parametrize("compress", [True, False])
def test_rows_behind_cells(compress):
    data = columns(3_000)
    data["x"] = np.round(data["x"])
    r = gc.fit("y ~ x", data, compress=compress)
    data["x"][7] += 1.0
    for name in ("resid_pearson", "deviance", "HC1"):
        with pytest.raises(DataChangedError):
            READERS[name](r)


def test_separated_fits_too():
    data = {"y": np.array([1.0, 2, 3, 0, 0]), "d": np.array([0.0, 0, 0, 1, 1])}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = gc.fit("y ~ d", data)
    data["y"][0] = 2.0
    with pytest.raises(DataChangedError, match="column 'y'"):
        _ = r.fittedvalues


def test_parts_and_limits_too():
    data = columns(400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = gc.fit("y ~ x", data, family="negbin", inflate="z")
    assert np.isfinite(r.fittedvalues).all()
    data["z"][3] += 1.0
    with pytest.raises(DataChangedError):
        r.simulate(1, rng=1)


def test_arrays_of_fit_arrays():
    rng = np.random.default_rng(1)
    X, y = np.column_stack([np.ones(50), rng.normal(size=50)]), rng.poisson(2.0, 50).astype(float)
    r = gc.fit_arrays(y, X)
    X[4, 1] += 0.5
    with pytest.raises(DataChangedError):
        _ = r.fittedvalues


def test_unchanged_data_are_never_refused():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(5, 70_000))
        data = {"x": 1e6 + rng.standard_t(1.5, n), "y": rng.poisson(3.0, n).astype(float)}
        r = gc.fit("y ~ x", data)
        _ = r.fittedvalues, r.deviance, r.with_cov("HC0").bse
        r._state.rows.cache.strips.clear()
        data["x"] = np.concatenate([[0.0], data["x"]])[1:]
        assert np.isfinite(r.resid_pearson).all()


def test_what_a_user_holds_is_not_what_is_computed_with():
    r = gc.fit("y ~ x", columns(100))
    before = r.conf_int().to_numpy().copy()
    cooks = gc.fit("y ~ x", columns(100)).get_influence().cooks_distance[0]
    params, bse, residuals = r.params, r.bse, r.resid_pearson
    params.loc["x"] = 5.0
    bse.loc["x"] = 5.0
    residuals.iloc[:] = 0.0
    np.testing.assert_array_equal(r.conf_int(), before)
    np.testing.assert_array_equal(r.get_influence().cooks_distance[0], cooks)
    assert float(r.wald_test("x = 0").statistic) == pytest.approx(float(r.tvalues["x"]) ** 2)
