"""Conway-Maxwell-Poisson with its mean as the parameter, for counts of either dispersion.

log f(y) = y log lambda(mu, nu) - nu log y! - log Z(lambda, nu),  E[Y] = mu (Huang 2017,
Statistical Modelling 17). nu = 1 is Poisson, nu < 1 more variable, nu > 1 less; glmmTMB's
``compois`` reports 1 / nu. With V = Var Y and R = log Y! less its regression on Y, both
centred, the scores are

    dl/dmu = (y - mu) / V,    dl/dnu = -R(y),

which are uncorrelated: mean and shape are orthogonal.
"""

from __future__ import annotations

import math

import numpy as np

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
from glmcount.families.conway import MOST_SHAPE, Law, centred_log_factorial, law
from glmcount.families.negbin import geometric
from glmcount.families.poisson import MEAN, poisson
from glmcount.families.recipe import named
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, eta_jet, exp_jet
from glmcount.records import replace

__all__ = ["compoisson"]

IMPOSSIBLE = -1e15
NU = Equation("nu", "Dispersion (nu)", "dispersion_", natural_exp, "log")


def _natural(etas: Etas) -> tuple[Array, Array]:
    return np.exp(etas[0]), np.exp(etas[1])


def _log_mass(count: Array, nu: Array, of: Law) -> tuple[Array, Array]:
    """Log-probabilities and T(y)."""
    statistic = centred_log_factorial(count, of.centre)
    return (count - of.centre) * of.rho - nu * statistic - of.log_z, statistic


def _score_nu(count: Array, mu: Array, of: Law, statistic: Array) -> Array:
    return of.slope * (count - mu) - (statistic - of.mean_log)


def _terms(y: Array, etas: Etas) -> Jet:
    mu, nu = _natural(etas)
    count, of = y[0], law(mu, nu)
    value, statistic = _log_mass(count, nu, of)
    gap, v = count - mu, of.variance
    d_mu, d_nu = gap / v, _score_nu(count, mu, of, statistic)
    mu_mu = -(1.0 + gap * of.yyy / v**2) / v
    mu_nu = gap * of.yyr / v**2
    nu_nu = -of.residual - gap * of.yrr / v
    first = (mu * d_mu, nu * d_nu)
    cross = mu * nu * mu_nu
    second = (mu * mu * mu_mu + first[0], nu * nu * nu_nu + first[1])
    return Jet(value, first, ((second[0], cross), (cross, second[1])))


def _constant(y: Array) -> Array:
    # -nu log y! is no constant while nu is estimated.
    return np.zeros(y.shape[1])


def _moments(etas: Etas) -> tuple[Jet, Jet]:
    mu, nu = _natural(etas)
    of = law(mu, nu, fourth=True)
    v = of.variance
    d_mu, d_nu = of.yyy / v, -of.yyr
    mu_mu = (of.yyyy - of.yyy * d_mu) / v**2
    mu_nu = (of.yyy * of.yyr / v - of.yyyr) / v
    nu_nu = of.yyrr - of.yyy * of.yrr / v
    first = (mu * d_mu, nu * d_nu)
    cross = mu * nu * mu_nu
    second = (mu * mu * mu_mu + first[0], nu * nu * nu_nu + first[1])
    variance = Jet(v, first, ((second[0], cross), (cross, second[1])))
    return exp_jet(eta_jet(etas, 0)), variance


def _expected(etas: Etas) -> Curvature:
    mu, nu = _natural(etas)
    of = law(mu, nu)
    zero = np.zeros(1)
    return (mu * mu / of.variance, zero), (zero, nu * nu * of.residual)


def _deviance(y: Array, etas: Etas) -> Array:
    """Twice log f(y; y, nu) - log f(y; mu, nu), each without any large part to cancel."""
    mu, nu = _natural(etas)
    count = y[0]
    fitted, _ = _log_mass(count, nu, law(mu, nu))
    some = count > 0
    best, _ = _log_mass(count, nu, law(np.where(some, count, 1.0), nu))
    return 2.0 * (np.where(some, best, 0.0) - fitted)


def _sample(rng: np.random.Generator, etas: Etas) -> Array:
    """Exact draws by rejection, for log-concave probabilities (Devroye 1987, Computing 39)."""
    mu, nu = np.broadcast_arrays(*_natural(etas))
    of = law(mu, nu)
    # The most probable count: the largest y with lambda >= y^nu.
    with np.errstate(over="ignore"):
        mode = np.floor(np.maximum(of.centre, 1.0) * np.exp(of.rho / nu))
    top, _ = _log_mass(mode, nu, of)
    out = np.full(mu.shape, np.nan)
    left = np.flatnonzero(np.isfinite(top))
    while left.size:
        p = np.exp(top[left])
        w = 1.0 + 0.5 * p
        u, v, e = rng.random(left.size), rng.random(left.size), rng.exponential(size=left.size)
        y = np.where(u <= w / (1.0 + w), v * w, w + e) / p
        drawn = mode[left] + rng.choice((-1.0, 1.0), left.size) * np.rint(y)
        some = Law(*(getattr(of, name)[left] for name in Law.__annotations__))
        chance, _ = _log_mass(np.maximum(drawn, 0.0), nu[left], some)
        bound = np.log(rng.random(left.size)) + np.minimum(0.0, w - p * y)
        taken = (drawn >= 0) & (bound <= chance - top[left])
        out[left[taken]] = drawn[taken]
        left = left[~taken]
    return out


def _start(sums: StartSums) -> tuple[float, ...]:
    mean = sums.mean
    variance = max(sums.square / sums.weight - mean * mean, 1e-300)
    return (*poisson.start(sums), math.log(min(max(mean / variance, 0.05), 20.0)))


def _geometric_terms(y: Array, etas: Etas) -> Jet:
    jet = geometric.terms(y, etas)
    return replace(jet, value=jet.value + geometric.constant(y))


# The geometric with the part of y alone in its terms, as the family has it.
_GEOMETRIC = geometric.with_(terms=_geometric_terms, constant=_constant, collapse="value")


def _geometric_score(y: Array, etas: Etas) -> tuple[Array, Array]:
    mu = np.exp(etas[0])
    of = law(mu, np.zeros(1))
    return _score_nu(y[0], mu, of, centred_log_factorial(y[0], of.centre)), of.residual


def _two_terms(y: Array, etas: Etas) -> Jet:
    """Of the whole numbers around the mean alone: P(k + 1) = mu - k for k <= mu <= k + 1.

    Another count is impossible; its rows say so by a number that no sum of others makes up for.
    """
    count, mu = np.broadcast_arrays(y[0], np.exp(etas[0]))
    low = np.minimum(np.floor(mu), np.where(count == mu, count, np.inf))
    share = np.where(count > low, mu - low, low + 1.0 - mu)
    sign = np.where(count > low, 1.0, -1.0)
    possible = (count == low) | (count == low + 1.0)
    share = np.where(possible & (share > 0), share, 1.0)
    slope = np.where(possible, sign * mu / share, 0.0)
    value = np.where(possible, np.log(share), IMPOSSIBLE)
    return Jet(value, (slope,), ((slope - slope * slope,),))


def _two_moments(etas: Etas) -> tuple[Jet, Jet]:
    mean = exp_jet(eta_jet(etas, 0))
    over = mean.value - np.floor(mean.value)
    bend = 1.0 - 2.0 * over
    return mean, mean.chain(over * (1.0 - over), bend, np.full_like(bend, -2.0))


def _two_sample(rng: np.random.Generator, etas: Etas) -> Array:
    mu = np.exp(etas[0])
    return np.floor(mu) + (rng.random(mu.shape) < mu - np.floor(mu))


def _no_score(y: Array, etas: Etas) -> tuple[Array, Array]:
    # All derivatives in exp(-nu) are those of a mass that vanishes faster than any power.
    zero = np.zeros(y.shape[1])
    return zero, zero


_TWO = Family(
    name="two_points",
    aliases=(),
    label="a distribution on the whole numbers around the mean",
    equations=(MEAN,),
    terms=_two_terms,
    constant=_constant,
    moments=_two_moments,
    sample=_two_sample,
    start=poisson.start,
    mean_equation=True,
    mean_log=True,
)


def _log_start(ratio: float) -> float:
    # In log nu the log-likelihood is convex up to somewhere below 3 sqrt(ratio), whatever nu
    # and the means are, and concave beyond, from where Newton's method comes back.
    return math.log(3.0 * math.sqrt(max(ratio, 1e-6)))


_WIDE = Limit(
    equation=1,
    name="nu",
    value=0.0,
    family=_GEOMETRIC,
    score=_geometric_score,
    start=_log_start,
)
_NARROW = Limit(
    equation=1,
    name="nu",
    value=math.inf,
    family=_TWO,
    score=_no_score,
    start=lambda ratio: math.log(MOST_SHAPE),
    opens=False,
)

compoisson = register(
    Family(
        name="compoisson",
        aliases=("cmp", "com-poisson", "compois"),
        label="Conway-Maxwell-Poisson",
        proper=True,
        equations=(MEAN, NU),
        terms=_terms,
        constant=_constant,
        moments=_moments,
        expected=_expected,
        deviance=_deviance,
        sample=_sample,
        start=_start,
        mean_equation=True,
        mean_log=True,
        several=False,
        recipe=named("compoisson"),
        limits=(_WIDE, _NARROW),
        typical=((-1.0, 2.0), (-1.0, 1.0)),
    )
)
