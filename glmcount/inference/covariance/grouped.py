"""Sums by group of rows: scores and informations, some groups at a time."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.design.given import plain_name
from glmcount.design.spec import DesignSpec
from glmcount.engine.passes import strip_slopes
from glmcount.engine.scatter import scratch
from glmcount.engine.scores import ColumnOf, each_column
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.engine.sums import Slopes
from glmcount.engine.weigh import weighing
from glmcount.errors import CovarianceError
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import rows_of
from glmcount.inference.setting import Setting
from glmcount.numerics import Array
from glmcount.numerics.spaced import following
from glmcount.records import cached_property, dataclass, field, replace
from glmcount.sources.folds import by_threads, processors

__all__ = [
    "Codes", "Groups", "Roles", "all_sums", "groups_of", "informations", "refuse_one",
    "score_sums", "spans",
]  # fmt: skip

Codes = NDArray[np.integer[Any]]
Roles = tuple[NDArray[Any], ...]
# Bytes of a row that is added up: codes and slopes, as they come and joined, a place, a column.
ROW = 36
# Bytes of sums, and of a column, that a thread keeps at most.
KEPT = 32 * 2**20
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
    slopes : tuple of list
        Weighted derivatives of the log-likelihoods by each predictor, of all rows.
    """

    strip: Strip
    codes: Codes
    chosen: Codes | None
    slopes: Slopes

    @cached_property
    def held(self) -> int:
        """Bytes that it takes, and will take when it is added."""
        return ROW * len(self.codes) + self.strip.own_bytes


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
        held = sum(part.held for part in both.waiting)
        return both if held < self.memory else replace(both, table=both.sums(), waiting=())

    def sums(self) -> Array:
        """The sums, with those that wait."""
        layout, kept, waiting = self.fit.layout, self.fit.kept, self.waiting
        shape = (len(kept), self.groups)
        if not waiting:
            return np.zeros(shape) if self.table is None else self.table
        # Every row of it is made below.
        total = _room("sums", shape) if self.table is None else self.table
        places = np.full(layout.size, -1)
        places[kept] = np.arange(len(kept))
        adding = [Adding.of(waiting, k, self.groups) for k in range(layout.q)]

        def one(equation: int, position: int, parts: Sequence[ColumnOf]) -> None:
            own, place = adding[equation], places[position]
            if place < 0:
                return
            out = total[place] if self.table is None else _room("row", (self.groups,))
            if own is None:
                out[:] = 0.0
            else:
                own.product(waiting, parts, out)
            if self.table is not None:
                total[place] += out

        columns = zip(*(each_column(layout, part.strip) for part in waiting), strict=True)
        each = ((*own[0][:2], [made for _, _, made in own]) for own in columns)
        for _ in by_threads(one, each, self.workers):
            pass
        return total


@dataclass(frozen=True, eq=False)
class Adding:
    """What adds up by group the rows of columns times an equation's slopes.

    A product with a sparse matrix lets two threads work, which sums in place do not.
    """

    matrix: scipy.sparse.csc_array
    lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def of(parts: Sequence[Pending], equation: int, groups: int) -> Adding | None:
        """That of an equation; None where no row has slopes by it."""
        slopes, told = [], False
        for part in parts:
            for n, slope in part.slopes[equation]:
                told = told or slope is not None
                slopes.append(np.broadcast_to(np.zeros(1) if slope is None else slope, (n,)))
        if not told:
            return None
        codes = np.concatenate([part.codes for part in parts])
        values = np.concatenate(slopes)
        if any(part.chosen is not None for part in parts):
            values = values[_chosen(parts)]
        return Adding(_matrix(values, codes, groups))

    @property
    def ones(self) -> Array:
        """What a column of ones adds up to, made by the first thread that asks."""
        with self.lock:
            return self._ones

    @cached_property
    def _ones(self) -> Array:
        column = _room("joined", (self.matrix.shape[1],))
        column[:] = 1.0
        return self.times(column)

    def times(self, column: Array) -> Array:
        """What a column adds up to by group."""
        found: Array = self.matrix @ column
        return found

    def product(self, waiting: Sequence[Pending], parts: Sequence[ColumnOf], out: Array) -> None:
        """Put in `out` what the rows of a column of the design add up to by group.

        A column that lies in memory as one is multiplied as it is: to copy it takes as long.
        """
        if parts[0].constant:
            out[:] = self.ones
            return
        rows = [own.plain for own in parts if own.plain is not None]
        if len(rows) == len(parts) and all(part.chosen is None for part in waiting):
            plain = following(rows)
            if plain is not None:
                found = self.times(plain)
                np.subtract(found, np.multiply(self.ones, parts[0].shift, out=out), out=out)
                return
        column = _room("joined", (self.matrix.shape[1],))
        last = 0
        for part, made in zip(waiting, parts, strict=True):
            first, last = last, last + len(part.codes)
            here = column[first:last]
            values = made(here if part.chosen is None else None)
            if values is not None and values is not here:
                here[:] = values if part.chosen is None else values[part.chosen]
        out[:] = self.times(column)


def _room(name: str, shape: tuple[int, ...]) -> Array:
    """Memory that a thread keeps for the next time, where it is no more than `KEPT`.

    New memory of that size takes as long as half of the sums.
    """
    return scratch(name, shape) if 8 * math.prod(shape) <= KEPT else np.empty(shape)


def _chosen(parts: Sequence[Pending]) -> Codes:
    """The rows that were chosen among all of the parts."""
    out, first = [], 0
    for part in parts:
        rows = np.arange(part.strip.n) if part.chosen is None else part.chosen
        out.append(first + rows)
        first += part.strip.n
    return np.concatenate(out)


def _matrix(values: Array, codes: Codes, groups: int) -> scipy.sparse.csc_array:
    """The matrix that adds up by group the rows of columns times `values`."""
    rows = np.arange(len(codes) + 1, dtype=np.int32)
    return scipy.sparse.csc_array(
        (values, codes.astype(np.int32, copy=False), rows), (groups, len(codes))
    )


def score_sums(setting: Setting, groups: Groups) -> Iterator[tuple[int, Array]]:
    """Sums of weighted scores by group, (groups, k), for a run of groups after the other.

    Each is there until the next is asked for, and is not to be kept.
    """
    fit, k, count = setting.fit, len(setting.fit.kept), len(groups)
    weigh = weighing(fit.family, False, second=False)
    # Of the fit's last pass, as near the estimate as its information.
    held = fit.last.slopes if fit.converged and fit.falling is None else {}
    workers, rows = setting.control.threads or processors(), setting.control.block_rows
    for first, last in spans(count, k, setting, tables=1):

        def work(strip: Strip, roles: Roles, first: int = first, last: int = last) -> ScoreSums:
            slopes = held.get(strip.number)
            if slopes is None:
                slopes = strip_slopes(fit.layout, strip, fit.theta, weigh, rows)
            codes = groups.codes(roles)
            chosen = _within(codes, first, last, count)
            codes = codes if chosen is None else codes[chosen] - first
            # As the matrix wants them, here, where threads share the work.
            codes = codes.astype(np.int32, copy=False)
            return ScoreSums(
                fit,
                last - first,
                2 * setting.control.memory,
                workers,
                None,
                (Pending(strip, codes, chosen, slopes),),
            )

        # What is there already is handed over sooner than a second thread is awake.
        threads = 1 if held else None
        yield first, setting.runs(work, ScoreSums.plus, whole=True, threads=threads).sums().T


def all_sums(setting: Setting, groups: Groups) -> Array:
    """Sums of weighted scores by group, (groups, k)."""
    out = np.empty((len(groups), len(setting.fit.kept)))
    for first, part in score_sums(setting, groups):
        out[first : first + len(part)] = part
    return out


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
