"""The sums of a pass over coded blocks, against the design written out."""

from functools import partial

import numpy as np
import pytest

import glmcount as gc
from glmcount.engine import scatter
from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.level_table import LevelTable
from glmcount.engine.passes import Weighed, assemble, predictors, strip_sums
from glmcount.engine.scatter import Written, joined_code, sums_by_code
from glmcount.engine.strip import Strip, one_strip

SUM = np.vstack([np.eye(3), -np.ones(3)])


def one_hot(table, codes):
    full = table.dense if table.dense is not None else np.eye(table.levels)[:, table.picked]
    return full[codes]


def drawn(n, levels=(4, 5, 70, 90)):
    """Two equations: dense columns, factors alone and times numbers, contrasts, shared codes."""
    rng = np.random.default_rng(n)
    codes = [rng.integers(0, many, n).astype(np.uint8) for many in levels]
    x = rng.normal(2.0, 1.0, (4, n))
    pieces = [
        (0, None, None, (None, x[0], x[1])),
        (0, codes[0], SUM, (None,)),
        (0, codes[1], np.eye(5)[:, 1:], (x[2],)),
        (0, codes[2], np.eye(70), (None, x[3])),
        (0, codes[3], np.eye(90)[:, 1:], (None,)),
        (1, None, None, (None, x[2])),
        (1, codes[1], np.eye(5)[:, :-1], (None,)),
        (1, codes[0], np.eye(4)[:, 1:], (x[0], x[1])),
    ]
    blocks, rows, columns, slices, end = [], [], [], [], 0
    for equation, code, contrast, numbers in pieces:
        table = None if code is None else LevelTable.of(contrast)
        v = len(numbers)
        width = v * (1 if table is None else table.width)
        shift = np.array([0.0 if r is None or code is not None else 1.5 for r in numbers])
        numeric = tuple(r is not None for r in numbers)
        places = np.arange(end, end + width)
        number = -1 if code is None else next(k for k, c in enumerate(codes) if c is code)
        blocks.append(Block(equation, places, table, shift, np.ones(v), None, numeric, number))
        rows.append(BlockRows(code, numbers))
        wide = np.stack(
            [np.ones(n) if r is None else r - s for r, s in zip(numbers, shift, strict=True)], 1
        )
        coded = np.ones((n, 1)) if table is None else one_hot(table, code)
        columns.append((coded[:, :, None] * wide[:, None, :]).reshape(n, width))
        if equation == len(slices):
            slices.append(slice(end, end))
        slices[-1] = slice(slices[-1].start, end + width)
        end += width
    layout = Layout(tuple(blocks), tuple(slices), (None, None))
    offsets = (rng.normal(size=n), None)
    strip = Strip(0, 0, n, None, np.ones((1, n)), None, tuple(rows), offsets)
    return layout, strip, np.concatenate(columns, axis=1), rng


@pytest.mark.parametrize("n", [1, 3_000, 70_000])
@pytest.mark.parametrize("block_rows", [500, 1 << 20])
def test_sums_are_those_of_the_design_written_out(n, block_rows):
    layout, strip, design, rng = drawn(n)
    theta = rng.normal(size=layout.size)
    first = rng.normal(size=(2, n))
    second = {(0, 0): rng.random(n), (0, 1): rng.normal(size=n), (1, 1): rng.normal(size=n)}
    taken = [0]

    def weigh(rows):
        m = rows.y.shape[1]
        span = slice(taken[0], taken[0] + m)
        taken[0] += m
        return Weighed(
            np.array([float(m)]),
            tuple(f[span] for f in first),
            {jk: w[span] for jk, w in second.items()},
        )

    raw = strip_sums(layout, strip, theta, weigh, block_rows)
    (count,), score, information = assemble(layout, raw)
    parts = [design[:, s] for s in layout.slices]
    expected = np.concatenate([p.T @ f for p, f in zip(parts, first, strict=True)])
    grid = [
        [parts[j].T @ (parts[k] * (second[min(j, k), max(j, k)])[:, None]) for k in range(2)]
        for j in range(2)
    ]
    assert count == n
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-10 * n**0.5)
    np.testing.assert_allclose(information, np.block(grid), rtol=0, atol=1e-10 * n**0.5)
    etas = predictors(layout, strip, theta)
    np.testing.assert_allclose(
        etas[0], parts[0] @ theta[layout.slices[0]] + strip.offsets[0], rtol=0, atol=1e-11
    )
    np.testing.assert_allclose(etas[1], parts[1] @ theta[layout.slices[1]], rtol=0, atol=1e-11)


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


def test_one_strip_keeps_what_is_shared():
    _, strip, _, _ = drawn(300)
    parts = [strip.span(0, 100), strip.span(30, 70)]
    joined = one_strip(parts)
    assert joined.n == 140 and joined.y.shape == (1, 140)
    assert joined.blocks[1].codes is joined.blocks[7].codes
    assert joined.blocks[5].rows[0] is None and joined.offsets[1] is None
    np.testing.assert_array_equal(joined.blocks[5].rows[1][100:], strip.blocks[5].rows[1][30:70])


def test_a_held_head_fits_as_its_rows_do():
    rng = np.random.default_rng(7)
    n = 70_000
    data = {"x": rng.normal(size=n), "g": rng.integers(0, 3, n).astype(str)}
    data["y"] = rng.poisson(np.exp(0.2 * data["x"]))
    r = gc.fit("y ~ x + g", data)
    rows = r._state.rows.head(50)
    assert (rows.n_used, rows.source.n_strips) == (100, 1)
    held = rows.fold(lambda strip: strip.y, lambda a, b: a + b)
    np.testing.assert_array_equal(held[0], np.r_[data["y"][:50], data["y"][65_536 : 65_536 + 50]])


def test_strips_without_an_equation_are_those_encoded_anew():
    rng = np.random.default_rng(8)
    data = {"x": rng.normal(size=500), "z": rng.normal(size=500), "g": rng.integers(0, 3, 500)}
    data["y"] = rng.poisson(1.0, 500) * (rng.random(500) < 0.7)
    r = gc.fit("y ~ x + C(g)", data, inflate="z + C(g)")
    full = r._state.asked
    full.fold(lambda strip: [strip], lambda a, b: a + b)
    held = full.without((1,))
    assert held.cache.strips
    (kept,) = held.fold(lambda strip: [strip], lambda a, b: a + b)
    held.cache.strips.clear()
    (fresh,) = held.fold(lambda strip: [strip], lambda a, b: a + b)
    assert len(kept.blocks) == len(fresh.blocks) and len(kept.offsets) == 1
    for one, other in zip(kept.blocks, fresh.blocks, strict=True):
        assert one.codes is None or np.array_equal(one.codes, other.codes)
        for a, b in zip(one.rows, other.rows, strict=True):
            assert a is b is None or np.array_equal(a, b)
