"""Quadratic forms by row: variances of predictors and leverages, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.strip import Strip
from glmcount.numerics import Array

__all__ = ["quadratic"]

FORM_ROWS = 8_192


def quadratic(layout: Layout, strip: Strip, matrix: Array, equations: Sequence[Any]) -> Array:
    """sum_{j,k} u_j u_k x_ij' M_jk x_ik over a strip, shape (n,); M symmetric.

    `equations` holds for each equation the row factor u_j: an array, 1.0, or None for none.
    """
    total = np.zeros(strip.n)
    chosen = [
        (i, b)
        for i, b in enumerate(layout.blocks)
        if equations[b.equation] is not None and len(b.positions)
    ]
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
