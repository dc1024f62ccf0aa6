"""Which columns are combinations of earlier ones: candidates from the Gram, verdict by data.

A Gram matrix squares the condition of its columns, so it can only suggest. One pass over
the rows then measures |X v| / |x_j|, which tells rounding from noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.engine.passes import Raw, add, assemble, strip_sums
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.numerics import Array
from glmcount.numerics.factor import Factored, factor
from glmcount.records import dataclass

__all__ = ["PIVOT", "Dependence", "dependences"]

PIVOT = 1e-9
EXACT = 1e-11
NEARLY = 1e-7
# Entries of a design up to which it is looked at column by column.
FEW = 1_000_000
BLOCK = 32_768
# Candidates and rows that are looked at together.
BATCH = 64
ROWS = 4_096


@dataclass(frozen=True)
class Dependence:
    """A column that those kept before it (nearly) give.

    Parameters
    ----------
    column : int
    combination : ndarray, shape (p,)
        v with x_column = X v over columns that are kept, in shifted columns.
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
    data: Rows,
    layout: Layout,
    gram: Array,
    informed: Informed | None = None,
    definite: Factored | None = None,
) -> tuple[Dependence, ...]:
    """Columns to leave out, in column order; empty for a design of full rank.

    Of those that depend on each other the later go, but none that the design has its constant of:
    by that numeric columns are shifted.

    `informed` gives 0 or 1 for each row and equation: a row that says nothing of a part
    does not hold its columns apart. `definite` is the Gram matrix factored, where that is known.
    """
    flat = layout.flat
    if not flat and _all_hold(factor(gram) if definite is None else definite):
        return ()
    order = _order(layout)
    found = _sweep(gram, order, flat)
    out = _confirmed(data, layout, found, flat, informed)
    if len(out) < len(found):
        # Weights near zero hide rows that hold columns apart: then other columns are found.
        found = _sweep(_unweighted(data, layout), order, flat) if informed is None else found
        out = _confirmed(data, layout, found, flat, informed)
    rows = _rows(data, layout, informed)
    unsure = len(out) < len(found) and max(rows) * layout.size <= FEW
    if unsure or _too_many(layout, out, rows):
        return by_rows(data, layout, flat, informed)
    return out


def _order(layout: Layout) -> list[int]:
    """Columns in the order in which they are kept: of each equation those of its constant first."""
    order: list[int] = []
    for own, constant in zip(layout.slices, layout.constants, strict=True):
        first = [] if constant is None else np.flatnonzero(constant).tolist()
        order += first + [j for j in range(own.start, own.stop) if j not in set(first)]
    return order


def _too_many(layout: Layout, out: tuple[Dependence, ...], rows: Array) -> bool:
    """Whether an equation would keep more columns than there are rows that tell of it."""
    gone = np.array([one.column for one in out], dtype=np.intp)
    for own, n in zip(layout.slices, rows, strict=True):
        dropped = np.count_nonzero((gone >= own.start) & (gone < own.stop))
        if own.stop - own.start - dropped > n:
            return True
    return False


def _rows(rows: Rows, layout: Layout, informed: Informed | None) -> Array:
    """Rows that tell of each equation."""
    if informed is None:
        return np.full(layout.q, rows.n_used)
    return rows.fold(lambda s: np.array([said.sum() for said in informed(s)]), np.add)


def _confirmed(
    rows: Rows,
    layout: Layout,
    found: list[tuple[int, Array]],
    flat: frozenset[int],
    informed: Informed | None,
) -> tuple[Dependence, ...]:
    """Those candidates that the rows confirm."""
    asked = [(j, v) for j, v in found if j not in flat]
    ratios = dict.fromkeys(flat, 0.0)
    if asked:
        vectors = np.stack([v for _, v in asked], axis=1)
        sums = rows.fold(lambda s: _residuals(layout, s, asked, vectors, informed), np.add)
        for (j, _), (left, own) in zip(asked, sums, strict=True):
            ratios[j] = float(np.sqrt(left / own)) if own > 0 else 0.0
    out = []
    for j, v in found:
        if ratios[j] <= NEARLY:
            combination = -v
            combination[j] = 0.0
            out.append(_dependence(j, combination, ratios[j], flat))
    return tuple(out)


def _dependence(j: int, combination: Array, ratio: float, flat: frozenset[int]) -> Dependence:
    return Dependence(j, combination, 0.0 if j in flat else ratio, j in flat or ratio <= EXACT)


def _unweighted(data: Rows, layout: Layout) -> Array:
    """The Gram matrix in which every row counts once."""
    second = {(k, k): np.ones(1) for k in range(layout.q)}

    def weigh(rows: Unweighed) -> Weighed:
        return Weighed(np.zeros(1), (None,) * layout.q, second)

    def work(strip: Strip) -> Raw:
        return strip_sums(layout, strip, np.zeros(layout.size), weigh, BLOCK)

    return assemble(layout, data.fold(work, add))[2]


def by_rows(
    rows: Rows, layout: Layout, flat: frozenset[int], informed: Informed | None
) -> tuple[Dependence, ...]:
    """Dependent columns by orthogonalisation of the columns themselves, one after the other.

    It squares no condition, and never keeps more columns than there are rows; it is for few rows.
    """
    out: list[Dependence] = []
    order = _order(layout)
    for k, own in enumerate(layout.slices):
        columns = _columns(rows, layout, k, informed)
        basis = np.zeros((min(columns.shape), columns.shape[1]))
        upper = np.zeros((len(basis), len(basis)))
        kept: list[int] = []
        for j in order[own]:
            column = columns[j - own.start]
            n, size = len(kept), float(np.sqrt(np.dot(column, column)))
            weights, rest = np.zeros(n), column
            for _ in range(2):  # once more for what rounding left (Kahan and Parlett)
                more = np.dot(basis[:n], rest)
                weights, rest = weights + more, rest - np.dot(more, basis[:n])
            left = float(np.sqrt(np.dot(rest, rest)))
            ratio = left / size if size > 0 else 0.0
            if j not in flat and ratio > NEARLY and n < len(basis):
                upper[:n, n], upper[n, n], basis[n] = weights, left, rest / left
                kept.append(j)
                continue
            combination = np.zeros(layout.size)
            if j not in flat and n:
                given = scipy.linalg.solve_triangular(upper[:n, :n], weights, check_finite=False)
                combination[kept] = given
            out.append(_dependence(j, combination, ratio, flat))
    return tuple(sorted(out, key=lambda one: one.column))


def _columns(rows: Rows, layout: Layout, equation: int, informed: Informed | None) -> Array:
    """The columns of an equation, shifted, one a row; zero where a row says nothing of it."""
    own = layout.slices[equation]

    def work(strip: Strip) -> list[Array]:
        found = np.zeros((own.stop - own.start, strip.n))
        for first in range(0, len(found), BATCH):
            last = min(first + BATCH, len(found))
            units = np.zeros((layout.size, last - first))
            units[own.start + np.arange(first, last), np.arange(last - first)] = 1.0
            found[first:last] = _products(layout, strip, units, equation, (0, strip.n))
        return [found if informed is None else found * informed(strip)[equation]]

    return np.concatenate(rows.fold(work, lambda a, b: a + b), axis=1)


def _sweep(gram: Array, order: list[int], flat: frozenset[int]) -> list[tuple[int, Array]]:
    """Columns whose Schur pivot falls to a trace of the diagonal, with null vectors."""
    p = len(gram)
    diagonal = np.diag(gram).copy()
    scale = np.where(diagonal > 0, 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
    matrix = scale[:, None] * gram * scale
    told = [j for j in order if j not in flat and scale[j] > 0.0]
    rest = sorted(set(range(p)).difference(told))
    if rest and _all_hold(factor(matrix.take(told, axis=0).take(told, axis=1))):
        # Columns of zeros alone.
        return [(j, _null(j, p, [], np.zeros(0))) for j in rest]
    lower = np.zeros((p, p))
    kept: list[int] = []
    found = {j: np.zeros(0) for j in range(p)}
    for j in told:
        del found[j]
    for first in range(0, len(told), BATCH):
        # What the columns before a batch tell of it, at once; mostly it is held apart as a whole.
        n, batch = len(kept), told[first : first + BATCH]
        above = _forward(lower[:n, :n], matrix[np.ix_(kept, batch)])
        left = matrix[np.ix_(batch, batch)] - np.dot(above.T, above)
        whole = factor(left)
        if whole is not None and (whole.lower.diagonal() ** 2).min() > PIVOT:
            own = slice(n, n + len(batch))
            lower[own, :n], lower[own, own] = above.T, whole.lower
            kept += batch
            continue
        for i, j in enumerate(batch):
            k, before = len(kept), [batch.index(one) for one in kept[n:]]
            row = np.append(above[:, i], _forward(lower[n:k, n:k], left[before, i]))
            pivot = left[i, i] - float(np.dot(row[n:], row[n:]))
            if not pivot <= PIVOT:
                lower[k, :k], lower[k, k] = row, np.sqrt(pivot)
                kept.append(j)
                continue
            back = scipy.linalg.lapack.dtrtrs(lower[:k, :k], row, lower=1, trans=1)[0] if k else row
            found[j] = -back * scale[kept] / scale[j]
    return [(j, _null(j, p, kept, found[j])) for j in sorted(found)]


def _null(j: int, p: int, kept: list[int], entries: Array) -> Array:
    """The null vector of a column: 1 there, and entries at the first of those that are kept."""
    vector = np.zeros(p)
    vector[kept[: len(entries)]] = entries
    vector[j] = 1.0
    return vector


def _forward(lower: Array, rhs: Array) -> Array:
    """L^-1 rhs."""
    if not rhs.size:
        return rhs
    # LAPACK itself, since for a few columns scipy's wrapper costs more than the work.
    solved: Array = scipy.linalg.lapack.dtrtrs(lower, rhs, lower=1)[0]
    return solved


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
    """Squared lengths, in this strip, of X v and of the column itself, for each candidate."""
    out = np.zeros((len(found), 2))
    counted = None if informed is None else informed(strip)
    columns = np.array([j for j, _ in found])
    for k, own in enumerate(layout.slices):
        mine = np.flatnonzero((columns >= own.start) & (columns < own.stop))
        for some in np.split(mine, range(BATCH, len(mine), BATCH)):
            units = np.zeros((layout.size, len(some)))
            units[columns[some], np.arange(len(some))] = 1.0
            asked = np.concatenate([vectors[:, some], units], axis=1)
            squares = np.zeros(asked.shape[1])
            for first in range(0, strip.n, ROWS) if len(some) else ():
                span = (first, min(first + ROWS, strip.n))
                values = _products(layout, strip, asked, k, span)
                if counted is not None:
                    values *= counted[k][span[0] : span[1]]
                squares += np.einsum("ij,ij->i", values, values)
            out[some] = squares.reshape(2, -1).T
    return out


def _products(
    layout: Layout, strip: Strip, vectors: Array, equation: int, span: tuple[int, int]
) -> Array:
    """x_i'v for some rows and each of several v, (vectors, rows)."""
    first, last = span
    count = vectors.shape[1]
    total = np.zeros((count, last - first))
    for i, block in layout.of(equation):
        own, rows = vectors[block.positions], strip.blocks[i]
        if not len(own):
            continue
        if block.table is None:
            buffer = rows.fill(np.empty((block.v, last - first)), block, first, last)
            total += np.dot(own.T, buffer)
            continue
        assert rows.codes is not None
        betas = block.table.spread(own.reshape(block.table.width, -1))
        betas = betas.reshape(block.table.levels, block.v, count)
        for place in range(block.v):
            gathered = betas[rows.codes[first:last], place].T
            column = rows.column(place, block)
            total += gathered if column is None else gathered * column[first:last]
    return total
