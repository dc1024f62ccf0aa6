"""Wald tests of linear hypotheses."""

from __future__ import annotations

import numpy as np
import scipy

from glmcount.errors import CovarianceError, NotDefinedError
from glmcount.inference.estimates import tail, width
from glmcount.numerics import Array, chi2_tail, factor
from glmcount.records import dataclass

__all__ = ["TestResult", "single", "wald"]


@dataclass(frozen=True)
class TestResult:
    """A test: its statistic, p-value and degrees of freedom.

    Parameters
    ----------
    statistic, pvalue : float
    df : float
    distribution : str
        "chi2" or "F".
    hypothesis : str
    df_denom : float or None
        Second degrees of freedom of an F.
    """

    statistic: float
    pvalue: float
    df: float
    distribution: str
    hypothesis: str = ""
    df_denom: float | None = None

    __test__ = False

    def __str__(self) -> str:
        second = "" if self.df_denom is None else f", {self.df_denom:g}"
        shown = "p < 0.001" if self.pvalue < 0.001 else f"p = {self.pvalue:.4f}"
        return (
            f"Wald test of {self.hypothesis}: {self.distribution}({self.df:g}{second}) = "
            f"{self.statistic:.4f}, {shown}"
        )


def wald(
    coefficients: Array,
    constants: Array,
    values: Array,
    matrix: Array,
    df_denom: float | None,
    hypothesis: str,
    infinite: bool = False,
) -> TestResult:
    """W = (R b - r)' (R V R')^-1 (R b - r), chi-squared with rank(R) df, or W / df as F.

    Raises
    ------
    CovarianceError
        If R V R' is singular: hypotheses repeat each other, or were not estimated.
    NotDefinedError
        If a parameter is infinite or on its boundary.
    """
    used = np.any(coefficients != 0, axis=0)
    matrix, coefficients = matrix[np.ix_(used, used)], coefficients[:, used]
    if infinite or not np.all(np.isfinite(matrix)):
        raise NotDefinedError(
            f"The hypothesis {hypothesis!r} concerns a parameter that is infinite or on its "
            "boundary, of which there is no Wald test.",
            kind="no_wald_test",
        )
    gap = np.dot(coefficients, values[used]) - constants
    found = factor(np.dot(np.dot(coefficients, matrix), coefficients.T))
    if found is None:
        raise CovarianceError(
            f"The hypotheses {hypothesis!r} repeat or contradict each other, or concern a "
            "parameter without a standard error, so there is no joint test of them.",
            kind="singular_hypothesis",
        )
    statistic = float(np.dot(gap, found.solve(gap)))
    count = len(gap)
    if df_denom is None:
        return TestResult(statistic, chi2_tail(statistic, count), count, "chi2", hypothesis)
    ratio = statistic / count
    pvalue = float(scipy.special.fdtrc(count, df_denom, ratio))
    return TestResult(ratio, pvalue, count, "F", hypothesis, df_denom)


def single(
    coefficients: Array,
    constants: Array,
    values: Array,
    matrix: Array,
    df: float | None,
    alpha: float,
    ways: Array,
) -> tuple[tuple[str, ...], Array, Array, Array, Array, Array, Array]:
    """Each hypothesis alone: names, estimates, errors, statistics, p-values, interval ends.

    `ways` tells which are infinite, as `Estimates.ways` does.
    """
    variances = []
    for row in coefficients:
        used = np.flatnonzero(row)
        variances.append(np.dot(np.dot(row[used], matrix[np.ix_(used, used)]), row[used]))
    estimate, errors = np.dot(coefficients, values) - constants, np.sqrt(variances)
    far = ways != 0.0
    estimate[far] = ways[far] * np.inf
    errors[far] = np.abs(ways[far]) * np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = estimate / errors
    reach = width(alpha, df) * errors
    names = tuple(f"c{i}" for i in range(len(estimate)))
    with np.errstate(invalid="ignore"):
        ends = (estimate - reach, estimate + reach)
    for end in ends:
        end[far] = np.nan
    return (names, estimate, errors, statistic, tail(statistic, df), *ends)
