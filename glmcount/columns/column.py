"""One strip of a column as plain numpy values, whatever it came as."""

from __future__ import annotations

import hashlib
import math
from array import array
from contextlib import suppress
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd

from glmcount.records import cached_property, dataclass, replace

__all__ = ["Array", "Column", "Extent", "Level", "Levels", "Values", "extent_of"]

Array = np.ndarray[Any, np.dtype[Any]]
# Of a column, of whatever dtype.
Values = Array
Level = str | bool | int | float
Levels = tuple[Level, ...]
# Sum, smallest and largest value.
Extent = tuple[float, float, float]
# Numbers that are added up by a product.
SHORT = 65_536
# Levels from which a way of their own pays.
MANY = 1_000


@lru_cache(maxsize=2)
def _ones(size: int) -> Array:
    out = np.ones(size)
    out.flags.writeable = False
    return out


def extent_of(values: Array) -> Extent:
    """The extent of numbers; of none (0, inf, -inf)."""
    n = len(values)
    if not n:
        return 0.0, np.inf, -np.inf
    with np.errstate(over="ignore", invalid="ignore"):
        if n <= SHORT and values.dtype == np.float64:
            # A product with ones takes a third of the time of `sum`.
            total = float(np.dot(values, _ones(1 << (n - 1).bit_length())[:n]))
        else:
            total = float(values.sum(dtype=np.float64))
        return total, float(values.min()), float(values.max())


@dataclass(frozen=True, eq=False)
class Column:
    """One strip of a column.

    Attributes
    ----------
    kind : str
        ``"numeric"``, ``"categorical"`` or ``"datetime"``.
    values : ndarray of shape (n,)
        Numbers (NaN where missing), codes into `levels` in the smallest signed integers
        (-1 where missing), or datetime64 or timedelta64 (NaT where missing).
    levels : tuple or None
        The levels of a categorical column.
    ordered : bool
        True when the data call the levels ordered.
    declared : bool
        True when the data type fixes the levels and their order (categories, booleans);
        False when they were found in the values and sorted.
    whole : ndarray of shape (n,), or None
        Whole numbers as they are, 0 where missing, of which `values` are doubles.
    origin : Column or None
        What this is a run of.
    labels : ndarray of int64, shape (levels,), or None
        Levels that are whole numbers, where they came as an array.
    """

    kind: str
    values: Array
    levels: Levels | None = None
    ordered: bool = False
    declared: bool = False
    whole: Array | None = None
    origin: Column | None = None
    labels: Array | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> Column:
        whole = None if self.whole is None else self.whole[rows]
        return replace(self, values=self.values[rows], whole=whole, origin=self.origin or self)

    @cached_property
    def meaning(self) -> int:
        """A mark of the levels, made once for all runs of a column."""
        if self.origin is not None:
            return self.origin.meaning
        told, levels = None, self.levels
        if levels is not None and len(levels) > MANY and type(levels[0]) is int:
            # Of 100,000 whole numbers a fifth of the time that their text takes.
            with suppress(TypeError, OverflowError):
                held = array("q", cast(Any, levels)) if self.labels is None else self.labels
                told = held.tobytes()
        # Not `hash`, which is another one in another process.
        digest = hashlib.blake2b(repr(levels).encode() if told is None else told, digest_size=8)
        return int.from_bytes(digest.digest(), "big")

    @property
    def found(self) -> bool:
        """Whether its levels had to be found in the values."""
        return self.kind == "categorical" and not self.declared

    def missing_mask(self) -> Array | None:
        """Return True for every missing row, or None when nothing is missing; one scan."""
        if self.kind == "categorical":
            if not len(self.values) or self.values.item(self.values.argmin()) >= 0:
                return None
            mask = self.values < 0
        elif self.kind == "datetime":
            mask = np.isnat(self.values)
        elif self.extent is not None:
            if not math.isnan(self.extent[1]):
                return None
            mask = np.isnan(self.values)
        else:
            return None
        return mask if len(mask) and mask[mask.argmax()] else None

    @cached_property
    def extent(self) -> Extent | None:
        """The extent of numbers that could be missing: NaN if one is."""
        if self.kind != "numeric" or self.values.dtype.kind != "f" or not len(self.values):
            return None
        return extent_of(self.values)

    def value(self) -> Any:
        """What `evaluate` computes with: the numbers, or a pandas Categorical."""
        if self.levels is None:
            return self.values
        return self._categorical

    @cached_property
    def _categorical(self) -> pd.Categorical:
        dtype = pd.CategoricalDtype(pd.Index(self.levels), ordered=self.ordered)
        return pd.Categorical.from_codes(self.values, dtype=dtype, validate=False)
