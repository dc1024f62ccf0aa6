"""Poisson, and Poisson quasi-likelihood.

log f(y) = y eta - exp(eta) - log y!,  eta = log mu.
McCullagh & Nelder (1989), Generalized Linear Models, chapter 6.
"""

from __future__ import annotations

import numpy as np
import scipy

from glmcount.families.base import Curvature, Equation, Etas, Family, StartSums, register
from glmcount.families.draws import poisson_draws
from glmcount.families.shares import four_tails
from glmcount.families.whole import FEW, log_poisson, whole_form
from glmcount.numerics import Array, Jet, eta_jet, exp_jet

__all__ = ["log_factorial", "poisson", "quasipoisson", "relative_entropy"]

MEAN = Equation("mean")


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
    gap = (x - m) / m
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


def _deviance(y: Array, etas: Etas) -> Array:
    return 2.0 * relative_entropy(y[0], np.exp(etas[0]))


def _mass(y: Array, etas: Etas) -> Array:
    count, mu = y[0], np.exp(etas[0])
    small = terms(y, etas).value + log_factorial(y)
    return small if whole_form(y) else np.where(count < FEW, small, log_poisson(count, mu))


def _tails(y: Array, etas: Etas) -> tuple[Array, Array, Array, Array]:
    mu = np.exp(etas[0])
    pdtr, pdtrc = scipy.special.pdtr, scipy.special.pdtrc
    return four_tails(y[0], lambda count: (pdtr(count, mu), pdtrc(count, mu)))


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
