"""Sums of probabilities over runs of counts, however long, at a bounded cost.

A run is cut into panels of 32, 64, 128 ... counts. The first is added up count by count. A
wider one is replaced by 32 of its counts, near the points of Chebyshev, with weights that add
up polynomials exactly: of degree 2 sqrt(N) or, from 256 counts on, 28, by least squares, which
keeps the weights from growing (Rakhmanov 2007, Annals of Mathematics 165: interpolation in N
equally spaced points is stable up to about that degree). Only whole counts are looked at, so
that a family need not know what lies between.

What the highest three coefficients of the polynomial still hold is the stated error of a
panel: where it is more than `TOLERANCE` of the sum, and more than the rounding of the
probabilities accounts for, the panel is halved. Panels double after each success, so
that a sum up to a count y takes about 2 log2(y) of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from glmcount.errors import NotDefinedError
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Look", "add_up"]

POINTS = 32
DEGREE = 28
# Panels from this one on have the full degree.
FULL = 3
LEVELS = 990
TOLERANCE = 2e-15
NOISE, ROUNDED = 1e-6, 1e-3
# What is left out is below exp(-41) of the sum.
NEGLIGIBLE = 41.0
ROUNDS = 20_000
# Rows added up at a time, so that their counts stay in the processor's cache.
ROWS = 2048

Rows = NDArray[np.intp]
# (rows, counts (k, m)) -> log-probabilities (k, m), further columns (c, k, m), rounding (k, m)
Look = Callable[[Rows, Array], tuple[Array, Array, Array]]


@lru_cache(maxsize=LEVELS)
def _panel(level: int) -> tuple[Array, Array, Array]:
    """Offsets, weights and the rows of the highest coefficients of a panel."""
    count = POINTS * 2.0**level
    if level == 0:
        return np.arange(count), np.ones(POINTS), np.zeros((3, POINTS))
    degree = DEGREE if level >= FULL else int(2.0 * np.sqrt(count))
    angle = (np.arange(POINTS) + 0.5) * np.pi / POINTS
    wished = 0.5 * (count - 1.0) * (1.0 - np.cos(angle))
    # The ends belong to it, and in a narrow panel no count is taken twice.
    wished[0], wished[-1] = 0.0, count - 1.0
    order = np.arange(float(POINTS))
    offsets = np.minimum(np.maximum(np.rint(wished), order), count - 1.0 - order[::-1])
    basis = np.polynomial.legendre.legvander(2.0 * offsets / (count - 1.0) - 1.0, degree)
    inverse = np.linalg.pinv(basis)
    return offsets, _sums(count, degree) @ inverse, inverse[-3:]


def _sums(count: float, degree: int) -> Array:
    """Sums of the Legendre polynomials over `count` equally spaced points of [-1, 1]."""
    # The Gauss rule of these points adds up degrees to 31 exactly: discrete Chebyshev
    # polynomials (Gautschi 2004, Orthogonal Polynomials, section 1.5.2).
    k = np.arange(1.0, 16.0)
    squares = k * k * (1.0 - (k / count) ** 2) / (4.0 * k * k - 1.0)
    jacobi = np.diag(np.sqrt(squares), 1)
    points, vectors = np.linalg.eigh(jacobi + jacobi.T)
    points *= count / (count - 1.0)
    sums: Array = (count * vectors[0] ** 2) @ np.polynomial.legendre.legvander(points, degree)
    # Odd ones cancel.
    sums[1::2] = 0.0
    return sums


@dataclass(frozen=True)
class Step:
    """One panel of some rows: its sum, on the scale of exp(peak), and how it ended."""

    peak: Array
    sum: Array
    columns: Array
    width: Array
    end: Array
    falling: NDArray[np.bool_]
    good: NDArray[np.bool_]
    error: Array
    noise: Array


def add_up(
    look: Look, first: Array, last: Array, up: bool, columns: int = 0
) -> tuple[Array, Array]:
    """Logarithms of sums over the counts from `first` to `last`, `up` or down, by row.

    Sums end early where what is left no longer matters, for probabilities that fall for good
    once they fall; they are NaN where a probability is.

    Parameters
    ----------
    look : callable
        ``(rows, counts) -> (log-probabilities, columns, rounding)``.
    first, last : ndarray, shape (n,)
        An empty run has a sum of zero. `last` may be infinite.
    up : bool
    columns : int
        How many columns of numbers `look` gives besides.

    Returns
    -------
    ndarray, shape (n,)
        Log-sums.
    ndarray, shape (columns, n)
        Means of the columns, weighted by the probabilities.

    Raises
    ------
    NotDefinedError
        If probabilities are so ragged that no panel of them can be added up.
    """
    total, means = np.full(first.size, -np.inf), np.zeros((columns, first.size))
    for begin in range(0, first.size, ROWS):
        part = np.arange(begin, min(begin + ROWS, first.size))
        total[part], means[:, part] = _add_up(look, part, first[part], last[part], up, columns)
    return total, means


def _add_up(
    look: Look, own: Rows, first: Array, last: Array, up: bool, columns: int
) -> tuple[Array, Array]:
    sign = 1.0 if up else -1.0
    at = first.astype(np.float64)
    # Few distributions change within the root of a count; those that do are halved.
    level = np.floor(0.5 * np.log2(np.maximum(at, POINTS**2)) - np.log2(POINTS)).astype(np.intp)
    smooth = np.ones(first.size, dtype=bool)
    total, means = np.full(first.size, -np.inf), np.zeros((columns, first.size))
    last_error, noise = np.full(first.size, np.inf), np.zeros(first.size)
    rows = np.flatnonzero(sign * (last - first) >= 0)
    for _ in range(ROUNDS):
        if not rows.size:
            return total, means
        left = np.abs(last[rows] - at[rows]) + 1.0
        widest = np.log2(np.maximum(np.minimum(left, 1e290), POINTS) / POINTS)
        level[rows] = np.minimum(level[rows], np.floor(widest).astype(np.intp))
        so_far = total[rows], last_error[rows], noise[rows]
        step = _step(look, own[rows], level[rows], at[rows], left, sign, so_far)
        last_error[rows], noise[rows] = step.error, step.noise
        taken = rows[step.good]
        _merge(total, means, taken, step)
        at[taken] += sign * step.width[step.good]
        level[rows] += np.where(step.good, np.where(smooth[rows], 2, 0), -1)
        smooth[rows] = step.good
        rest = step.end + np.log1p(np.abs(at[rows])) <= total[rows] - NEGLIGIBLE
        # A run that comes down from counts that cannot be has its sum still before it.
        rest &= up | np.isfinite(total[rows])
        over = sign * (last[rows] - at[rows]) < 0
        ended = (step.falling & rest) | over | np.isnan(step.peak)
        rows = rows[~(step.good & ended)]
    raise NotDefinedError(
        f"The probabilities from count {first[rows[0]]:g} on cannot be added up: they go up and "
        "down from count to count.",
        kind="ragged_probabilities",
    )


def _step(
    look: Look,
    own: Rows,
    level: Rows,
    at: Array,
    left: Array,
    sign: float,
    so_far: tuple[Array, Array, Array],
) -> Step:
    distinct, where = np.unique(level, return_inverse=True)
    panels = zip(*map(_panel, distinct.tolist()), strict=True)
    offsets, weights, highest = (np.stack(part)[where] for part in panels)
    inside = offsets < left[:, None]
    # Counts that cannot be may be looked at: minus infinity is what they get.
    with np.errstate(all="ignore"):
        logs, columns, rounding = look(own, at[:, None] + sign * np.where(inside, offsets, 0.0))
    logs = np.where(inside, logs, -np.inf)
    peak = logs.max(axis=1)
    width: Array = np.exp2(level) * POINTS
    least = np.log2(np.maximum(np.spacing(at), 0.5)) + 1.0
    with np.errstate(invalid="ignore", under="ignore", over="ignore"):
        share = np.where(np.isneginf(logs), 0.0, np.exp(logs - peak[:, None]))
        weighted = share * weights
        sums = weighted.sum(axis=1)
        size = sums + np.exp(so_far[0] - peak)
        error = np.abs(np.einsum("kcm,km->kc", highest, share)).max(axis=1) * width / size
        # What halving does not make smaller is rounding, if it is small.
        # Beyond 2^53 counts are rounded too.
        most = np.where(at > 2.0**53, ROUNDED, NOISE)
        stays = (error < most) & (error > 0.25 * so_far[1]) & (error < 4.0 * so_far[1])
        stays &= level >= FULL
        noise = np.where(stays, np.maximum(error, so_far[2]), so_far[2])
        rounded = 3.0 * (rounding * share).max(axis=1) * width / size
        good = (error <= TOLERANCE + rounded + 4.0 * noise) | (level <= least)
        good |= ~np.isfinite(peak)
    ended = np.count_nonzero(inside, axis=1) - 1
    rows = np.arange(own.size)
    end = logs[rows, ended]
    return Step(
        peak,
        sums,
        (columns * weighted).sum(axis=2),
        width,
        end,
        end <= logs[rows, np.maximum(ended - 1, 0)],
        good,
        np.where(good, np.inf, error),
        noise,
    )


def _merge(total: Array, means: Array, taken: Rows, step: Step) -> None:
    good = step.good
    with np.errstate(divide="ignore", invalid="ignore"):
        part = step.peak[good] + np.log(step.sum[good])
        both = np.logaddexp(total[taken], part)
        share = np.where(np.isneginf(part), 0.0, np.exp(part - both))
        own = step.columns[:, good] / step.sum[good]
    own = np.where(step.sum[good] > 0, own, 0.0)
    means[:, taken] += share * (own - means[:, taken])
    total[taken] = both
