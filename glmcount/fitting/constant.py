"""Whether the columns of an equation span a constant, or anything else, as the rows tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout, linear
from glmcount.engine.passes import Raw, add, assemble, strip_sums
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.fitting.rank import EXACT, NEARLY
from glmcount.numerics import Array
from glmcount.numerics.blas import solving
from glmcount.numerics.control import Control

__all__ = ["spans", "spans_constant"]

# Passes: one more refines what rounding left.
LOOKS = 3


def spans_constant(rows: Rows, layout: Layout, equation: int, control: Control) -> bool:
    """Whether a combination of an equation's columns is 1 in every row.

    Formulas tell that of an intercept and of factors; of other columns, such as a matrix of the
    user's, the rows do: 1 is projected on the columns, and what is left of it is rounding.
    """
    if layout.constants[equation] is not None:
        return True
    return spans(rows, layout, equation, control, lambda strip: np.ones(strip.n), EXACT)


def spans(
    rows: Rows,
    layout: Layout,
    equation: int,
    control: Control,
    wanted: Callable[[Strip], Array],
    least: float = NEARLY,
) -> bool:
    """Whether a combination of an equation's columns is what is wanted of every row.

    Parameters
    ----------
    wanted : callable
        ``strip -> ndarray of shape (n,)``.
    least : float
        Share of it, of all rows together, below which what is left is rounding.
    """
    own = layout.slices[equation]
    target, inverse = np.zeros(layout.size), None
    for look in range(LOOKS):
        left, score, gram = _short(rows, layout, target, equation, control, wanted)
        if left <= least:
            return True
        if own.start == own.stop or (look and left > NEARLY):
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
        inner = scipy.linalg.pinvh(scale[:, None] * gram * scale, rtol=1e-12)
    out: Array = scale[:, None] * inner * scale
    return out


def _short(
    data: Rows,
    layout: Layout,
    target: Array,
    equation: int,
    control: Control,
    wanted: Callable[[Strip], Array],
) -> tuple[float, Array, Array]:
    """What is left of v = `wanted` as a share, X'(v - X target), and X'X; of one equation alone."""

    def weigh(rows: Unweighed) -> Weighed:
        short = rows.extra
        assert short is not None
        first = tuple(short if k == equation else None for k in range(layout.q))
        return Weighed(np.array([np.dot(short, short)]), first, {(equation, equation): np.ones(1)})

    def work(strip: Strip) -> tuple[float, Raw]:
        whole = wanted(strip)
        short = np.array(whole - linear(layout, strip, target, equation))
        raw = strip_sums(layout, strip, np.zeros(layout.size), weigh, control.block_rows, short)
        return float(np.dot(whole, whole)), raw

    size, raw = data.fold(work, lambda a, b: (a[0] + b[0], add(a[1], b[1])))
    scalars, score, gram = assemble(layout, raw)
    left = 0.0 if size == 0.0 else float(np.sqrt(scalars[0] / size))
    return left, score, gram
