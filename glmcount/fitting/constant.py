"""Whether the columns of an equation span a constant, which only the rows may tell."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout, linear
from glmcount.engine.passes import Raw, Unweighed, Weighed, add, assemble, strip_sums
from glmcount.engine.strip import Strip
from glmcount.fitting.rank import EXACT, NEARLY
from glmcount.numerics import Array
from glmcount.numerics.blas import solving
from glmcount.numerics.control import Control

__all__ = ["spans_constant"]

# Passes: one more refines what rounding left.
LOOKS = 3


def spans_constant(rows: Rows, layout: Layout, equation: int, control: Control) -> bool:
    """Whether a combination of an equation's columns is 1 in every row.

    Formulas tell that of an intercept and of factors; of other columns, such as a matrix of the
    user's, the rows do: 1 is projected on the columns, and what is left of it is rounding.
    """
    if layout.constants[equation] is not None:
        return True
    own = layout.slices[equation]
    target, inverse = np.zeros(layout.size), None
    for look in range(LOOKS if own.start < own.stop else 0):
        left, score, gram = _short_of_one(rows, layout, target, equation, control)
        if left <= EXACT:
            return True
        if look and left > NEARLY:
            break
        if inverse is None:
            inverse = _inverse(gram[own, own])
        target[own] += np.dot(inverse, score[own])
    return False


def _inverse(gram: Array) -> Array:
    """Of a Gram matrix whose columns may repeat each other, whatever their sizes."""
    diagonal = gram.diagonal()
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    with solving(len(gram)):
        inner = linalg.pinvh(scale[:, None] * gram * scale, rtol=1e-12)
    out: Array = scale[:, None] * inner * scale
    return out


def _short_of_one(
    data: Rows, layout: Layout, target: Array, equation: int, control: Control
) -> tuple[float, Array, Array]:
    """What is left of 1 in the mean, X'(1 - X target), and X'X; of one equation alone."""

    def weigh(rows: Unweighed) -> Weighed:
        short = rows.extra
        assert short is not None
        first = tuple(short if k == equation else None for k in range(layout.q))
        scalars = np.array([np.dot(short, short), len(short)])
        return Weighed(scalars, first, {(equation, equation): np.ones(1)})

    def work(strip: Strip) -> Raw:
        short = 1.0 - linear(layout, strip, target, equation)
        zero = np.zeros(layout.size)
        short = np.array(np.broadcast_to(short, (strip.n,)))
        return strip_sums(layout, strip, zero, weigh, control.block_rows, short)

    scalars, score, gram = assemble(layout, data.fold(work, add))
    return float(np.sqrt(scalars[0] / max(scalars[1], 1.0))), score, gram
