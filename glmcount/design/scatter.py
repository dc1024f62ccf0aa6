"""Sums of rows by code: what factors need of a pass, however many columns share a code."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Codes", "Occurring", "joined_code", "plus", "scratch", "sums_by_code", "whole"]

Codes = NDArray[np.int32]
# Below this many rows a scatter costs more to set up than bincount takes in all.
SCATTER_FROM = 8_192
# Columns a scatter carries at once: more of them gain nothing, and take memory.
TOGETHER = 4
# Codes of which a strip fills a table: 8 MB a column.
SPARSE = 2**20

_held = threading.local()


def scratch(key: Any, shape: tuple[int, ...]) -> Array:
    """Buffer of that name, one a thread, with whatever it held last."""
    held: dict[Any, Array] = _held.__dict__
    size = math.prod(shape)
    found = held.get(key)
    if found is None or found.size < size:
        found = held[key] = np.empty(size)
    return found[:size].reshape(shape)


def joined_code(left: Codes, right: Codes, levels: int) -> Codes:
    """One code for two, the left slow; `levels` are those of the right."""
    out = left * np.int32(levels)
    out += right
    return out


@dataclass(frozen=True)
class Occurring:
    """Sums by code of the codes that occur, where those are few of all there are.

    Parameters
    ----------
    codes : ndarray, shape (m,)
    sums : ndarray, shape (m, columns)
    levels : int
    """

    codes: Codes
    sums: Array
    levels: int

    def whole(self) -> Array:
        """Sums of all codes."""
        return self.onto(np.zeros((self.levels, self.sums.shape[1])))

    def onto(self, total: Array) -> Array:
        """Add to sums of all codes, in place."""
        total[self.codes] += self.sums
        return total


def whole(sums: Array | Occurring) -> Array:
    """Sums of all codes, however they are kept."""
    return sums.whole() if isinstance(sums, Occurring) else sums


def plus(total: Any, part: Any) -> Any:
    """Sums of two parts of the rows; what `total` holds may be changed."""
    if isinstance(part, Occurring):
        return part.onto(whole(total))
    return np.add(total, part, out=total)


def sums_by_code(
    codes: Codes, levels: int, columns: Sequence[Callable[[Array], None]]
) -> Array | Occurring:
    """Sums of columns over the rows of each code, shape (levels, columns).

    Of a pair of large factors only the codes that occur are kept: a table a strip would take
    more memory than the rows.
    """
    if levels <= SPARSE:
        return _table(codes, levels, columns)
    found, places = np.unique(codes, return_inverse=True)
    sums = _table(places.astype(np.int32).reshape(-1), len(found), columns)
    return Occurring(found, sums, levels)


def _table(codes: Codes, levels: int, columns: Sequence[Callable[[Array], None]]) -> Array:
    """Sums by code, all of them.

    Each column is a function that writes it to where it is told. Both ways add the rows in
    order, so they give the same digits. `bincount` keeps the interpreter lock and takes a
    column at a time; a product with the sparse matrix that has a one in each column releases
    it, and reads the codes once for several columns.
    """
    n = len(codes)
    out = np.empty((levels, len(columns)))
    if n < SCATTER_FROM:
        column = scratch("column", (n,))
        for k, write in enumerate(columns):
            write(column)
            out[:, k] = np.bincount(codes, column, levels)
        return out
    # Imported here: a fit of few rows has no use for it.
    from scipy.sparse import csc_array

    matrix = csc_array((_ones(n), codes, _counting(n)), shape=(levels, n))
    for first in range(0, len(columns), TOGETHER):
        some = columns[first : first + TOGETHER]
        beside = scratch("scatter", (n, len(some)))
        for k, write in enumerate(some):
            write(beside[:, k])
        out[:, first : first + len(some)] = matrix.dot(beside)
    return out


def _ones(n: int) -> Array:
    held = _held.__dict__.get("ones")
    if held is None or len(held) < n:
        held = _held.__dict__["ones"] = np.ones(n)
    return held[:n]


def _counting(n: int) -> Codes:
    held = _held.__dict__.get("counting")
    if held is None or len(held) <= n:
        held = _held.__dict__["counting"] = np.arange(n + 1, dtype=np.int32)
    return held[: n + 1]
