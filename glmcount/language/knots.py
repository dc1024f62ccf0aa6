"""What knots are placed by: the distinct values of a column with their counts, or its ends.

A ValueError says which setting of a spline does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Span", "Tally", "check_within", "column", "ends", "given_knots", "quantiles"]

Settings = Mapping[str, Any]

Run = tuple[Array, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Span:
    """Count of some values, the least and the most of them."""

    count: int
    least: float
    most: float

    @staticmethod
    def of(values: Array) -> Span:
        """The span of values; of none at all from infinity down to its negative."""
        if not len(values):
            return Span(0, np.inf, -np.inf)
        return Span(len(values), float(values.min()), float(values.max()))

    def merge(self, other: Span) -> Span:
        """The span of these values and of those."""
        least, most = min(self.least, other.least), max(self.most, other.most)
        return Span(self.count + other.count, least, most)

    @property
    def span(self) -> Span:
        """Itself."""
        return self


@dataclass(frozen=True, eq=False)
class Tally:
    """Distinct values, sorted, with their counts: in runs of which each is twice the next.

    So that adding a run takes, over many of them, as many steps as the logarithm of their number
    for each value, and not as many as there are runs.
    """

    runs: tuple[Run, ...]

    @staticmethod
    def of(values: Array) -> Tally:
        """The tally of values in any order."""
        distinct, counts = np.unique(values, return_counts=True)
        return Tally(((distinct, _small(counts)),))

    @property
    def held(self) -> int:
        """Bytes it takes."""
        return sum(values.nbytes + counts.nbytes for values, counts in self.runs)

    def merge(self, other: Tally) -> Tally:
        """The tally of these values and of those."""
        runs = list(self.runs)
        for run in other.runs:
            runs.append(run)
            while len(runs) > 1 and len(runs[-2][0]) < 2 * len(runs[-1][0]):
                runs.append(_merged(runs.pop(-2), runs.pop()))
        return Tally(tuple(runs))

    def whole(self) -> Tally:
        """The same as one run."""
        runs = list(self.runs)
        while len(runs) > 1:
            runs.append(_merged(runs.pop(-2), runs.pop()))
        return Tally(tuple(runs))

    @property
    def span(self) -> Span:
        """Count and ends of the values."""
        ends = [(v[0], v[-1], c.sum(dtype=np.int64)) for v, c in self.runs if len(v)]
        spans = [Span(int(count), float(low), float(high)) for low, high, count in ends]
        return reduce(Span.merge, spans, Span.of(np.zeros(0)))


def _merged(left: Run, right: Run) -> Run:
    values = np.concatenate([left[0], right[0]])
    # Of two sorted runs a stable sort makes one merge.
    order = np.argsort(values, kind="stable")
    values = values[order]
    first = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    counts = np.concatenate([left[1], right[1]], dtype=np.int64)[order]
    starts = np.flatnonzero(first)
    return values[starts], _small(np.add.reduceat(counts, starts) if len(starts) else counts)


def _small(counts: NDArray[Any]) -> NDArray[Any]:
    return counts.astype(np.min_scalar_type(int(counts.max(initial=1))))


def quantiles(values: Array, counts: NDArray[Any], shares: Array) -> Array:
    """Quantiles of sorted distinct values, interpolated as ``numpy.percentile`` does it.

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 4.0]), np.array([1, 1, 2]), np.array([0.5, 0.9])).tolist()
    [3.0, 4.0]
    """
    last = np.cumsum(counts, dtype=np.int64)
    ranks = (last[-1] - 1) * shares
    below = np.floor(ranks)
    part = ranks - below
    low = values[np.searchsorted(last, below, "right")]
    high = values[np.searchsorted(last, np.minimum(below + 1, last[-1] - 1), "right")]
    apart = high - low
    return np.where(part >= 0.5, high - apart * (1 - part), low + apart * part)


def column(arrays: Sequence[Array]) -> Array:
    """The one column that a spline is of."""
    values = arrays[0]
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim > 1:
        raise ValueError(f"a spline takes one column, not {values.shape[1]}.")
    return values


def _bound(settings: Settings, name: str) -> float | None:
    value = settings.get(name)
    if value is not None and (isinstance(value, str) or np.ndim(value)):
        raise ValueError(f"{name}={value!r} must be a number.")
    return None if value is None else float(value)


def ends(settings: Settings, span: Span) -> tuple[float, float]:
    """The outermost knots: as given, or where the values end."""
    lower, upper = _bound(settings, "lower_bound"), _bound(settings, "upper_bound")
    if (lower is None or upper is None) and not span.count:
        raise ValueError("there are no values to place its outermost knots by.")
    low = span.least if lower is None else lower
    high = span.most if upper is None else upper
    if low > high:
        raise ValueError(f"lower_bound > upper_bound ({low!r} > {high!r}).")
    return low, high


def given_knots(settings: Settings) -> Array | None:
    """The setting ``knots``, as numbers."""
    knots = settings.get("knots")
    if knots is None:
        return None
    found = np.asarray(knots)
    if found.dtype.kind not in "biuf" and found.size:
        raise ValueError(f"knots={knots!r} must be numbers.")
    return found.astype(np.float64)


def check_within(knots: Array, low: float, high: float) -> None:
    """Refuse inner knots beyond the outermost ones."""
    below, above = knots[knots < low], knots[knots > high]
    for name, outside, bound in (("below lower", below, low), ("above upper", above, high)):
        if outside.size:
            raise ValueError(f"some knots ({outside}) fall {name} bound ({bound!r}).")
