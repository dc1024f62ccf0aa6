"""Hurdle models: a part that says whether a count is positive, and a truncated count part.

    P(0) = P(B = 0),   P(y) = P(B > 0) f(y) / (1 - f(0))

The zero part B is itself a family: Bernoulli under any link, or a count family of which only
P(B > 0) matters, which is then censored at 1 (Mullahy 1986, Journal of Econometrics 33;
Zeileis, Kleiber & Jackman 2008, Journal of Statistical Software 27(8)).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from glmcount.families.base import (
    Etas,
    Family,
    Flat,
    Limit,
    StartSums,
    a_family,
    count_part,
)
from glmcount.families.bernoulli import bernoulli
from glmcount.families.combine.parts import (
    Parts,
    count_start,
    mean_of_counts,
    moved,
    of_two_parts,
    positive_mean,
    zero_sums,
)
from glmcount.families.combine.truncated import positive_sample, truncated
from glmcount.families.distribution import binary, log_above, log_masses, log_zero, shares, tails
from glmcount.families.recipe import recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, above_zero, choose, exp_jet, less, log_complement, wide
from glmcount.records import replace

__all__ = ["hurdle"]


def _log_truncation(parts: Parts, etas: Etas) -> Jet:
    """Jet of log(1 - f(0)) of the count part."""
    return log_complement(parts.of_count(log_zero(parts.count, parts.count_etas(etas))))


def _hurdle_terms(y: Array, etas: Etas, parts: Parts) -> Jet:
    none = y[0] == 0
    at_zero, above = map(parts.of_zero, binary(parts.zero, parts.zero_etas(etas)))
    etas = above_zero(etas)
    count = parts.of_count(parts.count.terms(y, parts.count_etas(etas)))
    positive = above + less(count, _log_truncation(parts, etas))
    return choose(none, at_zero, positive) if none.any() else positive


def _hurdle_mass(y: Array, etas: Etas, parts: Parts) -> Array:
    at_zero, above = binary(parts.zero, parts.zero_etas(etas))
    count = log_masses(truncated(parts.count, 0), parts.count_etas(etas), y[0])[0]
    return np.where(y[0] == 0, at_zero.value, above.value + count)


def _hurdle_tails(y: Array, etas: Etas, parts: Parts) -> tuple[Array, Array, Array, Array]:
    at_zero, over = (jet.value for jet in binary(parts.zero, parts.zero_etas(etas)))
    positive = tails(truncated(parts.count, 0), y, parts.count_etas(etas))
    below, here, above, beyond = positive
    some = y[0] > 0
    return shares(
        np.where(some, np.logaddexp(at_zero, over + below), -np.inf),
        np.logaddexp(at_zero, over + here),
        np.where(some, over + above, 0.0),
        over + beyond,
    )


def _hurdle_above(etas: Etas, count: Array, parts: Parts) -> Jet:
    over = parts.of_zero(binary(parts.zero, parts.zero_etas(etas))[1])
    count_part = parts.of_count(log_above(parts.count, parts.count_etas(etas), count))
    return over + less(count_part, _log_truncation(parts, etas))


def _hurdle_moments(etas: Etas, parts: Parts) -> tuple[Jet, Jet]:
    mean, variance = map(parts.of_count, parts.count.moments(parts.count_etas(etas)))
    above = parts.of_zero(binary(parts.zero, parts.zero_etas(etas))[1])
    ratio = exp_jet(less(above, _log_truncation(parts, etas)))
    centre = ratio * mean
    return centre, ratio * variance + centre * less(mean, centre)


def _hurdle_sample(rng: np.random.Generator, etas: Etas, parts: Parts) -> Array:
    etas = wide(etas)
    over = parts.zero.sample(rng, parts.zero_etas(etas)) > 0
    return np.where(over, positive_sample(rng, parts.count, parts.count_etas(etas), 0), 0.0)


def _hurdle_start(sums: StartSums, parts: Parts) -> tuple[float, ...]:
    zero = parts.zero.start(zero_sums(sums, sums.weight - sums.zero))
    return parts.ordered(count_start(parts, sums, positive_mean(sums)), zero)


def _hurdle_flat(y: Array, parts: Parts) -> Flat:
    count, some = parts.count.runs_off(y), y[0] > 0
    rest = ((None, None),) * (parts.zero.q - 1)
    down = np.asarray(y[0] <= 1)
    return ((down, count[0][1]), (~some, some), *count[1:], *rest)


def _hurdle_limits(parts: Parts) -> tuple[Limit, ...]:
    def of_count(limit: Limit) -> Limit:
        def score(y: Array, etas: Etas) -> tuple[Array, Array]:
            own = Parts(limit.family, parts.zero).count_etas(etas)
            slope, information = limit.score(y, own)
            at_zero = limit.score(np.zeros_like(y), own)[0]
            odds = 1.0 / np.expm1(-log_zero(limit.family, own).value)
            some = y[0] > 0
            return np.where(some, slope + odds * at_zero, 0.0), np.where(some, information, 0.0)

        return moved(limit, parts, hurdle(limit.family, parts.zero), score)

    def of_zero(limit: Limit) -> Limit:
        def score(y: Array, etas: Etas) -> tuple[Array, Array]:
            own = Parts(parts.count, limit.family).zero_etas(etas)
            slope, information = limit.score(np.zeros_like(y), own)
            odds = 1.0 / np.expm1(-log_zero(limit.family, own).value)
            return np.where(y[0] > 0, -odds, 1.0) * slope, np.broadcast_to(information, y[0].shape)

        at = parts.zero_at
        return replace(
            limit,
            equation=at[limit.equation],
            lost=tuple(at[k] for k in limit.lost),
            name=f"hurdle_{limit.name}",
            family=hurdle(parts.count, limit.family),
            score=score,
            opens=False,
        )

    return (*map(of_count, parts.count.limits), *map(of_zero, parts.zero.limits))


def _concave(parts: Parts) -> bool:
    """Whether both halves are: a truncated exponential family, and a concave or Poisson zero part.

    Of a Poisson, P(Y > 0) is the probability of a complementary log-log link.
    """
    return parts.count.canonical and parts.zero.concave and parts.zero.q == 1


LAWS: dict[str, Callable[..., Any]] = {
    "terms": _hurdle_terms,
    "moments": _hurdle_moments,
    "mass": _hurdle_mass,
    "tails": _hurdle_tails,
    "above": _hurdle_above,
    "sample": _hurdle_sample,
    "start": _hurdle_start,
    "flat": _hurdle_flat,
}


@recorded
def hurdle(count: Family, zero: Family | None = None) -> Family:
    """Counts that are positive with the probability of a zero part, then of a truncated family.

    Parameters
    ----------
    count : Family
    zero : Family, optional
        Of the event "positive": Bernoulli under any link, or a count family of which only
        P(Y > 0) matters; Bernoulli with logit link by default.

    Returns
    -------
    Family
        Predictors: the mean of `count`, those of `zero`, then the other ones of `count`.

    Raises
    ------
    UsageError
        If they are no families, or the first has no likelihood of every count from 0 on.

    Examples
    --------
    >>> from glmcount.families import hurdle, poisson
    >>> hurdle(poisson).label
    'Hurdle Poisson'
    """
    zero = bernoulli if zero is None else a_family("zero", zero)
    parts = Parts(count_part("hurdle", count), zero)
    by = f"{zero.link} link" if zero.domain == "logit" else f"{zero.inside} censored at 1"
    return of_two_parts(
        parts,
        ("hurdle", "Hurdle", "hurdle"),
        f"Hurdle: P(y > 0), {by}",
        LAWS,
        constant=lambda y: np.where(y[0] > 0, count.constant(y), 0.0),
        limits=_hurdle_limits(parts),
        parts={"mean-main": partial(mean_of_counts, parts=parts)},
        concave_links=(count.link,) if _concave(parts) else (),
        several=count.several,
        apart=parts.zero_at if zero.concave else (),
    )
