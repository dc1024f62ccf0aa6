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

Codes = NDArray[np.intp]
# Codes of which a strip fills a table: 8 MB a column.
SPARSE = 2**20

_held = threading.local()


def scratch(key: Any, shape: tuple[int, ...], kind: Any = np.float64) -> NDArray[Any]:
    """Buffer of that name, one a thread, with whatever it held last."""
    held: dict[Any, Array] = _held.__dict__
    size = math.prod(shape)
    found = held.get(key)
    if found is None or found.size < size:
        found = held[key] = np.empty(size, kind)
    return found[:size].reshape(shape)


def joined_code(left: Codes, right: Codes, levels: int) -> Codes:
    """One code for two, the left slow; `levels` are those of the right."""
    out = left * levels
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
    sums = _table(places.reshape(-1), len(found), columns)
    return Occurring(found, sums, levels)


def _table(codes: Codes, levels: int, columns: Sequence[Callable[[Array], None]]) -> Array:
    """Sums by code, all of them; each column is a function that writes it where it is told.

    A product with a sparse matrix of ones would release the interpreter lock, which bincount
    keeps, but takes longer than what a second thread then gains.
    """
    out = np.empty((levels, len(columns)))
    column = scratch("column", codes.shape)
    for k, write in enumerate(columns):
        write(column)
        out[:, k] = np.bincount(codes, column, levels)
    return out
