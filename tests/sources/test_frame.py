"""Whatever holds the columns, the fit is the same; unusable tables are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import glmcount as gc
from glmcount.sources import base

# Before, a frame changed in place changes what was taken of it.
COPY_ON_WRITE = int(pd.__version__.split(".")[0]) >= 3


@pytest.fixture
def data():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"x": rng.normal(size=60), "g": rng.choice(["b", "a"], 60)})
    frame["y"] = rng.poisson(2, 60)
    return frame


@pytest.mark.parametrize(
    "convert",
    [
        lambda d: d.to_dict("list"),
        lambda d: {name: d[name] for name in d},
        lambda d: pl.DataFrame(d.to_dict("list")),
        lambda d: pl.DataFrame(d.to_dict("list")).lazy(),
        lambda d: pa.table(d.to_dict("list")),
        lambda d: d.astype({"g": "category"}),
        lambda d: d.astype({"y": "Int64", "x": "Float64", "g": "string"}),
    ],
)
def test_every_table_gives_the_same_fit(data, convert):
    plain, other = gc.fit("y ~ x * g", data), gc.fit("y ~ x * g", convert(data))
    np.testing.assert_array_equal(plain.params, other.params)
    assert list(plain.params.index) == list(other.params.index)


def test_the_frame_is_left_alone(data):
    before = data.copy(deep=True)
    gc.fit("y ~ log(x + 10) + g", data)
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize("control", [None, gc.Control(memory=0)])
def test_a_frame_may_be_changed_after_the_fit(data, control):
    still = gc.fit("y ~ log(x + 10) + g", data.copy(deep=True), control=control)
    result = gc.fit("y ~ log(x + 10) + g", data, control=control)
    if COPY_ON_WRITE:
        data.loc[3, "y"] = 40
        data.loc[:, "x"] += 5.0
    data["g"] = "b"
    data.index.name = "loom"
    pd.testing.assert_series_equal(result.fittedvalues, still.fittedvalues)
    pd.testing.assert_series_equal(result.with_cov("HC3").bse, still.with_cov("HC3").bse)
    assert result.deviance == still.deviance
    del data["x"]
    pd.testing.assert_series_equal(result.resid_pearson, still.resid_pearson)


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
def test_a_column_that_is_read_later_is_that_of_the_fit(data):
    still = gc.fit("y ~ x", data.copy(deep=True))
    result = gc.fit("y ~ x", data)
    data["g"] = np.arange(len(data)) % 7
    del data["x"]
    expected = still.with_cov({"cluster": "g"}).bse
    pd.testing.assert_series_equal(result.with_cov({"cluster": "g"}).bse, expected)


def test_changed_arrays_are_noticed():
    y, x = np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 0, 1])
    result = gc.fit("y ~ x", {"y": y, "x": x})
    result._state.rows.cache.strips.clear()
    x[0] = 5.0
    with pytest.raises(gc.errors.DataChangedError):
        _ = result.deviance


def test_unequal_columns_are_named():
    with pytest.raises(gc.errors.DataError, match="'x' has 2") as caught:
        gc.fit("y ~ x", {"y": [1, 2, 3], "x": [0, 1]})
    assert caught.value.kind == "column_length"


def test_a_single_value_is_no_column():
    with pytest.raises(gc.errors.DataError, match="single value"):
        gc.fit("y ~ x", {"y": [1, 2, 3], "x": 1})


def test_strips_are_read_and_folded_in_order(monkeypatch):
    monkeypatch.setattr(base, "STRIP_ROWS", 7)
    source = base.open_source({"a": np.arange(40)})
    for threads in (1, 2, 5):
        found = source.fold(["a"], lambda k, first, c: [(k, first, *c["a"])], list.__add__, threads)
        assert [row[0] for row in found] == list(range(6))
        assert [value for row in found for value in row[2:]] == list(range(40))


def test_blas_threads_are_given_back():
    from threadpoolctl import threadpool_info

    before = [pool["num_threads"] for pool in threadpool_info()]
    with base.single_threaded_blas(), base.single_threaded_blas():
        pass
    assert [pool["num_threads"] for pool in threadpool_info()] == before


@pytest.mark.parametrize(
    "index",
    [
        list("zyxw") * 15,
        pd.date_range("2020-01-01", periods=60)[::-1],
        pd.MultiIndex.from_product([range(6), range(10)]),
        pd.RangeIndex(600, 0, -10),
    ],
)
def test_the_index_is_kept(data, index):
    named = data.set_axis(pd.Index(index), axis=0)
    holed = named.copy()
    holed["x"] = np.where(np.arange(60) % 7 == 3, np.nan, holed.x)
    result = gc.fit("y ~ x + g", named)
    pd.testing.assert_index_equal(result.fittedvalues.index, named.index)
    pd.testing.assert_index_equal(result.predict(named).index, named.index)
    with pytest.warns(gc.errors.MissingRowsWarning):
        part = gc.fit("y ~ x + g", holed)
    left = named.index[np.arange(60) % 7 != 3]
    for rows in (
        part.resid_pearson,
        part.resid_quantile(rng=1),
        part.augment(),
        part.get_influence().hat_matrix_diag,
        part.simulate(2, rng=1),
        part.predict(),
    ):
        pd.testing.assert_index_equal(rows.index, left)


def test_an_extra_column_twice_does_not_matter(data):
    double = pd.concat([data, data[["x"]].set_axis(["u"], axis=1)], axis=1)
    double.columns = ["x", "g", "y", "g"]
    result = gc.fit("y ~ x", double)
    np.testing.assert_array_equal(result.params, gc.fit("y ~ x", data).params)
    with pytest.raises(gc.errors.DataError, match="'g' stands 2 times") as caught:
        gc.fit("y ~ g", double)
    assert caught.value.kind == "duplicate_column"


def test_missing_values_of_every_library_are_missing(data):
    x = [None if i % 9 == 0 else float(v) for i, v in enumerate(data.x)]
    g = [None if i % 11 == 0 else v for i, v in enumerate(data.g)]
    columns = {"y": data.y.tolist(), "x": x, "g": g}
    fits = []
    for table in (
        pd.DataFrame(columns),
        pl.DataFrame(columns),
        pa.table(columns),
        pd.DataFrame(columns).astype({"x": "Float64", "g": "category"}),
    ):
        with pytest.warns(gc.errors.MissingRowsWarning):
            fits.append(gc.fit("y ~ x + g", table))
    for other in fits:
        assert other.dropped == {"x missing": 7, "g missing": 6}
        np.testing.assert_array_equal(other.params, fits[0].params)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "bool"])
def test_the_width_of_a_number_does_not_matter(data, dtype):
    whole = data.assign(x=(data.x > 0).astype(int))
    narrow = gc.fit("y ~ x", whole.astype({"x": dtype}))
    wide = gc.fit("y ~ x", whole.astype({"x": float}))
    # A column of booleans is coded as a factor of two levels.
    assert narrow.llf == pytest.approx(wide.llf, rel=1e-14)
    np.testing.assert_allclose(narrow.params, wide.params, rtol=1e-12)


def test_a_categorical_keeps_the_order_of_its_levels(data):
    ordered = data.assign(g=pd.Categorical(data.g, categories=["b", "a"]))
    assert list(gc.fit("y ~ g", ordered).params.index) == ["Intercept", "g[T.a]"]
    enum = pl.DataFrame(
        {"y": data.y.to_numpy(), "g": pl.Series(data.g.tolist(), dtype=pl.Enum(["b", "a"]))}
    )
    assert list(gc.fit("y ~ g", enum).params.index) == ["Intercept", "g[T.a]"]


def test_strips_do_not_show_in_a_fit(data, monkeypatch):
    def found():
        result = gc.fit("y ~ x * g", data, cov="HC3")
        columns = {
            "drawn": result.resid_quantile(rng=2),
            "predicted": result.predict(data),
            "leverage": result.get_influence().hat_matrix_diag,
        }
        return result.params, result.bse, pd.DataFrame(columns)

    whole = found()
    monkeypatch.setattr(base, "STRIP_ROWS", 13)
    for one, other in zip(found(), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("table", [None, [1, 2], np.ones((3, 2)), "data.csv", 5])
def test_what_is_no_table_is_refused(table):
    with pytest.raises(gc.errors.DataError, match="must be a table") as caught:
        gc.fit("y ~ x", table)
    assert caught.value.kind == "data_type"


def test_a_table_without_rows_is_refused(data):
    for table in (data.head(0), {"y": [], "x": []}, pl.DataFrame({"y": [], "x": []})):
        with pytest.raises(gc.errors.DataError) as caught:
            gc.fit("y ~ x", table)
        assert caught.value.kind == "empty_data"
