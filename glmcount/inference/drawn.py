"""Intervals of the draws of a bootstrap: percentile, BCa, studentised."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from glmcount.allowed import choice
from glmcount.errors import NotDefinedError, UsageError
from glmcount.families.base import Family
from glmcount.fitting.estimates import Estimates
from glmcount.inference.covariance.draws import Draws
from glmcount.inference.intervals import significance
from glmcount.numerics import Array

__all__ = ["drawn_intervals"]

# Standard errors within which a draw is the estimate.
TIE = 1e-6
KINDS = ("percentile", "bca", "studentised")


def drawn_intervals(
    draws: Any, found: Estimates, family: Family, alpha: float, kind: str | None
) -> Array:
    """Intervals of level 1 - alpha of all parameters, (p, 2); NaN for one that is not drawn.

    Percentile: quantiles of the draws. BCa: quantiles at levels corrected for the draws' median
    bias and for the acceleration a, of the influence of rows or clusters (Efron 1987, JASA 82,
    eq. 2.3). Studentised: estimate - SE times quantiles of (draw - estimate) / SE of the draw.

    Raises
    ------
    UsageError
        Without a bootstrap, and for studentised ends of draws without errors.
    """
    level = significance(alpha)
    chosen = choice("kind", "percentile" if kind is None else kind, KINDS, "interval_kind")
    if not isinstance(draws, Draws) or draws.jackknife:
        raise UsageError(
            "conf_int(method='bootstrap') takes the draws of a bootstrap: "
            "r.with_cov(glmcount.bootstrap(999, rng=1)).conf_int(method='bootstrap').",
            kind="no_bootstrap",
        )
    if chosen == "studentised" and draws.errors is None:
        raise UsageError(
            "Studentised intervals take the standard error of each draw: "
            "glmcount.bootstrap(..., studentised=True).",
            kind="no_errors",
        )
    out = np.full((len(found.names), 2), np.nan)
    for j in range(draws.values.shape[1]):
        if found.infinite[j] == 0 and not found.undetermined[j]:
            ends = _ends(draws, j, float(found.internal[j]), level, chosen)
            out[j] = _outside(found, family, j, ends)
    return out


def _ends(draws: Draws, j: int, estimate: float, alpha: float, kind: str) -> Array:
    values, tails = draws.values[:, j], np.array([alpha / 2.0, 1.0 - alpha / 2.0])
    if kind == "percentile":
        return _quantiles(values, tails)
    if kind == "studentised":
        assert draws.errors is not None and draws.own_errors is not None
        ratios = (values - estimate) / draws.errors[:, j]
        return estimate - draws.own_errors[j] * _quantiles(ratios, tails)[::-1]
    # Of few counts many draws are the estimate itself, but for what two fits leave.
    tied = np.abs(values - estimate) <= TIE * values.std()
    below = (np.sum((values < estimate) & ~tied) + 0.5 * np.sum(tied)) / len(values)
    if not 0.0 < below < 1.0:
        raise NotDefinedError(
            "All draws lie on one side of an estimate, so that BCa intervals have no bias to "
            "correct by. Draw more, or use kind='percentile'.",
            kind="bootstrap_bias",
        )
    bias = scipy.special.ndtri(below)
    reach = bias + scipy.special.ndtri(tails)
    levels = scipy.special.ndtr(bias + reach / (1.0 - draws.acceleration[j] * reach))
    return _quantiles(values, levels)


def _quantiles(values: Array, levels: Array) -> Array:
    # The k-th of R draws stands for k / (R + 1).
    return np.quantile(values, levels, method="weibull")


def _outside(found: Estimates, family: Family, j: int, ends: Array) -> Array:
    """Ends on the scale on which users read the parameter."""
    if not found.natural[j]:
        return ends
    natural = family.equations[int(found.equations[j])].natural
    assert natural is not None
    return natural(ends)[0]
