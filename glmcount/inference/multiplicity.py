"""P-values and intervals of several tests, adjusted for there being several.

Holm (1979), Bonferroni and Sidak (1967) hold the chance of any false rejection whatever the
correlation (Sidak's of normal statistics), "single-step" holds it exactly by their joint law
(Hothorn, Bretz & Westfall 2008, Biometrical Journal 50), "fdr" the expected share of false ones
among the rejections (Benjamini & Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glmcount.inference.intervals import width
from glmcount.inference.together import Largest
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["ADJUSTMENTS", "SINGLE_STEP", "Adjusted", "adjusted"]


@dataclass(frozen=True)
class Adjusted:
    """P-values of several tests, and how wide their intervals are.

    Parameters
    ----------
    pvalues : ndarray, shape (m,)
    width : float or ndarray
        Standard errors on each side of an interval.
    intervals : str
        Of which kind the intervals are.
    error : float
        Largest standard error of an integration among the p-values; 0 where there was none.
    """

    pvalues: Array
    width: float | Array
    intervals: str
    error: float = 0.0


Plain = Callable[[Array, float], tuple[Array, float, str]]


def _none(p: Array, alpha: float) -> tuple[Array, float, str]:
    return p, alpha, "unadjusted"


def _bonferroni(p: Array, alpha: float) -> tuple[Array, float, str]:
    return np.minimum(len(p) * p, 1.0), alpha / len(p), "Bonferroni"


def _sidak(p: Array, alpha: float) -> tuple[Array, float, str]:
    with np.errstate(divide="ignore"):
        own = -np.expm1(len(p) * np.log1p(-p))
    return own, float(-np.expm1(np.log1p(-alpha) / len(p))), "Sidak"


def _holm(p: Array, alpha: float) -> tuple[Array, float, str]:
    order = np.argsort(p, kind="stable")
    out = np.empty_like(p)
    steps = np.arange(len(p), 0, -1) * p[order]
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    # Steps have no intervals of their own; Bonferroni's hold together at the same level.
    return out, alpha / len(p), "Bonferroni"


def _fdr(p: Array, alpha: float) -> tuple[Array, float, str]:
    order = np.argsort(-p, kind="stable")
    out, m = np.empty_like(p), len(p)
    steps = m / np.arange(m, 0, -1) * p[order]
    out[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    # Of those selected a share alpha is missed at most; an interval leaves out 0 where its
    # contrast is selected (Benjamini & Yekutieli 2005, JASA 100).
    selected = max(int((out <= alpha).sum()), 1)
    return out, alpha * selected / m, "false coverage rate"


PLAIN: dict[str, Plain] = {
    "none": _none,
    "holm": _holm,
    "bonferroni": _bonferroni,
    "sidak": _sidak,
    "fdr": _fdr,
}
SINGLE_STEP = "single-step"
ADJUSTMENTS = ("none", "holm", "bonferroni", "sidak", SINGLE_STEP, "fdr")


def adjusted(
    name: str,
    statistics: Array,
    pvalues: Array,
    law: Callable[[NDArray[np.intp]], Largest],
    alpha: float,
    df: float | Array | None,
) -> Adjusted:
    """P-values adjusted for there being several, and intervals that agree with them.

    Parameters
    ----------
    name : str
        One of `ADJUSTMENTS`.
    statistics, pvalues : ndarray, shape (m,)
        Of each test alone; NaN where there is none, which then does not count.
    law : callable
        Of some of the tests, by their places, the law of the largest.
    alpha : float
    df : float, ndarray of shape (m,), or None
        Of Student's t.
    """
    there = np.isfinite(pvalues)
    reach = width(alpha, df)
    out = pvalues.copy()
    if not there.any():
        return Adjusted(out, reach, "unadjusted")
    if name == SINGLE_STEP:
        return _together(statistics, out, law, alpha)
    out[there], level, intervals = PLAIN[name](pvalues[there], alpha)
    return Adjusted(out, width(level, df), intervals)


def _together(
    statistics: Array, pvalues: Array, law: Callable[[NDArray[np.intp]], Largest], alpha: float
) -> Adjusted:
    there = np.flatnonzero(np.isfinite(pvalues))
    own = law(there)
    found = [own.tail(value) for value in statistics[there].tolist()]
    alone, count = pvalues[there], len(there)
    tails = np.array([tail for tail, _ in found])
    # Between that of one test and the sum over all, whatever the integration's error.
    pvalues[there] = np.minimum(np.clip(tails, alone, count * alone), 1.0)
    error = max(error for _, error in found)
    return Adjusted(pvalues, own.quantile(alpha), "simultaneous", error)
