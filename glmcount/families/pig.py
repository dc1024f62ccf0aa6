"""Poisson-inverse Gaussian: variance mu + alpha mu^2 with a longer tail than NB2's.

The mean of a Poisson is multiplied by an inverse Gaussian of mean 1 and variance alpha.
With c = sqrt(1 + 2 alpha mu), v = alpha / c and R_j the ratio of the Bessel functions K of
orders j - 1/2 and j - 3/2 at 1 / v,

    log f(y) = -2 mu / (1 + c) + y log(mu / c) + sum_{j=1}^{y} log R_j - log y!
    R_1 = 1,    R_{j+1} = 1 / R_j + (2 j - 1) v

(Holla 1966, Metrika 11; Willmot 1987, Scandinavian Actuarial Journal, equation 3.3; Dean,
Lawless & Willmot 1989, Canadian Journal of Statistics 17). The recursion is run upwards,
where it forgets rounding, on R - 1 and its first two derivatives in log v, none of which
loses digits as alpha -> 0. Its cost grows with the count, about 25 ns for each, up to a
count of 256; from there on an expansion in 1 / y has all digits (see `debye`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np

from glmcount.errors import UsageError
from glmcount.families.base import Etas, register
from glmcount.families.debye import saddle
from glmcount.families.draws import poisson_draws
from glmcount.families.large import LARGE, any_large, log_factorial_rest, patched
from glmcount.families.negbin import TOLD, negbin
from glmcount.families.recipe import named
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet

__all__ = ["pig"]

Number = TypeVar("Number", float, Array)
# R - 1, 1 / R, and the first two derivatives of R in log v over R.
Fitted = tuple[Number, Number, Number, Number]
FOLD = 16


def _next(odd: Number, state: Fitted[Number]) -> Fitted[Number]:
    """From R_j to R_{j+1}; `odd` is (2 j - 1) v, which is its own derivative in log v."""
    excess, keep, slope, bend = state
    following = odd - excess * keep
    share = 1.0 / (1.0 + following)
    tilt = (odd - slope * keep) * share
    return following, share, tilt, (odd + keep * (2.0 * slope * slope - bend)) * share


@lru_cache(maxsize=16)
def _table(v: float, size: int) -> Array:
    """Sum of log R_j up to each count, with two derivatives in log v."""
    state = (0.0, 1.0, 0.0, 0.0)
    steps = np.zeros((3, size), dtype=np.longdouble)
    for j in range(1, size - 1):
        state = _next((2 * j - 1) * v, state)
        excess, _, slope, bend = state
        steps[:, j + 1] = excess, slope, bend - slope * slope
    steps[0] = np.log1p(steps[0])
    return np.cumsum(steps, axis=1).astype(np.float64)


def _by_row(count: Array, v: Array) -> Array:
    """The same with a v for each row: rows drop out of the recursion as it passes them."""
    order = np.argsort(-count, kind="stable")
    top = int(count[order[0]]) if count.size else 0
    # At step j the first left[j] rows, those with a count of at least j, still go on.
    left = np.searchsorted(-count[order], -np.arange(top + 1.0), side="right")
    v, sums = v[order], np.zeros((3, count.size))
    zero = np.zeros(count.size)
    state = (zero, zero + 1.0, zero, zero)
    for begin in range(1, top, FOLD):
        # One logarithm for several steps: products less one, whose parts are positive.
        over = np.zeros(left[begin + 1])
        for j in range(begin, min(begin + FOLD, top)):
            n = left[j + 1]
            before = tuple(part[:n] for part in state)
            state = _next((2 * j - 1) * v[:n], (before[0], before[1], before[2], before[3]))
            excess, _, slope, bend = state
            over[:n] += excess + excess * over[:n]
            sums[1, :n] += slope
            sums[2, :n] += bend - slope * slope
        sums[0, : over.size] += np.log1p(over)
    out = np.empty_like(sums)
    out[:, order] = sums
    return out


def _log_ratios(count: Array, v: Array) -> Array:
    if v.size > 1:
        return _by_row(*np.broadcast_arrays(count, v))
    size = 1 << int(count.max(initial=0.0) + 1.0).bit_length()
    return _table(float(v[0]), size)[:, count.astype(np.intp)]


def terms(y: Array, etas: Etas) -> Jet:
    """Jet in (log mu, log alpha)."""
    count, mu, alpha = y[0], np.exp(etas[0]), np.exp(np.clip(etas[1], *TOLD))
    parts = _recursive(np.minimum(count, LARGE), etas[0], mu, alpha)
    if any_large(count):
        parts = patched(saddle, parts, count, mu, alpha)
    value, d_mean, d_alpha, second, cross, d_alpha2 = parts
    return Jet(value, (d_mean, d_alpha), ((second, cross), (cross, d_alpha2)))


def _recursive(count: Array, eta: Array, mu: Array, alpha: Array) -> tuple[Array, ...]:
    t = alpha * mu
    c = np.sqrt(1.0 + 2.0 * t)
    log_c = 0.5 * np.log1p(2.0 * t)
    # k and its derivative are those of log c, in log mu as in log alpha.
    share = 1.0 / (1.0 + 2.0 * t)
    k = t * share
    bent = k * share
    rise, slope, bend = _log_ratios(count, alpha / c)
    # The zero's part: -2 mu / (1 + c) and its derivatives; 1 + t - c = t^2 / (1 + t + c).
    rate = mu / c
    own = t / (1.0 + t + c)
    push = rate * own
    falling = (count + slope) * bent
    cross = rate * k - falling - k * (1.0 - k) * bend
    return (
        -2.0 * mu / (1.0 + c) + count * (eta - log_c) + rise,
        count * (1.0 - k) - rate - k * slope,
        push - count * k + (1.0 - k) * slope,
        k * k * bend - rate * (1.0 - k) - falling,
        cross,
        push * (1.0 - k - own * (1.0 + 1.0 / c)) - falling + (1.0 - k) ** 2 * bend,
    )


def _constant(y: Array) -> Array:
    if not np.array_equal(y[0], np.floor(y[0])):
        raise UsageError(
            "The Poisson-inverse Gaussian knows whole counts only: its probabilities are a "
            "recursion from count to count. Round the response, or use family='negbin', "
            "which has a value between them.",
            kind="whole_counts",
        )
    return log_factorial_rest(y)


def _pooled(rng: np.random.Generator, etas: Etas, w: Array) -> Array:
    # Inverse Gaussian factors of w Poissons add up to one of w^2 times the shape.
    return _sample(rng, (etas[0] + np.log(w), etas[1] - np.log(w)))


def _sample(rng: np.random.Generator, etas: Etas) -> Array:
    mu, alpha = np.broadcast_arrays(np.exp(etas[0]), np.exp(etas[1]))
    return poisson_draws(rng, mu * rng.wald(1.0, 1.0 / alpha))


# Its predictors, moments, and score at alpha = 0 are NB2's: to first order in alpha only the
# mixing distribution's variance counts. The mean that fits a count best is not the count (at
# y = 1 it is greater), hence no deviance.
pig = register(
    negbin().derived(
        name="pig",
        aliases=("poisson_inverse_gaussian",),
        label="Poisson-inverse Gaussian",
        proper=True,
        terms=terms,
        constant=_constant,
        sample=_sample,
        pooled=_pooled,
        limits=negbin().limits,
        typical=negbin().typical,
        mean_equation=True,
        mean_log=True,
        several=False,
        recipe=named("pig"),
    )
)
