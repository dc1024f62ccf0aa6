"""Log-likelihoods of large counts, in parts of which none cancels another.

log y! and y log mu - mu are of the size y log y, and of their difference hardly a digit is
left where counts are large. Above a count the part of y alone, y log y - y, is therefore
taken from the one to the other (Loader 2000, Fast and accurate computation of binomial
probabilities):

    log f(y) = -D(y, mu) - [log y! - (y log y - y)],   D(y, m) = y log(y / m) - (y - m)

and likewise in the other families, each with its own D, which is 0 where the mean fits best.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from glmcount.families.rising import (
    DIGAMMA_SERIES,
    LGAMMA_SERIES,
    TRIGAMMA_SERIES,
    even_series,
    trigamma,
)
from glmcount.numerics import EPS, Array

__all__ = [
    "LARGE",
    "any_large",
    "entropy",
    "log_factorial",
    "log_factorial_rest",
    "mixed_entropy",
    "mixture",
    "mixture_rest",
    "patched",
    "relative_entropy",
]

# Counts up to which a difference of the plain parts keeps thirteen digits.
LARGE = 256.0
# Sizes from which Stirling's series has all digits.
SERIES = 10.0
# Shares of a gap from which on its logarithm loses no more than a digit.
CLOSE = 0.025
# 1 / alpha must not overflow.
LEAST = 1e-300


def any_large(count: Array) -> bool:
    """Whether any count is one of these."""
    # To look for the place and then there takes a third of the time of a reduction.
    return bool(count.size) and not count.item(count.argmax()) <= LARGE


def patched(
    formula: Callable[..., tuple[Array, ...]], plain: tuple[Array, ...], *parts: Array
) -> tuple[Array, ...]:
    """`plain`, with ``formula(*parts)`` in the rows of large counts, which come first in parts."""
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    rows = np.flatnonzero(np.broadcast_to(parts[0] > LARGE, shape))
    if len(rows) == shape[0]:
        return formula(*parts)
    found = formula(*(part if part.shape == (1,) else part[rows] for part in parts))
    out = tuple(np.array(np.broadcast_to(each, shape)) for each in plain)
    for whole, own in zip(out, found, strict=True):
        whole[rows] = own
    return out


def log1p_lack(x: Array) -> Array:
    """x - log(1 + x) for x > -1, without cancellation near 0.

    log(1 + x) is 2 artanh(v) with v = x / (2 + x), of which x - 2 v is x v.
    """
    close = np.abs(x) < 2.0 * CLOSE
    if not close.any():
        return x - np.log1p(x)
    v = x / (2.0 + x)
    near = v * (x - 2.0 * artanh_rest(v))
    return near if close.all() else np.where(close, near, x - np.log1p(x))


def artanh_rest(v: Array) -> Array:
    """artanh(v) / v - 1 of a small v."""
    square = v * v
    out = square * (1 / 11)
    for c in (1 / 9, 1 / 7, 1 / 5, 1 / 3):
        out += c
        out *= square
    return out


# Poisson ----------------------------------------------------------------------------------


def log_factorial(y: Array) -> Array:
    """-log y!, by a table where the counts are whole and not large."""
    count = y[0]
    top = float(count.max(initial=0.0))
    if top <= max(4096, count.size):
        whole = count.astype(np.intp)
        if np.array_equal(whole, count):
            return -scipy.special.gammaln(np.arange(1.0, top + 2.0))[whole]
    return -scipy.special.gammaln(count + 1.0)


def log_factorial_rest(y: Array) -> Array:
    """-log y!, of a large count without the part y log y - y."""
    count = y[0]
    if not any_large(count):
        return log_factorial(y)
    small = log_factorial(np.minimum(count, LARGE)[None])
    return patched(lambda large: (-_stirling(large),), (small,), count)[0]


def _stirling(y: Array) -> Array:
    """log y! - (y log y - y) of a large count."""
    return 0.5 * np.log(2.0 * np.pi * y) + _tail(y)


def _tail(z: Array) -> Array:
    """Stirling's series 1 / (12 z) - ..."""
    return even_series(1.0 / z, LGAMMA_SERIES) * z


def entropy(y: Array, m: Array, gap: Array) -> Array:
    """D(y, m) for y > 0 that is `gap` more than m.

    Near 0 by v = gap / (y + m), of which log(y / m) is 2 artanh(v) (Loader's bd0).
    """
    v = gap / (y + m)
    far = np.flatnonzero(np.abs(v) >= CLOSE)
    if len(far) == v.size:
        # Where y is nothing beside m, so is its logarithm's part.
        return y * np.log1p(np.maximum(gap / m, EPS - 1.0)) - gap
    out = v * (gap + 2.0 * y * artanh_rest(v))
    if len(far):
        own = (each if each.shape == (1,) else each[far] for each in (y, m, gap))
        out[far] = entropy(*own)
    return out


def relative_entropy(x: Array, m: Array) -> Array:
    """x log(x / m) - x + m for x >= 0, m > 0, without cancellation near x = m.

    Half the Poisson unit deviance (Loader's bd0).
    """
    x, m = np.broadcast_arrays(x, m)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        gap = (x - m) / m
    close = np.abs(gap) < 0.1
    out, zero = np.empty(x.shape), x == 0.0
    # Of a count of 0 the mean itself is left, be it as small as 0.
    out[zero] = m[zero]
    far = ~(close | zero)
    with np.errstate(divide="ignore", over="ignore"):
        out[far] = scipy.special.xlogy(x[far], x[far] / m[far]) - x[far] + m[far]
    d = gap[close]
    series, minus = np.full_like(d, 1.0 / (17 * 16)), -d
    for k in range(16, 1, -1):
        series *= minus
        series += 1.0 / (k * (k - 1))
    out[close] = m[close] * d * d * series
    return out


# Mixtures of Poissons by a gamma of variance alpha -----------------------------------------


def mixed_entropy(y: Array, mu: Array, alpha: Array) -> Array:
    """D(y, mu) - D(y + r, mu + r), r = 1 / alpha: half NB2's unit deviance, y > 0.

    Where alpha mu is large the two are nearly the same. With their logarithms written as
    log(1 + d) = d - lack(d), what is left of the parts d is a square of y - mu.
    """
    alpha = np.maximum(alpha, LEAST)
    r, t, gap = 1.0 / alpha, alpha * mu, y - mu
    near = np.broadcast_to(t < 1.0, np.broadcast_shapes(y.shape, mu.shape, alpha.shape))
    if near.all():
        return entropy(y, mu, gap) - entropy(y + r, mu + r, gap)
    share = 1.0 / (1.0 + t)
    d, z = np.maximum(gap / mu, EPS - 1.0), np.maximum(-share * gap / y, EPS - 1.0)
    wide = r * log1p_lack(d) + (y + r) * log1p_lack(z) + r * d * z
    if not near.any():
        return wide
    return np.where(near, entropy(y, mu, gap) - entropy(y + r, mu + r, gap), wide)


def _mixture_rest(y: Array, alpha: Array) -> tuple[Array, Array, Array]:
    """S(y + r) - S(r), S(z) = log Gamma(z) - (z log z - z), and two derivatives in log alpha."""
    alpha = np.maximum(alpha, LEAST)
    r, u = 1.0 / alpha, alpha * y
    high = y + r
    top = 1.0 / high
    low0, low1, low2 = _low(r, alpha)
    share = u / (1.0 + u)
    tail1 = even_series(top, DIGAMMA_SERIES) - low1
    tail2 = even_series(top, TRIGAMMA_SERIES) * top - low2
    return (
        -0.5 * np.log1p(u) + _tail(high) - low0,
        -0.5 * share + r * tail1,
        -0.5 * share / (1.0 + u) - r * tail1 + r * r * tail2,
    )


def _low(r: Array, alpha: Array) -> tuple[Array, Array, Array]:
    """Stirling's series of log gamma, digamma and trigamma at r, in full where r is small."""
    small = r < SERIES
    # NaN is not small, so that it comes back as NaN.
    if not small.any():
        return (
            _tail(r),
            even_series(alpha, DIGAMMA_SERIES),
            even_series(alpha, TRIGAMMA_SERIES) * alpha,
        )
    if small.all():
        log = np.log(r)
        return (
            scipy.special.gammaln(r) - r * log + r + 0.5 * np.log(r / (2.0 * np.pi)),
            log - 0.5 * alpha - scipy.special.psi(r),
            trigamma(r) - alpha - 0.5 * alpha * alpha,
        )
    out = np.empty((3, r.size))
    for rows in (small, ~small):
        out[:, rows] = _low(r[rows], alpha[rows])
    return out[0], out[1], out[2]


def mixture(y: Array, mu: Array, alpha: Array) -> tuple[Array, Array, Array]:
    """NB2's log-likelihood without that of y alone, and two derivatives in log alpha."""
    rest, first, second = _mixture_rest(y, alpha)
    alpha = np.maximum(alpha, LEAST)
    r, t, u = 1.0 / alpha, alpha * mu, alpha * y
    x = alpha * (y - mu) / (1.0 + t)
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = r * np.where(x < -0.5, x - np.log1p(u) + np.log1p(t), log1p_lack(x))
    return (
        rest - mixed_entropy(y, mu, alpha),
        first + bend,
        second - bend + r * x * x / (1.0 + u),
    )


def mixture_rest(y: Array, alpha: Array) -> Array:
    """What of the log-likelihood neither `mixed_entropy` nor that of y alone holds."""
    return _mixture_rest(y, alpha)[0]
