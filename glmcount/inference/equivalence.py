"""Tests of equivalence: that an effect is too small to matter.

Two one-sided tests (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15): with
an estimate b and its standard error s, equivalence is concluded where both (b - low) / s and
(high - b) / s are large; p is the larger of the two one-sided p-values, and at most alpha just
where the interval of level 1 - 2 alpha lies within the bounds.
"""

from __future__ import annotations

import numpy as np

from glmcount.allowed import real
from glmcount.errors import NotDefinedError, UsageError
from glmcount.inference.tests import Tested, TestResult, single
from glmcount.numerics import Array
from glmcount.numerics.tails import normal_above, normal_quantile, student_above, student_quantile

__all__ = ["bounds_of", "doubt_of", "equivalence"]


def bounds_of(low: object, high: object, exponentiate: bool) -> tuple[float, float]:
    """The bounds on the scale of coefficients.

    Raises
    ------
    UsageError
        If they are no bounds, or a ratio is not above 0.
    """
    what = "a number" if not exponentiate else "a ratio above 0"
    least = 0.0 if exponentiate else -np.inf
    first = real("low", low, what, "bounds", above=least)
    last = real("high", high, what, "bounds", above=least)
    if not -np.inf < first < last < np.inf:
        raise UsageError(
            f"low={first:g} and high={last:g} are no bounds: low must be below high, and both "
            "finite.",
            kind="bounds",
        )
    return (float(np.log(first)), float(np.log(last))) if exponentiate else (first, last)


def doubt_of(low: float, high: float, as_ratio: bool, has_ratio: bool) -> str:
    """What is said of bounds on one side of no effect; nothing where that lies between them.

    Parameters
    ----------
    low, high : float
        As they were given.
    as_ratio : bool
        Whether these are ratios.
    has_ratio : bool
        Whether exp of the coefficient is one.

    Examples
    --------
    >>> doubt_of(0.8, 1.25, True, True)
    ''
    """
    none = 1.0 if as_ratio else 0.0
    if low < none < high:
        return ""
    told = f"low={low:g} and high={high:g} are on one side of {none:g}"
    if as_ratio:
        return (
            f"{told}, the ratio of no effect: equivalence is an effect near it. Ratios are such as "
            "low=0.8, high=1.25."
        )
    told = f"{told}: they are bounds of the coefficient, which is 0 where there is no effect."
    if has_ratio and 0.0 < low < 1.0 < high:
        return (
            f"{told} For bounds of the ratio write low={low:g}, high={high:g}, exponentiate=True."
        )
    return f"{told} Bounds are such as low=-0.2, high=0.2."


def equivalence(
    about: Tested, row: Array, bounds: tuple[float, float], name: str, alpha: float, ratio: bool
) -> TestResult:
    """Whether a combination of coefficients lies between two bounds.

    Parameters
    ----------
    about : Tested
    row : ndarray, shape (k,)
    bounds : tuple of float
        On the scale of coefficients.
    name : str
        Of the combination.
    alpha : float
        Of each one-sided test; the interval told is of level 1 - 2 alpha.
    ratio : bool
        Whether exp of estimate and interval are told.

    Raises
    ------
    NotDefinedError
        If it is infinite, has no standard error, or is on a natural scale.
    """
    if about.found.natural[row != 0.0].any():
        raise NotDefinedError(
            f"{name} is on its natural scale, on which it is not nearly normal. Look at the ends "
            "of its interval, r.conf_int(), at twice the alpha.",
            kind="no_equivalence",
        )
    _, (b,), (error,), *_ = single(about, row[None], np.zeros(1), alpha, name)
    if not (np.isfinite(b) and error > 0.0 and np.isfinite(error)):
        raise NotDefinedError(
            f"{name} is infinite, or has no standard error: it cannot be told to lie within "
            "bounds.",
            kind="no_equivalence",
        )
    above, below = (b - bounds[0]) / error, (bounds[1] - b) / error
    least = float(min(above, below))
    own = about.each_df(row[None])
    df = None if own is None else np.ravel(own)[0].item()
    level = 2.0 * alpha
    reach = normal_quantile(level) if df is None else student_quantile(level, df)
    ends = np.array([b, b - reach * error, b + reach * error])
    estimate, low, high = (np.exp(ends) if ratio else ends).tolist()
    shown = tuple(np.exp(bounds)) if ratio else bounds
    told = f"exp({name})" if ratio else name
    return TestResult(
        least,
        normal_above(least) if df is None else student_above(least, df),
        1 if df is None else int(df) if df == int(df) else df,
        "normal" if df is None else "t",
        f"{told} <= {shown[0]:g} or {told} >= {shown[1]:g}",
        title="Equivalence test (TOST)",
        estimate=estimate,
        conf_int=(low, high),
        note=f"interval of level {1.0 - level:g}",
    )
