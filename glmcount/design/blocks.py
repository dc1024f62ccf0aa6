"""Blocks: the columns of a design as codes, small tables and plain rows, never one-hot.

Every term of a formula is x_i = T[c_i] (x) V[:, i]: a table T over the levels of a factor
(or of the joint code of several), times numeric columns V. Numeric columns alone have no
code; a factor alone has the single row of ones. The sum of products of two blocks under
weights is a table over the joint code, folded by the two T afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array

__all__ = ["Block", "BlockRows", "Layout", "Strip", "Table", "pair_sums", "score_sums"]

FORM_ROWS = 8_192

Index = NDArray[np.intp]
Row = NDArray[Any] | None


@dataclass(frozen=True)
class Table:
    """Contrast table T, (levels, width), of a factor or of an interaction of factors.

    A table whose columns each pick one level (treatment coding) is kept as the list of
    those levels: a factor of 5,000 levels would otherwise carry 200 MB of zeros and ones.
    """

    levels: int
    width: int
    picked: Index | None
    dense: Array | None

    @staticmethod
    def of(matrix: Array) -> Table:
        """Table of a contrast matrix, (levels, width)."""
        levels, width = matrix.shape
        ones = matrix == 1.0
        if width and ones.sum() == width == np.count_nonzero(matrix) and ones.any(axis=0).all():
            return Table(levels, width, np.argmax(ones, axis=0), None)
        return Table(levels, width, None, np.ascontiguousarray(matrix, dtype=np.float64))

    def spread(self, beta: Array) -> Array:
        """T beta, from (width, v) to (levels, v)."""
        if self.dense is not None:
            return np.dot(self.dense, beta)
        out = np.zeros((self.levels, beta.shape[1]))
        out[self.picked] = beta
        return out

    def fold(self, sums: Array, axis: int = 0) -> Array:
        """T' along `axis`, from levels to width."""
        if self.dense is not None:
            return np.moveaxis(np.tensordot(self.dense, sums, axes=(0, axis)), 0, axis)
        assert self.picked is not None
        return np.take(sums, self.picked, axis=axis)


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
    """

    equation: int
    positions: Index
    table: Table | None
    shift: Array
    size: Array
    scale: Array | None = None

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

    def part(self, first: int, last: int) -> BlockRows:
        """The rows ``first:last``."""
        return BlockRows(
            None if self.codes is None else self.codes[first:last],
            tuple(None if row is None else row[first:last] for row in self.rows),
        )

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
        for k, row in enumerate(self.rows):
            if row is None:
                columns[k] = 1.0
            else:
                np.subtract(row[first:last], block.shift[k], out=columns[k], dtype=np.float64)
                if block.scale is not None:
                    columns[k] *= block.scale[k]
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

    def head(self, rows: int) -> Strip:
        """The first `rows` used rows."""
        if rows >= self.n:
            return self
        return Strip(
            self.number,
            self.first,
            rows,
            self.where,
            self.y[:, :rows],
            None if self.weights is None else self.weights[:rows],
            tuple(block.part(0, rows) for block in self.blocks),
            tuple(None if offset is None else offset[:rows] for offset in self.offsets),
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

    @cached_property
    def unshift(self) -> Array:
        """Matrix A with theta = A theta_shifted, (size, size): (I - a m') S."""
        matrix = self._without_shift(-1.0)
        return matrix * self._scales

    @cached_property
    def reshift(self) -> Array:
        """Inverse of `unshift`: since m'a = 0 it is S^-1 (I + a m')."""
        return self._without_shift(1.0) / self._scales[:, None]

    @property
    def _scales(self) -> Array:
        out = np.ones(self.size)
        for block in self.blocks:
            if block.scale is not None:
                width = len(block.positions) // block.v
                out[block.positions] = np.tile(block.scale, width)
        return out

    def _without_shift(self, sign: float) -> Array:
        """I + sign a m' over all equations."""
        matrix = np.eye(self.size)
        for equation, constant in enumerate(self.constants):
            if constant is None:
                continue
            shifts = np.zeros(self.size)
            for _, block in self.of(equation):
                if block.table is None:
                    shifts[block.positions] = block.shift
            matrix += sign * np.outer(constant, shifts)
        return matrix


def _weighted(block: Block, rows: BlockRows, weights: Array) -> list[Array]:
    out: list[Array] = []
    for k in range(block.v):
        column = rows.column(k, block)
        out.append(weights if column is None else weights * column)
    return out


def score_sums(block: Block, rows: BlockRows, weights: Array) -> Array:
    """sum_i w_i V[:, i] by level: (levels, v)."""
    assert block.table is not None and rows.codes is not None
    return np.stack(
        [np.bincount(rows.codes, w, block.table.levels) for w in _weighted(block, rows, weights)],
        axis=1,
    )


def pair_sums(
    pair: tuple[Block, Block], rows: tuple[BlockRows, BlockRows], weights: Array
) -> Array:
    """sum_i w_i V_a V_b' by levels of a and b: (levels a, v a, levels b, v b).

    At least one of the two blocks has codes. Where both share one code only the diagonal
    exists, and (levels, v a, v b) comes back.
    """
    (a, b), (ra, rb) = pair, rows
    la = a.table.levels if a.table else 1
    lb = b.table.levels if b.table else 1
    shared = ra.codes is not None and ra.codes is rb.codes
    if ra.codes is None or shared:
        code = rb.codes
    elif rb.codes is None:
        code = ra.codes
    else:
        code = np.multiply(ra.codes, lb, dtype=np.intp)
        code += rb.codes
    cells = la if shared else la * lb
    assert code is not None
    right = [rb.column(j, b) for j in range(b.v)]
    out = np.empty((a.v, b.v, cells))
    for i, left in enumerate(_weighted(a, ra, weights)):
        for j, column in enumerate(right):
            out[i, j] = np.bincount(code, left if column is None else left * column, cells)
    if shared:
        return out.transpose(2, 0, 1)
    return out.reshape(a.v, b.v, la, lb).transpose(2, 0, 3, 1)


def diagonal_to_full(sums: Array) -> Array:
    """(levels, va, vb) of a shared code as (levels, va, levels, vb)."""
    levels, va, vb = sums.shape
    out = np.zeros((levels, va, levels, vb))
    every = np.arange(levels)
    out[every, :, every, :] = sums
    return out


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


def quadratic(layout: Layout, strip: Strip, matrix: Array, equations: Sequence[Any]) -> Array:
    """sum_{j,k} u_j u_k x_ij' M_jk x_ik over a strip, shape (n,); M symmetric.

    `equations` holds for each equation the row factor u_j: an array, 1.0, or None for none.
    """
    total = np.zeros(strip.n)
    chosen = [(i, b) for i, b in enumerate(layout.blocks) if equations[b.equation] is not None]
    for place, (i, a) in enumerate(chosen):
        for j, b in chosen[place:]:
            part = matrix[np.ix_(a.positions, b.positions)]
            pair = (strip.blocks[i], strip.blocks[j])
            form = _dense_form if a.table is None and b.table is None else _coded_form
            values = form((a, b), pair, part, strip.n)
            values *= equations[a.equation] * equations[b.equation] * (1.0 if i == j else 2.0)
            total += values
    return total


def _dense_form(
    pair: tuple[Block, Block], rows: tuple[BlockRows, BlockRows], part: Array, n: int
) -> Array:
    (a, b), (ra, rb) = pair, rows
    out = np.empty(n)
    step = FORM_ROWS
    left, right = np.empty((a.v, step)), np.empty((b.v, step))
    for first in range(0, n, step):
        last = min(first + step, n)
        x = ra.fill(left, a, first, last)
        y = rb.fill(right, b, first, last)
        out[first:last] = np.einsum("vn,vn->n", x, np.dot(part, y))
    return out


def _coded_form(
    pair: tuple[Block, Block], rows: tuple[BlockRows, BlockRows], part: Array, n: int
) -> Array:
    (a, b), (ra, rb) = pair, rows
    by_column = part.reshape(-1, a.v, part.shape[1])
    out = np.zeros(n)
    for k in range(a.v):
        inner = _inner(a, ra, b, rb, by_column[:, k])
        column = ra.column(k, a)
        out += inner if column is None else inner * column
    return out


def _inner(a: Block, ra: BlockRows, b: Block, rb: BlockRows, part: Array) -> Array:
    """T_a[c_a] M_ab x_b by row; `part` is (width of T_a, width of b)."""
    if a.table is not None:
        part = a.table.spread(part)
    levels = part.shape[0]
    if b.table is not None:
        wide = part.reshape(levels, b.table.width, b.v).transpose(1, 0, 2)
        spread = b.table.spread(wide.reshape(b.table.width, -1))
        part = spread.reshape(b.table.levels, levels, b.v).transpose(1, 0, 2)
    else:
        part = part.reshape(levels, 1, b.v)
    code: Any = 0 if ra.codes is None else ra.codes
    other: Any = 0 if rb.codes is None else rb.codes
    total: Array | None = None
    for k in range(b.v):
        picked = part[code, other, k]
        column = rb.column(k, b)
        term = picked if column is None else picked * column
        total = term if total is None else total + term
    assert total is not None
    return total
