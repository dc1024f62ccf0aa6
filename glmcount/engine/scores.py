"""Scores by row: what each row adds to the gradient, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.passes import predictors
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.families.base import Family
from glmcount.numerics import Array

__all__ = ["Made", "chunks", "each_column", "row_scores"]

# It may be given an array to put the column in; None for ones.
Made = Callable[..., Array | None]

# Numbers that a chunk of scores may have, 8 MB of them: never those of all rows at once.
NUMBERS = 1 << 20


def chunks(layout: Layout, strip: Strip) -> Iterator[Strip]:
    """A strip as runs of rows so short that a matrix of all their columns is small."""
    step = max(1, NUMBERS // max(layout.size, 1))
    for first in range(0, max(strip.n, 1), step):
        yield strip.span(first, min(first + step, strip.n))


def row_scores(layout: Layout, strip: Strip, theta: Array, family: Family) -> Array:
    """Weighted scores of a strip's rows in shifted columns, (n, p); they add up to the score."""
    out = np.zeros((strip.n, layout.size))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        slopes = family.terms(strip.y, predictors(layout, strip, theta)).d1
        for own, columns, slope in zip(
            layout.slices, columns_of(layout, strip), slopes, strict=True
        ):
            if slope is not None:
                weighed = slope if strip.weights is None else slope * strip.weights
                np.multiply(columns, weighed, out=out[:, own].T)
    return out


def each_column(layout: Layout, strip: Strip) -> Iterator[tuple[int, int, Made]]:
    """Equation, parameter and what makes the shifted column of a strip, one after the other."""
    for block, rows, table in zip(layout.blocks, strip.blocks, layout.tables, strict=True):
        levels = [None] if table is None or rows.codes is None else table.T
        for level, positions in zip(levels, block.positions.reshape(-1, block.v), strict=True):
            for k, position in enumerate(positions):
                yield block.equation, int(position), partial(_column, block, rows, k, level)


def _column(
    block: Block, rows: BlockRows, k: int, level: Array | None, out: Array | None = None
) -> Array | None:
    """A numeric column, of the rows of a level, as it is coded; None for ones."""
    column = rows.column(k, block, out)
    if level is None:
        return column
    assert rows.codes is not None
    coded = np.take(level, rows.codes)
    return coded if column is None else coded * column
