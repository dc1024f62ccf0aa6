"""Tables of comparisons: contrasts and tests of single hypotheses, on either scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.errors import NotDefinedError
from glmcount.families.base import Family
from glmcount.numerics import Array

__all__ = ["comparison_frame", "ratio_of", "ratios", "refuse_without_ratio"]


def ratio_of(family: Family, equation: int) -> str:
    """What exp(coefficient) is in an equation; nothing where it is no ratio."""
    own = family.equations[equation]
    if equation == 0:
        logit = family.link == "logit" and family.domain == "logit"
        return "rate ratio" if family.mean_log else "odds ratio" if logit else ""
    if own.scale == "log":
        return f"ratio of {own.name}"
    return "odds ratio" if own.odds else ""


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
    columns : tuple of ndarray
        Estimate, standard error, statistic, p-value and the ends of the interval.
    attrs : dict
        What else is to be known of the table.
    """
    labels = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
    held = dict(zip(labels, columns, strict=True))
    frame = pd.DataFrame({"term": term, "contrast": list(names), **held})
    frame.attrs = attrs
    return frame
