"""Tables of comparisons: contrasts and tests of single hypotheses, on either scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.errors import NotDefinedError
from glmcount.families.base import Family
from glmcount.fitting.estimates import Estimates
from glmcount.numerics import Array

__all__ = [
    "comparison_frame",
    "exponentials",
    "heading_of",
    "ratio_of",
    "ratios",
    "refuse_without_ratio",
]

# What heads a column of ratios, by what they are.
HEADINGS = {"": "coef", "rate ratio": "IRR", "odds ratio": "OR"}


def ratio_of(family: Family, equation: int) -> str:
    """What exp(coefficient) is in an equation; nothing where it is no ratio."""
    own = family.equations[equation]
    if equation == 0:
        logit = family.link == "logit" and family.domain == "logit"
        return "rate ratio" if family.mean_log else "odds ratio" if logit else ""
    if own.scale == "log":
        return f"ratio of {own.name}"
    return f"{own.ratio} ratio" if own.ratio else ""


def heading_of(ratio: str) -> str:
    """The heading of a column of exp(coefficient), of what `ratio_of` gives.

    Examples
    --------
    >>> [heading_of(ratio) for ratio in ("", "rate ratio", "odds ratio", "ratio of alpha")]
    ['coef', 'IRR', 'OR', 'ratio']
    """
    return HEADINGS.get(ratio, "ratio")


def refuse_without_ratio(family: Family, equations: Sequence[int]) -> None:
    """Refuse ratios in equations under a link that has none.

    Raises
    ------
    NotDefinedError
    """
    for equation in dict.fromkeys(equations):
        if not ratio_of(family, equation):
            name = family.equations[equation].name
            raise NotDefinedError(
                f"exponentiate=True gives ratios, and exp of a coefficient is one only under a log "
                f"or logit link, which the {name} equation of this {family.label} model does not "
                "have. Use exponentiate=False.",
                kind="no_rate_ratio",
            )


def exponentials(found: Estimates, family: Family, ends: Array, which: Sequence[int]) -> Array:
    """Ends of intervals, (k, 2), with exp of those of coefficients of which that is a ratio.

    Raises
    ------
    NotDefinedError
        If none has one.
    """
    plain = ~found.natural[list(which)]
    own = [bool(ratio_of(family, int(k))) for k in found.equations[list(which)]]
    chosen = plain & np.array(own, dtype=bool)
    if not chosen.any():
        raise NotDefinedError(
            "exp of a coefficient is a ratio only under a log or logit link, which no equation of "
            "these has. Use exponentiate=False.",
            kind="no_rate_ratio",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(chosen[:, None], np.exp(ends), ends)


def ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """A table of differences of logarithms as one of ratios: errors by the delta method."""
    with np.errstate(over="ignore", invalid="ignore"):
        estimate = np.exp(frame["estimate"])
        # An infinite coefficient has an infinite error, whatever its ratio.
        errors = np.where(np.isinf(frame["std_error"]), np.inf, estimate * frame["std_error"])
        ends = {name: np.exp(frame[name]) for name in ("conf_low", "conf_high")}
    found = frame.assign(estimate=estimate, std_error=errors, **ends)
    found.attrs = dict(frame.attrs)
    return found


def comparison_frame(
    term: str,
    names: Sequence[str],
    columns: tuple[Array, Array, Array, Array, Array, Array],
    attrs: dict[str, Any],
) -> pd.DataFrame:
    """One row for each comparison.

    Parameters
    ----------
    term : str
    names : sequence of str
    columns : tuple of ndarray, each of shape (comparisons,)
        Estimate, standard error, statistic, p-value and the ends of the interval.
    attrs : dict
        What else is to be known of the table.
    """
    labels = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
    held = dict(zip(labels, columns, strict=True))
    frame = pd.DataFrame({"term": term, "contrast": list(names), **held})
    frame.attrs = attrs
    return frame
