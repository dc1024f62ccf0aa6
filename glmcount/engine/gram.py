"""Weighted products of dense columns: most of the arithmetic of a pass with many of them."""

from __future__ import annotations

import numpy as np

from glmcount.engine.scatter import scratch
from glmcount.numerics import Array
from glmcount.numerics.blas import multiplies_small

__all__ = ["gram", "squared"]

# Columns below the tiles of a matrix product: that would take up to thrice as long.
NARROW = 5
# Columns up to which sums over short runs of rows pay, and the rows of such a run.
MIDDLE = 64
RUN = 512
# Rows of a result that are made at a time: tiles of the processor's registers.
SIDE, HALF = 8, 4


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
        return squared(left)
    return _product(left * weights, right, own)


def squared(columns: Array) -> Array:
    """columns columns', symmetric to the last bit.

    Parameters
    ----------
    columns : ndarray, shape (p, n)
    """
    return _product(columns, columns, True)


def _product(left: Array, right: Array, own: bool) -> Array:
    """left right', of which `own` says that it is symmetric."""
    if len(left) > MIDDLE or left.shape[1] < RUN or not multiplies_small():
        return np.dot(left, right.T)
    whole = left.shape[1] // RUN * RUN
    out = _runs(left[:, :whole], right[:, :whole], RUN, own)
    if whole < left.shape[1]:
        out += _runs(left[:, whole:], right[:, whole:], left.shape[1] - whole, own)
    if own:
        below = np.tril_indices(len(left), -1)
        out[below] = out.T[below]
    return out


def _runs(left: Array, right: Array, rows: int, own: bool) -> Array:
    """left right' as a sum over runs of so many rows, some rows of the result at a time.

    A product that is symmetric is made on and above its diagonal.
    """
    p, q = len(left), len(right)
    a = left.reshape(p, -1, rows).transpose(1, 0, 2)
    b = right.reshape(q, -1, rows).transpose(1, 2, 0)
    side = SIDE if p > SIDE else HALF
    out = np.zeros((p, q))
    for first in range(0, p, side):
        last = min(first + side, p)
        # Of two factors of one shape numpy would have the square, which copies them together.
        start = max(min(first, q - (last - first) - 1), 0) if own else 0
        out[first:last, start:] += np.matmul(a[:, first:last], b[:, :, start:]).sum(axis=0)
    return out
