"""Scores by row: what each row adds to the gradient, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from glmcount.engine.layout import Layout
from glmcount.engine.passes import predictors
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.families.base import Family
from glmcount.numerics import Array

__all__ = ["chunks", "each_column", "row_scores"]

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


def each_column(layout: Layout, strip: Strip) -> Iterator[tuple[int, int, Array | None]]:
    """Equation, parameter and shifted column of a strip, one after the other; None for ones."""
    for block, rows, table in zip(layout.blocks, strip.blocks, layout.tables, strict=True):
        numeric = [rows.column(k, block) for k in range(block.v)]
        if table is None or rows.codes is None:
            for position, column in zip(block.positions, numeric, strict=True):
                yield block.equation, int(position), column
            continue
        for level, positions in zip(table.T, block.positions.reshape(-1, block.v), strict=True):
            coded = np.take(level, rows.codes)
            for position, column in zip(positions, numeric, strict=True):
                yield block.equation, int(position), coded if column is None else coded * column
