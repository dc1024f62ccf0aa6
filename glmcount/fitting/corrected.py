"""Combinations of columns made as exact as the rows themselves are.

A Gram matrix has the squares of its columns, so that what is solved with it is wrong by the
square of their condition number. What a combination leaves in the rows tells by how much: one
or two corrections by that, solved with the same matrix, make it as good as an orthogonal
factorisation of the rows (corrected seminormal equations: Bjorck 1987, Linear Algebra and its
Applications 88/89, 31-48).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout, linear
from glmcount.engine.passes import Raw, add, assemble, strip_sums
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.fitting.rank import EXACT, Dependence
from glmcount.numerics import Array
from glmcount.numerics.control import USUAL
from glmcount.numerics.factor import factor
from glmcount.records import replace

__all__ = ["corrected"]

# Residuals up to which rounding of the rows leaves nothing to correct.
FINE = 1e-15
# Corrections at most, and by how much each has to help.
TIMES = 3
HELPED = 0.5

Counted = Callable[[Strip], Sequence[Array]]


def corrected(
    rows: Rows,
    layout: Layout,
    gram: Array,
    found: tuple[Dependence, ...],
    counted: Counted,
) -> tuple[Dependence, ...]:
    """The same columns by combinations as exact as can be.

    Parameters
    ----------
    rows : Rows
    layout : Layout
    gram : ndarray, shape (p, p)
        Of the columns over the rows that are counted, of each equation alone.
    found : tuple of Dependence
    counted : callable
        1 for each row that is counted, or 0, by equation.
    """
    asked = [one for one in found if one.residual > FINE]
    if not asked:
        return found
    gone = [one.column for one in found]
    kept = np.setdiff1d(np.flatnonzero(np.diag(gram) > 0.0), gone)
    known = factor(gram[np.ix_(kept, kept)])
    best = {one.column: one for one in found}
    for number in range(TIMES + 1):
        if not asked or known is None:
            break
        following = []
        for one, (square, slopes) in zip(asked, _left(rows, layout, asked, counted), strict=True):
            residual = float(np.sqrt(square / gram[one.column, one.column]))
            if number and not residual < HELPED * best[one.column].residual:
                continue
            best[one.column] = replace(one, residual=residual, exact=residual <= EXACT)
            combination = one.combination.copy()
            combination[kept] += known.solve(slopes[kept])
            following.append(replace(one, combination=combination))
        asked = following
    return tuple(best[one.column] for one in found)


def _left(
    rows: Rows, layout: Layout, asked: Sequence[Dependence], counted: Counted
) -> list[tuple[float, Array]]:
    """|r|^2 and X'r of r = x_j - X v, for each combination."""
    places = [
        next(k for k, own in enumerate(layout.slices) if own.start <= one.column < own.stop)
        for one in asked
    ]

    def work(strip: Strip) -> list[Raw]:
        told = counted(strip)
        return [
            _turned(layout, strip, told[k] * linear(layout, strip, _null(one), k), k)
            for one, k in zip(asked, places, strict=True)
        ]

    def both(a: list[Raw], b: list[Raw]) -> list[Raw]:
        return [add(total, part) for total, part in zip(a, b, strict=True)]

    sums = [assemble(layout, raw) for raw in rows.fold(work, both)]
    return [(float(scalars[0]), slopes) for scalars, slopes, _ in sums]


def _null(one: Dependence) -> Array:
    vector = -one.combination
    vector[one.column] = 1.0
    return vector


def _turned(layout: Layout, strip: Strip, residual: Array, equation: int) -> Raw:
    """Sums of r^2 and of x_i r_i over a strip."""

    def weigh(rows: Unweighed) -> Weighed:
        own = rows.extra
        assert own is not None
        first = tuple(own if k == equation else None for k in range(layout.q))
        return Weighed(np.array([np.dot(own, own)]), first, {})

    return strip_sums(layout, strip, np.zeros(layout.size), weigh, USUAL.block_rows, residual)
