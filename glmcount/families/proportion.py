"""What the mean's predictor moves: all of the mean in proportion, or the zeros too.

An exposure adds its logarithm to that predictor. That the mean is then so many times a rate holds
of some families and not of others, such as a hurdle's. It is asked of their derivatives, so that
links, zero parts and families of a user's own have nothing to declare.
"""

from __future__ import annotations

import numpy as np

from glmcount.families.base import Family
from glmcount.families.distribution import log_zero
from glmcount.numerics import Array

__all__ = ["proportional", "where_zeros_are"]

POINTS = 24
# Some means are sums of series.
SAME = 1e-6


def _points(family: Family) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.uniform(low, high, POINTS) for low, high in family.typical]


def proportional(family: Family) -> bool:
    """Whether the mean goes up in proportion to the exponential of the mean's predictor.

    Examples
    --------
    >>> from glmcount.families import hurdle, poisson, zero_inflated
    >>> proportional(zero_inflated(poisson)), proportional(hurdle(poisson))
    (True, False)
    """
    with np.errstate(all="ignore"):
        mean = family.moments(_points(family))[0]
    slope = mean.d1[0]
    return slope is not None and bool(np.allclose(slope, mean.value, rtol=SAME, atol=0.0))


def where_zeros_are(family: Family) -> tuple[int, ...]:
    """Equations on which P(Y = 0) depends; none of a family without a law, or without zeros.

    Examples
    --------
    >>> from glmcount.families import hurdle, poisson, zero_inflated
    >>> where_zeros_are(zero_inflated(poisson)), where_zeros_are(hurdle(poisson))
    ((0, 1), (1,))
    """
    if not family.likelihood or family.support[0] > 0:
        return ()
    with np.errstate(all="ignore"):
        slopes = log_zero(family, _points(family)).d1
    return tuple(k for k, slope in enumerate(slopes) if slope is not None and np.any(slope != 0.0))
