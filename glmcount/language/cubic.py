"""Cubic regression splines and their products, which are mgcv's: ``cr``, ``cc`` and ``te``.

Wood (2006), Generalized Additive Models, 4.1. A ValueError says which setting does not fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.language.knots import Span, Tally, check_within, column, ends, given_knots, quantiles
from glmcount.language.moments import Total, columns_of
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = [
    "Absorbed",
    "Cubic",
    "cubic",
    "cubic_learnt",
    "cubic_seen",
    "tensor",
    "tensor_learnt",
    "tensor_seen",
]

Settings = Mapping[str, Any]
CENTER = "center"
# Values whose basis is computed at a time.
BATCH = 65_536


@dataclass(frozen=True, eq=False)
class Cubic:
    """A cubic regression spline.

    Parameters
    ----------
    all_knots : ndarray, shape (m,)
    curvature : ndarray, shape (v, v)
        From the v values at the knots, m or without the last of a cyclic one, to second
        derivatives there.
    basis : ndarray, shape (v, columns), or None
        What the columns are multiplied by, so that constraints hold.
    """

    all_knots: Array
    curvature: Array
    basis: Array | None


@dataclass(frozen=True, eq=False)
class Absorbed:
    """What the columns of a tensor product are multiplied by, so that constraints hold."""

    basis: Array | None


def _constraints(settings: Settings) -> Array | str | None:
    """Constraints as rows, or the word that asks for centring."""
    given = settings.get("constraints")
    if given is None or given == CENTER:
        return given  # type: ignore[no-any-return]
    rows = np.atleast_2d(np.asarray(given))
    if rows.ndim != 2 or rows.dtype.kind not in "biuf":
        raise ValueError("constraints must be 'center', or a list of numbers or of such lists.")
    return rows.astype(np.float64)


def _complement(constraints: Array) -> Array:
    """A basis of what the constraints leave free, with the signs that LAPACK gives it."""
    # The last bits of a product depend on the order its factors lie in, which saving loses.
    return np.ascontiguousarray(scipy.linalg.qr(constraints.T)[0][:, len(constraints) :])


def _fixed(settings: Settings) -> bool:
    """Whether no knot depends on the values."""
    return all(settings.get(n) is not None for n in ("knots", "lower_bound", "upper_bound"))


def cubic_seen(cyclic: bool, settings: Settings, arrays: Sequence[Array]) -> Span | Tally | Total:
    """What ``cr`` and ``cc`` keep of a strip, no more than they need."""
    values = column(arrays)
    if settings.get("constraints") != CENTER:
        return (Tally if settings.get("knots") is None else Span).of(values)
    if not _fixed(settings):
        return Tally.of(values)
    knots = _cubic_knots(cyclic, settings, Span.of(values))
    return Total.of(_free(cyclic, knots, _curvature(cyclic, knots), values))


def _cubic_knots(cyclic: bool, settings: Settings, seen: Span | Tally | Total) -> Array:
    """All knots, sorted and distinct."""
    df, inner, constraints = settings.get("df"), given_knots(settings), _constraints(settings)
    if df is None and inner is None:
        raise ValueError("give either df= or knots=.")
    bound = 0 if constraints is None else 1 if isinstance(constraints, str) else len(constraints)
    if df is not None and df < (1 if cyclic or bound else 2):
        raise ValueError(f"df={df!r} must be {1 if cyclic or bound else 2} or more.")
    count = None if df is None else int(df) - 2 + bound + cyclic
    span = Span(0, math.nan, math.nan) if isinstance(seen, Total) else seen.span
    low, high = ends(settings, span)
    if inner is None:
        assert isinstance(seen, Tally)
        assert count is not None
        inner = _between(seen.runs[0][0], low, high, count)
    else:
        inner = np.unique(inner)
        if count is not None and count != len(inner):
            raise ValueError(f"df={df!r} needs {count} inner knots, but {len(inner)} are given.")
        check_within(inner, low, high)
    knots = np.unique(np.concatenate([[low, high], inner]))
    if len(knots) != len(inner) + 2:
        raise ValueError(
            f"its {len(inner)} inner knots and two bounds must differ, and of the values and knots "
            f"between {low!r} and {high!r} too few do."
        )
    return knots


def _between(values: Array, low: float, high: float, count: int) -> Array:
    """Inner knots at quantiles of the distinct values between the bounds."""
    if count < 0:
        raise ValueError("more knots are needed: raise df=.")
    inside = values[(low <= values) & (values <= high)]
    if not count:
        return np.zeros(0)
    if not len(inside):
        raise ValueError(f"no value lies between {low!r} and {high!r}, where its knots would be.")
    shares = np.linspace(0, 100, count + 2)[1:-1] / 100
    return quantiles(inside, np.ones(len(inside), dtype=np.int64), shares)


def cubic_learnt(cyclic: bool, settings: Settings, seen: Span | Tally | Total) -> Cubic:
    """Knots of ``cr`` and ``cc``, and what their constraints come to."""
    if isinstance(seen, Tally):
        seen = seen.whole()
    knots = _cubic_knots(cyclic, settings, seen)
    curvature, constraints = _curvature(cyclic, knots), _constraints(settings)
    if constraints is None:
        return Cubic(knots, curvature, None)
    if isinstance(constraints, str):
        constraints = _mean_row(cyclic, knots, curvature, seen)
    width = len(knots) - cyclic
    if constraints.shape[1] != width:
        raise ValueError(f"constraints must have {width} columns, not {constraints.shape[1]}.")
    return Cubic(knots, curvature, _complement(constraints))


def _mean_row(cyclic: bool, knots: Array, curvature: Array, seen: Span | Tally | Total) -> Array:
    """The mean of the unconstrained columns over all rows."""
    if isinstance(seen, Tally):
        values, counts = seen.runs[0]
        sums = Total(0, *np.zeros((2, len(knots) - cyclic)))
        for first in range(0, len(values), BATCH):
            few, weights = values[first : first + BATCH], counts[first : first + BATCH]
            rows = _free(cyclic, knots, curvature, few) * weights[:, None].astype(np.float64)
            part = Total.of(rows)
            sums = sums.merge(Total(int(weights.sum(dtype=np.int64)), part.high, part.low))
        seen = sums
    assert isinstance(seen, Total)
    return seen.mean()[None, :]


def _curvature(cyclic: bool, knots: Array) -> Array:
    """From values at the knots to second derivatives there."""
    h = np.diff(knots)
    return _cyclic_curvature(h) if cyclic else _natural_curvature(h)


def _natural_curvature(h: Array) -> Array:
    rows = np.arange(len(h) - 1)
    d = np.zeros((len(h) - 1, len(h) + 1))
    d[rows, rows], d[rows, rows + 2] = 1.0 / h[:-1], 1.0 / h[1:]
    d[rows, rows + 1] = -d[rows, rows] - d[rows, rows + 2]
    out = np.zeros((len(h) + 1, len(h) + 1))
    if len(rows):
        beside = h[1:-1] / 6.0
        banded = np.array([[0.0, *beside], (h[:-1] + h[1:]) / 3.0, [*beside, 0.0]])
        out[1:-1] = scipy.linalg.solve_banded((1, 1), banded, d)
    return out


def _cyclic_curvature(h: Array) -> Array:
    n = len(h)
    b, d = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        # The knot before the first is the last.
        b[i, i], d[i, i] = (h[i - 1] + h[i]) / 3.0, -1.0 / h[i - 1] - 1.0 / h[i]
    for i in range(n):
        b[i, i - 1] = b[i - 1, i] = h[i - 1] / 6.0
        d[i, i - 1] = d[i - 1, i] = 1.0 / h[i - 1]
    return np.asarray(np.linalg.solve(b, d), dtype=np.float64)


@dataclass(frozen=True)
class _Places:
    """Between which knots values lie, and how far from each; beyond the outermost at the last."""

    place: NDArray[np.intp]
    following: NDArray[np.intp]
    h: Array
    sides: tuple[Array, Array]
    outside: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    @staticmethod
    def of(cyclic: bool, knots: Array, values: Array) -> _Places:
        low, high = knots[0], knots[-1]
        if cyclic:
            values = np.where(values > high, low + (values - high) % (high - low), values)
            values = np.where(values < low, high - (low - values) % (high - low), values)
        place = np.clip(np.searchsorted(knots, values) - 1, 0, len(knots) - 2)
        following = (place + 1) % (len(knots) - cyclic)
        h = knots[place + 1] - knots[place]
        sides = knots[place + 1] - values, values - knots[place]
        return _Places(place, following, h, sides, (values > high, values < low))

    def columns(
        self, curvature: Array, values: tuple[Array, Array], bends: tuple[Array, Array]
    ) -> Array:
        """Columns, (n, m), of shares of the values at both knots and of the curvatures there."""
        out = np.zeros((len(curvature), len(self.place)))
        rows = np.arange(len(self.place))
        out[self.place, rows] = values[0]
        out[self.following, rows] += values[1]
        out += bends[0] * curvature[self.place].T
        out += bends[1] * curvature[self.following].T
        return out.T


def _free(cyclic: bool, knots: Array, curvature: Array, values: Array) -> Array:
    """Columns without constraints, (n, m), linear beyond the outermost knots of ``cr``."""
    at = _Places.of(cyclic, knots, values)
    right, left = at.sides
    bend = [side * side * side / (6.0 * at.h) for side in at.sides]
    for each, outside in zip(bend, at.outside, strict=True):
        each[outside] = 0.0
    bends = bend[0] - at.h * right / 6.0, bend[1] - at.h * left / 6.0
    return at.columns(curvature, (right / at.h, left / at.h), bends)


def cubic_slopes(
    cyclic: bool,
    settings: Settings,
    learnt: Cubic,
    arrays: Sequence[Array],
    slopes: Sequence[Array],
) -> Array:
    """How the columns of ``cr`` and ``cc`` move."""
    at = _Places.of(cyclic, learnt.all_knots, column(arrays))
    bend = [side * side / (2.0 * at.h) for side in at.sides]
    for each, outside in zip(bend, at.outside, strict=True):
        each[outside] = 0.0
    bends = at.h / 6.0 - bend[0], bend[1] - at.h / 6.0
    free = at.columns(learnt.curvature, (-1.0 / at.h, 1.0 / at.h), bends)
    free = free if learnt.basis is None else np.dot(free, learnt.basis)
    return free * column(slopes)[:, None]


def cubic(cyclic: bool, settings: Settings, learnt: Cubic, arrays: Sequence[Array]) -> Array:
    """Columns of ``cr`` and ``cc``."""
    free = _free(cyclic, learnt.all_knots, learnt.curvature, column(arrays))
    return free if learnt.basis is None else np.dot(free, learnt.basis)


def _product(arrays: Sequence[Array]) -> Array:
    """Products of the columns of each with those of the others, those of the last fastest."""
    out = columns_of(arrays[-1])
    for array in arrays[-2::-1]:
        other = columns_of(array)
        width = other.shape[1] * out.shape[1]
        out = (other[:, :, None] * out[:, None, :]).reshape(len(out), width)
    return out


def tensor_seen(settings: Settings, arrays: Sequence[Array]) -> Total:
    """What ``te`` keeps of a strip: sums of its columns, where they are to be centred."""
    rows = _product(arrays)
    if settings.get("constraints") == CENTER:
        return Total.of(rows)
    return Total(len(rows), *np.zeros((2, rows.shape[1])))


def tensor_learnt(settings: Settings, seen: Total) -> Absorbed:
    """What the constraints of ``te`` come to."""
    constraints = _constraints(settings)
    if constraints is None:
        return Absorbed(None)
    if isinstance(constraints, str):
        constraints = seen.mean()[None, :]
    if constraints.shape[1] != len(seen.high):
        columns = f"{len(seen.high)} columns, not {constraints.shape[1]}"
        raise ValueError(f"constraints must have {columns}.")
    return Absorbed(_complement(constraints))


def tensor(settings: Settings, learnt: Absorbed, arrays: Sequence[Array]) -> Array:
    """Columns of ``te``."""
    rows = _product(arrays)
    return rows if learnt.basis is None else np.dot(rows, learnt.basis)


def tensor_slopes(
    settings: Settings, learnt: Absorbed, arrays: Sequence[Array], slopes: Sequence[Array]
) -> Array:
    """How the columns of ``te`` move: products in which one factor does at a time."""
    own = list(arrays)
    parts = (
        tensor(settings, learnt, [*own[:k], slope, *own[k + 1 :]]) for k, slope in enumerate(slopes)
    )
    return reduce(np.add, parts)
