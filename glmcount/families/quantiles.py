"""From probabilities back to counts, in any family, at a cost that does not grow with the count."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.families.base import Etas, Family
from glmcount.families.distribution import rest_of, stacked, tails
from glmcount.numerics import Array
from glmcount.numerics.jets import wide
from glmcount.records import dataclass

__all__ = ["first_count", "quantiles"]

# A cumulative probability within so much of the share asked for has reached it, as in R: both
# carry rounding.
FUZZ = 64.0 * 2.2e-16
# Normal scores that are no further apart are those of one share, but for rounding.
SAME = 1e-13
MOST = 1e300
TURNS = 4_000
Rows = NDArray[np.intp]


def quantiles(family: Family, etas: Etas, share: float, n: int) -> Array:
    """Smallest count with P(Y <= count) >= share, by row; NaN where a predictor is."""
    every = [np.broadcast_to(eta, (n,)) for eta in etas]
    return first_count(family, every, np.full(n, np.log1p(-share)), np.full(n, np.log(share)))


def first_count(family: Family, etas: Etas, above: Array, upto: Array | None = None) -> Array:
    """Smallest count with log P(Y > count) <= `above`, by row; NaN where a predictor is.

    The bracket of Cantelli's inequality, made narrower where a straight line in normal scores
    would cross, a little further, and in the middle, by turns: some ten evaluations of the
    tails instead of one a bit.

    Parameters
    ----------
    above, upto : ndarray, shape (n,)
        Log-shares above and up to the count; the smaller decides.
    """
    etas = wide(etas)
    upto = rest_of(above) if upto is None else upto
    wanted = _Wanted(family, etas, upto, above, _score(upto, above))
    low, high, lower, upper = _bracket(wanted)
    rows = np.flatnonzero(~np.isnan(high))
    for turn in range(TURNS):
        # Beyond 2^53 neighbours are more than one apart, and before that shares no longer are.
        open_ = high[rows] - low[rows] > np.maximum(1.0, np.spacing(high[rows]))
        rows = rows[open_ & (upper[rows] - lower[rows] > SAME)]
        if not rows.size:
            break
        ends = low[rows], high[rows], lower[rows], upper[rows]
        tried = _between(*ends, wanted.target[rows], turn % 5)
        score, reached = wanted.at(rows, tried)
        high[rows], upper[rows] = np.where(reached, (tried, score), ends[1::2])
        low[rows], lower[rows] = np.where(reached, ends[::2], (tried, score))
    return high


@dataclass(frozen=True)
class _Wanted:
    """What share is to be reached in each row, from both sides, and as a normal score."""

    family: Family
    etas: Etas
    upto: Array
    above: Array
    target: Array

    def at(self, rows: Rows, count: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Normal score of P(Y <= count), and whether it has come up to the share."""
        own = [eta[rows] for eta in self.etas]
        _, here, _, beyond = tails(self.family, stacked(self.family, np.maximum(count, 0.0)), own)
        lower = self.upto[rows] < self.above[rows]
        enough = np.where(lower, here >= self.upto[rows] - FUZZ, beyond <= self.above[rows] + FUZZ)
        return np.where(count < 0, -np.inf, _score(here, beyond)), enough & (count >= 0)


def _score(upto: Array, above: Array) -> Array:
    """The normal quantile of a share that is given from both sides."""
    ndtri = scipy.special.ndtri_exp
    return np.where(upto < above, ndtri(upto), -ndtri(above))


def _bracket(wanted: _Wanted) -> tuple[Array, Array, Array, Array]:
    """A count that has not reached the share, or -1, and one that has, with their scores."""
    family, n = wanted.family, wanted.target.size
    least, most = family.support[0] - 1.0, min(family.support[1], MOST)
    mean, variance = (np.broadcast_to(jet.value, (n,)) for jet in family.moments(wanted.etas))
    with np.errstate(over="ignore", invalid="ignore"):
        odds = 0.5 * (wanted.upto - wanted.above)
        high = np.ceil(mean + np.sqrt(variance) * np.exp(odds)) + 1.0
        low = np.floor(mean - np.sqrt(variance) * np.exp(-odds)) - 1.0
    known = np.isfinite(mean)
    low = np.where(known, np.clip(np.nan_to_num(low, nan=least), least, most - 1.0), np.nan)
    high = np.where(known, np.clip(np.nan_to_num(high, nan=most), low + 1.0, most), np.nan)
    lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
    rows = np.flatnonzero(known)
    lower[rows], reached = wanted.at(rows, low[rows])
    low[rows[reached]], lower[rows[reached]] = least, -np.inf
    # Moments may be approximate: what has not been reached moves on.
    while rows.size:
        upper[rows], reached = wanted.at(rows, high[rows])
        rows = rows[~reached & (high[rows] < most)]
        low[rows], lower[rows] = high[rows], upper[rows]
        high[rows] = np.minimum(2.0 * high[rows] + 1.0, most)
    return low, high, lower, upper


def _between(
    low: Array, high: Array, lower: Array, upper: Array, target: Array, turn: int
) -> Array:
    """The next count to try, inside the bracket."""
    far = high > 16.0 * np.maximum(low, 1.0)
    middle = np.where(far, np.sqrt(np.maximum(low, 1.0)) * np.sqrt(high), low + 0.5 * (high - low))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        share = (target - lower) / (upper - lower)
        # Cube roots of skew counts are nearly normal (Wilson & Hilferty 1931).
        first, last = np.cbrt(low + 1.0), np.cbrt(high + 1.0)
        skew = (first + share * (last - first)) ** 3 - 1.0
        line = np.where(high - low > 1e-3 * high, skew, low + share * (high - low))
    usable = np.isfinite(line) & np.isfinite(lower) & np.isfinite(upper)
    near_low = line - low < high - line
    nearest = np.where(near_low, line - low, high - line)
    further = np.maximum(1.0, 4.0 * nearest)
    if turn in (1, 3):
        line = np.where(near_low, line + further, line - further)
    tried = np.floor(middle if turn == 4 else np.where(usable, line, middle))
    gap = np.maximum(1.0, np.spacing(high))
    return np.clip(tried, low + gap, high - gap)
