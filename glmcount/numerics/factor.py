"""Symmetric matrices: factors, inverses and condition numbers."""

from __future__ import annotations

import math

import numpy as np
import scipy

from glmcount.numerics import EPS, Array
from glmcount.numerics.blas import alone, solving
from glmcount.records import cached_property, dataclass

__all__ = ["Factored", "condition_number", "factor"]

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
        lapack = scipy.linalg.lapack
        solution: Array = alone(len(self.lower), lapack.dpotrs, self.lower, rhs, lower=1)[0]
        return solution

    def inverse(self) -> Array:
        """H^-1, symmetric to the last bit."""
        if not self.lower.size:
            return np.zeros((0, 0))
        usual = self.diagonal.item(self.diagonal.argmin()) > 1.0 / USUAL
        usual = usual and self.diagonal.item(self.diagonal.argmax()) < USUAL
        # Else by rows of unit length, so that no product leaves the range of numbers.
        lapack = scipy.linalg.lapack
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
    # LAPACK itself, since for ten columns scipy's wrapper costs ten times the work; transposed,
    # which is the same matrix in the order that it copies fastest.
    lower, info = alone(len(matrix), scipy.linalg.lapack.dpotrf, matrix.T, lower=1, clean=1)
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
        values = scipy.linalg.eigvalsh(scale[:, None] * matrix * scale, check_finite=False)
    return float(values[-1] / values[0]) if values[0] > 0 else float("inf")
