"""Strips: some rows, some equations, another response, several put together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from glmcount.engine.strip import one_strip
from glmcount.records import replace
from tests.engine.test_tables import drawn


def test_one_strip_keeps_what_is_shared():
    _, strip, _, _ = drawn(300)
    parts = [strip.span(0, 100), strip.span(30, 70)]
    joined = one_strip(parts)
    assert joined.n == 140 and joined.y.shape == (1, 140)
    assert joined.blocks[1].codes is joined.blocks[7].codes
    assert joined.blocks[5].rows[0] is None and joined.offsets[1] is None
    np.testing.assert_array_equal(joined.blocks[5].rows[1][100:], strip.blocks[5].rows[1][30:70])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=20))
def test_rows_taken_are_those_of_every_array(rows):
    _, strip, _, _ = drawn(40)
    part = strip.taken(np.array(rows))
    assert part.n == len(rows) and part.y.shape == (1, len(rows))
    np.testing.assert_array_equal(part.offsets[0], strip.offsets[0][rows])
    for mine, whole in zip(part.blocks, strip.blocks, strict=True):
        assert whole.codes is None or mine.codes.tolist() == whole.codes[rows].tolist()
        for a, b in zip(mine.rows, whole.rows, strict=True):
            assert a is b is None or a.tolist() == b[rows].tolist()
    # Shared codes stay shared: that is how a pass knows that they are one.
    assert part.blocks[1].codes is part.blocks[7].codes


def test_a_span_of_all_rows_is_the_strip():
    _, strip, _, _ = drawn(40)
    assert strip.span(0, 40) is strip and strip.span(0, 99) is strip
    assert strip.span(10, 99).n == 30


def test_its_own_bytes_are_those_of_every_array_once():
    _, strip, _, _ = drawn(40)
    roles = np.zeros(40, np.int32), np.arange(80.0)[::2]
    copied = replace(strip.taken(np.arange(40)), roles=roles)
    arrays = [copied.y, copied.weights, *copied.offsets]
    for block in copied.blocks:
        arrays += [block.codes, *block.rows]
    # Views are the source's; blocks share codes.
    own = {id(a): a.nbytes for a in arrays if a is not None and a.base is None}
    assert len(own) < sum(a is not None for a in arrays)
    assert copied.own_bytes == sum(own.values()) + 40 * 4
    assert sum(b.codes.nbytes for b in copied.blocks if b.codes is not None) > 0


def test_some_blocks_and_equations_and_another_response():
    _, strip, _, _ = drawn(40)
    second = strip.of([5, 6, 7], [1])
    assert second.blocks == strip.blocks[5:] and second.offsets == (None,)
    other = strip.with_response(np.zeros((1, 40)))
    assert not other.y.any() and strip.y.all()
    assert other.blocks is strip.blocks and other.offsets is strip.offsets
