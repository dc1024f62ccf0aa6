"""What is added up of each row: log-likelihood, slopes and curvatures, however rows are held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from glmcount.engine.sums import noise
from glmcount.families.base import Family
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = [
    "Likelihood",
    "Unweighed",
    "Weigh",
    "Weighed",
    "informed",
    "likelihood_weights",
    "weighing",
]


class Unweighed(NamedTuple):
    """What a weighing function sees: some rows and their predictors.

    Parameters
    ----------
    y : ndarray, shape (m, n)
    weights : ndarray, shape (n,), or None
    etas : tuple of ndarray, each of shape (n,)
        Or (1,) for a predictor that is the same in all rows.
    extra : ndarray, shape (n,), or None
        A row quantity computed beforehand, such as the leverage.
    points : int
        For how many parameters the rows are there, those of one after those of the other.
    """

    y: Array
    weights: Array | None
    etas: tuple[Array, ...]
    extra: Array | None = None
    points: int = 1


class Weighed(NamedTuple):
    """What to add up: scalars, sum first_j x_j, and sum second_jk x_j x_k'."""

    scalars: Array
    first: tuple[Array | None, ...]
    second: Mapping[tuple[int, int], Array | None]


Weigh = Callable[[Unweighed], Weighed]


def weighing(family: Family, expected: bool, second: bool = True) -> Weigh:
    """Weighing function of log-likelihood, score and information, however rows are held."""
    # Under a canonical link the two informations are one.
    mixing = family.expected if expected and not family.canonical else None
    pairs = [(j, k) for j in range(family.q) for k in range(j, family.q)]

    def weigh(rows: Unweighed) -> Weighed:
        w = rows.weights
        jet = family.terms(rows.y, rows.etas)
        value = jet.value if w is None else jet.value * w
        told = np.add.reduce(value.reshape(rows.points, -1), axis=1)
        first = jet.d1 if w is None else tuple([_times(d, w) for d in jet.d1])
        matrix: dict[tuple[int, int], Array | None] = {}
        if not second:
            return Weighed(told, first, matrix)
        mixed = None if mixing is None else mixing(rows.etas)
        for j, k in pairs:
            entry = None if mixed is None else mixed[j][k]
            if entry is None and (found := jet.d2[j][k]) is not None:
                entry = -found
            matrix[j, k] = entry if w is None else _times(entry, w)
        return Weighed(told, first, matrix)

    return weigh


def likelihood_weights(family: Family, expected: bool, second: bool = True) -> Weigh:
    """As `weighing`, with what rounding makes of it.

    Scalars: sum w l, sum w |l'| over all equations, then for each equation
    sum w (|l'| + 2 |l''|)^2 / |l''|, of which the rounding floor of the decrement is made.
    """
    weigh = weighing(family, expected, second)

    def told(rows: Unweighed) -> Weighed:
        found = weigh(rows)
        scalars = np.zeros(2 + family.q)
        scalars[0] = found.scalars[0]
        for j, slope in enumerate(found.first):
            scalars[2 + j], slopes = noise(slope, found.second.get((j, j)))
            scalars[1] += slopes
        return Weighed(scalars, found.first, found.second)

    return told


@dataclass(frozen=True, eq=False)
class Likelihood:
    """`likelihood_weights` as plain data: a family, and what is added up."""

    family: Family
    expected: bool
    second: bool = True

    def __call__(self, rows: Unweighed) -> Weighed:
        """Some rows, weighed."""
        return likelihood_weights(self.family, self.expected, self.second)(rows)


def informed(family: Family, rows: Unweighed) -> tuple[Array, ...]:
    """1 for each row that says something of an equation, 0 for each that does not.

    A zero says nothing of the count part of a hurdle.
    """
    jet = family.terms(rows.y, rows.etas)
    out = []
    for k in range(jet.q):
        said = np.zeros(rows.y.shape[1], dtype=bool)
        for entry in (jet.d1[k], jet.d2[k][k]):
            said |= np.zeros(1, dtype=bool) if entry is None else entry != 0
        out.append(said.astype(np.float64))
    return tuple(out)


def _times(values: Array | None, weights: Array) -> Array | None:
    return None if values is None else values * weights
