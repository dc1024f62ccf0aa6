"""Whatever holds the columns, the fit is the same; unusable tables are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import glmcount as gc
from glmcount.sources import base


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


def test_changed_arrays_are_noticed():
    y, x = np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 0, 1])
    result = gc.fit("y ~ x", {"y": y, "x": x})
    result._state.encoder.strips.clear()
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
        found = base.map_fold(
            source, ["a"], lambda k, first, c: [(k, first, *c["a"])], list.__add__, threads
        )
        assert [row[0] for row in found] == list(range(6))
        assert [value for row in found for value in row[2:]] == list(range(40))


def test_blas_threads_are_given_back():
    from threadpoolctl import threadpool_info

    before = [pool["num_threads"] for pool in threadpool_info()]
    with base.single_threaded_blas(), base.single_threaded_blas():
        pass
    assert [pool["num_threads"] for pool in threadpool_info()] == before
