"""Tails of the normal, Student and chi-squared laws, from the small side: 1e-300 is 1e-300."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from glmcount.numerics import Array

__all__ = [
    "chi2_tail",
    "normal_above",
    "normal_quantile",
    "normal_tail",
    "student_above",
    "student_quantile",
    "student_tail",
]


def normal_tail(z: Array) -> Array:
    """Two-sided normal p-value, P(|Z| > |z|)."""
    return scipy.special.erfc(np.abs(z) / np.sqrt(2.0))


def student_tail(t: Array, df: float | Array) -> Array:
    """Two-sided Student p-value."""
    return 2.0 * scipy.special.stdtr(df, -np.abs(t))


def normal_above(z: float) -> float:
    """Upper tail of the normal distribution, P(Z > z)."""
    return float(scipy.special.ndtr(-z))


def student_above(t: float, df: float) -> float:
    """Upper tail of Student's distribution, P(T > t)."""
    return float(scipy.special.stdtr(df, -t))


def chi2_tail(x: float, df: float) -> float:
    """Upper tail of the chi-squared distribution, P(X > x)."""
    return float(scipy.special.chdtrc(df, max(x, 0.0))) if df > 0 else 1.0


def normal_quantile(alpha: float) -> float:
    """z with P(|Z| > z) = alpha."""
    return float(-scipy.special.ndtri(alpha / 2.0))


def student_quantile(alpha: float, df: float | Array) -> Any:
    """t with P(|T| > t) = alpha."""
    return -scipy.special.stdtrit(df, alpha / 2.0)
