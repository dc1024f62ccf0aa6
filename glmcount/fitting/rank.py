"""Which columns are combinations of earlier ones: candidates from the Gram, verdict by data.

A Gram matrix squares the condition of its columns, so it can only suggest. One pass over
the rows then measures |X v| / |x_j|, which tells rounding from noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg

from glmcount.design.blocks import Layout, Strip, linear
from glmcount.design.encode import Encoder
from glmcount.numerics import Array, Factored, factor
from glmcount.records import dataclass

__all__ = ["PIVOT", "Dependence", "dependences"]

PIVOT = 1e-9
EXACT = 1e-11
NEARLY = 1e-7
ROUNDING = 4e-15


@dataclass(frozen=True)
class Dependence:
    """A column that the earlier ones (nearly) give.

    Parameters
    ----------
    column : int
    combination : ndarray, shape (p,)
        v with x_column = X v over the earlier columns, in shifted columns.
    residual : float
        |x_column - X v| / |x_column|.
    exact : bool
        True where the residual is rounding.
    """

    column: int
    combination: Array
    residual: float
    exact: bool

    def null(self, sizes: Array) -> Array:
        """v with X v = 0, entries that move no row of columns so large by more than rounding."""
        vector = -self.combination
        vector[self.column] = 1.0
        moved = np.abs(vector) * sizes
        least = EXACT * float(moved.max(initial=0.0))
        vector[moved < least] = 0.0
        vector[self.column] = 1.0
        return vector


Informed = Callable[[Strip], tuple[Array, ...]]


def dependences(
    encoder: Encoder,
    layout: Layout,
    gram: Array,
    informed: Informed | None = None,
    definite: Factored | None = None,
) -> tuple[Dependence, ...]:
    """Columns to leave out, in column order; empty for a design of full rank.

    `informed` gives 0 or 1 for each row and equation: a row that says nothing of a part
    does not hold its columns apart. `definite` is the Gram matrix factored, where that is known.
    """
    flat = layout.memo.get("flat")
    if flat is None:
        flat = layout.memo["flat"] = _flat(layout)
    if not flat and _all_hold(factor(gram) if definite is None else definite):
        return ()
    found = [(j, v) for j, v in _sweep(gram, flat)]
    if not found:
        return ()
    vectors = np.stack([v for _, v in found], axis=1)
    sums = encoder.fold(lambda s: _residuals(layout, s, found, vectors, informed), np.add)
    out = []
    for (j, v), (left, own) in zip(found, sums, strict=True):
        ratio = float(np.sqrt(left / own)) if own > 0 else 0.0
        if j in flat or ratio <= NEARLY:
            combination = -v
            combination[j] = 0.0
            out.append(
                Dependence(j, combination, 0.0 if j in flat else ratio, j in flat or ratio <= EXACT)
            )
    return tuple(out)


def _flat(layout: Layout) -> frozenset[int]:
    """Numeric columns that are constant to rounding, beside a constant."""
    out = set()
    for block in layout.blocks:
        if block.table is None and layout.constants[block.equation] is not None:
            sizes = block.size if block.scale is None else block.size / block.scale
            for place, shift, size in zip(block.positions, block.shift, sizes, strict=True):
                if (shift != 0 and size <= ROUNDING * abs(shift)) or (shift == 0 and size == 0):
                    out.add(int(place))
    return frozenset(out)


def _sweep(gram: Array, flat: frozenset[int]) -> list[tuple[int, Array]]:
    """Columns whose Schur pivot falls to a trace of the diagonal, with null vectors."""
    p = len(gram)
    diagonal = np.diag(gram).copy()
    scale = np.where(diagonal > 0, 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
    matrix = scale[:, None] * gram * scale
    lower = np.zeros((p, p))
    kept: list[int] = []
    found = []
    for j in range(p):
        k = len(kept)
        if j in flat or scale[j] == 0.0:
            vector = np.zeros(p)
            vector[j] = 1.0
            found.append((j, vector))
            continue
        row = (
            linalg.solve_triangular(lower[:k, :k], matrix[kept, j], lower=True, check_finite=False)
            if k
            else np.zeros(0)
        )
        pivot = 1.0 - float(np.dot(row, row))
        if pivot <= PIVOT:
            back = linalg.solve_triangular(
                lower[:k, :k], row, lower=True, trans="T", check_finite=False
            )
            vector = np.zeros(p)
            vector[kept] = -back * scale[kept] / scale[j]
            vector[j] = 1.0
            found.append((j, vector))
        else:
            lower[k, :k] = row
            lower[k, k] = np.sqrt(pivot)
            kept.append(j)
    return found


def _all_hold(definite: Factored | None) -> bool:
    """Whether no pivot is small: the usual case, in one factorisation."""
    return definite is not None and definite.smallest > PIVOT


def _residuals(
    layout: Layout,
    strip: Strip,
    found: list[tuple[int, Array]],
    vectors: Array,
    informed: Informed | None,
) -> Array:
    out = np.zeros((len(found), 2))
    counted = None if informed is None else informed(strip)
    for i, (j, _) in enumerate(found):
        equation = next(k for k in range(layout.q) if layout.slices[k].stop > j)
        unit = np.zeros(layout.size)
        unit[j] = 1.0
        for place, direction in enumerate((vectors[:, i], unit)):
            values = linear(layout, strip, direction, equation)
            if counted is not None:
                values = values * counted[equation]
            out[i, place] = np.dot(values, values)
    return out
