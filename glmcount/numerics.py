"""Numbers without models: jets, stable special functions, tails, symmetric solves, `Control`.

A *jet* is a function of the q predictors of a model with its first and second
derivatives, row by row. Families return jets; means, variances and predictions are jets;
the delta method is jet algebra.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import lapack

from glmcount.blas import solving
from glmcount.records import dataclass

__all__ = [
    "EPS",
    "Array",
    "Control",
    "Factored",
    "Jet",
    "chi2_tail",
    "condition_number",
    "constant_jet",
    "eta_jet",
    "exp_jet",
    "expit",
    "factor",
    "log1p_gap",
    "log1p_slope",
    "logit",
    "normal_quantile",
    "normal_tail",
    "probit",
    "student_quantile",
    "student_tail",
]

Array = NDArray[np.float64]
Entry = Array | None
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Control:
    """Every numerical knob of a fit, once.

    Parameters
    ----------
    tol : float
        A full Newton step is final when no row's linear predictor moves by more.
    maxiter : int, optional
        Most iterations; None takes the method's own: 100 for newton and irls (400 for
        models of several equations), 2,000 for lbfgs, 100,000 for gradient.
    threads : int, optional
        Worker threads over strips of rows; None takes the number of processors, at most 8.
        The digits do not depend on it.
    block_rows : int
        Rows that dense work takes at a time, chosen to stay in the processor's cache.
    memory : int
        Bytes that may hold evaluated expressions between passes.
    memory_limit : int
        Bytes that one information matrix may take; larger models are refused by name.
    progress : bool or callable
        True prints a line each iteration; a callable gets the iteration's record.

    Examples
    --------
    >>> Control(maxiter=20).tol
    1e-06
    """

    tol: float = 1e-6
    maxiter: int | None = None
    threads: int | None = None
    block_rows: int = 32_768
    memory: int = 32 * 2**20
    memory_limit: int = 2 * 2**30
    progress: bool | Callable[..., None] = False


@dataclass(frozen=True)
class Jet:
    """A value with its derivatives in the q predictors, row by row.

    Parameters
    ----------
    value : ndarray, shape (n,)
    d1 : tuple of q entries, each ndarray or None
        First derivatives; None is identically zero.
    d2 : tuple of q tuples of q entries, each ndarray or None
        Second derivatives, symmetric.

    Examples
    --------
    >>> import numpy as np
    >>> mean = exp_jet(eta_jet((np.array([0.0]),), 0))
    >>> float((mean * mean).d2[0][0][0])
    4.0
    """

    value: Array
    d1: tuple[Entry, ...]
    d2: tuple[tuple[Entry, ...], ...]

    @property
    def q(self) -> int:
        """Number of predictors."""
        return len(self.d1)

    def __add__(self, other: Jet) -> Jet:
        span = range(self.q)
        return Jet(
            self.value + other.value,
            tuple(_plus(self.d1[j], other.d1[j]) for j in span),
            tuple(tuple(_plus(self.d2[j][k], other.d2[j][k]) for k in span) for j in span),
        )

    def __mul__(self, other: Jet) -> Jet:
        span = range(self.q)

        def second(j: int, k: int) -> Entry:
            straight = _plus(_times(self.d2[j][k], other.value), _times(other.d2[j][k], self.value))
            crossed = _plus(_times(self.d1[j], other.d1[k]), _times(self.d1[k], other.d1[j]))
            return _plus(straight, crossed)

        return Jet(
            self.value * other.value,
            tuple(
                _plus(_times(self.d1[j], other.value), _times(other.d1[j], self.value))
                for j in span
            ),
            tuple(tuple(second(j, k) for k in span) for j in span),
        )

    def chain(self, value: Array, first: Array, second: Array) -> Jet:
        """Jet of f(self), given f and its first two derivatives at ``self.value``."""
        span = range(self.q)
        return Jet(
            value,
            tuple(_times(self.d1[j], first) for j in span),
            tuple(
                tuple(
                    _plus(
                        _times(self.d2[j][k], first),
                        _times(_times(self.d1[j], self.d1[k]), second),
                    )
                    for k in span
                )
                for j in span
            ),
        )


def _plus(a: Entry, b: Entry) -> Entry:
    if a is None:
        return b
    return a if b is None else a + b


def _times(a: Entry, b: Entry) -> Entry:
    return None if a is None or b is None else a * b


def eta_jet(etas: Sequence[Array], k: int) -> Jet:
    """Jet of the k-th predictor itself."""
    q = len(etas)
    empty: tuple[Entry, ...] = (None,) * q
    one = np.ones(1)
    return Jet(etas[k], tuple(one if j == k else None for j in range(q)), (empty,) * q)


def constant_jet(value: Array, q: int) -> Jet:
    """Jet of something that does not depend on any predictor."""
    empty: tuple[Entry, ...] = (None,) * q
    return Jet(value, empty, (empty,) * q)


def exp_jet(jet: Jet) -> Jet:
    """Jet of exp(jet)."""
    value = np.exp(jet.value)
    return jet.chain(value, value, value)


# Special functions ----------------------------------------------------------------------
# scipy.special takes as long to import as all of glmcount: it is found through scipy, which
# imports it when the first of its functions is called.


def logit(share: Array) -> Array:
    """log(p / (1 - p))."""
    out: Array = scipy.special.logit(share)
    return out


def expit(eta: Array) -> Array:
    """1 / (1 + exp(-eta))."""
    out: Array = scipy.special.expit(eta)
    return out


def probit(share: Array) -> Array:
    """The normal quantile of a share."""
    out: Array = scipy.special.ndtri(share)
    return out


_SERIES_BELOW = 0.1
_SERIES_TERMS = 17


def _alternating(t: Array, coefficients: Sequence[float]) -> Array:
    out = np.full_like(t, coefficients[-1])
    for c in coefficients[-2::-1]:
        out *= -t
        out += c
    return out * t


_GAP = [1.0 / (k + 1) for k in range(1, _SERIES_TERMS + 1)]
_SLOPE = [k / (k + 1) for k in range(1, _SERIES_TERMS + 1)]


def _spliced(t: Array, direct: Callable[[Array], Array], series: Sequence[float]) -> Array:
    t = np.asarray(t, dtype=np.float64)
    small = t < _SERIES_BELOW
    if not small.any():
        return direct(t)
    if small.all():
        return _alternating(t, series)
    out = np.empty_like(t)
    out[small] = _alternating(t[small], series)
    out[~small] = direct(t[~small])
    return out


def log1p_gap(t: Array) -> Array:
    """1 - log(1 + t) / t for t >= 0, without cancellation near 0 (there t/2 - t^2/3 + ...).

    Examples
    --------
    >>> import numpy as np
    >>> float(log1p_gap(np.array([1e-20]))[0])
    5e-21
    """
    return _spliced(t, lambda u: 1.0 - np.log1p(u) / u, _GAP)


def log1p_slope(t: Array) -> Array:
    """log(1 + t) / t - 1 / (1 + t) for t >= 0, without cancellation near 0.

    It is t times the derivative of `log1p_gap`.
    """
    return _spliced(t, lambda u: np.log1p(u) / u - 1.0 / (1.0 + u), _SLOPE)


# Tails: always from the small side, so that 1e-300 is 1e-300 --------------------------------


def normal_tail(z: Array) -> Array:
    """Two-sided normal p-value, P(|Z| > |z|)."""
    return scipy.special.erfc(np.abs(z) / np.sqrt(2.0))


def student_tail(t: Array, df: float) -> Array:
    """Two-sided Student p-value."""
    return 2.0 * scipy.special.stdtr(df, -np.abs(t))


def chi2_tail(x: float, df: float) -> float:
    """Upper tail of the chi-squared distribution, P(X > x)."""
    return float(scipy.special.chdtrc(df, max(x, 0.0))) if df > 0 else 1.0


def normal_quantile(alpha: float) -> float:
    """z with P(|Z| > z) = alpha."""
    return float(-scipy.special.ndtri(alpha / 2.0))


def student_quantile(alpha: float, df: float) -> float:
    """t with P(|T| > t) = alpha."""
    return float(-scipy.special.stdtrit(df, alpha / 2.0))


# Symmetric matrices -----------------------------------------------------------------------

# Diagonals up to which, and from whose inverse on, no product in an inverse overflows.
USUAL = 1e100


@dataclass(frozen=True)
class Factored:
    """Cholesky factor of a symmetric matrix H, its diagonal, and pivots as shares of that.

    Its rounding errors do not depend on the scale of rows and columns (Higham 2002, section
    10.1), so that H need not be equilibrated first.
    """

    lower: Array
    diagonal: Array
    pivots: Array

    @property
    def smallest(self) -> float:
        """The smallest pivot's share: 1 - R^2 of a column on those before it."""
        return self.pivots.item(self.pivots.argmin()) if self.pivots.size else 1.0

    def solve(self, rhs: Array) -> Array:
        """H^-1 rhs."""
        if not rhs.size:
            return np.zeros_like(rhs)
        with solving(len(self.lower)):
            solution: Array = lapack.dpotrs(self.lower, rhs, lower=1)[0]
        return solution

    def inverse(self) -> Array:
        """H^-1, symmetric to the last bit."""
        if not self.lower.size:
            return np.zeros((0, 0))
        usual = self.diagonal.item(self.diagonal.argmin()) > 1.0 / USUAL
        usual = usual and self.diagonal.item(self.diagonal.argmax()) < USUAL
        # Else by rows of unit length, so that no product leaves the range of numbers.
        with solving(len(self.lower)):
            lower, _ = lapack.dtrtri(self.lower if usual else self.equilibrated, lower=1)
            # A product with its own transpose is taken by one triangle, and copied to the other.
            full = np.dot(lower.T, lower)
        return full if usual else full * np.multiply.outer(self.scale, self.scale)

    def condition_bound(self) -> float:
        """Upper bound of the condition number of S H S, in p operations.

        Its eigenvalues add up to p, so that the product of all but the smallest is at most
        (p / (p - 1))^(p - 1) < e, and the smallest is at least det / e.
        """
        size = float(len(self.pivots))
        determinant = float(np.multiply.reduce(self.pivots))
        return math.e * size * math.sqrt(size) / determinant if determinant > 0 else math.inf

    @cached_property
    def scale(self) -> Array:
        """S = diag(H)^(-1/2)."""
        return 1.0 / np.sqrt(self.diagonal)

    @cached_property
    def equilibrated(self) -> Array:
        """Factor of S H S."""
        return np.asfortranarray(self.scale[:, None] * self.lower)


def factor(matrix: Array, finite: bool = False) -> Factored | None:
    """Factor a symmetric matrix; None where it is not positive definite.

    `finite` says that all entries are known to be.

    Examples
    --------
    >>> import numpy as np
    >>> factor(np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    True
    """
    if not len(matrix):
        return Factored(np.zeros((0, 0)), np.zeros(0), np.zeros(0))
    if not finite and not np.isfinite(matrix).all():
        return None
    # LAPACK itself, since for ten columns scipy's wrapper costs ten times the work.
    with solving(len(matrix)):
        # Transposed, which is the same matrix in the order that LAPACK copies fastest.
        lower, info = lapack.dpotrf(matrix.T, lower=1, clean=1)
    if info:
        return None
    own, diagonal = lower.diagonal(), matrix.diagonal()
    pivots = own * own / diagonal
    # A pivot that is rounding of its diagonal is zero.
    return Factored(lower, diagonal, pivots) if pivots.item(pivots.argmin()) > EPS else None


def condition_number(matrix: Array) -> float:
    """Condition number of the equilibrated matrix D^-1/2 H D^-1/2; inf if not definite."""
    if matrix.size == 0:
        return 1.0
    diagonal = np.diag(matrix)
    if not np.all(diagonal > 0):
        return float("inf")
    scale = 1.0 / np.sqrt(diagonal)
    with solving(len(matrix)):
        values = linalg.eigvalsh(scale[:, None] * matrix * scale, check_finite=False)
    return float(values[-1] / values[0]) if values[0] > 0 else float("inf")
