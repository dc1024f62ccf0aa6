"""Orthogonal polynomials over the levels of a factor, to the last digit for any number of them.

A matrix of powers has lost all digits beyond some thirty levels. The values of the orthonormal
polynomials at equally spaced levels are the eigenvectors of the tridiagonal matrix of their
recurrence, which is known in closed form (Gautschi, Orthogonal Polynomials, 2004, 1.5); at
other scores they come from the recurrence with every new one made orthogonal again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy

from glmcount.errors import FormulaError, FormulaTooComplexError
from glmcount.numerics import Array

__all__ = ["MANY", "orthonormal"]

MANY = 1_000  # scores up to which new ones are made orthogonal to all others
APART = 1e-10


def orthonormal(count: int, scores: Sequence[float] | None) -> Array:
    """Polynomials of degree 0, 1, ... at the scores, (levels, degrees), leading coefficients > 0.

    Raises
    ------
    FormulaError
        If scores are equal, or too many.

    Examples
    --------
    >>> orthonormal(3, None)[:, 1].round(4).tolist()
    [-0.7071, -0.0, 0.7071]
    """
    if scores is None:
        k = np.arange(1.0, count)
        beside = np.sqrt(k**2 * (count**2 - k**2) / (4.0 * (4.0 * k**2 - 1.0)))
        vectors = np.ones((1, 1))
        if count > 1:
            vectors = scipy.linalg.eigh_tridiagonal(np.zeros(count), beside)[1]
        return np.ascontiguousarray((vectors * np.sign(vectors[0])).T)
    if count > MANY:
        raise FormulaTooComplexError(
            f"Poly takes scores for at most {MANY:,} levels, not {count:,}. Leave the scores "
            "out, or use bs() of a numeric column."
        )
    centred = np.asarray(scores, dtype=np.float64) - np.mean(scores)
    size = np.abs(centred).max()
    out = np.full((count, count), 1.0 / np.sqrt(count))
    for degree in range(1, count):
        found = centred / (size or 1.0) * out[:, degree - 1]
        before = out[:, :degree]
        for _ in range(2):
            found = found - np.dot(before, np.dot(before.T, found))
        length = float(np.sqrt(np.dot(found, found)))
        if length < APART:
            raise FormulaError(
                "The scores of Poly must differ from level to level.", kind="contrast_size"
            )
        out[:, degree] = found / length
    return out
