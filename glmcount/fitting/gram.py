"""Weighted products of dense columns: most of the arithmetic of a pass with many of them."""

from __future__ import annotations

import math

import numpy as np

from glmcount.design.blocks import Layout
from glmcount.design.scatter import scratch
from glmcount.numerics import Array

__all__ = ["gram", "single_suits"]

# Columns that a product of matrices in single precision takes at a time.
TILE = 8
# Bytes of columns in single precision held at a time.
BYTES = 2**21
# Weights and columns up to this size multiply without overflow in single precision.
MODEST = 1e8
# Columns below the tiles of a matrix product: that would take up to thrice as long.
NARROW = 5
# Columns up to which a square is sooner had as a sum over short runs of rows; OpenBLAS multiplies
# matrices whose three sizes have at most that product without copying them together first.
MIDDLE = 32
ENTRIES = 1_000_000


def single_suits(layout: Layout) -> bool:
    """Whether the information may be had in single precision, and sooner for that."""
    wide = [block for block in layout.blocks if block.table is None and block.v > MIDDLE]
    return bool(wide) and all(
        bool(np.all((block.size < MODEST) & (block.size > 1.0 / MODEST))) for block in wide
    )


def gram(
    left: Array,
    right: Array,
    weights: Array,
    own: bool,
    rough: bool,
) -> Array:
    """left diag(weights) right'; a block's own may scale its columns in place.

    Parameters
    ----------
    left, right : ndarray, shapes (p, n) and (q, n)
    weights : ndarray, shape (n,)
    own : bool
        Whether both are the columns of one block.
    rough : bool
        Whether single precision will do.
    """
    if len(left) < len(right):
        return gram(right, left, weights, own, rough).T
    if len(right) <= NARROW:
        weighted = scratch("weighted", weights.shape)
        out = np.empty((len(left), len(right)))
        for k, column in enumerate(right):
            np.multiply(column, weights, out=weighted)
            first = k if own else 0
            out[first:, k] = np.dot(left[first:], weighted)
            if own:
                out[k, first:] = out[first:, k]
        return out
    least, most = (weights.min(), weights.max()) if weights.size else (0.0, 0.0)
    square = own and least >= 0
    if rough and len(left) > MIDDLE and least > -MODEST and most < MODEST:
        return _single_gram(left, right, weights, square)
    if square:
        left *= np.sqrt(weights)
        return _squared(left)
    return np.dot(left * weights, right.T)


def _single_gram(left: Array, right: Array, weights: Array, square: bool) -> Array:
    """left diag(weights) right' in single precision, which takes half the time."""
    p, n = left.shape
    if not square:
        own = left.astype(np.float32)
        own *= weights.astype(np.float32)
        return np.dot(own, right.T.astype(np.float32)).astype(np.float64)
    # Zeros beside 41 columns are sooner multiplied than a part of a tile is handled apart.
    wide = -(-p // TILE) * TILE
    rows = min(n, max(BYTES // (4 * wide), 1))
    roots = np.sqrt(weights).astype(np.float32)
    out = np.zeros((p, p))
    for first in range(0, n, rows):
        last = min(first + rows, n)
        part = scratch("single", (wide, last - first), np.float32)
        part[:p] = left[:, first:last]
        part[p:] = 0.0
        part *= roots[first:last]
        out += np.dot(part, part.T)[:p, :p]
    return out


def _squared(columns: Array) -> Array:
    """columns columns'; symmetric to the last bit."""
    p, n = columns.shape
    if p > MIDDLE:
        return np.dot(columns, columns.T)
    half = p // 2
    rows = 2 ** int(math.log2(ENTRIES / (p * (p - half))))
    count, rest = n // rows, n % rows
    if not count:
        return np.dot(columns, columns.T)
    runs = columns[:, : n - rest].reshape(p, count, rows)
    left, right = runs.transpose(1, 0, 2), runs.transpose(1, 2, 0)
    out = np.empty((p, p))
    # Of two factors of one shape numpy would have the square, which copies them together.
    out[:half] = np.matmul(left[:, :half], right).sum(axis=0)
    out[half:] = np.matmul(left[:, half:], right).sum(axis=0)
    if rest:
        last = columns[:, n - rest :]
        out += np.dot(last, last.T)
    # A product and that of the other order may be rounded in two ways.
    return 0.5 * (out + out.T)
