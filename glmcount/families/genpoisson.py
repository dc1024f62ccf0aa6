"""Generalized Poisson: variance mu (1 + a mu)^2, where a may follow a power of the mean.

    log f(y) = y [log mu - log(1 + a mu)] + (y - 1) log(1 + a y)
               - mu (1 + a y) / (1 + a mu) - log y!

(Consul & Jain 1973, Technometrics 15; Consul & Famoye 1992, Communications in Statistics
21, equation 2.1; Hilbe 2011, Negative Binomial Regression, section 9.2.) GP-P has
a = alpha mu^(P - 2): GP-1, the registered "genpoisson", has variance mu (1 + alpha)^2 and
GP-2 mu (1 + alpha mu)^2. Differences y - mu are taken before anything is divided by a, so
that derivatives keep their digits as a -> 0, where the family becomes Poisson.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from glmcount.allowed import finite, truth
from glmcount.families.base import Curvature, Equation, Etas, Family, Limit, StartSums, register
from glmcount.families.combine.reparametrise import power_of_mean, reparametrise, terms_of
from glmcount.families.distribution import log_below, log_beyond, log_masses, rows_of
from glmcount.families.draws import poisson_draws
from glmcount.families.large import (
    any_large,
    entropy,
    log_factorial_rest,
    patched,
    relative_entropy,
)
from glmcount.families.negbin import ALPHA
from glmcount.families.poisson import MEAN, poisson
from glmcount.families.quantiles import first_count
from glmcount.families.recipe import named, recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, constant_jet, eta_jet, exp_jet

__all__ = ["genpoisson", "genpoisson1", "genpoisson2"]

# Children to each member that survives, beyond which draws are by inversion.
CRITICAL = 1e3


def _natural(value: Array) -> tuple[Array, Array]:
    return value, np.ones_like(value)


def terms(y: Array, etas: Etas) -> Jet:
    """Jet in (log mu, a); -inf where 1 + a y or 1 + a mu is not positive."""
    count, eta, mu = y[0], etas[0], np.exp(etas[0])
    inside = (1.0 + etas[1] * mu > 0) & (1.0 + etas[1] * count > 0)
    a = np.where(inside, etas[1], 0.0)
    t, u = a * mu, a * count
    share, keep = 1.0 / (1.0 + t), 1.0 / (1.0 + u)
    value = count * (eta - np.log1p(t)) + (count - 1.0) * np.log1p(u) - mu * (1.0 + u) * share
    gap = (count - mu) * share
    if any_large(count):
        (value,) = patched(_large, (value,), count, mu * (1.0 + u) * share, gap, u)
    lean = mu * share
    pull = keep * (gap * gap - count)
    cross = -2.0 * lean * share * gap
    return Jet(
        np.where(inside, value, -np.inf),
        (gap * share, pull),
        (
            (-lean * share * share * (1.0 + 2.0 * u - t), cross),
            (cross, -count * keep * pull - 2.0 * lean * keep * gap * gap),
        ),
    )


def _large(y: Array, rate: Array, gap: Array, u: Array) -> tuple[Array]:
    """Of a Poisson of the rate mu (1 + a y) / (1 + a mu), from which y is `gap` away."""
    return (-entropy(y, rate, gap) - np.log1p(u),)


def _tails(y: Array, etas: Etas) -> tuple[Array, Array, Array, Array]:
    """For a < 0, those of the law that is drawn from; NaN elsewhere, where sums will do.

    Probabilities below alpha = 0 do not add up to one: what they lack falls on the largest
    count, and what they have too much is cut off.
    """
    out = np.full((4, y.shape[1]), np.nan)
    rows = np.flatnonzero(np.broadcast_to(etas[1] < 0, (y.shape[1],)))
    if rows.size:
        own = rows_of(etas, rows)
        count = np.floor(y[0][rows])
        largest = np.ceil(-1.0 / own[1]) - 1.0
        seen = np.minimum(count, largest)
        below, beyond = np.exp(log_below(_plain, own, seen)), np.exp(log_beyond(_plain, own, seen))
        here = np.exp(log_masses(_plain, own, seen)[0])
        lack = 1.0 - (below + here + beyond)
        lack = np.where(np.abs(lack) < 1e-12, 0.0, lack)
        past, last = count > largest, count >= largest
        shares = (
            np.where(past, 1.0, below),
            np.where(last, 1.0, below + here),
            np.where(past, 0.0, here + beyond + lack),
            np.where(last, 0.0, beyond + lack),
        )
        with np.errstate(divide="ignore"):
            out[:, rows] = np.log(np.clip(shares, 0.0, 1.0))
    return out[0], out[1], out[2], out[3]


def _moments(etas: Etas) -> tuple[Jet, Jet]:
    mean = exp_jet(eta_jet(etas, 0))
    swell = constant_jet(np.ones(1), len(etas)) + eta_jet(etas, 1) * mean
    return mean, mean * swell * swell


def _expected(etas: Etas) -> Curvature:
    mu, a = np.exp(etas[0]), etas[1]
    share = 1.0 / (1.0 + a * mu)
    none = np.zeros(1)
    return (mu * share**2, none), (none, 2.0 * (mu * share) ** 2 / (1.0 + 2.0 * a))


def _deviance(y: Array, etas: Etas) -> Array:
    # The score in mu is a multiple of y - mu, so the saturated mean is y; what is left of
    # the difference is the entropy of y relative to the rate mu (1 + a y) / (1 + a mu).
    mu, a = np.exp(etas[0]), etas[1]
    return 2.0 * relative_entropy(y[0], mu * (1.0 + a * y[0]) / (1.0 + a * mu))


def _sample(rng: np.random.Generator, etas: Etas) -> Array:
    mu, a = np.broadcast_arrays(np.exp(etas[0]), etas[1])
    out = np.empty(mu.shape)
    # Where nearly every member has a child a family dies out after many generations.
    long = (a * mu > CRITICAL) | ((a < 0) & (mu > CRITICAL))
    below = (a < 0) & ~long
    short = ~below & ~long
    out[short] = _progeny(rng, mu[short], a[short])
    out[below] = _inverted(rng, mu[below], a[below])
    if long.any():
        share = np.log(rng.random(int(long.sum())))
        out[long] = first_count(_plain, [np.log(mu[long]), a[long]], share)
    return out


def _pooled(rng: np.random.Generator, etas: Etas, w: Array) -> Array:
    # Counts of one rate of children add up as their ancestors do: (w mu, a / w). Below a = 0
    # the law is not normalised, and sums leave it.
    mu, a, w = np.broadcast_arrays(np.exp(etas[0]), etas[1], w)
    out = np.full(mu.shape, np.nan)
    rows = a >= 0
    out[rows] = _sample(rng, (np.log(w[rows] * mu[rows]), a[rows] / w[rows]))
    return out


def _progeny(rng: np.random.Generator, mu: Array, a: Array) -> Array:
    """All members of a branching process: Poisson ancestors, Poisson children of each."""
    ancestors, children = mu / (1.0 + a * mu), a * mu / (1.0 + a * mu)
    born = poisson_draws(rng, ancestors)
    total, rows = born.copy(), np.flatnonzero(born)
    while rows.size:
        born = poisson_draws(rng, born[born > 0] * children[rows])
        total[rows] += born
        rows = rows[born > 0]
    return total


def _inverted(rng: np.random.Generator, mu: Array, a: Array) -> Array:
    """Inversion by running sums; what they lack of one falls on the largest count."""
    left, out = rng.random(mu.shape), np.zeros(mu.shape)
    rows, j = np.arange(mu.size), 0.0
    while rows.size:
        y = np.full((1, rows.size), j)
        chance = np.exp(terms(y, (np.log(mu[rows]), a[rows])).value + log_factorial_rest(y))
        left[rows] -= chance
        further = (left[rows] > 0) & (1.0 + a[rows] * (j + 1.0) > 0)
        # Far above the mean nothing follows that a double could tell from zero.
        rows = rows[further & ((chance > 1e-20) | (j < mu[rows]))]
        j += 1.0
        out[rows] = j
    return out


def _start(sums: StartSums) -> tuple[float, float]:
    mean = sums.mean
    variance = sums.square / sums.weight - mean * mean
    return poisson.start(sums)[0], (math.sqrt(max(variance, 0.0) / mean) - 1.0) / mean


def _log_start(sums: StartSums, power: float) -> tuple[float, ...]:
    mean, a = _start(sums)
    return mean, math.log(max(a, 0.01)) + (2.0 - power) * math.log(sums.mean)


def _under_start(sums: StartSums, power: float) -> tuple[float, ...]:
    # alpha = 0 is inside the support of any data; a negative one need not be.
    mean, a = _start(sums)
    return mean, max(a, 0.0) * sums.mean ** (2.0 - power)


def _poisson_score(y: Array, etas: Etas) -> tuple[Array, Array]:
    mu = np.exp(etas[0])
    return (y[0] - mu) ** 2 - y[0], 2.0 * mu * mu


_LIMIT = Limit(
    equation=1,
    name="alpha",
    value=0.0,
    family=poisson,
    score=_poisson_score,
    start=lambda ratio: math.log(max(ratio, 1e-6)),
)

# In (log mu, a) itself, from which the others are made.
_plain = Family(
    name="genpoisson_plain",
    aliases=(),
    label="Generalized Poisson",
    equations=(MEAN, Equation("alpha", "Dispersion", "dispersion_", _natural)),
    terms=terms,
    constant=log_factorial_rest,
    moments=_moments,
    expected=_expected,
    deviance=_deviance,
    tails=_tails,
    sample=_sample,
    pooled=_pooled,
    start=_start,
    mean_equation=True,
    mean_log=True,
)


def _log_a(etas: Etas) -> tuple[Jet, ...]:
    a = np.exp(etas[1])
    return eta_jet(etas, 0), Jet(a, (None, a), ((None, None), (None, a)))


def _a_of_mean(etas: Etas, gap: float) -> tuple[Jet, ...]:
    a = np.exp(etas[1] + gap * etas[0])
    steep = gap * a
    return eta_jet(etas, 0), Jet(a, (steep, a), ((gap * steep, steep), (steep, a)))


genpoisson2 = register(
    reparametrise(
        _plain,
        _log_a,
        name="genpoisson2",
        aliases=("gp2",),
        label="Generalized Poisson (GP-2)",
        mean_log=True,
        equations=(MEAN, ALPHA),
        start=lambda sums: _log_start(sums, 2.0),
        limits=(_LIMIT,),
        typical=((-1.0, 2.0), (-3.0, 0.0)),
        recipe=named("genpoisson2"),
    )
)


@recorded
def genpoisson(power: float = 1.0, under: bool = False) -> Family:
    """Generalized Poisson family, variance mu (1 + alpha mu^(P - 1))^2.

    Parameters
    ----------
    power : float
        P. 1 is GP-1 (statsmodels' ``GeneralizedPoisson(p=1)``; glmmTMB's ``genpois`` has
        dispersion (1 + alpha)^2), 2 is GP-2, which alone has a deviance: otherwise the mean
        that fits a count best is not the count.
    under : bool
        Let alpha be negative, for counts less variable than Poisson. The predictor is then
        alpha itself, and counts with 1 + alpha_i y <= 0 are impossible. Below alpha = 0 the
        probabilities do not add up to one exactly, and mean and variance are approximate
        (Consul & Famoye 1992, section 2): compare such log-likelihoods with care.

    Returns
    -------
    Family
        With predictors of the mean and of alpha.

    Raises
    ------
    UsageError
        If power is not a finite number, or under not True or False.

    Examples
    --------
    >>> from glmcount.families import genpoisson
    >>> genpoisson().label, genpoisson(power=2).label
    ('Generalized Poisson (GP-1)', 'Generalized Poisson (GP-2)')
    """
    advice = "family='genpoisson' is power 1, family='genpoisson2' is power 2."
    held = finite("power", power, advice)
    if truth("under", under):
        return _under(held)
    if held == 2.0:
        return genpoisson2
    return reparametrise(
        genpoisson2,
        power_of_mean(held),
        # By one map in the place of two.
        terms=partial(terms_of, family=_plain, inner=partial(_a_of_mean, gap=held - 2.0)),
        name="genpoisson_fixed",
        aliases=(),
        label=f"Generalized Poisson (GP-{held:g})",
        start=lambda sums: _log_start(sums, held),
        mean_log=True,
        deviance=None,
    )


def _under(power: float) -> Family:
    def inner(etas: Etas) -> tuple[Jet, ...]:
        mean, alpha = eta_jet(etas, 0), eta_jet(etas, 1)
        return mean, alpha * exp_jet(constant_jet(np.array([power - 2.0]), 2) * mean)

    def slack(y: Array, etas: Etas) -> Jet:
        """log((1 + a y) (1 + a mu)); NaN outside."""
        mean, a = inner(etas)
        one = constant_jet(np.ones(1), 2)
        parts = one + a * constant_jet(y[0], 2), one + a * exp_jet(mean)
        inside = [np.where(part.value > 0, part.value, np.nan) for part in parts]
        logs = [p.chain(np.log(v), 1 / v, -1 / v**2) for p, v in zip(parts, inside, strict=True)]
        return logs[0] + logs[1]

    return reparametrise(
        _plain,
        inner,
        slack=slack,
        name="genpoisson_under",
        label=f"Generalized Poisson (GP-{power:g}, not normalised below alpha = 0)",
        start=lambda sums: _under_start(sums, power),
        mean_log=True,
        expected=None,
        deviance=_plain.deviance if power == 2.0 else None,
        typical=((-1.0, 2.0), (-0.02, 0.5)),
    )


genpoisson1 = register(
    genpoisson(power=1.0).with_(
        name="genpoisson",
        aliases=("gp", "gp1", "genpoisson1"),
        recipe=named("genpoisson"),
    )
)
