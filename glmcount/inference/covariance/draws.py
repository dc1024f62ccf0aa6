"""What is drawn of the rows, and what the draws came to."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.scores import row_scores
from glmcount.engine.strip import Strip
from glmcount.inference.covariance.grouped import Groups, Roles, summed
from glmcount.inference.setting import Setting
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Draws", "Units", "acceleration", "products"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What the refits came to.

    Parameters
    ----------
    values : ndarray, shape (draws, k)
        Kept parameters in the user's columns, as they are estimated; of draws that have a fit.
    errors : ndarray, shape (draws, k), or None
        Their standard errors, where they were asked for.
    asked, lost, failed : int
        Draws; those in which some coefficient is not identified, as where a level has lost all
        its rows, and others without a finite maximum.
    acceleration : ndarray, shape (k,)
        a of BCa intervals, of the influence of rows or clusters to first order.
    own_errors : ndarray, shape (k,), or None
        Standard errors of the fit itself, made as those of the draws.
    jackknife : bool
        Whether one was left out of each.

    Examples
    --------
    >>> import glmcount as gc
    >>> cov = gc.jackknife()
    >>> def compute(setting, bread):
    ...     found = cov.compute(setting, bread)
    ...     print(found.draws.values.shape, found.draws.told)
    ...     return found
    >>> own = gc.covariances.Estimator("own", "own", compute, cov.needs)
    >>> _ = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov=own).bse
    (4, 1) 4 refits
    """

    values: Array
    errors: Array | None
    asked: int
    lost: int
    failed: int
    acceleration: Array
    own_errors: Array | None
    jackknife: bool

    @property
    def told(self) -> str:
        """How many draws there were, and what became of them."""
        parts = [f"{self.asked:,} refits"]
        if self.lost:
            parts.append(f"{self.lost:,} of them without rows that identify every coefficient")
        if self.failed:
            parts.append(f"{self.failed:,} without a finite maximum")
        return ", ".join(parts)


@dataclass(frozen=True)
class Units:
    """What is drawn: rows, copies of rows, or clusters.

    Parameters
    ----------
    of : ndarray of int, shape (n,)
        The unit of each used row.
    weights : ndarray, shape (n,)
        As the fit has them.
    copies : ndarray, shape (units,), or None
        How often each unit is there, where frequency weights say so.
    numbers, places : ndarray of int, shape (n,) and (rows of the data,)
        The used rows among all rows of the data, and the other way round.
    clusters : Groups or None
    """

    of: NDArray[Any]
    weights: Array
    copies: Array | None
    numbers: NDArray[Any]
    places: NDArray[Any]
    clusters: Groups | None = None

    def __len__(self) -> int:
        return int(self.of.max()) + 1

    def without(self, number: int) -> Array:
        """The same without one unit, or without one copy of it."""
        left = np.ones(len(self))
        left[number] = 0.0 if self.copies is None else 1.0 - 1.0 / self.copies[number]
        return left

    def shares(self, kind: str, rng: np.random.Generator) -> Array:
        """How often each unit is drawn, relative to once."""
        count = len(self)
        if kind == "bayesian":
            drawn = rng.exponential(size=count) if self.copies is None else rng.gamma(self.copies)
            drawn = drawn if self.copies is None else drawn / self.copies
            return drawn / np.average(drawn, weights=self.copies)
        if self.copies is None:
            return np.bincount(rng.integers(count, size=count), minlength=count).astype(float)
        total = int(self.copies.sum())
        return rng.multinomial(total, self.copies / total) / self.copies


def _scores_fold(
    setting: Setting,
    units: Units,
    theta: Array,
    work: Callable[[Array, NDArray[Any]], T],
    add: Callable[[T, T], T],
) -> T:
    """Fold ``work(scores, units)`` over sums of scores by cluster, or over rows some at a time."""
    fit = setting.fit

    def scores_of(strip: Strip) -> Array:
        return row_scores(fit.layout, strip, theta, fit.family)[:, fit.kept]

    if units.clusters is None:

        def by_row(strip: Strip, roles: Roles) -> T:
            own = np.arange(strip.n) if strip.where is None else strip.where
            return work(scores_of(strip), units.places[strip.first + own])

        return setting.runs(by_row, add)
    clusters = units.clusters

    def by_cluster(strip: Strip, roles: Roles) -> Array:
        return summed(scores_of(strip), clusters.codes(roles), len(units))

    return work(setting.runs(by_cluster, operator.add), np.arange(len(units)))


def products(setting: Setting, units: Units, theta: Array, shares: Array) -> Array:
    """Sum of the products of the scores of what was drawn, (k, k)."""
    weights = shares if units.copies is None else shares / units.copies

    def work(scores: Array, own: NDArray[Any]) -> Array:
        return np.dot(scores.T * weights[own], scores)

    return _scores_fold(setting, units, theta, work, operator.add)


def acceleration(setting: Setting, units: Units, bread: Array) -> Array:
    """sum u^3 / (6 (sum u^2)^1.5) of the influence u = B s of rows or clusters."""
    fit = setting.fit
    back = fit.layout.functions(np.eye(fit.layout.size)[fit.kept], fit.kept)
    map_scores = np.dot(back, bread).T

    def work(scores: Array, own: NDArray[Any]) -> Array:
        influence = np.dot(scores, map_scores)
        copies = np.ones(1) if units.copies is None else units.copies[own][:, None]
        square, cube = influence * influence / copies, influence**3 / (copies * copies)
        return np.stack([square.sum(axis=0), cube.sum(axis=0)])

    square, cube = _scores_fold(setting, units, fit.theta, work, operator.add)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = cube / (6.0 * square**1.5)
    return np.where(np.isfinite(found), found, 0.0)
