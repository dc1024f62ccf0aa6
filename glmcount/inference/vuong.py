"""Vuong's test of models of which neither contains the other.

With m_i = log f_i - log g_i at the estimates of both, z = sqrt(n) mean(m) / sd(m) is standard
normal where both are equally far from the truth, if they differ at all: if the variance of m is
not zero. Where it is, n var(m) is a sum of weighted chi-squared variables, the weights the squared
eigenvalues of

    W = [[B_f A_f^-1, B_fg A_g^-1], [-B_gf A_f^-1, -B_g A_g^-1]],

A the information and B the outer products of the scores (Vuong 1989, Econometrica 57, theorems
3.1, 5.1 and 6.2, equation 3.6).
"""

from __future__ import annotations

import numpy as np

from glmcount.engine.passes import predictors
from glmcount.engine.scores import row_scores
from glmcount.engine.strip import Strip
from glmcount.errors import NotDefinedError, UsageError
from glmcount.fitted import Fitted
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import inverse_information
from glmcount.inference.tests import TestResult
from glmcount.numerics import Array
from glmcount.numerics.mixtures import mixture_tail
from glmcount.numerics.tails import normal_above, normal_quantile
from glmcount.records import dataclass

__all__ = ["CORRECTIONS", "Ratios", "ratios_of", "vuong"]

CORRECTIONS = (None, "aic", "bic")
# At which level it must be told that the models differ.
LEVEL = 0.05
# Rows of which scores of both models are held at a time.
ROWS = 4_096


@dataclass(frozen=True, eq=False)
class Ratios:
    """Row by row logarithms of the ratio of two models' densities, summed.

    Parameters
    ----------
    n, total, square : float
        Sums of w, w m and w m^2.
    outer : ndarray, shape (p + q, p + q)
        Outer products of the scores of both.
    """

    n: float
    total: float
    square: float
    outer: Array

    @property
    def spread(self) -> float:
        """sum (m - mean)^2."""
        return max(self.square - self.total**2 / self.n, 0.0)


def ratios_of(first: Fitted, second: Fitted) -> Ratios:
    """What the two models' log-likelihoods say row by row.

    Raises
    ------
    UsageError
        If the two were fitted to tables of other rows.
    """
    others = second.rows

    def look(strip: Strip) -> tuple[Array, Array]:
        other = others.strip(strip.number)
        if other.n != strip.n:
            raise UsageError(
                "vuong_test compares two models row by row, and the tables they were fitted to "
                "have their rows in other places. Fit both to one table.",
                kind="different_rows",
            )
        found = [
            _look(first.fit, second.fit, strip.span(i, i + ROWS), other.span(i, i + ROWS))
            for i in range(0, max(strip.n, 1), ROWS)
        ]
        return sum(own for own, _ in found), sum(own for _, own in found)  # type: ignore[return-value]

    def add(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        return a[0] + b[0], a[1] + b[1]

    sums, outer = first.rows.fold(look, add)
    n, total, square = sums.tolist()
    return Ratios(n, total, square, outer)


def _look(one: Fit, other: Fit, mine: Strip, its: Strip) -> tuple[Array, Array]:
    m = _densities(one, mine) - _densities(other, its)
    w = np.ones(mine.n) if mine.weights is None else mine.weights
    scores = np.hstack([_scores(one, mine), _scores(other, its)])
    # A frequency weight stands for copies, each with the score of one.
    scores = scores / np.sqrt(np.where(w > 0.0, w, 1.0))[:, None]
    return np.array([w.sum(), np.dot(w, m), np.dot(w, m * m)]), np.dot(scores.T, scores)


def _densities(fit: Fit, strip: Strip) -> Array:
    values = fit.family.terms(strip.y, predictors(fit.layout, strip, fit.theta)).value
    return np.broadcast_to(values, (strip.n,)) + fit.family.constant(strip.y)


def _scores(fit: Fit, strip: Strip) -> Array:
    return row_scores(fit.layout, strip, fit.theta, fit.family)[:, fit.kept]


def _variance_test(first: Fitted, second: Fitted, found: Ratios) -> float:
    """p of the hypothesis that the variance of the ratio is zero."""
    inverses = [inverse_information(state.fit) for state in (first, second)]
    if inverses[0] is None or inverses[1] is None:
        raise NotDefinedError(
            "The information of one of the models is not positive definite, so that it cannot be "
            "told whether the two differ. Look at r.certificate; compare them by aic or bic.",
            kind="no_vuong_test",
        )
    p = len(inverses[0])
    matrix = found.outer.copy()
    matrix[p:] *= -1.0
    matrix[:, :p] = np.dot(matrix[:, :p], inverses[0])
    matrix[:, p:] = np.dot(matrix[:, p:], inverses[1])
    # A product of symmetric matrices, whose eigenvalues are real but for rounding.
    return mixture_tail(found.spread, np.square(np.linalg.eigvals(matrix).real))


def vuong(first: Fitted, second: Fitted, correction: str | None) -> TestResult:
    """The test, after that of the variance of the log-likelihood ratio.

    Raises
    ------
    NotDefinedError
        If the data do not tell the two models apart.
    """
    found = ratios_of(first, second)
    p = _variance_test(first, second, found)
    if not p <= LEVEL:
        raise NotDefinedError(
            f"The data do not tell the two models apart: the variance of their log-likelihood "
            f"ratio may be zero (p = {p:.4f}), and then Vuong's statistic is not normal. Take the "
            "simpler model, or compare them by aic or bic; of models of which one contains the "
            "other glmcount.lr_test(r0, r1) is the test.",
            kind="indistinguishable",
        )
    penalty = {None: 0.0, "aic": 1.0, "bic": 0.5 * np.log(found.n)}[correction]
    gained = found.total - penalty * (first.k_all - second.k_all)
    deviation = float(np.sqrt(found.spread / (found.n - 1.0)))
    z = gained / (deviation * np.sqrt(found.n))
    reach = normal_quantile(0.05) * deviation / np.sqrt(found.n)
    mean = gained / found.n
    corrected = "" if correction is None else f", corrected as {correction.upper()}"
    return TestResult(
        float(z),
        2.0 * normal_above(abs(float(z))),
        1,
        "normal",
        f"{_told(first)} against {_told(second)}",
        title="Vuong test",
        conf_int=(float(mean - reach), float(mean + reach)),
        note=f"positive favours the first{corrected}; test of zero variance p = {p:.4g}",
        estimate=float(mean),
    )


def _told(state: Fitted) -> str:
    return f"{state.family.label} ({state.spec.formula})"
