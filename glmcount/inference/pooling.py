"""Rubin's rules: one set of estimates out of those of several completed data sets.

With estimates q_i and variances u_i of m data sets, Q is the mean of the q_i, U that of the u_i, B
the variance of the q_i between them, and T = U + (1 + 1/m) B the variance of Q (Rubin 1987,
Multiple Imputation for Nonresponse in Surveys, equations 3.1.2 to 3.1.5). Degrees of freedom are
those of Barnard & Rubin (1999, Biometrika 86, equation 3).
"""

from __future__ import annotations

import numpy as np

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Rubin", "rubin"]


@dataclass(frozen=True, eq=False)
class Rubin:
    """Pooled estimates.

    Parameters
    ----------
    estimates : ndarray, shape (k,)
    within, between, total : ndarray, shape (k, k)
    df : ndarray, shape (k,)
    missing : ndarray, shape (k,)
        Fraction of missing information.
    increase : ndarray, shape (k,)
        Relative increase in variance due to what is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.inference.pooling import rubin
    >>> same = rubin(np.ones((2, 1)), np.full((2, 1, 1), 0.25), complete=10.0)
    >>> float(same.total[0, 0]), float(same.increase[0])
    (0.25, 0.0)
    """

    estimates: Array
    within: Array
    between: Array
    total: Array
    df: Array
    missing: Array
    increase: Array


def rubin(estimates: Array, matrices: Array, complete: float | Array) -> Rubin:
    """Pool estimates, (m, k), with covariances, (m, k, k).

    Parameters
    ----------
    estimates, matrices : ndarray, shape (m, k) and (m, k, k)
    complete : float or ndarray, shape (k,)
        Degrees of freedom that the complete data would leave, of all parameters or of each.

    Returns
    -------
    Rubin
    """
    m = len(estimates)
    pooled, within = estimates.mean(axis=0), matrices.mean(axis=0)
    gaps = estimates - pooled
    between = np.dot(gaps.T, gaps) / (m - 1)
    total = within + (1.0 + 1.0 / m) * between
    u, b, t = within.diagonal(), between.diagonal(), total.diagonal()
    with np.errstate(divide="ignore", invalid="ignore"):
        increase = (1.0 + 1.0 / m) * b / u
        share = (1.0 + 1.0 / m) * b / t
        old = (m - 1) / share**2
        observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share)
        df = np.where(share > 0.0, 1.0 / (1.0 / old + 1.0 / observed), observed)
        missing = (increase + 2.0 / (df + 3.0)) / (1.0 + increase)
    return Rubin(pooled, within, between, total, df, missing, increase)
