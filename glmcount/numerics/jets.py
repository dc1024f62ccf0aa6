"""Jets: functions of the q predictors of a model with two derivatives, row by row.

Families return jets; means, variances and predictions are jets; the delta method is jet algebra.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = [
    "Jet",
    "above_zero",
    "add_logs",
    "choose",
    "constant_jet",
    "embed",
    "eta_jet",
    "exp_jet",
    "less",
    "log_complement",
    "times",
    "wide",
]

Entry = Array | None

# Far enough down for every purpose, and near enough for P(Y > 0) to be a number.
LOWEST = -300.0


def wide(etas: Sequence[Array]) -> list[Array]:
    """All predictors with as many rows as the longest."""
    return list(np.broadcast_arrays(*etas))


@dataclass(frozen=True)
class Jet:
    """A value with its derivatives in the q predictors, row by row.

    Parameters
    ----------
    value : ndarray, shape (n,)
    d1 : tuple of q entries, each ndarray or None
        First derivatives; None is identically zero.
    d2 : tuple of q tuples of q entries, each ndarray or None
        Second derivatives, symmetric.

    Examples
    --------
    >>> import numpy as np
    >>> mean = exp_jet(eta_jet((np.array([0.0]),), 0))
    >>> float((mean * mean).d2[0][0][0])
    4.0
    """

    value: Array
    d1: tuple[Entry, ...]
    d2: tuple[tuple[Entry, ...], ...]

    @property
    def q(self) -> int:
        """Number of predictors."""
        return len(self.d1)

    def __add__(self, other: Jet) -> Jet:
        span = range(self.q)
        return Jet(
            self.value + other.value,
            tuple(_plus(self.d1[j], other.d1[j]) for j in span),
            tuple(tuple(_plus(self.d2[j][k], other.d2[j][k]) for k in span) for j in span),
        )

    def __mul__(self, other: Jet) -> Jet:
        span = range(self.q)

        def second(j: int, k: int) -> Entry:
            straight = _plus(_times(self.d2[j][k], other.value), _times(other.d2[j][k], self.value))
            crossed = _plus(_times(self.d1[j], other.d1[k]), _times(self.d1[k], other.d1[j]))
            return _plus(straight, crossed)

        return Jet(
            self.value * other.value,
            tuple(
                _plus(_times(self.d1[j], other.value), _times(other.d1[j], self.value))
                for j in span
            ),
            tuple(tuple(second(j, k) for k in span) for j in span),
        )

    def chain(self, value: Array, first: Array, second: Array) -> Jet:
        """Jet of f(self), given f and its first two derivatives at ``self.value``."""
        span = range(self.q)
        return Jet(
            value,
            tuple(_times(self.d1[j], first) for j in span),
            tuple(
                tuple(
                    _plus(
                        _times(self.d2[j][k], first),
                        _times(_times(self.d1[j], self.d1[k]), second),
                    )
                    for k in span
                )
                for j in span
            ),
        )


def _plus(a: Entry, b: Entry) -> Entry:
    if a is None:
        return b
    return a if b is None else a + b


def _times(a: Entry, b: Entry) -> Entry:
    return None if a is None or b is None else a * b


def eta_jet(etas: Sequence[Array], k: int) -> Jet:
    """Jet of the k-th predictor itself."""
    q = len(etas)
    empty: tuple[Entry, ...] = (None,) * q
    one = np.ones(1)
    return Jet(etas[k], tuple(one if j == k else None for j in range(q)), (empty,) * q)


def constant_jet(value: Array, q: int) -> Jet:
    """Jet of something that does not depend on any predictor."""
    empty: tuple[Entry, ...] = (None,) * q
    return Jet(value, empty, (empty,) * q)


def exp_jet(jet: Jet) -> Jet:
    """Jet of exp(jet)."""
    value = np.exp(jet.value)
    return jet.chain(value, value, value)


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
        tuple(_times(d, by) for d in jet.d1),
        tuple(tuple(_times(d, by) for d in row) for row in jet.d2),
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
    >>> from glmcount.numerics.jets import constant_jet
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
        curved = _times(jet.d2[j][k], first)
        steep = _times(_times(jet.d1[j], first), _times(jet.d1[k], 1.0 - first))
        return curved if steep is None else steep if curved is None else curved + steep

    span = range(jet.q)
    return Jet(
        value,
        tuple(_times(d, first) for d in jet.d1),
        tuple(tuple(bent(j, k) for k in span) for j in span),
    )
