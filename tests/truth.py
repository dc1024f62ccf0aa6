"""Maximum likelihood to 50 digits with mpmath, as the truth that digits are judged by.

Designs, offsets and weights are taken as the exact doubles they are. Newton's method starts
from a double-precision answer, so that three or four passes are enough. Rows with the same
(x, y, offset) are added up first, and zeros of the design are skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import mpmath as mp
import numpy as np

DIGITS = 50
CLOSE = 35  # digits at which Newton's steps stop
Number = Any  # an mpf; mpmath has no types


@dataclass(frozen=True)
class Truth:
    """Estimates of a model, to 50 digits."""

    params: list[Number]
    bse_observed: list[Number]
    bse_expected: list[Number]
    llf: Number
    condition: float
    alpha: Number | None = None


@dataclass(frozen=True)
class Rows:
    """Distinct rows: columns and values of what is not 0, count, offset, summed weight."""

    x: list[list[tuple[int, Number]]]
    y: list[Number]
    offset: list[Number]
    weight: list[Number]
    columns: int


@dataclass
class Sums:
    """What a pass adds up; the last row and column of the matrices belong to log alpha."""

    llf: Number
    score: list[Number]
    observed: list[list[Number]]
    expected: list[list[Number]]
    tables: dict[Number, tuple[Number, ...]] = field(default_factory=dict)


def poisson(
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    *,
    link: str = "log",
    offset: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Truth:
    """Poisson regression with link ``log``, ``identity`` or ``sqrt``."""
    return _maximum(X, y, start, link, offset, weights, None, False)


def negbin_fixed(
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    alpha: float,
    *,
    link: str = "log",
    offset: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Truth:
    """NB2 with a given alpha."""
    return _maximum(X, y, start, link, offset, weights, alpha, False)


def negbin(
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    alpha: float,
    *,
    link: str = "log",
    offset: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Truth:
    """NB2 with alpha estimated: the last parameter is alpha, its SE by the delta method.

    The expected information has zeros between coefficients and alpha and the observed entry
    for alpha.
    """
    return _maximum(X, y, start, link, offset, weights, alpha, True)


def _distinct(X: np.ndarray, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> Rows:
    keyed = np.column_stack([X, y, offset])
    unique, inverse = np.unique(keyed, axis=0, return_inverse=True)
    total = [mp.mpf(0)] * len(unique)
    for place, weight in zip(inverse.ravel(), weights, strict=True):
        total[place] += mp.mpf(float(weight))
    p = X.shape[1]
    return Rows(
        [[(j, mp.mpf(float(row[j]))) for j in np.flatnonzero(row[:p])] for row in unique],
        [mp.mpf(float(row[p])) for row in unique],
        [mp.mpf(float(row[p + 1])) for row in unique],
        total,
        p,
    )


def _log_mean(link: str) -> Callable[[Number], tuple[Number, Number, Number]]:
    """The mean, and the first and second derivative of its logarithm, by the predictor."""
    one, zero = mp.mpf(1), mp.mpf(0)
    return {
        "log": lambda eta: (mp.exp(eta), one, zero),
        "identity": lambda eta: (eta, 1 / eta, -1 / eta**2),
        "sqrt": lambda eta: (eta**2, 2 / eta, -2 / eta**2),
    }[link]


def _poisson_row(y: Number, mu: Number, table: tuple[Number, ...]) -> tuple[Number, ...]:
    """Log-likelihood, slope and observed and expected curvature by log(mu)."""
    value = (y * mp.log(mu) if y else mp.mpf(0)) - mu - table[0]
    return value, y - mu, mu, mu


def _negbin_row(
    y: Number, mu: Number, theta: Number, table: tuple[Number, ...]
) -> tuple[Number, ...]:
    """As `_poisson_row`; then slope and curvature by theta, and the cross curvature."""
    total = theta + mu
    logs = mp.log(theta / total)
    value = table[1] - table[0] + theta * logs + (y * mp.log(mu / total) if y else 0)
    slope = (y - mu) * theta / total
    observed = mu * theta * (theta + y) / total**2
    by_theta = table[2] + logs + 1 - (theta + y) / total
    bend = table[3] + 1 / theta - 2 / total + (theta + y) / total**2
    cross = (y - mu) * mu / total**2
    return value, slope, observed, mu * theta / total, by_theta, bend, cross


def _table(y: Number, theta: Number | None) -> tuple[Number, ...]:
    """What depends on y (and theta) only: log y!, and three differences over y."""
    constant = mp.loggamma(y + 1)
    if theta is None:
        return (constant,)
    return (
        constant,
        mp.loggamma(y + theta) - mp.loggamma(theta),
        mp.digamma(y + theta) - mp.digamma(theta),
        mp.psi(1, y + theta) - mp.psi(1, theta),
    )


def _pass(rows: Rows, beta: list[Number], link: str, log_alpha: Number | None) -> Sums:
    """Log-likelihood, score and both informations by (coefficients, log alpha)."""
    p = rows.columns
    size = p + (log_alpha is not None)
    theta = None if log_alpha is None else mp.exp(-log_alpha)
    zero = mp.mpf(0)
    sums = Sums(
        zero,
        [zero] * size,
        [[zero] * size for _ in range(size)],
        [[zero] * size for _ in range(size)],
    )
    mean = _log_mean(link)
    for x, y, offset, weight in zip(rows.x, rows.y, rows.offset, rows.weight, strict=True):
        if y not in sums.tables:
            sums.tables[y] = _table(y, theta)
        eta = mp.fsum(beta[j] * value for j, value in x) + offset
        mu, first, second = mean(eta)
        if theta is None:
            row = _poisson_row(y, mu, sums.tables[y])
        else:
            row = _negbin_row(y, mu, theta, sums.tables[y])
            _add_log_alpha(sums, x, weight, theta, row, first)
        sums.llf += weight * row[0]
        observed = weight * (row[2] * first**2 - row[1] * second)
        _add_mean(sums, x, weight * row[1] * first, observed, weight * row[3] * first**2)
    for matrix in (sums.observed, sums.expected):
        for j in range(size):
            for k in range(j):
                matrix[k][j] = matrix[j][k]
    return sums


def _add_mean(
    sums: Sums, x: list[tuple[int, Number]], slope: Number, observed: Number, expected: Number
) -> None:
    for place, (j, value) in enumerate(x):
        sums.score[j] += slope * value
        by_observed, by_expected = observed * value, expected * value
        for k, other in x[: place + 1]:
            sums.observed[j][k] += by_observed * other
            sums.expected[j][k] += by_expected * other


def _add_log_alpha(
    sums: Sums,
    x: list[tuple[int, Number]],
    weight: Number,
    theta: Number,
    row: tuple[Number, ...],
    first: Number,
) -> None:
    """Entries of log alpha, where d theta = -theta d(log alpha)."""
    slope, bend, cross = row[4:]
    sums.score[-1] -= weight * theta * slope
    curvature = -weight * (theta**2 * bend + theta * slope)
    sums.observed[-1][-1] += curvature
    sums.expected[-1][-1] += curvature
    for j, value in x:
        sums.observed[-1][j] += weight * theta * cross * first * value


def _factor(matrix: list[list[Number]]) -> list[list[Number]]:
    """Lower Cholesky factor."""
    size = len(matrix)
    lower = [[mp.mpf(0)] * size for _ in range(size)]
    for j in range(size):
        for k in range(j + 1):
            rest = matrix[j][k] - mp.fdot(lower[j][:k], lower[k][:k])
            lower[j][k] = mp.sqrt(rest) if j == k else rest / lower[k][k]
    return lower


def _solve(lower: list[list[Number]], right: list[Number]) -> list[Number]:
    size = len(right)
    half: list[Number] = []
    for j in range(size):
        half.append((right[j] - mp.fdot(lower[j][:j], half)) / lower[j][j])
    out = [mp.mpf(0)] * size
    for j in reversed(range(size)):
        below = mp.fdot([lower[k][j] for k in range(j + 1, size)], out[j + 1 :])
        out[j] = (half[j] - below) / lower[j][j]
    return out


def _standard_errors(matrix: list[list[Number]]) -> list[Number]:
    """Roots of the diagonal of the inverse: norms of the columns of the inverse factor."""
    lower = _factor(matrix)
    size = len(matrix)
    out = []
    for j in range(size):
        column = [mp.mpf(0)] * j + [1 / lower[j][j]]
        for k in range(j + 1, size):
            column.append(-mp.fdot(lower[k][j:k], column[j:k]) / lower[k][k])
        out.append(mp.sqrt(mp.fdot(column[j:], column[j:])))
    return out


def condition(matrix: list[list[Number]]) -> float:
    """Condition number of the matrix scaled to a diagonal of ones."""
    size = len(matrix)
    scale = [1 / mp.sqrt(matrix[j][j]) for j in range(size)]
    scaled = [[matrix[j][k] * scale[j] * scale[k] for k in range(size)] for j in range(size)]
    if size > 30:
        values = np.linalg.eigvalsh(np.array(scaled, dtype=float))
        return float(values[-1] / values[0])
    values = mp.eigsy(mp.matrix(scaled), eigvals_only=True)
    return float(values[size - 1] / values[0])


def _maximum(
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    link: str,
    offset: np.ndarray | None,
    weights: np.ndarray | None,
    alpha: float | None,
    joint: bool,
) -> Truth:
    n, p = X.shape
    offset = np.zeros(n) if offset is None else offset
    weights = np.ones(n) if weights is None else weights
    with mp.workdps(DIGITS):
        rows = _distinct(X, y, offset, weights)
        beta = [mp.mpf(float(value)) for value in start]
        log_alpha = None if alpha is None else mp.log(mp.mpf(float(alpha)))
        free = p + joint
        for _ in range(30):
            sums = _pass(rows, beta, link, log_alpha)
            hessian = [row[:free] for row in sums.observed[:free]]
            step = _solve(_factor(hessian), sums.score[:free])
            size = max(abs(d) * mp.sqrt(hessian[j][j]) for j, d in enumerate(step))
            if size < mp.mpf(10) ** -CLOSE:
                break
            beta = [b + d for b, d in zip(beta, step[:p], strict=True)]
            if joint:
                log_alpha = log_alpha + step[p]
        else:
            raise ArithmeticError("Newton's steps did not come to an end")
        return _truth(sums, beta, log_alpha, free, joint)


def _truth(
    sums: Sums, beta: list[Number], log_alpha: Number | None, free: int, joint: bool
) -> Truth:
    observed = [row[:free] for row in sums.observed[:free]]
    expected = [row[:free] for row in sums.expected[:free]]
    errors = [_standard_errors(observed), _standard_errors(expected)]
    alpha = None if log_alpha is None else mp.exp(log_alpha)
    if joint:
        beta = [*beta, alpha]
        for values in errors:
            values[-1] *= alpha
    used = observed if joint else expected
    return Truth(beta, errors[0], errors[1], sums.llf, condition(used), alpha)
