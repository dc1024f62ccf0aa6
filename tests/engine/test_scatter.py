"""Sums by code: what occurs, joined codes, buffers of a thread."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glmcount.engine import scatter
from glmcount.engine.scatter import Occurring, Written, joined_code, scratch, sums_by_code


def test_codes_that_occur_are_kept_where_they_are_few(monkeypatch):
    monkeypatch.setattr(scatter, "SPARSE", 50)
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 1_000, (3, 40)).astype(np.int32)
    values = rng.normal(size=(3, 2, 40))

    def sums(part):
        written = Written(values[part], None)
        return sums_by_code(codes[part], 1_000, partial(written.table, [(0, ()), (1, ())]))

    parts = [sums(part) for part in range(3)]
    assert all(len(part.codes) <= 40 for part in parts)
    total = scatter.plus(scatter.plus(parts[0], parts[1]), parts[2])
    expected = np.zeros((1_000, 2))
    for part in range(3):
        for k in range(2):
            expected[:, k] += np.bincount(codes[part], values[part, k], 1_000)
    np.testing.assert_array_equal(scatter.whole(total), expected)


def test_a_joined_code_counts_the_right_one_fast():
    left, right = np.array([0, 1, 2], np.int32), np.array([4, 0, 3], np.int32)
    assert joined_code(left, right, 5).tolist() == [4, 5, 13]


@given(st.integers(1, 6), st.lists(st.integers(0, 5), min_size=1, max_size=40), st.data())
def test_sums_are_those_row_by_row(more, codes, data):
    levels, n = 5 + more, len(codes)
    weights, a, b = np.array(
        data.draw(st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=n, max_size=n)), float
    ).T
    written = Written({"w": weights, "one": 1.0}, lambda block, k: (a, b)[k])
    products = [("w", ()), ("w", ((0, 0),)), ("one", ((0, 0), (0, 1)))]
    found = written.table(products, np.array(codes), levels)
    expected = np.zeros((levels, 3))
    for i, code in enumerate(codes):
        expected[code] += [weights[i], weights[i] * a[i], a[i] * b[i]]
    np.testing.assert_array_equal(found, expected)


def test_plus_adds_tables_and_what_occurs():
    some = Occurring(np.array([1, 3]), np.array([[1.0], [2.0]]), 4)
    assert scatter.whole(some).tolist() == [[0.0], [1.0], [0.0], [2.0]]
    assert scatter.plus(np.ones((4, 1)), some).tolist() == [[1.0], [2.0], [1.0], [3.0]]
    assert scatter.plus(some, some).tolist() == [[0.0], [2.0], [0.0], [4.0]]
    assert scatter.plus(np.array([1.0]), np.array([2.0])).tolist() == [3.0]


def test_a_buffer_is_one_thread_s_and_grows():
    first = scratch("of this test", (2, 3))
    assert first.shape == (2, 3)
    assert np.shares_memory(first, scratch("of this test", (4,)))
    assert not np.shares_memory(first, scratch("of this test", (7,)))
    found = []
    other = threading.Thread(target=lambda: found.append(scratch("of this test", (7,))))
    other.start()
    other.join()
    assert not np.shares_memory(found[0], scratch("of this test", (7,)))
