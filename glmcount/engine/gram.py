"""Weighted products of dense columns: most of the arithmetic of a pass with many of them."""

from __future__ import annotations

import math

import numpy as np

from glmcount.engine.scatter import scratch
from glmcount.numerics import Array

__all__ = ["gram"]

# Columns below the tiles of a matrix product: that would take up to thrice as long.
NARROW = 5
# Columns up to which a square is sooner had as a sum over short runs of rows; OpenBLAS multiplies
# matrices whose three sizes have at most that product without copying them together first.
MIDDLE = 32
ENTRIES = 1_000_000


def gram(
    left: Array,
    right: Array,
    weights: Array,
    own: bool,
) -> Array:
    """left diag(weights) right'; a block's own may scale its columns in place.

    Parameters
    ----------
    left, right : ndarray, shapes (p, n) and (q, n)
    weights : ndarray, shape (n,)
    own : bool
        Whether both are the columns of one block.
    """
    if len(left) < len(right):
        return gram(right, left, weights, own).T
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
    if own and (not weights.size or weights.min() >= 0):
        left *= np.sqrt(weights)
        return _squared(left)
    return np.dot(left * weights, right.T)


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
