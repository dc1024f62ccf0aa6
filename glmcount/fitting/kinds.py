"""Where a small fit begins: the mean count of the rows that share a design.

Rows of one design have one mean under the model, which their own mean estimates. The regression
of these means' predictors on the design is the maximum itself where there are as many kinds of
rows as parameters and the score is one of residuals; with more kinds it is Berkson's estimate
(1955, Journal of the American Statistical Association 50, 130-162), weighted by the rows alone
so that nothing but a product depends on the response.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.cells.key import Key, Unsuited, fields_of
from glmcount.design.encode import Encoder
from glmcount.design.measure import Measured
from glmcount.engine.layout import Layout
from glmcount.engine.spread import Small
from glmcount.families.base import Family
from glmcount.numerics import Array
from glmcount.numerics.factor import factor
from glmcount.records import dataclass

__all__ = ["Kinds", "kinds_of"]

# Rows a kind has on average at least: means of fewer are no better a start than one mean.
ROWS = 4
WIDEST = 4_096
# Relative pivots from which the regression is worth its digits.
APART = 1e-6


@dataclass(frozen=True)
class Kinds:
    """Rows by their design.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        The kind of each row.
    sizes : ndarray, shape (m,)
        Sum of w exp(offset) of each.
    weights : ndarray, shape (n,), or None
    back : ndarray, shape (p, m)
        From predictors of the kinds to parameters.
    """

    codes: NDArray[np.intp]
    sizes: Array
    weights: Array | None
    back: Array

    def start(self, y: Array, family: Family) -> Array | None:
        """Parameters of the kinds' means; None where one of these is not inside its domain."""
        counts = y if self.weights is None else y * self.weights
        means = np.bincount(self.codes, counts) / self.sizes
        if not means.item(means.argmin()) > 0.0:
            return None
        theta: Array = self.back.dot(family.lift(means))
        return theta if math.isfinite(theta.dot(theta)) else None


def kinds_of(encoder: Encoder, layout: Layout, measured: Measured, small: Small) -> Kinds | None:
    """The kinds of rows of a small problem; None where they are too many to begin from."""
    key = Key(fields_of(encoder, layout, measured, offsets=False, response=False))
    if not 0 < key.space <= WIDEST:
        return None
    try:
        codes = key.of(small.strip)[0]
    except Unsuited:
        return None
    return _kinds(codes, key.space, small)


def _kinds(keys: NDArray[Any], space: int, small: Small) -> Kinds | None:
    """The kinds that keys below `space` tell apart; None where they do not tell all columns."""
    strip, columns = small.strip, small.columns[0]
    present = np.flatnonzero(np.bincount(keys, minlength=space))
    place = np.empty(space, dtype=np.intp)
    if not len(columns) <= len(present) <= strip.n / ROWS:
        return None
    place[present] = np.arange(len(present))
    codes = place[keys]
    example = np.empty(len(present), dtype=np.intp)
    example[codes] = np.arange(strip.n)
    offset, weights = strip.offsets[0], strip.weights
    exposure = None if offset is None else np.exp(offset)
    if weights is not None:
        exposure = weights if exposure is None else weights * exposure
    sizes = np.bincount(codes, exposure).astype(np.float64)
    design = columns[:, example]
    weighted = design * sizes
    found = factor(weighted.dot(design.T))
    if found is None or not found.smallest > APART:
        return None
    return Kinds(codes, sizes, weights, found.solve(weighted))
