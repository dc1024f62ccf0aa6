"""Draws of Poisson counts of any mean."""

from __future__ import annotations

import numpy as np

from glmcount.numerics import Array

__all__ = ["poisson_draws"]

LARGE = 2.0**60


def poisson_draws(rng: np.random.Generator, mu: Array) -> Array:
    """Poisson counts of any finite mean; infinite where the mean is.

    Above 2^60, near the end of the generator's integers, a draw is Cornish and Fisher's
    normal one, mu + sqrt(mu) z + (z^2 - 1) / 6, whose distribution function is off by less
    than 1 / mu; numbers of that size are 256 and more apart.
    """
    large = mu > LARGE
    if not large.any():
        return rng.poisson(mu).astype(np.float64)
    out = rng.poisson(np.where(large, 1.0, mu)).astype(np.float64)
    m = mu[large]
    z = rng.standard_normal(m.size)
    with np.errstate(invalid="ignore"):
        drawn = np.rint(m + np.sqrt(m) * z + (z * z - 1.0) / 6.0)
    out[large] = np.where(np.isinf(m), m, drawn)
    return out
