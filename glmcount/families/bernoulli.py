"""Bernoulli: a count that is 0 or 1. By itself a model, and the zero part of others.

log f(y) = y z - log(1 + exp(z)), z = logit P(Y = 1); probit and complementary log-log by
links. McCullagh & Nelder (1989), Generalized Linear Models, chapter 4.
"""

from __future__ import annotations

import numpy as np
import scipy

from glmcount.families.base import Curvature, Equation, Etas, Family, Flat, StartSums, register
from glmcount.families.recipe import named
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, eta_jet
from glmcount.numerics.special import expit, logit

__all__ = ["bernoulli"]


def _softplus(z: Array) -> Array:
    # Half the time of scipy's log_expit, and as exact.
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _parts(z: Array) -> tuple[Array, Array, Array]:
    """P(Y = 1), P(Y = 0) and log(1 + exp(-|z|)), each from its own side."""
    small = np.exp(-np.abs(z))
    near = 1.0 / (1.0 + small)
    far = small * near
    up = z > 0
    return np.where(up, near, far), np.where(up, far, near), np.log1p(small)


def terms(y: Array, etas: Etas) -> Jet:
    """y z - log(1 + exp(z)); minus infinity where y is neither 0 nor 1."""
    z = etas[0]
    share, rest, more = _parts(z)
    some = y[0] > 0
    value = np.minimum(np.where(some, z, -z), 0.0) - more
    if y.max(initial=0.0) > 1.0:
        value = np.where(y[0] > 1.0, -np.inf, value)
    return Jet(value, (np.where(some, rest, -share),), ((-share * rest,),))


def _binary(etas: Etas) -> tuple[Jet, Jet]:
    share, rest, more = _parts(etas[0])
    spread = ((-share * rest,),)
    return (
        Jet(np.minimum(-etas[0], 0.0) - more, (-share,), spread),
        Jet(np.minimum(etas[0], 0.0) - more, (rest,), spread),
    )


def _moments(etas: Etas) -> tuple[Jet, Jet]:
    share, rest = expit(etas[0]), expit(-etas[0])
    spread, skew = share * rest, rest - share
    eta = eta_jet(etas, 0)
    return (
        eta.chain(share, spread, spread * skew),
        eta.chain(spread, spread * skew, spread * (1.0 - 6.0 * spread)),
    )


def _expected(etas: Etas) -> Curvature:
    return ((expit(etas[0]) * expit(-etas[0]),),)


def _deviance(y: Array, etas: Etas) -> Array:
    # The saturated log-likelihood is 0.
    return 2.0 * _softplus(np.where(y[0] > 0, -etas[0], etas[0]))


def _tails(y: Array, etas: Etas) -> tuple[Array, Array, Array, Array]:
    none, one = scipy.special.log_expit(-etas[0]), scipy.special.log_expit(etas[0])
    count = y[0]
    nothing, sure = np.full(1, -np.inf), np.zeros(1)
    return (
        np.where(count > 1, sure, np.where(count > 0, none, nothing)),
        np.where(count > 0, sure, none),
        np.where(count > 1, nothing, np.where(count > 0, one, sure)),
        np.where(count > 0, nothing, one),
    )


def _sample(rng: np.random.Generator, etas: Etas) -> Array:
    return (rng.uniform(size=etas[0].shape) < expit(etas[0])).astype(np.float64)


def _start(sums: StartSums) -> tuple[float, ...]:
    share = min(max(sums.mean, 1e-3), 1.0 - 1e-3)
    return (float(scipy.special.logit(share)) - sums.offset / sums.weight,)


def _flat(y: Array) -> Flat:
    return ((y[0] == 0, y[0] > 0),)


bernoulli = register(
    Family(
        name="bernoulli",
        aliases=("binomial", "binary"),
        label="Bernoulli",
        proper=True,
        equations=(Equation("mean"),),
        terms=terms,
        constant=lambda y: np.zeros(y.shape[1]),
        moments=_moments,
        expected=_expected,
        deviance=_deviance,
        tails=_tails,
        sample=_sample,
        start=_start,
        canonical=True,
        curvature=1.0,
        concave_links=("logit", "probit", "cloglog"),
        mean_equation=True,
        link="logit",
        lift=logit,
        support=(0.0, 1.0),
        flat=_flat,
        domain="logit",
        binary=_binary,
        recipe=named("bernoulli"),
    )
)
