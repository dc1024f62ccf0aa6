"""Jets of several predictors: put into more, mixed, chosen by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array, Jet

__all__ = ["above_zero", "add_logs", "choose", "embed", "less", "log_complement", "times", "wide"]

# Far enough down for every purpose, and near enough for P(Y > 0) to be a number.
LOWEST = -300.0

Entry = Array | None


def _product(a: Entry, b: Entry) -> Entry:
    return None if a is None or b is None else a * b


def wide(etas: Sequence[Array]) -> list[Array]:
    """All predictors with as many rows as the longest."""
    return list(np.broadcast_arrays(*etas))


def embed(jet: Jet, places: Sequence[int], q: int) -> Jet:
    """A jet of some predictors as one of q, of which they are those at `places`.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones(1)
    >>> embed(Jet(one, (one,), ((None,),)), (1,), 2).d1
    (None, array([1.]))
    """
    first: list[Entry] = [None] * q
    second: list[list[Entry]] = [[None] * q for _ in range(q)]
    for j, place in enumerate(places):
        first[place] = jet.d1[j]
        for k, other in enumerate(places):
            second[place][other] = jet.d2[j][k]
    return Jet(jet.value, tuple(first), tuple(tuple(row) for row in second))


def times(jet: Jet, factor: Array | float) -> Jet:
    """A jet times numbers that do not depend on the predictors."""
    by = np.asarray(factor, dtype=np.float64)
    return Jet(
        jet.value * by,
        tuple(_product(d, by) for d in jet.d1),
        tuple(tuple(_product(d, by) for d in row) for row in jet.d2),
    )


def above_zero(etas: Sequence[Array]) -> tuple[Array, ...]:
    """Predictors of a count of which a positive one is given, the mean's not too low to tell."""
    return (np.maximum(etas[0], LOWEST), *etas[1:])


def less(a: Jet, b: Jet) -> Jet:
    """a - b."""

    def gap(x: Entry, y: Entry) -> Entry:
        if y is None:
            return x
        return -y if x is None else x - y

    span = range(a.q)
    return Jet(
        a.value - b.value,
        tuple(gap(a.d1[j], b.d1[j]) for j in span),
        tuple(tuple(gap(a.d2[j][k], b.d2[j][k]) for k in span) for j in span),
    )


def choose(mask: NDArray[np.bool_], a: Jet, b: Jet) -> Jet:
    """`a` in the rows of the mask, `b` in the others."""

    def either(x: Entry, y: Entry) -> Entry:
        if x is None and y is None:
            return None
        return np.where(mask, 0.0 if x is None else x, 0.0 if y is None else y)

    span = range(a.q)
    return Jet(
        np.where(mask, a.value, b.value),
        tuple(either(a.d1[j], b.d1[j]) for j in span),
        tuple(tuple(either(a.d2[j][k], b.d2[j][k]) for k in span) for j in span),
    )


def add_logs(a: Jet, b: Jet, rows: NDArray[np.bool_] | None = None) -> Jet:
    """log(exp(a) + exp(b)); where `rows` are given, in those, and a in the others.

    With d = b - a and p = exp(b) / (exp(a) + exp(b)) it is a + log(1 + exp(d)), whose
    derivatives are (1 - p) a' + p b' and (1 - p) a'' + p b'' + p (1 - p) d' d': of a part that
    is nothing beside the other, however steep, nothing is left.
    """
    gap = less(b, a)
    small = np.exp(-np.abs(gap.value))
    near = 1.0 / (1.0 + small)
    far = small * near
    upper = gap.value > 0
    p, keep, both = np.where(upper, near, far), np.where(upper, far, near), far * near
    value = np.maximum(a.value, b.value) + np.log1p(small)
    if rows is not None:
        p, both = np.where(rows, p, 0.0), np.where(rows, both, 0.0)
        keep, value = np.where(rows, keep, 1.0), np.where(rows, value, a.value)
    mixed = times(a, keep) + times(b, p) + gap.chain(np.zeros(1), np.zeros(1), both)
    return Jet(value, mixed.d1, mixed.d2)


def log_complement(jet: Jet) -> Jet:
    """log(1 - exp(jet)) of a jet below 0, on the side that keeps its digits (Maechler 2012).

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.numerics import constant_jet
    >>> float(log_complement(constant_jet(np.array([-1e-20]), 1)).value[0])
    -46.051701859880914
    """
    # A sum of probabilities may be 1 and a rounding more.
    gap = np.maximum(-jet.value, 0.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        value = np.where(gap > 0.6931471805599453, np.log1p(-np.exp(-gap)), np.log(-np.expm1(-gap)))
        first = -1.0 / np.expm1(gap)

    def bent(j: int, k: int) -> Entry:
        # Factor by factor: the second derivative alone is beyond numbers where the mean is small.
        curved = _product(jet.d2[j][k], first)
        steep = _product(_product(jet.d1[j], first), _product(jet.d1[k], 1.0 - first))
        return curved if steep is None else steep if curved is None else curved + steep

    span = range(jet.q)
    return Jet(
        value,
        tuple(_product(d, first) for d in jet.d1),
        tuple(tuple(bent(j, k) for k in span) for j in span),
    )
