"""Closed forms of cumulative probabilities, from both sides and in logarithms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.numerics import Array

__all__ = ["four_tails"]

# scipy's incomplete gamma and beta functions keep their digits up to here, and down to this
# share; beyond, the probabilities are added up.
CLOSED = 1e4
LEAST = 1e-290


def log_shares(count: Array, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Logarithms of F and S = 1 - F, each from the smaller; NaN where neither has its digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_lower = np.where(upper < 0.5, np.log1p(-upper), np.log(lower))
        log_upper = np.where(lower < 0.5, np.log1p(-lower), np.log(upper))
    good = (count <= CLOSED) & (np.minimum(lower, upper) > LEAST)
    return np.where(good, log_lower, np.nan), np.where(good, log_upper, np.nan)


def four_tails(
    count: Array, shares: Callable[[Array], tuple[Array, Array]]
) -> tuple[Array, Array, Array, Array]:
    """log F(y - 1), log F(y), log S(y - 1), log S(y), given F and S of counts of 0 or more."""
    before = np.maximum(count - 1.0, 0.0)
    below, above = log_shares(before, *shares(before))
    here, beyond = log_shares(count, *shares(count))
    some = count > 0
    return np.where(some, below, -np.inf), here, np.where(some, above, 0.0), beyond
