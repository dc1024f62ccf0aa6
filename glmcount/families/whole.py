"""Whole log-probabilities of large counts, in parts of which none cancels another.

log f(y) = -D(y, mu) - [log y! - (y log y - y)],   D(y, m) = y log(y / m) - y + m

(Loader 2000, Fast and accurate computation of binomial probabilities), and likewise in other
families.
"""

from __future__ import annotations

import numpy as np
import scipy

from glmcount.numerics import Array

__all__ = ["FEW", "entropy", "log_poisson", "stirling", "whole_form"]

# Counts below which the parts of a log-probability are no larger than the log-factorial.
FEW = 64.0


def whole_form(y: Array) -> bool:
    """Whether all counts are so few that `terms` and the constant do not cancel."""
    return bool(y[0].max(initial=0.0) < FEW)


def entropy(x: Array, m: Array, gap: Array) -> Array:
    """x log(x / m) - x + m, given the gap (x - m) / m, which has digits that x - m may lose."""
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


def log_poisson(count: Array, mu: Array) -> Array:
    """log P(Y = count) for counts above zero, of which no part is larger than the whole."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return -_relative_entropy(count, mu) - stirling(count)


def _relative_entropy(count: Array, mu: Array) -> Array:
    count, mu = np.broadcast_arrays(count, mu)
    return np.where(np.isinf(mu), np.inf, entropy(count, mu, (count - mu) / mu))
