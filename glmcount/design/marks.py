"""Marks of columns: a number for each run of rows, by which changed data are told.

A mark is the sum of the bits of a column's values, as whole numbers, each times an odd number of
its place, modulo 2^64: whatever else a column holds, one changed value always shows, and a changed
order but by a chance of about 2^-32. It costs one look at each column and holds at any parameters.
What is encoded already is the fit's own; columns of numbers are the user's memory, and what does
not stay encoded is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column, Values
from glmcount.engine.scatter import scratch
from glmcount.errors import DataChangedError
from glmcount.sources.base import Columns

__all__ = ["Marks", "changed", "marks_of", "places", "refuse_changed"]

Bits = NDArray[np.uint64]
Marks = Mapping[str, int]


@lru_cache(maxsize=4)
def places(size: int) -> Bits:
    """Odd numbers for so many places, which no rule relates.

    Those of Steele, Lea & Flood (2014, OOPSLA, "Fast splittable pseudorandom number generators"),
    in whole numbers alone, so that they are the same on every machine.
    """
    state = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    state ^= state >> np.uint64(31)
    out: Bits = state | np.uint64(1)
    out.flags.writeable = False
    return out


def _bits(name: str, values: object, kept: bool) -> Bits | None:
    """What a mark is made of; None where what is encoded stays as it is."""
    if isinstance(values, Column):
        values = values.values
    elif not isinstance(values, np.ndarray):
        if kept:
            return None
        values = coerce(name, values).values
    kind = values.dtype.kind
    if kind == "f":
        return np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    if kind in "mM":
        values = values.view(np.int64)
    if kind in "iubmM":
        return values.astype(np.uint64)
    return None if kept else _hashed(values)


def _hashed(values: Values) -> Bits:
    found: Bits = pd.util.hash_array(values.astype(object), categorize=False)
    return found


def _mark(bits: Bits) -> int:
    n = len(bits)
    own = places(1 << max(n - 1, 1).bit_length())[:n]
    # Two odd numbers differ by an even one, so of 1 and -1, or of whole numbers, which differ in
    # their first bits alone, a changed order would fall out of the product; the last bits take
    # part in the first ones' change. No two values become one.
    mixed = np.right_shift(bits, np.uint64(32), out=scratch("mark", (n,), np.uint64))
    mixed ^= bits
    mixed *= own
    return int(mixed.sum(dtype=np.uint64))


def marks_of(columns: Columns, kept: bool) -> Marks:
    """Marks of columns; `kept` says that what they are encoded to is not made again."""
    found = ((name, _bits(name, values, kept)) for name, values in columns.items())
    return {name: _mark(bits) for name, bits in found if bits is not None}


def refuse_changed(marks: Marks, columns: Columns, span: tuple[int, int]) -> None:
    """Refuse a run of rows that is not what was fitted.

    Raises
    ------
    DataChangedError
        If a column of it is another one than it was.
    """
    name = changed(marks, columns)
    if name is not None:
        raise DataChangedError(
            f"The data are not those that were fitted: column {name!r} has changed in the rows "
            f"{span[0]} to {span[1] - 1}. Fit again, or keep arrays as they were (fit to copies "
            "where they are used again)."
        )


def changed(marks: Marks, columns: Columns) -> str | None:
    """The first column that is not as it was."""
    for name, mark in marks.items():
        bits = _bits(name, columns[name], False)
        if bits is None or _mark(bits) != mark:
            return name
    return None
