"""Right-censored counts, of any family: those that reach their limit say only "or more".

    f(y) where y < c, P(Y >= c) where y >= c

The limit c is a further row of the response. Cameron & Trivedi (2013), Regression Analysis
of Count Data, section 4.4.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from glmcount.families.base import Etas, Family, Flat, Limit, count_part
from glmcount.families.distribution import (
    limited_moments,
    log_above,
    log_mass,
    log_masses,
    rows_of,
)
from glmcount.families.distribution import tails as tails_of
from glmcount.families.quantiles import first_count, quantiles
from glmcount.families.recipe import recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, choose
from glmcount.records import replace

__all__ = ["censored"]

# Counts below a limit up to which all are added up; the rest of a probability beyond which none is.
FEW = 4_096
NOTHING = 1e-18
# Counts times rows that are added up at once.
TOGETHER = 65_536
# Counts of which every one is added up; of more the first ones are, and then the middles of runs
# that are a share of their distance wide: a midpoint's error is a twelfth of its square.
MOST = 1 << 20
FIRST = 65_536
FINE = 20_000


def _is_censored(y: Array) -> NDArray[np.bool_]:
    return y[0] >= y[1]


def _censored_terms(y: Array, etas: Etas, family: Family) -> Jet:
    hit = _is_censored(y)
    jet = family.terms(y, etas)
    if not hit.any():
        return jet
    # Where nothing is censored the limit may be infinite: any count will do there.
    limit = np.where(hit, np.ceil(y[1]) - 1.0, -1.0)
    return choose(hit, log_above(family, etas, limit), jet)


def _censored_tails(y: Array, etas: Etas, family: Family) -> tuple[Array, Array, Array, Array]:
    """A censored count stands for all from its limit on: F is 1 there."""
    hit = _is_censored(y)
    below, here, above, beyond = tails_of(family, np.where(hit, np.ceil(y[1]), y[0])[None, :], etas)
    return below, np.where(hit, 0.0, here), above, np.where(hit, -np.inf, beyond)


def _censored_observed(y: Array, etas: Etas, family: Family) -> tuple[Array, Array, Array]:
    """The count, or the limit that it reached, and the moments of that."""
    limit = np.ceil(y[1])
    return np.where(_is_censored(y), limit, y[0]), *limited_moments(family, etas, limit)


def _censored_flat(y: Array, family: Family) -> Flat:
    first, *rest = family.runs_off(y)
    hit = _is_censored(y)
    down = None if first[0] is None else first[0] & ~hit
    return ((down, hit if first[1] is None else first[1] | hit), *rest)


def _censored_limit(limit: Limit) -> Limit:
    def score(y: Array, etas: Etas) -> tuple[Array, Array]:
        slope, information = limit.score(y, etas)
        hit = _is_censored(y)
        if hit.any():
            slope = np.array(np.broadcast_to(slope, hit.shape))
            for top in np.unique(np.ceil(y[1][hit])):
                rows = hit & (np.ceil(y[1]) == top)
                own = [e if e.shape == (1,) else e[rows] for e in etas]
                slope[rows] = _score_above(limit, own, int(top), int(rows.sum()))
        return slope, information

    return replace(limit, family=censored(limit.family), score=score)


def _score_above(limit: Limit, etas: list[Array], top: int, n: int) -> Array:
    """d log P(Y >= top): the mean of the scores from the limit on.

    Scores have mean zero, so that where most counts are above it those below are added up.
    """
    above = log_above(limit.family, etas, np.full(n, top - 1.0)).value
    out = np.zeros(n)
    for thin in (False, True):
        rows = np.flatnonzero((above < np.log(0.5)) == thin)
        if len(rows):
            own, share = rows_of(etas, rows), above[rows]
            first, last = _likely(limit.family, own, top, share, thin)
            out[rows] = (1.0 if thin else -1.0) * _added(limit, own, share, first, last)
    return out


def _added(limit: Limit, etas: list[Array], share: Array, first: int, last: int) -> Array:
    """Sum of the scores of counts from `first` to before `last`, by their part of exp(share)."""
    n = len(share)
    total, each = np.zeros(n), max(1, TOGETHER // n)
    every, widths = _runs(first, last)
    for start in range(0, len(every), each):
        counts, width = every[start : start + each], widths[start : start + each]
        y = np.repeat(counts, n)
        own = [e if e.shape == (1,) else np.tile(e, len(counts)) for e in etas]
        mass = np.exp(log_mass(limit.family, own, y).value - np.tile(share, len(counts)))
        scores = (mass * limit.score(y[None], own)[0]).reshape(len(counts), n)
        total += np.dot(width, scores)
    return total


def _runs(first: int, last: int) -> tuple[Array, Array]:
    """Counts from `first` to before `last`, and for how many each of them stands."""
    far = last - first
    if far <= MOST:
        return first + np.arange(far, dtype=np.float64), np.ones(far)
    folds = np.log(far / FIRST)
    ends = np.floor(FIRST * np.exp(np.linspace(0.0, folds, int(folds * FINE) + 2)))
    ends[-1] = far
    widths = np.diff(ends)
    middles = np.floor(ends[:-1] + 0.5 * (widths - 1.0))
    near = np.arange(FIRST, dtype=np.float64)
    return first + np.append(near, middles), np.append(np.ones(FIRST), widths)


def _likely(
    family: Family, etas: list[Array], top: int, share: Array, thin: bool
) -> tuple[int, int]:
    """Counts from `top` on, or below it, without those whose probability adds nothing."""
    every = [np.broadcast_to(eta, share.shape) for eta in etas]
    if thin:
        high = first_count(family, every, share + np.log(NOTHING))
        return top, int(np.max(high[np.isfinite(high)], initial=top)) + 1
    if top <= FEW:
        return 0, top
    low = quantiles(family, every, NOTHING, len(share))
    return int(np.min(low[low < top], initial=top)), top


@recorded
def censored(family: Family) -> Family:
    """Counts of which those that reach a limit say only that: y >= limit means "or more".

    Predictions and draws are those of the counts themselves, as if none were censored.

    P(Y >= limit) takes the place of P(Y = y) in the log-likelihood of a row at its limit.

    Parameters
    ----------
    family : Family
        A likelihood of every count from 0 on.

    Returns
    -------
    Family
        Whose response is (2, n): counts, and under them each row's limit, infinite where it has
        none.

    Raises
    ------
    UsageError
        If that is no family with a likelihood of every count from 0 on.

    Examples
    --------
    >>> from glmcount.families import censored, poisson
    >>> censored(poisson).columns
    ('limit',)
    """
    family = count_part("censored", family)
    return family.derived(
        **(family.described | {"columns": ("limit",)}),
        mean_equation=family.mean_equation,
        mean_log=family.mean_log,
        parts=family.parts,
        name=f"censored_{family.name}",
        aliases=(),
        label=f"Right-censored {family.inside}",
        terms=partial(_censored_terms, family=family),
        constant=lambda y: np.where(_is_censored(y), 0.0, family.constant(y)),
        # Probabilities are those of the counts: no limit is ever reached by them.
        mass=lambda y, etas: log_masses(family, etas, y[0])[0],
        observed=partial(_censored_observed, family=family),
        tails=partial(_censored_tails, family=family),
        limits=tuple(_censored_limit(limit) for limit in family.limits),
        flat=partial(_censored_flat, family=family),
        certain=partial(_censored_flat, family=family.with_(flat=family.certain)),
        # P(Y >= c) is the distribution function of a gamma variate, log-concave in log mu.
        concave_links=("log",) if family.canonical else (),
        several=family.several,
        apart=family.apart,
    )
