"""Sums of rows by code: what factors need of a pass, however many columns share a code."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = [
    "Codes",
    "Occurring",
    "Place",
    "Product",
    "Written",
    "joined_code",
    "plus",
    "scratch",
    "sums_by_code",
    "whole",
]

Codes = NDArray[np.intp]
# A numeric column, by block and number in it; weights by name, times such columns.
Place = tuple[int, int]
Product = tuple[Any, tuple[Place, ...]]
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
    codes: Codes, levels: int, table: Callable[[Codes, int], Array]
) -> Array | Occurring:
    """Sums of columns over the rows of each code, shape (levels, columns), by `table`.

    Of a pair of large factors only the codes that occur are kept: a table a strip would take
    more memory than the rows.
    """
    if levels <= SPARSE:
        return table(codes, levels)
    found, places = np.unique(codes, return_inverse=True)
    return Occurring(found, table(places.reshape(-1), len(found)), levels)


@dataclass(frozen=True)
class Written:
    """Columns to add up, made one by one: weights by name, times numeric columns.

    Parameters
    ----------
    named : mapping
        Weights by name.
    column : callable
        A numeric column by its place.
    """

    named: Mapping[Any, Any]
    column: Callable[[int, int], Array]

    def table(self, products: Sequence[Product], codes: Codes, levels: int) -> Array:
        """Sums by code, all of them, shape (levels, products).

        A product with a sparse matrix of ones would release the interpreter lock, which
        bincount keeps, but takes longer than what a second thread then gains.
        """
        out = np.empty((levels, len(products)))
        written = scratch("column", codes.shape)
        for k, (name, places) in enumerate(products):
            values = self.named[name]
            for place in places[:-1]:
                values = values * self.column(*place)
            if places:
                np.multiply(values, self.column(*places[-1]), out=written)
            else:
                written[...] = values
            out[:, k] = np.bincount(codes, written, levels)
        return out
