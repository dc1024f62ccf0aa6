"""Parameters under linear constraints: a point that meets them, and the ways that stay there.

Held values, equal coefficients and any other R theta = q are one thing to a solver: it works on the
parameters that are left free.
"""

from __future__ import annotations

import numpy as np

from glmcount.engine.block import Index
from glmcount.engine.sums import Sums
from glmcount.errors import UsageError
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Constraints"]

# Of a row of constraints: what is left of it below this share is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Constraints:
    """All theta that meet the constraints: ``origin + basis z``.

    Parameters
    ----------
    origin : ndarray, shape (k,)
    basis : ndarray, shape (k, f)
        z are the free parameters themselves, so that a column that is held at zero is left out.
    free : ndarray of int, shape (f,)
    """

    origin: Array
    basis: Array
    free: Index

    @staticmethod
    def by(matrix: Array, values: Array, sizes: Array) -> Constraints:
        """Of constraints ``matrix theta = values``, for columns of these sizes.

        Raises
        ------
        UsageError
            If no theta meets them all.
        """
        scale = np.where(sizes > 0, sizes, 1.0)
        rows = np.column_stack([matrix / scale, values])
        k, pivots = matrix.shape[1], []
        largest = np.abs(rows).max(axis=1, initial=0.0)
        for number in range(len(rows)):
            pivot = int(np.argmax(np.abs(rows[number, :k]))) if k else 0
            if not k or abs(rows[number, pivot]) <= ROUNDING * largest[number]:
                if abs(rows[number, k]) > ROUNDING * max(largest[number], 1.0):
                    raise UsageError(
                        f"No parameters meet all constraints: number {number} (counted from 0) "
                        "contradicts those before it, or holds nothing. Leave it out.",
                        kind="contradictory_constraints",
                    )
                continue
            rows[number] /= rows[number, pivot]
            others = np.arange(len(rows)) != number
            rows[others] -= np.outer(rows[others, pivot], rows[number])
            rows[others, pivot] = 0.0
            pivots.append((number, pivot))
        held = [pivot for _, pivot in pivots]
        free = np.setdiff1d(np.arange(k), held).astype(np.intp)
        origin, basis = np.zeros(k), np.zeros((k, len(free)))
        basis[free, np.arange(len(free))] = 1.0
        for number, pivot in pivots:
            origin[pivot] = rows[number, k] / scale[pivot]
            basis[pivot] = -rows[number, free] * scale[free] / scale[pivot]
        return Constraints(origin, basis, free)

    def point(self, free: Array) -> Array:
        """All parameters."""
        return self.origin + np.dot(self.basis, free)

    def move(self, step: Array) -> Array:
        """How all parameters move."""
        found: Array = np.dot(self.basis, step)
        return found

    def sums(self, sums: Sums) -> Sums:
        """What a pass adds up to, by the free parameters."""
        score = np.dot(sums.score, self.basis)
        half = np.dot(sums.information.matrix, self.basis)
        return Sums(sums.llf, score, np.dot(self.basis.T, half), lambda: sums.rounding)
