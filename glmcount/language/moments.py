"""Means and spreads learnt run by run: sums that merge, and the transforms made of them.

A mean is kept as two doubles, so that values far from zero lose nothing when it is taken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = [
    "Moments",
    "Total",
    "centred",
    "columns_of",
    "moments_of",
    "standardised",
    "total_of",
]

Settings = Mapping[str, Any]
Wide = NDArray[np.longdouble]


@dataclass(frozen=True, eq=False)
class Total:
    """Sum of some rows, for each column.

    Parameters
    ----------
    count : int
    high, low : ndarray, shape (k,)
        The sum in extended precision as that of two doubles; of doubles, where a machine has no
        other, the second is zero.
    """

    count: int
    high: Array
    low: Array

    @staticmethod
    def of(rows: Array) -> Total:
        """The sum of rows, (n, k)."""
        return _parted(len(rows), np.sum(rows, 0, dtype=np.longdouble))

    def merge(self, other: Total) -> Total:
        """The sum of these rows and of those."""
        return _parted(self.count + other.count, _whole(self) + _whole(other))

    def mean(self) -> Array:
        """The mean, in double precision."""
        return np.asarray(_whole(self) / self.count, dtype=np.float64)


def _whole(total: Total) -> Wide:
    return total.high.astype(np.longdouble) + total.low


def _parted(count: int, total: Wide) -> Total:
    high = total.astype(np.float64)
    finite = np.isfinite(high)
    low = np.subtract(total, high, out=np.zeros_like(total), where=finite)
    return Total(count, high, low.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean of some rows and their spread about it, for each column.

    Parameters
    ----------
    count : int
    high, low : ndarray, shape (k,)
        The mean, as the sum of two doubles.
    root : ndarray, shape (k,)
        Square root of the sum of squares about the mean, whose square may be no double.
    """

    count: int
    high: Array
    low: Array
    root: Array

    @staticmethod
    def of(rows: Array) -> Moments:
        """The moments of rows, (n, k)."""
        count, width = rows.shape
        if not count:
            return Moments(0, *np.zeros((3, width)))
        # Differences from a value of the column are exact where it matters, zero for constants.
        first = rows[0]
        apart = np.ascontiguousarray(rows.T) - first[:, None]
        middle = apart.sum(axis=1) / count
        apart -= middle[:, None]
        rest = apart.sum(axis=1) / count
        apart -= rest[:, None]
        return Moments(count, *_two_sum(first, middle + rest), _length(apart))

    def merge(self, other: Moments) -> Moments:
        """The moments of these rows and of those (Chan, Golub and LeVeque 1979)."""
        if not (self.count and other.count):
            return self if self.count else other
        share = other.count / (self.count + other.count)
        apart = (other.high - self.high) + (other.low - self.low)
        root = np.hypot(np.hypot(self.root, other.root), apart * np.sqrt(self.count * share))
        mean = _two_sum(self.high, self.low + apart * share)
        return Moments(self.count + other.count, *mean, root)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b, and what its rounding lost (Knuth, The Art of Computer Programming 2, 4.2.2)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _length(rows: Array) -> Array:
    """Euclidean length of each row, whose squares may be too large or small for a double."""
    largest = np.abs(rows).max(axis=1)
    exponent = np.frexp(np.where(np.isfinite(largest), largest, 1.0))[1]
    scaled = np.ldexp(rows, -exponent[:, None])
    return np.asarray(np.ldexp(np.sqrt((scaled * scaled).sum(axis=1)), exponent))


def columns_of(values: Array) -> Array:
    """Values as columns, (n, k)."""
    return values[:, None] if values.ndim == 1 else values


def total_of(settings: Settings, arrays: Sequence[Array]) -> Total:
    """What ``center`` learns from a strip."""
    return Total.of(columns_of(arrays[0]))


def centred(settings: Settings, learnt: Total, arrays: Sequence[Array]) -> Array:
    """Values less their mean."""
    return np.asarray(arrays[0] - (learnt.mean() if arrays[0].ndim > 1 else learnt.mean()[0]))


def moments_of(settings: Settings, arrays: Sequence[Array]) -> Moments:
    """What ``standardize`` learns from a strip."""
    return Moments.of(columns_of(arrays[0]))


def standardised(settings: Settings, learnt: Moments, arrays: Sequence[Array]) -> Array:
    """Values less their mean, in units of their standard deviation."""
    out = columns_of(arrays[0]).astype(np.float64)
    if settings.get("center", True):
        out -= learnt.high
        out -= learnt.low
    if settings.get("rescale", True):
        out /= learnt.root / np.sqrt(np.float64(learnt.count - settings.get("ddof", 0)))
    return out.reshape(arrays[0].shape)


def centred_slopes(
    settings: Settings, learnt: Total, arrays: Sequence[Array], slopes: Sequence[Array]
) -> Array:
    """How centred values move with what they are made of."""
    return slopes[0]


def standardised_slopes(
    settings: Settings, learnt: Moments, arrays: Sequence[Array], slopes: Sequence[Array]
) -> Array:
    """How standardised values move with what they are made of."""
    return standardised({**settings, "center": False}, learnt, slopes)
