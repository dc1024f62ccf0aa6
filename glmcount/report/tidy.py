"""The summary as data frames, in the vocabulary of R's package broom.

broom (Robinson, Hayes & Couch) settled the names of the columns; here its dots are
underscores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from glmcount.allowed import counted, proportion, truth
from glmcount.errors import NotDefinedError
from glmcount.numerics import Array
from glmcount.records import replace
from glmcount.report.comparisons import heading_of
from glmcount.report.rows import EquationRows
from glmcount.report.summary import SummaryFacts, exponentiated, infinite

__all__ = ["glance_frame", "tidy_frame"]


def tidy_frame(
    equations: Sequence[EquationRows], exponentiate: bool = False, alpha: float = 0.05
) -> pd.DataFrame:
    """One row for each coefficient.

    Parameters
    ----------
    equations : sequence of EquationRows
        Their `lower` and `upper` are limits of intervals of level 1 - `alpha`.
    exponentiate : bool
        Rate ratios and odds ratios for the equations that have some, as `summarise` shows them,
        and a column `scale` that tells which: ``"IRR"``, ``"OR"``, ``"ratio"`` or ``"coef"``.
    alpha : float
        One minus the level of the intervals; kept as ``frame.attrs["conf_level"]``.

    Returns
    -------
    DataFrame
        Columns `term`, `estimate`, `std_error`, `statistic`, `p_value`, `conf_low`,
        `conf_high`, `equation` (``"mean"`` for the equation without heading). An
        infinite coefficient is infinite, with NaN for what it does not have.

    Raises
    ------
    NotDefinedError
        If ratios are asked of equations none of which has a log or logit link.
    UsageError
        If `alpha` is not between 0 and 1, or `exponentiate` neither True nor False.

    Examples
    --------
    >>> half, one = np.full(1, 0.5), np.ones(1)
    >>> tidy_frame([EquationRows("", ("x",), half, one, half, one, -one, one)])
      term  estimate  std_error  statistic  p_value  conf_low  conf_high equation
    0    x       0.5        1.0        0.5      1.0      -1.0        1.0     mean
    """
    alpha, exponentiate = proportion("alpha", alpha), truth("exponentiate", exponentiate)
    if exponentiate and not any(equation.ratio for equation in equations):
        raise NotDefinedError(
            "exp(coef) is a ratio only under a log or logit link, and no equation of this model "
            "has one. Use exponentiate=False.",
            kind="no_rate_ratio",
        )
    frames = [
        _rows(exponentiated(each) if exponentiate and each.ratio else each)
        for each in map(_marked, equations)
    ]
    frame = pd.concat(frames, ignore_index=True)
    if exponentiate:
        frame["scale"] = [heading_of(each.ratio) for each in equations for _ in each.names]
    frame.attrs["conf_level"] = 1 - alpha
    return frame


def _marked(equation: EquationRows) -> EquationRows:
    """The equation with infinity, and NaN beside it, where a row is marked infinite."""
    if not equation.marks:
        return equation
    marked = np.array([mark != "" for mark in equation.marks])
    limits = [float(mark) if infinite(mark) else np.nan for mark in equation.marks]
    coef = np.where(marked, np.array(limits), equation.coef)

    def blank(values: Array) -> Array:
        return np.where(marked, np.nan, values)

    return replace(
        equation,
        coef=coef,
        bse=blank(equation.bse),
        statistic=blank(equation.statistic),
        pvalues=blank(equation.pvalues),
        lower=blank(equation.lower),
        upper=blank(equation.upper),
        marks=(),
    )


def _rows(equation: EquationRows) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "term": list(equation.names),
            "estimate": equation.coef,
            "std_error": equation.bse,
            "statistic": equation.statistic,
            "p_value": equation.pvalues,
            "conf_low": equation.lower,
            "conf_high": equation.upper,
            "equation": equation.heading or "mean",
        }
    )


def glance_frame(facts: SummaryFacts, parts: Mapping[str, int], df_model: int) -> pd.DataFrame:
    """One row of figures of the whole fit; NaN for those the model does not have.

    Parameters
    ----------
    facts : SummaryFacts
    parts : mapping of str to int
        Estimated parameters of each equation.
    df_model : int

    Returns
    -------
    DataFrame
        broom's `null_deviance`, `df_null`, `logLik`, `AIC`, `BIC`, `deviance`,
        `df_residual`, `nobs`, then `pearson_chi2`, `pseudo_r2` (McFadden), `scale`,
        `converged`, `n_dropped`, `cov_type`, `df_model`, `k` (all estimated parameters) and
        `k_mean`, `k_inflate`, `k_alpha` and so on, those of each equation.
    """
    figures = {
        "null_deviance": facts.null_deviance,
        "df_null": None if facts.df_null is None else counted(facts.df_null),
        "logLik": facts.llf,
        "AIC": facts.aic,
        "BIC": facts.bic,
        "deviance": facts.deviance,
        "df_residual": counted(facts.df_resid),
        "nobs": counted(facts.nobs),
        "pearson_chi2": facts.pearson_chi2,
        "pseudo_r2": facts.prsquared,
        "scale": facts.scale,
    }
    row = {name: [np.nan if value is None else value] for name, value in figures.items()}
    return pd.DataFrame(
        {
            **row,
            "converged": [facts.converged],
            "n_dropped": [facts.rows_dropped],
            "cov_type": [facts.cov_label],
            "df_model": [df_model],
            "k": [sum(parts.values())],
            **{f"k_{name}": [count] for name, count in parts.items()},
        }
    )
