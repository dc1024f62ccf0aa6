"""Sums of log(1 + alpha j): what rising factorials, and gamma functions of 1 / alpha, come to.

Digits are kept as alpha vanishes, where differences of gamma functions lose all of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy

from glmcount.numerics import Array
from glmcount.numerics.special import log1p_gap, log1p_slope

__all__ = [
    "DIGAMMA_SERIES",
    "LGAMMA_SERIES",
    "TRIGAMMA_SERIES",
    "even_series",
    "log_rising",
    "trigamma",
]


def trigamma(x: Array) -> Array:
    """Second derivative of log gamma, x > 0, to about 2e-15 relative.

    Ten steps of the recurrence, then the asymptotic series (Abramowitz & Stegun 6.4.12);
    scipy's polygamma(1, x) takes twenty times as long.
    """
    x = np.asarray(x, dtype=np.float64)
    total = np.zeros_like(x)
    for k in range(10):
        total += 1.0 / np.square(x + k)
    z = x + 10.0
    inverse = 1.0 / z
    return total + inverse + 0.5 * inverse**2 + even_series(inverse, TRIGAMMA_SERIES) * inverse


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
TRIGAMMA_SERIES = _BERNOULLI
DIGAMMA_SERIES = tuple(b / (2 * k) for k, b in enumerate(_BERNOULLI, 1))
LGAMMA_SERIES = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1))


def even_series(inverse: Array, coefficients: Sequence[float]) -> Array:
    """Sum over k >= 1 of c_k inverse^(2k)."""
    square = inverse * inverse
    out = np.full_like(square, coefficients[-1])
    for c in coefficients[-2::-1]:
        out *= square
        out += c
    return out * square


def log_rising(y: Array, alpha: Array) -> tuple[Array, Array, Array]:
    """L = sum_{j < y} log(1 + alpha j) and its two derivatives in log(alpha).

    It is lgamma(y + r) - lgamma(r) - y log(r) at r = 1 / alpha, continued to real y >= 0.
    That difference loses every digit as alpha -> 0; this does not.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Counts; need not be whole.
    alpha : ndarray, shape (n,) or (1,)

    Returns
    -------
    tuple of three ndarray, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> [float(part[0]) for part in log_rising(np.array([2.0]), np.array([1.0]))][1:]
    [0.5, 0.25]
    """
    if alpha.shape == (1,) and y.size:
        top = float(y.max())
        if top <= max(4096, y.size):
            whole = y.astype(np.intp)
            if np.array_equal(whole, y):
                table = _rising_table(float(alpha[0]), 1 << int(top + 1).bit_length())
                return table[0].take(whole), table[1].take(whole), table[2].take(whole)
    y, alpha = np.broadcast_arrays(y, alpha)
    runs = _rising_runs(y, alpha)
    if runs is not None:
        return runs
    spread = _rising_spread(y, alpha)
    if spread is not None:
        return spread
    out = np.empty((3, y.size))
    few = (y <= _SUMMED) & (alpha <= _SUMMED_ALPHA) & (y == np.floor(y))
    near_zero = ~few & (alpha <= 0.1)
    for rows, formula in (
        (few, _rising_sum),
        (near_zero, _rising_small),
        (~few & ~near_zero, _rising_plain),
    ):
        if rows.all():
            out[:] = formula(y, alpha)
        elif rows.any():
            out[:, rows] = formula(y[rows], alpha[rows])
    return out[0], out[1], out[2]


@lru_cache(maxsize=16)
def _rising_table(alpha: float, size: int) -> Array:
    # Extended precision where the machine has it: a running sum of thousands of terms
    # would otherwise give up two or three digits.
    step = np.longdouble(alpha) * np.arange(size, dtype=np.longdouble)
    terms = np.stack([np.log1p(step), step / (1 + step), step / (1 + step) ** 2])
    table = np.zeros((3, size + 1))
    table[:, 1:] = np.cumsum(terms, axis=1)
    return table


def _rising_runs(y: Array, alpha: Array) -> tuple[Array, Array, Array] | None:
    """The same from one table of sums for each run of rows that share alpha, if these are long."""
    starts = np.flatnonzero(alpha[1:] != alpha[:-1]) + 1
    top = float(y.item(y.argmax())) if y.size else 0.0
    if not (len(starts) + 1.0) * max(0.25 * top, _LEAST_RUN) <= y.size:
        return None
    whole = y.astype(np.intp)
    if (whole != y).any():
        return None
    own = alpha[np.concatenate(([0], starts))]
    # A sum of some hundred terms loses no more than its last digit.
    exact = np.float64 if top <= _SPREAD else np.longdouble
    step = own[:, None] * np.arange(top, dtype=exact)
    more = 1.0 + step
    share = step / more
    width = int(top) + 1
    table = np.zeros((3, len(own), width))
    for sums, terms in zip(table, (np.log1p(step), share, share / more), strict=True):
        np.cumsum(terms, axis=1, out=sums[:, 1:])
    at = whole
    if len(starts):
        code = np.zeros(y.size, dtype=np.intp)
        code[starts] = width
        at = code.cumsum() + whole
    value, first, second = table.reshape(3, -1)
    return value.take(at), first.take(at), second.take(at)


# Counts to spread, and terms of all rows together, of which a row itself is two: more ask the
# machine for new memory at every call.
_SPREAD = 256.0
_SPREAD_TERMS = 49_152


def _rising_spread(y: Array, alpha: Array) -> tuple[Array, Array, Array] | None:
    """Term by term, all rows at once, if these have few terms together.

    Of a hundred rows a sum costs what its calls cost, and these are as many as the largest count.
    """
    if (
        not y.size
        or not y.sum() + 2.0 * y.size <= _SPREAD_TERMS
        or not y.item(y.argmax()) <= _SPREAD
    ):
        return None
    whole = y.astype(np.intp)
    if (whole != y).any():
        return None
    # The terms of j = 1 to y - 1, the last one first, and of rows without any that of j = 0.
    last = np.maximum(whole - 1, 0)
    sizes = np.maximum(last, 1)
    ends = sizes.cumsum()
    starts = ends - sizes
    # Numbers all along: a product with integers would turn them piece by piece.
    step = (last + starts).astype(np.float64).repeat(sizes)
    step -= np.arange(float(ends[-1]))
    step *= alpha.repeat(sizes)
    more = 1.0 + step
    share = step / more
    first = np.add.reduceat(share, starts)
    share /= more
    second = np.add.reduceat(share, starts)
    return np.add.reduceat(np.log1p(step, out=step), starts), first, second


# The product of 64 factors 1 + 63 alpha must not overflow.
_SUMMED = 64.0
_SUMMED_ALPHA = 1e3
# Rows of a run from which a table of its own pays.
_LEAST_RUN = 16.0


def _rising_sum(y: Array, alpha: Array) -> Array:
    """Term by term for small whole counts; rows drop out, largest counts last."""
    count = y.astype(np.int8)
    order = np.argsort(-count, kind="stable")
    left = np.cumsum(np.bincount(count, minlength=1)[::-1])[::-1]
    sorted_alpha = alpha[order]
    # Products less one: all parts positive, so none cancels, and one logarithm a row.
    sums = np.zeros((3, y.size))
    for j in range(1, len(left) - 1):
        over, first, second = sums[:, : left[j + 1]]
        step = j * sorted_alpha[: left[j + 1]]
        share = 1.0 / (1.0 + step)
        over += step + step * over
        step *= share
        first += step
        step *= share
        second += step
    np.log1p(sums[0], out=sums[0])
    out = np.empty_like(sums)
    out[:, order] = sums
    return out


def _rising_small(y: Array, alpha: Array) -> Array:
    # Stirling's series for both gammas with their leading parts cancelled by hand.
    r, u = 1.0 / alpha, alpha * y
    top, low = 1.0 / (y + r), alpha
    gap, slope = log1p_gap(u), log1p_slope(u)
    share = u / (1.0 + u)
    tail0 = even_series(top, LGAMMA_SERIES) / top - even_series(low, LGAMMA_SERIES) / low
    tail1 = even_series(top, DIGAMMA_SERIES) - even_series(low, DIGAMMA_SERIES)
    tail2 = even_series(top, TRIGAMMA_SERIES) * top - even_series(low, TRIGAMMA_SERIES) * low
    log1p = np.log1p(u)
    value = (y - 0.5) * log1p - y * gap + tail0
    first = y * gap - 0.5 * share + r * tail1
    second = y * slope - 0.5 * share / (1.0 + u) - r * tail1 + r * r * tail2
    return np.stack([value, first, second])


def _rising_plain(y: Array, alpha: Array) -> Array:
    r = 1.0 / alpha
    digammas = r * (scipy.special.psi(y + r) - scipy.special.psi(r))
    trigammas = r * r * (trigamma(y + r) - trigamma(r))
    value = scipy.special.gammaln(y + r) - scipy.special.gammaln(r) + y * np.log(alpha)
    return np.stack([value, y - digammas, digammas + trigammas])
