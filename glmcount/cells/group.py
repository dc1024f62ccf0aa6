"""Rows grouped to cells: sums for each cell, and the cells as strips of weighted rows.

Where keys are digits of a small number, cells are places in a table. Hashes are looked up, and
the columns of a cell compared, so that no two kinds of rows are ever taken for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.cells.key import Key, Keys, Unsuited, hashed
from glmcount.design.rows import Rows
from glmcount.engine.strip import Strip, one_strip
from glmcount.numerics import Array
from glmcount.records import dataclass, field, replace

__all__ = ["Crowded", "Grouping", "Values", "group"]

# Key spaces of which every strip fills a table of its own.
DENSE = 2**18
# Rows a cell, in a strip, from which rounding of their sums is worth avoiding; bits that
# sums over a strip need above those of their largest addend.
FEW = 64
GUARD = 17

Values = Sequence[Array | None]


class Crowded(Exception):
    """There are more cells than grouping is worth."""


@dataclass(frozen=True)
class Gathered:
    """Cells of some strips, sorted by key.

    Parameters
    ----------
    keys, first : ndarray, shape (k,)
        The first row of each cell: strip times 2^32 plus place among its used rows.
    sums : ndarray, shape (s, k)
    words : ndarray, shape (w, k)
        What hashes are compared by.
    constant : float
        A further sum, over all rows.
    """

    keys: Keys
    first: NDArray[np.int64]
    sums: Array
    words: NDArray[Any]
    constant: float

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.keys)


@dataclass(frozen=True)
class Bins:
    """Rows of a strip by their keys: each key, its first row, and how values are summed."""

    ids: Keys
    first: NDArray[Any]
    add: Callable[[Array | None], Array]


def _group(key: Key, strip: Strip, values: Values, constant: float) -> Gathered:
    keys, words = key.of(strip)
    bins = _table(keys, key.space) if 0 < key.space <= DENSE else _sorted(keys, words)
    first = bins.first
    compared = np.stack([w[first] for w in words]) if words else np.empty((0, len(first)))
    place = first.astype(np.int64) + (strip.number << 32)
    sums = np.stack([_summed(bins, v, strip.n) for v in values])
    return Gathered(bins.ids, place, sums, compared, constant)


def _table(keys: Keys, space: int) -> Bins:
    own = np.flatnonzero(np.bincount(keys, minlength=space))
    # Of repeated places in an assignment the last one stays.
    first = np.empty(space, dtype=np.int32)
    first[keys[::-1]] = np.arange(len(keys) - 1, -1, -1, dtype=np.int32)
    return Bins(own.astype(np.int64), first[own], lambda v: _binned(keys, v, space)[own])


def _sorted(keys: Keys, words: Sequence[Keys]) -> Bins:
    order, starts, found = _runs(keys)
    new = np.zeros(len(keys), dtype=bool)
    new[starts] = True
    for word in words:
        beside = word[order]
        if not np.all((beside[1:] == beside[:-1]) | new[1:]):
            raise Unsuited
    sizes = np.diff(starts, append=len(keys)).astype(np.float64)

    def add(values: Array | None) -> Array:
        return sizes if values is None else np.add.reduceat(values[order], starts)

    return Bins(found, np.minimum.reduceat(order, starts), add)


def _runs(keys: Keys) -> tuple[NDArray[np.intp], NDArray[np.intp], Keys]:
    """Order of the keys, where each begins in it, and each once."""
    order = np.argsort(keys)
    ranked = keys[order]
    starts = np.flatnonzero(np.append(len(keys) > 0, ranked[1:] != ranked[:-1])[: len(keys)])
    return order, starts, ranked[starts]


def _summed(bins: Bins, values: Array | None, n: int) -> Array:
    """Sums by key, to the last digit where many of the n rows share one.

    One after the other, n addends lose up to n / 2 units in the last place. So they are cut
    at a place from which the sums of the upper parts are exact.
    """
    if values is None or n <= FEW * len(bins.ids):
        return bins.add(values)
    top = float(np.abs(values).max())
    cut = 1.5 * 2.0 ** (np.ceil(np.log2(top)) + GUARD) if top > 0 else 0.0
    upper = (values + cut) - cut
    return bins.add(upper) + bins.add(values - upper)


def _binned(codes: Keys, values: Array | None, count: int) -> Array:
    return np.asarray(np.bincount(codes, values, count), dtype=np.float64)


def _merged(a: Gathered, b: Gathered) -> Gathered:
    """Cells of both; `a` has the earlier rows, and is changed."""
    constant = a.constant + b.constant
    if not b.size or not a.size:
        return replace(a if a.size else b, constant=constant)
    place = np.minimum(np.searchsorted(a.keys, b.keys), a.size - 1)
    known = a.keys[place] == b.keys
    place = place[known]
    if not all(np.array_equal(x[place], y[known]) for x, y in zip(a.words, b.words, strict=True)):
        raise Unsuited
    for total, part in zip(a.sums, b.sums, strict=True):
        total[place] += part[known]
    if known.all():
        return replace(a, constant=constant)
    new = ~known
    keys = np.concatenate([a.keys, b.keys[new]])
    order = np.argsort(keys, kind="stable")

    def both(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([x, y[..., new]], axis=-1)[..., order]

    return Gathered(
        keys[order],
        both(a.first, b.first),
        both(a.sums, b.sums),
        both(a.words, b.words),
        constant,
    )


def _stacked(stack: list[Gathered], more: list[Gathered]) -> list[Gathered]:
    """Groups wait until one as large has come: the work of merging stays linear."""
    stack += more
    while len(stack) > 1 and stack[-2].size <= 2 * stack[-1].size:
        last = stack.pop()
        stack[-1] = _merged(stack[-1], last)
    return stack


@dataclass(frozen=True)
class Grouping:
    """Rows grouped by a key.

    Parameters
    ----------
    rows : Rows
    key : Key
    ids : ndarray, shape (n_cells,)
        Keys of the cells, sorted; `rank` is the place of each among the cells.
    rank : ndarray of int, shape (n_cells,)
    sums : ndarray, shape (s, n_cells)
        In the order of the cells.
    constant : float
    first : ndarray of int, shape (n_cells,)
    """

    rows: Rows
    key: Key
    ids: Keys
    rank: NDArray[np.intp]
    sums: Array
    constant: float
    first: NDArray[np.int64] = field(repr=False)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.ids)

    def places(self, strip: Strip) -> NDArray[np.intp]:
        """Cell of each row of a strip."""
        keys, _ = self.key.of(strip)
        if 0 < self.key.space <= DENSE:
            table = np.zeros(self.key.space, dtype=np.intp)
            table[self.ids] = self.rank
            return table[keys]
        order, starts, found = _runs(keys)
        own = self.rank[np.searchsorted(self.ids, found)]
        out = np.empty_like(order)
        out[order] = np.repeat(own, np.diff(starts, append=len(keys)))
        return out

    def totals(self, values_of: Callable[[Strip, NDArray[np.intp]], Values]) -> Array:
        """Sums over the rows of each cell of ``values_of(strip, cell of each row)``."""

        def work(strip: Strip) -> Array:
            places = self.places(strip)
            values = values_of(strip, places)
            return np.stack([_binned(places, v, self.n_cells) for v in values])

        return self.rows.fold(work, lambda a, b: np.add(a, b, out=a))

    def as_rows(self, y: Array | None, weights: Array, offset: float | None) -> Rows:
        """The cells as weighted rows: an rows whose strips are there.

        `y` of None keeps the response and the offsets of the rows; else all rows have `y`,
        and the offset where there is one.
        """
        whole = _gathered(self.rows, self.first)
        if y is not None:
            own = (None if offset is None else np.full(self.n_cells, offset),)
            offsets = own if offset is not None else whole.offsets
            whole = replace(whole, y=y[None, :], offsets=offsets)
        return replace(self.rows.holding(replace(whole, weights=weights)), behind=self.rows)


def _gathered(rows: Rows, first: NDArray[np.int64]) -> Strip:
    """The rows told by `first` as one strip, in that order."""
    order = np.argsort(first)
    numbers, inside = first[order] >> 32, first[order] & (2**32 - 1)
    parts = []
    for number in np.unique(numbers):
        own = slice(*np.searchsorted(numbers, [number, number + 1]))
        parts.append(rows.strip(int(number)).taken(inside[own]))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return one_strip(parts).taken(back)


def group(
    rows: Rows,
    key: Key,
    values_of: Callable[[Strip], tuple[Values, float]],
    most: int,
) -> Grouping:
    """Gathered the rows by a key: one pass.

    Parameters
    ----------
    rows : Rows
    key : Key
    values_of : callable
        What is summed in each cell (None for ones), and a further sum over all rows.
    most : int
        Give up where there are more cells.

    Raises
    ------
    Unsuited
        If the key does not hold the rows.
    Crowded
        If there are more cells than `most`.
    """

    def work(strip: Strip) -> list[Gathered]:
        return [_group(key, strip, *values_of(strip))]

    def fold(stack: list[Gathered], more: list[Gathered]) -> list[Gathered]:
        stack = _stacked(stack, more)
        if stack[0].size > most:
            raise Crowded
        return stack

    stack = rows.fold(work, fold)
    total = stack.pop()
    while stack:
        total = _merged(stack.pop(), total)
    if total.size > most:
        raise Crowded
    # By a hash of the key, so that the head of every strip is a sample of the cells.
    order = np.argsort(hashed([total.keys.astype(np.int64)], 0), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(total.size)
    return Grouping(
        rows, key, total.keys, rank, total.sums[:, order], total.constant, total.first[order]
    )
