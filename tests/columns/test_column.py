"""A strip of a column: its extent, what is missing, what is computed with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.columns.column import Column, extent_of

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), max_size=20)


@given(NUMBERS)
def test_missing_numbers_are_those_that_are_nan(values):
    column = Column("numeric", np.array(values, float))
    mask = column.missing_mask()
    assert (np.zeros(len(values), bool) if mask is None else mask).tolist() == [
        value != value for value in values
    ]
    assert (mask is None) == (not any(value != value for value in values))
    assert len(column) == len(values) and column.value() is column.values


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_the_extent_is_sum_and_ends(values):
    array = np.array(values)
    total, low, high = extent_of(array)
    assert total == pytest.approx(sum(values), abs=1e-3)
    assert (low, high) == (min(values), max(values))
    assert Column("numeric", array).extent == (total, low, high)


def test_of_nothing_and_of_whole_numbers_there_is_no_extent():
    assert extent_of(np.zeros(0)) == (0.0, np.inf, -np.inf)
    assert Column("numeric", np.zeros(0)).extent is None
    assert Column("numeric", np.arange(3)).extent is None
    assert Column("numeric", np.arange(3)).missing_mask() is None
    assert extent_of(np.array([1e308, 1e308]))[0] == np.inf
    assert np.isnan(extent_of(np.array([1.0, np.nan]))).all()


def test_codes_and_times_are_missing_by_their_own_marks():
    codes = Column("categorical", np.array([1, -1, 0], np.int8), ("a", "b"), True, True)
    assert codes.missing_mask().tolist() == [False, True, False]
    pd.testing.assert_extension_array_equal(
        codes.value(), pd.Categorical(["b", None, "a"], ["a", "b"], ordered=True)
    )
    assert not codes.found and Column("categorical", codes.values, ("a", "b")).found
    times = Column("datetime", np.array(["2020-01-01", "NaT"], "M8[D]"))
    assert times.missing_mask().tolist() == [False, True]
    assert times[:1].missing_mask() is None


def test_some_rows_of_whole_numbers_stay_whole():
    column = Column("numeric", np.array([1.0, np.nan, 2.0]), whole=np.array([1, 0, 2]))
    part = column[1:]
    assert part.whole.tolist() == [0, 2] and len(part) == 2
    assert Column("numeric", column.values)[1:].whole is None


@given(st.sets(st.integers(-(2**40), 2**40), min_size=2, max_size=20), st.data())
def test_what_many_levels_mean_is_told_apart(few, draw):
    """Of many whole numbers by another way than of few; each value and the order count."""
    levels = (*range(2**41, 2**41 + 1_000), *few)
    meaning = Column("categorical", np.zeros(1, np.int16), levels).meaning
    place = draw.draw(st.integers(0, len(levels) - 1))
    for other in (
        (*levels[:place], -(2**42), *levels[place + 1 :]),
        (*levels[1:], levels[0]),
        tuple(map(str, levels)),
        tuple(map(float, levels)),
        (*levels, 2**70),
    ):
        assert Column("categorical", np.zeros(1, np.int16), other).meaning != meaning
    again = Column("categorical", np.ones(3, np.int16), (*levels,))
    assert again.meaning == again[1:].meaning == meaning
