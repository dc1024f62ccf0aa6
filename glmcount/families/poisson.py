"""Poisson, and Poisson quasi-likelihood.

log f(y) = y eta - exp(eta) - log y!,  eta = log mu.
McCullagh & Nelder (1989), Generalized Linear Models, chapter 6.
"""

from __future__ import annotations

import numpy as np
import scipy

from glmcount.families.base import Curvature, Equation, Etas, Family, StartSums, register
from glmcount.families.draws import poisson_draws
from glmcount.families.large import (
    any_large,
    entropy,
    log_factorial_rest,
    patched,
    relative_entropy,
)
from glmcount.families.recipe import named
from glmcount.families.shares import four_tails
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet

__all__ = ["poisson", "quasipoisson"]

MEAN = Equation("mean")


def terms(y: Array, etas: Etas) -> Jet:
    """y eta - mu, of a large count less y log y - y, with derivatives y - mu and -mu."""
    count, eta = y[0], etas[0]
    mu = np.exp(eta)
    gap = count - mu
    value = count * eta - mu
    if any_large(count):
        (value,) = patched(_large, (value,), count, mu, gap)
    return Jet(value, (gap,), ((-mu,),))


def _large(y: Array, mu: Array, gap: Array) -> tuple[Array]:
    return (-entropy(y, mu, gap),)


def _moments(etas: Etas) -> tuple[Jet, Jet]:
    # Under the log link the mean is its own derivative.
    mu = np.exp(etas[0])
    mean = Jet(mu, (mu,), ((mu,),))
    return mean, mean


def _expected(etas: Etas) -> Curvature:
    return ((np.exp(etas[0]),),)


def _deviance(y: Array, etas: Etas) -> Array:
    return 2.0 * relative_entropy(y[0], np.exp(etas[0]))


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
        proper=True,
        equations=(MEAN,),
        terms=terms,
        constant=log_factorial_rest,
        moments=_moments,
        expected=_expected,
        deviance=_deviance,
        tails=_tails,
        sample=_sample,
        pooled=_pooled,
        start=_start,
        collapse="mean",
        canonical=True,
        curvature=1.0,
        concave_links=("log", "identity", "sqrt"),
        mean_equation=True,
        mean_log=True,
        wider="negbin",
        recipe=named("poisson"),
    )
)

quasipoisson = register(
    poisson.with_(
        name="quasipoisson",
        aliases=("quasi-poisson",),
        label="Quasi-Poisson",
        proper=False,
        scale="pearson",
        likelihood=False,
        tails=None,
        pooled=None,
        wider="",
        recipe=named("quasipoisson"),
    )
)
