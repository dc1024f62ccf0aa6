"""Sums by group of rows: scores and informations, some groups at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.design.given import plain_name
from glmcount.design.spec import DesignSpec
from glmcount.engine.passes import weighing
from glmcount.engine.scatter import scratch
from glmcount.engine.scores import Made, each_column
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.errors import CovarianceError
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import rows_of
from glmcount.inference.setting import Setting
from glmcount.numerics import Array
from glmcount.records import dataclass, replace
from glmcount.sources.folds import by_threads, processors

__all__ = [
    "Codes", "Groups", "Roles", "groups_of", "informations", "refuse_one", "score_sums", "spans",
]  # fmt: skip

Codes = NDArray[np.integer[Any]]
Roles = tuple[NDArray[Any], ...]
# Bytes of a row that is added up: two codes, slopes and a column, each as it comes and joined.
ROW = 56
# Columns that share those they are multiplied by.
STEP = 8


@dataclass(frozen=True)
class Groups:
    """Groups by one column, or by what rows have in several at once.

    Parameters
    ----------
    places : tuple of int
        Of the columns among those the covariance needs.
    sizes : tuple of int
        How many values each of them has.
    keys : ndarray, shape (groups,), or None
        Of several columns the joint codes that rows have, in order.
    """

    places: tuple[int, ...]
    sizes: tuple[int, ...]
    keys: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return self.sizes[0] if self.keys is None else len(self.keys)

    def joint(self, groups: Roles) -> NDArray[np.int64]:
        """One number for the values that a row has in all columns."""
        first, *others = self.places
        out = groups[first].astype(np.int64)
        for place, size in zip(others, self.sizes[1:], strict=True):
            out = out * size + groups[place]
        return out

    def codes(self, groups: Roles) -> Codes:
        """The group of each row."""
        if self.keys is None:
            return groups[self.places[0]]
        return np.searchsorted(self.keys, self.joint(groups))


def groups_of(setting: Setting, places: tuple[int, ...]) -> Groups:
    """The groups that the used rows fall into by some of the columns.

    Raises
    ------
    CovarianceError
        If there is but one, or more combinations than numbers to tell them apart.
    """
    sizes = tuple(setting.sizes[place] for place in places)
    found = Groups(places, sizes)
    if len(places) > 1:
        if math.prod(sizes) >= 1 << 62:
            raise CovarianceError(
                "The columns that group the rows have too many combinations of values to number. "
                "Group by fewer columns.",
                kind="too_many_groups",
            )
        keys = setting.fold(
            lambda seen: np.unique(found.joint(seen.groups)),
            lambda a, b: np.unique(np.concatenate([a, b])),
        )
        found = Groups(places, sizes, keys)
    if len(found) < 2:
        raise _one([setting.needs.groups[place] for place in places])
    return found


def _one(columns: Sequence[str]) -> CovarianceError:
    name = " and ".join(map(plain_name, columns))
    return CovarianceError(
        f"A clustered covariance takes two clusters and more, and all used rows have one value "
        f"in {name}. Group by another column, or use cov='HC1'.",
        kind="one_cluster",
    )


def refuse_one(columns: Sequence[str], spec: DesignSpec) -> None:
    """Refuse columns of which the design knows that they have one value.

    Raises
    ------
    CovarianceError
    """
    for role in spec.roles:
        own = role.what == "group" and role.name in columns
        if own and role.levels is not None and len(role.levels) < 2:
            raise _one([role.name])


def spans(count: int, numbers: int, setting: Setting, tables: int = 4) -> Iterator[tuple[int, int]]:
    """Runs of groups whose sums, so many numbers each, the memory allowed holds at once.

    As `tables` of them: that of the total, and one for each strip that is worked on.
    """
    step = max(1, setting.control.memory // (8 * tables * max(numbers, 1)))
    for first in range(0, count, step):
        yield first, min(first + step, count)


def summed(values: Array, codes: Codes, count: int) -> Array:
    """Columns of `values` by group, (count, k)."""
    out = np.empty((values.shape[1], count))
    for column, total in zip(values.T, out, strict=True):
        total[:] = np.bincount(codes, column, count)
    return out.T


def _within(codes: Codes, first: int, last: int, count: int) -> Codes | None:
    """Which rows have a group of a run; None for all."""
    if first == 0 and last == count:
        return None
    return np.flatnonzero((codes >= first) & (codes < last))


@dataclass(frozen=True, eq=False)
class Pending:
    """Rows whose scores are to be added to those of their groups.

    Parameters
    ----------
    strip : Strip
    codes : ndarray, shape (rows chosen,)
        Of the groups of a run, from 0 on.
    chosen : ndarray, shape (rows chosen,), or None
        Which rows these are of; None for all.
    slopes : tuple of ndarray of shape (n,) or None
        Weighted derivatives of the log-likelihoods by each predictor.
    """

    strip: Strip
    codes: Codes
    chosen: Codes | None
    slopes: tuple[Array | None, ...]


@dataclass(frozen=True, eq=False)
class ScoreSums:
    """Sums of scores by group so far, (k, groups), and rows that wait to be added.

    Of many groups a column of sums is as large as a processor's cache: each is filled by as many
    rows as the memory allows before the next one's turn.
    """

    fit: Fit
    groups: int
    memory: int
    workers: int
    table: Array | None
    waiting: tuple[Pending, ...]

    def plus(self, other: ScoreSums) -> ScoreSums:
        """These and the rows that come next."""
        both = replace(self, waiting=(*self.waiting, *other.waiting))
        held = sum(ROW * len(part.codes) + part.strip.own_bytes for part in both.waiting)
        return both if held < self.memory else replace(both, table=both.sums(), waiting=())

    def sums(self) -> Array:
        """The sums, with those that wait."""
        layout, kept, waiting = self.fit.layout, self.fit.kept, self.waiting
        total = np.zeros((len(kept), self.groups)) if self.table is None else self.table
        if not waiting:
            return total
        places = np.full(layout.size, -1)
        places[kept] = np.arange(len(kept))
        adding = [_adding(waiting, k, self.groups) for k in range(layout.q)]

        def one(equation: int, position: int, parts: Sequence[Made]) -> None:
            matrix = adding[equation]
            if matrix is None or places[position] < 0:
                return
            column = scratch("joined", (matrix.shape[1],))
            last = 0
            for part, made in zip(waiting, parts, strict=True):
                first, last = last, last + len(part.codes)
                here = column[first:last]
                values = made(here if part.chosen is None else None)
                if values is None:
                    here[:] = 1.0
                elif values is not here:
                    here[:] = values if part.chosen is None else values[part.chosen]
            total[places[position]] += matrix @ column

        columns = zip(*(each_column(layout, part.strip) for part in waiting), strict=True)
        each = ((*own[0][:2], [made for _, _, made in own]) for own in columns)
        for _ in by_threads(one, each, self.workers):
            pass
        return total


def _adding(parts: Sequence[Pending], equation: int, groups: int) -> scipy.sparse.csc_array | None:
    """The matrix that adds up by group the rows of columns times an equation's slopes.

    Its product with a column lets two threads work, which sums in place do not.
    """
    slopes = []
    for part in parts:
        slope = part.slopes[equation]
        if slope is None:
            return None
        slope = np.broadcast_to(slope, (part.strip.n,))
        slopes.append(slope if part.chosen is None else slope[part.chosen])
    codes = np.concatenate([part.codes for part in parts])
    return _matrix(np.concatenate(slopes), codes, groups)


def _matrix(values: Array, codes: Codes, groups: int) -> scipy.sparse.csc_array:
    """The matrix that adds up by group the rows of columns times `values`."""
    rows = np.arange(len(codes) + 1, dtype=np.int32)
    return scipy.sparse.csc_array(
        (values, codes.astype(np.int32, copy=False), rows), (groups, len(codes))
    )


def score_sums(setting: Setting, groups: Groups) -> Iterator[tuple[int, Array]]:
    """Sums of weighted scores by group, (groups, k), for a run of groups after the other."""
    fit, k, count = setting.fit, len(setting.fit.kept), len(groups)
    weigh = weighing(fit.family, False, second=False)
    workers = setting.control.threads or processors()
    for first, last in spans(count, k, setting, tables=1):

        def work(strip: Strip, roles: Roles, first: int = first, last: int = last) -> ScoreSums:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                slopes = weigh(rows_of(fit.layout, strip, fit.theta)).first
            codes = groups.codes(roles)
            chosen = _within(codes, first, last, count)
            codes = codes if chosen is None else codes[chosen] - first
            # As the matrix wants them, here, where threads share the work.
            codes = codes.astype(np.int32, copy=False)
            return ScoreSums(
                fit,
                last - first,
                setting.control.memory,
                workers,
                None,
                (Pending(strip, codes, chosen, slopes),),
            )

        yield first, setting.runs(work, ScoreSums.plus, whole=True).sums().T


def _added(total: Array, part: Array) -> Array:
    total += part
    return total


def informations(setting: Setting, groups: Groups, first: int, last: int) -> Array:
    """What each of a run of groups adds to the information, (groups, k, k)."""
    fit, count = setting.fit, len(groups)
    kept, k = fit.kept, len(fit.kept)
    weigh = weighing(fit.family, setting.found.options.information == "expected")
    equation = np.searchsorted([own.stop for own in fit.layout.slices], kept, side="right")

    def work(strip: Strip, roles: Roles) -> Array:
        codes = groups.codes(roles)
        entries = weigh(rows_of(fit.layout, strip, fit.theta)).second
        columns = np.concatenate(columns_of(fit.layout, strip))[kept]
        chosen = _within(codes, first, last, count)
        if chosen is not None:
            codes, columns = codes[chosen] - first, columns[:, chosen]
        out = np.zeros((last - first, k, k))
        for (a, b), entry in entries.items():
            if entry is None:
                continue
            entry = np.broadcast_to(entry, (strip.n,))
            entry = entry if chosen is None else entry[chosen]
            left, right = np.flatnonzero(equation == a), np.flatnonzero(equation == b)
            for i, after, sums in _products(columns, left, right, entry, codes, last - first):
                out[:, i, after] = sums
                out[:, after, i] = sums
        return out

    return setting.runs(work, _added, threads=processors())


def _products(
    columns: Array, left: Codes, right: Codes, entry: Array, codes: Codes, groups: int
) -> Iterator[tuple[int, Codes, Array]]:
    """Weighted sums by group of products of a column of `left` with those of `right`.

    Within an equation those that come after it; a matrix of ones and a few columns at a time take
    half as long as each product by itself.
    """
    same = np.array_equal(left, right)
    for first in range(0, len(left), STEP):
        after = right[first:] if same else right
        beside = np.ascontiguousarray(columns[after].T)
        for i in left[first : first + STEP]:
            kept = after[after >= i] if same else after
            sums = _matrix(columns[i] * entry, codes, groups) @ beside
            yield i, kept, sums[:, len(after) - len(kept) :]
