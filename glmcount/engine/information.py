"""An information matrix as a value: solved, inverted, cut and added, however it is held."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.numerics.factor import Factored, factor

__all__ = ["WELL", "Information"]

# Condition numbers below which a bound of one is enough.
WELL = 1e5


class Information:
    """A symmetric matrix, dense, that is factored once it is asked for more than its entries.

    Parameters
    ----------
    matrix : ndarray, shape (p, p)
    finite : bool
        Whether all entries are known to be numbers.

    Examples
    --------
    >>> import numpy as np
    >>> own = Information(np.array([[4.0, 0.0], [0.0, 1.0]]))
    >>> own.solve(np.array([2.0, 3.0])).tolist(), round(own.logdet(), 6)
    ([0.5, 3.0], 1.386294)
    """

    __slots__ = ("_factored", "finite", "matrix")

    def __init__(self, matrix: Array, finite: bool = False) -> None:
        self.matrix, self.finite = matrix, finite
        self._factored: tuple[Factored | None] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Information, (self.matrix, self.finite)

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def factored(self) -> Factored | None:
        """Its factor; None where it is not positive definite."""
        if self._factored is None:
            self._factored = (factor(self.matrix, self.finite),)
        return self._factored[0]

    @property
    def definite(self) -> bool:
        """Whether it is positive definite."""
        return self.factored is not None

    @property
    def _own(self) -> Factored:
        found = self.factored
        if found is None:
            raise np.linalg.LinAlgError("The information is not positive definite.")
        return found

    def solve(self, rhs: Array) -> Array:
        """H^-1 rhs, of a definite one."""
        return self._own.solve(rhs)

    def inverse(self) -> Array:
        """H^-1, of a definite one."""
        return self._own.inverse()

    def logdet(self) -> float:
        """log det H, of a definite one."""
        return 2.0 * float(np.log(self._own.lower.diagonal()).sum())

    def diagonal(self) -> Array:
        """Its diagonal."""
        found: Array = self.matrix.diagonal()
        return found

    def quadratic(self, vector: Array) -> float:
        """v' H v."""
        return float(np.dot(vector, np.dot(self.matrix, vector)))

    def kept(self, kept: NDArray[Any]) -> Information:
        """That of some parameters, the others held."""
        kept = np.flatnonzero(kept) if kept.dtype == np.bool_ else kept
        # Row by row and then along them, which reads memory in its order.
        return Information(self.matrix.take(kept, axis=0).take(kept, axis=1), self.finite)

    def plus(self, other: Array) -> Information:
        """The sum with a matrix."""
        return Information(self.matrix + other)

    def apart(self, least: float) -> bool:
        """Whether each column is told from those before: relative pivots larger than that."""
        return self.factored is not None and self.factored.smallest > least

    def condition(self) -> float:
        """Estimated condition number of it equilibrated, in p^2 operations.

        Where that is nothing to speak of an upper bound of it; infinite where it is not definite.
        """
        found = self.factored
        if found is None:
            return math.inf
        bound = found.condition_bound()
        if bound < WELL:
            return bound
        norm = float((found.scale * np.dot(np.abs(self.matrix), found.scale)).max())
        reciprocal, _ = scipy.linalg.lapack.dpocon(found.equilibrated, norm, uplo="L")
        return 1.0 / reciprocal if reciprocal > 0 else math.inf
