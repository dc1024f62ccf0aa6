"""Arrays at equal distances in memory, as the rows of one matrix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glmcount.numerics.spaced import following, spaced


def back(arrays, found):
    """The arrays that the matrices stand for."""
    out = [None] * len(arrays)
    for first, rows in found:
        for k, row in enumerate(rows):
            assert out[first + k] is None
            out[first + k] = row
    return out


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 7)), max_size=12),
    st.booleans(),
)
def test_rows_are_the_arrays_wherever_they_lie(places, by_row):
    held = np.arange(40.0)
    table = held.reshape(8, 5) if by_row else held.reshape(5, 8).T
    arrays = [None if place is None else table[place] for place in places]
    found = spaced(arrays)
    for array, row in zip(arrays, back(arrays, found), strict=True):
        assert (array is None) == (row is None)
        assert array is None or array.tolist() == row.tolist()


def test_separate_arrays_of_several_types_and_lengths():
    rng = np.random.default_rng(1)
    arrays = [rng.random(3), rng.random(3), rng.random(4), np.arange(3), np.arange(3), np.ones(0)]
    arrays += [rng.random(6)[::2], rng.random(3)]
    found = spaced(arrays)
    for array, row in zip(arrays, back(arrays, found), strict=True):
        assert array.dtype == row.dtype and array.tolist() == row.tolist()


def test_a_table_is_one_matrix_that_cannot_be_written_to():
    table = np.arange(12.0).reshape(4, 3)
    ((first, rows),) = spaced(list(table))
    assert first == 0 and rows.base is not None and not rows.flags.writeable
    assert [len(rows) for _, rows in spaced([*table[:2], None, *table[2:]])] == [2, 2]
    assert [len(rows) for _, rows in spaced(list(table[::-1]))] == [4]
    assert [len(rows) for _, rows in spaced([table[0], table[1], table[3]])] == [2, 1]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.booleans(), st.integers(0, 2))
def test_arrays_that_follow_each_other_are_one(lengths, apart, kind):
    held = np.arange(50, dtype=("f8", "f4", "i8")[kind])
    ends = np.cumsum([0, *lengths])
    parts = [held[a:b] for a, b in pairwise(ends)]
    if apart:
        parts[-1] = parts[-1].copy()
    found = following(parts)
    if apart and lengths[-1] and any(lengths[:-1]):
        assert found is None
    else:
        assert found.tolist() == np.concatenate(parts).tolist() and not found.flags.writeable


def test_arrays_of_several_types_or_with_gaps_are_not_one():
    held = np.arange(12.0)
    assert following([held[:6], held[6:].view(np.int64)]) is None
    assert following([held[::2], held[::2]]) is None
    assert following([held[6:], held[:6]]) is None
