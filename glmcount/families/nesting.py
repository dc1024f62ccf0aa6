"""How one family lies within another: at a boundary of it, or at an inner value of a parameter.

Boundaries are what a family says of itself (`Limit`). That two families are one law, and at which
value of a predictor one becomes the other, is asked of their probabilities: so it holds for links,
zero parts and families of a user's own, without anything that has to be declared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise, product

import numpy as np

from glmcount.families.base import Family
from glmcount.families.distribution import log_masses
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Inside", "alike", "how_inside"]

POINTS, COUNTS = 24, 9
# Logarithms of probabilities this close are one: some are sums of series.
SAME = 1e-7
# Share of the points at which there must be probabilities to compare.
ENOUGH = 0.25
# Where inner values of a predictor are looked for: about what is typical of it.
BEYOND, STEPS = 4.0, 60


@dataclass(frozen=True)
class Inside:
    """How a smaller family lies within a larger one.

    Parameters
    ----------
    shared : tuple of int
        Equations of the larger family that the smaller one has too, in order.
    boundaries : tuple of int
        Equations whose predictor runs off to a boundary.
    lost : tuple of int
        Equations that mean nothing there.
    values : tuple of (int, float)
        Equations whose predictor takes an inner value.
    repeated : tuple of (int, int)
        Equations whose predictor is that of another one, each with the number that this has in
        the smaller family: a hurdle whose zeros are those of its counts is none.
    """

    shared: tuple[int, ...]
    boundaries: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    values: tuple[tuple[int, float], ...] = ()
    repeated: tuple[tuple[int, int], ...] = ()

    def below(self, equation: int, gone: tuple[int, ...], q: int) -> Inside:
        """The same, seen from a family of q equations that has this one as its limit."""
        left = [k for k in range(q) if k not in gone]
        return Inside(
            tuple(left[k] for k in self.shared),
            (equation, *(left[k] for k in self.boundaries)),
            (*(k for k in gone if k != equation), *(left[k] for k in self.lost)),
            tuple((left[k], value) for k, value in self.values),
            tuple((left[k], number) for k, number in self.repeated),
        )


def _points(family: Family) -> tuple[list[Array], Array]:
    """Predictors and counts at which families are compared."""
    rng = np.random.default_rng(0)
    etas = [np.repeat(rng.uniform(low, high, POINTS), COUNTS) for low, high in family.typical]
    low, high = family.support
    counts = np.tile(np.arange(COUNTS) + low, POINTS)
    return etas, np.minimum(counts, high) if math.isfinite(high) else counts


def _masses(family: Family, etas: list[Array], counts: Array) -> Array:
    with np.errstate(all="ignore"):
        values = log_masses(family, etas, counts)[0]
    return np.broadcast_to(values, counts.shape)


def _equal(first: Array, second: Array) -> bool:
    # Links other than the logarithm have predictors of which there is no probability.
    known = ~np.isnan(first)
    if not np.array_equal(known, ~np.isnan(second)) or known.mean() < ENOUGH:
        return False
    return bool(np.allclose(first[known], second[known], rtol=SAME, atol=SAME))


def alike(first: Family, second: Family) -> bool:
    """Whether two families are one law in the same predictors.

    Examples
    --------
    >>> from glmcount.families import negbin, resolve
    >>> alike(negbin(alpha=1.0), resolve("geometric")), alike(negbin(), resolve("pig"))
    (True, False)
    """
    if first is second:
        return True
    same = first.q == second.q and first.columns == second.columns
    if not same or first.support != second.support or first.likelihood != second.likelihood:
        return False
    etas, counts = _points(first)
    return _equal(_masses(first, etas, counts), _masses(second, etas, counts))


def how_inside(small: Family, large: Family) -> Inside | None:
    """How `small` lies within `large`; None where it does not.

    Examples
    --------
    >>> from glmcount.families import negbin, poisson, resolve
    >>> how_inside(poisson, negbin()).boundaries
    (1,)
    >>> how_inside(poisson, resolve("compoisson")).values
    ((1, 0.0),)
    """
    if alike(small, large):
        return Inside(tuple(range(large.q)))
    if small.q >= large.q:
        return None
    for limit in large.limits:
        found = how_inside(small, limit.family)
        if found is not None:
            return found.below(limit.equation, limit.gone, large.q)
    return _at_a_value(small, large) or _with_repeats(small, large)


def _with_repeats(small: Family, large: Family) -> Inside | None:
    """That of a family that is another one where some of its predictors are the same."""
    if large.q > 2 * small.q or small.columns != large.columns or small.support != large.support:
        return None
    etas, counts = _points(small)
    wanted, few = _masses(small, etas, counts), slice(0, COUNTS)
    for others in product(range(small.q), repeat=large.q - 1):
        numbers = (0, *others)
        if set(numbers) != set(range(small.q)):
            continue
        own = [etas[number] for number in numbers]
        # Most are none, as the first few points tell.
        first = _masses(large, [eta[few] for eta in own], counts[few])
        if _equal(first, wanted[few]) and _equal(_masses(large, own, counts), wanted):
            shared = tuple(numbers.index(number) for number in range(small.q))
            twice = tuple((k, n) for k, n in enumerate(numbers) if k not in shared)
            return Inside(shared, repeated=twice)
    return None


def _at_a_value(small: Family, large: Family) -> Inside | None:
    """That of a family that is another one at an inner value of one predictor."""
    if small.q + 1 != large.q or small.columns != large.columns or small.support != large.support:
        return None
    etas, counts = _points(small)
    wanted = _masses(small, etas, counts)
    for k in range(1, large.q):

        def held(value: float, k: int = k) -> list[Array]:
            return [*etas[:k], np.full(len(counts), value), *etas[k:]]

        for value in _candidates(small, large, k):
            if _equal(_masses(large, held(value), counts), wanted):
                shared = tuple(own for own in range(large.q) if own != k)
                return Inside(shared, values=((k, value),))
    return None


def _candidates(small: Family, large: Family, k: int) -> Iterator[float]:
    """Values of a predictor at which some probability is that of the smaller family."""
    own = [np.array([0.5 * (low + high)]) for low, high in small.typical]
    low, high = large.typical[k]
    grid = np.linspace(low - BEYOND, high + BEYOND, STEPS + 1)
    for count in (small.support[0], small.support[0] + 1.0):
        at = np.array([count])
        wanted = float(_masses(small, own, at)[0])

        def gap(value: float, at: Array = at, wanted: float = wanted) -> float:
            etas = [*own[:k], np.array([value]), *own[k:]]
            return float(_masses(large, etas, at)[0]) - wanted

        gaps = [gap(float(value)) for value in grid]
        for i, (left, right) in enumerate(pairwise(gaps)):
            if left == 0.0:
                yield float(grid[i])
            elif left * right < 0.0:
                yield _root(gap, float(grid[i]), float(grid[i + 1]), left)


def _root(gap: Callable[[float], float], low: float, high: float, left: float) -> float:
    """Where a function changes its sign, to the last digit; a round number where that is one."""
    for _ in range(80):
        middle = 0.5 * (low + high)
        value = gap(middle)
        if value == 0.0:
            low = high = middle
            break
        low, high = (middle, high) if (value < 0) == (left < 0) else (low, middle)
    found = 0.5 * (low + high)
    return float(round(found, 9)) + 0.0 if abs(found - round(found, 9)) < 1e-10 else found
