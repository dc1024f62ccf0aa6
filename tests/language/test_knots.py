"""Tallies, quantiles and ends against numpy's of all values at once."""

from __future__ import annotations

import itertools
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.language.knots import (
    Span,
    Tally,
    check_within,
    column,
    ends,
    given_knots,
    quantiles,
)

STRIPS = st.lists(st.lists(st.integers(-20, 20).map(float), max_size=30), min_size=1, max_size=8)


@given(STRIPS)
def test_strips_merge_to_what_the_whole_gives(strips):
    together = np.array([value for strip in strips for value in strip])
    for order in (strips, strips[::-1]):
        tally = reduce(Tally.merge, [Tally.of(np.array(strip, float)) for strip in order])
        sizes = [len(values) for values, _ in tally.runs]
        assert all(a >= 2 * b for a, b in itertools.pairwise(sizes))
        ((values, counts),) = tally.whole().runs
        distinct, number = np.unique(together, return_counts=True)
        assert values.tolist() == distinct.tolist() and counts.tolist() == number.tolist()
        assert tally.span.__dict__ == Span.of(together).__dict__
    span = reduce(Span.merge, [Span.of(np.array(strip, float)) for strip in strips])
    assert span.__dict__ == Span.of(together).__dict__


@given(
    st.lists(st.integers(-9, 9).map(lambda k: k / 3), min_size=1, max_size=40),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_quantiles_are_numpys_bit_for_bit(values, shares):
    distinct, counts = np.unique(values, return_counts=True)
    expected = np.quantile(values, shares)
    assert quantiles(distinct, counts, np.array(shares)).tolist() == expected.tolist()


def test_a_tally_knows_what_it_takes():
    tally = Tally.of(np.array([1.0, 1.0, 2.0]))
    assert tally.held == 2 * 8 + 2 * 1


def test_ends_are_given_or_those_of_the_values():
    span = Span(3, -1.0, 5.0)
    assert ends({}, span) == (-1.0, 5.0)
    assert ends({"lower_bound": 0, "upper_bound": 9}, span) == (0.0, 9.0)
    for settings, of, said in [
        ({"lower_bound": 6.0}, span, r"lower_bound > upper_bound \(6.0 > 5.0\)"),
        ({"lower_bound": "low"}, span, "must be a number"),
        ({"upper_bound": [1.0, 2.0]}, span, "must be a number"),
        ({"lower_bound": 1.0}, Span.of(np.zeros(0)), "no values"),
    ]:
        with pytest.raises(ValueError, match=said):
            ends(settings, of)


def test_knots_and_columns_that_do_not_fit():
    assert given_knots({}) is None
    assert given_knots({"knots": [1, 2]}).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="must be numbers"):
        given_knots({"knots": ["a"]})
    check_within(np.array([0.0, 1.0]), 0.0, 1.0)
    with pytest.raises(ValueError, match="below lower bound"):
        check_within(np.array([-1.0]), 0.0, 1.0)
    with pytest.raises(ValueError, match="above upper bound"):
        check_within(np.array([2.0]), 0.0, 1.0)
    assert column([np.ones((3, 1))]).shape == (3,)
    with pytest.raises(ValueError, match="one column, not 2"):
        column([np.ones((3, 2))])
