"""Evaluated variables: numbers or levels, codes of learnt levels, joint codes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.columns.column import Column
from glmcount.design.spec import Variable
from glmcount.design.values import (
    Value,
    codes_of,
    coerced,
    evaluated,
    joint_code,
    numbers_of,
    undefined,
    used_levels,
)
from glmcount.errors import DataError, NonfiniteDesignError
from glmcount.language.parse import parse

DATA = {
    "x": np.array([1.0, np.nan, 4.0]),
    "k": pd.array([2**60 + 1, None, 3], "Int64"),
    "g": ["b", "a", "b"],
    "t": np.array(["2020-01-01"] * 3, "M8[D]"),
}
COLUMNS = coerced(DATA)


def value_of(code, columns=COLUMNS):
    return evaluated(parse(code, list(columns)), None, columns, 3)


def test_columns_are_coerced_once():
    assert all(type(column) is Column for column in COLUMNS.values())
    assert coerced(COLUMNS)["g"] is COLUMNS["g"]


def test_numbers_and_levels():
    np.testing.assert_array_equal(value_of("x").numbers, DATA["x"])
    assert value_of("2*x").numbers.tolist()[::2] == [2.0, 8.0] and value_of("x").column is None
    g = value_of("g")
    assert g.column is not None and g.levels == ("a", "b") and g.numbers is None
    boxed = value_of("C(g, Sum, levels=['b', 'a'])")
    assert boxed.levels == ("b", "a") and boxed.contrast.name == "Sum"
    assert value_of("C(x)").levels == (1.0, 4.0)
    condition = value_of("x > 2")
    assert condition.levels == (False, True) and condition.column.declared
    assert condition.column.values[[0, 2]].tolist() == [0, 1]
    with pytest.raises(DataError, match="dates"):
        value_of("t")


def test_codes_of_learnt_levels():
    g = value_of("g")
    assert codes_of(g, ("a", "b"), "g").tolist() == [1, 0, 1]
    # A level that only rows that are not used have need not be known.
    assert codes_of(g, ("b",), "g", np.array([0, 2])).tolist() == [0, 0]
    with pytest.raises(DataError, match="row") as caught:
        codes_of(g, ("b",), "g", None, 10)
    assert caught.value.kind == "unseen_level" and "11" in str(caught.value)
    with pytest.raises(DataError, match=r"row 12 \(counted from 0\) holds the number 4.0"):
        codes_of(value_of("x"), ("a",), "x", np.array([2]), 10)
    assert codes_of(Value(np.zeros(0)), ("a",), "x").tolist() == []


@given(st.lists(st.integers(-1, 3), max_size=40), st.data())
def test_used_levels_are_those_that_occur(codes, data):
    levels = ("a", "b", "c", "d")
    keep = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(codes), max_size=len(codes))), bool
    )
    value = Value(None, Column("categorical", np.array(codes, np.int8), levels), levels)
    for mask in (None, keep):
        own = [c for i, c in enumerate(codes) if c >= 0 and (mask is None or mask[i])]
        assert used_levels(value, mask) == tuple(levels[c] for c in sorted(set(own)))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 299), st.integers(0, 6)), min_size=1))
def test_a_joint_code_is_the_place_in_a_table(rows):
    codes = [np.array(c, np.int16) for c in zip(*rows, strict=True)]
    joint = joint_code(codes, [3, 300, 7])
    assert joint.tolist() == np.ravel_multi_index(codes, (3, 300, 7)).tolist()
    assert joint.dtype == np.uint16
    assert joint_code(codes[:1], [3]) is codes[0]


def variable(code, kind="numerical"):
    return Variable(parse(code, list(COLUMNS)), kind)


def test_numbers_by_column():
    (k,) = numbers_of(variable("k"), COLUMNS, 3)
    assert k.tolist() == [2**60 + 1, 0, 3]
    assert len(numbers_of(variable("x"), COLUMNS, 3)) == 1
    with pytest.raises(DataError, match="was a number where the model was fitted") as caught:
        numbers_of(variable("g"), COLUMNS, 3)
    assert caught.value.kind == "design_dtype"
    two = Variable(parse("f(x)", ["x"], {"f": lambda x: np.stack([x, 2 * x], 1)}), "numerical", 2)
    one, other = numbers_of(two, COLUMNS, 3)
    np.testing.assert_array_equal(other, 2 * one)


def test_what_has_no_value_is_told_by_its_rows():
    error = undefined("C(log(x) > 0)", np.array([0, -1, -1]), np.array([0, 3, 5]), 100)
    assert isinstance(error, NonfiniteDesignError)
    assert "in 2 rows" in str(error) and "103, 105" in str(error)
