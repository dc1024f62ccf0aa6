"""Poisson, and Poisson quasi-likelihood.

log f(y) = y eta - exp(eta) - log y!,  eta = log mu.
McCullagh & Nelder (1989), Generalized Linear Models, chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from glmcount.families.base import Curvature, Equation, Etas, Family, StartSums, register
from glmcount.numerics import Array, Jet, eta_jet, exp_jet

__all__ = [
    "entropy",
    "four_tails",
    "log_factorial",
    "log_poisson",
    "poisson",
    "poisson_draws",
    "quasipoisson",
    "relative_entropy",
    "stirling",
    "whole_form",
]

MEAN = Equation("mean")
# Counts below which the parts of a log-probability are no larger than the log-factorial.
FEW = 64.0
# scipy's incomplete gamma and beta functions keep their digits up to here, and down to this
# share; beyond, the probabilities are added up.
CLOSED = 1e4
LEAST = 1e-290
LARGE = 2.0**60


def terms(y: Array, etas: Etas) -> Jet:
    """y eta - mu, with derivatives y - mu and -mu."""
    count, eta = y[0], etas[0]
    mu = np.exp(eta)
    return Jet(count * eta - mu, (count - mu,), ((-mu,),))


def log_factorial(y: Array) -> Array:
    """-log y!, by a table where the counts are whole and not large."""
    count = y[0]
    top = float(count.max(initial=0.0))
    if top <= max(4096, count.size):
        whole = count.astype(np.intp)
        if np.array_equal(whole, count):
            return -scipy.special.gammaln(np.arange(1.0, top + 2.0))[whole]
    return -scipy.special.gammaln(count + 1.0)


def _moments(etas: Etas) -> tuple[Jet, Jet]:
    mean = exp_jet(eta_jet(etas, 0))
    return mean, mean


def _expected(etas: Etas) -> Curvature:
    return ((np.exp(etas[0]),),)


def relative_entropy(x: Array, m: Array) -> Array:
    """x log(x / m) - x + m for x >= 0, m > 0, without cancellation near x = m.

    Half the Poisson unit deviance (Loader's bd0).
    """
    x, m = np.broadcast_arrays(x, m)
    return entropy(x, m, (x - m) / m)


def entropy(x: Array, m: Array, gap: Array) -> Array:
    """The same, given the gap (x - m) / m, which has digits that x - m may have lost."""
    close = np.abs(gap) < 0.1
    out = np.empty(x.shape)
    far = ~close
    out[far] = scipy.special.xlogy(x[far], x[far] / m[far]) - x[far] + m[far]
    d = gap[close]
    series = np.full_like(d, 1.0 / (17 * 16))
    for k in range(16, 1, -1):
        series *= -d
        series += 1.0 / (k * (k - 1))
    out[close] = m[close] * d * d * series
    return out


def stirling(y: Array) -> Array:
    """log y! - (y log y - y)."""
    small = y < 16.0
    out = np.empty(y.shape)
    x = y[small]
    out[small] = scipy.special.gammaln(x + 1.0) - scipy.special.xlogy(x, x) + x
    x = y[~small]
    inverse = 1.0 / x
    z = inverse * inverse
    series = 1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z / 1188)))
    out[~small] = 0.5 * np.log(2.0 * np.pi * x) + inverse * series
    return out


def _deviance(y: Array, etas: Etas) -> Array:
    return 2.0 * relative_entropy(y[0], np.exp(etas[0]))


def _mass(y: Array, etas: Etas) -> Array:
    count, mu = y[0], np.exp(etas[0])
    small = terms(y, etas).value + log_factorial(y)
    return small if whole_form(y) else np.where(count < FEW, small, log_poisson(count, mu))


def whole_form(y: Array) -> bool:
    """Whether all counts are so few that `terms` and the constant do not cancel."""
    return bool(y[0].max(initial=0.0) < FEW)


def log_poisson(count: Array, mu: Array) -> Array:
    """log P(Y = count) for counts above zero, of which no part is larger than the whole."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return -relative_entropy(count, mu) - stirling(count)


def log_shares(count: Array, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Logarithms of F and S = 1 - F, each from the smaller; NaN where neither has its digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_lower = np.where(upper < 0.5, np.log1p(-upper), np.log(lower))
        log_upper = np.where(lower < 0.5, np.log1p(-lower), np.log(upper))
    good = (count <= CLOSED) & (np.minimum(lower, upper) > LEAST)
    return np.where(good, log_lower, np.nan), np.where(good, log_upper, np.nan)


def four_tails(
    count: Array, shares: Callable[[Array], tuple[Array, Array]]
) -> tuple[Array, Array, Array, Array]:
    """log F(y - 1), log F(y), log S(y - 1), log S(y), given F and S of counts of 0 or more."""
    before = np.maximum(count - 1.0, 0.0)
    below, above = log_shares(before, *shares(before))
    here, beyond = log_shares(count, *shares(count))
    some = count > 0
    return np.where(some, below, -np.inf), here, np.where(some, above, 0.0), beyond


def _tails(y: Array, etas: Etas) -> tuple[Array, Array, Array, Array]:
    mu = np.exp(etas[0])
    pdtr, pdtrc = scipy.special.pdtr, scipy.special.pdtrc
    return four_tails(y[0], lambda count: (pdtr(count, mu), pdtrc(count, mu)))


def poisson_draws(rng: np.random.Generator, mu: Array) -> Array:
    """Poisson counts of any finite mean; infinite where the mean is.

    Above 2^60, near the end of the generator's integers, a draw is Cornish and Fisher's
    normal one, mu + sqrt(mu) z + (z^2 - 1) / 6, whose distribution function is off by less
    than 1 / mu; numbers of that size are 256 and more apart.
    """
    large = mu > LARGE
    if not large.any():
        return rng.poisson(mu).astype(np.float64)
    out = rng.poisson(np.where(large, 1.0, mu)).astype(np.float64)
    m = mu[large]
    z = rng.standard_normal(m.size)
    with np.errstate(invalid="ignore"):
        drawn = np.rint(m + np.sqrt(m) * z + (z * z - 1.0) / 6.0)
    out[large] = np.where(np.isinf(m), m, drawn)
    return out


def _sample(rng: np.random.Generator, etas: Etas) -> Array:
    return poisson_draws(rng, np.exp(etas[0]))


def _pooled(rng: np.random.Generator, etas: Etas, w: Array) -> Array:
    return poisson_draws(rng, w * np.exp(etas[0]))


def _start(sums: StartSums) -> tuple[float, ...]:
    return (float(np.log(sums.response) - sums.log_exposure),)


poisson = register(
    Family(
        name="poisson",
        aliases=(),
        label="Poisson",
        equations=(MEAN,),
        terms=terms,
        constant=log_factorial,
        moments=_moments,
        expected=_expected,
        deviance=_deviance,
        mass=_mass,
        tails=_tails,
        sample=_sample,
        pooled=_pooled,
        start=_start,
        collapse="mean",
        curvature=1.0,
        wider="negbin",
    )
)

quasipoisson = register(
    poisson.with_(
        name="quasipoisson",
        aliases=("quasi-poisson", "quasi"),
        label="Quasi-Poisson",
        scale="pearson",
        likelihood=False,
        mass=None,
        tails=None,
        pooled=None,
        wider="",
    )
)
