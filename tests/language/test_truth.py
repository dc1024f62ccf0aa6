"""Kleene's logic: the whole truth table, and choices by conditions with missing values."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.language.truth import (
    certain,
    chosen,
    holds_truth,
    is_boolean,
    joined,
    negated,
    with_missing,
)

TRUTH = st.lists(st.tuples(*[st.sampled_from([True, False, None])] * 2), max_size=12)


def condition(values):
    missing = np.array([value is None for value in values], bool)
    return with_missing(np.array([bool(value) for value in values], bool), missing)


def told(value):
    return [None if pd.isna(each) else bool(each) for each in value]


def kleene(name, a, b):
    decides = name == "|"
    if a is decides or b is decides:
        return decides
    return None if a is None or b is None else not decides


@given(TRUTH, st.sampled_from(["&", "|"]))
def test_what_one_side_decides_does_not_depend_on_the_other(pairs, name):
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    found = joined(name, condition(left), condition(right))
    assert told(found) == [kleene(name, a, b) for a, b in pairs]
    assert told(negated(condition(left))) == [None if a is None else not a for a in left]
    assert certain(condition(left)).tolist() == [a is True for a in left]


def test_all_nine():
    pairs = list(product([True, False, None], repeat=2))
    left, right = (condition([pair[side] for pair in pairs]) for side in (0, 1))
    T, F, N = True, False, None
    assert told(joined("&", left, right)) == [T, F, N, F, F, F, N, F, N]
    assert told(joined("|", left, right)) == [T, T, T, T, F, N, T, N, N]


def test_without_missing_values_they_are_plain_booleans():
    plain = np.array([True, False])
    assert with_missing(plain, np.zeros(2, bool)) is plain
    assert joined("&", plain, plain).dtype == bool and negated(plain).tolist() == [False, True]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (np.array([True]), True),
        (np.array([1]), False),
        (1, False),
        (pd.Categorical([True, None]), True),
        (pd.Categorical(["a"]), False),
        (pd.Categorical([0, 1]), False),
    ],
)
def test_what_holds_truth(value, expected):
    assert holds_truth(value) is expected
    if isinstance(value, pd.Categorical):
        assert is_boolean(value) is expected


def test_levels_of_true_and_false_in_any_order():
    value = pd.Categorical([True, False, None], categories=[True, False])
    assert told(negated(value)) == [False, True, None]


def test_a_choice_by_what_is_missing_is_missing():
    left, right = np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])
    found = chosen(condition([True, False, None]), (left, right), np.nan)
    np.testing.assert_array_equal(found, [1.0, 20.0, np.nan])
    plain = chosen(np.array([True, False, True]), (left, right), np.nan)
    assert plain.tolist() == [1.0, 20.0, 3.0]
