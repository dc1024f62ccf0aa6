"""Probabilities of large counts of a Poisson mixed by an inverse Gaussian, as integrals.

With u the logarithm of the factor z that multiplies the mean, and lambda = 1 / alpha,

    f(y) = integral of exp h(u) du
    h(u) = log Poisson(y; mu e^u) + log(lambda / 2 pi) / 2 - u / 2 - 2 lambda sinh(u / 2)^2

h is concave, and has its top where a quadratic in z is zero. From 64 counts on it is
narrow, as exp h is in the complex plane, so that 47 points half a standard deviation apart add
it up to rounding (the trapezoidal rule; Trefethen & Weideman 2014, SIAM Review 56). The cost
does not depend on the count.
"""

from __future__ import annotations

import numpy as np

from glmcount.families.whole import entropy, stirling
from glmcount.numerics import Array

__all__ = ["log_mixture"]

STEP = 0.5
REACH = 23
# From here to zero exp(d) - 1 - d is its series.
NEAR = 1e-3


def _bend(d: Array) -> Array:
    """exp(d) - 1 - d."""
    series = 0.5 * d * d * (1.0 + d / 3.0 * (1.0 + d / 4.0 * (1.0 + d / 5.0)))
    return np.where(np.abs(d) < NEAR, series, np.expm1(d) - d)


def log_mixture(count: Array, mu: Array, alpha: Array) -> Array:
    """log P(Y = count) for counts of 64 or more.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones(1)
    >>> float(np.exp(log_mixture(100.0 * one, 100.0 * one, 1e-12 * one))[0].round(10))
    0.0398609963
    """
    count, mu, shape = np.broadcast_arrays(count, mu, 1.0 / alpha)
    # h' = 0 is a quadratic in z, and another in z - 1, of one discriminant.
    pull, spread = count - 0.5, 2.0 * mu + shape
    slope, root = spread - pull, np.sqrt(pull * pull + spread * shape)
    z, below = (pull + root) / spread, np.maximum(slope, 0.0)
    excess = np.where(slope > 0, 2.0 * (pull - mu) / (below + root), z - 1.0)
    u = np.where(np.abs(excess) < 0.5, np.log1p(np.maximum(excess, -0.5)), np.log(z))
    rate, small = mu * z, np.sinh(0.5 * u)
    # At the top y - rate is 1/2 + lambda sinh(u). The parts of h are all negative there.
    top = -entropy(count, rate, (0.5 + shape * np.sinh(u)) / rate) - stirling(count)
    top += 0.5 * (np.log(shape) - np.log(2.0 * np.pi) - u) - 2.0 * shape * small * small
    up, down = 0.5 * shape * z, 0.5 * shape / z
    deviation = 1.0 / np.sqrt(rate + up + down)
    total = np.zeros(count.shape)
    for k in range(-REACH, REACH + 1):
        d = STEP * k * deviation
        total += np.exp(-(rate + up) * _bend(d) - down * _bend(-d))
    return top + np.log(STEP * deviation * total)
