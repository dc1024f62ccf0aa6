"""Counts and matrices as columns by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glmcount.design.arrays import array_columns, part_columns
from glmcount.errors import DataError, UsageError

MATRIX = np.arange(6.0).reshape(3, 2)
Y = np.array([1, 0, 2])


def names_of(*given):
    columns, response = array_columns(*given)
    return [name for name in columns if name != response], response


def test_columns_are_the_matrix_s():
    columns, response = array_columns(Y, MATRIX, None)
    assert response == "y" and list(columns) == ["y", "x0", "x1"]
    assert columns["x1"].tolist() == MATRIX[:, 1].tolist() and columns["y"].tolist() == [1, 0, 2]
    assert array_columns(Y, [1, 2, 3], ["only"])[0]["only"].tolist() == [1, 2, 3]
    frame, _ = array_columns(Y, pd.DataFrame({"b": [True, False, True]}), None)
    assert frame["b"].tolist() == [1, 0, 1] and frame["b"].dtype == np.uint8
    truth, _ = array_columns(Y, np.array([[True], [False], [True]]), None)
    assert truth["x0"].tolist() == [1, 0, 1] and truth["x0"].dtype == np.uint8


@pytest.mark.parametrize(
    ("y", "matrix", "names", "expected"),
    [
        (Y, MATRIX, ["a", "b"], (["a", "b"], "y")),
        (Y, MATRIX, np.array(["y", "y_"]), (["y", "y_"], "y__")),
        (pd.Series(Y, name="n"), MATRIX, None, (["x0", "x1"], "n")),
        (Y, pd.DataFrame(MATRIX, columns=["u", 7]), None, (["u", "7"], "y")),
        (Y, pd.DataFrame(MATRIX, columns=["u", 7]), ["a", "b"], (["a", "b"], "y")),
    ],
)
def test_names(y, matrix, names, expected):
    assert names_of(y, matrix, names) == expected


@pytest.mark.parametrize(
    ("y", "matrix", "names", "error", "kind"),
    [
        (Y[:, None], MATRIX, None, DataError, "data"),
        (Y, np.zeros((3, 2, 2)), None, DataError, "design_dtype"),
        (Y, np.array([["a"], ["b"], ["c"]]), None, DataError, "design_dtype"),
        (Y, 3.0, None, DataError, "design_dtype"),
        (Y, MATRIX, ["a"], UsageError, "names"),
        (Y, MATRIX, ["a", "a"], UsageError, "names"),
        (Y, MATRIX, 3, UsageError, "names"),
    ],
)
def test_what_does_not_fit(y, matrix, names, error, kind):
    with pytest.raises(error) as caught:
        array_columns(y, matrix, names)
    assert caught.value.kind == kind


def test_columns_of_a_part_cannot_meet_those_of_the_mean():
    columns, names = part_columns("inflate", MATRIX)
    assert list(names.values()) == ["z0", "z1"] and set(columns) == set(names)
    assert not set(columns) & {"z0", "z1"}
    assert part_columns("inflate", None) is None and part_columns("inflate", " 1 ") is None
    with pytest.raises(UsageError, match="is a formula") as caught:
        part_columns("hurdle", "z0")
    assert caught.value.kind == "names"
