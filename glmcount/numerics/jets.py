"""Jets: functions of the q predictors of a model with two derivatives, row by row.

Families return jets; means, variances and predictions are jets; the delta method is jet algebra.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = [
    "ONE",
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
    "mirrored",
    "plus",
    "product",
    "times",
    "wide",
]

Entry = Array | None

# Far enough down for every purpose, and near enough for P(Y > 0) to be a number.
LOWEST = -300.0


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
    >>> from glmcount.numerics.jets import eta_jet, exp_jet
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
            tuple([plus(self.d1[j], other.d1[j]) for j in span]),
            mirrored(self.q, lambda j, k: plus(self.d2[j][k], other.d2[j][k])),
        )

    def __mul__(self, other: Jet) -> Jet:
        span = range(self.q)

        def second(j: int, k: int) -> Entry:
            straight = plus(
                product(self.d2[j][k], other.value), product(other.d2[j][k], self.value)
            )
            crossed = plus(product(self.d1[j], other.d1[k]), product(self.d1[k], other.d1[j]))
            return plus(straight, crossed)

        return Jet(
            self.value * other.value,
            tuple(
                [
                    plus(product(self.d1[j], other.value), product(other.d1[j], self.value))
                    for j in span
                ]
            ),
            mirrored(self.q, second),
        )

    def chain(self, value: Array, first: Array, second: Array) -> Jet:
        """Jet of f(self), given f and its first two derivatives at ``self.value``.

        The chain rule: the first derivatives are f' d_j, the second f' d_jk + f'' d_j d_k.

        Parameters
        ----------
        value, first, second : ndarray, shape (n,) or (1,)
            f, f' and f''.

        Returns
        -------
        Jet

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.numerics.jets import eta_jet
        >>> eta = eta_jet((np.array([2.0]),), 0)
        >>> square = eta.chain(eta.value**2, 2.0 * eta.value, np.full(1, 2.0))
        >>> float(square.value[0]), float(square.d1[0][0]), float(square.d2[0][0][0])
        (4.0, 4.0, 2.0)
        """

        def bent(j: int, k: int) -> Entry:
            crossed = product(product(self.d1[j], self.d1[k]), second)
            return plus(product(self.d2[j][k], first), crossed)

        return Jet(value, tuple([product(d, first) for d in self.d1]), mirrored(self.q, bent))


def mirrored(q: int, entry: Callable[[int, int], Entry]) -> tuple[tuple[Entry, ...], ...]:
    """A symmetric table of ``entry(j, k)``, each asked for once."""
    rows: list[list[Entry]] = [[None] * q for _ in range(q)]
    for j in range(q):
        for k in range(j + 1):
            rows[j][k] = rows[k][j] = entry(j, k)
    return tuple([tuple(row) for row in rows])


# The derivative of a predictor in itself, known by its identity: nothing is multiplied by it.
ONE = np.ones(1)


def plus(a: Entry, b: Entry) -> Entry:
    """a + b, None being zero."""
    if a is None:
        return b
    return a if b is None else a + b


def product(a: Entry, b: Entry) -> Entry:
    """Product of a and b, None being zero."""
    if a is None or b is None:
        return None
    if a is ONE:
        return b
    return a if b is ONE else a * b


def eta_jet(etas: Sequence[Array], k: int) -> Jet:
    """Jet of the k-th predictor itself."""
    q = len(etas)
    empty: tuple[Entry, ...] = (None,) * q
    first = list(empty)
    first[k] = ONE
    return Jet(etas[k], tuple(first), (empty,) * q)


def constant_jet(value: Array, q: int) -> Jet:
    """Jet of something that does not depend on any predictor."""
    empty: tuple[Entry, ...] = (None,) * q
    return Jet(value, empty, (empty,) * q)


def exp_jet(jet: Jet) -> Jet:
    """Jet of exp(jet)."""
    value = np.exp(jet.value)
    return jet.chain(value, value, value)


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
    return Jet(jet.value, tuple(first), tuple([tuple(row) for row in second]))


def times(jet: Jet, factor: Array | float) -> Jet:
    """A jet times numbers that do not depend on the predictors."""
    by = np.asarray(factor, dtype=np.float64)
    return Jet(
        jet.value * by,
        tuple([product(d, by) for d in jet.d1]),
        mirrored(jet.q, lambda j, k: product(jet.d2[j][k], by)),
    )


def above_zero(etas: Sequence[Array]) -> tuple[Array, ...]:
    """Predictors of a count of which a positive one is given, the mean's not too low to tell."""
    return (np.maximum(etas[0], LOWEST), *etas[1:])


def less(a: Jet, b: Jet) -> Jet:
    """a - b."""
    return Jet(
        a.value - b.value,
        tuple([_gap(x, y) for x, y in zip(a.d1, b.d1, strict=True)]),
        mirrored(a.q, lambda j, k: _gap(a.d2[j][k], b.d2[j][k])),
    )


def _gap(x: Entry, y: Entry) -> Entry:
    if y is None:
        return x
    return -y if x is None else x - y


def choose(mask: NDArray[np.bool_], a: Jet, b: Jet) -> Jet:
    """`a` in the rows of the mask, `b` in the others."""

    def either(x: Entry, y: Entry) -> Entry:
        if x is None and y is None:
            return None
        return np.where(mask, 0.0 if x is None else x, 0.0 if y is None else y)

    return Jet(
        np.where(mask, a.value, b.value),
        tuple([either(x, y) for x, y in zip(a.d1, b.d1, strict=True)]),
        mirrored(a.q, lambda j, k: either(a.d2[j][k], b.d2[j][k])),
    )


def add_logs(a: Jet, b: Jet, rows: NDArray[np.bool_] | None = None) -> Jet:
    """log(exp(a) + exp(b)); where `rows` are given, in those, and a in the others.

    With d = b - a and p = exp(b) / (exp(a) + exp(b)) it is a + log(1 + exp(d)), whose
    derivatives are (1 - p) a' + p b' and (1 - p) a'' + p b'' + p (1 - p) d' d': of a part that
    is nothing beside the other, however steep, nothing is left.
    """
    gap = b.value - a.value
    value = np.maximum(a.value, b.value)
    if rows is not None:
        gap, value = np.where(rows, gap, -np.inf), np.where(rows, value, a.value)
    small = np.exp(-np.abs(gap))
    near = 1.0 / (1.0 + small)
    far = small * near
    upper = gap > 0
    p, keep, both = np.where(upper, near, far), np.where(upper, far, near), far * near
    slopes = [_gap(y, x) for x, y in zip(a.d1, b.d1, strict=True)]

    def mixed(x: Entry, y: Entry) -> Entry:
        # What both have alike stays what it is.
        return x if x is y else plus(product(x, keep), product(y, p))

    def bent(j: int, k: int) -> Entry:
        crossed = product(product(slopes[j], slopes[k]), both)
        return plus(mixed(a.d2[j][k], b.d2[j][k]), crossed)

    first = tuple([mixed(x, y) for x, y in zip(a.d1, b.d1, strict=True)])
    return Jet(value + np.log1p(small), first, mirrored(a.q, bent))


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
        curved = product(jet.d2[j][k], first)
        steep = product(product(jet.d1[j], first), product(jet.d1[k], 1.0 - first))
        return curved if steep is None else steep if curved is None else curved + steep

    return Jet(value, tuple([product(d, first) for d in jet.d1]), mirrored(jet.q, bent))
