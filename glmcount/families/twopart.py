"""Zero-inflated and hurdle models: a count family and a zero part made into one family.

With B the zero part and f the count part,

    zero-inflated   P(0) = pi + (1 - pi) f(0),   P(y) = (1 - pi) f(y),   pi = P(B = 1)
    hurdle          P(0) = P(B = 0),             P(y) = P(B > 0) f(y) / (1 - f(0))

(Lambert 1992, Technometrics 34; Mullahy 1986, Journal of Econometrics 33). The zero part is
itself a family: Bernoulli under any link, or, of a hurdle, a count family censored at 1
(Zeileis, Kleiber & Jackman 2008, Journal of Statistical Software 27(8)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from glmcount.families.base import Equation, Etas, Family, Flat, Limit, StartSums
from glmcount.families.bernoulli import bernoulli
from glmcount.families.distribution import log_zero
from glmcount.families.jets import add_logs, choose, embed, log_complement, times, wide
from glmcount.families.truncated import positive_sample
from glmcount.numerics import Array, Jet, exp_jet

__all__ = ["hurdle", "zero_inflated"]


T = TypeVar("T")
Score = Callable[[Array, Etas], tuple[Array, Array]]


@dataclass(frozen=True)
class _Parts:
    """A count family, a zero family, and where the predictors of each lie among all."""

    count: Family
    zero: Family

    @property
    def q(self) -> int:
        return self.count.q + self.zero.q

    @property
    def zero_at(self) -> tuple[int, ...]:
        """The mean of the zero part comes second, its other parameters last."""
        return (1, *range(self.count.q + 1, self.q))

    @property
    def count_at(self) -> tuple[int, ...]:
        return (0, *range(2, self.count.q + 1))

    def count_etas(self, etas: Etas) -> list[Array]:
        return [etas[k] for k in self.count_at]

    def zero_etas(self, etas: Etas) -> list[Array]:
        return [etas[k] for k in self.zero_at]

    def of_count(self, jet: Jet) -> Jet:
        return embed(jet, self.count_at, self.q)

    def of_zero(self, jet: Jet) -> Jet:
        return embed(jet, self.zero_at, self.q)

    def ordered(self, count: Sequence[T], zero: Sequence[T]) -> tuple[T, ...]:
        return (count[0], zero[0], *count[1:], *zero[1:])

    def equations(self, name: str, heading: str) -> tuple[Equation, ...]:
        first, *rest = self.zero.equations
        own = [replace(first, name=name, heading=heading, prefix=f"{name}_", natural=None)]
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


def _mean_of_positive(target: float) -> float:
    """mu with mu / (1 - exp(-mu)) = target, by Newton's method from above."""
    mu = max(target, 1.0 + 1e-6)
    for _ in range(50):
        share = -np.expm1(-mu)
        slope = (share - mu * np.exp(-mu)) / share**2
        step = (mu / share - target) / slope
        mu = max(mu - step, 0.1 * mu)
        if abs(step) <= 1e-10 * mu:
            break
    return max(float(mu), 1e-3)


def _count_start(parts: _Parts, sums: StartSums, mean: float) -> tuple[float, ...]:
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


def _positive_mean(sums: StartSums) -> float:
    return _mean_of_positive(sums.response / max(sums.weight - sums.zero, 1e-300))


def _zero_sums(sums: StartSums, ones: float) -> StartSums:
    return StartSums(sums.weight, ones, ones, float(np.log(sums.weight)), 0.0, sums.weight - ones)


# Zero-inflated --------------------------------------------------------------------------


def _chances(parts: _Parts, etas: Etas) -> tuple[Jet, Jet]:
    """Jets of log pi and log(1 - pi)."""
    own = parts.zero_etas(etas)
    yes, no = (parts.zero.terms(np.full((1, own[0].size), b), own) for b in (1.0, 0.0))
    return parts.of_zero(yes), parts.of_zero(no)


def _inflated_terms(y: Array, etas: Etas, parts: _Parts) -> Jet:
    always, else_ = _chances(parts, etas)
    count = else_ + parts.of_count(parts.count.terms(y, parts.count_etas(etas)))
    none = y[0] == 0
    return add_logs(count, always, none) if none.any() else count


def _inflated_moments(etas: Etas, parts: _Parts) -> tuple[Jet, Jet]:
    always, else_ = (exp_jet(jet) for jet in _chances(parts, etas))
    mean, variance = map(parts.of_count, parts.count.moments(parts.count_etas(etas)))
    return else_ * mean, else_ * (variance + always * (mean * mean))


def _inflated_sample(rng: np.random.Generator, etas: Etas, parts: _Parts) -> Array:
    etas = wide(etas)
    count = parts.count.sample(rng, parts.count_etas(etas))
    return np.where(parts.zero.sample(rng, parts.zero_etas(etas)) > 0, 0.0, count)


def _inflated_start(sums: StartSums, parts: _Parts) -> tuple[float, ...]:
    mean = max(_positive_mean(sums), 1.02 * sums.mean)
    share = min(max(1.0 - sums.mean / mean, 0.02), 0.98)
    zero = parts.zero.start(_zero_sums(sums, share * sums.weight))
    return parts.ordered(_count_start(parts, sums, sums.mean / (1.0 - share)), zero)


def _inflated_flat(y: Array, parts: _Parts) -> Flat:
    every = np.ones(y.shape[1], dtype=bool)
    count = parts.count.runs_off(y)
    rest = ((None, None),) * (parts.zero.q - 1)
    # A structural zero does not care for the count part: its direction is told by the others.
    return (count[0], (every, y[0] == 0), *count[1:], *rest)


def _inflated_limits(parts: _Parts) -> tuple[Limit, ...]:
    """The count part's own limits, and no inflation."""

    def lifted(limit: Limit) -> Limit:
        def score(y: Array, etas: Etas) -> tuple[Array, Array]:
            inner = _Parts(limit.family, parts.zero)
            always, else_ = _chances(inner, etas)
            slope, information = limit.score(y, inner.count_etas(etas))
            zero = limit.family.terms(y, inner.count_etas(etas)).value + else_.value
            share = np.where(y[0] == 0, 1.0 / (1.0 + np.exp(always.value - zero)), 1.0)
            return slope * share, information * share

        return _moved(limit, parts, zero_inflated(limit.family, parts.zero), score)

    def score(y: Array, etas: Etas) -> tuple[Array, Array]:
        odds = np.exp(-log_zero(parts.count, etas).value)
        slope = np.where(y[0] == 0, odds - 1.0, -1.0)
        return slope, np.broadcast_to(odds - 1.0, slope.shape)

    def start(ratio: float) -> float:
        return float(parts.zero.lift(np.array(min(max(ratio, 1e-3), 0.5))))

    none = Limit(1, "inflation = 0", 0.0, parts.count, score, start, parts.zero_at[1:], opens=False)
    return (*map(lifted, parts.count.limits), none)


def _moved(limit: Limit, parts: _Parts, family: Family, score: Score) -> Limit:
    at = parts.count_at
    return replace(
        limit,
        equation=at[limit.equation],
        lost=tuple(at[k] for k in limit.lost),
        family=family,
        score=score,
        opens=False,
    )


def zero_inflated(count: Family, zero: Family | None = None) -> Family:
    """Counts that are 0 for sure with probability pi, else of a count family.

    Parameters
    ----------
    count : Family
    zero : Family, optional
        Of the event "structural zero": Bernoulli, under any link; logit by default.

    Examples
    --------
    >>> from glmcount.families import poisson
    >>> [e.name for e in zero_inflated(poisson).equations]
    ['mean', 'inflate']
    """
    zero = zero or bernoulli
    parts = _Parts(count, zero)
    return count.with_(
        name=f"zero_inflated_{count.name}",
        aliases=(),
        label=f"Zero-inflated {count.inside}",
        equations=parts.equations("inflate", f"Inflation: P(structural zero), {zero.link} link"),
        terms=partial(_inflated_terms, parts=parts),
        moments=partial(_inflated_moments, parts=parts),
        sample=partial(_inflated_sample, parts=parts),
        start=partial(_inflated_start, parts=parts),
        flat=partial(_inflated_flat, parts=parts),
        limits=_inflated_limits(parts),
        parts={
            "mean-main": lambda etas: parts.of_count(
                parts.count.moments(parts.count_etas(etas))[0]
            ),
            "zero": lambda etas: exp_jet(_chances(parts, etas)[0]),
        },
        typical=parts.ordered(count.typical, _typical(zero)),
        # The counts above zero are those of the count part whatever the zeros are.
        relative=(hurdle(count, zero), parts.ordered((1.0,) * count.q, (-1.0,) * zero.q)),
        **_JOINT,
    )


_JOINT: dict[str, Any] = {
    "collapse": "value",
    "expected": None,
    "deviance": None,
    "tails": None,
    "curvature": None,
    "wider": "",
}


def _typical(zero: Family) -> tuple[tuple[float, float], ...]:
    return ((-1.5, 1.0), *zero.typical[1:])


# Hurdle ---------------------------------------------------------------------------------


def _log_positive(parts: _Parts, etas: Etas) -> Jet:
    """Jet of log P(Y > 0), from the zero part."""
    return log_complement(parts.of_zero(log_zero(parts.zero, parts.zero_etas(etas))))


def _log_truncation(parts: _Parts, etas: Etas) -> Jet:
    """Jet of log(1 - f(0)) of the count part."""
    return log_complement(parts.of_count(log_zero(parts.count, parts.count_etas(etas))))


def _hurdle_terms(y: Array, etas: Etas, parts: _Parts) -> Jet:
    none = y[0] == 0
    at_zero = parts.of_zero(log_zero(parts.zero, parts.zero_etas(etas)))
    if none.all():
        return choose(none, at_zero, at_zero)
    count = parts.of_count(parts.count.terms(y, parts.count_etas(etas)))
    positive = log_complement(at_zero) + count + times(_log_truncation(parts, etas), -1.0)
    return choose(none, at_zero, positive)


def _hurdle_moments(etas: Etas, parts: _Parts) -> tuple[Jet, Jet]:
    mean, variance = map(parts.of_count, parts.count.moments(parts.count_etas(etas)))
    ratio = exp_jet(_log_positive(parts, etas) + times(_log_truncation(parts, etas), -1.0))
    spread = ratio + times(ratio * ratio, -1.0)
    return ratio * mean, ratio * variance + spread * (mean * mean)


def _hurdle_sample(rng: np.random.Generator, etas: Etas, parts: _Parts) -> Array:
    etas = wide(etas)
    over = parts.zero.sample(rng, parts.zero_etas(etas)) > 0
    return np.where(over, positive_sample(rng, parts.count, parts.count_etas(etas), 0), 0.0)


def _hurdle_start(sums: StartSums, parts: _Parts) -> tuple[float, ...]:
    zero = parts.zero.start(_zero_sums(sums, sums.weight - sums.zero))
    return parts.ordered(_count_start(parts, sums, _positive_mean(sums)), zero)


def _hurdle_flat(y: Array, parts: _Parts) -> Flat:
    count, some = parts.count.runs_off(y), y[0] > 0
    rest = ((None, None),) * (parts.zero.q - 1)
    down = np.asarray(y[0] <= 1)
    return ((down, count[0][1]), (~some, some), *count[1:], *rest)


def _hurdle_limits(parts: _Parts) -> tuple[Limit, ...]:
    def of_count(limit: Limit) -> Limit:
        def score(y: Array, etas: Etas) -> tuple[Array, Array]:
            own = _Parts(limit.family, parts.zero).count_etas(etas)
            slope, information = limit.score(y, own)
            at_zero = limit.score(np.zeros_like(y), own)[0]
            odds = 1.0 / np.expm1(-log_zero(limit.family, own).value)
            some = y[0] > 0
            return np.where(some, slope + odds * at_zero, 0.0), np.where(some, information, 0.0)

        return _moved(limit, parts, hurdle(limit.family, parts.zero), score)

    def of_zero(limit: Limit) -> Limit:
        def score(y: Array, etas: Etas) -> tuple[Array, Array]:
            own = _Parts(parts.count, limit.family).zero_etas(etas)
            slope, information = limit.score(np.zeros_like(y), own)
            odds = 1.0 / np.expm1(-log_zero(limit.family, own).value)
            return np.where(y[0] > 0, -odds, 1.0) * slope, np.broadcast_to(information, y[0].shape)

        at = parts.zero_at
        return replace(
            limit,
            equation=at[limit.equation],
            lost=tuple(at[k] for k in limit.lost),
            label=f"hurdle_{limit.label}",
            family=hurdle(parts.count, limit.family),
            score=score,
            opens=False,
        )

    return (*map(of_count, parts.count.limits), *map(of_zero, parts.zero.limits))


def hurdle(count: Family, zero: Family | None = None) -> Family:
    """Counts that are positive with the probability of a zero part, then of a truncated family.

    Parameters
    ----------
    count : Family
    zero : Family, optional
        Of the event "positive": Bernoulli under any link, or a count family of which only
        P(Y > 0) matters; Bernoulli with logit link by default.

    Examples
    --------
    >>> from glmcount.families import poisson
    >>> hurdle(poisson).label
    'Hurdle Poisson'
    """
    zero = zero or bernoulli
    parts = _Parts(count, zero)
    by = f"{zero.link} link" if zero.domain == "logit" else f"{zero.inside} censored at 1"
    return count.with_(
        name=f"hurdle_{count.name}",
        aliases=(),
        label=f"Hurdle {count.inside}",
        equations=parts.equations("hurdle", f"Hurdle: P(y > 0), {by}"),
        terms=partial(_hurdle_terms, parts=parts),
        moments=partial(_hurdle_moments, parts=parts),
        constant=lambda y: np.where(y[0] > 0, count.constant(y), 0.0),
        sample=partial(_hurdle_sample, parts=parts),
        start=partial(_hurdle_start, parts=parts),
        flat=partial(_hurdle_flat, parts=parts),
        limits=_hurdle_limits(parts),
        parts={
            "mean-main": lambda etas: parts.of_count(parts.count.moments(parts.count_etas(etas))[0])
        },
        typical=parts.ordered(count.typical, _typical(zero)),
        **_JOINT,
    )
