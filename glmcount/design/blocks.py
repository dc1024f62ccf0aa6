"""Blocks: the columns of a design as codes, small tables and plain rows, never one-hot.

Every term of a formula is x_i = T[c_i] (x) V[:, i]: a table T over the levels of a factor
(or of the joint code of several), times numeric columns V. Numeric columns alone have no
code; a factor alone has the single row of ones. The sum of products of two blocks under
weights is a table over the joint code, folded by the two T afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.design.coding import Table
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["Block", "BlockRows", "Layout", "Strip", "Table", "giving_one", "one_strip"]

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
    table : Table or None
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
    """

    equation: int
    positions: Index
    table: Table | None
    shift: Array
    size: Array
    scale: Array | None = None
    numeric: tuple[bool, ...] = ()

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

    def column(self, k: int, block: Block) -> Array | None:
        """Numeric column k, shifted and scaled; None for ones."""
        row = self.rows[k]
        if row is None:
            return None
        shifted = np.subtract(row, block.shift[k], dtype=np.float64)
        return shifted if block.scale is None else shifted * block.scale[k]

    def fill(self, out: Array, block: Block, first: int, last: int) -> Array:
        """Copy the shifted, scaled numeric columns of rows ``first:last`` into a buffer."""
        columns = out[:, : last - first]
        # A shift is a double, so that single precision and whole numbers become doubles too.
        for row, shift, column in zip(self.rows, block.shift, columns, strict=True):
            if row is None:
                column[:] = 1.0
            else:
                np.subtract(row[first:last], shift, column)
        if block.scale is not None:
            columns *= block.scale[:, None]
        return columns


@dataclass(frozen=True)
class Strip:
    """Encoded rows: what the engine sees of the data.

    Parameters
    ----------
    number : int
        Of the strip.
    first : int
        Number of the first row of the strip in the data.
    n : int
        Used rows.
    where : ndarray of int or None
        Which rows of the strip those are; None for all.
    y : ndarray, shape (m, n)
    weights : ndarray, shape (n,), or None
    blocks : tuple of BlockRows
        In the order of `Layout.blocks`.
    offsets : tuple of ndarray or None, one each equation
    """

    number: int
    first: int
    n: int
    where: Index | None
    y: Array
    weights: Array | None
    blocks: tuple[BlockRows, ...]
    offsets: tuple[Array | None, ...]

    def span(self, first: int, last: int) -> Strip:
        """The used rows ``first:last``."""
        return self if first == 0 and last >= self.n else self.taken(slice(first, last))

    def taken(self, rows: slice | Index) -> Strip:
        """Some of the used rows."""
        cut: dict[int, Any] = {}

        def part(values: Row) -> Row:
            # Once each: that two blocks have one code is told by its being the same array.
            if values is None:
                return None
            if id(values) not in cut:
                cut[id(values)] = values[rows]
            found: Row = cut[id(values)]
            return found

        y = self.y[:, rows]
        return replace(
            self,
            n=y.shape[1],
            where=part(self.where),
            y=y,
            weights=part(self.weights),
            blocks=tuple(
                BlockRows(part(block.codes), tuple(part(row) for row in block.rows))
                for block in self.blocks
            ),
            offsets=tuple(part(offset) for offset in self.offsets),
        )

    def of(self, blocks: Sequence[int], equations: Sequence[int]) -> Strip:
        """The same rows with some of the blocks and equations."""
        return replace(
            self,
            blocks=tuple(self.blocks[i] for i in blocks),
            offsets=tuple(self.offsets[k] for k in equations),
        )


def giving_one(table: Array) -> NDArray[Any]:
    """a with T a nearest to 1; of a fully coded factor at once."""
    if np.all(table.sum(axis=1) == 1.0):
        return np.ones(table.shape[1])
    return np.linalg.lstsq(table, np.ones(len(table)), rcond=None)[0]


def one_strip(strips: Sequence[Strip]) -> Strip:
    """The rows of several strips as one, copied; blocks that share a code still do."""
    joined: dict[int, Any] = {}

    def join(parts: Sequence[Row]) -> Row:
        present = [part for part in parts if part is not None]
        if not present:
            return None
        if id(present[0]) not in joined:
            joined[id(present[0])] = np.concatenate(present)
        found: Row = joined[id(present[0])]
        return found

    blocks = []
    for i, block in enumerate(strips[0].blocks):
        every = [strip.blocks[i] for strip in strips]
        rows = tuple(join([b.rows[k] for b in every]) for k in range(len(block.rows)))
        blocks.append(BlockRows(join([b.codes for b in every]), rows))
    return Strip(
        number=0,
        first=0,
        n=sum(strip.n for strip in strips),
        where=None,
        y=np.concatenate([strip.y for strip in strips], axis=1),
        weights=join([strip.weights for strip in strips]),
        blocks=tuple(blocks),
        offsets=tuple(join(parts) for parts in zip(*(s.offsets for s in strips), strict=True)),
    )


@dataclass(frozen=True)
class Layout:
    """How the parameters of all equations lie in one vector.

    Parameters
    ----------
    blocks : tuple of Block
        Of all equations, in order.
    slices : tuple of slice
        Parameters of each equation.
    constants : tuple of ndarray or None
        For each equation the vector a with X a = 1, or None where ones are not spanned.
    """

    blocks: tuple[Block, ...]
    slices: tuple[slice, ...]
    constants: tuple[Array | None, ...]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.slices[-1].stop if self.slices else 0

    @property
    def q(self) -> int:
        """Number of equations."""
        return len(self.slices)

    @cached_property
    def dense_columns(self) -> int:
        """Numeric columns of blocks without a code, over all equations."""
        return sum(block.v for block in self.blocks if block.table is None)

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """What passes have derived from the layout, to be used again."""
        return {}

    @cached_property
    def coded(self) -> bool:
        """Whether any block has a code."""
        return any(block.table is not None for block in self.blocks)

    def of(self, equation: int) -> list[tuple[int, Block]]:
        """Blocks of an equation with their places in `blocks`."""
        return [(i, b) for i, b in enumerate(self.blocks) if b.equation == equation]

    def reach(self, theta: Array) -> float:
        """Upper bound of |x_i' theta| over rows and equations."""
        return max((sum(b.reach(theta) for _, b in self.of(k)) for k in range(self.q)), default=0.0)

    def within(self, equation: int) -> Layout:
        """The same parameters, of which only that equation's have blocks."""
        return replace(self, blocks=tuple(b for b in self.blocks if b.equation == equation))

    def places(self, gone: Sequence[int]) -> Index:
        """Parameters of all equations but those."""
        held = [np.arange(s.start, s.stop) for k, s in enumerate(self.slices) if k not in gone]
        return np.concatenate([np.zeros(0, dtype=np.intp), *held]).astype(np.intp)

    def without(self, gone: Sequence[int]) -> Layout:
        """The layout of all equations but those, in order."""
        places = self.places(gone)
        new = np.full(self.size, -1, dtype=np.intp)
        new[places] = np.arange(len(places))
        number = {k: i for i, k in enumerate(k for k in range(self.q) if k not in gone)}
        slices, end = [], 0
        for k in number:
            start, end = end, end + self.slices[k].stop - self.slices[k].start
            slices.append(slice(start, end))
        return Layout(
            tuple(
                replace(b, equation=number[b.equation], positions=new[b.positions])
                for b in self.blocks
                if b.equation in number
            ),
            tuple(slices),
            tuple(None if (c := self.constants[k]) is None else c[places] for k in number),
        )

    @cached_property
    def sizes(self) -> Array:
        """Largest |x_ij| of each shifted column."""
        out = np.zeros(self.size)
        for block in self.blocks:
            columns = np.ones(1)
            if block.table is not None and block.table.dense is not None:
                columns = np.abs(block.table.dense).max(axis=0)
            elif block.table is not None:
                columns = np.ones(block.table.width)
            out[block.positions] = np.outer(columns, block.size).reshape(-1)
        return out

    def unshifted(self, matrix: Array, kept: Index) -> Array:
        """A M A' over kept columns, where theta = A theta_shifted, A = (I - a m') S.

        Of a symmetric matrix; what is too large for a number becomes infinite.
        """
        if self._plain:
            return matrix
        with np.errstate(over="ignore", invalid="ignore"):
            scales = self._scales[kept]
            out = self._both_sides(scales[:, None] * matrix * scales, kept, -1.0)
            return 0.5 * (out + out.T)

    def reshifted(self, matrix: Array, kept: Index) -> Array:
        """The inverse of `unshifted`."""
        scales = 1.0 / self._scales[kept]
        return scales[:, None] * self._both_sides(matrix, kept, 1.0) * scales

    def _both_sides(self, matrix: Array, kept: Index, sign: float) -> Array:
        """(I + sign a m') M (I + sign m a'), for every equation that has shifts."""
        for constant, shift in self._shifts:
            a, m = sign * constant[kept], shift[kept]
            matrix = matrix + np.outer(a, np.dot(m, matrix))
            matrix = matrix + np.outer(np.dot(matrix, m), a)
        return matrix

    def unshift(self, theta: Array) -> Array:
        """A theta: estimates in the columns as the user has them."""
        if self._plain:
            return theta
        out = theta * self._scales
        for constant, shift in self._shifts:
            out = out - constant * float(np.dot(shift, out))
        return out

    def carried(self, theta: Array) -> float:
        """What `unshift` subtracts from a constant, its addends without their signs."""
        size = np.abs(theta * self._scales)
        return float(sum(np.dot(np.abs(shift), size) for _, shift in self._shifts))

    def reshift(self, theta: Array) -> Array:
        """Inverse of `unshift`: since m'a = 0 it is S^-1 (I + a m')."""
        for constant, shift in self._shifts:
            theta = theta + constant * float(np.dot(shift, theta))
        return theta / self._scales

    @cached_property
    def _plain(self) -> bool:
        """Whether the columns are as the user has them: A is the identity."""
        return not self._shifts and all(block.scale is None for block in self.blocks)

    @cached_property
    def _scales(self) -> Array:
        out = np.ones(self.size)
        for block in self.blocks:
            if block.scale is not None:
                width = len(block.positions) // block.v
                out[block.positions] = np.tile(block.scale, width)
        return out

    @cached_property
    def _shifts(self) -> tuple[tuple[Array, Array], ...]:
        """(a, m) of each equation with shifted columns: X a = 1, m what was subtracted."""
        out = []
        for equation, constant in enumerate(self.constants):
            shifts = np.zeros(self.size)
            for _, block in self.of(equation):
                if block.table is None:
                    shifts[block.positions] = block.shift
            if constant is not None and shifts.any():
                out.append((constant, shifts))
        return tuple(out)


def linear(layout: Layout, strip: Strip, theta: Array, equation: int) -> Array:
    """x_i' theta over a strip, without the offset, shape (n,)."""
    total = np.zeros(strip.n)
    for i, block in layout.of(equation):
        add_linear(block, strip.blocks[i], block.beta(theta), total)
    return total


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
