"""Whether a model's parameters can be told apart at all, by any counts there could be.

A direction v of the parameters changes no probability where its score v's_i(y) is zero for every
row i and every count y. What the data came to does not matter: the sum of s s' over some counts of
every row has the null space of the expected information. It is taken at a point of no
special position, since at special ones, such as where all means are equal, more is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.engine.passes import assemble
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.errors import RankError, some
from glmcount.families.base import Family
from glmcount.fitting.run import Fit, fold_sums
from glmcount.numerics import Array
from glmcount.numerics.blas import solving
from glmcount.numerics.control import USUAL, Control

__all__ = ["confused", "in_doubt", "refuse_unidentified"]

# Rows that are asked first: if these tell the parameters apart, all rows do.
HEAD = 20_000
COUNTS = (0.0, 1.0, 2.0, 3.0, 5.0, 9.0)
# Share of a column's own size below which what is left of it is rounding.
NOTHING = 1e-10
LOADED = 1e-3
ILL = 1e9


def in_doubt(fit: Fit) -> bool:
    """Whether a fit came to an end that parameters without meaning would have led to.

    A ridge of equal likelihood ends on a boundary, at infinity, or with a singular information.
    """
    if fit.limits or (fit.layout.q > 1 and not fit.converged):
        return True
    if fit.layout.q == 1:
        return False
    return not fit.information.apart(1.0 / ILL) or fit.condition > ILL


def refuse_unidentified(
    rows: Rows,
    measured: Measured,
    layout: Layout,
    family: Family,
    names: Callable[[], tuple[str, ...]],
) -> None:
    """Refuse a model of which no data could tell all parameters; asked where a fit is `in_doubt`.

    Parameters
    ----------
    rows, measured, layout, family
        The rows, and the model asked for.
    names : callable
        Gives the parameters' names.

    Raises
    ------
    RankError
    """
    columns = confused(rows, layout, measured, family, USUAL)
    if not len(columns):
        return
    told = [names()[j] for j in columns]
    raise RankError(
        f"{some(told, 6)} are not identified: in a {family.label} model with these columns other "
        "values of them give the same probability to every count, so that no data can tell which "
        f"are right. Leave {told[-1]!r} out by choosing a family without it, hold it, as in "
        "family=glmcount.families.negbin(alpha=...) or negbinp(power=...), or add columns by "
        "which the rows differ.",
        kind="not_identified",
    )


def confused(
    rows: Rows, layout: Layout, measured: Measured, family: Family, control: Control
) -> NDArray[np.intp]:
    """Columns of several equations that no counts tell apart; empty for an identified model."""
    share = HEAD // rows.source.n_strips
    if rows.n_used > HEAD and share:
        found = _confused(rows.head(share), layout, measured, family, control)
        if not len(found):
            return found
    return _confused(rows, layout, measured, family, control)


def _confused(
    data: Rows, layout: Layout, measured: Measured, family: Family, control: Control
) -> NDArray[np.intp]:
    theta = _anywhere(layout, measured, family)
    mean = math.ceil(min(measured.sums.mean, 1e3))
    low, high = family.support
    counts = sorted({low + each for each in (*COUNTS, mean, 2 * mean) if low + each <= high})

    def weigh(rows: Unweighed) -> Weighed:
        second: dict[tuple[int, int], Array | None] = {}
        for count in counts:
            y = rows.y.copy()
            y[0] = count
            first = family.terms(y, rows.etas).d1
            for j in range(layout.q):
                for k in range(j, layout.q):
                    a, b = first[j], first[k]
                    if a is not None and b is not None:
                        both = np.nan_to_num(a * b, posinf=0.0, neginf=0.0)
                        before = second.get((j, k))
                        second[j, k] = both if before is None else before + both
        return Weighed(np.zeros(1), (None,) * layout.q, second)

    with np.errstate(all="ignore"), data.solving(layout.size):
        gram = assemble(layout, fold_sums(data, layout, theta, weigh, control))[2]
        return _across(layout, gram)


def _anywhere(layout: Layout, measured: Measured, family: Family) -> Array:
    """A point of no special position, with usual values of every predictor."""
    rng = np.random.default_rng(0)
    sizes = np.where(layout.sizes > 0, layout.sizes, 1.0)
    theta = rng.uniform(0.3, 0.7, layout.size) * rng.choice([-1.0, 1.0], layout.size) / sizes
    for k, start in enumerate(family.start(measured.sums)):
        own, constant = layout.slices[k], layout.constants[k]
        theta[own] /= math.sqrt(max(own.stop - own.start, 1))
        if constant is not None:
            theta += min(max(start, -3.0), 7.0) * constant
    return theta


def _across(layout: Layout, gram: Array) -> NDArray[np.intp]:
    """Columns in null vectors of the matrix, where it has more than its equations have alone."""
    diagonal = gram.diagonal()
    used = np.flatnonzero(diagonal > 0)
    scale = 1.0 / np.sqrt(diagonal[used])
    matrix = scale[:, None] * gram[np.ix_(used, used)] * scale
    alone = 0
    for own in layout.slices:
        mine = (used >= own.start) & (used < own.stop)
        with solving(int(mine.sum())):
            values = scipy.linalg.eigvalsh(matrix[np.ix_(mine, mine)]) if mine.any() else np.ones(0)
        alone += int((values < NOTHING).sum())
    values, vectors = scipy.linalg.eigh(matrix)
    lost = vectors[:, values < NOTHING]
    if lost.shape[1] <= alone:
        return np.zeros(0, dtype=np.intp)
    loads = np.abs(lost).max(axis=1)
    found: NDArray[np.intp] = used[loads > LOADED * loads.max()]
    return found
