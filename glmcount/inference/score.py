"""Rao's score test: what the maximum of a smaller model tells of a larger one.

With the step d = H^-1 s that Newton's method would take from there in the larger model, and a
covariance V of its estimates there, T = d_x' V_xx^-1 d_x over the columns that are added. With
V = H^-1 that is Rao's s' H^-1 s; with a sandwich the test of White (1982, Econometrica 50) and
Boos (1992, The American Statistician 46), whatever the sandwich is made of.
"""

from __future__ import annotations

import numpy as np
import scipy

from glmcount.errors import CovarianceError, counted
from glmcount.fitted import AtHand, Fitted
from glmcount.fitting.nested import Scored
from glmcount.inference.covariance.estimator import Estimator, Setting, covariance
from glmcount.inference.intervals import OwnFreedom
from glmcount.inference.tests import TestResult
from glmcount.numerics.factor import factor
from glmcount.numerics.tails import chi2_tail
from glmcount.records import replace

__all__ = ["judge", "score_result"]


def judge(statistic: float, df: int, freedom: float | None) -> tuple[float, float, str]:
    """(statistic, p-value, distribution): chi-squared, or divided by df an F."""
    if freedom is None:
        return statistic, chi2_tail(statistic, df), "chi2"
    ratio = statistic / df
    return ratio, float(scipy.special.fdtrc(df, freedom, max(ratio, 0.0))), "F"


def score_result(
    state: Fitted,
    found: Scored,
    cov: Estimator,
    about: tuple[float, float | None, str],
) -> TestResult:
    """The test of a larger model at a smaller one's maximum.

    Parameters
    ----------
    state : Fitted
        Of the smaller model: its weights and options.
    found : Scored
    cov : Estimator
    about : (scale, df, hypothesis)
        The scale of the variance, the degrees of freedom that it has or None, and what is asked.

    Raises
    ------
    CovarianceError
        If the covariance of what is added is singular.
    """
    scale, freedom, hypothesis = about
    made = covariance(cov, Setting(_larger(state, found), lambda: scale))
    if isinstance(made.freedom, OwnFreedom):
        raise CovarianceError(
            "Degrees of freedom by Satterthwaite are those of estimates, and a score test has "
            "none of what it adds. Give the covariance df='t' or df='z', or fit the larger model "
            "and use r.wald_test(...).",
            kind="score_freedom",
        )
    df, many = len(found.added), made.rank is not None and len(found.added) > made.rank
    # Rounding may hide that a matrix is singular.
    inside = None if many else factor(made.matrix[np.ix_(found.added, found.added)])
    if inside is None:
        raise CovarianceError(
            f"The covariance {cov.name!r} leaves no score test of {hypothesis!r}: it has fewer "
            f"dimensions than {counted(df, 'column')}, as one of so many clusters, times or draws "
            "has. Add fewer terms, or use r.with_cov('nonrobust') if the model is to be trusted.",
            kind="singular_covariance",
        )
    freedom = freedom if made.freedom is None else made.freedom
    step = found.step[found.added]
    statistic, pvalue, law = judge(float(np.dot(step, inside.solve(step))), df, freedom)
    served = found.information
    note = f"{served}{'' if served.startswith('outer') else ' information'}, {cov.label} covariance"
    return TestResult(
        statistic, pvalue, df, law, hypothesis, freedom, title="Score test", note=note
    )  # fmt: skip


def _larger(state: Fitted, found: Scored) -> Fitted:
    """The larger model as something of which there is a covariance."""
    spec, fit = found.rows.spec, found.fit
    return replace(
        state,
        spec=spec,
        asked_spec=spec,
        measured=found.measured,
        fit=fit,
        family=fit.family,
        held=AtHand(found.rows, found.rows, state.at_hand.index),
        prints=None,
    )
