"""The largest of several correlated statistics: its tail and its quantile.

For Z normal with correlation R = A A', A of shape (m, r), Z = A u with u = rho d, d uniform on the
sphere of r dimensions and rho^2 chi-squared with r degrees of freedom. So max |Z| = rho M(d) with
M(d) = max_i |a_i'd|, and

    P(max |Z| > c) = E_d P(rho > c / M(d)),

in which Student's t only makes rho^2 / r an F(r, df) (Genz & Bretz 2009, Computation of
Multivariate Normal and t Probabilities, section 4.1). A singular R is no case of its own, there
are r dimensions and not m, small tails keep their digits, and one sample of M serves every c.
scipy's multivariate_t is wrong for a singular R and its multivariate_normal takes seconds for ten
statistics; what is used of it are its sequences of Sobol.
"""

from __future__ import annotations

import numpy as np
import scipy

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Largest", "largest"]

# Of an eigenvalue of a correlation: below it is rounding.
NOTHING = 1e-10
REPLICATES, POINTS = 8, 1 << 15
ANGLES = 1 << 17
BINS = 2_048
# Numbers that a table of directions by statistics may have.
MOST = 1 << 22
SEED = 20_240_229


@dataclass(frozen=True, eq=False)
class Largest:
    """The law of max |T_i|.

    Parameters
    ----------
    lengths, shares : ndarray, shape (replicates, bins)
        Values of M(d) and how many of the directions d have them, in independent samples.
    rank : int
    df : float or None
        Of Student's t.
    """

    lengths: Array
    shares: Array
    rank: int
    df: float | None

    def tails(self, size: float) -> Array:
        """P(max |T| > size) by each replicate."""
        if not size > 0.0:
            return np.ones(len(self.lengths))
        squares = np.square(size / self.lengths)
        if self.df is None:
            values = scipy.special.chdtrc(self.rank, squares)
        else:
            values = scipy.special.fdtrc(self.rank, self.df, squares / self.rank)
        return (values * self.shares).sum(axis=1)

    def tail(self, size: float) -> tuple[float, float]:
        """P(max |T| > size), and the standard error of the integration."""
        if np.isnan(size):
            return np.nan, 0.0
        found = self.tails(abs(size))
        return float(found.mean()), _error(found)

    def quantile(self, alpha: float) -> float:
        """c with P(max |T| > c) = alpha."""
        from scipy.optimize import brentq

        high = 1.0
        while self.tail(high)[0] > alpha:
            high *= 2.0
        return float(brentq(lambda c: self.tail(c)[0] - alpha, 0.0, high, xtol=1e-9))


def _error(values: Array) -> float:
    return 0.0 if len(values) == 1 else float(values.std(ddof=1) / np.sqrt(len(values)))


def largest(combinations: Array, matrix: Array, df: float | None) -> Largest:
    """The law of max |T| for combinations of estimates, none of them without variance.

    Parameters
    ----------
    combinations : ndarray, shape (m, k)
    matrix : ndarray, shape (k, k)
        Covariance of the estimates, of any rank.
    df : float or None
        Of Student's t; None for the normal law.
    """
    values, vectors = np.linalg.eigh(matrix)
    roots = np.dot(combinations, vectors * np.sqrt(np.maximum(values, 0.0)))
    roots /= np.sqrt(np.square(roots).sum(axis=1))[:, None]
    # As few columns as the statistics have dimensions.
    values, vectors = np.linalg.eigh(np.dot(roots.T, roots))
    roots = np.dot(roots, vectors[:, values > NOTHING * values[-1]])
    roots /= np.sqrt(np.square(roots).sum(axis=1))[:, None]
    rank = roots.shape[1]
    if rank == 1:
        return Largest(np.ones((1, 1)), np.ones((1, 1)), 1, df)
    samples = _directions(rank)
    bins = BINS if len(samples) > 1 else 8 * BINS
    found = [_binned(_lengths(directions, roots), bins) for directions in samples]
    return Largest(
        np.stack([own for own, _ in found]), np.stack([own for _, own in found]), rank, df
    )


def _binned(lengths: Array, bins: int) -> tuple[Array, Array]:
    """Values between 0 and 1 as the means of narrow bins, and their shares.

    The tail is a smooth function of a length: what is lost is its curvature within a bin.
    """
    low = float(lengths.min())
    place = ((lengths - low) * (bins / max(float(lengths.max()) - low, 1e-300))).astype(np.intp)
    place = np.minimum(place, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = np.bincount(place, lengths, minlength=bins)
    return np.where(counts, sums / np.maximum(counts, 1), 1.0), counts / len(lengths)


def _lengths(directions: Array, roots: Array) -> Array:
    step = max(1, MOST // len(roots))
    parts = [directions[i : i + step] for i in range(0, len(directions), step)]
    return np.concatenate([np.abs(np.dot(part, roots.T)).max(axis=1) for part in parts])


def _directions(rank: int) -> list[Array]:
    """Points on the sphere: on a circle evenly, else normal numbers of Sobol's sequences."""
    if rank == 2:
        # Opposite directions have one length.
        angles = (np.arange(ANGLES) + 0.5) * (np.pi / ANGLES)
        return [np.stack([np.cos(angles), np.sin(angles)], axis=1)]
    from scipy.stats import qmc

    out = []
    for number in range(REPLICATES):
        made = qmc.Sobol(rank, scramble=True, seed=SEED + number)
        normal = scipy.special.ndtri(np.clip(made.random(POINTS), 1e-12, 1.0 - 1e-12))
        out.append(normal / np.sqrt(np.square(normal).sum(axis=1))[:, None])
    return out
