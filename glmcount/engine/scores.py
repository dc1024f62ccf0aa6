"""Scores by row: what each row adds to the gradient, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.passes import predictors
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.families.base import Family
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["ColumnOf", "chunks", "each_column", "row_scores"]

# Numbers that a chunk of scores may have, 8 MB of them: never those of all rows at once.
NUMBERS = 1 << 20
# A shift may be so many times the largest number that it leaves: sums lose two digits then.
FAR = 64.0


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


@dataclass(frozen=True, eq=False)
class ColumnOf:
    """A shifted column of a strip, made when it is called.

    Parameters
    ----------
    block : Block
    rows : BlockRows
    k : int
        Which of the block's numeric columns.
    level : ndarray, shape (levels,), or None
        By which it is coded.
    """

    block: Block
    rows: BlockRows
    k: int
    level: Array | None

    def __call__(self, out: Array | None = None) -> Array | None:
        """The column, where it is numbers alone in the array given; None for ones."""
        column = self.rows.column(self.k, self.block, out)
        if self.level is None:
            return column
        assert self.rows.codes is not None
        coded = np.take(self.level, self.rows.codes)
        return coded if column is None else coded * column

    @property
    def constant(self) -> bool:
        """Whether it is ones."""
        return self.level is None and self.rows.rows[self.k] is None

    @property
    def shift(self) -> float:
        """What is subtracted of the numbers."""
        return float(self.block.shift[self.k])

    @property
    def plain(self) -> Array | None:
        """The numbers as they lie in the data, where the column is these less a shift.

        None also where the shift is so large beside what is left that sums of the numbers would
        lose digits.
        """
        row = self.rows.rows[self.k]
        if self.level is not None or self.block.scale is not None or row is None:
            return None
        near = abs(self.shift) <= FAR * self.block.size[self.k]
        return row if near and row.dtype == np.float64 else None


def each_column(layout: Layout, strip: Strip) -> Iterator[tuple[int, int, ColumnOf]]:
    """Equation, parameter and what makes the shifted column of a strip, one after the other."""
    for block, rows, table in zip(layout.blocks, strip.blocks, layout.tables, strict=True):
        levels = [None] if table is None or rows.codes is None else table.T
        for level, positions in zip(levels, block.positions.reshape(-1, block.v), strict=True):
            for k, position in enumerate(positions):
                yield block.equation, int(position), ColumnOf(block, rows, k, level)
