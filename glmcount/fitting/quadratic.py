"""The quadratic model that one pass gives of the log-likelihood, and the steps it proposes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.engine.sums import Sums
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Model"]

# Of the equilibrated information.
LEAST_SHIFT = 1e-14
# Of the largest eigenvalue, below which a direction is one of a ridge.
RIDGE = 1e-6


@dataclass(frozen=True)
class Model:
    """The quadratic model of one pass, in the eigenvectors of the equilibrated information.

    Parameters
    ----------
    values, turned : ndarray, shape (k,)
        Eigenvalues, and the score in their vectors.
    back : ndarray, shape (k, k)
        From eigenvectors to parameters.
    """

    values: Array
    turned: Array
    back: Array

    @staticmethod
    def of(sums: Sums) -> Model:
        """Of the score and information of a pass."""
        # By its own scale each: a column of 1e-17 must not freeze the others.
        diagonal = np.abs(sums.information.diagonal())
        scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        values, vectors = np.linalg.eigh(scale[:, None] * sums.information.matrix * scale)
        return Model(values, np.dot(vectors.T, scale * sums.score), scale[:, None] * vectors)

    def turned_up(self) -> Array:
        """Step by the absolute eigenvalues: uphill (Nocedal & Wright 2006, section 3.4)."""
        return np.dot(self.back, self.turned / np.maximum(np.abs(self.values), 1e-8))

    def told(self) -> Array:
        """Step along the directions alone of which the rows tell: across a ridge to its top."""
        clear = self.values > RIDGE * self.values.max(initial=0.0)
        own: Array = np.dot(self.back[:, clear], self.turned[clear] / self.values[clear])
        return own

    def within(self, reach: Callable[[Array], float], radius: float) -> Array:
        """Step of (H + shift D), about the least shift that keeps it within the radius.

        A Levenberg-Marquardt step solves the trust-region problem of its own length (More
        & Sorensen 1983); length is measured by the move of the predictors. The shift begins so
        small that directions which hardly any row tells of, towards infinity, are not held back.
        """
        lowest = float(self.values.min(initial=np.inf))
        # Beside the least curvature, not the largest: else a long valley is walked in tiny steps.
        excess = max(1e-3 * abs(lowest), LEAST_SHIFT)
        while True:
            step = np.dot(self.back, self.turned / (self.values + (max(0.0, -lowest) + excess)))
            if reach(step) <= radius or excess > 1e15:
                return step
            excess *= 4.0
