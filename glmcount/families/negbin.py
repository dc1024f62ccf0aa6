"""Negative binomial with variance mu + alpha mu^2 (NB2), alpha estimated or fixed.

With t = alpha mu and r = 1 / alpha,

    log f(y) = sum_{j<y} log(1 + alpha j) + y log mu - (y + r) log(1 + t) - log y!

(Lawless 1987, Canadian Journal of Statistics 15; Cameron & Trivedi 2013, section 3.3). In
this form every term has a limit as alpha -> 0, where the family becomes Poisson.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import scipy

from glmcount.allowed import finite
from glmcount.families.base import (
    Curvature,
    Equation,
    Etas,
    Family,
    Limit,
    StartSums,
    natural_exp,
    register,
)
from glmcount.families.draws import poisson_draws
from glmcount.families.large import (
    LARGE,
    any_large,
    log_factorial_rest,
    mixed_entropy,
    mixture,
    mixture_rest,
    patched,
    relative_entropy,
)
from glmcount.families.poisson import MEAN, poisson
from glmcount.families.recipe import named, recorded
from glmcount.families.rising import log_rising as rising
from glmcount.families.shares import four_tails
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, constant_jet, eta_jet, exp_jet, log_complement
from glmcount.numerics.special import log1p_gap, log1p_slope

__all__ = ["geometric", "negbin"]

# Below this log(1 + t) / t - 1 / (1 + t) would lose digits.
SMALL = 0.1
# Logarithms of alpha beyond which no digit tells of it, while its powers are finite.
TOLD = (-300.0, 100.0)
ALPHA = Equation("alpha", "Dispersion", "dispersion_", natural_exp, "log")


def _mean_parts(y: Array, eta: Array, alpha: Array) -> tuple[Array, Array, Array, Array, Array]:
    mu = np.exp(eta)
    t = alpha * mu
    share = 1.0 / (1.0 + t)
    first = (y - mu) * share
    second = -mu * (1.0 + alpha * y) * share * share
    return mu, t, share, first, second


def _logarithms(mu: Array, t: Array, share: Array) -> tuple[Array, Array, Array]:
    """log(1 + t), r log(1 + t) and log(1 + t) / t - 1 / (1 + t), the logarithm taken once.

    r log(1 + t) is mu log(1 + t) / t: no division by a vanishing alpha. Where t is small the
    quotient and the difference come from their series.
    """
    log1p = np.log1p(t)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = log1p / t
    slope = quotient - share
    small = np.flatnonzero(t < SMALL)
    if len(small):
        few = t[small]
        gap = log1p_gap(few)
        quotient[small] = 1.0 - gap
        # The second is half the first: a digit is not lost.
        slope[small] = few * share[small] - gap
    return log1p, mu * quotient, slope


def terms(y: Array, etas: Etas) -> Jet:
    """Jet in (log mu, log alpha)."""
    count, eta = y[0], etas[0]
    alpha = np.exp(np.clip(etas[1], *TOLD))
    mu, t, share, first, second = _mean_parts(count, eta, alpha)
    log1p, rest, slope = _logarithms(mu, t, share)
    pull = t * share
    large = any_large(count)
    small = np.minimum(count, LARGE) if large else count
    value, rise1, rise2 = rising(small, alpha)
    d_alpha = rise1 - small * pull + mu * slope
    d_alpha2 = rise2 - small * pull * share + mu * (pull * share - slope)
    value = value + small * (eta - log1p) - rest
    if large:
        value, d_alpha, d_alpha2 = patched(mixture, (value, d_alpha, d_alpha2), count, mu, alpha)
    cross = -first * pull
    return Jet(value, (first, d_alpha), ((second, cross), (cross, d_alpha2)))


def _fixed_terms(y: Array, etas: Etas, alpha: float) -> Jet:
    fixed = np.array([alpha])
    mu, t, share, first, second = _mean_parts(y[0], etas[0], fixed)
    log1p, rest, _ = _logarithms(mu, t, share)
    value = y[0] * (etas[0] - log1p) - rest
    if any_large(y[0]):
        (value,) = patched(lambda *of: (-mixed_entropy(*of),), (value,), y[0], mu, fixed)
    return Jet(value, (first,), ((second,),))


def _fixed_constant(y: Array, alpha: float) -> Array:
    spread = np.array([alpha])
    if not any_large(y[0]):
        return log_factorial_rest(y) + rising(y[0], spread)[0]
    rest = rising(np.minimum(y[0], LARGE), spread)[0]
    (rest,) = patched(lambda *of: (mixture_rest(*of),), (rest,), y[0], spread)
    return log_factorial_rest(y) + rest


def _binary(etas: Etas) -> tuple[Jet, Jet]:
    """Jets of log P(Y = 0) = -log(1 + alpha mu) / alpha and log P(Y > 0), mu of any size."""
    log_alpha = np.clip(etas[1], *TOLD)
    logit, r = np.broadcast_arrays(etas[0] + log_alpha, np.exp(-log_alpha))
    share, rest = scipy.special.expit(logit), scipy.special.expit(-logit)
    slope = r * (np.logaddexp(0.0, logit) - share)
    small = np.flatnonzero(logit < math.log(SMALL))
    if len(small):
        t = np.exp(logit[small])
        slope[small] = r[small] * t * log1p_slope(t)
    first, cross = -r * share, r * share * share
    none = Jet(
        first - slope,
        (first, slope),
        ((first * rest, cross), (cross, cross - slope)),
    )
    return none, log_complement(none)


def _moments(etas: Etas, alpha: float | None = None) -> tuple[Jet, Jet]:
    mean = exp_jet(eta_jet(etas, 0))
    spread = (
        exp_jet(eta_jet(etas, 1)) if alpha is None else constant_jet(np.array([alpha]), len(etas))
    )
    return mean, mean + spread * (mean * mean)


def _alpha(etas: Etas, alpha: float | None) -> Array:
    return np.exp(np.clip(etas[1], *TOLD)) if alpha is None else np.array([alpha])


def _expected(etas: Etas, alpha: float | None = None) -> Curvature:
    mu = np.exp(etas[0])
    mean = mu / (1.0 + _alpha(etas, alpha) * mu)
    # The log alpha entry has no closed expectation: the observed one stands in, which with
    # a zero cross term is what R's MASS::glm.nb reports.
    return ((mean,),) if alpha is not None else ((mean, np.zeros(1)), (np.zeros(1), None))


def _deviance(y: Array, etas: Etas, alpha: float | None = None) -> Array:
    mu, spread = np.exp(etas[0]), _alpha(etas, alpha)
    r, small = 1.0 / spread, np.minimum(y[0], LARGE)
    half = relative_entropy(small, mu) - relative_entropy(small + r, mu + r)
    if any_large(y[0]):
        (half,) = patched(lambda *of: (mixed_entropy(*of),), (half,), y[0], mu, spread)
    return 2.0 * half


def _tails(y: Array, etas: Etas, alpha: float | None = None) -> tuple[Array, Array, Array, Array]:
    spread = _alpha(etas, alpha)
    r, t = 1.0 / spread, spread * np.exp(etas[0])
    zero, more = 1.0 / (1.0 + t), t / (1.0 + t)
    inc, co = scipy.special.betainc, scipy.special.betaincc

    def shares(count: Array) -> tuple[Array, Array]:
        # By the share that is no more than a half, which alone has all its digits.
        own = np.broadcast_arrays(r, count + 1.0, zero, more)
        lower, upper = np.empty((2, own[0].size))
        for rows, few in ((own[2] < 0.5, True), (~(own[2] < 0.5), False)):
            if rows.any():
                a, b, x, z = (part[rows] for part in own)
                lower[rows] = inc(a, b, x) if few else co(b, a, z)
                upper[rows] = co(a, b, x) if few else inc(b, a, z)
        return lower, upper

    return four_tails(y[0], shares)


def _sample(rng: np.random.Generator, etas: Etas, alpha: float | None = None) -> Array:
    mu, spread = np.broadcast_arrays(np.exp(etas[0]), _alpha(etas, alpha))
    return poisson_draws(rng, mu * rng.gamma(1.0 / spread, spread))


def _pooled(rng: np.random.Generator, etas: Etas, w: Array, alpha: float | None = None) -> Array:
    # The Poisson's factors add up to a gamma variable of w times the shape.
    mu, spread, w = np.broadcast_arrays(np.exp(etas[0]), _alpha(etas, alpha), w)
    return poisson_draws(rng, mu * rng.gamma(w / spread, spread))


def _start(sums: StartSums) -> tuple[float, ...]:
    mean = sums.mean
    # By factors: of counts beyond 1e154 the squares overflow.
    excess = sums.square / sums.weight / mean / mean - 1.0 - 1.0 / mean
    return (*poisson.start(sums), math.log(max(excess, 0.01)) if math.isfinite(excess) else 0.0)


def _poisson_score(y: Array, etas: Etas) -> tuple[Array, Array]:
    mu = np.exp(etas[0])
    return 0.5 * ((y[0] - mu) ** 2 - y[0]), 0.5 * mu * mu


def _log_start(ratio: float) -> float:
    return math.log(max(ratio, 1e-6))


NO_DISPERSION = Limit(
    equation=1,
    name="alpha",
    value=0.0,
    family=poisson,
    score=_poisson_score,
    start=_log_start,
)

_estimated = register(
    Family(
        name="negbin",
        aliases=("nb2", "negativebinomial", "negative_binomial"),
        label="Negative binomial (NB2)",
        equations=(MEAN, ALPHA),
        terms=terms,
        constant=log_factorial_rest,
        moments=_moments,
        expected=_expected,
        deviance=_deviance,
        tails=_tails,
        sample=_sample,
        pooled=_pooled,
        start=_start,
        several=False,
        mean_equation=True,
        mean_log=True,
        binary=_binary,
        limits=(NO_DISPERSION,),
        typical=((-1.0, 2.0), (-2.0, 1.0)),
        recipe=named("negbin"),
    )
)


@recorded
def negbin(alpha: float | None = None) -> Family:
    """Negative binomial family, variance mu + alpha mu^2.

    Parameters
    ----------
    alpha : float, optional
        The dispersion, held at this value; None estimates it.

    Returns
    -------
    Family
        With predictors of the mean and, where alpha is estimated, of log alpha.

    Raises
    ------
    UsageError
        If alpha is not a positive number.

    Examples
    --------
    >>> from glmcount.families import negbin
    >>> negbin(alpha=0.5).label
    'Negative binomial (NB2, alpha = 0.5)'
    """
    if alpha is None:
        return _estimated
    advice = "family='poisson' is alpha = 0, family='negbin' estimates it."
    held = finite("alpha", alpha, advice, above=0.0)
    return _estimated.derived(
        name="negbin_fixed",
        aliases=(),
        label=f"Negative binomial (NB2, alpha = {held:g})",
        equations=(MEAN,),
        terms=partial(_fixed_terms, alpha=held),
        constant=partial(_fixed_constant, alpha=held),
        moments=partial(_moments, alpha=held),
        expected=partial(_expected, alpha=held),
        deviance=partial(_deviance, alpha=held),
        tails=partial(_tails, alpha=held),
        sample=partial(_sample, alpha=held),
        pooled=partial(_pooled, alpha=held),
        start=poisson.start,
        collapse="eta",
        curvature=1.0,
        concave_links=("log",),
        mean_equation=True,
        mean_log=True,
        typical=((-1.0, 2.0),),
    )


geometric = register(
    negbin(alpha=1.0).with_(
        name="geometric",
        aliases=("geom",),
        label="Geometric",
        recipe=named("geometric"),
    )
)
