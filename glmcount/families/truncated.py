"""Truncated counts, of any family: P(y) = f(y) / P(Y > k), y > k.

Cameron & Trivedi (2013), Regression Analysis of Count Data, section 4.3.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from glmcount.errors import UsageError
from glmcount.families.base import Etas, Family, Limit, StartSums
from glmcount.families.distribution import log_above, log_mass, mass_jet
from glmcount.families.distribution import tails as tails_of
from glmcount.families.jets import above_zero, less, times, wide
from glmcount.numerics import Array, Jet, exp_jet
from glmcount.records import replace

__all__ = ["positive_sample", "truncated"]

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
    target = np.log(rng.uniform(size=len(left))) + log_above(family, own, np.full(1, above)).value
    count, open_rows = np.full(len(left), above + 1.0), np.arange(len(left))
    total = np.full(len(left), -np.inf)
    while len(open_rows):
        mass = log_mass(family, [eta[open_rows] for eta in own], count[open_rows]).value
        total[open_rows] = np.logaddexp(total[open_rows], mass)
        far = (total[open_rows] < target[open_rows]) & (mass > target[open_rows] - 45.0)
        open_rows = open_rows[far]
        count[open_rows] += 1.0
    out[left] = count
    return out


def _truncated_terms(y: Array, etas: Etas, family: Family, k: int) -> Jet:
    etas = above_zero(etas)
    jet = less(family.terms(y, etas), log_above(family, etas, np.full(1, float(k))))
    return Jet(np.where(y[0] > k, jet.value, -np.inf), jet.d1, jet.d2)


def _truncated_moments(etas: Etas, family: Family, k: int) -> tuple[Jet, Jet]:
    mean, variance = family.moments(etas)
    share = exp_jet(times(log_above(family, etas, np.full(1, float(k))), -1.0))
    first, second = mean, variance + mean * mean
    for j in range(1, k + 1):
        mass = mass_jet(family, etas, float(j))
        first = first + times(mass, -float(j))
        second = second + times(mass, -(float(j) ** 2))
    centre = share * first
    return centre, share * second + times(centre * centre, -1.0)


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


def _truncated_tails(
    y: Array, etas: Etas, family: Family, k: int
) -> tuple[Array, Array, Array, Array]:
    above, beyond = tails_of(family, y, etas)[2:]
    share = log_above(family, etas, np.full(1, float(k))).value
    with np.errstate(invalid="ignore", divide="ignore"):
        # F(y) - F(k) = S(k) - S(y), from whichever side is not near S(k).
        lower = [_less(share, tail) for tail in (above, beyond)]
    first = y[0] <= k + 1
    return (
        np.where(first, -np.inf, lower[0] - share),
        lower[1] - share,
        np.where(first, 0.0, above - share),
        beyond - share,
    )


def _less(a: Array, b: Array) -> Array:
    """log(exp(a) - exp(b))."""
    return a + np.log(np.maximum(-np.expm1(np.minimum(b - a, 0.0)), 0.0))


def _truncated_limit(limit: Limit, k: int) -> Limit:
    def score(y: Array, etas: Etas) -> tuple[Array, Array]:
        slope, information = limit.score(y, etas)
        share = np.exp(-log_above(limit.family, etas, np.full(1, float(k))).value)
        for j in range(k + 1):
            mass = mass_jet(limit.family, etas, float(j)).value
            slope = slope + share * mass * limit.score(np.full_like(y, float(j)), etas)[0]
        return slope, information

    return replace(limit, family=truncated(limit.family, k), score=score)


def truncated(family: Family, above: int = 0) -> Family:
    """Counts that are seen only where they are greater than `above`.

    Raises
    ------
    UsageError
        If `above` is not a whole number of 0 or more.

    Examples
    --------
    >>> from glmcount.families import poisson
    >>> truncated(poisson).label
    'Zero-truncated Poisson'
    """
    if isinstance(above, bool) or not isinstance(above, int) or above < 0:
        raise UsageError(
            f"truncated={above!r} must be a whole number of 0 or more: counts up to it are never "
            "seen. truncated=0 is the zero-truncated model.",
            kind="truncation",
        )
    bound: dict[str, Any] = {"family": family, "k": above}
    name = "Zero-truncated" if above == 0 else f"Truncated (y > {above})"
    return family.with_(
        name=f"truncated_{family.name}",
        aliases=(),
        label=f"{name} {family.inside}",
        terms=partial(_truncated_terms, **bound),
        moments=partial(_truncated_moments, **bound),
        sample=lambda rng, etas: positive_sample(rng, family, etas, above),
        start=partial(_truncated_start, **bound),
        tails=partial(_truncated_tails, **bound),
        limits=tuple(_truncated_limit(limit, above) for limit in family.limits),
        support=(above + 1.0, family.support[1]),
        parts={"mean-main": lambda etas: family.moments(etas)[0]},
        flat=lambda y: ((y[0] == above + 1, None), *family.runs_off(y)[1:]),
        certain=lambda y: ((y[0] == above + 1, None), *family.surely_off(y)[1:]),
        collapse="value",
        expected=None,
        deviance=None,
        curvature=None,
        binary=None,
        wider="",
    )
