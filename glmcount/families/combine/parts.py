"""What models with a second part for the zeros share: where each predictor lies, starts, limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from glmcount.families.base import Equation, Etas, Family, Limit, StartSums
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, embed
from glmcount.records import cached_property, dataclass, replace

__all__ = [
    "Parts",
    "count_start",
    "mean_of_counts",
    "moved",
    "positive_mean",
    "zero_sums",
]

T = TypeVar("T")
Score = Callable[[Array, Etas], tuple[Array, Array]]


@dataclass(frozen=True)
class Parts:
    """A count family, a zero family, and where the predictors of each lie among all."""

    count: Family
    zero: Family

    @cached_property
    def q(self) -> int:
        """Number of all predictors."""
        return self.count.q + self.zero.q

    @cached_property
    def zero_at(self) -> tuple[int, ...]:
        """The mean of the zero part comes second, its other parameters last."""
        return (1, *range(self.count.q + 1, self.q))

    @cached_property
    def count_at(self) -> tuple[int, ...]:
        """The mean of the count part comes first, its others after that of the zero part."""
        return (0, *range(2, self.count.q + 1))

    def count_etas(self, etas: Etas) -> list[Array]:
        """Predictors of the count part."""
        return [etas[k] for k in self.count_at]

    def zero_etas(self, etas: Etas) -> list[Array]:
        """Predictors of the zero part."""
        return [etas[k] for k in self.zero_at]

    def of_count(self, jet: Jet) -> Jet:
        """A jet of the count part in all predictors."""
        return embed(jet, self.count_at, self.q)

    def of_zero(self, jet: Jet) -> Jet:
        """A jet of the zero part in all predictors."""
        return embed(jet, self.zero_at, self.q)

    def joined(self, count: Jet, zero: Jet) -> Jet:
        """The sum of a jet of the count part and one of the zero part, which share no predictor."""
        places, own = (*self.count_at, *self.zero_at), count.q
        first: list[Array | None] = [None] * self.q
        second: list[list[Array | None]] = [[None] * self.q for _ in places]
        for j, place in enumerate(places):
            jet, k, part = (count, j, self.count_at) if j < own else (zero, j - own, self.zero_at)
            first[place] = jet.d1[k]
            for other, bend in zip(part, jet.d2[k], strict=True):
                second[place][other] = bend
        return Jet(count.value + zero.value, tuple(first), tuple([tuple(row) for row in second]))

    def ordered(self, count: Sequence[T], zero: Sequence[T]) -> tuple[T, ...]:
        """What the two parts have for each predictor, in the order of all."""
        return (count[0], zero[0], *count[1:], *zero[1:])

    def equations(self, name: str, heading: str) -> tuple[Equation, ...]:
        """Equations of both parts; those of the zero part by their new name."""
        first, *rest = self.zero.equations
        plain = replace(first, name=name, heading=heading, prefix=f"{name}_", natural=None)
        odds = self.zero.domain == self.zero.link == "logit"
        own = [replace(plain, ratio="odds" if odds else "rate" if self.zero.mean_log else "")]
        own += [
            replace(
                e,
                name=f"{name}_{e.name}",
                heading=f"{heading}: {e.name}",
                prefix=f"{name}_{e.prefix}",
            )
            for e in rest
        ]
        return self.ordered(self.count.equations, own)


def mean_of_positive(target: float) -> float:
    """mu with mu / (1 - exp(-mu)) = target, by Newton's method from above."""
    mu = max(float(target), 1.0 + 1e-6)
    for _ in range(50):
        share = -math.expm1(-mu)
        slope = (share - mu * math.exp(-mu)) / (share * share)
        step = (mu / share - target) / slope
        mu = max(mu - step, 0.1 * mu)
        if abs(step) <= 1e-10 * mu:
            break
    return max(mu, 1e-3)


def count_start(parts: Parts, sums: StartSums, mean: float) -> tuple[float, ...]:
    """The count part's own start from the share of the rows that come from it."""
    share = sums.mean / mean
    part = replace(
        sums,
        weight=sums.weight * share,
        log_exposure=sums.log_exposure + float(np.log(share)),
        offset=sums.offset * share,
        zero=max(sums.zero - sums.weight * (1.0 - share), 0.0),
    )
    return parts.count.start(part)


def positive_mean(sums: StartSums) -> float:
    """Poisson mean of which the counts above zero are a truncated sample."""
    return mean_of_positive(sums.response / max(sums.weight - sums.zero, 1e-300))


def zero_sums(sums: StartSums, ones: float) -> StartSums:
    """Sums of a response that is 1 with total weight `ones`, else 0."""
    return StartSums(sums.weight, ones, ones, float(np.log(sums.weight)), 0.0, sums.weight - ones)


def moved(limit: Limit, parts: Parts, family: Family, score: Score) -> Limit:
    """A limit of the count part as one of the whole model."""
    at = parts.count_at
    return replace(
        limit,
        equation=at[limit.equation],
        lost=tuple(at[k] for k in limit.lost),
        family=family,
        score=score,
        opens=False,
    )


def of_two_parts(
    two: Parts,
    what: tuple[str, str, str],
    heading: str,
    laws: Mapping[str, Callable[..., Any]],
    **facts: Any,
) -> Family:
    """The family of two parts, of which each law is a function of both.

    Parameters
    ----------
    two : Parts
    what : tuple of str
        Its name, its label before that of the count part, and the name of its second equation.
    heading : str
        Of that equation.
    laws : mapping of str to callable
        Fields of the family that take the parts as ``parts=``.
    **facts
        Fields that are as they are.
    """
    count, zero, (name, label, second) = two.count, two.zero, what
    typical = two.ordered(count.typical, ((-1.5, 1.0), *zero.typical[1:]))
    return count.derived(
        **(count.described | {"typical": typical}),
        mean_log=count.mean_log,
        name=f"{name}_{count.name}",
        aliases=(),
        label=f"{label} {count.inside}",
        equations=two.equations(second, heading),
        **{law: partial(own, parts=two) for law, own in laws.items()},
        **facts,
    )


def mean_of_counts(etas: Etas, parts: Parts) -> Jet:
    """The mean of the count part, whatever the zero part makes of it."""
    return parts.of_count(parts.count.moments(parts.count_etas(etas))[0])
