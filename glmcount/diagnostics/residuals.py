"""Residuals by row, for every family, from its moments, deviance and tails."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy

from glmcount.engine.weigh import Unweighed
from glmcount.errors import NotDefinedError
from glmcount.families.base import Family
from glmcount.families.distribution import tails
from glmcount.fitted import Fitted
from glmcount.fitting.sums import by_row
from glmcount.numerics import Array

__all__ = [
    "anscombe",
    "deviance",
    "mean",
    "pearson",
    "pearson_square",
    "quantile",
    "quantiles",
    "response",
    "unit_deviance",
    "working",
]


@lru_cache(maxsize=1)
def _nodes() -> tuple[Array, Array]:
    """Nodes and weights of Gauss-Legendre quadrature."""
    found: tuple[Array, Array] = np.polynomial.legendre.leggauss(64)
    return found


def mean(family: Family, rows: Unweighed) -> Array:
    """E[Y] by row."""
    return np.broadcast_to(family.moments(rows.etas)[0].value, (rows.y.shape[1],))


def _observed(family: Family, rows: Unweighed) -> tuple[Array, Array, Array]:
    """What is seen of a count, its mean and its variance."""
    if family.observed is not None:
        return family.observed(rows.y, rows.etas)
    centre, variance = family.moments(rows.etas)
    return rows.y[0], centre.value, variance.value


def response(family: Family, rows: Unweighed) -> Array:
    """y - mu; of a censored count, y up to its limit less the mean of that."""
    count, centre, _ = _observed(family, rows)
    return count - centre


def pearson_square(family: Family, rows: Unweighed) -> Array:
    """(y - mu)^2 / Var(Y)."""
    return np.square(pearson(family, rows))


def pearson(family: Family, rows: Unweighed) -> Array:
    """(y - mu) / sqrt(Var(Y)), at scale 1."""
    count, centre, variance = _observed(family, rows)
    gap = count - centre
    # A mean that has underflowed leaves nothing of its zeros, and no variance either.
    return np.where(gap == 0.0, 0.0, gap / np.sqrt(np.where(variance > 0.0, variance, 1.0)))


def _of_counts(family: Family, name: str) -> None:
    """Refuse a residual that knows counts only.

    Raises
    ------
    NotDefinedError
        If what is seen of a count may be its limit.
    """
    if family.observed is not None:
        raise NotDefinedError(
            f"{name} compares a count with its mean, and of a censored count only the limit is "
            "known. Use resid_pearson or resid_quantile, which know of the limit.",
            kind="censored",
        )


def unit_deviance(family: Family, rows: Unweighed) -> Array:
    """2 (saturated - fitted) by row.

    Raises
    ------
    NotDefinedError
        If the family has no saturated model.
    """
    if family.deviance is None:
        raise NotDefinedError(
            f"{family.label} has no saturated model, so no deviance; use llf, aic or pearson_chi2.",
            kind="no_deviance",
        )
    return np.maximum(family.deviance(rows.y, rows.etas), 0.0)


def deviance(family: Family, rows: Unweighed) -> Array:
    """sign(y - mu) sqrt(unit deviance)."""
    return np.sign(response(family, rows)) * np.sqrt(unit_deviance(family, rows))


def working(family: Family, rows: Unweighed) -> Array:
    """(y - mu) d eta / d mu, eta the linear predictor of the mean."""
    _of_counts(family, "resid_working")
    centre = family.moments(rows.etas)[0]
    slope = centre.d1[0]
    assert slope is not None
    gap, none = rows.y[0] - centre.value, slope == 0.0
    # Under a log link it is y / mu - 1, which is -1 for every zero.
    return np.where(none, -1.0 if family.mean_log else np.nan, gap / np.where(none, 1.0, slope))


def anscombe(family: Family, rows: Unweighed) -> Array:
    """integral from mu to y of V(t)^(-1/3) dt / V(mu)^(1/6) (Anscombe 1953; Hilbe 2011).

    By Gauss-Legendre in s = t^(1/6), in which the integrand is smooth at zero and its poles
    elsewhere are far; exact for the Poisson variance, to 1e-10 for others.
    """
    _of_counts(family, "resid_anscombe")
    if not (family.mean_log and family.mean_equation):
        raise NotDefinedError(
            f"resid_anscombe needs a variance that is a function of the mean, under a log link; "
            f"{family.title} has none.",
            kind="not_defined",
        )
    mu, y = mean(family, rows), rows.y[0]
    low, high = mu ** (1.0 / 6.0), y ** (1.0 / 6.0)
    half = 0.5 * (high - low)
    out = np.zeros_like(half)
    for node, weight in zip(*_nodes(), strict=True):
        s = np.maximum(low + half * (1.0 + node), 1e-50)
        t = s**6
        spread = family.moments((np.log(t), *rows.etas[1:]))[1].value
        out += weight * half * 6.0 * s**5 / np.cbrt(spread)
    variance = family.moments(rows.etas)[1].value
    return out / np.where(variance > 0.0, variance, 1.0) ** (1.0 / 6.0)


def quantile(family: Family, rows: Unweighed, uniform: Array) -> Array:
    """Randomised quantile residuals Phi^-1(u), u uniform on (F(y - 1), F(y)).

    Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5. Each residual
    is made on the side of its smaller tail, so that far tails keep their digits.

    Raises
    ------
    NotDefinedError
        If the family has no distribution function.
    """
    if not family.likelihood:
        raise NotDefinedError(
            f"{family.label} has no distribution function, so no quantile residuals.",
            kind="no_likelihood",
        )
    below, here, above, beyond = tails(family, rows.y, rows.etas)
    with np.errstate(divide="ignore"):
        lower = np.logaddexp(below + np.log1p(-uniform), here + np.log(uniform))
        upper = np.logaddexp(above + np.log1p(-uniform), beyond + np.log(uniform))
    left = lower < upper
    return np.where(left, scipy.special.ndtri_exp(lower), -scipy.special.ndtri_exp(upper))


def quantiles(state: Fitted, rng: np.random.Generator) -> Array:
    """Quantile residuals of all fitted rows; drawn once, so that strips do not matter."""
    uniform = rng.uniform(size=state.measured.n)
    sizes = state.rows.fold(lambda strip: [strip.n], lambda a, b: a + b)
    parts = np.split(uniform, np.cumsum(sizes)[:-1])
    family = state.fit.family
    return by_row(
        state.rows,
        state.fit,
        lambda strip, rows: quantile(family, rows, parts[strip.number]),
    )
