"""Arrays, lists and Series beside a table, as columns of its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import glmcount as gc
from glmcount.design.given import ARRAY, BESIDE, as_array, given_column, response_values
from glmcount.errors import DataError
from glmcount.sources.base import open_source

SOURCE = open_source(pd.DataFrame({"x": [1.0, 2.0, 3.0], "a b": 1, "class": 2}, index=[5, 6, 7]))


def test_arrays_stay_and_masks_are_kept():
    array = np.arange(3)
    assert as_array("X", array) is array
    masked = np.ma.array([1, 2], mask=[0, 1])
    assert as_array("X", masked) is masked
    assert as_array("X", [1, 2]).tolist() == [1, 2]
    rows = as_array("X", [np.ma.array([1, 2], mask=[0, 1]), np.ma.array([3, 4])])
    assert rows.mask.tolist() == [[False, True], [False, False]]
    assert list(as_array("w", pd.Series([1, 2]))) == [1, 2]


def test_sparse_and_ragged_arrays_are_refused():
    with pytest.raises(DataError, match=r"X\.toarray\(\)") as caught:
        as_array("X", sparse.csr_array(np.eye(2)))
    assert caught.value.kind == "sparse"
    with pytest.raises(DataError, match=r"row 0 has 2, row 2 \(counted from 0\) 1\.") as caught:
        as_array("X", [[1, 2], [3, 4], [5]])
    assert caught.value.kind == "ragged"


def test_what_a_package_makes_no_array_of_is_refused():
    polars = pytest.importorskip("polars")
    wide = polars.Series([1, 2, 3]).cast(polars.Int128)
    with pytest.raises(DataError, match="'weights' is a polars Series of type Int128") as caught:
        as_array("weights", wide)
    assert caught.value.kind == "design_dtype"
    columns = {"y": [1, 2, 4], "x": wide}
    for data in (columns, polars.DataFrame(columns)):
        with pytest.raises(DataError, match="'x' is a polars Series of type Int128") as caught:
            gc.fit("y ~ x", data)
        assert caught.value.kind == "design_dtype"


def test_columns_by_name_expression_and_value():
    assert given_column(SOURCE, "offset", "x") == ("x", {})
    assert given_column(SOURCE, "offset", "a b") == ("Q('a b')", {})
    assert given_column(SOURCE, "offset", "class") == ("Q('class')", {})
    assert given_column(SOURCE, "offset", "log(x)") == ("log(x)", {})
    for value in ([1, 2, 3], pd.Series([1, 2, 3], index=[5, 6, 7]), np.array([1, 2, 3])):
        code, columns = given_column(SOURCE, "weights", value)
        assert code == f"Q({ARRAY.format('weights')!r})"
        assert list(columns[ARRAY.format("weights")]) == [1, 2, 3]


def test_one_limit_holds_for_all_rows():
    for value in (4, "4", np.float64(4.0)):
        _, columns = given_column(SOURCE, BESIDE, value)
        (held,) = columns.values()
        assert held.tolist() == [4.0] * 3
    assert given_column(SOURCE, BESIDE, "x + 1") == ("x + 1", {})
    for value in (True, 4.0):
        with pytest.raises(DataError):
            given_column(SOURCE, "offset", value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1, 2], "weights_length"),
        ([[1], [2], [3]], "weights_length"),
        (pd.Series([1, 2, 3]), "index_mismatch"),
        (pd.Series([1, 2, 3], index=[5, 7, 6]), "index_mismatch"),
    ],
)
def test_columns_of_other_rows(value, kind):
    with pytest.raises(DataError) as caught:
        given_column(SOURCE, "weights", value)
    assert caught.value.kind == kind
    if kind == "index_mismatch" and len(set(value.index)) == 3 and value.index[0] == 5:
        assert "at row 1 it has 7, the data 6" in str(caught.value)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.array([1, 2, 3]), [1, 2, 3]),
        ([True, None, False], [1, np.nan, 0]),
        (pd.Series([1, None, 3], dtype="Int64", index=[5, 6, 7]), [1, np.nan, 3]),
        (np.ma.array([1, 2, 3], mask=[0, 0, 1]), [1, 2, np.nan]),
    ],
)
def test_responses_are_doubles(y, expected):
    found = response_values(SOURCE, "y", y)
    assert found.dtype == np.float64 and found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("y", "kind"),
    [(["a", "b", "c"], "response_type"), ([1, 2], "y_length"), ("abc", "y_length")],
)
def test_responses_that_are_none(y, kind):
    with pytest.raises(DataError) as caught:
        response_values(SOURCE, "y", y)
    assert caught.value.kind == kind
