"""Zero-inflated counts: zero for sure with some probability, else of a count family.

    P(0) = pi + (1 - pi) f(0),   P(y) = (1 - pi) f(y),   pi = P(B = 1)

with B the zero part, itself a family: Bernoulli under any link (Lambert 1992, Technometrics
34; Greene 1994, NYU working paper EC-94-10).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from glmcount.errors import UsageError
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
from glmcount.families.combine.hurdle import hurdle
from glmcount.families.combine.parts import (
    Parts,
    count_start,
    mean_of_counts,
    moved,
    of_two_parts,
    positive_mean,
    zero_sums,
)
from glmcount.families.distribution import binary, log_above, log_masses, log_zero, shares, tails
from glmcount.families.recipe import recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, add_logs, exp_jet, wide

__all__ = ["zero_inflated"]


def _chances(parts: Parts, etas: Etas) -> tuple[Jet, Jet]:
    """Jets of log pi and log(1 - pi)."""
    no, yes = binary(parts.zero, parts.zero_etas(etas))
    return parts.of_zero(yes), parts.of_zero(no)


def _inflated_terms(y: Array, etas: Etas, parts: Parts) -> Jet:
    else_, always = binary(parts.zero, parts.zero_etas(etas))
    count = parts.joined(parts.count.terms(y, parts.count_etas(etas)), else_)
    none = y[0] == 0
    return add_logs(count, parts.of_zero(always), none) if none.any() else count


def _inflated_mass(y: Array, etas: Etas, parts: Parts) -> Array:
    always, else_ = _chances(parts, etas)
    count = else_.value + log_masses(parts.count, parts.count_etas(etas), y[0])[0]
    return np.where(y[0] == 0, np.logaddexp(always.value, count), count)


def _inflated_tails(y: Array, etas: Etas, parts: Parts) -> tuple[Array, Array, Array, Array]:
    always, else_ = (jet.value for jet in _chances(parts, etas))
    below, here, above, beyond = tails(parts.count, y, parts.count_etas(etas))
    some = y[0] > 0
    upper = (np.where(some, else_ + above, 0.0), else_ + beyond)
    lower = (np.where(some, np.logaddexp(always, else_ + below), -np.inf), else_ + here)
    return shares(lower[0], np.logaddexp(always, lower[1]), *upper)


def _inflated_above(etas: Etas, count: Array, parts: Parts) -> Jet:
    return _chances(parts, etas)[1] + parts.of_count(
        log_above(parts.count, parts.count_etas(etas), count)
    )


def _inflated_moments(etas: Etas, parts: Parts) -> tuple[Jet, Jet]:
    always, else_ = (exp_jet(jet) for jet in _chances(parts, etas))
    mean, variance = map(parts.of_count, parts.count.moments(parts.count_etas(etas)))
    return else_ * mean, else_ * (variance + always * (mean * mean))


def _inflated_sample(rng: np.random.Generator, etas: Etas, parts: Parts) -> Array:
    etas = wide(etas)
    count = parts.count.sample(rng, parts.count_etas(etas))
    return np.where(parts.zero.sample(rng, parts.zero_etas(etas)) > 0, 0.0, count)


def _inflated_start(sums: StartSums, parts: Parts) -> tuple[float, ...]:
    mean = max(positive_mean(sums), 1.02 * sums.mean)
    share = min(max(1.0 - sums.mean / mean, 0.02), 0.98)
    zero = parts.zero.start(zero_sums(sums, share * sums.weight))
    return parts.ordered(count_start(parts, sums, sums.mean / (1.0 - share)), zero)


def _inflated_flat(y: Array, parts: Parts) -> Flat:
    every = np.ones(y.shape[1], dtype=bool)
    count = parts.count.runs_off(y)
    rest = ((None, None),) * (parts.zero.q - 1)
    # A structural zero does not care for the count part: its direction is told by the others.
    return (count[0], (every, y[0] == 0), *count[1:], *rest)


def _inflated_certain(y: Array, parts: Parts) -> Flat:
    count = parts.count.surely_off(y)
    rest = ((None, None),) * (parts.zero.q - 1)
    # Whether a zero gains by less inflation is a matter of its mean.
    return (count[0], (y[0] > 0, y[0] == 0), *count[1:], *rest)


def _inflated_limits(parts: Parts) -> tuple[Limit, ...]:
    """The count part's own limits, and no inflation."""

    def lifted(limit: Limit) -> Limit:
        def score(y: Array, etas: Etas) -> tuple[Array, Array]:
            inner = Parts(limit.family, parts.zero)
            always, else_ = _chances(inner, etas)
            slope, information = limit.score(y, inner.count_etas(etas))
            zero = limit.family.terms(y, inner.count_etas(etas)).value + else_.value
            share = np.where(y[0] == 0, 1.0 / (1.0 + np.exp(always.value - zero)), 1.0)
            return slope * share, information * share

        return moved(limit, parts, zero_inflated(limit.family, parts.zero), score)

    def score(y: Array, etas: Etas) -> tuple[Array, Array]:
        # Where a zero is out of the question it counts as such, not as infinity.
        odds = np.exp(np.minimum(-log_zero(parts.count, etas).value, 50.0))
        slope = np.where(y[0] == 0, odds - 1.0, -1.0)
        return slope, np.broadcast_to(odds - 1.0, slope.shape)

    def start(ratio: float) -> float:
        return float(parts.zero.lift(np.array(min(max(ratio, 1e-3), 0.5))))

    none = Limit(
        equation=1,
        name="inflation",
        value=0.0,
        family=parts.count,
        score=score,
        start=start,
        lost=parts.zero_at[1:],
        opens=False,
    )
    return (*map(lifted, parts.count.limits), none)


LAWS: dict[str, Callable[..., Any]] = {
    "terms": _inflated_terms,
    "moments": _inflated_moments,
    "mass": _inflated_mass,
    "tails": _inflated_tails,
    "above": _inflated_above,
    "sample": _inflated_sample,
    "start": _inflated_start,
    "flat": _inflated_flat,
    "certain": _inflated_certain,
}


@recorded
def zero_inflated(count: Family, zero: Family | None = None) -> Family:
    """Counts that are 0 for sure with probability pi, else of a count family.

    Parameters
    ----------
    count : Family
    zero : Family, optional
        Of the event "structural zero": Bernoulli, under any link; logit by default.

    Returns
    -------
    Family
        Predictors: the mean of `count`, those of `zero`, then the other ones of `count`.

    Raises
    ------
    UsageError
        If they are no families, or not of these kinds.

    Examples
    --------
    >>> from glmcount.families import poisson, zero_inflated
    >>> [e.name for e in zero_inflated(poisson).equations]
    ['mean', 'inflate']
    """
    zero = bernoulli if zero is None else a_family("zero", zero)
    if zero.domain != "logit":
        raise UsageError(
            f"The structural zeros of zero_inflated are an event, and {zero.label} is a family of "
            "counts. Use bernoulli, or compose(bernoulli, 'probit').",
            kind="incompatible_parts",
        )
    parts = Parts(count_part("zero_inflated", count), zero)
    return of_two_parts(
        parts,
        ("zero_inflated", "Zero-inflated", "inflate"),
        f"Inflation: P(structural zero), {zero.link} link",
        LAWS,
        limits=_inflated_limits(parts),
        parts={
            "mean-main": partial(mean_of_counts, parts=parts),
            "zero": lambda etas: exp_jet(_chances(parts, etas)[0]),
        },
        # The counts above zero are those of the count part whatever the zeros are.
        relative=(hurdle(count, zero), parts.ordered((1.0,) * count.q, (-1.0,) * zero.q)),
    )
