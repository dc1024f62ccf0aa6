"""Intervals of new counts, which take in the spread of the counts and that of the estimates.

Of a row with predictors eta and their covariance S a new count has the distribution function
F(k) = mean over draws d of F(k; eta + L z_d), L L' = S, z_d standard normal: the law of the counts
mixed over the normal law of the estimates, on the scale on which they are estimated. The interval
ends at the smallest counts with F >= alpha / 2 and F >= 1 - alpha / 2.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from glmcount.allowed import generator, whole
from glmcount.design.measure import check_finite
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.engine.scores import chunks
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.errors import NotDefinedError, outside
from glmcount.families.base import Family
from glmcount.families.distribution import log_masses, stacked, tails
from glmcount.families.quantiles import quantiles
from glmcount.fitting.run import Fit
from glmcount.inference.intervals import confidence
from glmcount.numerics import Array
from glmcount.prediction.edges import warn_of_limits
from glmcount.prediction.estimable import reach_of, told_of
from glmcount.records import dataclass

__all__ = ["NewCounts"]

SEED = 20261130
# Numbers of which the law is asked at once: rows times draws.
AT_ONCE = 1 << 18
# A share, or its normal score, within so much of the one asked for has reached it: both carry
# rounding.
FUZZ, NEAR = 1e-13, 1e-11
FARTHEST = 1e15
# Upper ends below which probabilities are added up, each at a fraction of what a tail costs; not
# for shares of which sums lose the digits.
FEW, FINEST = 1_000.0, 1e-9
TURNS = 400
# Standard deviations within which ends are looked for roughly, and how often that is halved.
WIDE, HALVINGS = 9.0, 24

Index = NDArray[np.intp]
# Low and high counts of brackets, each with the scores and shares there.
Ends = tuple[Array, Array, Array, Array]


@dataclass(frozen=True)
class NewCounts:
    """Rows for which new counts are told, and the estimates they are told by.

    Parameters
    ----------
    rows : Rows
    fit : Fit
    matrix : ndarray, shape (k, k)
        Covariance over all shifted columns.
    label : callable
        From values of all rows to a Series.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6, 0, 4, 2, 3]})
    >>> type(r.get_prediction().counts).__name__
    'NewCounts'
    """

    rows: Rows
    fit: Fit
    matrix: Array
    label: Callable[[Array], pd.Series]

    def interval(self, level: Any, rng: Any, draws: Any) -> pd.DataFrame:
        """Lower and upper ends, and the coverage that they achieve.

        Parameters
        ----------
        level : float
        rng : int, Generator or None
            Of the draws; the same ones each time where not given.
        draws : int

        Returns
        -------
        DataFrame, (rows, 3)
            ``lower upper coverage``.

        Raises
        ------
        NotDefinedError
            For a quasi-likelihood, which has no distribution.
        UsageError
            If level is not between 0 and 1, or draws not a whole number of 2 or more.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6, 0, 4, 2, 3]})
        >>> r.get_prediction().counts.interval(0.9, None, 200).iloc[0].round(3).tolist()
        [0.0, 6.0, 0.971]
        """
        alpha = 1.0 - confidence(level)
        count = whole("draws", draws, 2, "draws")
        family = self.fit.family
        if not family.likelihood:
            raise NotDefinedError(
                f"New counts have a distribution, and {family.label} has only a mean and a "
                "variance; fit family='poisson' or 'negbin'.",
                kind="no_likelihood",
            )
        source = generator(SEED if rng is None else rng)
        half = source.standard_normal((-(-count // 2), family.q))
        # With each draw its mirror image: what is odd in the draws has its exact mean.
        normal = np.concatenate([half, -half])[:count]
        out = np.full((5, self.rows.source.n_rows), np.nan)

        def work(strip: Strip) -> list[tuple[Index, Array]]:
            return list(self._told(strip, normal, alpha))

        for place, values in self.rows.fold(work, lambda a, b: a + b):
            out[:, place] = values
        return self._table(out)

    def _told(self, strip: Strip, normal: Array, alpha: float) -> Iterator[tuple[Index, Array]]:
        """Numbers of rows with ends, coverage, and whether they are lost or limits."""
        if not self.rows.response and strip.n:
            check_finite(self.rows.spec, strip)
        where = (np.arange(strip.n) if strip.where is None else strip.where) + strip.first
        first, layout, family = 0, self.fit.layout, self.fit.family
        size = max(1, AT_ONCE // len(normal))
        for part in chunks(layout, strip):
            reach = reach_of(self.fit, part)
            lost, limit = np.zeros(part.n, dtype=bool), np.zeros(part.n, dtype=bool)
            for way in reach.ways:
                if way is not None:
                    lost |= np.isnan(way)
                    limit |= np.abs(way) == 1.0
            etas = np.stack([np.broadcast_to(eta, (part.n,)) for eta in reach.etas])
            roots = _roots(layout, part, self.matrix)
            out = np.full((5, part.n), np.nan)
            out[3], out[4] = lost, limit
            known = np.flatnonzero(~(lost | limit))
            for begin in range(0, len(known), size):
                rows = known[begin : begin + size]
                out[:3, rows] = _ends(family, etas[:, rows], roots[:, :, rows], normal, alpha)
            yield where[first : first + part.n], out
            first += part.n

    def _table(self, out: Array) -> pd.DataFrame:
        lost, limit = out[3] == 1.0, (out[4] == 1.0) & (out[3] != 1.0)
        told = told_of(self.rows, self.fit, lost) if lost.any() else None
        if told is not None:
            warnings.warn(told, stacklevel=outside())
        warn_of_limits("The law of a new count", limit)
        columns = zip(("lower", "upper", "coverage"), out, strict=False)
        return pd.DataFrame({name: self.label(values) for name, values in columns})


def _roots(layout: Layout, strip: Strip, matrix: Array) -> Array:
    """Of each row the lower root of the covariance of its predictors, (q, q, n)."""
    columns = columns_of(layout, strip)
    q = layout.q
    out = np.zeros((q, q, strip.n))
    for j, (own, x) in enumerate(zip(layout.slices, columns, strict=True)):
        for k in range(j + 1):
            other = layout.slices[k]
            out[j, k] = np.einsum("pn,pn->n", x, np.dot(matrix[own, other], columns[k]))
    for k in range(q):
        pivot = np.sqrt(np.maximum(out[k, k], 0.0))
        out[k, k] = pivot
        for j in range(k + 1, q):
            with np.errstate(divide="ignore", invalid="ignore"):
                out[j, k] = np.where(pivot > 0.0, out[j, k] / pivot, 0.0)
        # What is left of the covariance once this draw is given.
        for j in range(k + 1, q):
            for i in range(k + 1, j + 1):
                out[j, i] -= out[j, k] * out[i, k]
    return out


def _ends(family: Family, etas: Array, roots: Array, normal: Array, alpha: float) -> Array:
    """Lower and upper end and the coverage of some rows, (3, n)."""
    drawn = etas[:, :, None] + np.einsum("jkn,dk->jnd", roots, normal)
    out = np.full((3, etas.shape[1]), np.nan)
    with np.errstate(all="ignore"):
        near = quantiles(family, list(etas), 1.0 - 0.5 * alpha, etas.shape[1])
        few = near < FEW if alpha > FINEST else np.zeros(len(near), dtype=bool)
        for rows, found in ((np.flatnonzero(few), _added), (np.flatnonzero(~few), _searched)):
            if len(rows):
                out[:, rows] = found(family, drawn[:, rows], alpha)
    return out


def _added(family: Family, drawn: Array, alpha: float) -> Array:
    """By adding up probabilities from the least count on, for all rows at once."""
    _, n, count = drawn.shape
    out, total, rows = np.full((3, n), np.nan), np.zeros(n), np.arange(n)
    start, k = np.zeros(n), max(family.support[0], 0.0)
    etas = [own.ravel() for own in drawn]
    upper, lower = 1.0 - 0.5 * alpha - FUZZ, 0.5 * alpha - FUZZ
    while rows.size and k < FARTHEST:
        logs = log_masses(family, etas, np.full(rows.size * count, k))[0]
        more = total[rows] + np.exp(logs).reshape(-1, count).mean(axis=1)
        first = rows[(more >= lower) & np.isnan(out[0, rows])]
        out[0, first], start[first] = k, total[first]
        total[rows] = more
        done = more >= upper
        ended = rows[done]
        out[1, ended], out[2, ended] = k, more[done] - start[ended]
        # What has no law ends too.
        left = ~done & ~np.isnan(more)
        if not left.all():
            rows = rows[left]
            etas = [own.reshape(-1, count)[left].ravel() for own in etas]
        k += 1.0
    out[:, np.isnan(out[1])] = np.nan
    return out


def _searched(family: Family, drawn: Array, alpha: float) -> Array:
    """By looking for the ends among large counts."""
    law = _Mixture(family, drawn, drawn.shape[2])
    lower, below, _ = law.first(0.5 * alpha, *_roughly(family, drawn, 0.5 * alpha))
    upper, _, beyond = law.first(1.0 - 0.5 * alpha, *_roughly(family, drawn, 1.0 - 0.5 * alpha))
    return np.stack([lower, upper, 1.0 - (below + beyond)])


def _roughly(family: Family, drawn: Array, share: float) -> tuple[Array, Array]:
    """Where the mixture reaches a share, and counts to a normal score there, by gamma laws.

    These have the means and variances of the counts.
    """
    _, n, count = drawn.shape
    moments = family.moments([own.ravel() for own in drawn])
    mean, variance = (np.broadcast_to(one.value, (n * count,)).reshape(n, count) for one in moments)
    shape, rate = mean * mean / variance, mean / variance

    def score(at: Array) -> Array:
        shares = scipy.special.gammainc(shape, np.maximum(at + 0.5, 0.0)[:, None] * rate)
        found: Array = scipy.special.ndtri(shares.mean(axis=1))
        return found

    wanted, reach = scipy.special.ndtri(share), WIDE * np.sqrt(variance)
    low, high = np.maximum(mean - reach, 0.0).min(axis=1), (mean + reach).max(axis=1)
    width = high - low
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        up = score(middle) >= wanted
        low, high = np.where(up, low, middle), np.where(up, middle, high)
    side = 1e-3 * width
    return np.ceil(high), 2.0 * side / (score(high + side) - score(high - side))


@dataclass(frozen=True)
class _Mixture:
    """The law of new counts of some rows, mixed over draws of their predictors, (q, n, draws)."""

    family: Family
    drawn: Array
    count: int

    def at(self, rows: Index, counts: Array) -> tuple[Array, Array]:
        """P(Y <= count) and P(Y > count) of some rows."""
        etas = [own[rows].ravel() for own in self.drawn]
        asked = np.repeat(np.maximum(counts, 0.0), self.count)
        _, upto, _, beyond = tails(self.family, stacked(self.family, asked), etas)
        shape = (len(rows), self.count)
        shares = [np.exp(each).reshape(shape).mean(axis=1) for each in (upto, beyond)]
        none = counts < self.family.support[0]
        return np.where(none, 0.0, shares[0]), np.where(none, 1.0, shares[1])

    def score(self, rows: Index, counts: Array, share: float) -> Array:
        """Normal scores of P(Y <= count) beyond a share's, that, and P(Y > count), (3, rows).

        The first is told from the smaller side.
        """
        upto, beyond = self.at(rows, counts)
        ndtri = scipy.special.ndtri
        own = np.where(upto < beyond, ndtri(upto), -ndtri(beyond))
        wanted = ndtri(share) if share < 0.5 else -ndtri(1.0 - share)
        found = own - wanted
        return np.stack([np.where(np.abs(found) < NEAR, 0.0, found), upto, beyond])

    def first(self, share: float, near: Array, scale: Array) -> tuple[Array, Array, Array]:
        """The smallest count that has reached a share, P(Y < it) and P(Y > it), by row.

        It is looked for from one nearby, about which a normal score is `scale` counts. Between a
        count that has not reached the share and one that has the next is where a straight line in
        normal scores crosses, or the middle by turns.
        """
        least, out = self.family.support[0], np.full((3, len(near)), np.nan)
        rows = np.flatnonzero(np.isfinite(near))
        low, lower = np.full(len(rows), least - 1.0), np.zeros((3, len(rows)))
        lower[0], lower[2] = -np.inf, 1.0
        high = np.maximum(near[rows], least)
        upper = self.score(rows, high, share)
        step = np.ceil(1.5 * np.abs(upper[0]) * scale[rows]) + 1.0
        step = np.where(np.isfinite(step), step, np.maximum(1.0, np.floor(0.05 * high)))
        self._up(rows, share, (low, lower, high, upper), step)
        self._down(rows, share, (low, lower, high, upper), step)
        for turn in range(TURNS):
            wide = high - low > np.maximum(1.0, np.spacing(high))
            left = np.flatnonzero(wide & (upper[0] >= 0.0))
            if not left.size:
                break
            tried = _between(low[left], high[left], lower[0][left], upper[0][left], turn)
            self._tried(rows, share, (low, lower, high, upper), (left, tried))
        out[:, rows] = np.where(upper[0] >= 0.0, [high, lower[1], upper[2]], np.nan)
        return out[0], out[1], out[2]

    def _up(self, rows: Index, share: float, ends: Ends, step: Array) -> None:
        """Move counts that have not reached the share up, until they have."""
        low, lower, high, upper = ends
        step, left = step.copy(), np.flatnonzero(upper[0] < 0.0)
        while left.size:
            low[left], lower[:, left] = high[left], upper[:, left]
            high[left] += step[left]
            step[left] *= 2.0
            upper[:, left] = self.score(rows[left], high[left], share)
            left = left[(upper[0][left] < 0.0) & (high[left] < FARTHEST)]

    def _down(self, rows: Index, share: float, ends: Ends, step: Array) -> None:
        """Look below counts that have reached the share for ones that have not."""
        low, least, step = ends[0], self.family.support[0] - 1.0, step.copy()
        left = np.flatnonzero((ends[3][0] >= 0.0) & (low == least))
        while left.size:
            tried = ends[2][left] - step[left]
            left, tried = left[tried > least], tried[tried > least]
            step[left] *= 2.0
            self._tried(rows, share, ends, (left, tried))
            left = left[low[left] == least]

    def _tried(self, rows: Index, share: float, ends: Ends, what: tuple[Index, Array]) -> None:
        """Take counts for one end of their bracket, or the other."""
        low, lower, high, upper = ends
        left, tried = what
        if not left.size:
            return
        found = self.score(rows[left], tried, share)
        up = found[0] >= 0.0
        high[left[up]], upper[:, left[up]] = tried[up], found[:, up]
        low[left[~up]], lower[:, left[~up]] = tried[~up], found[:, ~up]


def _between(low: Array, high: Array, lower: Array, upper: Array, turn: int) -> Array:
    """The next count to try, inside the bracket."""
    middle = np.floor(0.5 * (low + high))
    line = np.floor(high - (high - low) * upper / (upper - lower))
    # A little to either side by turns, so that the bracket closes from both.
    line = line + (0.0, 1.0, -1.0)[turn % 3]
    tried = np.where(np.isfinite(line) & (turn % 4 != 3), line, middle)
    return np.clip(tried, low + 1.0, high - 1.0)
