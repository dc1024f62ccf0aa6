"""The sums of a pass over coded blocks, against the design written out."""

import numpy as np
import pytest

from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.level_table import LevelTable
from glmcount.engine.passes import assemble, predictors, strip_sums
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Weighed

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
