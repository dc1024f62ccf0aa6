"""Tails of sums of weighted chi-squared variables."""

from __future__ import annotations

import numpy as np

from glmcount.numerics import Array

__all__ = ["mixture_tail"]

STEP, DECAY = 0.01, 42.0
# Of the largest weight: one below it moves no digit that is told.
NOTHING = 1e-12


def mixture_tail(x: float, weights: Array) -> float:
    """P(sum_j w_j C_j > x), C_j independent chi-squared variables with one degree of freedom.

    With K(s) = -1/2 sum log(1 - 2 w_j s) it is the integral of exp(K(s) - s x) / (2 pi i s) on a
    way that crosses the real line at 0 < c < 1 / (2 max w) and leaves the cut beyond to its
    right (Rice 1980, SIAM Journal on Scientific and Statistical Computing 1). Along a parabola
    through the saddle the integrand falls as a normal density, so that the trapezoidal rule gives
    ten digits and more, of small tails too.

    Parameters
    ----------
    x : float
    weights : ndarray, shape (m,)
        None negative.

    Examples
    --------
    >>> bool(abs(mixture_tail(2.0, np.array([1.0, 1.0])) - np.exp(-1.0)) < 1e-12)
    True
    """
    most = float(weights.max(initial=0.0))
    if not x > 0.0:
        return 1.0
    if most == 0.0:
        return 0.0
    own, x = weights[weights > NOTHING * most] / most, x / most
    low, high = 0.0, 0.5
    for _ in range(60):
        c = 0.5 * (low + high)
        slope = float((own / (1.0 - 2.0 * own * c)).sum()) - x - 1.0 / c
        low, high = (low, c) if slope > 0.0 else (c, high)
    bend = float((2.0 * np.square(own / (1.0 - 2.0 * own * c))).sum()) + 1.0 / c**2
    a = 1.0 / np.sqrt(bend)
    b = min(0.5 / x, 0.5 * a)
    # Steps that grow where a small x lets the integrand fall slowly.
    v = np.arange(0.0, np.arcsinh(np.sqrt(DECAY / (x * b))) + STEP, STEP)
    w = np.sinh(v)
    s = c + 1j * a * w + b * w * w
    exponent = -0.5 * np.log(1.0 - 2.0 * np.multiply.outer(own, s)).sum(axis=0) - s * x
    values = (np.exp(exponent) / s * (a - 2j * b * w)).real * np.cosh(v)
    return float(min((values.sum() - 0.5 * values[0]) * STEP / np.pi, 1.0))
