"""Blocks: the columns of a design as codes, small tables and plain rows, never one-hot.

Every term of a formula is x_i = T[c_i] (x) V[:, i]: a table T over the levels of a factor
(or of the joint code of several), times numeric columns V. Numeric columns alone have no
code; a factor alone has the single row of ones. The sum of products of two blocks under
weights is a table over the joint code, folded by the two T afterwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.level_table import LevelTable
from glmcount.numerics import Array
from glmcount.numerics.spaced import spaced
from glmcount.records import cached_property, dataclass

__all__ = ["Block", "BlockRows", "Index", "Row", "add_linear"]

Index = NDArray[np.intp]
Row = NDArray[Any] | None


@dataclass(frozen=True)
class Block:
    """The fixed part of a block: which parameters it has, its table, its shifts.

    Parameters
    ----------
    equation : int
    positions : ndarray of int, shape (width,)
        Parameter of each column, table columns slow and numeric columns fast.
    table : LevelTable or None
        None for numeric columns.
    shift : ndarray, shape (v,)
        Subtracted from the numeric columns; zero where the block holds ones.
    size : ndarray, shape (v,)
        Largest absolute value of the shifted and scaled columns over the used rows.
    scale : ndarray, shape (v,), or None
        Powers of two that multiply the shifted columns; None where none is needed. Solves
        are equilibrated, so only columns whose squares could overflow are scaled.
    numeric : tuple of bool
        False for a column of ones.
    code : int
        Number of its code among those of the design; -1 for numeric columns.
    """

    equation: int
    positions: Index
    table: LevelTable | None
    shift: Array
    size: Array
    scale: Array | None = None
    numeric: tuple[bool, ...] = ()
    code: int = -1

    @cached_property
    def places(self) -> slice | Index:
        """Its positions, as a slice where they follow each other."""
        own = self.positions
        first = int(own[0]) if len(own) else 0
        together = np.array_equal(own, np.arange(first, first + len(own)))
        return slice(first, first + len(own)) if together else own

    @property
    def v(self) -> int:
        """Number of numeric columns (one, of ones, for a factor alone)."""
        return len(self.shift)

    def beta(self, theta: Array) -> Array:
        """Its parameters as (levels, v), or (v,) for numeric columns."""
        own = theta[self.positions]
        return own if self.table is None else self.table.spread(own.reshape(-1, self.v))

    def sizes(self, theta: Array) -> Array:
        """Of parameters without signs how large the terms of `beta` are, which may cancel."""
        own = np.abs(theta[self.positions])
        return own if self.table is None else self.table.sizes(own.reshape(-1, self.v))

    def reach(self, theta: Array) -> float:
        """Upper bound of |x_i' theta| over the rows."""
        beta = np.abs(self.beta(theta))
        reach = np.dot(beta, self.size)
        return float(reach.max(initial=0.0)) if self.table is not None else float(reach)


@dataclass(frozen=True)
class BlockRows:
    """A block's share of a strip: integer codes, and numeric columns (None: ones)."""

    codes: NDArray[Any] | None
    rows: tuple[Row, ...]

    @cached_property
    def together(self) -> list[tuple[int, Array]]:
        """Its numeric columns as rows of matrices, each with the number of the first."""
        return spaced(self.rows)

    def column(self, k: int, block: Block, out: Array | None = None) -> Array | None:
        """Numeric column k, shifted and scaled, in `out` where that is given; None for ones."""
        row = self.rows[k]
        if row is None:
            return None
        shifted: Array = np.subtract(row, block.shift[k], out=out, dtype=np.float64)
        if block.scale is not None:
            shifted *= block.scale[k]
        return shifted

    def fill(self, out: Array, block: Block, first: int, last: int) -> Array:
        """Copy the shifted, scaled numeric columns of rows ``first:last`` into a buffer."""
        columns = out[:, : last - first]
        for k, row in enumerate(self.rows):
            if row is None:
                columns[k] = 1.0
        # A shift is a double, so that single precision and whole numbers become doubles too.
        for k, rows in self.together:
            own = slice(k, k + len(rows))
            np.subtract(rows[:, first:last], block.shift[own, None], columns[own])
        if block.scale is not None:
            columns *= block.scale[:, None]
        return columns


def add_linear(block: Block, rows: BlockRows, beta: Array, total: Array) -> None:
    """Add a block's x_i' beta to `total`."""
    for k in range(block.v):
        column = rows.column(k, block)
        if block.table is None:
            total += beta[k] if column is None else column * beta[k]
        else:
            assert rows.codes is not None
            gathered = np.take(beta[:, k], rows.codes)
            total += gathered if column is None else gathered * column
