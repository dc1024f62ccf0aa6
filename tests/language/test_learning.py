"""Transforms learn strip by strip what they would of all rows, inner ones first."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glmcount.errors import FormulaError, MemoryLimitError
from glmcount.language.evaluate import evaluate
from glmcount.language.learning import finish, memorize, merge, observed
from glmcount.language.parse import parse
from glmcount.language.transforms import new_state

X = np.random.default_rng(8).normal(5.0, 2.0, 60)


def by_memory(expression, strips):
    state = new_state(expression)
    for number in range(expression.passes):
        for strip in strips:
            memorize(expression, state, number, {"x": strip})
        finish(expression, state, number)
    return state


def by_merging(expression, strips):
    state = new_state(expression)
    for number in range(expression.passes):
        parts = [observed(expression, state, number, {"x": strip}) for strip in strips]
        state = merge(
            expression, state, reduce(lambda a, b: merge(expression, a, b, number), parts), number
        )
        finish(expression, state, number)
    return state


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 60), max_size=4).map(sorted),
    st.sampled_from(["center(x)", "scale(center(x)**2)", "bs(center(x), df=5)", "cr(x, df=4)"]),
)
def test_any_cut_in_strips_learns_the_same(cuts, code):
    expression = parse(code, ["x"])
    whole = evaluate(expression, by_memory(expression, [X]), {"x": X})
    for learn in (by_memory, by_merging):
        found = evaluate(expression, learn(expression, np.split(X, cuts)), {"x": X})
        np.testing.assert_allclose(found, whole, rtol=1e-12, atol=1e-12)


def test_what_is_learnt_is_that_of_the_rows():
    expression = parse("scale(center(x)**2)", ["x"])
    assert expression.passes == 2
    found = evaluate(expression, by_memory(expression, [X]), {"x": X})
    squared = (X - X.mean()) ** 2
    np.testing.assert_allclose(found, (squared - squared.mean()) / squared.std(), atol=1e-12)


def test_rows_whose_input_is_missing_are_not_shown():
    expression = parse("center(x)", ["x"])
    state = by_memory(expression, [np.array([1.0, np.nan, 3.0])])
    assert evaluate(expression, state, {"x": np.array([2.0])}).tolist() == [0.0]


def test_a_strip_is_observed_without_changing_what_is_known():
    expression = parse("center(x)", ["x"])
    state = new_state(expression)
    before = list(state.learnt)
    part = observed(expression, state, 0, {"x": X})
    assert state.learnt == before and part.learnt[0].count == 60


def test_too_many_values_to_keep():
    expression = parse("bs(x, df=5)", ["x"])
    # A mebibyte is kept in any case.
    far = np.arange(200_000.0)
    part = observed(expression, new_state(expression), 0, {"x": far})
    with pytest.raises(MemoryLimitError, match="knots="):
        merge(expression, new_state(expression), part, 0, memory=0)
    assert merge(expression, new_state(expression), part, 0).learnt[0].held > 2**20


def test_nothing_to_learn_from_is_told_with_the_call():
    expression = parse("bs(x, df=5)", ["x"])
    with pytest.raises(FormulaError, match="no values"):
        by_memory(expression, [np.zeros(0)])
