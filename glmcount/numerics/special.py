"""Special functions that lose no digits.

scipy.special takes as long to import as all of glmcount: it is found through scipy, which imports
it when the first of its functions is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
_SERIES_TERMS = 17


def _alternating(t: Array, coefficients: Sequence[float]) -> Array:
    out = np.full_like(t, coefficients[-1])
    for c in coefficients[-2::-1]:
        out *= -t
        out += c
    return out * t


_GAP = [1.0 / (k + 1) for k in range(1, _SERIES_TERMS + 1)]
_SLOPE = [k / (k + 1) for k in range(1, _SERIES_TERMS + 1)]


def _spliced(t: Array, direct: Callable[[Array], Array], series: Sequence[float]) -> Array:
    t = np.asarray(t, dtype=np.float64)
    small = t < _SERIES_BELOW
    if not small.any():
        return direct(t)
    if small.all():
        return _alternating(t, series)
    out = np.empty_like(t)
    out[small] = _alternating(t[small], series)
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
    return _spliced(t, lambda u: 1.0 - np.log1p(u) / u, _GAP)


def log1p_slope(t: Array) -> Array:
    """log(1 + t) / t - 1 / (1 + t) for t >= 0, without cancellation near 0.

    It is t times the derivative of `log1p_gap`.
    """
    return _spliced(t, lambda u: np.log1p(u) / u - 1.0 / (1.0 + u), _SLOPE)
