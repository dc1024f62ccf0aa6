"""What tells rows apart: fields of a design, their digits, and hashes of what is not whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glmcount as gc
from glmcount.cells.key import Field, Key, Unsuited, fields_of, hashed
from glmcount.engine.strip import Strip
from glmcount.records import replace
from tests.laws.test_cells import repeated_data


def state_of(formula, data, **options):
    return gc.fit(formula, data, compress=False, **options)._state


def fields(formula, data, offsets=False, response=False, **options):
    """Columns of the key, whole numbers told from others by all rows."""
    state = state_of(formula, data, **options)
    found = fields_of(state.rows, state.fit.layout, state.measured, offsets, response)
    strips = [state.rows.strip(k) for k in range(state.rows.source.n_strips)]

    def whole(each):
        return all(np.array_equal(v, np.floor(v)) for v in map(each.read, strips))

    return tuple(e if e.levels and whole(e) else replace(e, low=0.0, levels=0) for e in found)


def levels(formula, data, **options):
    return [each.levels for each in fields(formula, data, **options)]


def test_what_tells_rows_apart():
    data = repeated_data(0)
    assert levels("y ~ 1", data) == []
    assert levels("y ~ g + h", data) == [3, 2]
    assert levels("y ~ g*h", data) == [6], "a factor within an interaction is told by it"
    assert levels("y ~ g*k", data) == [3, 4], "a slope by level is told by the two"
    assert levels("y ~ k*f", data) == [4, 0], "a product is told by its factors"
    assert levels("y ~ k:f", data) == [0]
    assert levels("y ~ bs(v, df=4)", data) == [0] * 4
    top = int(data["y"].max()) + 1
    assert levels("y ~ g", data, response=True) == [3, top]
    assert levels("y ~ g", data, response=True, censored="k + 1") == [3, top, 0]
    assert levels("y ~ g", data, offsets=True, exposure="t") == [3, 0]


def strip_of(*columns):
    rows = np.array(columns, dtype=float)
    return Strip(0, 0, rows.shape[1], None, rows, None, (), ())


def key_of(*sizes, salt=0):
    """A key over the rows of y, with so many levels each; 0 for one compared bit by bit."""
    return Key(tuple(Field(lambda s, k=k: s.y[k], 0.0, size) for k, size in enumerate(sizes)), salt)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=30))
def test_keys_are_the_digits_of_a_number(rows):
    a, b = zip(*rows, strict=True)
    key = key_of(3, 5)
    found, beside = key.of(strip_of(a, b))
    assert key.space == 15 and beside == []
    assert found.tolist() == [5 * i + j for i, j in rows]
    some = np.arange(0, len(rows), 2)
    assert key.of(strip_of(a, b), some)[0].tolist() == found[some].tolist()


@given(st.lists(st.tuples(st.sampled_from([0.0, -0.0, 0.1, 1e300]), st.integers(0, 1)), min_size=1))
def test_hashes_are_equal_where_rows_are(rows):
    a, b = zip(*rows, strict=True)
    for salt in range(3):
        found, words = key_of(0, 2, salt=salt).of(strip_of(a, b))
        assert len(words) == 2
        # Both zeros are one value, as they are to a tuple.
        assert pd.factorize(found)[0].tolist() == pd.factorize(pd.Series(rows))[0].tolist()


def test_hashes_of_other_multipliers_differ_and_lose_nothing_of_one_word():
    word = np.r_[np.arange(1_000), -np.arange(1, 1_000), 2**62]
    found = [hashed([word], salt) for salt in range(3)]
    assert all(len(np.unique(each)) == len(word) for each in found)
    assert not np.any(found[0][1:] == found[1][1:])


def test_a_field_that_is_not_whole_does_not_suit():
    with pytest.raises(Unsuited):
        key_of(3).of(strip_of([0.0, 1.5, 2.0]))
