"""Truncated counts, of any family: P(y) = f(y) / P(Y > k), y > k.

Cameron & Trivedi (2013), Regression Analysis of Count Data, section 4.3.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from glmcount.allowed import whole
from glmcount.families.base import Etas, Family, Limit, StartSums, count_part
from glmcount.families.distribution import (
    HALF,
    log_above,
    log_below,
    log_masses,
    mass_jet,
    rest_of,
    rows_of,
    stacked,
    tails,
)
from glmcount.families.quantiles import first_count
from glmcount.families.recipe import recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, above_zero, constant_jet, exp_jet, less, times, wide
from glmcount.records import replace

__all__ = ["never_seen", "positive_sample", "truncated"]


def never_seen(name: str, above: Any) -> int:
    """A number up to which counts can be unseen.

    Raises
    ------
    UsageError
        If it is not a whole number of 0 or more.
    """
    advice = "Counts up to it are never seen; truncated=0 is the zero-truncated model."
    return whole(name, above, 0, "truncation", advice)


TRIES = 50


def positive_sample(rng: np.random.Generator, family: Family, etas: Etas, above: int) -> Array:
    """Draws greater than `above`: by rejection, the rows left over by inversion."""
    etas = wide(etas)
    out = np.full(etas[0].size, -1.0)
    left = np.arange(etas[0].size)
    for _ in range(TRIES):
        drawn = family.sample(rng, [eta[left] for eta in etas])
        out[left] = drawn
        left = left[drawn <= above]
        if not len(left):
            return out
    own = [eta[left] for eta in etas]
    share = log_above(family, own, np.full(1, float(above))).value
    # Where U S(above) is left above a count, the count has been reached.
    out[left] = first_count(family, own, np.log(rng.uniform(size=len(left))) + share)
    return out


def _truncated_terms(y: Array, etas: Etas, family: Family, k: int) -> Jet:
    etas = above_zero(etas)
    jet = less(family.terms(y, etas), log_above(family, etas, np.full(1, float(k))))
    return Jet(np.where(y[0] > k, jet.value, -np.inf), jet.d1, jet.d2)


def _truncated_moments(etas: Etas, family: Family, k: int) -> tuple[Jet, Jet]:
    mean, variance = family.moments(etas)
    share = exp_jet(times(log_above(family, etas, np.full(1, float(k))), -1.0))
    # Squares around the mean of all counts: of large ones there is nothing to take off.
    first, second = mean, variance
    for j in range(k + 1):
        mass = mass_jet(family, etas, float(j))
        gap = less(mean, constant_jet(np.array([float(j)]), len(etas)))
        first = first + times(mass, -float(j))
        second = less(second, mass * (gap * gap))
    centre = share * first
    off = less(centre, mean)
    return centre, less(share * second, off * off)


def _truncated_start(sums: StartSums, family: Family, k: int) -> tuple[float, ...]:
    # The mean of the counts beyond k, less what k itself forces; it need only be positive.
    mean = max(sums.mean - k * 0.8, 0.2 * sums.mean)
    share = sums.mean / mean
    return family.start(
        replace(
            sums,
            weight=sums.weight * share,
            log_exposure=sums.log_exposure + float(np.log(share)),
            offset=sums.offset * share,
        )
    )


def _truncated_mass(y: Array, etas: Etas, family: Family, k: int) -> Array:
    share = tails(family, stacked(family, np.full(y.shape[1], float(k))), etas)[3]
    return np.where(y[0] > k, log_masses(family, etas, y[0])[0] - share, -np.inf)


def _truncated_above(etas: Etas, count: Array, family: Family, k: int) -> Jet:
    first = log_above(family, etas, np.full(1, float(k)))
    return less(log_above(family, etas, np.maximum(count, float(k))), first)


def _truncated_tails(
    y: Array, etas: Etas, family: Family, k: int
) -> tuple[Array, Array, Array, Array]:
    count = np.maximum(y[0], float(k))
    below, here, above, beyond = tails(family, stacked(family, count), etas)
    _, floor, _, share = tails(family, stacked(family, np.full(count.size, float(k))), etas)
    first, seen = count <= k + 1, count > k

    def lower(share_above: Array, upto: Array, last: Array) -> Array:
        with np.errstate(invalid="ignore"):
            near = upto + rest_of(floor - upto) - share
            out = np.where(share_above < HALF, rest_of(share_above), near)
        # F(y) - F(k), where these are near each other and the rest is large, is a sum.
        lost = np.flatnonzero((share_above >= HALF) & (floor - upto >= HALF) & (last > k))
        if lost.size:
            own = rows_of(etas, lost)
            out[lost] = log_below(family, own, last[lost] + 1.0, k + 1.0) - share[lost]
        return out

    upper = np.where(first, 0.0, above - share), np.where(seen, beyond - share, 0.0)
    return (
        np.where(first, -np.inf, lower(upper[0], below, count - 1.0)),
        np.where(seen, lower(upper[1], here, count), -np.inf),
        *upper,
    )


def _truncated_limit(limit: Limit, k: int) -> Limit:
    def score(y: Array, etas: Etas) -> tuple[Array, Array]:
        slope, information = limit.score(y, etas)
        share = np.exp(-log_above(limit.family, etas, np.full(1, float(k))).value)
        for j in range(k + 1):
            mass = mass_jet(limit.family, etas, float(j)).value
            slope = slope + share * mass * limit.score(np.full_like(y, float(j)), etas)[0]
        return slope, information

    return replace(limit, family=truncated(limit.family, k), score=score)


@recorded
def truncated(family: Family, above: int = 0) -> Family:
    """Counts that are seen only where they are greater than `above`.

    log f(y) - log P(Y > above) takes the place of log f(y) in the log-likelihood.

    Parameters
    ----------
    family : Family
        A likelihood of every count from 0 on.
    above : int
        The largest count that is never seen; 0 for zero-truncated counts.

    Returns
    -------
    Family
        With the predictors of `family`, which speak of the counts before truncation.

    Raises
    ------
    UsageError
        If `family` has no likelihood of every count from 0 on, or `above` is not a whole number
        of 0 or more.

    Examples
    --------
    >>> from glmcount.families import poisson, truncated
    >>> truncated(poisson).label
    'Zero-truncated Poisson'
    """
    family, above = count_part("truncated", family), never_seen("above", above)
    bound: dict[str, Any] = {"family": family, "k": above}
    name = "Zero-truncated" if above == 0 else f"Truncated (y > {above})"
    return family.derived(
        **(family.described | {"support": (above + 1.0, family.support[1])}),
        mean_log=family.mean_log,
        name=f"truncated_{family.name}",
        aliases=(),
        label=f"{name} {family.inside}",
        terms=partial(_truncated_terms, **bound),
        moments=partial(_truncated_moments, **bound),
        sample=lambda rng, etas: positive_sample(rng, family, etas, above),
        start=partial(_truncated_start, **bound),
        mass=partial(_truncated_mass, **bound),
        tails=partial(_truncated_tails, **bound),
        above=partial(_truncated_above, **bound),
        limits=tuple(_truncated_limit(limit, above) for limit in family.limits),
        parts={"mean-main": lambda etas: family.moments(etas)[0]},
        flat=lambda y: ((y[0] == above + 1, None), *family.runs_off(y)[1:]),
        certain=lambda y: ((y[0] == above + 1, None), *family.surely_off(y)[1:]),
        # log P(Y > k) of an exponential family keeps it concave, as what is left is one too.
        concave_links=("log",) if family.canonical else (),
        several=family.several,
        apart=family.apart,
    )
