"""Special functions that lose no digits.

scipy.special takes as long to import as all of glmcount: it is found through scipy, which imports
it when the first of its functions is called.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from glmcount.numerics import Array

__all__ = ["expit", "log1p_gap", "log1p_slope", "logit", "probit"]


def logit(share: Array) -> Array:
    """log(p / (1 - p))."""
    out: Array = scipy.special.logit(share)
    return out


def expit(eta: Array) -> Array:
    """1 / (1 + exp(-eta))."""
    out: Array = scipy.special.expit(eta)
    return out


def probit(share: Array) -> Array:
    """The normal quantile of a share."""
    out: Array = scipy.special.ndtri(share)
    return out


_SERIES_BELOW = 0.1
# 1/3, 1/5, ... of artanh(v) / v - 1 = v^2 / 3 + v^4 / 5 + ..., the last one first.
_ARTANH = [1.0 / (2 * k + 1) for k in range(6, 0, -1)]


def _gap_near(t: Array) -> Array:
    """1 - log(1 + t) / t of a small t: log(1 + t) is 2 artanh(v) with v = t / (2 + t)."""
    wide = 2.0 + t
    square = t / wide
    square *= square
    rest = square * _ARTANH[0]
    for c in _ARTANH[1:]:
        rest += c
        rest *= square
    rest *= -2.0
    rest += t
    rest /= wide
    return rest


def _slope_near(t: Array) -> Array:
    """log(1 + t) / t - 1 / (1 + t) of a small t, of which the two parts are t and t / 2."""
    slope: Array = t / (1.0 + t) - _gap_near(t)
    return slope


def _spliced(t: Array, direct: Callable[[Array], Array], near: Callable[[Array], Array]) -> Array:
    t = np.asarray(t, dtype=np.float64)
    small = t < _SERIES_BELOW
    if not small.any():
        return direct(t)
    if small.all():
        return near(t)
    out = np.empty_like(t)
    out[small] = near(t[small])
    out[~small] = direct(t[~small])
    return out


def log1p_gap(t: Array) -> Array:
    """1 - log(1 + t) / t for t >= 0, without cancellation near 0 (there t/2 - t^2/3 + ...).

    Examples
    --------
    >>> import numpy as np
    >>> float(log1p_gap(np.array([1e-20]))[0])
    5e-21
    """
    return _spliced(t, lambda u: 1.0 - np.log1p(u) / u, _gap_near)


def log1p_slope(t: Array) -> Array:
    """log(1 + t) / t - 1 / (1 + t) for t >= 0, without cancellation near 0.

    It is t times the derivative of `log1p_gap`.
    """
    return _spliced(t, lambda u: np.log1p(u) / u - 1.0 / (1.0 + u), _slope_near)
